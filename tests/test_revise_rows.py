"""A question's chains as rows: whose answer each is, and what it read anew."""

import numpy as np

from tts_jax import types
from tts_jax.revise import rows
from tts_jax.revise import state as states
from tts_jax.tasks import arithmetic, base, tokenization

_QUESTION = base.Question(id="q", text="1+2=?", answer="3")


def _candidates(tokenizer, texts):
  """Candidates of so many texts, each with its end."""
  written = [[*tokenizer.encode(text), tokenizer.end_token] for text in texts]
  length = np.array([len(one) for one in written], np.int32)
  tokens = np.zeros((len(written), length.max()), np.int32)
  for row, one in zip(tokens, written, strict=True):
    row[: len(one)] = one
  return types.Candidates(
    tokens=tokens,
    length=length,
    finished=np.ones(len(written), bool),
    token_logprob=np.zeros(tokens.shape, np.float32),
  )


def test_rows_say_what_each_answer_saw_and_read_anew(model):
  tokenizer = tokenization.load(model)
  texts = ["#### 1", "#### 3", "#### 33", "#### 3"]
  candidates = _candidates(tokenizer, texts)
  plan = states.Plan(lengths=(2, 2), context_tokens=20)

  def table(given):
    made = rows.table(
      _QUESTION,
      candidates,
      plan=plan,
      task=arithmetic.Arithmetic(),
      tokenizer=tokenizer,
      delimiters=frozenset(),
      given=given,
    )
    return made.to_pydict()

  found = table(None)
  assert found["text"] == texts
  assert found["chain"] == [0, 0, 1, 1]
  assert found["turn"] == [0, 1, 0, 1]
  assert found["context"] == [[], [0], [], [0]]
  assert found["verdict"] == ["wrong", "correct", "wrong", "correct"]
  assert found["read"] == [0, 0, 0, 0]
  # The first chain began with an answer that the model had yet to read.
  first = candidates.tokens[0, : candidates.length[0]].tolist()
  assert table({"q": [first, []]})["read"] == [0, len(first), 0, 0]
