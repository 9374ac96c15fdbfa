import numpy as np
import pytest

from tts_jax import errors
from tts_jax.scaling import choices, estimators, sweep, weak_verifiers
from tts_jax.store import chains as chains_store
from tts_jax.store import pool


def _pool(answers, correct, uid=None):
  zeros = np.zeros(answers.shape, np.float32)
  questions = len(answers)
  return pool.Pool(
    question_ids=tuple(f"q{i}" for i in range(questions)),
    uid=np.arange(questions, dtype=np.uint32) if uid is None else uid,
    answers=answers,
    groups=(("0", "1", "2"),) * questions,
    correct=correct,
    ungradable=answers < 0,
    finished=np.ones(answers.shape, bool),
    length=np.ones(answers.shape, np.int32),
    logprob=zeros,
    least_logprob=zeros,
  )


def _case(seed=0, questions=40, samples=32):
  rng = np.random.default_rng(seed)
  rate = rng.uniform(0.1, 0.7, (questions, 1))
  correct = rng.uniform(size=(questions, samples)) < rate
  wrong = rng.integers(1, 3, correct.shape)
  answers = np.where(correct, 0, wrong).astype(np.int32)
  score = np.clip(0.3 + 0.4 * correct + rng.normal(0, 0.1, correct.shape), 0, 1)
  return answers, correct, score


def test_a_turn_depends_on_seed_question_and_place_alone():
  _, _, score = _case()
  uid = np.arange(40) * 7
  whole = weak_verifiers.turned(score, uid, seed=1)
  hit = whole != score
  np.testing.assert_allclose(whole[hit], 1 - score[hit])
  assert hit.mean() == pytest.approx(0.2, abs=0.04)
  # Fewer questions, in another order, with fewer samples: the same turns.
  part = weak_verifiers.turned(score[[9, 3], :10], uid[[9, 3]], seed=1)
  np.testing.assert_array_equal(part, whole[[9, 3], :10])
  other = weak_verifiers.turned(score, uid, seed=2) != score
  assert (other != hit).any()
  # Questions and places do not share their draws.
  assert len({row.tobytes() for row in hit}) == len(hit)


def test_the_share_runs_from_none_to_all():
  score = np.array([[0.25, np.nan, 1.0]])
  none = weak_verifiers.turned(score, [5], share=0.0)
  np.testing.assert_array_equal(none, score)
  every = weak_verifiers.turned(score, [5], share=1.0)
  np.testing.assert_array_equal(every, [[0.75, np.nan, 0.0]])
  with pytest.raises(errors.InputError, match="from 0 to 1"):
    weak_verifiers.turned(score, [5], share=1.2)
  with pytest.raises(errors.InputError, match="probabilities"):
    weak_verifiers.turned(score + 1, [5])


def test_values_are_those_of_the_choices():
  answers, correct, score = _case()
  samples, budgets = _pool(answers, correct), (1, 4, 32)
  found = weak_verifiers.values(samples, score, budgets, share=0.3, draws=50)
  assert set(found) == {"majority", "turned", "prm"}
  weak = weak_verifiers.turned(score, samples.uid, share=0.3)
  for name, expected in (
    ("majority", estimators.majority_at_k(answers, correct, budgets, draws=50)),
    ("prm", choices.weighted_at_k(answers, correct, score, budgets, draws=50)),
    (
      "turned",
      choices.weighted_at_k(answers, correct, weak, budgets, draws=50),
    ),
  ):
    for index, budget in enumerate(budgets):
      np.testing.assert_array_equal(found[name][budget], expected[:, index])
  unturned = weak_verifiers.values(samples, score, (4,), share=0.0, draws=50)
  np.testing.assert_array_equal(unturned["turned"][4], unturned["prm"][4])
  means = {name: one[32].mean() for name, one in found.items()}
  assert means["majority"] < means["turned"] < means["prm"]
  assert set(sweep.curves(found)["turned"]) == {"1", "4", "32"}


def _looped_vote(answers, correct):
  """The credit of the most frequent answers among a chain's."""
  votes = {}
  for answer, right in zip(answers, correct, strict=True):
    if answer >= 0:
      votes.setdefault(answer, []).append(right)
  most = max((len(one) for one in votes.values()), default=0)
  leaders = [np.mean(one) for one in votes.values() if len(one) == most]
  return np.mean(leaders) if leaders else 0.0


def test_revisions_vote_inside_each_chain():
  answers, correct, score = _case(questions=6)
  # Chains of 8, 4 and 4 answers.
  owned, right, _ = _case(1, questions=6, samples=16)
  chains = chains_store.Chains(
    answers=_pool(owned, right),
    lengths=(8, 4, 4),
    context=np.zeros(owned.shape, np.int32),
    read=np.zeros(owned.shape, np.int32),
  )
  found = weak_verifiers.values(
    _pool(answers, correct), score, (4, 8, 32), chains=chains, draws=20
  )
  assert set(found["revision_majority"]) == {4, 8}
  for question in range(6):
    for budget, starts in ((4, (0, 8, 12)), (8, (0,))):
      votes = [
        _looped_vote(
          owned[question, start : start + budget],
          right[question, start : start + budget],
        )
        for start in starts
      ]
      cell = found["revision_majority"][budget][question]
      # An answer of several chains is as right in each as in all of them.
      assert cell == pytest.approx(np.mean(votes))


def test_chains_are_of_the_pools_questions():
  answers, correct, score = _case(questions=6)
  chains = chains_store.Chains(
    answers=_pool(answers[:5], correct[:5]),
    lengths=(32,),
    context=np.zeros((5, 32), np.int32),
    read=np.zeros((5, 32), np.int32),
  )
  with pytest.raises(errors.InputError, match="5 questions, the pool 6"):
    weak_verifiers.values(
      _pool(answers, correct), score, (4,), chains=chains, draws=20
    )
