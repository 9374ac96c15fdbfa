"""One answer of many solutions, and how sure of it the verifier is.

`verify.choosing` shares a decision among answers that tie; who asks a question
wants one: that of the largest share. Of answers that tie the one with the
higher best score is taken, then the earlier one.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from tts_jax.scaling import plans
from tts_jax.verify import choosing

# Shares that are equal in truth differ by less.
_ROUNDING = 1e-5


@dataclasses.dataclass(frozen=True, kw_only=True)
class Answer:
  """What a question's solutions come to.

  Attributes:
    place: of the solution that stands for the answer: the highest-scoring one
      of those that state it and took part in the last vote.
    score: the verifier's probability that this solution is right. It was chosen
      for being high, so it is rather too high than too low.
    share: of the last vote that was for the answer, each solution weighted by
      its score, or in a majority counted.
  """

  place: int
  score: float
  share: float


def choose(
  plan: plans.Plan,
  question_id: str,
  answers: Sequence[str | None],
  score: np.ndarray,
  lengths: Sequence[int],
) -> Answer | None:
  """The answer of a question, as the plan chooses it.

  Args:
    plan: what drew the solutions.
    question_id: for messages.
    answers: A, in canonical form; None where a solution states none.
    score: [A] float, probabilities.
    lengths: answers of each chain; chains are of equal length.

  Returns:
    The answer; None where no solution states any.

  Raises:
    InputError: a score is NaN.
  """
  stated = np.array([one is not None for one in answers])
  choosing.check_scores([question_id], score[None], stated[None])
  if not stated.any():
    return None
  names: dict[str, int] = {}
  groups = np.array(
    [-1 if x is None else names.setdefault(x, len(names)) for x in answers],
    np.int32,
  )
  share, voting = _shares(plan, groups, score.astype(np.float32), lengths)
  weight = np.ones(len(groups)) if _counts(plan) else score
  decided = np.array([share[groups == g].sum() for g in range(len(names))])
  leading = np.flatnonzero(decided >= decided.max() - _ROUNDING)
  mine = voting & np.isin(groups, leading)
  place = int(np.where(mine, score, -np.inf).argmax())
  same = voting & (groups == groups[place])
  # Scores may all be 0: then a vote says nothing.
  total = float(weight[voting].sum())
  return Answer(
    place=place,
    score=float(score[place]),
    share=float(weight[same].sum()) / total if total else 0.0,
  )


def _counts(plan: plans.Plan) -> bool:
  return isinstance(plan, plans.Sampled) and plan.choice == "majority"


def _shares(
  plan: plans.Plan,
  groups: np.ndarray,
  score: np.ndarray,
  lengths: Sequence[int],
) -> tuple[np.ndarray, np.ndarray]:
  """Shares of the decision, and who took part in the last vote, both [A]."""
  if _counts(plan):
    return np.asarray(choosing.majority(groups)), groups >= 0
  if isinstance(plan, plans.Sampled) and plan.choice == "best_of_n":
    return np.asarray(choosing.best_of_n(groups, score)), groups >= 0
  if not isinstance(plan, plans.Revised | plans.RevisedSearch):
    return np.asarray(choosing.best_of_n_weighted(groups, score)), groups >= 0
  shape = len(lengths), lengths[0]
  chained = groups.reshape(shape), score.reshape(shape)
  winner = np.asarray(choosing.chain_winners(*chained))
  voting = np.zeros(shape, bool)
  some = winner >= 0
  voting[np.flatnonzero(some), winner[some]] = True
  share = np.asarray(choosing.hierarchical(*chained))
  return share.ravel(), voting.ravel()
