r"""Finds the answer that a solution in prose states.

In this order: the last `\boxed{}`, the last `####` line, the last sentence
"the answer is ...".
"""

import re

from tts_jax.tasks import base

_BOX = re.compile(r"\\(?:boxed|fbox)(?![a-zA-Z])\s*")
_BARE = re.compile(r"[^\s$.,]+")
# Chat models set the word, or the answer, or both in bold.
_SENTENCE = re.compile(r"\banswer\**(?: is|\s?:)[:\s*]*", re.IGNORECASE)
_MATH = re.compile(
  r"\$\$?((?:\\.|[^$\\])+)\$\$?|\\\((.+?)\\\)|\\\[(.+?)\\\]", re.DOTALL
)
_MARKUP = " *`"
_SENTENCE_END = re.compile(r"\.(?:\s|$)|\n|\s*I hope it is correct")


def extract_answer(completion: str) -> str | None:
  """Returns the answer as it is written, None where none is stated."""
  return (
    boxed_answer(completion)
    or base.marked_answer(completion)
    or _spoken_answer(completion)
  )


def boxed_answer(completion: str) -> str | None:
  r"""Returns what the last whole `\boxed{}` holds, None if there is none.

  A box that the end of the completion cuts open does not count; `\boxed 5`
  does.
  """
  for match in reversed(list(_BOX.finditer(completion))):
    if completion[match.end() : match.end() + 1] == "{":
      content = _group(completion, match.end())
    else:
      bare = _BARE.match(completion, match.end())
      content = bare[0] if bare else None
    if content is not None and content.strip():
      return content.strip()
  return None


def _group(text: str, start: int) -> str | None:
  """What the brace at `start` holds, up to its partner."""
  depth, place = 0, start
  while place < len(text):
    if text[place] == "\\":
      place += 2
      continue
    depth += (text[place] == "{") - (text[place] == "}")
    if depth == 0:
      return text[start + 1 : place]
    place += 1
  return None


def _spoken_answer(completion: str) -> str | None:
  found = list(_SENTENCE.finditer(completion))
  if not found:
    return None
  rest = completion[found[-1].end() :]
  math = _MATH.match(rest)
  if math:
    return next(part for part in math.groups() if part).strip() or None
  said = _SENTENCE_END.split(rest, maxsplit=1)[0].strip().strip(_MARKUP)
  return said or None
