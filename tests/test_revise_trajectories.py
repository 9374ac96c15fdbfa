"""Trajectories of revisions against an oracle in plain loops."""

import collections

import numpy as np
import pyarrow as pa
import pytest

from tts_jax import errors
from tts_jax.revise import trajectories
from tts_jax.store import run
from tts_jax.store import trajectories as store
from tts_jax.tasks import arithmetic, base, tokenization

_RIGHT, _WRONG, _NONE = "correct", "wrong", "ungradable"


def _edits(one, other):
  """Levenshtein's distance, by its recurrence."""
  row = list(range(len(other) + 1))
  for i, a in enumerate(one, 1):
    before, row[0] = row[0], i
    for j, b in enumerate(other, 1):
      before, row[j] = (
        row[j],
        min(row[j] + 1, row[j - 1] + 1, before + (a != b)),
      )
  return row[-1]


def _samples(seed, size):
  rng = np.random.default_rng(seed)
  texts = ["".join(rng.choice(list("0123=+"), 6)) for _ in range(size)]
  return texts, list(rng.choice([_RIGHT, _WRONG, _NONE], size))


@pytest.mark.parametrize("seed", range(5))
def test_a_right_sample_follows_wrong_ones_the_last_the_nearest(seed):
  texts, verdicts = _samples(seed, 24)
  found = trajectories.build(texts, verdicts, uid=7, seed=seed)
  right = [i for i, verdict in enumerate(verdicts) if verdict == _RIGHT]
  wrong = [i for i, verdict in enumerate(verdicts) if verdict == _WRONG]
  assert [one.target for one in found] == right
  for one in found:
    assert len(one.context) <= 4
    assert len(set(one.context)) == len(one.context)
    assert set(one.context) <= set(wrong)
    if one.context:
      edits = [_edits(texts[one.target], texts[i]) for i in wrong]
      assert one.context[-1] == wrong[edits.index(min(edits))]


def test_the_number_of_wrong_samples_is_uniform():
  verdicts = [_RIGHT] * 4000 + [_WRONG] * 9
  texts = ["1"] * 4000 + list("234567890")
  found = trajectories.build(texts, verdicts, uid=1)
  sizes = collections.Counter(len(one.context) for one in found)
  assert set(sizes) == {0, 1, 2, 3, 4}
  # Five standard errors of a share of one in five.
  assert all(abs(n / 4000 - 0.2) < 0.032 for n in sizes.values())
  others = collections.Counter(i for one in found for i in one.context[:-1])
  assert len(others) == 8
  mean = sum(others.values()) / 8
  assert all(abs(n - mean) < 5 * mean**0.5 for n in others.values())


def test_what_a_question_lacks_is_done_without():
  assert trajectories.build(["1", "2"], [_WRONG, _NONE], uid=1) == []
  assert trajectories.build([], [], uid=1) == []
  alone = trajectories.build(["1", "1", "x"], [_RIGHT, _RIGHT, _NONE], uid=1)
  assert alone == [
    trajectories.Trajectory((), 0),
    trajectories.Trajectory((), 1),
  ]
  few = trajectories.build(["1"] * 50 + ["2"], [_RIGHT] * 50 + [_WRONG], uid=1)
  assert {one.context for one in few} == {(), (50,)}
  assert trajectories.count(
    [
      [_WRONG, _NONE],
      [_RIGHT, _RIGHT],
      [_RIGHT] * 9 + [_WRONG] * 4,
      [_RIGHT, _WRONG],
    ]
  ) == {
    "questions": 4,
    "without_correct": 1,
    "without_wrong": 1,
    "few_wrong": 2,
    "samples_ungradable": 1,
    "trajectories": 12,
  }


def test_a_trajectory_does_not_depend_on_the_other_right_samples():
  texts, verdicts = _samples(3, 24)
  whole = trajectories.build(texts, verdicts, uid=7, seed=1)
  gone = whole[0].target
  verdicts[gone] = _NONE
  assert trajectories.build(texts, verdicts, uid=7, seed=1) == whole[1:]
  assert trajectories.build(texts, verdicts, uid=8, seed=1) != whole[1:]
  assert trajectories.build(texts, verdicts, uid=7, seed=2) != whole[1:]


@pytest.mark.parametrize("wrong", [dict(most=-1), dict(seed=-1)])
def test_numbers_below_0_are_refused(wrong):
  name = next(iter(wrong))
  with pytest.raises(errors.InputError, match=f"{name} is -1; it must be"):
    trajectories.build(["1"], [_RIGHT], uid=1, **wrong)


def test_a_natural_context_is_of_random_samples():
  verdicts = [_RIGHT] * 3000 + [_WRONG] * 1000
  texts = [str(i) for i in range(4000)]
  found = trajectories.build(texts, verdicts, uid=1, natural=1.0)
  shown = [i for one in found for i in one.context]
  # Three of four samples are right; five standard errors.
  share = sum(i < 3000 for i in shown) / len(shown)
  assert abs(share - 0.75) < 5 * (0.75 * 0.25 / len(shown)) ** 0.5
  assert all(one.target not in one.context for one in found)
  assert {len(one.context) for one in found} == {4}
  # A share of them: the others are as the paper's.
  some = trajectories.build(texts[2900:], verdicts[2900:], uid=1, natural=0.5)
  kinds = {any(i < 100 for i in one.context) for one in some if one.context}
  assert kinds == {True, False}


def test_easy_questions_have_few_trajectories():
  texts = [str(i) for i in range(20)]
  for wrong, room, expected in (
    (0, 6, 2),
    (1, 6, 3),
    (9, 6, 6),
    (9, None, 11),
    (18, 6, 2),
    (0, 0, 0),
  ):
    verdicts = [_WRONG] * wrong + [_RIGHT] * (20 - wrong)
    found = trajectories.build(texts, verdicts, uid=3, room=room)
    assert len(found) == expected
    counted = trajectories.count([verdicts], room=room)
    assert counted["trajectories"] == expected
    assert len({one.target for one in found}) == expected


def test_shares_and_rooms_that_cannot_be():
  for settings, message in (
    ({"natural": 1.5}, "natural is 1.5"),
    ({"room": -1}, "room is -1"),
  ):
    with pytest.raises(errors.InputError, match=message):
      trajectories.build(["1"], [_RIGHT], uid=1, **settings)


_QUESTION = base.Question(id="q", text="1+2=?", answer="3")


def _drawn(tokenizer, **verdicts):
  """A pool's rows, a sample a verdict."""
  made = [
    (f"{sample}\n#### 3", verdict)
    for sample, verdict in enumerate(
      name for name, size in verdicts.items() for _ in range(size)
    )
  ]
  return pa.Table.from_pylist(
    [
      {
        "question_id": "q",
        "sample": sample,
        "text": text,
        "tokens": [*tokenizer.encode(text), tokenizer.end_token],
        "verdict": verdict,
      }
      for sample, (text, verdict) in enumerate(made)
    ]
  )


def _filled(folder, drawn, tokenizer):
  with run.Run.open(folder, {}) as opened:
    stage = opened.stage(store.STAGE, store.SCHEMA, "inputs")
    task = arithmetic.Arithmetic()
    list(
      trajectories.fill(
        stage, [_QUESTION], drawn, task, tokenizer, batch=1, seed=0
      )
    )
    opened.write_json(store.SUMMARY, {})
  return store.load_trajectories(folder)


def test_a_pool_becomes_trajectories_or_says_why_not(tmp_path, model):
  tokenizer = tokenization.load(model)
  drawn = _drawn(tokenizer, correct=3, wrong=2, ungradable=1)
  found = _filled(tmp_path / "made", drawn, tokenizer)
  assert [tokenizer.decode(one.target) for one in found] == [
    f"{sample}\n#### 3" for sample in range(3)
  ]
  for name, verdicts in (
    ("wrong", {"correct": 3, "ungradable": 1}),
    ("correct", {"wrong": 3, "ungradable": 1}),
  ):
    message = f"no sample of any of the 1 questions is {name}"
    with pytest.raises(errors.InputError, match=message):
      _filled(tmp_path / name, _drawn(tokenizer, **verdicts), tokenizer)
  other = tokenization.train(["12#3", "\n 3 12 12 12 12"], 259)
  with pytest.raises(errors.InputError, match="give the model that drew the"):
    _filled(tmp_path / "other", drawn, other)
