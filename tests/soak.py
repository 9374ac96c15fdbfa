"""Samples, searches and grades over and over, and watches the memory.

  PYTHONPATH=. python tests/soak.py --minutes=30

Not run by pytest. Each minute it prints the host's memory and the device's live
bytes; it ends with status 1 where the last third of the rounds holds more than
the middle third, by medians, beyond the tolerance.
"""

import ctypes
import gc
import pathlib
import re
import statistics
import sys
import tempfile
import time

import jax
import made_policies
from absl import app, flags

import tts_jax
from tts_jax.model import embedded
from tts_jax.scaling import plans, policy_file
from tts_jax.search import strategies
from tts_jax.tasks import base, gsm_symbolic, jsonl
from tts_jax.verify import embedded as verifiers

_MINUTES = flags.DEFINE_float("minutes", 30, "How long.")
_TOLERANCE = flags.DEFINE_float("tolerance", 0.02, "Share of growth allowed.")

_QUESTIONS = 4  # a round.


def _policy(path: pathlib.Path) -> pathlib.Path:
  """Samples at 4 generations, searches at 16."""
  model = embedded.FOLDER
  judge = verifiers.folder("", model, "verifier")
  one = made_policies.choice
  row = one(plans.Sampled(4, "majority")), one(strategies.Beam(16, 4))
  policy = made_policies.policy(
    row,
    made_for=policy_file.made_for(model, judge),
    edges=(),
    difficulty_generations=0,
    estimated=(False, False),
  )
  policy_file.write(path, policy)
  return path


def _resident() -> int:
  """Bytes that this process holds in memory.

  What it has freed is given back first: allocators keep some 10% of the whole,
  now more and now less.
  """
  gc.collect()
  ctypes.CDLL("libc.so.6").malloc_trim(0)
  status = pathlib.Path("/proc/self/status").read_text()
  return 1024 * int(re.search(r"VmRSS:\s+(\d+) kB", status)[1])


def _live() -> int:
  """Bytes of all arrays on devices."""
  return sum(array.nbytes for array in jax.live_arrays())


def _growth(values: list[int]) -> float:
  """Of the last third over the middle third, by medians."""
  third = len(values) // 3
  middle, last = values[-2 * third : -third], values[-third:]
  return statistics.median(last) / statistics.median(middle) - 1


def main(_: list[str]) -> None:
  """Rounds, until the time is over."""
  questions = gsm_symbolic.reporting_questions()
  task = jsonl.JsonlTask()
  resident, live, right = [], [], 0
  start = said = time.monotonic()
  with tempfile.TemporaryDirectory() as folder:
    policy = _policy(pathlib.Path(folder) / "policy.json")
    while time.monotonic() - start < 60 * _MINUTES.value or len(live) < 6:
      first = _QUESTIONS * len(live) % len(questions)
      asked = questions[first : first + _QUESTIONS]
      for budget in (4, 16):
        found = tts_jax.solve(asked, budget=budget, policy=policy)
        right += sum(bool(one.correct) for one in found)
      # By math-verify, in a child process.
      (verdict,) = task.grade_all([(r"\sqrt{8}", r"2\sqrt{2}")])
      assert verdict is base.Verdict.CORRECT, verdict
      resident.append(_resident())
      live.append(_live())
      if time.monotonic() - said >= 60 or len(live) == 1:
        said = time.monotonic()
        print(
          f"{(said - start) / 60:5.1f} min, {len(live)} rounds, {right} right:"
          f" host {resident[-1] / 1e6:,.1f} MB,"
          f" device {live[-1] / 1e6:,.3f} MB",
          flush=True,
        )
  task.grader.close()
  grown = {"host": _growth(resident), "device": _growth(live)}
  for name, share in grown.items():
    print(f"{name}: {share:+.3%} from the middle third to the last")
  most = _TOLERANCE.value
  print(f"{len(live)} rounds; at most {most:+.1%} is allowed")
  if max(grown.values()) > most:
    sys.exit(1)


if __name__ == "__main__":
  app.run(main)
