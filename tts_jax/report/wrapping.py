"""Lines of text for pictures, where nothing wraps by itself.

The reader's font is unknown, so widths are those of a wide one (DejaVu Sans,
Verdana): in any other the text is a little shorter than its room.
"""

import unicodedata

ELLIPSIS = "…"

# In em, each group by its widest character.
_WIDTHS = {
  **dict.fromkeys("ijlfIJ ,./:;\\|'-", 0.36),
  **dict.fromkeys("tr()[]!", 0.41),
  **dict.fromkeys('szc?*_`"', 0.55),
  **dict.fromkeys("w#+<=>^~&M", 0.86),
  **dict.fromkeys("m%W@", 1.0),
}
_UPPER, _OTHER, _FOREIGN = 0.79, 0.64, 1.1


def width(text: str) -> float:
  """How wide `text` is at most, in em."""
  return sum(_width(character) for character in text)


def _width(character: str) -> float:
  if character in _WIDTHS:
    return _WIDTHS[character]
  if unicodedata.combining(character):
    return 0.0
  if character.isascii():
    return _UPPER if character.isupper() else _OTHER
  # What fallback fonts draw, emoji among it, is often as wide as it is high.
  return _UPPER if character.islower() else _FOREIGN


def wrap(text: str, room: float, lines: int) -> list[str]:
  """Breaks `text` into lines, and leaves out of its middle what is too much.

  Steps of one question begin alike and differ at the end, in their result, so
  that of a long one the beginning and the end are shown.

  Args:
    text: any; runs of white space count as one space.
    room: of a line, in em.
    lines: at most so many, at least 1.

  Returns:
    The lines; none for blank text.
  """
  words = [piece for word in text.split() for piece in _pieces(word, room)]
  whole = _fill(words, room)
  if len(whole) <= lines:
    return whole
  if lines == 1:
    half = (room - width(ELLIPSIS)) / 2
    return [_head(" ".join(words), half) + ELLIPSIS + _tail(words, half)]
  head = _head(whole[0], room - width(ELLIPSIS)) + ELLIPSIS
  # From the end: reversed words, reversed lines.
  back = _fill([word[::-1] for word in reversed(words)], room)
  return [head, *(line[::-1] for line in reversed(back[: lines - 1]))]


def _pieces(word: str, room: float) -> list[str]:
  """A word cut where it is wider than a line."""
  pieces = [""]
  for character in word:
    if pieces[-1] and width(pieces[-1] + character) > room:
      pieces.append("")
    pieces[-1] += character
  return pieces


def _fill(words: list[str], room: float) -> list[str]:
  lines: list[str] = []
  for word in words:
    if lines and width(f"{lines[-1]} {word}") <= room:
      lines[-1] += f" {word}"
    else:
      lines.append(word)
  return lines


def _head(text: str, room: float) -> str:
  while width(text) > room:
    text = text[:-1]
  return text.rstrip()


def _tail(words: list[str], room: float) -> str:
  return _head(" ".join(words)[::-1], room)[::-1]
