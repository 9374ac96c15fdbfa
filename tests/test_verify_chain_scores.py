"""Scores of chains, by a scorer that says how much it read."""

import numpy as np
import pyarrow as pa
import pytest

from tts_jax import errors
from tts_jax.store import chains as store
from tts_jax.store import run, shards
from tts_jax.verify import chain_scores, histories

_LENGTH = (2, 3, 4)


@pytest.fixture(name="folder")
def fixture_folder(tmp_path):
  rows = [
    {
      "question_id": "q",
      "uid": 1,
      "prompt": [7, 8],
      "sample": turn,
      "chain": 0,
      "turn": turn,
      "context": list(range(turn)),
      "read": 0,
      "tokens": [turn] * length,
      "text": "",
      "logprobs": [0.0] * length,
      "logprob": 0.0,
      "step_min_logprob": [],
      "answer": None,
      "verdict": "wrong",
      "finished": True,
    }
    for turn, length in enumerate(_LENGTH)
  ]
  with run.Run.open(tmp_path / "run", {}) as folder:
    stage = folder.stage(store.STAGE, store.SCHEMA, "inputs")
    stage.write(0, pa.Table.from_pylist(rows, store.SCHEMA))
    yield folder


def _score(packed):
  """Of each answer, a hundredth of the tokens that were read up to its end."""
  for _, solutions in packed:
    yield [np.array(one.step_end) / 100 for one in solutions]


def _fill(folder, history):
  stage = chain_scores.open_stage(
    folder, "scores", store.STAGE, folder.path, history=history
  )
  drawn = shards.read(folder.path / store.STAGE, histories.COLUMNS)
  filled = chain_scores.fill(stage, drawn, _score, history=history, batch=1)
  assert list(filled) == [0]
  return shards.read(folder.path / "scores")["score"].to_pylist()


@pytest.mark.parametrize(
  ("history", "read"), [(True, np.cumsum(_LENGTH)), (False, _LENGTH)]
)
def test_an_answer_is_read_behind_its_context_or_alone(folder, history, read):
  np.testing.assert_allclose(_fill(folder, history), np.array(read) / 100)


def test_scores_of_one_kind_are_not_taken_for_the_other(folder):
  _fill(folder, history=False)
  with pytest.raises(errors.InputError, match="made from other inputs"):
    _fill(folder, history=True)
