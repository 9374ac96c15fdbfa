import shutil

import numpy as np

from tts_jax import types
from tts_jax.decode import pools
from tts_jax.model import embedded
from tts_jax.tasks import arithmetic, base, tokenization


def test_a_solution_cut_at_its_limit_states_no_answer():
  tokenizer = tokenization.load(embedded.FOLDER)
  text = tokenizer.encode("1+1=2\n#### 2")
  length = len(text) + 1
  tokens = np.array([[*text, tokenizer.end_token]] * 2, np.int32)
  table = pools.rows(
    base.Question(id="q", text="1+1=?", answer="2"),
    types.Candidates(
      tokens=tokens,
      length=np.array([length, length - 1]),
      # The second may have been about to write 25.
      finished=np.array([True, False]),
      token_logprob=np.full(tokens.shape, -0.5, np.float32),
    ),
    task=arithmetic.Arithmetic(),
    tokenizer=tokenizer,
    delimiters=tokenizer.tokens_with("\n"),
  )
  assert table["text"].to_pylist() == ["1+1=2\n#### 2"] * 2
  assert table["answer"].to_pylist() == ["2", None]
  assert table["verdict"].to_pylist() == ["correct", "ungradable"]


def test_the_least_logprob_of_each_step():
  least = pools.step_minima(
    [5, 9, 6, 7, 9, 8], [-1.0, -3.0, -2.0, -0.5, -1.0, -4.0], frozenset({9})
  )
  assert least == [-3.0, -2.0, -4.0]


def test_figures_beside_a_model_are_not_what_a_pool_is_made_from(tmp_path):
  folder = tmp_path / "model"
  shutil.copytree(embedded.FOLDER, folder)
  questions = [base.Question(id="q", text="1+1=?", answer="2")]
  before = pools.inputs_hash(questions, folder)
  (folder / "models.json").write_text("{}")
  assert pools.inputs_hash(questions, folder) == before
  (folder / "config.json").write_text("{}")
  assert pools.inputs_hash(questions, folder) != before
