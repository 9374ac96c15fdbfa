r"""Grades answers in LaTeX: canonical forms first, then algebra in a child.

The paper grades as PRM800K does, by normalised strings and then sympy. Here
`normalize.canonical` settles most pairs at once, and integers that differ are
wrong; the others go to math-verify in `grading_worker`, processes of its own
under a deadline.
"""

import collections
import concurrent.futures
import json
import os
import pathlib
import re
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

from tts_jax.tasks import base, normalize

_WORKER = pathlib.Path(__file__).with_name("grading_worker.py")
_START_SECONDS = 300.0
# The deadline counts processor time, so that load does not change a verdict.
# Waiting this many times longer means that the child is stuck without working.
_WALL_PER_PROCESSOR_SECOND = 30.0
_ATTEMPTS = 2
# A child takes seconds to start, and milliseconds a pair.
_PAIRS_PER_CHILD = 500
_INTEGER = re.compile(r"\$?[-+]?[0-9]{1,18}\$?")


class _EndedError(Exception):
  """The child ended, or said nothing for too long; `signal` is why."""

  def __init__(self, ended_by: int) -> None:
    super().__init__(f"the grading process ended by signal {ended_by}")
    self.signal = ended_by


class _Child:
  """A running worker: one request, one reply, over two pipes."""

  def __init__(self) -> None:
    # -P: the worker's folder holds names that must not hide other modules.
    self._process = subprocess.Popen(
      [sys.executable, "-P", "-W", "ignore", str(_WORKER)],
      stdin=subprocess.PIPE,
      stdout=subprocess.PIPE,
      bufsize=0,
      # Sets of strings in the same order in every process.
      env={**os.environ, "PYTHONHASHSEED": "0"},
    )
    self._received = b""
    try:
      self._read(_START_SECONDS)
    except _EndedError as ended:
      raise RuntimeError(
        "the grading process did not start; see its message above"
      ) from ended

  def ask(self, request: Mapping[str, Any], wall_seconds: float) -> Any:
    """Sends a request and returns the reply.

    Raises:
      _EndedError: there was none; the child is gone.
    """
    assert self._process.stdin is not None
    try:
      self._process.stdin.write(json.dumps(request).encode() + b"\n")
    except BrokenPipeError as error:
      raise _EndedError(self._end()) from error
    return self._read(wall_seconds)

  def close(self) -> None:
    """Ends the child."""
    self._process.kill()
    self._end()

  def _read(self, seconds: float) -> Any:
    assert self._process.stdout is not None
    until = time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
      selector.register(self._process.stdout, selectors.EVENT_READ)
      while b"\n" not in self._received:
        ready = selector.select(max(0.0, until - time.monotonic()))
        piece = self._process.stdout.read(4096) if ready else b""
        if not piece:
          if not ready:
            self._process.kill()
          raise _EndedError(self._end())
        self._received += piece
    line, self._received = self._received.split(b"\n", 1)
    return json.loads(line)

  def _end(self) -> int:
    status = self._process.wait()
    for pipe in (self._process.stdin, self._process.stdout):
      if pipe is not None:
        pipe.close()
    return -status


class _Algebra:
  """A place for one child, which starts when it is needed."""

  def __init__(self) -> None:
    self.child: _Child | None = None

  def judge(
    self, pair: tuple[str, str], processor_seconds: float
  ) -> base.Verdict | None:
    """The verdict on (reference, answer), None where it was cut off."""
    gold, answer = pair
    request = {"gold": gold, "answer": answer, "seconds": processor_seconds}
    wall_seconds = processor_seconds * _WALL_PER_PROCESSOR_SECOND
    for _ in range(_ATTEMPTS):
      if self.child is None:
        self.child = _Child()
      try:
        return base.Verdict(self.child.ask(request, wall_seconds)["verdict"])
      except _EndedError as ended:
        self.child = None
        # Anything else may be another's doing: a fresh child tries again.
        if ended.signal == signal.SIGPROF:
          break
    return None

  def close(self) -> None:
    """Ends the child."""
    if self.child is not None:
      self.child.close()
      self.child = None


class Grader:
  """Judges answers, from any thread, and counts the verdicts.

  A child starts with the first pair that needs it, and again after one that ran
  past its deadline; many pairs have a child for each processor. Verdicts are
  kept, so a pair is compared once. Use it as a context manager, or call
  `close`; children also end with their parent.

  Attributes:
    processor_seconds: the deadline of one comparison, in the child's own
      processor time, so that a busy machine does not change verdicts.
  """

  def __init__(self, *, processor_seconds: float = 10.0) -> None:
    if processor_seconds <= 0:
      raise ValueError(f"processor_seconds is {processor_seconds}, not above 0")
    self.processor_seconds = processor_seconds
    self._algebra = [_Algebra() for _ in os.sched_getaffinity(0)]
    self._lock = threading.Lock()
    self._verdicts: dict[tuple[str, str], base.Verdict] = {}
    self._counts: collections.Counter[base.Verdict] = collections.Counter()
    self._cut_off = 0

  @property
  def counts(self) -> dict[base.Verdict, int]:
    """How often each verdict was given, repeated pairs counted again."""
    return {verdict: self._counts[verdict] for verdict in base.Verdict}

  @property
  def cut_off(self) -> int:
    """Pairs that are ungradable because their comparison was ended."""
    return self._cut_off

  def grade(self, gold: str, answer: str | None) -> base.Verdict:
    """Judges one answer against the reference answer `gold`."""
    return self.grade_all([(gold, answer)])[0]

  def grade_all(
    self, pairs: Sequence[tuple[str, str | None]]
  ) -> list[base.Verdict]:
    """Judges pairs of (reference answer, extracted answer or None).

    Raises:
      RuntimeError: the child does not start.
    """
    with self._lock:
      settled = [self._settle(gold, answer) for gold, answer in pairs]
      hard = {
        (gold, answer): None
        for (gold, answer), verdict in zip(pairs, settled, strict=True)
        if verdict is None and answer is not None
      }
      self._compare(list(hard))
      verdicts = [
        self._verdicts[gold, str(answer)] if verdict is None else verdict
        for (gold, answer), verdict in zip(pairs, settled, strict=True)
      ]
      self._counts.update(verdicts)
    return verdicts

  def close(self) -> None:
    """Ends the children; a later call of `grade` starts others."""
    with self._lock:
      for place in self._algebra:
        place.close()

  def __enter__(self) -> "Grader":
    return self

  def __exit__(
    self,
    kind: type[BaseException] | None,
    error: BaseException | None,
    traceback: TracebackType | None,
  ) -> None:
    self.close()

  def _settle(self, gold: str, answer: str | None) -> base.Verdict | None:
    """The verdict where no algebra is needed for it, None elsewhere."""
    if answer is None or not answer.strip():
      return base.Verdict.UNGRADABLE
    if (gold, answer) not in self._verdicts:
      form = normalize.canonical(gold)
      if form is not None and form == normalize.canonical(answer):
        self._verdicts[gold, answer] = base.Verdict.CORRECT
      elif _INTEGER.fullmatch(gold) and _INTEGER.fullmatch(answer):
        self._verdicts[gold, answer] = base.Verdict.WRONG
    return self._verdicts.get((gold, answer))

  def _compare(self, pairs: Sequence[tuple[str, str]]) -> None:
    """Finds verdicts on distinct pairs by algebra, in as many children."""
    found: dict[tuple[str, str], base.Verdict | None] = {}
    remaining = iter(pairs)  # The threads share it.

    def work(place: _Algebra) -> None:
      for pair in remaining:
        found[pair] = place.judge(pair, self.processor_seconds)

    places = self._algebra[: -(-len(pairs) // _PAIRS_PER_CHILD)]
    if len(places) == 1:
      work(places[0])
    elif places:
      with concurrent.futures.ThreadPoolExecutor(len(places)) as threads:
        list(threads.map(work, places))
    for pair in pairs:
      self._cut_off += found[pair] is None
      self._verdicts[pair] = found[pair] or base.Verdict.UNGRADABLE
