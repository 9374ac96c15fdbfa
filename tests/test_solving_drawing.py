"""Drawing and judging solutions, and what that costs, on a tiny model."""

import dataclasses

import answering_model
import jax
import numpy as np
import pytest

from tts_jax.decode import stream as decode_stream
from tts_jax.model import huggingface
from tts_jax.scaling import plans
from tts_jax.search import strategies
from tts_jax.solving import drawing
from tts_jax.solving import engines as engines_lib
from tts_jax.tasks import tokenization
from tts_jax.verify import saved

_SETTINGS = engines_lib.Settings(
  prompt_tokens=32,
  max_tokens=26,
  groups=2,
  rows=4,
  search_rows=8,
  step_tokens=5,
  scoring_length=128,
  context_tokens=36,
)


@pytest.fixture(scope="module")
def engines(tmp_path_factory):
  model, verifier = (tmp_path_factory.mktemp(name) for name in ("m", "v"))
  answering_model.save(model)
  answering_model.save_verifier(verifier, model)
  lm, params = huggingface.load(model)
  judge, judge_params = saved.load(verifier)
  models = engines_lib.Models(
    lm=lm,
    params=params,
    tokenizer=tokenization.load(model),
    verifier=judge,
    verifier_params=judge_params,
  )
  models = dataclasses.replace(models, reviser=models)
  return engines_lib.make(models, _SETTINGS, jax.jit)


def _drawn(engines, plan, purpose="sample"):
  requests = [
    decode_stream.Request(
      id=str(number),
      uid=number,
      tokens=engines.models.tokenizer.encode(f"{number} + 1 =?\n"),
    )
    for number in range(3)
  ]
  found = dict(drawing.draw(plan, requests, engines, purpose))
  return [found[number] for number in range(3)]


def test_what_places_a_question_is_not_drawn_again(engines):
  plan = plans.Sampled(4, "majority")
  first, again, other = (
    [one.tokens for one in _drawn(engines, plan, purpose)]
    for purpose in ("sample", "sample", "estimate")
  )
  assert first == again
  assert all(a != b for a, b in zip(first, other, strict=True))


def test_a_revised_search_pays_for_both(engines):
  plan = plans.RevisedSearch(strategies.Beam(2, 2))
  search = _drawn(engines, plan.search)
  for whole, first in zip(_drawn(engines, plan), search, strict=True):
    # A final without its end is no answer to revise: another is drawn for it.
    lost = int((~first.finished).sum())
    assert whole.spent.generations == 4 + lost
    own = sum(map(len, whole.tokens))
    given = sum(
      len(tokens)
      for tokens, done in zip(first.tokens, first.finished, strict=True)
      if done
    )
    assert whole.spent.tokens["generated"] == (
      first.spent.tokens["generated"] + own - given
    )
    assert whole.spent.flops > first.spent.flops


def test_a_solution_is_scored_by_its_last_step_alone_or_packed(engines):
  plan = plans.Sampled(4, "best_of_n")
  drawn = _drawn(engines, plan)
  for one, packed in zip(
    drawn, drawing.judge(plan, drawn, engines), strict=True
  ):
    (alone,) = drawing.judge(plan, [one], engines)
    np.testing.assert_allclose(alone.score, packed.score, rtol=1e-5)
    assert ((packed.score > 0) == one.finished).all()
