import contextlib
import dataclasses
import functools
import itertools
import json
import os
import shutil

import chex
import jax
import numpy as np
import pytest

from tts_jax import errors
from tts_jax.model import config, transformer
from tts_jax.train import batches, checkpoints, loop
from tts_jax.train import step as step_lib

_LM = transformer.Transformer(
  config.TransformerConfig(
    vocabulary=16,
    width=8,
    layers=1,
    heads=1,
    kv_heads=1,
    head_width=8,
    mlp_width=16,
    max_positions=16,
    dropout=0.1,
  )
)
_OPTIMIZER = step_lib.Optimizer(learning_rate=1e-2, steps=12, warmup=2)
_SCHEDULE = loop.Schedule(steps=12, log_every=1, validate_every=4, patience=9)


def _loss(lm):
  return functools.partial(step_lib.loss, lm=lm)


def _data(index):
  def items():
    for i in itertools.count(index):
      draw = np.random.default_rng(i)
      yield (
        i,
        draw.integers(0, 16, 3).tolist(),
        draw.integers(0, 16, 4).tolist(),
      )

  return batches.packed(items(), rows=2, length=14, prompt_weight=0.0)


@pytest.fixture(scope="module")
def compiled():
  return {
    "step": jax.jit(
      functools.partial(
        step_lib.train_step, loss=_loss(_LM), optimizer=_OPTIMIZER
      )
    ),
    "loss": jax.jit(functools.partial(step_lib.loss, lm=_LM)),
  }


def _held_out():
  return [batch for _, batch in itertools.islice(_data(10_000), 2)]


def _run(folder, compiled, schedule=_SCHEDULE, **changes):
  state = step_lib.init(jax.random.key(0), _LM, _OPTIMIZER)
  said = []
  result = loop.run(
    state,
    _data,
    _held_out(),
    folder,
    schedule=schedule,
    report=said.append,
    **{**compiled, **changes},
  )
  return *result, said


def _lines(folder):
  lines = (folder / "metrics.jsonl").read_text().splitlines()
  return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def whole(tmp_path_factory, compiled):
  folder = tmp_path_factory.mktemp("whole")
  return folder, *_run(folder, compiled)


def test_metrics_hold_every_step_and_validation(whole):
  folder, _, progress, _ = whole
  lines = _lines(folder)
  assert [x["step"] for x in lines if "loss" in x] == list(range(1, 13))
  validations = {
    x["step"]: x["validation_loss"] for x in lines if "validation_loss" in x
  }
  assert list(validations) == [4, 8, 12]
  assert progress["best_loss"] == min(validations.values())
  assert validations[progress["best_step"]] == progress["best_loss"]


@pytest.mark.parametrize("stop_at", [1, 6, 11])
def test_a_killed_run_goes_on_to_the_same_curve(
  whole, tmp_path, compiled, stop_at
):
  class Killed(BaseException):
    pass

  steps = itertools.count(1)

  def dying(state, batch):
    if next(steps) > stop_at:
      raise Killed
    return compiled["step"](state, batch)

  with pytest.raises(Killed):
    _run(tmp_path, compiled, step=dying)
  # A kill in the middle of a line leaves half of it.
  with (tmp_path / "metrics.jsonl").open("a") as lines:
    lines.write('{"step": 99, "lo')
  state, progress, said = _run(tmp_path, compiled)

  folder, whole_state, whole_progress, _ = whole
  resumed = stop_at - stop_at % 4
  assert any("resumed" in line for line in said) == bool(resumed)
  assert _lines(tmp_path) == _lines(folder)
  chex.assert_trees_all_equal(state.params, whole_state.params)
  assert progress["tokens"] == whole_progress["tokens"]
  assert progress["next_item"] == whole_progress["next_item"]


@pytest.mark.parametrize("stop_at", [1, 4, 6, 12])
def test_a_stopped_run_goes_on_from_its_very_step(
  whole, tmp_path, compiled, stop_at
):
  asked = itertools.count(1)
  _, progress, _ = _run(tmp_path, compiled, stop=lambda: next(asked) == stop_at)
  assert progress["step"] == stop_at
  kept = {path.name for path in (tmp_path / "checkpoints").iterdir()}
  assert max(map(int, kept)) == stop_at
  steps = itertools.count(stop_at)

  def counted(state, batch):
    next(steps)
    return compiled["step"](state, batch)

  state, progress, said = _run(tmp_path, compiled, step=counted)
  assert said[0] == f"resumed at step {stop_at} of 12"
  assert next(steps) == 12
  folder, whole_state, whole_progress, _ = whole
  assert _lines(tmp_path) == _lines(folder)
  chex.assert_trees_all_equal(state.params, whole_state.params)
  assert {**progress, "seconds": whole_progress["seconds"]} == whole_progress


def test_metrics_are_whole_or_old(tmp_path, monkeypatch):
  """A kill while lines past the checkpoint are dropped loses no other."""
  path = tmp_path / "metrics.jsonl"
  text = '{"step": 1}\n{"step": 2}\n{"step": 3}\n'
  path.write_text(text)

  def stopped(source, target):
    raise KeyboardInterrupt

  with monkeypatch.context() as patch:
    patch.setattr(os, "replace", stopped)
    with pytest.raises(KeyboardInterrupt):
      loop.Metrics(path, 2)
  assert path.read_text() == text
  loop.Metrics(path, 2)
  assert path.read_text() == '{"step": 1}\n{"step": 2}\n'


def test_a_finished_run_is_left_alone(whole, compiled):
  folder, state, _, _ = whole
  before = _lines(folder)
  again, _, _ = _run(folder, compiled, step=None)
  assert _lines(folder) == before
  chex.assert_trees_all_equal(again.params, state.params)


def test_training_stops_when_validation_no_longer_improves(tmp_path, compiled):
  values = iter([3.0, 2.0, 2.5, 2.5, 9.9])
  state, progress = loop.run(
    step_lib.init(jax.random.key(0), _LM, _OPTIMIZER),
    _data,
    _held_out()[:1],
    tmp_path,
    step=compiled["step"],
    loss=lambda params, batch: (next(values), 1.0),
    schedule=loop.Schedule(steps=12, validate_every=1, patience=2),
    report=lambda line: None,
  )
  assert progress["step"] == 4
  assert progress["best_step"] == 2
  assert int(state.step) == 2


def test_a_loss_that_is_not_finite_stops_the_run(tmp_path, compiled):
  def broken(state, batch):
    state, values = compiled["step"](state, batch)
    return state, {**values, "loss": float("nan")}

  with pytest.raises(errors.InputError, match="the loss is nan at step 1"):
    _run(tmp_path, compiled, step=broken)


def test_a_validation_loss_that_is_not_finite_stops_the_run(tmp_path, compiled):
  with pytest.raises(errors.InputError, match="validation loss is inf at st"):
    _run(tmp_path, compiled, loss=lambda params, batch: (np.inf, 1.0))


def test_a_checkpoint_of_another_model_is_refused(whole):
  folder, *_ = whole
  wide = dataclasses.replace(_LM.config, width=12)
  state = step_lib.init(
    jax.random.key(0), transformer.Transformer(wide), _OPTIMIZER
  )
  with (
    contextlib.closing(
      checkpoints.Checkpoints(folder / "checkpoints")
    ) as found,
    pytest.raises(
      errors.InputError,
      match=r"embedding.* is float32\[16, 8\], this configuration wants",
    ),
  ):
    found.restore(state)


def test_a_changed_checkpoint_is_not_read(whole, tmp_path, compiled):
  """Orbax alone would read other numbers."""
  folder, state, progress, _ = whole
  run = tmp_path / "run"
  shutil.copytree(folder, run)
  latest = run / "checkpoints" / "12"
  assert checkpoints.changed(latest) == []
  read = checkpoints.read(run / "best" / str(progress["best_step"]))
  chex.assert_trees_all_equal(
    jax.tree.leaves(read["params"]), jax.tree.leaves(state.params)
  )
  path = max(latest.rglob("*"), key=lambda one: one.stat().st_size)
  data = bytearray(path.read_bytes())
  data[len(data) // 2] ^= 1
  path.write_bytes(data)
  (found,) = checkpoints.changed(latest)
  assert found.startswith(f"{path}: missing or changed")
  with pytest.raises(errors.InputError, match="goes on from the state before"):
    _run(run, compiled)
  shutil.rmtree(latest)
  again, _, said = _run(run, compiled)
  assert "resumed at step 8 of 12" in said
  chex.assert_trees_all_equal(again.params, state.params)


def test_a_state_that_is_saved_twice_stays_as_it_was(tmp_path):
  """A kill between the best state and the latest one has it made again."""
  state = step_lib.init(jax.random.key(0), _LM, _OPTIMIZER)
  hashes = tmp_path / "0" / "hashes.json"

  def save():
    with contextlib.closing(checkpoints.Checkpoints(tmp_path)) as found:
      found.save(state, {})

  save()
  before = hashes.read_bytes()
  save()
  assert checkpoints.changed(tmp_path / "0") == []
  # Killed before it had hashes, or amid writing them.
  hashes.rename(hashes.with_name(".hashes.json.123.tmp"))
  save()
  assert hashes.read_bytes() == before


def test_what_is_left_of_a_deleted_state_goes(whole, tmp_path, compiled):
  folder, state, _, _ = whole
  shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
  part = tmp_path / "checkpoints" / "4"
  part.mkdir()
  (part / "hashes.json").write_text('{"state": "0"}')
  again, _, said = _run(tmp_path, compiled)
  assert "resumed at step 12 of 12" in said
  left = checkpoints.states(tmp_path / "checkpoints")
  assert [path.name for path in left] == ["8", "12"]
  chex.assert_trees_all_equal(again.params, state.params)
