"""A summary that looks like a run's, for the figures."""

import numpy as np

from tts_jax.report import search_figures
from tts_jax.scaling import exchange_summary, revisions

BUDGETS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
BINS = 5
SPEEDUP = {
  "mean": 4.5,
  "low": 4.2,
  "high": 6.0,
  "bound": None,
  "never_reached": 0.0,
  "value": 0.7,
  "spent": 16.0,
}


def interval(mean, reach=0.03):
  return {"mean": mean, "low": mean - reach, "high": mean + reach}


def curve(first, last, budgets=BUDGETS, reach=0.03):
  """Rises ever more slowly from `first` towards `last`."""
  return {
    str(n): interval(last - (last - first) * float(n) ** -0.5, reach)
    for n in budgets
  }


def family(last, strategies):
  rng = np.random.default_rng(0)
  ends = {
    "oracle": 0.06,
    "predicted": 0.05,
    "first_4": 0.03,
    "head": 0.04,
  }
  chosen = {
    str(n): [
      {
        f"{name}@{n}": share
        for name, share in zip(
          rng.permutation(strategies)[:2].tolist(), (0.75, 0.25), strict=True
        )
      }
      for _ in range(BINS)
    ]
    for n in BUDGETS
  }
  chosen["1"][0] = {f"{strategies[0]}@1": 1.0}
  return {
    name: {
      unit: {
        n: {
          "value": value,
          "chosen": chosen[n],
          "generations": int(n),
          "flops": 2e6 * int(n),
          "less_baseline": interval(more, 0.01),
          "speedup": SPEEDUP,
        }
        for n, value in curve(0.56, last + more).items()
      }
      for unit in ("generations", "flops")
    }
    for name, more in ends.items()
  }


def against(last):
  """A policy's baseline."""
  return {
    n: {"value": value, "generations": int(n), "flops": 2e6 * int(n)}
    for n, value in curve(0.56, last).items()
  }


def surest(family):
  return {
    unit: {"family": family, "difficulty": "predicted", "at": 16, **SPEEDUP}
    for unit in ("generations", "flops")
  }


def of_exchange(questions=100, seed=0):
  """From draws: easy bins stand above the large model, hard ones below."""
  rng = np.random.default_rng(seed)
  bins = np.arange(questions) * BINS // questions
  first = np.array([0.95, 0.85, 0.6, 0.25, 0.02])[bins]
  last = np.array([0.99, 0.97, 0.9, 0.55, 0.06])[bins]
  large = np.array([0.97, 0.93, 0.86, 0.62, 0.3])[bins]

  def folds(gain):
    values = {
      n: np.clip(
        last + gain - (last + gain - first) * n**-0.5
        + rng.normal(0, 0.05, questions), 0, 1,
      )
      for n in BUDGETS
    }  # fmt: skip
    return [exchange_summary.Fold(bins=bins, values=values)]

  return exchange_summary.summarise(
    {"search": folds(0.0), "revisions": folds(0.04)},
    (rng.random(questions) < large).astype(float),
    size_ratio=14.0,
  )


def of_revisions(budgets=(1, 2, 4, 8, 16, 64, 256)):
  def ratios(middle):
    return {
      str(n): {
        revisions.ratio(s, n // s): interval(
          middle + 0.02 * np.log2(n) * (1 - abs(np.log2(s * s / n)) / 9)
        )
        for s in revisions.LENGTHS[n]
      }
      for n in budgets
    }

  both = {
    str(n): {
      "sequential": interval(0.62 + 0.01 * np.log2(n)),
      "parallel": interval(0.58 + 0.01 * np.log2(n)),
      "difference": interval(0.04, 0.01),
    }
    for n in budgets[1:]
  }
  levels = (0.8, 0.72, 0.55, 0.3, 0.05)
  turns = [interval(0.5 + 0.1 * (1 - 0.7**turn)) for turn in range(16)]
  lower = [interval(0.48 + 0.04 * (1 - 0.7**turn)) for turn in range(16)]
  return {
    "pass_at_1_along_chain": turns,
    "rest_em": {"pass_at_1_along_chain": lower},
    "fourth_minus_first": interval(0.05, 0.01),
    "spoiled_share": interval(0.38),
    "sequential_vs_parallel": {"verifier": both, "majority": both},
    "ratio_curves": ratios(0.55),
    "ratio_curves_by_bin": [ratios(level) for level in levels],
    "ratio_curves_by_predicted_bin": [ratios(level) for level in levels],
    "majority_curves": ratios(0.5),
    "majority_curves_by_bin": [ratios(level) for level in levels],
    "chosen_by": "alone",
    "verifier_ablation": {
      name: {"sequential": curve(0.55, last)}
      for name, last in (("history", 0.7), ("alone", 0.67), ("prm", 0.65))
    },
  }


def summary():
  """All that any figure needs."""
  votes = curve(0.566, 0.66)
  weighted, best = curve(0.566, 0.76), curve(0.566, 0.74)
  by_bin = [
    {
      "beam_4": curve(level, min(level + 0.15, 0.98)),
      "best_of_n_weighted": curve(level, min(level + 0.1, 0.98)),
    }
    for level in (0.9, 0.75, 0.5, 0.2, 0.02)
  ]
  search = ["best_of_n_weighted", "beam_4", "beam_sqrt"]
  ratios = ["1:1", "4:1", "1:4", "16:1", "1:16"]
  late = ("lookahead_1", "lookahead_3")
  models = {
    "majority": votes,
    "best_of_n": best,
    "best_of_n_weighted": weighted,
  }
  return {
    "majority_at_k": votes,
    "curves": {
      name: curve(
        0.566, 0.66 + 0.015 * i, (4, 16, 64) if name in late else BUDGETS
      )
      for i, name in enumerate(search_figures.METHODS)
    },
    "curves_by_bin": by_bin,
    "curves_by_predicted_bin": by_bin,
    "verifier": {
      "curves": models,
      "aggregations": {
        name: {"best_of_n_weighted": curve(0.566, last)}
        for name, last in (("last", 0.76), ("least", 0.74), ("product", 0.72))
      },
      "regimes": {
        "frozen": {"curves": models},
        "outcome": {
          "curves": {
            "majority": votes,
            "best_of_n": curve(0.566, 0.70),
            "best_of_n_weighted": curve(0.566, 0.72),
          }
        },
      },
    },
    "revisions": of_revisions(),
    "policy": {
      "splits": 100,
      "baseline": against(0.76),
      "parallel": against(0.72),
      "families": {
        "search": family(0.76, search),
        "revisions": family(0.72, ratios),
        "pooled": family(0.76, [*search, *ratios]),
      },
      "speedup_vs_best_of_n_weighted": surest("pooled"),
      "speedup_vs_parallel": surest("revisions"),
      "averaged": {
        "families": {"search": family(0.78, search)},
        "speedup_vs_best_of_n_weighted": surest("search"),
      },
    },
    "difficulty": {
      "estimates": {
        name: {
          "rank_correlation": one,
          "sizes": [[20] * BINS] * 2,
          "generations": 4 * name.startswith("first"),
          "flops": 32896.0 * (name == "head"),
        }
        for name, one in (
          ("none", interval(0.0, 0.0)),
          ("predicted", interval(0.93)),
          ("first_4", interval(0.71)),
          ("head", interval(0.58, 0.06)),
        )
      }
    },
    "exchange": of_exchange(),
    "weak_verifiers": {
      "share": 0.2,
      "curves": {
        "majority": votes,
        "turned": curve(0.566, 0.70),
        "prm": weighted,
        "revision_majority": curve(0.58, 0.69, BUDGETS[:5]),
      },
    },
  }
