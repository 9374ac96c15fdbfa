"""A run's pool, searches and chains as cells of one table."""

import dataclasses

import numpy as np
import pytest
from test_scaling_estimates import _samples
from test_scaling_revision_summary import _chains

from tts_jax import errors, types
from tts_jax.scaling import (
  choices,
  difficulty,
  measured,
  measuring,
  revision_summary,
  revisions,
  sweep,
)
from tts_jax.store import searches


def _count(cost, context, judged):
  read = cost.generated + cost.lookahead + 2 * cost.prefilled
  return read * (1.0 + judged) + context


def _count_chains(spent):
  return _count(spent.cost, spent.attended, True)


def _search(samples, n=4, seed=0, ids=None):
  rng = np.random.default_rng(seed)
  questions = len(samples.question_ids)
  answers = rng.integers(-1, 3, (questions, n)).astype(np.int32)
  numbers = {
    field.name: rng.integers(1, 50, questions)
    for field in dataclasses.fields(types.Cost)
  }
  return searches.Searches(
    question_ids=ids or samples.question_ids,
    answers=answers,
    correct=answers == 0,
    valid=np.ones(answers.shape, bool),
    score=rng.random(answers.shape).astype(np.float32),
    length=rng.integers(1, 9, answers.shape).astype(np.int32),
    cost=types.Cost(**numbers),
  )


def test_choices_are_scored_on_the_samples_that_do_not_place():
  samples = _samples()
  found = measuring.of_pool(samples, {}, [1, 3, 8, 16], _count)
  assert list(found) == ["majority", "best_of_n", "best_of_n_weighted"]
  # Half of 16 samples is what a fold has.
  assert list(found["majority"]) == [1, 3, 8]
  for fold, (_, held) in enumerate(difficulty.FOLDS):
    want = choices.weighted_at_k(
      samples.answers[:, held],
      samples.correct[:, held],
      samples.score[:, held],
      [3],
    )
    got = found["best_of_n_weighted"][3].value[fold]
    np.testing.assert_allclose(got, want[:, 0])
  cell = found["best_of_n_weighted"][3]
  np.testing.assert_array_equal(cell.generations, 3)
  # 3 samples of 7 tokens after a prompt of 5, of which the last is read again.
  np.testing.assert_allclose(cell.flops, (3 * 7 + 2 * 4) * 2.0 + 5 + 3)


def test_searches_stand_beside_them_averaged_over_seeds():
  samples = _samples()
  two = [_search(samples, seed=seed) for seed in (0, 1)]
  made = {("beam_4", 4, seed): one for seed, one in enumerate(two)}
  made["best_of_n", 4, 0] = two[0]
  found = measuring.of_pool(samples, made, [1, 4], _count)
  alone = sweep.search_values(made, samples.question_ids)
  np.testing.assert_allclose(found["beam_4"][4].value, alone["beam_4"][4])
  # The pool knows best-of-N better than a search for it.
  assert found["best_of_n"][4].value.shape == (2, 40)
  each = [_count(one.cost, 5 + _before(one.length), True) for one in two]
  np.testing.assert_allclose(found["beam_4"][4].flops, np.mean(each, 0))
  one = measured.table(found, samples.question_ids)
  assert one.value.shape == (2, 40, 7)
  ledger = sweep.ledger(made, samples, [1, 4], _count)["beam_4"]["4"]
  assert ledger["flops"] == pytest.approx(found["beam_4"][4].flops.mean())


def _before(length):
  return (length * (length - 1)).sum(1) / 2 / length.sum(1)


def test_a_search_that_lacks_questions_is_refused():
  samples = _samples()
  made = {("beam_4", 4, 0): _search(samples, ids=samples.question_ids[1:])}
  with pytest.raises(errors.InputError, match="39 questions of 40"):
    measuring.of_pool(samples, made, [1], _count)


def test_a_score_that_is_no_number_is_refused():
  samples = _samples()
  samples.score[3, 1] = np.nan
  with pytest.raises(errors.InputError, match=r"question 3 .*NaN"):
    measuring.of_pool(samples, {}, [1, 2], _count)


def test_chains_are_cells_of_their_ratios():
  chains, prompt = _chains(), np.arange(10) + 5
  score = np.random.default_rng(1).random(chains.answers.correct.shape)
  values = revision_summary.cells(
    (1, 4, 8), revision_summary.by_verifier(chains, score)
  )
  ids = chains.answers.question_ids
  found = measuring.of_revisions(chains, values, ids, prompt, _count_chains)
  assert sorted(found) == sorted(
    {
      f"revisions {revisions.ratio(s, n // s)}"
      for n in (1, 4, 8)
      for s in revisions.LENGTHS[n]
    }
  )
  told = revision_summary.ledger(chains, prompt, [1, 4, 8], _count_chains)
  for (n, s), value in values.items():
    ratio = revisions.ratio(s, n // s)
    cell = found[f"revisions {ratio}"][n]
    np.testing.assert_array_equal(cell.value, value)
    np.testing.assert_array_equal(cell.generations, n)
    assert cell.flops.mean() == pytest.approx(told[str(n)][ratio]["flops"])
    assert cell.flops.std() > 0


def test_chains_of_other_questions_are_refused():
  chains, prompt = _chains(), np.full(10, 5)
  ids = chains.answers.question_ids
  values = {(1, 1): np.zeros(10)}
  for wanted, message in (
    ((*ids, "more"), "lack 1 of 11 questions, 'more' first"),
    (ids[::-1], "in their order"),
    (ids[:-1], "are of 10 questions, 9 are wanted"),
  ):
    with pytest.raises(errors.InputError, match=message):
      measuring.of_revisions(chains, values, wanted, prompt, _count_chains)


def test_revised_searches_cost_the_search_and_the_revisions():
  chains, prompt = _chains(lengths=(2,) * 6), np.full(10, 5)
  search = {
    n: measured.Cell(
      value=np.zeros(10),
      generations=np.full(10, n),
      flops=np.full(10, 100.0 * n),
    )
    for n in (2, 4)
  }
  values = {4: np.full(10, 0.25), 8: np.full(10, 0.5)}
  found = measuring.of_combined(values, search, chains, prompt, _count_chains)
  cells = found["revised_search"]
  for q in range(10):
    for budget, own in ((4, range(2)), (8, range(2, 6))):
      seconds = [2 * chain + 1 for chain in own]
      length = [int(chains.answers.length[q, i]) for i in seconds]
      context = [int(chains.context[q, i]) for i in seconds]
      read = sum(int(chains.read[q, i]) for i in seconds)
      attended = sum(
        at + before
        for tokens, at in zip(length, context, strict=True)
        for before in range(tokens)
      )
      revised = (sum(length) + 2 * (5 - 1 + read)) * 2
      want = 100 * budget / 2 + revised + 5 + attended / sum(length)
      assert cells[budget].flops[q] == pytest.approx(want)
  np.testing.assert_array_equal(cells[8].generations, 8)
  assert measuring.of_combined({}, search, chains, prompt, _count_chains) == {}
