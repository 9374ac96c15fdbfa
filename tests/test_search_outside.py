"""Search by a verifier of text finds what one inside the loop finds."""

import dataclasses

import decode_oracle
import jax
import numpy as np
import pytest
import search_models
import tiny_prm

from tts_jax import errors
from tts_jax.search import outside, strategies
from tts_jax.verify import incremental, published

REQUESTS = [
  dataclasses.replace(one, text=" ".join(map(str, one.tokens)))
  for one in decode_oracle.requests(6, search_models.VOCABULARY)
]


def _text(tokens):
  return "".join(f"{token} " for token in tokens)


class _TableReader:
  """`table.TableVerifier` in plain loops, of text."""

  def __init__(self, groups, rows):
    self.read = np.zeros(groups, np.int64)
    self.question = [None] * groups
    self.seen = [[[] for _ in range(rows)] for _ in range(groups)]

  def begin(self, group, question):
    self.question[group] = list(map(int, question.split()))
    self.read[group] = len(self.question[group])
    self.seen[group] = [[] for _ in self.seen[group]]

  def follow(self, parents):
    for group, mine in parents.items():
      assert all(mine[parent] == parent for parent in mine)
      self.seen[group] = [self.seen[group][parent] for parent in mine]

  def score(self, asked):
    found = {}
    for (group, row), steps in asked.items():
      # The beams were followed: what is known is what the text begins with,
      # but for what was only looked ahead.
      known = self.seen[group][row]
      same = next(
        (
          i
          for i, (a, b) in enumerate(zip(known, steps, strict=False))
          if a != b
        ),
        min(len(known), len(steps)),
      )
      self.read[group] += sum(len(step.split()) for step in steps[same:])
      self.seen[group][row] = list(steps)
      prompt = self.question[group]
      table = search_models.ENTRIES
      token, total, scores = prompt[-1], 0.0, []
      for step in steps:
        for drawn in map(int, step.split()):
          total = 0.5 * total + table[token, drawn]
          token = drawn
        logit = table[prompt[0], prompt[0]] + total
        scores.append(1 / (1 + np.exp(-logit)))
      found[group, row] = np.array(scores, np.float32)
    return found


def _run(setup, reader, *, groups=2, steps=16, requests=REQUESTS):
  search = outside.make(
    search_models.weights(setup).lm,
    setup,
    reader,
    decode=_text,
    rows=groups * setup.rounds.n,
    prompt_tokens=8,
    steps=steps,
    compiler=jax.jit,
  )
  return {r.request.id: r for r in search(search_models.KEY)(requests)}


STRATEGIES = [
  strategies.BestOfN(5),
  strategies.Beam(8, 4),
  strategies.Beam(6, 1),
  strategies.DiverseBeam(8, 2),
  strategies.Lookahead(8, 4, 1),
  strategies.Lookahead(6, 2, 3),
]


@pytest.mark.parametrize(
  "strategy",
  STRATEGIES,
  ids=[f"{i}-{type(s).__name__}" for i, s in enumerate(STRATEGIES)],
)
@pytest.mark.parametrize(("groups", "steps"), [(2, 16), (3, 2)])
def test_it_finds_what_a_verifier_inside_finds(strategy, groups, steps):
  inside = search_models.make(strategy, trace=False)
  want = search_models.search(inside, REQUESTS)[0]
  setup = search_models.make(strategy, verifier=outside.Unread(), trace=False)
  rows = strategy.rounds.n
  found = _run(
    setup,
    lambda groups: _TableReader(groups, rows),
    groups=groups,
    steps=steps,
  )
  for q, request in enumerate(REQUESTS):
    got, right = found[request.id].search, search_models.at(want, q)
    search_models.assert_same(got.candidates, right.candidates)
    search_models.assert_same(got.step_end, right.step_end)
    search_models.assert_same(got.step_count, right.step_count)
    np.testing.assert_allclose(got.step_score, right.step_score, atol=1e-5)
    for name in ("generated", "pruned", "lookahead", "prefilled"):
      assert getattr(got.cost, name) == getattr(right.cost, name)
    # Each token once: of a step that is in several rows, in one of them.
    spent = got.cost.generated + got.cost.lookahead + len(request.tokens)
    assert got.cost.scored <= spent


@pytest.mark.parametrize("format", tiny_prm.FORMATS)
def test_published_verifiers_read_each_token_about_once(tmp_path, format):
  tiny_prm.save(tmp_path, format)
  prm = published.load(tmp_path, format)
  setup = search_models.make(
    strategies.Beam(8, 4), verifier=outside.Unread(), trace=False, max_tokens=30
  )
  asked = []

  class Reader(incremental.Reader):
    def score(self, asked_):
      found = super().score(asked_)
      asked.extend(
        (self._question[group], steps, found[group, row])
        for (group, row), steps in asked_.items()
      )
      return found

  found = _run(
    setup,
    lambda groups: Reader(
      prm,
      groups=groups,
      rows=8,
      prompt_tokens=128,
      row_tokens=512,
      compiler=jax.jit,
    ),
  )
  for question, steps, scores in asked[::40]:
    want, _ = published.score(prm, question, list(steps))
    np.testing.assert_allclose(scores, want, atol=1e-4)
  assert any(result.search.valid.any() for result in found.values())
  assert all(result.search.cost.scored > 0 for result in found.values())


def test_a_prompt_that_the_verifier_has_no_room_for(tmp_path):
  tiny_prm.save(tmp_path, "skywork")
  prm = published.load(tmp_path, "skywork")
  setup = search_models.make(strategies.Beam(2, 2), verifier=outside.Unread())

  def reader(groups):
    return incremental.Reader(
      prm,
      groups=groups,
      rows=2,
      prompt_tokens=2,
      row_tokens=64,
      compiler=jax.jit,
    )

  with pytest.raises(errors.InputError, match="prompt_tokens is 2"):
    _run(setup, reader)
