"""Own chains as trajectories, and what is read of chains."""

import collections

import numpy as np
import pyarrow as pa
import pytest

from tts_jax import errors
from tts_jax.revise import own, rows
from tts_jax.revise import state as states
from tts_jax.store import chains as store
from tts_jax.store import run
from tts_jax.store import trajectories as trajectory_store
from tts_jax.verify import histories

_CUT = "cut"


def _chain(verdicts, *, question="q", chain=0, window=4):
  """Rows of a chain; answer `i` is the tokens [i, 9], or [i] where cut."""
  finished = [verdict != _CUT for verdict in verdicts]
  plan = states.Plan(
    lengths=(len(verdicts),), window=window, context_tokens=100
  )
  contexts = rows.shown([2] * len(verdicts), finished, plan)
  return [
    {
      "question_id": question,
      "uid": 5,
      "prompt": [7, 8],
      "sample": len(verdicts) * chain + turn,
      "chain": chain,
      "turn": turn,
      "context": contexts[turn],
      "tokens": [turn, 9] if finished[turn] else [turn],
      "verdict": "ungradable" if verdict == _CUT else verdict,
      "finished": finished[turn],
    }
    for turn, verdict in enumerate(verdicts)
  ]


def test_a_trajectory_ends_at_the_first_right_answer():
  chain = _chain(["wrong", _CUT, "wrong", "correct", "correct"])
  made = own.up_to_first_right(chain)
  assert made["context"] == [[0, 9], [2, 9]]
  assert made["context_samples"] == [0, 2]
  assert (made["target"], made["target_sample"]) == ([3, 9], 3)
  assert own.up_to_first_right(_chain(["correct"]))["context"] == []
  # The sixth answer comes too late.
  assert own.up_to_first_right(_chain(["wrong"] * 5 + ["correct"])) is None
  assert own.up_to_first_right(chain, most=3) is None


def test_a_natural_trajectory_ends_at_the_last_right_answer():
  chain = _chain(["wrong", "correct", _CUT, "wrong", "correct", "wrong"])
  made = own.up_to_last_right(chain)
  assert made["context"] == [[0, 9], [1, 9], [3, 9]]
  assert made["context_correct"] == [False, True, False]
  assert (made["target"], made["target_sample"]) == ([4, 9], 4)
  assert own.up_to_last_right(chain, most=4)["target_sample"] == 1
  assert own.up_to_last_right(_chain(["wrong"])) is None


def test_lengths_are_balanced():
  lengths = [0] * 50 + [1] * 20 + [2] * 7
  chosen = own.balanced(lengths, seed=0)
  assert collections.Counter(lengths[i] for i in chosen) == {0: 7, 1: 7, 2: 7}
  assert list(chosen) == sorted(set(chosen))
  assert (chosen == own.balanced(lengths, seed=0)).all()
  assert (chosen != own.balanced(lengths, seed=1)).any()
  assert len(own.balanced([], seed=0)) == 0


def _table(chains):
  return pa.Table.from_pylist([row for chain in chains for row in chain])


def test_own_trajectories_as_a_stage(tmp_path):
  ends = (["correct"], ["wrong", "correct"], ["wrong"], ["correct"])
  chains = [
    _chain(verdicts, question=f"q{i}") for i, verdicts in enumerate(ends)
  ]
  drawn = _table(chains)
  with run.Run.open(tmp_path, {"seed": 0}) as folder:
    stage = folder.stage(
      trajectory_store.STAGE, trajectory_store.SCHEMA, "inputs"
    )
    assert list(own.fill(stage, drawn, batch=3, seed=0)) == [1, 0]
    assert list(own.fill(stage, drawn, batch=3, seed=0)) == []
    folder.write_json(trajectory_store.SUMMARY, own.count(drawn))
  found = trajectory_store.load_trajectories(tmp_path)
  assert sorted(len(one.context) for one in found) == [0, 1]
  assert own.count(drawn) == {
    "questions": 4,
    "chains": 4,
    "of_1": 2,
    "of_2": 1,
    "without_correct": 1,
  }
  with run.Run.open(tmp_path / "natural", {}) as folder:
    stage = folder.stage("t", trajectory_store.SCHEMA, "inputs")
    assert list(own.fill(stage, drawn, batch=3, seed=0, natural=True)) == [1, 0]
    # None is left out to make lengths even.
    ids = stage.read()["question_id"].to_pylist()
    assert ids == ["q0", "q1", "q3"]
  hopeless = _table([_chain(["wrong"])])
  with run.Run.open(tmp_path / "none", {}) as folder:
    stage = folder.stage("t", trajectory_store.SCHEMA, "inputs")
    with pytest.raises(errors.InputError, match="no chain has a right answer"):
      list(own.fill(stage, hopeless, batch=1, seed=0))


def test_a_growing_chain_is_read_in_one_go():
  chain = _chain(["wrong", "correct", _CUT, "wrong", "wrong", "correct"])
  found = histories.of_chain(chain, history=True)
  # The third is cut, the last one's context has lost nothing yet.
  assert found == [histories.Reading((0, 1, 3, 4, 5), (0, 1, 2, 3, 4))]
  read, ends = histories.tokens(chain, found[0])
  assert read == (0, 9, 1, 9, 3, 9, 4, 9, 5, 9)
  assert ends == (2, 4, 6, 8, 10)
  alone = histories.of_chain(chain, history=False)
  assert [one.turns for one in alone] == [(0,), (1,), (3,), (4,), (5,)]


def test_where_the_window_moves_the_context_is_read_anew():
  chain = _chain(["wrong"] * 5, window=2)
  assert histories.of_chain(chain, history=True) == [
    histories.Reading((0, 1, 2), (0, 1, 2)),
    histories.Reading((1, 2, 3), (2,)),
    histories.Reading((2, 3, 4), (2,)),
  ]


@pytest.mark.parametrize("history", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_each_whole_answer_is_judged_once_behind_its_context(seed, history):
  rng = np.random.default_rng(seed)
  verdicts = rng.choice(["wrong", "correct", _CUT], 12).tolist()
  chain = _chain(verdicts, window=3)
  judged = {}
  for reading in histories.of_chain(chain, history=history):
    for place in reading.judged:
      assert reading.turns[place] not in judged
      judged[reading.turns[place]] = list(reading.turns[:place])
  whole = [turn for turn, verdict in enumerate(verdicts) if verdict != _CUT]
  assert sorted(judged) == whole
  for turn, seen in judged.items():
    assert seen == (chain[turn]["context"] if history else [])


def test_chains_are_labels_for_a_verifier(tmp_path):
  chains = [
    _chain(["wrong", "correct"], chain=0),
    _chain(["correct", _CUT], chain=1),
  ]
  full = [
    {
      **row,
      "text": "",
      "logprobs": [0.0] * len(row["tokens"]),
      "logprob": 0.0,
      "step_min_logprob": [],
      "answer": None,
      "read": 0,
    }
    for chain in chains
    for row in chain
  ]
  with run.Run.open(tmp_path, {}) as folder:
    stage = folder.stage(store.STAGE, store.SCHEMA, "inputs")
    stage.write(0, pa.Table.from_pylist(full, store.SCHEMA))
    with pytest.raises(errors.InputError, match="not all chains are there"):
      histories.load(tmp_path, history=True)
    folder.write_json(store.SUMMARY, {})
  (question,) = histories.load(tmp_path, history=True)
  assert question.prompt.tolist() == [7, 8]
  first, second = question.solutions
  assert first.tokens.tolist() == [0, 9, 1, 9]
  assert first.labels.tolist() == [0, 1]
  assert (second.tokens.tolist(), second.labels.tolist()) == ([0, 9], [1])
  (question,) = histories.load(tmp_path, history=False)
  assert [one.labels.tolist() for one in question.solutions] == [[0], [1], [1]]
  loaded = store.load_chains(tmp_path)
  assert loaded.lengths == (2, 2)
  assert loaded.context.tolist() == [[0, 2, 0, 2]]
  assert loaded.prefixes(loaded.answers.correct, 2).tolist() == [
    [[False, True], [True, False]]
  ]
  with pytest.raises(errors.InputError, match="no chain has 3 answers"):
    loaded.prefixes(loaded.answers.correct, 3)
