"""Solving with a published verifier, which reads text."""

import answering_model
import jax
import numpy as np
import pytest
import tiny_prm

from tts_jax.model import huggingface
from tts_jax.scaling import plans
from tts_jax.search import strategies
from tts_jax.solving import drawing, engines, solver
from tts_jax.tasks import arithmetic, tokenization
from tts_jax.verify import published

_TASK = arithmetic.Arithmetic()


@pytest.fixture(scope="module", name="made")
def fixture_made(tmp_path_factory):
  """Engines, on a tiny model and a tiny verifier."""
  folder = tmp_path_factory.mktemp("models")
  answering_model.save(folder / "model")
  tiny_prm.save(folder / "prm", "math_shepherd")
  lm, params = huggingface.load(folder / "model")
  tokenizer = tokenization.load(folder / "model")
  prm = published.load(folder / "prm", "math_shepherd")
  models = engines.Models(
    lm=lm,
    params=jax.device_put(params),
    tokenizer=tokenizer,
    verifier=engines.Outside(prm=prm, prompt_tokens=64, row_tokens=200),
    rule=tokenizer.delimiters(_TASK.step_delimiter),
  )
  sizes = engines.Settings(
    prompt_tokens=32, max_tokens=12, groups=2, rows=4, search_rows=8
  )
  return engines.make(models, sizes, jax.jit)


@pytest.mark.parametrize(
  "plan",
  [plans.Sampled(4, "best_of_n_weighted"), strategies.Beam(4, 2)],
  ids=["sampled", "searched"],
)
def test_scores_are_those_of_the_text(made, plan):
  models, prm = made.models, made.models.verifier.prm
  questions = list(_TASK.questions("test", 3, seed=0))
  tools = solver.Solver(task=_TASK, engines=made, budget=4)
  drawn = [one for _, one in sorted(tools.draw(plan, iter(questions)))]
  judged = drawing.judge(plan, drawn, made)
  told = 0
  for question, one in zip(questions, judged, strict=True):
    assert one.spent.tokens["scored"] > 0
    for tokens, score, done in zip(
      one.tokens, one.score, one.finished, strict=True
    ):
      if not done:
        continue
      text = models.tokenizer.decode(tokens)
      steps = text.splitlines(keepends=True) or [""]
      want, _ = published.score(prm, question.text, steps)
      np.testing.assert_allclose(score, want[-1], atol=1e-4)
      told += 1
  assert told > 3


def test_it_answers(made):
  tools = solver.Solver(task=_TASK, engines=made, budget=4)
  questions = list(_TASK.questions("test", 4, seed=1))
  found = tools.solve(questions)
  assert any(one.answer is not None for one in found)
  for one in found:
    assert one.spent.generations == 4
    assert one.spent.flops > 0
    assert one.answer is None or 0 < one.score < 1
