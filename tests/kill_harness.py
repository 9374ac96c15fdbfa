"""Kills a command at given times until it has run to its end."""

import itertools
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

ROOT = pathlib.Path(__file__).parent.parent


def run_killed(
  command: Sequence[str],
  delays: Iterable[float],
  *,
  progress: Callable[[], object] | None = None,
  killed: Callable[[], None] = lambda: None,
  env: Mapping[str, str] | None = None,
  deadline: float = 300.0,
) -> int:
  """Runs `command` again and again, killing the i-th run after `delays[i]`.

  A run that ends by itself before its kill must exit with 0, and is the last;
  when the delays are used up, one more run goes on to its end.

  Args:
    command: the program and its arguments.
    delays: seconds from a run's first progress to its kill.
    progress: gives another value once a run's work has got on. It is compared
      with its value before that run, so that kills fall into the work and not
      into the import of libraries, however often it has run before. None: kills
      may fall anywhere.
    killed: called after each kill.
    env: variables on top of this process's.
    deadline: seconds that any one run may take.

  Returns:
    The number of runs that died of a kill.

  Raises:
    AssertionError: a run failed or took too long; its output is in the text.
  """
  kills = 0

  def begun(before: object) -> bool:
    return progress is None or progress() != before

  for delay in [*delays, None]:
    before = progress() if progress else None
    with tempfile.TemporaryFile("w+") as output:
      # A file, not a pipe: a child that outlives the kill must not block us.
      child = subprocess.Popen(
        list(command),
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
      )
      try:
        if delay is not None:
          while child.poll() is None and not begun(before):
            time.sleep(0.001)
          time.sleep(delay)
          child.send_signal(signal.SIGKILL)
        status = child.wait(deadline)
      finally:
        child.kill()
        child.wait()
      if status == -signal.SIGKILL:
        kills += 1
        killed()
        continue
      output.seek(0)
      assert status == 0, f"exit status {status}:\n{output.read()}"
      return kills
  raise AssertionError("the last run, which nobody kills, died of a kill")


def random_delays(count: int, longest: float, seed: int) -> list[float]:
  """Draws `count` delays between 0 and `longest` seconds."""
  source = random.Random(seed)
  return [source.uniform(0, longest) for _ in range(count)]


def spread_delays(count: int, whole: float, seed: int) -> list[float]:
  """Draws `count` delays that add up to at most `whole` seconds.

  Kills of a run that goes on where it was thus fall all over its work.
  """
  source = random.Random(seed)
  points = sorted(source.uniform(0, whole) for _ in range(count))
  return [after - before for before, after in itertools.pairwise([0, *points])]


def contents(folder: pathlib.Path) -> dict[str, bytes]:
  """Maps the path of each file below `folder` to its bytes."""
  return {
    str(path.relative_to(folder)): path.read_bytes()
    for path in sorted(folder.rglob("*"))
    if path.is_file()
  }


def run(
  command: Sequence[str], env: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
  """Runs `command` to its end, whatever it exits with."""
  return subprocess.run(
    command,
    capture_output=True,
    text=True,
    check=False,
    cwd=ROOT,
    env={**os.environ, **env},
  )


def start(
  command: Sequence[str], env: Mapping[str, str]
) -> subprocess.Popen[str]:
  """Begins `command`; what it says goes into pipes."""
  return subprocess.Popen(
    command,
    stdout=subprocess.PIPE,
    stderr=subprocess.PIPE,
    text=True,
    cwd=ROOT,
    env={**os.environ, **env},
  )


def python(*arguments: object) -> list[str]:
  """A command of this Python."""
  return [sys.executable, *map(str, arguments)]
