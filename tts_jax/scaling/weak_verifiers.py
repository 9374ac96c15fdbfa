"""What is left of the gain where the verifier is weak (paper, appendix K).

Four proposals of an answer from N samples, the weakest first: a vote; best-of-N
weighted by a reward model of which some scores are turned round; by the reward
model itself; and a vote over the answers of a revision model, which was taught
to mend answers and needs no verifier for it.
"""

from collections.abc import Sequence

import chex
import numpy as np

from tts_jax import errors
from tts_jax.scaling import choices, estimators, revision_summary, sweep
from tts_jax.store import chains as chains_store
from tts_jax.store import pool

# Of the scores, so many are turned round.
SHARE = 0.2

# What the reward model's own curve is called elsewhere.
_WEIGHTED = "best_of_n_weighted"

# Apart from what else is drawn for a question.
_STREAM = 0x77EA6


def turned(
  score: np.ndarray,
  uid: Sequence[int] | np.ndarray,
  *,
  share: float = SHARE,
  seed: int = 0,
) -> np.ndarray:
  """A share of the scores p replaced by 1 - p, each by a draw of its own.

  Whether a sample's score is turned depends on the seed, its question's uid and
  its place among the question's samples, and on nothing else: not on the other
  questions, nor on how many samples follow.

  Args:
    score: [Q, N] float, probabilities; NaN stays NaN.
    uid: [Q] int, of the questions.
    share: the chance of a score to be turned.
    seed: of the draws.

  Returns:
    [Q, N], as `score`.

  Raises:
    InputError: the share is outside [0, 1], or a score is no probability.
  """
  chex.assert_rank(score, 2)
  if not 0 <= share <= 1:
    raise errors.InputError(
      f"a share of {share} of the scores cannot be turned; it must be from 0"
      " to 1"
    )
  choices.check_probabilities(score[~np.isnan(score)])
  hit = np.zeros(score.shape, bool)
  for row, own in enumerate(uid):
    rng = np.random.default_rng([seed, _STREAM, int(own)])
    hit[row] = rng.random(score.shape[1]) < share
  return np.where(hit, 1 - score, score)


def values(
  samples: pool.Pool,
  score: np.ndarray,
  budgets: Sequence[int],
  *,
  chains: chains_store.Chains | None = None,
  known: sweep.Values | None = None,
  share: float = SHARE,
  seed: int = 0,
  draws: int = 1000,
) -> sweep.Values:
  """How right each is at each budget; `sweep.curves` makes curves of it.

  Args:
    samples: the base model's, [Q, N].
    score: [Q, N] float, the reward model's of the last step.
    budgets: each at most N.
    chains: of a revision model, on the same questions; at a budget, one chain
      of so many answers. Budgets longer than its chains are left out.
    known: `sweep.choice_values` of the same samples, where they are there.
    share: of the scores that are turned.
    seed: of the turning and of the random subsets.
    draws: random subsets for each question.

  Returns:
    {"majority", "turned", "prm", "revision_majority": {N: [Q] float64}}; the
    last one where there are chains.

  Raises:
    InputError: as `turned` and `choices.weighted_at_k`, or the chains are of
      other questions.
  """
  answers, correct = samples.answers, samples.correct
  weak = turned(score, samples.uid, share=share, seed=seed)
  weighing = {"turned": weak} if known else {"turned": weak, "prm": score}
  tables = (
    {}
    if known
    else {
      "majority": estimators.majority_at_k(
        answers, correct, budgets, seed=seed, draws=draws
      )
    }
  )
  for name, own in weighing.items():
    tables[name] = choices.weighted_at_k(
      answers, correct, own, budgets, seed=seed, draws=draws
    )
  found: sweep.Values = {
    name: {budget: table[:, i] for i, budget in enumerate(budgets)}
    for name, table in tables.items()
  }
  if known:
    for name, theirs in (("majority", "majority"), ("prm", _WEIGHTED)):
      found[name] = {budget: known[theirs][budget] for budget in budgets}
  if chains is not None:
    if chains.answers.question_ids != samples.question_ids:
      raise errors.InputError(
        f"the chains have {len(chains.answers.question_ids)} questions, the"
        f" pool {len(samples.question_ids)}; they must be the same, in one"
        " order"
      )
    vote = revision_summary.by_majority(chains, seed=seed)
    found["revision_majority"] = {
      budget: vote(budget, 1)
      for budget in budgets
      if budget <= max(chains.lengths)
    }
  return found
