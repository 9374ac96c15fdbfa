"""The child process of `grading`: compares answers by computer algebra.

Run as a script, never imported: importing math-verify takes seconds, and
algebra on a stranger's expression may take for ever or all memory. A line of
JSON comes in for each pair (`gold`, `answer`, `seconds`), a line goes out with
its `verdict`. A comparison that uses more processor time than `seconds` ends
the process: the kernel does it, because no Python handler runs inside one long
operation on big integers.
"""

import functools
import json
import logging
import os
import re
import resource
import signal
import sys
from typing import Any

import math_verify
from sympy.core import cache, random

_MEMORY = 4 << 30  # bytes of address space
_DELIMITERS = ("$", r"\(", r"\[", r"\boxed")
_COMMAND = re.compile(r"\\[a-zA-Z]+(\s*\{[^{}]*\})?")
_PROSE = re.compile(r"[A-Za-z]{2,}[\s,]+[A-Za-z]{2,}")


def as_latex(answer: str) -> str:
  """Puts a bare answer in dollars, without which only numbers are read."""
  bare = answer.replace(r"\$", "").strip()
  if any(delimiter in bare for delimiter in _DELIMITERS):
    return answer
  if not bare or _PROSE.search(_COMMAND.sub(" ", bare)):
    return answer
  return f"${bare}$"


@functools.lru_cache(1)  # Answers to one question come one after another.
def parse(answer: str) -> list[Any]:
  """What math-verify reads in an answer."""
  return math_verify.parse(as_latex(answer), parsing_timeout=None)


def judge(gold: str, answer: str) -> str:
  """Returns the `base.Verdict` value of one pair."""
  # A verdict shall not depend on what was compared before.
  random.seed(0)
  cache.clear_cache()
  parsed_gold, parsed_answer = parse(gold), parse.__wrapped__(answer)
  if not parsed_gold or not parsed_answer:
    return "ungradable"
  equal = math_verify.verify(
    parsed_gold,
    parsed_answer,
    allow_set_relation_comp=True,
    timeout_seconds=None,
  )
  return "correct" if equal else "wrong"


def main() -> None:
  """Answers requests until the input ends."""
  # The parser's runtime may print: replies keep a channel of their own.
  replies = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
  os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
  # Its warnings say that its own time-outs are off, which is meant.
  logging.disable(logging.CRITICAL)
  # An interrupt at the terminal is the parent's; this ends with its input.
  signal.signal(signal.SIGINT, signal.SIG_IGN)
  resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
  replies.write(json.dumps({"ready": True}) + "\n")
  for line in sys.stdin:
    request = json.loads(line)
    signal.setitimer(signal.ITIMER_PROF, request["seconds"])
    verdict = judge(request["gold"], request["answer"])
    signal.setitimer(signal.ITIMER_PROF, 0)
    replies.write(json.dumps({"verdict": verdict}) + "\n")


if __name__ == "__main__":
  main()
