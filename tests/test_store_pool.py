"""The pool's table, and its arrays against plain loops."""

import random

import numpy as np
import pytest

from tts_jax import errors
from tts_jax.store import pool, run, shards
from tts_jax.tasks import base

QUESTIONS, SAMPLES = 5, 6


def _row(question, sample):
  source = random.Random(100 * question + sample)
  length = source.randrange(1, 6)
  logprobs = [-source.random() for _ in range(length)]
  cut = source.randrange(length + 1)
  steps = [part for part in (logprobs[:cut], logprobs[cut:]) if part]
  answer = source.choice([None, "7", "8", "1/2"])
  return {
    "question_id": f"q{9 - question}",
    "uid": 2**32 - 1 - question,
    "sample": sample,
    "text": f"text {question} {sample}",
    "tokens": list(range(length)),
    "logprobs": logprobs,
    "step_min_logprob": [min(part) for part in steps],
    "answer": answer,
    "verdict": (
      "ungradable" if answer is None else ("wrong", "correct")[answer == "7"]
    ),
    "finished": source.random() < 0.7,
  }


def _table(rows):
  return pool.table(**{key: [row[key] for row in rows] for key in rows[0]})


def _write(path, batches):
  with run.Run.open(path, {}) as opened:
    stage = opened.stage(pool.STAGE, pool.SCHEMA, "inputs")
    for batch, rows in enumerate(batches):
      stage.write(batch, _table(rows))


def _all(questions, samples=range(SAMPLES)):
  return [_row(q, s) for q in questions for s in samples]


def test_arrays_match_the_rows(tmp_path):
  turned = [_row(q, s) for s in reversed(range(SAMPLES)) for q in (3, 4)]
  # A question's rows may stand in any order.
  turned.sort(key=lambda row: row["question_id"], reverse=True)
  _write(tmp_path, [_all([0, 1, 2]), turned])
  loaded = pool.load_pool(tmp_path)
  assert loaded.question_ids == ("q9", "q8", "q7", "q6", "q5")
  np.testing.assert_array_equal(loaded.uid, 2**32 - 1 - np.arange(5))
  assert loaded.uid.dtype == np.uint32
  for q in range(QUESTIONS):
    seen = []
    for s in range(SAMPLES):
      row = _row(q, s)
      if row["answer"] is None:
        assert loaded.answers[q, s] == -1
      else:
        if row["answer"] not in seen:
          seen.append(row["answer"])
        assert loaded.groups[q][loaded.answers[q, s]] == row["answer"]
        assert loaded.answers[q, s] == seen.index(row["answer"])
      assert loaded.correct[q, s] == (row["verdict"] == "correct")
      assert loaded.ungradable[q, s] == (row["verdict"] == "ungradable")
      assert loaded.finished[q, s] == row["finished"]
      assert loaded.length[q, s] == len(row["tokens"])
      assert loaded.logprob[q, s] == pytest.approx(sum(row["logprobs"]))
      assert loaded.least_logprob[q, s] == pytest.approx(min(row["logprobs"]))
    assert loaded.groups[q] == tuple(seen)
  for array, kind in [
    (loaded.answers, np.int32),
    (loaded.correct, bool),
    (loaded.ungradable, bool),
    (loaded.finished, bool),
    (loaded.length, np.int32),
    (loaded.logprob, np.float32),
    (loaded.least_logprob, np.float32),
  ]:
    assert array.shape == (QUESTIONS, SAMPLES)
    assert array.dtype == kind


def test_first_samples_only_and_the_stage_by_its_own_folder(tmp_path):
  _write(tmp_path, [_all(range(QUESTIONS))])
  loaded = pool.load_pool(tmp_path)
  first = pool.load_pool(tmp_path / "pool", samples=2)
  np.testing.assert_array_equal(first.logprob, loaded.logprob[:, :2])
  np.testing.assert_array_equal(first.correct, loaded.correct[:, :2])
  assert shards.read(tmp_path / "pool", ["text"])["text"][7].as_py() == (
    "text 1 1"
  )


@pytest.mark.parametrize(
  ("rows", "samples", "named"),
  [
    (_all([0, 1]), 7, "'q9' has 6 of 7 samples and lacks number 6"),
    (_all([0]) + _all([1], [0, 1, 3]), 4, "'q8' has 3 of 4 .* lacks number 2"),
    (_all([0]) + _all([1], [0, 1, 2]), None, "'q8' has 3 of 6"),
    (_all([0, 1, 0]), None, "'q9' has sample 0 2 times"),
    (_all([0], [3]), 3, "has no samples"),
  ],
)
def test_a_pool_that_lacks_samples(tmp_path, rows, samples, named):
  _write(tmp_path, [rows])
  with pytest.raises(errors.InputError, match=named) as caught:
    pool.load_pool(tmp_path, samples=samples)
  assert "\n" not in str(caught.value)


def test_no_pool(tmp_path):
  with pytest.raises(errors.InputError, match="no such folder"):
    pool.load_pool(tmp_path / "absent")
  run.Run.open(tmp_path, {}).close()
  with pytest.raises(errors.InputError, match="has no shards yet"):
    pool.load_pool(tmp_path)


@pytest.mark.parametrize(
  ("changed", "named"),
  [
    ({"verdict": ["right"]}, "verdict 'right' is none of"),
    ({"sample": [0, 1]}, "sample has 2 rows, not 1"),
    ({"logprobs": [[-1.0]], "tokens": [[1, 2]]}, "2 tokens and 1 logprobs"),
    ({"text": [None]}, "text holds 1 Nones"),
  ],
)
def test_a_table_of_wrong_columns(changed, named):
  row = {key: [value] for key, value in _row(0, 0).items()}
  with pytest.raises(ValueError, match=named):
    pool.table(**{**row, **changed})


def test_table_keeps_its_rows():
  rows = _all(range(QUESTIONS))
  made = _table(rows)
  assert made.schema.equals(pool.SCHEMA)
  for given, kept in zip(rows, made.to_pylist(), strict=True):
    assert kept["logprob"] == pytest.approx(sum(given["logprobs"]))
    for name in ("question_id", "uid", "sample", "text", "tokens", "answer"):
      assert kept[name] == given[name]


def test_verdicts_are_those_of_the_tasks():
  assert set(pool.VERDICTS) == {verdict.value for verdict in base.Verdict}


def test_a_pool_that_lacks_questions_is_not_taken_for_whole(tmp_path):
  with run.Run.open(tmp_path / "run", {}) as folder:
    stage = folder.stage(pool.STAGE, pool.SCHEMA, "inputs")
    pool.expect(folder, 2)
    stage.write(
      0,
      pool.table(
        question_id=["q"],
        uid=[1],
        sample=[0],
        text=["1"],
        tokens=[[5]],
        logprobs=[[-0.5]],
        step_min_logprob=[[-0.5]],
        answer=["1"],
        verdict=["correct"],
        finished=[True],
      ),
    )
  with pytest.raises(errors.InputError, match="has 1 of 2 questions"):
    pool.load_pool(tmp_path / "run")
  found = pool.load_pool(tmp_path / "run", partial=True)
  assert found.question_ids == ("q",)
  assert found.verdicts() == {"correct": 1, "wrong": 0, "ungradable": 0}
