"""Makes the trace of a beam search over invented steps, in plain loops."""

import types

import numpy as np

from tts_jax.report import tree

QUESTION = (
  "Dax went to their greenhouse to pick some raspberries and found half as many"
  " ladybugs as grasshoppers in the plot. If there were 82 grasshoppers,"
  " calculate the total number of insects in the plot."
)
_FIRST = (
  "If there were 82 grasshoppers, the total number of ladybugs in the plot is"
  " half * 82 grasshoppers = {} ladybugs\n",
  "There are 82 grasshoppers and half as many ladybugs: 82 / 2 = {}\n",
  "The number of ladybugs is {}\n",
)
_MIDDLE = (
  "The total number of insects in the plot is {} ladybugs + 82 grasshoppers ="
  " {} insects\n",
  "Dax picks raspberries, which are no insects, so {} + 82 = {}\n",
)


def simulate(*, n, width, rounds, seed=0, ends=0.6, spare=0):
  """One question's search, as `search.results.Trace` describes it.

  Args:
    n: N.
    width: M.
    rounds: most rounds; what has no end by then was stopped at the limit.
    seed: of everything.
    ends: chance that a step from the third round on ends its solution.
    spare: rounds that the arrays have room for beyond, filled with rubbish.

  Returns:
    The trace, the other arguments of `tree.from_search` that belong to it, and
    the text of each step by (round, row).
  """
  rng = np.random.default_rng(seed)
  shape, room = (rounds + spare, n), 130 * rounds
  trace = types.SimpleNamespace(
    parent=rng.integers(-1, n, shape).astype(np.int32),
    end=rng.integers(0, room, shape).astype(np.int32),
    score=rng.random(shape).astype(np.float32),
    kept=rng.random(shape) < 0.5,
    exists=rng.random(shape) < 0.5,
    finished=rng.random(shape) < 0.5,
    tokens=rng.integers(0, 99, (*shape, room)).astype(np.int32),
  )
  rows = [{"text": "", "done": False, "score": 0.5} for _ in range(n)]
  source, texts = list(range(n)), {}
  for r in range(rounds):
    rows = [dict(rows[s]) if s >= 0 else None for s in source]
    for row, one in enumerate(rows):
      trace.parent[r, row] = source[row]
      draws = one is not None and not one["done"]
      if draws:
        texts[r, row], one["done"] = _step(rng, r, ends)
        one["text"] += texts[r, row]
        hope = 8 * one["score"]
        one["score"] = rng.beta(hope + 1, 9 - hope)
      trace.exists[r, row] = draws
      trace.finished[r, row] = one is not None and one["done"]
      trace.score[r, row] = one["score"] if one else 0
      text = one["text"] if one else ""
      trace.end[r, row] = len(text)
      trace.tokens[r, row, : len(text)] = [ord(c) for c in text]
    held = [k for k in range(n) if rows[k]]
    over = r == rounds - 1 or all(rows[k]["done"] for k in held)
    best = sorted(held, key=lambda k: -rows[k]["score"])[: n // width]
    trace.kept[r] = [k in (held if over else best) for k in range(n)]
    trace.rounds = r + 1
    if over:
      break
    heirs = [k for k in best if not rows[k]["done"]]
    freed = [k for k in range(n) if k not in best]
    source = list(range(n))
    for place, row in enumerate(freed):
      source[row] = heirs[place % len(heirs)] if heirs else -1
  answers = [
    one["text"].split("#### ")[1] if one and one["done"] else None
    for one in rows
  ]
  rest = {
    "answers": answers,
    "scores": trace.score[trace.rounds - 1].astype(float),
    "decode": lambda tokens: "".join(chr(token) for token in tokens),
  }
  return trace, rest, texts


def grow(**options):
  """The tree of `simulate(**options)`."""
  trace, rest, _ = simulate(**options)
  return as_tree(trace, rest, options["width"])


def as_tree(trace, rest, width):
  """The tree of what `simulate` gives."""
  return tree.from_search(
    trace,
    question=QUESTION,
    answer="123",
    method="Beam search",
    width=width,
    cost={"generated": 400, "pruned": 100},
    **rest,
  )


def _step(rng, r, ends):
  if r == 0:
    return str(rng.choice(_FIRST)).format(rng.choice([41, 41, 42, 164])), False
  if r < 2 or rng.random() >= ends:
    result = rng.choice([123, 123, 124, 246])
    return str(rng.choice(_MIDDLE)).format(41, result), False
  other = rng.choice(["124", "246", "41", "1/2"])
  return f"#### {123 if rng.random() < 0.5 else other}", True
