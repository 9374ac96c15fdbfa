"""Search trees as data: what a trace says, node by node."""

import collections
import json
import types

import numpy as np
import pytest
import search_models
import search_trace

from tts_jax.decode import stream as decode_stream
from tts_jax.report import tree, tree_page
from tts_jax.search import strategies


def _hand_made(**changes):
  """Two rows; row 1 is cut for a second continuation of row 0."""
  values = {
    "rounds": 2,
    "parent": [[0, 1], [0, 0]],
    "end": [[2, 1], [3, 4]],
    "score": [[0.75, 0.25], [0.5, 0.25]],
    "kept": [[True, False], [True, True]],
    "exists": [[True, True], [True, True]],
    "finished": [[False, False], [True, True]],
    "tokens": [
      [[7, 8, 0, 0], [9, 0, 0, 0]],
      [[7, 8, 1, 0], [7, 8, 2, 3]],
    ],
  }
  trace = {name: np.array(value) for name, value in (values | changes).items()}
  return types.SimpleNamespace(**trace)


def _from(trace, answers=("x", "y"), scores=(0.5, 0.25), right="x"):
  return tree.from_search(
    trace,
    question="q",
    answer=right,
    method="m",
    width=2,
    answers=answers,
    scores=scores,
    decode=lambda tokens: " ".join(map(str, tokens)),
    cost={},
  )


def test_a_tree_worked_out_by_hand():
  made = _from(_hand_made())
  assert made.nodes == (
    tree.Node(0, 0, None, "7 8", 0.75, kept=True),
    tree.Node(0, 1, None, "9", 0.25, kept=False),
    tree.Node(1, 0, 0, "1", 0.5, kept=True, finished=True, vote=0),
    tree.Node(1, 1, 0, "2 3", 0.25, kept=True, finished=True, vote=1),
  )
  assert made.votes == (
    tree.Vote("x", 0.5, 2 / 3, 1, right=True, won=True),
    tree.Vote("y", 0.25, 1 / 3, 1, right=False, won=False),
  )


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("n", "width", "ends"), [(16, 4, 0.5), (8, 2, 0.8)])
def test_every_step_is_a_node_with_its_own_text(n, width, ends, seed):
  trace, rest, texts = search_trace.simulate(
    n=n, width=width, rounds=7, seed=seed, ends=ends, spare=2
  )
  made = search_trace.as_tree(trace, rest, width)
  assert {(node.round, node.row): node.text for node in made.nodes} == texts
  # The last round of a search may have found nobody left to take a step.
  assert made.rounds == 1 + max(r for r, _ in texts)
  for node in made.nodes:
    assert node.score == pytest.approx(trace.score[node.round, node.row])
    if node.round:
      before = made.nodes[node.parent]
      row = trace.parent[node.round, node.row]
      assert (before.round, before.row) == (node.round - 1, row)
      assert before.kept
      assert not before.finished
    else:
      assert node.parent is None
  # Every row that holds a candidate at the end is one final, and no other is.
  finals = sum(n.kept and (n.finished or n.capped) for n in made.nodes)
  assert finals == trace.kept[trace.rounds - 1].sum()
  stated = collections.Counter(a for a in rest["answers"] if a is not None)
  assert {v.answer: v.solutions for v in made.votes} == stated
  cast = collections.Counter(n.vote for n in made.nodes)
  assert all(cast[i] == v.solutions for i, v in enumerate(made.votes))


@pytest.mark.parametrize(
  "strategy",
  [
    strategies.Beam(8, 2),
    strategies.BestOfN(6),
    strategies.Lookahead(6, 3, 1),
    strategies.DiverseBeam(8, 2),
  ],
)
def test_the_trees_of_real_searches_are_their_finals_and_their_ledgers(
  strategy,
):
  made = search_models.make(strategy, max_tokens=14)
  requests = [decode_stream.Request(id="a", uid=3, tokens=(1, 2))]
  requests.append(decode_stream.Request(id="b", uid=9, tokens=(4, 5, 6)))
  batch = search_models.search(made, requests)[0]
  for question in range(2):
    found = search_models.at(batch, question)
    n = len(found.valid)
    grown = tree.from_search(
      found.trace,
      question="q",
      answer="5",
      method="m",
      width=made.rounds.width,
      answers=[str(tokens.sum()) for tokens in found.candidates.tokens],
      scores=np.full(n, 0.5),
      decode=lambda tokens: "".join(f"{token} " for token in tokens),
      cost={},
    )
    whole = []
    for node in grown.nodes:
      if not node.kept or not (node.finished or node.capped):
        continue
      steps = [node]
      while steps[0].parent is not None:
        steps.insert(0, grown.nodes[steps[0].parent])
      text = "".join(step.text for step in steps)
      whole.append((text, tuple(step.score for step in steps)))
    lengths, counts = found.candidates.length, found.step_count
    expected = [
      (
        "".join(f"{t} " for t in found.candidates.tokens[i, : lengths[i]]),
        tuple(found.step_score[i, : counts[i]].tolist()),
      )
      for i in range(n)
      if lengths[i]
    ]
    if not made.rounds.depth:
      assert sorted(whole) == sorted(expected)
    assert sorted(text for text, _ in whole) == sorted(t for t, _ in expected)
    votes = sum(vote.solutions for vote in grown.votes)
    assert votes == found.valid.sum()
    drawn = sum(len(node.text.split()) for node in grown.nodes)
    assert drawn == found.cost.generated


def test_a_solution_that_waits_stands_once_and_may_still_be_cut():
  ended = {
    "rounds": 3,
    "parent": [[0, 1], [0, 1], [0, 0]],
    "end": [[2, 1], [3, 1], [4, 4]],
    "score": np.full((3, 2), 0.5),
    "exists": [[True, True], [True, False], [True, True]],
    "finished": [[False, True], [False, True], [True, True]],
    "tokens": np.arange(24).reshape(3, 2, 4),
  }
  waits = _from(
    _hand_made(
      **ended
      | {
        "parent": [[0, 1], [0, 1], [0, 1]],
        "exists": [[True, True], [True, False], [True, False]],
        "kept": np.ones((3, 2), bool),
      }
    )
  )
  assert [(n.round, n.row, n.vote) for n in waits.nodes] == [
    (0, 0, None),
    (0, 1, 1),
    (1, 0, None),
    (2, 0, 0),
  ]
  assert all(node.kept for node in waits.nodes)
  # In the second round its place goes to a continuation of the other.
  kept = [[True, True], [True, False], [True, True]]
  cut = _from(_hand_made(**ended, kept=kept))
  loser = cut.nodes[1]
  assert (loser.finished, loser.kept, loser.vote) == (True, False, None)
  assert [n.vote for n in cut.nodes if n.round == 2] == [0, 1]


def test_a_solution_stopped_at_a_limit_has_no_vote():
  finished = [[False, False], [True, False]]
  made = _from(_hand_made(finished=finished), answers=("x", "y"))
  assert [vote.answer for vote in made.votes] == ["x"]
  assert [node.capped for node in made.nodes] == [False, False, False, True]
  assert made.nodes[3].kept
  assert made.nodes[3].vote is None


def test_no_finished_solution_is_a_tree_without_votes():
  made = search_trace.grow(n=4, width=2, rounds=3, ends=0)
  assert made.votes == ()
  assert sum(node.capped for node in made.nodes) == 4
  page = tree_page.render([made], title="t")
  assert "No solution states an answer" in page
  assert "4 solutions hit a limit" in page


def test_equal_weights_share_the_win():
  made = _from(_hand_made(), scores=(0.1 + 0.2, 0.3))
  assert [vote.won for vote in made.votes] == [True, True]
  assert "tied between" in tree_page.render([made], title="t")
  assert "tied" not in tree_page.render([_from(_hand_made())], title="t")
  same = _from(_hand_made(), answers=("y", "y"))
  assert same.votes == (tree.Vote("y", 0.75, 1.0, 2, right=False, won=True),)


@pytest.mark.parametrize(
  ("changes", "options", "message"),
  [
    ({"parent": [[0, 1], [0, -1]]}, {}, "round 1, row 1"),
    (
      {"exists": [[True, False], [True, True]], "parent": [[0, -1], [0, 1]]},
      {},
      "row 1, took no step",
    ),
    ({}, {"scores": (0.5, np.nan)}, "row 1 votes for y with score nan"),
    ({}, {"answers": ("x",)}, "1 answers, 2 scores, 2 rows"),
  ],
)
def test_a_broken_trace_is_refused(changes, options, message):
  with pytest.raises(ValueError, match=message):
    _from(_hand_made(**changes), **options)


def test_nodes_must_hang_together():
  made = _from(_hand_made())
  values = made.to_json()
  for index, changes in (
    (2, {"parent": 3}),
    (2, {"parent": None}),
    (3, {"parent": 2}),
    (0, {"parent": -1}),
    (2, {"vote": 2}),
  ):
    nodes = [dict(one) for one in values["nodes"]]
    nodes[index] |= changes
    with pytest.raises(ValueError, match=f"node {index}: "):
      tree.from_json(values | {"nodes": nodes})


def test_json_brings_the_same_tree_back():
  made = search_trace.grow(n=8, width=2, rounds=5)
  values = json.loads(json.dumps(made.to_json(), allow_nan=False))
  assert tree.from_json(values) == made
  silent = _from(_hand_made(score=np.full((2, 2), np.nan)))
  assert {node.score for node in silent.nodes} == {None}
  json.dumps(silent.to_json(), allow_nan=False)
