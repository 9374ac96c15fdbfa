"""The numbers of chains, on chains that can be counted by hand."""

import json

import numpy as np
import pytest

from tts_jax.scaling import revision_summary, revision_turns, revisions
from tts_jax.store import chains as store
from tts_jax.store import pool

_LENGTHS = revisions.lengths((1, 2, 4, 8))


def _chains(seed=0, questions=10, lengths=_LENGTHS):
  rng = np.random.default_rng(seed)
  shape = (questions, sum(lengths))
  answers = rng.integers(-1, 3, shape).astype(np.int32)
  correct = answers == rng.integers(0, 3, (questions, 1))
  zeros = np.zeros(shape, np.float32)
  found = pool.Pool(
    question_ids=tuple(f"q{i}" for i in range(questions)),
    uid=np.arange(questions, dtype=np.uint32),
    answers=answers,
    groups=(("0", "1", "2"),) * questions,
    correct=correct,
    ungradable=answers < 0,
    finished=rng.uniform(size=shape) < 0.9,
    length=rng.integers(1, 9, shape).astype(np.int32),
    logprob=zeros,
    least_logprob=zeros,
  )
  return store.Chains(
    answers=found,
    lengths=lengths,
    context=rng.integers(0, 30, shape).astype(np.int32),
    read=rng.integers(0, 9, shape).astype(np.int32),
  )


def test_shares_along_the_chain_are_counted():
  chains = _chains()
  found = revision_turns.along_chain(chains)
  right, starts = chains.answers.correct, np.cumsum([0, *_LENGTHS[:-1]])
  for turn, one in enumerate(found["pass_at_1_along_chain"]):
    here = [
      start + turn
      for start, length in zip(starts, _LENGTHS, strict=True)
      if length > turn
    ]
    assert one["mean"] == pytest.approx(right[:, here].mean())
    assert one["low"] <= one["mean"] <= one["high"]
  spoiled = mended = rights = wrongs = 0
  for row in right:
    for start, length in zip(starts, _LENGTHS, strict=True):
      for turn in range(length - 1):
        now, after = row[start + turn], row[start + turn + 1]
        rights, wrongs = rights + now, wrongs + (not now)
        spoiled, mended = spoiled + (now > after), mended + (after > now)
  assert found["spoiled_share"]["mean"] == pytest.approx(spoiled / rights)
  assert found["mended_share"]["mean"] == pytest.approx(mended / wrongs)


def test_the_summary_is_json_and_its_parts_agree():
  chains, rng = _chains(), np.random.default_rng(1)
  score = rng.uniform(size=chains.answers.correct.shape).astype(np.float32)
  budgets = (1, 2, 4, 8)
  found = revision_summary.summarise(
    chains,
    {"history": score, "prm": score},
    rng.uniform(size=10),
    np.full(10, 7),
    budgets,
    lambda spent: 2 * spent.generated + spent.attended,
  )
  json.dumps(found, allow_nan=False)
  for n in budgets:
    names = [revisions.ratio(s, n // s) for s in revisions.LENGTHS[n]]
    assert list(found["ratio_curves"][str(n)]) == names
    assert list(found["ledger"][str(n)]) == names
    for by_bin in found["majority_curves_by_bin"]:
      assert list(by_bin[str(n)]) == names
  # Chains hold as many answers as the largest budget needs, and no more.
  held = chains.prefixes(chains.answers.correct, 8).any((1, 2)).mean()
  assert found["any_right_curves"]["8"]["8:1"]["mean"] == pytest.approx(held)
  for n in budgets:
    for name, one in found["any_right_curves"][str(n)].items():
      assert one["mean"] >= found["ratio_curves"][str(n)][name]["mean"] - 1e-9
  most = found["ratio_curves"]["8"]
  both = found["sequential_vs_parallel"]["verifier"]["8"]
  assert both["sequential"] == most["8:1"]
  assert both["parallel"] == most["1:8"]
  assert both["difference"]["mean"] == pytest.approx(
    most["8:1"]["mean"] - most["1:8"]["mean"]
  )
  best = found["best_ratio"]["verifier"]["8"]
  assert best["value"]["mean"] == max(one["mean"] for one in most.values())
  assert set(found["best_ratio"]) == {"verifier", "score", "majority"}
  ablation = found["verifier_ablation"]
  assert ablation["prm"] == ablation["history"]
  assert ablation["prm"]["sequential"]["8"] == most["8:1"]
  assert found["ratios_by_difficulty"]["hard"]["budget"] == 8
  assert "ratio_curves_by_predicted_bin" not in found


def test_what_is_known_is_taken_and_predicted_bins_are_others():
  chains, rng = _chains(), np.random.default_rng(1)
  score = rng.uniform(size=chains.answers.correct.shape).astype(np.float32)
  count = lambda spent: spent.generated + spent.attended  # noqa: E731
  level, predicted = rng.uniform(size=(2, 10))
  rest = np.full(10, 7), (1, 4), count
  found = revision_summary.summarise(
    chains, {"history": score}, level, *rest, predicted=predicted
  )
  swapped = revision_summary.summarise(
    chains, {"history": score}, predicted, *rest, predicted=level
  )
  bins = found["ratio_curves_by_predicted_bin"]
  assert bins == swapped["ratio_curves_by_bin"] != found["ratio_curves_by_bin"]
  known = {(4, s): np.full(10, s / 8) for s in (1, 2, 4)}
  known[1, 1] = np.zeros(10)
  told = revision_summary.summarise(
    chains, {"history": score}, level, *rest, chosen=known
  )
  assert told["ratio_curves"]["4"]["4:1"]["mean"] == 0.5


def test_the_highest_score_of_a_chain_is_chosen():
  chains, rng = _chains(), np.random.default_rng(1)
  score = rng.uniform(size=chains.answers.correct.shape)
  found = chains.answers
  expected = []
  for row in range(10):
    # The first chain is the only one of eight.
    able = [
      place
      for place in range(8)
      if found.finished[row, place] and found.answers[row, place] >= 0
    ]
    best = max(able, key=lambda place, row=row: score[row, place])
    expected.append(found.correct[row, best])
  value = revision_summary.by_score(chains, score)(8, 1)
  assert value.tolist() == expected


def test_the_ledger_is_counted():
  chains = _chains()
  found = revision_summary.ledger(
    chains,
    np.arange(5, 15),
    (4,),
    lambda spent: spent.attended * spent.generated,
  )["4"]
  for s, name in ((1, "1:4"), (2, "1:1"), (4, "4:1")):
    starts = np.cumsum([0, *_LENGTHS[:-1]])
    able = [
      start for start, own in zip(starts, _LENGTHS, strict=True) if own >= s
    ]
    written = read = attended = 0
    for row in range(10):
      for place in (start + turn for start in able for turn in range(s)):
        length = int(chains.answers.length[row, place])
        written += length
        read += int(chains.read[row, place])
        before = 5 + row + int(chains.context[row, place])
        attended += sum(before + token for token in range(length))
    share = 4 // s / len(able) / 10
    assert found[name]["generated"] == pytest.approx(written * share)
    prompts = np.mean(np.arange(5, 15) - 1)
    assert found[name]["prefilled"] == pytest.approx(prompts + read * share)
    assert found[name]["flops"] == pytest.approx(attended * share)


def test_bins_part_the_questions():
  chains = _chains()
  values = revision_summary.cells((4,), revision_summary.by_majority(chains))
  pass_at_1 = np.linspace(1, 0, 10)
  bins = revision_summary.ratio_curves_by_bin(values, pass_at_1)
  for index, one in enumerate(bins):
    assert one["4"]["1:1"]["mean"] == pytest.approx(
      values[4, 2][2 * index : 2 * index + 2].mean()
    )


def test_the_best_ratio_is_chosen_on_other_questions():
  # By luck each half has a ratio that is right everywhere, and is not in truth.
  values = {(2, 1): np.zeros(10), (2, 2): np.tile([1.0, 0.0], 5)}
  found = revision_summary.best_ratio(values)["2"]
  assert found["ratio"] == "2:1"
  assert found["value"]["mean"] == 0.5
  assert found["difference"]["mean"] == 0.0


def test_a_cut_answer_does_not_vote():
  chains = _chains()
  chains.answers.finished[:] = False
  assert not revision_summary.by_majority(chains)(2, 2).any()
  score = np.ones(chains.answers.correct.shape)
  assert not revision_summary.by_verifier(chains, score)(2, 2).any()
