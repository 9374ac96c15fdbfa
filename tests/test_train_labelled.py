"""The stream that a verifier trains on, question by question."""

import itertools

import numpy as np
import pytest

from tts_jax import errors
from tts_jax.store import labels as labels_lib
from tts_jax.tasks import arithmetic, tokenization
from tts_jax.train import labelled
from tts_jax.verify import solutions

_TASK = arithmetic.Arithmetic()
_FIELDS = (
  *("tokens", "drawn", "positions", "segments", "parents"),
  *("labels", "weights", "worked"),
)


def _question(number, count, *, size=4, first=100):
  """Solutions of `size` tokens, each of tokens of its own, in two steps."""
  mine = []
  for sample in range(count):
    start = first + 50 * number + size * sample
    mine.append(
      labels_lib.Solution(
        sample=sample,
        tokens=np.arange(start, start + size, dtype=np.int32),
        logprobs=np.zeros(size, np.float32),
        step_end=np.array([2, size], np.int32),
        rollouts=np.array([4, 0], np.int32),
        rollouts_correct=np.array([sample % 5, 0], np.int32),
        passing=np.array([2, 1], np.int32),
        passing_correct=np.array([1, sample % 2], np.int32),
      )
    )
  return labels_lib.Question(
    id=f"q{number}",
    uid=number,
    prompt=np.array([number, 98, 99], np.int32),
    solutions=tuple(mine),
    dropped=0,
  )


def _assert_same(one, other):
  for name in _FIELDS:
    np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def _take(start, count, index=0):
  return list(itertools.islice(start(index), count))


def _numbers(questions, mixture, count, *, length=6):
  """The question of each item, where a batch holds one item of one sample."""
  start = labelled.stream(questions, mixture, rows=1, length=length)
  found = _take(start, count)
  assert [after for after, _ in found] == list(range(1, count + 1))
  return [int(batch.tokens[0, 0]) for _, batch in found]


def test_a_stream_goes_on_with_the_very_batches():
  questions = [_question(i, 3) for i in range(5)]
  calls = []

  def worked(first, count):
    calls.append((first, count))
    one = solutions.Solution(tokens=[first + 1000], step_end=[1], worked=True)
    yield [7, 8, first + 500], [one]

  start = labelled.stream(
    questions,
    labelled.Mixture(samples=2, worked=3, seed=4),
    rows=2,
    length=24,
    worked=worked,
  )
  whole = _take(start, 8)
  assert [after for after, _ in whole] == sorted({after for after, _ in whole})
  for at in (0, 3, 6):
    again = _take(start, 7 - at, whole[at][0])
    for (after, batch), (want_after, want) in zip(
      again, whole[at + 1 :], strict=True
    ):
      assert after == want_after
      _assert_same(batch, want)
  # Items read worked solutions of their own.
  by_item = dict.fromkeys(first for first, _ in calls)
  assert {count for _, count in calls} == {3}
  assert all(b - a >= 3 for a, b in itertools.pairwise(sorted(by_item)))


def test_each_epoch_is_another_order_of_all_questions():
  questions = [_question(i, 1) for i in range(6)]
  questions.insert(3, _question(9, 0))  # Has no solution: passed over.
  numbers = _numbers(questions, labelled.Mixture(samples=1), 18)
  epochs = [numbers[i : i + 6] for i in (0, 6, 12)]
  assert all(sorted(epoch) == list(range(6)) for epoch in epochs)
  assert len({tuple(epoch) for epoch in epochs}) == 3
  other = _numbers(questions, labelled.Mixture(samples=1, seed=1), 18)
  assert other != numbers


def test_an_item_draws_different_solutions_of_its_question():
  start = labelled.stream(
    [_question(0, 5)], labelled.Mixture(samples=3), rows=1, length=14
  )
  drawn = [
    tuple(batch.drawn[0, [2, 6, 10]].tolist()) for _, batch in _take(start, 12)
  ]
  for three in drawn:
    assert len(set(three)) == 3
    assert set(three) <= {100 + 4 * sample for sample in range(5)}
  assert len(set(drawn)) > 6
  # Where there are fewer, all are taken.
  all_of_it = labelled.Mixture(samples=9)
  start = labelled.stream([_question(0, 3)], all_of_it, rows=1, length=14)
  [(_, batch)] = _take(start, 1)
  assert sorted(batch.drawn[0, [2, 6, 10]].tolist()) == [100, 104, 108]


def test_labels_are_shares_of_continuations_at_the_steps_ends():
  questions = [_question(0, 4)]
  [batch] = labelled.held_out(questions, rows=1, length=18)
  assert batch.weights.sum() == 8
  for sample in range(4):
    start = 2 + 4 * sample
    assert batch.drawn[0, start] == 100 + 4 * sample
    want = [0, (sample % 5 + 1) / 6, 0, sample % 2]
    np.testing.assert_allclose(batch.labels[0, start : start + 4], want)
    assert batch.weights[0, start : start + 4].tolist() == [0, 1, 0, 1]


def test_an_outcome_label_is_the_last_steps_alone():
  questions = [_question(0, 3)]
  [held] = labelled.held_out(questions, rows=1, length=14, final_only=True)
  mixture = labelled.Mixture(samples=3, final_only=True)
  start = labelled.stream(questions, mixture, rows=1, length=14)
  [(_, trained)] = _take(start, 1)
  for batch in (held, trained):
    assert np.flatnonzero(batch.weights[0]).tolist() == [5, 9, 13]
    for at in (5, 9, 13):
      sample = (batch.drawn[0, at] - 103) // 4
      assert batch.labels[0, at] == sample % 2
    assert batch.labels.sum() == 1


def test_all_held_out_solutions_are_read_once():
  questions = [_question(i, i) for i in range(5)]
  batches = labelled.held_out(questions, rows=2, length=11)
  assert len(batches) > 1
  drawn = np.concatenate(
    [batch.drawn[(batch.segments != batch.parents)] for batch in batches]
  )
  want = [one.tokens for question in questions for one in question.solutions]
  assert drawn.tolist() == np.concatenate(want).tolist()


def test_questions_of_both_sets_are_found_out():
  train = [_question(i, 1) for i in range(3)]
  labelled.check_disjoint(train, [_question(3, 1), _question(4, 0)])
  other = labels_lib.Question(
    id="new", uid=77, prompt=train[1].prompt, solutions=(), dropped=0
  )
  with pytest.raises(
    errors.InputError, match="held-out question 'new' is training question 'q1'"
  ):
    labelled.check_disjoint(train, [_question(3, 1), other])


def test_no_labelled_solution_at_all_is_refused():
  empty = [_question(0, 0), _question(1, 0)]
  with pytest.raises(errors.InputError, match="no question has a labelled"):
    labelled.stream(empty, labelled.Mixture(samples=1), rows=2, length=20)
  with pytest.raises(errors.InputError, match="no held-out question has a"):
    labelled.held_out(empty, rows=2, length=20)


def test_an_item_that_no_batch_holds_is_named():
  # Each solution fits a row; three of one question do not fit the batch.
  start = labelled.stream(
    [_question(0, 3)], labelled.Mixture(samples=3), rows=2, length=8
  )
  with pytest.raises(
    errors.InputError,
    match=r"item 0, of 3 samples and 0 .* not fit 2 rows of 8 tokens",
  ):
    next(start(0))


@pytest.mark.parametrize(
  ("fields", "message"),
  [
    (dict(samples=0), "samples is 0; it must be at least 1"),
    (dict(samples=1, worked=-1), "worked is -1; it must be at least 0"),
    (dict(samples=1, seed=-2), "seed is -2; it must be at least 0"),
  ],
)
def test_a_mixture_of_nothing_is_refused(fields, message):
  with pytest.raises(errors.InputError, match=message):
    labelled.Mixture(**fields)


def _from(index):
  return _TASK.start("train", index, 3)


@pytest.fixture(scope="module", name="tokenizer")
def fixture_tokenizer():
  asked = _TASK.questions("train", 30)
  return tokenization.train((q.text + "\n" + q.solution for q in asked), 272)


def test_worked_solutions_are_the_tasks_from_an_index_on(tokenizer):
  some = labelled.worked_solutions(_TASK, tokenizer, _from)
  found = list(some(5, 4))
  assert len(found) == 4
  asked = itertools.islice(_from(5), 4)
  for (_, question), (prompt, [one]) in zip(asked, found, strict=True):
    assert tokenizer.decode(prompt) == _TASK.prompt(question)
    assert tokenizer.decode(one.tokens) == question.solution
    assert one.tokens[-1] == tokenizer.end_token
    assert (one.worked, one.labels) == (True, None)
    steps = np.split(np.array(one.tokens), one.step_end)
    assert not len(steps.pop())
    text = [tokenizer.decode(step) for step in steps]
    assert text == question.solution.splitlines(keepends=True)


def test_worked_solutions_stand_beside_labelled_ones(tokenizer):
  some = labelled.worked_solutions(_TASK, tokenizer, _from)
  questions = [_question(0, 2, first=300)]
  mixture = labelled.Mixture(samples=2, worked=2)
  start = labelled.stream(questions, mixture, rows=3, length=96, worked=some)
  after, batch = next(start(1))
  assert after > 1
  labelled_slots = batch.drawn >= 300
  assert (batch.weights[labelled_slots]).sum() == 4 * (after - 1)
  assert not batch.worked[labelled_slots].any()
  assert not batch.weights[~labelled_slots].any()
  want = [
    token
    for item in range(1, after)
    for _, [one] in some(item * 2 * 2, 2)
    for token in one.tokens
  ]
  assert batch.drawn[batch.worked == 1].tolist() == want
