"""policy.json: what is written is read, and what is wrong is refused."""

import dataclasses
import json

import numpy as np
import pytest
from test_scaling_policy import table

from tts_jax import errors
from tts_jax.scaling import (
  compute_optimal,
  estimates,
  measured,
  plans,
  policy_file,
  policy_making,
)
from tts_jax.search import strategies

_MADE_FOR = policy_file.MadeFor(tokenizer="t", model="m", verifier="v")
_PLANS = (
  ("majority", 8, plans.Sampled(8, "majority")),
  ("best_of_n", 3, plans.Sampled(3, "best_of_n")),
  ("best_of_n_weighted", 1, plans.Sampled(1, "best_of_n_weighted")),
  ("beam_4", 16, strategies.Beam(16, 4)),
  ("beam_sqrt", 64, strategies.Beam(64, 8)),
  ("dvts", 16, strategies.DiverseBeam(16, 4)),
  ("lookahead_3", 16, strategies.Lookahead(4, 2, 3)),
  ("revisions 4:1", 16, plans.Revised(2, 8)),
  ("revisions 1:16", 16, plans.Revised(16, 1)),
  ("revised_search", 16, plans.RevisedSearch(strategies.Beam(8, 4))),
)


def _policy(generations=0):
  """Easy questions vote, hard ones search; of 2 budgets."""
  level = np.linspace(1, 0, 50)
  values = {
    ("majority", 4): level,
    ("beam_4", 4): 0.5 + 0 * level,
    ("best_of_n_weighted", 16): np.maximum(level, 0.5) + 0.1,
  }
  estimate = estimates.Estimate(
    name="first_4",
    value=np.stack([level, level]),
    generations=generations,
    flops=np.full(50, float(generations)),
  )
  outcome = compute_optimal.evaluate(table(values), estimate, [4, 20])
  base = {
    4: measured.Cell(
      value=level, generations=np.full(50, 4), flops=np.full(50, 4)
    )
  }
  return policy_making.to_file(
    outcome, estimate, _MADE_FOR, keys=[4, 20], baseline=base
  )


@pytest.mark.parametrize(("name", "budget", "want"), _PLANS)
def test_a_plan_has_its_budget_and_survives_the_file(name, budget, want):
  found = plans.plan(name, budget)
  assert found == want
  assert found.generations == budget
  again = plans.decode(json.loads(json.dumps(plans.encode(found))), "x: plan")
  assert again == found


@pytest.mark.parametrize("name", ["beam", "revisions 3:1", "revisions 64:1"])
def test_a_name_that_is_no_strategy_is_refused(name):
  with pytest.raises(errors.InputError, match=f"'{name}' at budget 16"):
    plans.plan(name, 16)


@pytest.mark.parametrize("averaged", [False, True])
def test_what_is_written_is_read(tmp_path, averaged):
  policy = dataclasses.replace(_policy(), averaged=averaged)
  policy_file.write(tmp_path / "policy.json", policy)
  assert policy_file.load(tmp_path / "policy.json", _MADE_FOR) == policy
  assert [one.name for one in tmp_path.iterdir()] == ["policy.json"]


def test_the_file_holds_the_policy_of_the_world():
  policy = _policy()
  assert policy.budgets == (4.0, 20.0)
  assert [row[0].plan for row in policy.choices] == [
    *[plans.Sampled(4, "majority")] * 2,
    policy.choices[2][0].plan,
    *[strategies.Beam(4, 4)] * 2,
  ]
  for row in policy.choices:
    assert row[1].plan == plans.Sampled(16, "best_of_n_weighted")
    assert [one.questions for one in row] == [10, 10]
    assert row[0].less_baseline is not None
    assert row[1].less_baseline is None
  assert policy.choices[4][0].less_baseline["low"] > 0.3
  assert policy.choices[0][0].value["mean"] == pytest.approx(
    np.linspace(1, 0, 50)[:10].mean()
  )
  assert policy.choices[0][0].agreement == 1


def test_a_question_finds_its_strategy():
  policy = _policy()
  assert policy_file.strategy_for(policy, 0.95, 4) is policy.choices[0][0]
  assert policy_file.strategy_for(policy, 0.05, 19) is policy.choices[4][0]
  assert policy_file.strategy_for(policy, -5.0, 20) is policy.choices[4][1]
  for budget in (3, 21, float("nan")):
    with pytest.raises(errors.InputError, match="this policy has 4 to 20"):
      policy_file.strategy_for(policy, 0.5, budget)
  for level in (None, float("nan")):
    with pytest.raises(errors.InputError, match="of the kind 'first_4'"):
      policy_file.strategy_for(policy, level, 4)


def test_a_budget_too_small_for_the_estimate_needs_none():
  policy = _policy(generations=4)
  assert policy.estimated == (False, True)
  assert policy_file.strategy_for(policy, None, 10).plan.generations == 4
  assert policy.choices[3][0] == policy.choices[0][0]
  assert policy.choices[0][0].questions == 50
  with pytest.raises(errors.InputError, match="needs an estimate"):
    policy_file.strategy_for(policy, None, 20)


def test_an_empty_bin_says_so(tmp_path):
  level = np.repeat([1.0, 0.0], 25)
  estimate = estimates.given("head", level, np.zeros(50))
  outcome = compute_optimal.evaluate(
    table({("beam_4", 4): level}), estimate, [4]
  )
  policy = policy_making.to_file(outcome, estimate, _MADE_FOR)
  assert [row[0].questions for row in policy.choices] == [25, 0, 25, 0, 0]
  assert policy.choices[1][0].value is None
  assert policy.choices[1][0].plan == strategies.Beam(4, 4)
  policy_file.write(tmp_path / "policy.json", policy)
  assert policy_file.load(tmp_path / "policy.json") == policy


def _set(*keys, to):
  def change(found):
    place = found
    for key in keys[:-1]:
      place = place[key]
    if to is None:
      del place[keys[-1]]
    else:
      place[keys[-1]] = to

  return change


_PLAN = ("choices", 3, 0, "plan")


@pytest.mark.parametrize(
  ("change", "message"),
  [
    (_set("schema_version", to=2), "schema_version is 2; .* reads 1"),
    (_set("schema_version", to=None), "schema_version is None"),
    (_set("edges", to=None), "field 'edges' is missing"),
    (_set("extra", to=1), "field 'extra' is unknown"),
    (_set("edges", to=[0.1, 0.2, 0.3, 0.4]), "they must descend"),
    (_set("edges", to=[0.5, "a"]), "edges has 'a'; it must be a finite"),
    (_set("edges", to=[0.5]), "choices has 5 bins; it must have 2"),
    (_set("choices", 4, to=None), "choices has 4 bins; it must have 5"),
    (_set("choices", 2, 1, to=None), r"choices\[2\] has 1 budgets; .* 2"),
    (_set("budgets", to=[20, 4]), "they must ascend"),
    (_set("budgets", to=[4, 4]), "they must ascend"),
    (_set("budgets", to=[]), "one at least"),
    (_set("budgets", to=[4, float("nan")]), "budgets has nan"),
    (_set("unit", to="tokens"), "unit is 'tokens'"),
    (_set("averaged", to=1), "averaged is 1; it cannot be that"),
    (_set("estimated", to=[True]), "estimated has 1 budgets; it must have 2"),
    (_set("estimated", to=[1, 0]), r"estimated is \(1, 0\)"),
    (_set("difficulty_generations", to=0.5), "difficulty_generations is 0.5"),
    (_set("made_for", "model", to=None), "made_for: field 'model' is missing"),
    (_set("made_for", "model", to="n"), "made_for.model is n, .* at hand is m"),
    (_set("made_for", "verifier", to="w"), "made_for.verifier is w"),
    (
      _set("made_for", "difficulty_head", to="h"),
      "made_for.difficulty_head is h, the one at hand is none; .* give that",
    ),
    (_set("made_for", "head", to="h"), "made_for: field 'head' is unknown"),
    (
      _set("made_for", "revision_model", to="r"),
      "revision_model is r, .* none",
    ),
    (_set(*_PLAN, to=3), r"choices\[3\]\[0\].plan must be an object"),
    (_set(*_PLAN, "kind", to="magic"), r"plan.kind is 'magic'; .* sampled, b"),
    (_set(*_PLAN, "kind", to=["beam"]), r"plan.kind is \['beam'\]"),
    (_set(*_PLAN, "width", to=3), r"plan: width is 3; it must divide n, 4"),
    (_set(*_PLAN, "width", to="4"), "plan.width is '4'; .* an integer"),
    (_set(*_PLAN, "n", to=None), "plan.n is missing"),
    (_set(*_PLAN, "depth", to=1), "plan.depth is unknown to 'beam'"),
    (
      _set(
        *_PLAN, to={"kind": "revised_search", "search": {"kind": "sampled"}}
      ),
      "plan.search.n is missing|plan.search.choice is missing",
    ),
    (
      _set(*_PLAN, to={"kind": "sampled", "n": 4, "choice": "best"}),
      "choice is 'best'; it must be of majority",
    ),
    (_set("choices", 0, 0, "flops", to="1"), r"\]\.flops has '1'"),
    (_set("choices", 0, 0, "value", to={"mean": 1}), "must have mean, low and"),
    (_set("choices", 0, 0, "questions", to=None), "field 'questions' is miss"),
    (_set("choices", to={}), "choices must be a list"),
  ],
)
def test_a_wrong_file_is_refused_in_one_line(tmp_path, change, message):
  path = tmp_path / "policy.json"
  policy_file.write(path, _policy())
  found = json.loads(path.read_text())
  change(found)
  path.write_text(json.dumps(found))
  with pytest.raises(errors.InputError, match=message) as caught:
    policy_file.load(path, _MADE_FOR)
  assert str(caught.value).startswith(str(path))
  assert "\n" not in str(caught.value)


def test_no_file_and_no_json_are_refused(tmp_path):
  with pytest.raises(errors.InputError, match="no such file"):
    policy_file.load(tmp_path / "policy.json")
  (tmp_path / "policy.json").write_text("{")
  with pytest.raises(errors.InputError, match="not JSON"):
    policy_file.load(tmp_path / "policy.json")


def test_a_revision_model_that_is_not_needed_may_be_there(tmp_path):
  path = tmp_path / "policy.json"
  policy_file.write(path, _policy())
  here = dataclasses.replace(_MADE_FOR, revision_model="r")
  assert policy_file.load(path, here).made_for == _MADE_FOR


def test_a_file_from_before_there_were_heads_has_none(tmp_path):
  path = tmp_path / "policy.json"
  policy_file.write(path, _policy())
  found = json.loads(path.read_text())
  del found["made_for"]["difficulty_head"]
  path.write_text(json.dumps(found))
  here = dataclasses.replace(_MADE_FOR, difficulty_head="h")
  assert policy_file.load(path, here).made_for == _MADE_FOR


def test_a_policy_is_of_its_own_head(tmp_path):
  path = tmp_path / "policy.json"
  own = dataclasses.replace(_MADE_FOR, difficulty_head="h")
  policy_file.write(path, dataclasses.replace(_policy(), made_for=own))
  assert policy_file.load(path, own).made_for == own
  other = dataclasses.replace(own, difficulty_head="i")
  for here, said in ((other, "at hand is i"), (_MADE_FOR, "at hand is none")):
    with pytest.raises(
      errors.InputError, match=f"difficulty_head is h.*{said}"
    ):
      policy_file.load(path, here)
