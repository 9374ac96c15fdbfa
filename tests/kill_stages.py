"""Kills every stage at random times, and compares what comes of it.

  python tests/kill_stages.py --kills=100 --out=runs/kills
  python tests/kill_stages.py --kills=20 --out=runs/kills --stages=search,solve

Each stage is run once without a kill. Then it is run and killed (SIGKILL, at a
time drawn by --seed: every other one from its first write to its end, the rest
from its first new shard or state on, so that each run gets further) and started
again, until it ends by itself: its folder must then hold the same rows and the
same bytes, and launch.verify_run must find no fault. What --out holds of runs
without a kill is taken up by the next call. Ends with status 1 where anything
differs.

Stages are forks of this process, which has imported all that they need: a start
takes a second instead of five.
"""

import argparse
import collections
import importlib
import json
import os
import pathlib
import random
import runpy
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence

import jax
import kill_harness
import pyarrow.parquet as pq
import stage_commands

# Imported once, for all stages; they start no thread of their own.
_SHARED = (
  *("answering", "assembling", "chaining", "drawing", "experiment", "judging"),
  *("planning", "training", "verdicts", "verifying"),
)
_LONGEST = 600.0  # Seconds that any one run may take.


class Harness:
  """Runs of stages in a folder."""

  def __init__(self, folder: pathlib.Path, seed: int):
    self.folder = folder
    self.random = random.Random(seed)
    self.whole = folder / "whole"
    self.whole.mkdir(parents=True, exist_ok=True)
    self.places = {
      "given": str(folder / "given"),
      **{
        name: str(self.whole / name)
        for name in stage_commands.needed(stage_commands.STAGES)
      },
    }

  def out(self, name: str) -> pathlib.Path:
    """Where a stage runs, whole or killed: pages show the path."""
    return self.folder / "runs" / name

  def prepare(self, names: Sequence[str]) -> dict[str, list[float]]:
    """Runs what was not run yet without a kill; gives what `run` gives."""
    if not (self.folder / "given").exists():
      made = self.folder / "given.part"
      pid = _fork(lambda: stage_commands.give(made), self.folder / "log")
      assert not os.waitpid(pid, 0)[1], (self.folder / "log").read_text()
      made.rename(self.folder / "given")
    took = {}
    for name in stage_commands.needed(names):
      note = self.whole / f"{name}.json"
      if not note.exists():
        # Once to compile, once for its time.
        for _ in range(2 if name in names else 1):
          shutil.rmtree(self.out(name), ignore_errors=True)
          _, *seconds = self.run(name)
        shutil.rmtree(self.whole / name, ignore_errors=True)
        shutil.copytree(self.out(name), self.whole / name)
        note.write_text(json.dumps(seconds))
      took[name] = json.loads(note.read_text())
      both = "{:.1f} s from its first write, {:.1f} s from its first shard or"
      print(f"{name}: {both.format(*took[name])} state", flush=True)
    return {name: took[name] for name in names}

  def run(
    self, name: str, delay: float | None = None, *, of_work: bool = False
  ) -> tuple[bool, float, float]:
    """Runs a stage and kills it.

    Args:
      name: of the stage.
      delay: in seconds; None: it is not killed.
      of_work: the delay is from its first new shard or state, not from its
        first write.

    Returns:
      Whether it was killed; seconds from either of these to its end.
    """
    stage = {**stage_commands.STAGES, **stage_commands.OTHERS}[name]
    out, log = self.out(name), self.folder / f"{name}.log"
    before, worked = _listing(out), _work(out)
    arguments = stage.arguments(out, self.places)
    pid = _fork(lambda: _launch(stage.launcher, arguments), log)
    begun: list[float | None] = [None, None]
    until = time.monotonic() + _LONGEST
    while not (ended := os.waitpid(pid, os.WNOHANG))[0]:
      now = time.monotonic()
      if begun[0] is None and _listing(out) != before:
        begun[0] = now
      if begun[1] is None and _work(out) - worked:
        begun[1] = now
      since = begun[of_work]
      due = delay is not None and since is not None and now > since + delay
      if due or now > until:
        os.kill(pid, signal.SIGKILL)
        ended = os.waitpid(pid, 0)
        assert due, f"{name} took over {_LONGEST} s: {log.read_text()}"
        break
      time.sleep(0.001)
    status = os.waitstatus_to_exitcode(ended[1])
    assert status in (0, -signal.SIGKILL), f"{name}: {log.read_text()}"
    now = time.monotonic()
    return status != 0, now - (begun[0] or now), now - (begun[1] or now)

  def kill(
    self,
    name: str,
    longest: list[float],
    kills: int,
    told: Callable[[str], None],
  ) -> collections.Counter[str]:
    """Kills a stage so many times, and compares each run that then ended."""
    found = collections.Counter[str]()
    places = set()
    while found["kills"] < kills:
      shutil.rmtree(self.out(name), ignore_errors=True)
      killed, first = True, True
      while killed:
        # One that writes a single file has nothing to get further from.
        of_work = (
          found["kills"] % 2 == 1 and not stage_commands.STAGES[name].out
        )
        delay = None
        if found["kills"] < kills:
          delay = self.random.uniform(0, longest[of_work])
        killed, *seconds = self.run(name, delay, of_work=of_work)
        if killed:
          found["kills"] += 1
          there = _work(self.out(name))
          places.add(frozenset(there))
          told(
            f"{name}: killed {seconds[0]:.2f} s in, {len(there)} files there"
          )
        elif first:
          # Where it was slower then, kills would come too late.
          longest = [min(pair) for pair in zip(longest, seconds, strict=True)]
        first = False
      found["runs"] += 1
      found += self.compare(name)
    found["places"] = len(places)
    return found

  def compare(self, name: str) -> collections.Counter[str]:
    """What a run that was killed lacks, has twice, or has otherwise."""
    mine, whole = self.out(name), self.whole / name
    found = collections.Counter[str]()
    rows, wanted = _rows(mine), _rows(whole)
    found["rows"] = wanted.total()
    found["rows lost"] = (wanted - rows).total()
    found["rows doubled or foreign"] = (rows - wanted).total()
    both = stage_commands.untimed(mine), stage_commands.untimed(whole)
    found["files"] = len(both[1])
    for path in sorted({*both[0], *both[1]}):
      if both[0].get(path) != both[1].get(path):
        print(f"{mine / path}: other bytes than {whole / path}", flush=True)
        found["files that differ"] += 1
    if (mine / "config.json").exists():
      log = self.folder / "verify_run.log"
      check = [f"--run={mine}"]
      pid = _fork(lambda: _launch("verify_run", check), log)
      if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]):
        print(log.read_text(), flush=True)
        found["faults"] += 1
    return found


def _fork(work: Callable[[], None], log: pathlib.Path) -> int:
  """Does some work in a child, which writes what it says to a file."""
  sys.stdout.flush()
  if pid := os.fork():
    return pid
  status = 1
  try:
    with open(log, "wb") as file:
      os.dup2(file.fileno(), 1)
      os.dup2(file.fileno(), 2)
    work()
    status = 0
  except SystemExit as error:
    status = (
      error.code if isinstance(error.code, int) else int(bool(error.code))
    )
  except BaseException:
    traceback.print_exc()
  finally:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _launch(launcher: str, arguments: Sequence[str]) -> None:
  sys.argv = [launcher, *arguments]
  runpy.run_module(f"launch.{launcher}", run_name="__main__", alter_sys=True)


def _listing(folder: pathlib.Path) -> set[tuple[str, int, int]]:
  """Changes with everything that is written below a folder."""
  found = set()
  for root, _, names in os.walk(folder):
    for name in names:
      path = os.path.join(root, name)
      try:
        state = os.stat(path)
      except FileNotFoundError:  # Renamed meanwhile.
        continue
      name = os.path.relpath(path, folder)
      found.add((name, state.st_size, state.st_mtime_ns))
  return found


def _work(folder: pathlib.Path) -> set[str]:
  """Files that came of work: those of stages and of states."""
  return {path for path, *_ in _listing(folder) if "/" in path}


def _rows(folder: pathlib.Path) -> collections.Counter[str]:
  found = collections.Counter[str]()
  for path in folder.glob("*/*.parquet"):
    with pq.ParquetFile(path) as file:
      rows = file.read().to_pylist()
    found.update(f"{path.parent.name} {row}" for row in rows)
  return found


def main() -> int:
  """Prints a line for each kill, a table, and a line of sums."""
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument("--kills", type=int, default=100, help="over all stages")
  parser.add_argument("--out", type=pathlib.Path, required=True)
  parser.add_argument("--stages", default=",".join(stage_commands.STAGES))
  parser.add_argument("--seed", type=int, default=0)
  given = parser.parse_args()
  names = given.stages.split(",")
  out = given.out.absolute()
  out.mkdir(parents=True, exist_ok=True)
  os.environ["TOKENIZERS_PARALLELISM"] = "false"  # Else it warns of forks.
  jax.config.update("jax_platforms", "cpu")
  jax.config.update("jax_compilation_cache_dir", str(out / "cache"))
  jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
  os.chdir(kill_harness.ROOT)
  for name in _SHARED:
    importlib.import_module(f"launch.{name}")
  harness = Harness(out, given.seed)
  took = harness.prepare(names)
  total = collections.Counter[str]()

  def told(line: str) -> None:
    total["told"] += 1
    print(f"[{total['told']}/{given.kills}] {line}", flush=True)

  for number, name in enumerate(names):
    kills = len(range(number, given.kills, len(names)))
    if kills:
      found = harness.kill(name, took[name], kills, told)
      print(f"{name}: {_words(found)}", flush=True)
      total += found
  del total["told"]
  print(f"all: {_words(total)}")
  bad = ("rows lost", "rows doubled or foreign", "files that differ", "faults")
  return int(any(total[name] for name in bad))


def _words(found: collections.Counter[str]) -> str:
  return (
    f"{found['kills']} kills in {found['places']} places of {found['runs']}"
    f" runs; of {found['rows']} rows {found['rows lost']} lost,"
    f" {found['rows doubled or foreign']} doubled or foreign; of"
    f" {found['files']} files {found['files that differ']} differ;"
    f" {found['faults']} faults by verify_run"
  )


if __name__ == "__main__":
  sys.exit(main())
