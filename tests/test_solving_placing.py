"""Placing questions by their prompts alone, on a tiny model and head."""

import dataclasses

import answering_model
import jax
import made_policies
import numpy as np
import pytest
import tiny_head

from tts_jax import errors
from tts_jax.decode import pools
from tts_jax.model import huggingface
from tts_jax.scaling import flops, plans
from tts_jax.solving import engines as engines_lib
from tts_jax.solving import filling, solver
from tts_jax.store import answers, run
from tts_jax.tasks import arithmetic, tokenization
from tts_jax.verify import saved, saved_difficulty

_SETTINGS = engines_lib.Settings(
  prompt_tokens=32, max_tokens=26, groups=2, rows=4, scoring_length=128
)
_TASK = arithmetic.Arithmetic()
_QUESTIONS = [
  question
  for _, (_, question) in zip(range(5), _TASK.start("test", 0, 0), strict=False)
]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
  model, verifier, head = (tmp_path_factory.mktemp(name) for name in "mvh")
  answering_model.save(model)
  answering_model.save_verifier(verifier, model)
  tiny_head.save(head, model)
  lm, params = huggingface.load(model)
  judge, judge_params = saved.load(verifier)
  found, found_params = saved_difficulty.load(head, saved.origin(model))
  return engines_lib.Models(
    lm=lm,
    params=params,
    tokenizer=tokenization.load(model),
    verifier=judge,
    verifier_params=judge_params,
    head=found,
    head_params=found_params,
  )


@pytest.fixture(scope="module")
def engines(models):
  return engines_lib.make(models, _SETTINGS, jax.jit)


def _policy(**changes):
  made = made_policies.policy(
    (made_policies.choice(plans.Sampled(1, "majority")),) * 2,
    (made_policies.choice(plans.Sampled(2, "best_of_n")),) * 2,
    difficulty="head",
    difficulty_generations=0,
    budgets=(1.0, 2.0),
  )
  return dataclasses.replace(made, **changes)


def _solver(engines, budget=2, **changes):
  return solver.Solver(
    task=_TASK, engines=engines, budget=budget, policy=_policy(**changes)
  )


def _alone(models, question):
  """What the head says of a prompt that is read without any padding."""
  tokens = pools.request(question, _TASK, models.tokenizer).tokens
  hidden = models.lm.forward(models.params, np.array([tokens])).hidden[0]
  x = np.concatenate([hidden[-1], hidden.mean(0)])
  params = models.head_params
  x = (x - params["standard"]["mean"]) / params["standard"]["scale"]
  layers = params["head"]
  x = x @ layers["hidden"]["kernel"] + layers["hidden"]["bias"]
  x = x / (1 + np.exp(-x))
  logit = x @ layers["logit"]["kernel"] + layers["logit"]["bias"]
  return 1 / (1 + np.exp(-logit[0])), len(tokens)


def test_the_head_places_questions_without_a_sample(models, engines):
  solving = _solver(engines)
  assert (solving.reads_prompts, solving.places_by) == (True, 0)
  placed = solving.place(_QUESTIONS)
  network = flops.transformer(models.lm.config)
  for question, one in zip(_QUESTIONS, placed, strict=True):
    want, tokens = _alone(models, question)
    assert one.difficulty == pytest.approx(want, abs=1e-5)
    assert one.spent.generations == 0
    assert one.spent.tokens["prefilled"] == tokens
    assert sum(one.spent.tokens.values()) == tokens
    # The pass over the prompt, and the head's two layers.
    layers = 2 * (2 * 16 * 6 + 6)
    own = tokens * network.per_token(tokens) + layers
    assert one.spent.flops == pytest.approx(own)
  assert len({one.difficulty for one in placed}) > 1
  assert solving.place([]) == []


def test_what_placing_took_is_in_what_solving_took(engines):
  levels = [one.difficulty for one in _solver(engines).place(_QUESTIONS)]
  solving = _solver(engines, edges=(float(np.median(levels)),))
  (hard, *_) = order = np.argsort(levels)
  found = solving.solve([_QUESTIONS[index] for index in (hard, order[-1])])
  assert [one.decision.bin for one in found] == [2, 1]
  assert [one.spent.generations for one in found] == [2, 1]
  for one in found:
    (before,) = solving.place([one.question])
    assert one.spent == before.spent + one.drawn.spent
    assert "by the difficulty head, from the prompt alone" in one.decision.why


def test_a_budget_that_is_not_placed_reads_no_prompt(engines):
  solving = _solver(engines, budget=1)
  assert not solving.places
  placed = solving.place(_QUESTIONS)
  assert {one.difficulty for one in placed} == {None}
  assert {one.spent.flops for one in placed} == {0.0}


def test_a_policy_by_a_head_needs_one(models):
  bare = dataclasses.replace(models, head=None, head_params=None)
  engines = engines_lib.make(bare, _SETTINGS, jax.jit)
  with pytest.raises(errors.InputError, match="give its folder as diff") as at:
    _solver(engines)
  assert "\n" not in str(at.value)
  # Where nothing is estimated, none is needed.
  assert _solver(engines, budget=1).places_by == 0


def test_a_file_is_placed_shard_by_shard(tmp_path, engines):
  solving = _solver(engines)
  with run.Run.open(tmp_path, {}) as folder:
    stage = folder.stage(answers.PLACES, answers.PLACES_SCHEMA, "0")
    lefts = list(filling.place(stage, _QUESTIONS, solving, batch=2))
    assert lefts == [5, 3, 1, 0]
    whole = {path.name: path.read_bytes() for path in stage.folder.iterdir()}
    placed = filling.places(stage)
    wanted = [
      one
      for first in (0, 2, 4)
      for one in solving.place(_QUESTIONS[first : first + 2])
    ]
    assert placed == wanted
    # What a kill lost comes back the same, and alone.
    lost = next(stage.folder.glob("00001-*.parquet"))
    lost.unlink()
    stage = folder.stage(answers.PLACES, answers.PLACES_SCHEMA, "0")
    again = list(filling.place(stage, _QUESTIONS, solving, batch=2))
    assert again == [2, 0]
    now = {path.name: path.read_bytes() for path in stage.folder.iterdir()}
    assert now == whole
