"""A search tree as plain data: every step, what became of it, and the vote.

Nodes are steps, not solutions: the steps that several candidates share stand
once. `tree_page` draws it.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import chex
import numpy as np

from tts_jax.search import results

# Sums of N float32 that are equal in truth differ by less than this share.
_ROUNDING = 1e-5


@dataclasses.dataclass(frozen=True)
class Node:
  """One step of one candidate.

  Attributes:
    round: from 0.
    row: the candidate's place among the N.
    parent: index of the step before it among the tree's nodes; None in round 0.
    text: the step alone, its delimiter with it.
    score: the verifier's, 0 to 1; None where it gave none.
    kept: the search went on from it, or it ends a final solution: one of those
      that remain when the search is over.
    finished: the solution ended with it, by the end token.
    capped: it ends a final solution that has no end: one stopped at a limit.
    vote: index among the tree's votes of the one that it counts for, if any.
  """

  round: int
  row: int
  parent: int | None
  text: str
  score: float | None
  kept: bool
  finished: bool = False
  capped: bool = False
  vote: int | None = None


@dataclasses.dataclass(frozen=True)
class Vote:
  """One answer of the final solutions.

  Attributes:
    answer: in canonical form.
    weight: sum of the scores of the solutions that state it.
    share: its part of all weight, 0 to 1.
    solutions: how many state it.
    right: it is the right answer; None where nobody knows that.
    won: it was chosen, alone or with others of the same weight.
  """

  answer: str
  weight: float
  share: float
  solutions: int
  right: bool | None
  won: bool


@dataclasses.dataclass(frozen=True)
class Tree:
  """One question's search.

  Attributes:
    question: its text.
    answer: the right one; None where nobody knows it.
    method: the search in words, such as "Beam search".
    n: N, candidates in play at once.
    width: M, continuations of a kept step; N / M are kept.
    nodes: those of a round together, rounds in order.
    votes: the heaviest first; empty when no solution states an answer.
    cost: amounts by name, such as the entries of `types.Cost`.
  """

  question: str
  answer: str | None
  method: str
  n: int
  width: int
  nodes: tuple[Node, ...]
  votes: tuple[Vote, ...]
  cost: Mapping[str, float]

  def __post_init__(self) -> None:
    for index, node in enumerate(self.nodes):
      before = -1 if node.parent is None else node.parent
      of_before = 0 <= before < index and self.nodes[before].round + 1
      if of_before != node.round or (before < 0 and node.parent is not None):
        raise ValueError(
          f"node {index}: its parent, {node.parent}, is not of the round before"
        )
      if node.vote is not None and not 0 <= node.vote < len(self.votes):
        raise ValueError(f"node {index}: there is no vote {node.vote}")

  @property
  def rounds(self) -> int:
    """How many rounds there were."""
    return max((node.round + 1 for node in self.nodes), default=0)

  def to_json(self) -> dict[str, Any]:
    """Itself as JSON values; `from_json` reads them."""
    return dataclasses.asdict(self)


def from_json(values: Mapping[str, Any]) -> Tree:
  """The tree that `Tree.to_json` made `values` of."""
  nodes = tuple(Node(**one) for one in values["nodes"])
  votes = tuple(Vote(**one) for one in values["votes"])
  return Tree(**{**values, "nodes": nodes, "votes": votes})


def from_search(
  trace: results.Trace,
  *,
  question: str,
  answer: str | None,
  method: str,
  width: int,
  answers: Sequence[str | None],
  scores: Sequence[float] | np.ndarray,
  decode: Callable[[Sequence[int]], str],
  cost: Mapping[str, float],
) -> Tree:
  """Makes the tree of one question's search.

  A solution that has ended competes with the others and may be cut in a later
  round than its last. It stands once, in the round of its last step, as cut.

  Args:
    trace: of one question, without the axis Q; R and N are its others.
    question: its text.
    answer: the right one, in canonical form; None where nobody knows it.
    method: the search in words.
    width: M.
    answers: [N], of the final solutions, in canonical form; None for none. Only
      those of finished solutions count.
    scores: [N], of the final solutions, as the vote weighs them.
    decode: text of a list of tokens.
    cost: amounts by name.

  Returns:
    The tree. Weights that are equal share the win, as in `verify.choosing`.

  Raises:
    ValueError: a step goes on from a row that holds nothing, or a score that
      votes is not finite.
  """
  rounds = int(trace.rounds)
  parent, end, score, kept, exists, finished, tokens = (
    np.asarray(field)[:rounds]
    for field in (
      trace.parent,
      trace.end,
      trace.score,
      trace.kept,
      trace.exists,
      trace.finished,
      trace.tokens,
    )
  )
  chex.assert_equal_shape([parent, end, score, kept, exists, finished])
  n = parent.shape[1]
  if len(answers) != n or len(scores) != n:
    raise ValueError(f"{len(answers)} answers, {len(scores)} scores, {n} rows")
  held = _held(parent, exists)  # [R, N]
  # The row in which each final stands, by its last node.
  final = {
    int(held[-1, row]): int(row)
    for row in (np.flatnonzero(kept[-1]) if rounds else ())
    if held[-1, row] >= 0
  }
  stated: list[str | None] = [None] * n
  nodes: list[Node] = []
  for r in range(rounds):
    for row in np.flatnonzero(exists[r]):
      last = final.get(len(nodes))
      ended = bool(finished[r, row])
      if last is not None and ended:
        stated[last] = answers[last]
      source = parent[r, row]
      start = int(end[r - 1, source]) if r else 0
      nodes.append(
        Node(
          round=r,
          row=int(row),
          parent=int(held[r - 1, source]) if r else None,
          text=decode(tokens[r, row, start : end[r, row]].tolist()),
          score=float(score[r, row]) if np.isfinite(score[r, row]) else None,
          kept=last is not None or (bool(kept[r, row]) and not ended),
          finished=ended,
          capped=last is not None and not ended,
        )
      )
  votes = _vote(stated, scores, answer)
  ranks = {vote.answer: rank for rank, vote in enumerate(votes)}
  for index, place in final.items():
    mine = stated[place]
    if mine is not None:
      nodes[index] = dataclasses.replace(nodes[index], vote=ranks[mine])
  return Tree(
    question=question,
    answer=answer,
    method=method,
    n=n,
    width=width,
    nodes=tuple(nodes),
    votes=votes,
    cost=dict(cost),
  )


def _held(parent: np.ndarray, exists: np.ndarray) -> np.ndarray:
  """[R, N], index of the node that a row holds after a round; -1 for none."""
  held = np.full(parent.shape, -1)
  count = 0
  for r, row in np.ndindex(*parent.shape):
    source = parent[r, row]
    before = held[r - 1, source] if r and source >= 0 else -1
    if not exists[r, row]:
      held[r, row] = before
      continue
    if r and (before < 0 or not exists[r - 1, source]):
      raise ValueError(
        f"round {r}, row {row}: its parent, row {source}, took no step before"
      )
    held[r, row] = count
    count += 1
  return held


def _vote(
  answers: Sequence[str | None],
  scores: Sequence[float] | np.ndarray,
  right: str | None,
) -> tuple[Vote, ...]:
  weights: dict[str, float] = {}
  solutions: dict[str, int] = {}
  for row, (answer, score) in enumerate(zip(answers, scores, strict=True)):
    if answer is None:
      continue
    if not np.isfinite(score):
      raise ValueError(f"row {row} votes for {answer} with score {score}")
    weights[answer] = weights.get(answer, 0.0) + float(score)
    solutions[answer] = solutions.get(answer, 0) + 1
  total, most = sum(weights.values()), max(weights.values(), default=0.0)
  return tuple(
    Vote(
      answer=answer,
      weight=weights[answer],
      share=weights[answer] / total if total else 0.0,
      solutions=solutions[answer],
      right=None if right is None else answer == right,
      won=weights[answer] >= most * (1 - _ROUNDING),
    )
    for answer in sorted(weights, key=lambda answer: -weights[answer])
  )
