"""Choosing one answer, deciding on a strategy, and sharing out a file."""

import dataclasses

import made_policies
import numpy as np
import pytest

from tts_jax import errors
from tts_jax.report import tree as tree_lib
from tts_jax.report import tree_page
from tts_jax.scaling import plans
from tts_jax.search import strategies
from tts_jax.solving import answering, deciding, filling
from tts_jax.tasks import jsonl

_BEAM = strategies.Beam(6, 2)
_CHAINS = plans.Revised(2, 3)


def _oracle(plan, answers, score):
  """Best answer, its best solution and its share, in plain loops."""
  places = [i for i, answer in enumerate(answers) if answer is not None]
  if isinstance(plan, plans.Revised):
    winners = []
    for chain in range(plan.chains):
      mine = [i for i in places if i // plan.length == chain]
      if mine:
        sums = {
          i: sum(score[j] for j in mine if answers[j] == answers[i])
          for i in mine
        }
        most = max(sums.values())
        able = [i for i in mine if sums[i] > most - 1e-6]
        winners.append(max(able, key=lambda i: (score[i], -i)))
    places = winners
  if not places:
    return None
  counted = isinstance(plan, plans.Sampled) and plan.choice == "majority"
  weight = [1.0 if counted else s for s in score]
  if isinstance(plan, plans.Sampled) and plan.choice == "best_of_n":
    # Of equal top scores each has a share, and an answer all of its own.
    top = [i for i in places if score[i] == max(score[j] for j in places)]
    value = {
      i: sum(answers[j] == answers[i] for j in top if i in top) for i in places
    }
  else:
    value = {
      i: sum(weight[j] for j in places if answers[j] == answers[i])
      for i in places
    }
  most = max(value.values())
  able = [i for i in places if value[i] > most - 1e-6]
  place = max(able, key=lambda i: (score[i], -i))
  mine = sum(weight[j] for j in places if answers[j] == answers[place])
  return place, mine / sum(weight[j] for j in places)


@pytest.mark.parametrize(
  "plan",
  [*(plans.Sampled(6, choice) for choice in plans.CHOICES), _BEAM, _CHAINS],
)
def test_the_answer_is_that_of_plain_loops(plan):
  rng = np.random.default_rng(0)
  lengths = (3, 3) if plan is _CHAINS else (1,) * 6
  for _ in range(60):
    answers = [rng.choice(["a", "b", "c", None]) for _ in range(6)]
    # Of few values, so that votes and scores tie now and then.
    score = rng.integers(1, 5, 6) / 8
    found = answering.choose(plan, "q", answers, score, lengths)
    want = _oracle(plan, answers, score.tolist())
    if want is None:
      assert found is None
      continue
    assert (found.place, found.share) == (want[0], pytest.approx(want[1]))
    assert found.score == score[found.place]


def test_what_stands_for_an_answer_stood_for_a_chain():
  # The second chain's own winner is "c": its "a", though higher, lost there.
  answers, score = ["a", "a", "b", "c", "c", "a"], [0.5, 0.5, 0.1] * 2
  score[3:] = [0.4, 0.4, 0.7]
  found = answering.choose(_CHAINS, "q", answers, np.array(score), (3, 3))
  assert (found.place, found.score) == (0, 0.5)
  assert found.share == pytest.approx(0.5 / 0.9)


def test_a_score_that_is_no_number_is_refused():
  score = np.array([0.5, np.nan])
  with pytest.raises(errors.InputError, match="question 'q': NaN"):
    answering.choose(_BEAM, "q", ["a", "b"], score, (1, 1))
  # Of a solution that states nothing no score is read.
  assert answering.choose(_BEAM, "q", ["a", None], score, (1, 1)).share == 1


def _policy(**changes):
  unmeasured = dict(value=None, questions=0)
  return made_policies.policy(
    (made_policies.choice(plans.Sampled(4, "majority")),) * 2,
    (made_policies.choice(plans.Revised(2, 2), **unmeasured),) * 2,
    **changes,
  )


def test_a_decision_says_why():
  easy = deciding.decide(_policy(), 20 - 4, 0.7)
  assert easy.plan == plans.Sampled(4, "majority")
  assert (easy.bin, easy.difficulty) == (1, 0.7)
  assert "difficulty 0.70 by first_4, bin 1 of 2" in easy.why
  assert "right on 0.500 [0.400, 0.600] of 20 such questions" in easy.why
  read = deciding.decide(_policy(difficulty="head"), 16, 0.7)
  said = "difficulty 0.70 by the difficulty head, from the prompt alone, bin 1"
  assert said in read.why
  hard = deciding.decide(_policy(), 16, 0.1)
  assert (hard.plan, hard.bin) == (plans.Revised(2, 2), 2)
  assert "no measured question was in this bin" in hard.why
  assert "on average" not in hard.why
  mean = deciding.decide(_policy(averaged=True), 16, 0.1)
  assert "the budget is met on average over questions; difficulty" in mean.why
  blind = deciding.decide(_policy(), 7, None)
  assert (blind.bin, blind.difficulty) == (None, None)
  assert "of the policy's budgets the next lower, 4;" in blind.why
  assert deciding.decide(None, 8, None).plan == plans.Sampled(
    8, "best_of_n_weighted"
  )


@pytest.mark.parametrize(
  ("name", "budget", "samples"),
  [
    ("first_4", 16, 4),
    ("first_4", 4, 0),
    ("none", 16, 0),
    ("predicted", 16, deciding.PREDICTED_SAMPLES),
    ("oracle", 4, 0),
    ("head", 16, 0),
  ],
)
def test_what_places_a_question(name, budget, samples):
  policy = _policy(difficulty=name)
  assert deciding.samples_to_place(policy, budget) == samples


def test_a_head_reads_prompts_where_the_policy_estimates():
  policy = _policy(difficulty="head")
  assert deciding.reads_prompts(policy, 16)
  assert not deciding.reads_prompts(policy, 4)
  assert not deciding.reads_prompts(_policy(), 16)
  assert not deciding.reads_prompts(None, 16)


@pytest.mark.parametrize("name", ["oracle", "heads", "first_0", "first_"])
def test_an_estimate_that_needs_more_than_samples_is_refused(name):
  with pytest.raises(errors.InputError, match=f"places questions by '{name}'"):
    deciding.samples_to_place(_policy(difficulty=name), 16)


def test_a_policy_without_difficulty_decides():
  found = deciding.decide(_policy(difficulty="none", edges=(0.0,)), 16, None)
  assert (found.plan, found.bin) == (plans.Sampled(4, "majority"), None)


def test_revisions_are_asked_for_where_a_bin_has_them():
  assert deciding.needs_revisions(_policy(), 16)
  assert not deciding.needs_revisions(_policy(choices=_policy().choices[:1]), 4)
  assert not deciding.needs_revisions(None, 4)


def test_shards_hold_one_strategy_each():
  easy, hard = (deciding.decide(_policy(), 16, level) for level in (1.0, 0.0))
  parts = filling.partition([easy, hard, easy, easy, hard], 2)
  assert sorted(parts) == [[0, 2], [1, 4], [3]]


def test_a_file_may_lack_answers(tmp_path):
  path = tmp_path / "questions.jsonl"
  path.write_text('{"question": "1"}\n{"question": "2", "answer": 3}\n')
  found = jsonl.read_questions(path, jsonl.Fields(graded=False))
  assert [one.answer for one in found] == ["", "3"]
  assert found[0] == jsonl.typed("1")
  with pytest.raises(errors.InputError, match="line 1: field 'answer'"):
    jsonl.read_questions(path)


def test_a_tree_whose_answer_nobody_knows_judges_nothing():
  vote = tree_lib.Vote("42", 0.5, 1.0, 1, None, True)
  node = tree_lib.Node(0, 0, None, "42", 0.5, True, True, False, 0)
  one = tree_lib.Tree("q", None, "Beam", 1, 1, (node,), (vote,), {})
  text = tree_page.render([one], title="t")
  assert "chosen" in text
  for word in ("Right answer", 'class="right"', 'class="wrong"', ", wrong"):
    assert word not in text
  known = dataclasses.replace(
    one, answer="41", votes=(dataclasses.replace(vote, right=False),)
  )
  assert "Right answer" in tree_page.render([known], title="t")
