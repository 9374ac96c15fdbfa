"""Curves in bins that the verifier's scores place, not the truth."""

import numpy as np
import pytest

from tts_jax.scaling import sweep


def test_bins_are_placed_by_scores_of_the_other_half():
  rng = np.random.default_rng(0)
  correct = rng.uniform(size=(20, 8)) < rng.uniform(size=(20, 1))
  score = rng.uniform(size=correct.shape).astype(np.float32)
  score[3, 2] = np.nan
  answers = np.where(np.isnan(score), -1, np.where(correct, 0, 1))
  samples = sweep.Samples(
    question_ids=tuple(f"q{i}" for i in range(20)),
    answers=answers.astype(np.int32),
    correct=correct,
    score=score,
    length=np.ones(correct.shape, np.int32),
    prompt_length=np.ones(20, int),
  )
  found = {"beam_4": {4: rng.uniform(size=20)}}
  bins = sweep.curves_by_bin(samples, found, (1, 4), predicted=True, draws=50)
  for index, one in enumerate(bins):
    beam, single = [], []
    for seen, held in ((0, 1), (1, 0)):
      means = [
        sum(0.0 if np.isnan(s) else float(s) for s in score[q, seen::2])
        for q in range(20)
      ]
      order = sorted(range(20), key=lambda q: -means[q])
      for q in order[4 * index : 4 * index + 4]:
        beam.append(found["beam_4"][4][q])
        single.append((correct & (answers >= 0))[q, held::2].mean())
    assert one["beam_4"]["4"]["mean"] == pytest.approx(np.mean(beam))
    assert one["majority"]["1"]["mean"] == pytest.approx(np.mean(single))
  oracle = sweep.curves_by_bin(samples, found, (1, 4), draws=50)
  assert [b["beam_4"] for b in oracle] != [b["beam_4"] for b in bins]
