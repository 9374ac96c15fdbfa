"""Scores of a pool as shards, each text of a question scored once."""

import numpy as np
import pyarrow as pa
import tiny_model

from tts_jax.store import run, scores
from tts_jax.tasks import arithmetic, tokenization
from tts_jax.verify import pool_scores, prefixes

_TASK = arithmetic.Arithmetic()


def test_samples_of_one_text_are_scored_once_and_alike(tmp_path):
  tiny_model.save(tmp_path / "model")
  tokenizer = tokenization.load(tmp_path / "model")
  delimiters = tokenizer.tokens_with(_TASK.step_delimiter)
  questions = list(_TASK.questions("test", 3))
  texts = [tokenizer.encode(t) for t in ("1+1=2\n#### 2", "3\n#### 3", "9")]
  chosen = [(0, 1, 0, 0), (2, 2, 2, 2), (1, 0, 2, 1)]
  rng = np.random.default_rng(0)
  drawn = [
    {
      "question_id": question.id,
      "sample": sample,
      "tokens": texts[text],
      "logprobs": -rng.random(len(texts[text])),
    }
    for question, row in zip(questions, chosen, strict=True)
    for sample, text in enumerate(row)
  ]
  read = []

  def score(packed):
    for question, _, mine in packed:
      assert question in questions
      read.append([list(one.tokens) for one in mine])
      yield [np.arange(len(one.step_end)) + len(one.tokens) for one in mine]

  with run.Run.open(tmp_path / "run", {}) as folder:
    stage = folder.stage(scores.STAGE, scores.SCHEMA, "inputs")
    args = stage, pa.Table.from_pylist(drawn), questions, score
    left = list(pool_scores.fill(*args, _TASK, tokenizer, batch=2))
    assert left == [1, 0]
    rows = stage.read().to_pylist()
  assert read == [
    [texts[0], texts[1]],
    [texts[2]],
    [texts[1], texts[0], texts[2]],
  ]
  assert len(rows) == len(drawn)
  for row, sample in zip(rows, drawn, strict=True):
    assert (row["question_id"], row["sample"]) == (
      sample["question_id"],
      sample["sample"],
    )
    ends = prefixes.step_ends(sample["tokens"], delimiters)
    size = len(sample["tokens"])
    assert row["step_scores"] == [size + i for i in range(len(ends))]
    # What the samples' own draws gave is each sample's own.
    nats = np.add.reduceat(np.float32(sample["logprobs"]), [0, *ends[:-1]])
    np.testing.assert_allclose(row["step_logprobs"], nats, rtol=1e-6)
