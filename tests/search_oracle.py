"""Search in plain lists, a question and a row at a time, from its definition.

Draws are those of `lineage.uniform`; the models are tables.
"""

import dataclasses

import decode_oracle
import jax
import jax.numpy as jnp
import numpy as np
import search_models

from tts_jax.decode import lineage
from tts_jax.tasks import automaton


@dataclasses.dataclass
class Row:
  lineage: int
  token: int  # read next
  total: float = 0.0  # the table verifier's, a float32
  tokens: list = dataclasses.field(default_factory=list)
  logprobs: list = dataclasses.field(default_factory=list)
  ends: list = dataclasses.field(default_factory=list)
  scores: list = dataclasses.field(default_factory=list)
  begun: int = 0
  alive: bool = True

  def copy(self, lineage):
    fields = {
      name: list(value) if isinstance(value, list) else value
      for name, value in vars(self).items()
    }
    return Row(**fields | {"lineage": lineage})


# Of more lineages and tokens than any search here has: compiled once.
LINEAGES, TOKENS = 256, 24


@jax.jit
def _uniforms(key, uid):
  over_tokens = jax.vmap(lineage.uniform, (None, None, None, 0))
  over_rows = jax.vmap(over_tokens, (None, None, 0, None))
  return over_rows(key, uid, jnp.arange(LINEAGES), jnp.arange(TOKENS))


_sigmoid = jax.jit(jax.nn.sigmoid)


class Search:
  """One question's search; `run` gives its rows and fills the records."""

  def __init__(self, setup, request, key):
    self.setup, self.rounds = setup, setup.rounds
    self.table = np.asarray(setup.lm.table, np.float64)
    self.entries = np.asarray(setup.verifier.table, np.float32)
    self.most, self.ends = setup.limits.max_tokens, setup.limits.end_tokens
    self.first, self.last = request.tokens[0], request.tokens[-1]
    self.uniforms = np.asarray(_uniforms(key, np.uint32(request.uid)))
    self.parents, self.scores, self.generated, self.ahead = [], [], 0, 0

  def over(self, tokens, tokens_in_step):
    """Whether the last of a text's tokens ends a step."""
    cut, delimiters = self.setup.step_tokens, self.setup.delimiters
    if isinstance(delimiters, automaton.Automaton):
      text, before = (
        b"".join(search_models.PIECES[token] for token in some)
        for some in (tokens, tokens[:-1])
      )
      delimiter = text.count(b"\n\n") > before.count(b"\n\n")
    else:
      delimiter = tokens[-1] in delimiters
    return delimiter or (cut is not None and tokens_in_step >= cut)

  def read(self, row, token, total):
    """The verifier's logit after `token`, and what it then holds."""
    total = np.float32(0.5) * np.float32(total) + self.entries[row, token]
    return self.entries[self.first, self.first] + total, total

  def done(self, row):
    return self.finished(row) or len(row.tokens) == self.most

  def finished(self, row):
    return bool(row.tokens) and row.tokens[-1] in self.ends

  def live(self, row):
    return row.alive and not self.done(row)

  def draw_step(self, row):
    while True:
      at = len(row.tokens)
      logits = self.table[row.token]
      token = decode_oracle.token_of(logits, self.uniforms[row.lineage, at])
      logit, row.total = self.read(row.token, token, row.total)
      row.logprobs.append(logits[token] - np.log(np.exp(logits).sum()))
      row.tokens.append(token)
      row.token = token
      self.generated += 1
      if self.done(row) or self.over(row.tokens, len(row.tokens) - row.begun):
        break
    if self.live(row) and self.rounds.depth:
      logit = self.look_ahead(row)
    row.ends.append(len(row.tokens))
    row.scores.append(np.float32(_sigmoid(np.float32(logit))))

  def look_ahead(self, row):
    token, total, count, in_step, steps = row.token, row.total, 0, 0, 0
    text = list(row.tokens)
    while True:
      following = int(self.table[token].argmax())
      logit, total = self.read(token, following, total)
      token, count, in_step = following, count + 1, in_step + 1
      self.ahead += 1
      text.append(token)
      if self.over(text, in_step):
        steps, in_step = steps + 1, 0
      full = len(row.tokens) + count == self.most
      if token in self.ends or full or steps == self.rounds.depth:
        return logit

  def run(self):
    n, rounds = self.rounds.n, self.rounds
    rows = [Row(lineage=i, token=self.last) for i in range(n)]
    self.paths = [set() for _ in rows]  # (round, row) of each one's steps
    self.drawn = {}
    for r in range(self.setup.max_rounds):
      for i, row in enumerate(rows):
        if self.live(row):
          row.begun = len(row.tokens)
          self.draw_step(row)
          self.drawn[r, i] = len(row.tokens) - row.begun
          self.paths[i].add((r, i))
      if r + 1 == self.setup.max_rounds or not any(map(self.live, rows)):
        break
      self.scores.append([row.scores[-1] for row in rows])
      parents = select(
        self.scores[-1],
        [row.alive for row in rows],
        [self.finished(row) for row in rows],
        [self.done(row) and not self.finished(row) for row in rows],
        trees=rounds.trees,
        width=rounds.width,
      )
      self.parents.append(parents)
      old, paths = rows, [set(path) for path in self.paths]
      rows = []
      for i, parent in enumerate(parents):
        if parent == i:
          rows.append(old[i])
        elif parent < 0:
          rows.append(dataclasses.replace(old[i], alive=False))
        else:
          rows.append(old[parent].copy(lineage=(r + 1) * n + i))
          self.paths[i] = set(paths[parent])
      if not any(map(self.live, rows)):
        break
    self.paths = [
      set(p) for p, row in zip(self.paths, rows, strict=True) if row.alive
    ]
    kept = set().union(*self.paths)
    self.pruned = self.generated - sum(self.drawn[node] for node in kept)
    return rows


def select(score, alive, finished, capped, *, trees, width):
  """The parent of each row, -1 for one left empty."""
  n = len(score)
  size = n // trees
  parents = [None] * n
  for tree in range(trees):
    rows = range(tree * size, (tree + 1) * size)
    live = [i for i in rows if alive[i] and not finished[i] and not capped[i]]
    held = [i for i in rows if alive[i]]

    def worth(i):
      unknown = bool(np.isnan(score[i]))
      return capped[i], unknown, 0.0 if unknown else -score[i]

    survivors = held
    if live:
      survivors = sorted(held, key=worth)[: size // width]
    heirs = [i for i in survivors if i in live]
    freed = 0
    for i in rows:
      if i in survivors:
        parents[i] = i
      elif heirs:
        parents[i] = heirs[freed % len(heirs)]
        freed += 1
      else:
        parents[i] = -1
  return parents
