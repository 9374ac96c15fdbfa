"""What a pool's sampling cost is added up over restarts of one config."""

from tts_jax.decode import stream, usage
from tts_jax.store import run


def test_restarts_add_up(tmp_path):
  for call in (1, 2):
    with run.Run.open(tmp_path, {"a": 1}) as folder:
      work = stream.Stats(steps=5, slots=20)
      usage.load(folder).plus(work, seconds=1.5).save(folder)
      total = usage.load(folder)
    assert (total.stats.steps, total.stats.slots) == (5 * call, 20 * call)
    assert total.seconds == 1.5 * call


def test_the_work_of_a_replaced_config_does_not_count(tmp_path):
  with run.Run.open(tmp_path, {"a": 1}) as folder:
    usage.load(folder).plus(stream.Stats(steps=5), 1.0).save(folder)
  with run.Run.open(tmp_path, {"a": 2}) as folder:
    assert usage.load(folder).stats == stream.Stats()
    assert usage.load(folder).seconds == 0
