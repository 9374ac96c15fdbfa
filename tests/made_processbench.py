"""Made-up solutions, some with a wrong step, in ProcessBench's form."""

import json
import random

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
