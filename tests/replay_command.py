"""Files of samples that somebody else made, and the command that reads them."""

import collections
import json

import kill_harness
import numpy as np

Q, N = 12, 8


def lines(questions=Q, samples=N, seed=0):
  """Questions with completions, step scores, and search-and-learn's votes."""
  rng = np.random.default_rng(seed)
  made = []
  for number in range(questions):
    # The same number in several forms votes together.
    forms = [r"\frac{1}{2}", "0.5", "3", r"\sqrt{2}"]
    answers = [forms[i] for i in rng.integers(len(forms), size=samples)]
    steps = [
      rng.random(int(rng.integers(1, 4))).round(3).tolist()
      for _ in range(samples)
    ]
    line = {
      "problem": f"What is question {number}?",
      "answer": "0.5",
      "level": 3,
      "completions": [
        f"## Step 1\nIt is so.\n\nThe answer is $\\boxed{{{a}}}$."
        for a in answers
      ],
      "scores": steps,
    }
    for n in (1, 2, 4, 8):
      line |= _votes(answers[:n], [one[-1] for one in steps[:n]], n)
    made.append(line)
  return made


def _canonical(answer):
  return "1/2" if answer in (r"\frac{1}{2}", "0.5") else answer


def _votes(answers, score, n):
  """By plain loops, as search-and-learn has them."""
  total, count = collections.defaultdict(float), collections.Counter()
  for answer, value in zip(answers, score, strict=True):
    total[_canonical(answer)] += value
    count[_canonical(answer)] += 1

  def first(key):
    return next(a for a in answers if _canonical(a) == key)

  best = answers[max(range(len(score)), key=lambda i: score[i])]
  chosen = {
    "naive": best,
    "weighted": first(max(total, key=lambda key: total[key])),
    "maj": first(max(count, key=lambda key: count[key])),
  }
  return {f"pred_{kind}@{n}": rf"\boxed{{{a}}}" for kind, a in chosen.items()}


def write(path, made):
  """Writes JSON lines."""
  path.write_text("".join(json.dumps(line) + "\n" for line in made))
  return path


def replay(out, file, cache, *flags, config="replay"):
  """Runs the launcher to its end, whatever it exits with."""
  command = ("-m", "launch.replay", f"--config=configs/{config}.py")
  command += (f"--out={out}", f"--config.file={file}", *flags)
  return kill_harness.run(kill_harness.python(*command), cache)
