"""From a scored pool and searches to the summary's two parts."""

import json

import numpy as np
import pytest
from test_scaling_estimates import _samples
from test_scaling_measuring import _count, _search

from tts_jax import errors
from tts_jax.scaling import (
  choices,
  estimates,
  flops,
  measured,
  measurements,
  optimal_summary,
)


def _gather(samples, **options):
  found = {("beam_4", 4, 0): _search(samples)}
  made = measurements.measure(samples, found, [1, 2, 4, 8, 16], few=2, draws=20)
  return optimal_summary.gather(made, _count, **options)


def test_evidence_has_what_the_first_few_leave():
  samples = _samples()
  found = _gather(samples)
  own = [
    int(budget)
    for name, budget in zip(found.table.names, found.table.budgets, strict=True)
    if name == "majority"
  ]
  # 4 less 2 and 8 less 2; 16 less 2 is more than half of 16 samples.
  assert own == [1, 2, 4, 6, 8]
  assert list(found.baseline) == [1, 2, 4, 8, 16]
  want = choices.weighted_at_k(
    samples.answers, samples.correct, samples.score, [16]
  )
  np.testing.assert_allclose(found.baseline[16].value, want[:, 0])
  names = [one.name for one in found.estimates]
  assert names == ["none", "oracle", "predicted", "first_2"]
  few = found.estimates[-1]
  np.testing.assert_allclose(few.flops, found.baseline[2].flops)


def _without(found, key):
  """Without a key, however deep."""
  if isinstance(found, dict):
    return {n: _without(one, key) for n, one in found.items() if n != key}
  return [_without(o, key) for o in found] if isinstance(found, list) else found


def test_without_a_model_flops_are_left_out_and_nothing_else():
  samples = _samples()
  made = measurements.measure(samples, {}, [1, 2, 4, 8], few=2, draws=20)
  known, unknown = (
    optimal_summary.summarise(
      optimal_summary.gather(made, count), samples.correct, [1, 4, 8], splits=3
    )
    for count in (_count, flops.unknown)
  )
  assert '"flops"' in json.dumps(known, allow_nan=False)
  assert '"flops"' not in json.dumps(unknown, allow_nan=False)
  assert unknown == _without(known, "flops")


def test_the_two_parts_are_json():
  samples = _samples()
  head = estimates.given("head", samples.score.mean(1), np.full(40, 3.0))
  chains = measured.Cell(
    value=np.linspace(0, 1, 40),
    generations=np.full(40, 4),
    flops=np.full(40, 50.0),
  )
  evidence = _gather(
    samples, given=[head], revised={"revisions 1:1": {4: chains}}
  )
  found = optimal_summary.summarise(
    evidence, samples.correct, [4, 8, 16], splits=3
  )
  json.dumps(found, allow_nan=False)
  assert list(found) == ["difficulty", "policy"]
  assert list(found["difficulty"]["estimates"]) == [
    *["none", "oracle", "predicted", "first_2", "head"]
  ]
  kinds = found["policy"]["families"]
  assert list(kinds) == ["search", "revisions", "pooled"]
  assert list(kinds["pooled"]["head"]["flops"]) == ["4", "8", "16"]


def test_revisions_of_fewer_questions_are_refused():
  short = measured.Cell(
    value=np.ones(39), generations=np.ones(39), flops=np.ones(39)
  )
  with pytest.raises(errors.InputError, match="revisions 1:1 at budget 4"):
    _gather(_samples(), revised={"revisions 1:1": {4: short}})


@pytest.mark.parametrize(
  ("sizes", "said"),
  [
    ((9, 8, 4), "9 questions; 2 folds of 5 difficulty bins need at least 10"),
    ((10, 7, 4), "first 4 of half of them needs at least 8"),
    ((10, 8, 4), None),
  ],
)
def test_what_is_too_small_for_a_policy_is_said(sizes, said):
  found = optimal_summary.obstacle(*sizes)
  assert found is None if said is None else said in found
