"""Stop strings: text that a model goes on with when its answer is over."""

from collections.abc import Iterable


def before_stop(text: str, stop: Iterable[str]) -> str:
  """The text up to the first stop string in it, all of it where there is none.

  The first is the one that is whole first, and of those that end together the
  longest: what a model would go on with after it changes nothing.
  """
  found = [
    (start + len(one), start) for one in stop if (start := text.find(one)) >= 0
  ]
  return text[: min(found)[1]] if found else text
