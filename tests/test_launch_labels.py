"""The launcher of labels, from the command line; what labels cost."""

import json

import jax
import kill_harness
import label_oracle
import pytest

from tts_jax.decode import loop, sampling
from tts_jax.model import embedded, huggingface
from tts_jax.store import labels as labels_lib
from tts_jax.store import pool, run
from tts_jax.tasks import gsm_symbolic, tokenization
from tts_jax.verify import label_costs
from tts_jax.verify import rollouts as rollouts_lib

_SMALL = (
  "--config.task=arithmetic",
  "--config.questions.count=8",
  "--config.samples=6",
  "--config.rollouts=4",
  "--config.limits.prompt_tokens=32",
  "--config.limits.max_tokens=24",
  "--config.engine.groups=2",
  "--config.engine.rows=4",
  "--config.engine.steps=8",
  "--config.engine.batch=2",
)
# Seconds of rolling out, many shards.
_LONG = ("--config.questions.count=40", "--config.rollouts=32")


def _command(out, model, *flags):
  return kill_harness.python(
    "-m",
    "launch.label_steps",
    f"--out={out}",
    *_SMALL,
    f"--config.model={model}",
    *flags,
  )


def test_it_labels_training_questions_and_says_what_it_cost(
  tmp_path, model, cache
):
  out = tmp_path / "run"
  done = kill_harness.run(_command(out, model), cache)
  assert done.returncode == 0, done.stderr
  costs = json.loads((out / labels_lib.SUMMARY).read_text())
  assert json.loads(done.stdout[done.stdout.index("{") :]) == costs
  assert (costs["questions"], costs["samples"]) == (8, 48)
  found = labels_lib.load_labels(out)
  assert {question.id.split("/")[1] for question in found} == {"train"}
  assert sum(costs["samples_dropped"].values()) == sum(
    question.dropped for question in found
  )
  assert costs["labels"] == sum(
    len(one.labels) for question in found for one in question.solutions
  )

  # Started again it rolls out nothing and says the same.
  before = kill_harness.contents(out)
  again = kill_harness.run(_command(out, model), cache)
  assert again.returncode == 0, again.stderr
  after = kill_harness.contents(out)
  assert json.loads(after[labels_lib.SUMMARY]) == costs
  assert {k: v for k, v in after.items() if k != "usage.json"} == {
    k: v for k, v in before.items() if k != "usage.json"
  }


def test_killed_at_random_the_labels_are_the_same(tmp_path, model, cache):
  done = kill_harness.run(_command(tmp_path / "whole", model, *_LONG), cache)
  assert done.returncode == 0, done.stderr
  stage = tmp_path / "whole" / labels_lib.STAGE
  expected = kill_harness.contents(stage)
  assert len(expected) == 20
  written = [path.stat().st_mtime for path in stage.iterdir()]
  partial: list[int] = []
  kills = attempt = 0
  while kills < 5:
    # Once the work is done there is nothing left to kill: begin anew.
    folder = tmp_path / f"run{attempt}"
    stage = folder / labels_lib.STAGE
    attempt += 1
    kills += kill_harness.run_killed(
      _command(folder, model, *_LONG),
      kill_harness.spread_delays(
        6 - kills, max(written) - min(written), seed=attempt
      ),
      progress=lambda stage=stage: len(list(stage.glob("*.parquet"))),
      killed=lambda stage=stage: partial.append(
        len(list(stage.glob("*.parquet")))
      ),
      env=cache,
    )
    assert kill_harness.contents(stage) == expected
    assert attempt < 6, "runs end before they can be killed"
  assert len({count for count in partial if 0 < count < 20}) >= 3, partial


def test_a_file_of_questions(tmp_path, model, cache):
  path = tmp_path / "questions.jsonl"
  lines = [{"question": f"{i}+1=?", "answer": str(i + 1)} for i in range(3)]
  path.write_text("".join(json.dumps(line) + "\n" for line in lines))
  flags = (
    "--config.task=jsonl",
    f"--config.questions.path={path}",
    "--config.questions.count=0",
    "--config.limits.prompt_tokens=64",
  )
  done = kill_harness.run(_command(tmp_path / "run", model, *flags), cache)
  assert done.returncode == 0, done.stderr
  assert len(labels_lib.load_labels(tmp_path / "run")) == 3


@pytest.mark.parametrize(
  ("flags", "message"),
  [
    (("--config.samples=0",), "samples is 0"),
    (("--config.rollouts=-1",), "rollouts is -1"),
    (("--config.engine.branches=0",), "branches is 0"),
    (("--config.questions.split=test",), "'test': must be one of train"),
    (("--config.questions.count=0",), "count is 0"),
    (("--config.task=algebra",), "'algebra': must be one of arithmetic"),
    (("--config.limits.max_tokens=90",), "exceed the model's 96 positions"),
  ],
)
def test_bad_settings_end_in_one_line(tmp_path, model, cache, flags, message):
  done = kill_harness.run(_command(tmp_path / "run", model, *flags), cache)
  assert done.returncode == 2, done.stderr
  assert message in done.stderr
  assert len(done.stderr.strip().splitlines()) == 1


def test_at_16_by_16_the_embedded_model_reads_five_times_less(tmp_path):
  """On the paper's sizes, by the labels' own ledger and the engine's."""
  task = gsm_symbolic.GsmSymbolic()
  asked = gsm_symbolic.reporting_questions()[:390:65]
  tokenizer = tokenization.load(embedded.FOLDER)
  lm, params = huggingface.load(embedded.FOLDER, "float32")
  limits = loop.Limits(max_tokens=128, end_token=tokenizer.end_token)
  sample = label_oracle.engine(
    lm,
    jax.device_put(params),
    sampling.Categorical(),
    limits,
    groups=4,
    rows=16,
  )
  work = sample, task, tokenizer
  with run.Run.open(tmp_path, {}) as folder:
    drawn = label_oracle.fill_pool(
      folder, asked, *work, samples=16, prompt_tokens=128
    )
    found, stats = label_oracle.fill_labels(
      folder,
      asked,
      drawn,
      *work,
      rollouts=rollouts_lib.Rollouts(16, 128, 16),
      prompt_tokens=128,
    )
  costs = label_costs.summarise(found)
  assert costs["samples"] == drawn.num_rows == 96
  assert costs["labels"] > 200
  assert costs["tokens_prefilled"] == stats.prefilled
  assert costs["tokens_generated"] == stats.generated
  assert costs["independent"]["each_rollout"]["times_as_many"] > 5
  assert (tmp_path / pool.STAGE).is_dir()
