"""Values of chains against plain loops over every choice of chains."""

import itertools

import jax
import numpy as np
import pytest

from tts_jax import errors
from tts_jax.scaling import revisions
from tts_jax.verify import choosing


def _chains(seed, questions=3, chains=4, length=3, groups=3):
  rng = np.random.default_rng(seed)
  answers = rng.integers(-1, groups, (questions, chains, length))
  right = rng.integers(0, groups, questions)
  correct = answers == right[:, None, None]
  score = rng.uniform(0.05, 1, answers.shape)
  return answers.astype(np.int32), correct, score


def _votes(answers, weights):
  total = {}
  for answer, weight in zip(answers, weights, strict=True):
    if answer >= 0:
      total[answer] = total.get(answer, 0) + weight
  return total


def _leaders(total):
  best = max(total.values(), default=0)
  return [answer for answer, votes in total.items() if votes >= best - 1e-9]


def _winner(answers, score):
  """(answer, score) that stands for a chain, None where it states none."""
  total = _votes(answers, score)
  if not total:
    return None
  places = [i for i, a in enumerate(answers) if a in _leaders(total)]
  best = max(places, key=lambda i: score[i])
  return answers[best], score[best]


def _expected(answers, correct, chains, choose):
  """The mean over all choices of p chains, question by question."""
  values = []
  for row, right in zip(answers, correct, strict=True):
    good = {int(a) for a in row[right]}
    picks = [
      choose(list(picked))
      for picked in itertools.combinations(range(len(row)), chains)
    ]
    values.append(
      np.mean(
        [
          sum(a in good for a in found(row)) / len(found(row))
          if found(row)
          else 0.0
          for found in picks
        ]
      )
    )
  return np.array(values)


@pytest.mark.parametrize("chains", [1, 2, 4])
@pytest.mark.parametrize("seed", range(3))
def test_values_are_means_over_all_choices(chains, seed):
  answers, correct, score = _chains(seed)
  for q in range(len(answers)):
    one = slice(q, q + 1)

    def majority(picked):
      return lambda row: _leaders(
        _votes(row[picked].ravel(), np.ones(row[picked].size))
      )

    def hierarchical(picked, score=score[q]):
      def choose(row):
        winners = [_winner(row[c], score[c]) for c in picked]
        winners = [winner for winner in winners if winner]
        return _leaders(_votes(*zip(*winners, strict=True))) if winners else []

      return choose

    def best(picked, score=score[q]):
      def choose(row):
        able = [
          (score[c, i], row[c, i])
          for c in picked
          for i in range(row.shape[1])
          if row[c, i] >= 0
        ]
        return [max(able)[1]] if able else []

      return choose

    mine = answers[one], correct[one]
    np.testing.assert_allclose(
      revisions.majority(*mine, chains, draws=4000),
      _expected(*mine, chains, majority),
      atol=0.04,
    )
    np.testing.assert_allclose(
      revisions.hierarchical(*mine, score[one], chains, draws=4000),
      _expected(*mine, chains, hierarchical),
      atol=0.04,
    )
    np.testing.assert_allclose(
      revisions.best_score(*mine, score[one], chains),
      _expected(*mine, chains, best),
      atol=1e-9,
    )


@pytest.mark.parametrize("seed", range(5))
def test_all_chains_choose_as_one_question_does(seed):
  answers, correct, score = _chains(seed)
  chosen = jax.vmap(choosing.hierarchical)(answers, score)
  np.testing.assert_allclose(
    (np.asarray(chosen) * correct).sum((1, 2)),
    revisions.hierarchical(answers, correct, score, 4),
    atol=1e-6,
  )
  winner = np.asarray(jax.vmap(choosing.chain_winners)(answers, score))
  votes = revisions.chain_votes(answers, correct, score)
  for q, c in np.ndindex(winner.shape):
    expected = _winner(answers[q, c], score[q, c])
    at = winner[q, c]
    if expected is None:
      assert (at, votes[0][q, c]) == (-1, -1)
    else:
      assert (answers[q, c, at], score[q, c, at]) == expected
      assert (votes[0][q, c], votes[2][q, c]) == expected
  assert (np.asarray(chosen).sum((1, 2)) <= 1 + 1e-6).all()


def test_chains_of_one_answer_are_best_of_n_weighted():
  answers, _, score = _chains(7, chains=9, length=1)
  chosen = jax.vmap(choosing.hierarchical)(answers, score)
  plain = jax.vmap(choosing.best_of_n_weighted)(answers[..., 0], score[..., 0])
  # Shares of one answer's solutions may part among them otherwise.
  np.testing.assert_allclose(chosen[..., 0], plain, atol=1e-6)


def test_nan_is_nobodys_score():
  answers, _, score = _chains(1)
  score[0, 0, 0], answers[0, 0, 0] = np.nan, 1
  chosen = np.asarray(jax.vmap(choosing.hierarchical)(answers, score))
  assert np.isnan(chosen[0]).all()
  assert not np.isnan(chosen[1:]).any()


@pytest.mark.parametrize("budgets", [(1,), (4,), (1, 2, 4, 8), (64,), (256,)])
def test_the_chains_hold_every_ratio_and_no_more(budgets):
  lengths = revisions.lengths(budgets)
  assert list(lengths) == sorted(lengths, reverse=True)
  for budget in budgets:
    for s in revisions.LENGTHS[budget]:
      assert sum(own >= s for own in lengths) >= budget // s
  for chain, own in enumerate(lengths):
    # One answer less, and some ratio would lack it.
    assert any(
      sum(other >= own for other in lengths[: chain + 1]) == budget // own
      or own in revisions.LENGTHS[budget]
      for budget in budgets
    )


def test_ratios_are_the_papers():
  cells = {
    n: [revisions.ratio(s, n // s) for s in sizes]
    for n, sizes in revisions.LENGTHS.items()
  }
  assert cells[8] == ["1:8", "1:2", "2:1", "8:1"]
  assert cells[64] == ["1:64", "1:16", "1:4", "1:1", "4:1", "16:1", "64:1"]
  assert cells[128][3] == "1:2"
  assert cells[256] == ["1:256", "1:16", "1:1", "16:1", "256:1"]


def test_bad_input():
  answers, correct, _ = _chains(0)
  with pytest.raises(errors.InputError, match="5 chains are wanted of 4"):
    revisions.majority(answers, correct, 5)
  with pytest.raises(errors.InputError, match="budget of 3"):
    revisions.lengths((3,))
