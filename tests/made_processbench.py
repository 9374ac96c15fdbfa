"""Made-up solutions, some with a wrong step, in ProcessBench's form."""

import itertools
import json
import random

import numpy as np

from tts_jax.scaling import processbench

_LINES = (
  "48/2 = 24 clips.",
  "She sold\n48+24 = 72.",
  "Then 3 more are 75",
  "#### 72",
)


def rows(name, count, seed=0):
  """Entries of a file: a wrong step in every other one, two a problem."""
  source = random.Random(seed)
  made = []
  for number in range(count):
    steps = [source.choice(_LINES) for _ in range(source.randint(1, 5))]
    made.append(
      {
        "id": f"{name}-{number}",
        "generator": "made",
        "problem": f"How many clips did {number // 2} friends sell?",
        "steps": steps,
        "final_answer_correct": source.random() < 0.5,
        "label": source.randrange(len(steps)) if number % 2 else -1,
      }
    )
  return made


def write(path, made):
  """Writes a file, as an array or, of another ending than .json, as lines."""
  if path.suffix == ".json":
    path.write_text(json.dumps(made, indent=2), encoding="utf-8")
  else:
    path.write_text("".join(json.dumps(one) + "\n" for one in made))
  return path


def scored(seed, samples=30, steps=5):
  """Random solutions; scores are twentieths, so that many are alike."""
  rng = np.random.default_rng(seed)
  count = rng.integers(1, steps + 1, samples)
  label = rng.integers(-1, count)
  label[:2] = -1, 0
  # From the count on it may be anything.
  score = rng.integers(0, 21, (samples, steps)) / 20
  score[np.arange(steps) >= count[:, None]] = np.nan
  numbers: dict[int, int] = {}
  problem = [
    numbers.setdefault(int(one), len(numbers))
    for one in rng.integers(0, samples // 2, samples)
  ]
  return processbench.Scored(
    step_score=score.astype(np.float32),
    step_count=count,
    label=label,
    problem=np.array(problem),
  )


def of_scores(scores, labels):
  """Solutions of given scores, each of a problem of its own."""
  rows = list(itertools.zip_longest(*scores, fillvalue=0.0))
  return processbench.Scored(
    step_score=np.array(rows, np.float32).T,
    step_count=np.array([len(one) for one in scores]),
    label=np.array(labels),
    problem=np.arange(len(scores)),
  )
