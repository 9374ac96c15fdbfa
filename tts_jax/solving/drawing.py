"""Running a plan: from questions to their solutions, and to their scores.

`draw` streams questions through the engine of a plan; `judge` scores what it
drew where no search has done that. Scores of the questions judged together
depend on those alone, so that a run that was killed ends the same.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from tts_jax import types
from tts_jax.decode import stream as decode_stream
from tts_jax.revise import rows
from tts_jax.revise import state as chain_state
from tts_jax.revise import stream as revise_stream
from tts_jax.scaling import plans
from tts_jax.search import results
from tts_jax.search import stream as search_stream
from tts_jax.solving import engines as engines_lib
from tts_jax.solving import spending
from tts_jax.verify import histories, prefixes, solutions

Request = decode_stream.Request


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Drawn:
  """What a plan drew for a question: A solutions.

  Attributes:
    request: the question.
    tokens: of each solution.
    finished: [A] bool, it has its end token.
    lengths: answers of each chain; a solution that is in none is one of its
      own.
    context: of each solution the turns of its chain that it was shown.
    score: [A] float64, the verifier's probability that it is right, 0 where it
      has no end; None before it was judged.
    spent: what it took.
    search: every round of the search, if there was one.
  """

  request: Request
  tokens: list[list[int]]
  finished: np.ndarray
  lengths: tuple[int, ...]
  context: list[list[int]]
  score: np.ndarray | None
  spent: spending.Spent
  search: results.SearchResult | None = None


def draw(
  plan: plans.Plan,
  requests: Iterable[Request],
  engines: engines_lib.Engines,
  purpose: str = "sample",
) -> Iterator[tuple[int, Drawn]]:
  """Runs a plan on every question, yielding each as it ends.

  Args:
    plan: what to run.
    requests: the questions.
    engines: that draw.
    purpose: of samples: "estimate" or "sample".

  Yields:
    (the question's place in the stream, what was drawn for it).

  Raises:
    InputError: the plan revises and there is no revision model; or as the
      engines.
  """
  match plan:
    case plans.Sampled():
      for sampled in engines.sample(plan.n, purpose)(requests):
        yield sampled.index, _sampled(sampled, engines.models)
    case plans.Revised():
      lengths = (plan.length,) * plan.chains
      for chained in engines.revise(lengths)(requests):
        yield chained.index, _chained(chained, lengths, engines)
    case plans.RevisedSearch():
      yield from _revised_search(plan, requests, engines)
    case _:
      for searched in engines.search(plan)(requests):
        yield searched.index, _searched(searched, plan, engines.models)


def judge(
  plan: plans.Plan, drawn: Sequence[Drawn], engines: engines_lib.Engines
) -> list[Drawn]:
  """Scores what is not yet scored.

  Args:
    plan: that drew.
    drawn: of questions that are judged together.
    engines: that score.
  """
  if all(one.score is not None for one in drawn):
    return list(drawn)
  score = (
    engines.score
    if isinstance(plan, plans.Sampled)
    else (engines.score_revised)
  )
  delimiters = engines.models.delimiters
  reviser, found = engines.models.reviser, []
  history = reviser is not None and reviser.verifier.reads_history
  for one in drawn:
    read = _readings(one, history)
    ends = {
      # A sample's score is that of its last step; an answer's its own.
      text: prefixes.step_ends(text[0], delimiters)
      if isinstance(plan, plans.Sampled)
      else text[1]
      for text, _ in read
    }
    found.append((read, ends))
  packed = [
    (
      one.request,
      one.request.tokens,
      [
        solutions.Solution(tokens=text[0], step_end=end)
        for text, end in ends.items()
      ],
    )
    for one, (_, ends) in zip(drawn, found, strict=True)
  ]
  judged = []
  for one, (read, ends), values in zip(
    drawn, found, score(packed), strict=True
  ):
    by_text = dict(zip(ends, values, strict=True))
    scores = np.zeros(len(one.tokens))
    for text, places in read:
      # The last scores that were read are those of the answers judged.
      scores[places] = by_text[text][-len(places) :]
    judged.append(dataclasses.replace(one, score=scores))
  return judged


_Text = tuple[tuple[int, ...], tuple[int, ...]]


def _readings(one: Drawn, history: bool) -> list[tuple[_Text, list[int]]]:
  """What is read: (tokens, index past each answer), and places judged by it."""
  found, start = [], 0
  for length in one.lengths:
    chain = [
      {
        "tokens": one.tokens[start + turn],
        "context": one.context[start + turn],
        "finished": bool(one.finished[start + turn]),
      }
      for turn in range(length)
    ]
    for reading in histories.of_chain(chain, history=history):
      places = [start + reading.turns[place] for place in reading.judged]
      found.append((histories.tokens(chain, reading), places))
    start += length
  return found


def _rows(candidates: types.Candidates) -> list[list[int]]:
  return [
    row[:length].tolist()
    for row, length in zip(candidates.tokens, candidates.length, strict=True)
  ]


def _sampled(result: decode_stream.Result, models: engines_lib.Models) -> Drawn:
  tokens, request = _rows(result.candidates), result.request
  generated, prefilled = sum(map(len, tokens)), len(request.tokens) - 1
  cost = types.Cost(
    generated=generated,
    pruned=0,
    lookahead=0,
    prefilled=prefilled,
    scored=(generated + prefilled) * models.verifier.reads_tokens,
  )
  count = len(tokens)
  return Drawn(
    request=request,
    tokens=tokens,
    finished=np.asarray(result.candidates.finished),
    lengths=(1,) * count,
    context=[[]] * count,
    score=None,
    spent=spending.count(
      models,
      cost,
      generations=count,
      prompt=len(request.tokens),
      lengths=[len(one) for one in tokens],
    ),
  )


def _searched(
  result: search_stream.Result, plan: Any, models: engines_lib.Models
) -> Drawn:
  found = result.search
  tokens = _rows(found.candidates)
  last = np.maximum(found.step_count, 1)[:, None] - 1
  score = np.take_along_axis(found.step_score, last, axis=1)[:, 0]
  return Drawn(
    request=result.request,
    tokens=tokens,
    finished=np.asarray(found.valid),
    lengths=(1,) * len(tokens),
    context=[[]] * len(tokens),
    score=np.where(found.valid, score, 0.0).astype(np.float64),
    spent=spending.count(
      models,
      found.cost,
      generations=plan.generations,
      prompt=len(result.request.tokens),
      lengths=[len(one) for one in tokens],
    ),
    search=found,
  )


def _chained(
  result: revise_stream.Result,
  lengths: tuple[int, ...],
  engines: engines_lib.Engines,
) -> Drawn:
  reviser, cfg = engines.models.reviser, engines.settings
  assert reviser is not None, "chains are of a revision model"
  tokens, finished = _rows(result.candidates), result.candidates.finished
  plan = chain_state.Plan(
    lengths=lengths, window=cfg.window, context_tokens=cfg.context_tokens
  )
  context: list[list[int]] = []
  seen: list[int] = []
  for start, length in zip(plan.starts, lengths, strict=True):
    mine = slice(start, start + length)
    sizes = [len(one) for one in tokens[mine]]
    shown = rows.shown(sizes, finished[mine].tolist(), plan)
    context += shown
    seen += [sum(sizes[turn] for turn in turns) for turns in shown]
  given = [bool(one) for one in getattr(result.request, "given", ())]
  # What was given is counted where it was drawn; a final without its end is no
  # answer to revise, so that the model has drawn another.
  own = np.ones(len(tokens), bool)
  own[np.asarray(plan.starts)[: len(given)]] = np.logical_not(given)
  return Drawn(
    request=result.request,
    tokens=tokens,
    finished=np.asarray(finished),
    lengths=lengths,
    context=context,
    score=None,
    spent=spending.count_chains(
      reviser,
      result.cost,
      generations=int(own.sum()),
      prompt=len(result.request.tokens),
      lengths=np.array([len(one) for one in tokens])[own],
      contexts=np.array(seen)[own],
    ),
  )


def _revised_search(
  plan: plans.RevisedSearch,
  requests: Iterable[Request],
  engines: engines_lib.Engines,
) -> Iterator[tuple[int, Drawn]]:
  """A search, whose finals are revised as they come."""
  reviser, most = engines.models.reviser, engines.settings.max_tokens
  lengths = (2,) * plan.search.rounds.n
  revise = engines.revise(lengths)
  assert reviser is not None, "`revise` refuses where there is none"
  begun: dict[int, tuple[int, Drawn]] = {}

  def found() -> Iterator[revise_stream.Request]:
    for place, (index, one) in enumerate(draw(plan.search, requests, engines)):
      begun[place] = index, one
      own = engines.models.tokenizer
      texts = [
        own.decode(tokens) if done else None
        for tokens, done in zip(one.tokens, one.finished, strict=True)
      ]
      yield revise_stream.Request(
        id=one.request.id,
        uid=one.request.uid,
        tokens=one.request.tokens,
        given=[
          revise_stream.given_answer(text, reviser.tokenizer, most)
          for text in texts
        ],
      )

  for result in revise(found()):
    index, first = begun.pop(result.index)
    chained = _chained(result, lengths, engines)
    yield (
      index,
      dataclasses.replace(
        chained, spent=first.spent + chained.spent, search=first.search
      ),
    )
