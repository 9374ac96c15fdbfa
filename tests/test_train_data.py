"""Streams of batches from a task's questions."""

import itertools

import pytest

from tts_jax import errors
from tts_jax.tasks import catalogue, tokenization
from tts_jax.train import data


def _stream(length, max_positions):
  found = catalogue.find("arithmetic")
  questions = found.stream("train", 0)
  texts = (
    found.task.prompt(q) + found.task.completion(q)
    for _, q in itertools.islice(questions(0), 50)
  )
  return data.stream(
    found.task,
    tokenization.train(texts, 272),
    questions,
    rows=2,
    length=length,
    prompt_weight=0.0,
    max_positions=max_positions,
  )


@pytest.mark.parametrize("max_positions", [192, 500, None])
def test_rows_that_the_model_can_read(max_positions):
  (batch,) = data.take(_stream(192, max_positions), 1)
  assert batch.tokens.shape == (2, 192)


def test_rows_longer_than_the_model_reads_are_refused():
  said = "data.length is 192; it must be at most model.max_positions, 191"
  with pytest.raises(errors.InputError, match=said):
    _stream(192, 191)
