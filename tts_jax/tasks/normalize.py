r"""Canonical forms of answers in LaTeX.

Two answers vote together if their canonical forms are the same string. That
relation is symmetric and transitive whatever the answers, needs no algebra and
no clock. It joins what PRM800K's grader joins by rewriting: spacing, fractions
in all their spellings, units, percent, degrees, currency, thousands separators,
`x=` before a value; numbers are exact fractions in lowest terms, tuples,
intervals and matrices are compared by element, sets and bare lists in any
order. As there, the unknown's name before a value is dropped: `x=0` is `y=0`.
"""

import fractions
import re

# Longer than any reference answer of MATH; beyond it an answer is babble.
_MAX_LENGTH = 400
_MAX_DIGITS = 64
_MAX_DEPTH = 6

_UNITS = (
  "degree|cent|dollar|percent|pct|point|unit|mile|meter|metre|centimeter"
  "|kilometer|inche|inch|foot|feet|yard|second|minute|hour|day|week|month|year"
  "|gram|kilogram|pound|ounce|liter|gallon|mph|cm|km|mm|kg|sq"
)
# Times of day are no units: without them noon and midnight would be equal.
_KEPT_TEXT = re.compile(r"[ap]\.?m\.?", re.IGNORECASE)
_TEXT = r"\\(?P<font>text(?:bf|it|rm|normal)?|mbox|math(?:rm|bf|it))\s*"
_POWER = r"(?:\s*\^\s*(?:\{\s*\d\s*\}|\d))?"
_TRAILING_TEXT = re.compile(
  rf"(?<=[\d}})])\s*{_TEXT}\{{(?P<unit>[^{{}}]*)\}}{_POWER}$"
)

# In this order; each pattern is replaced throughout.
_NOTATION = (
  ("\N{MINUS SIGN}", "-"),
  ("\N{GREEK SMALL LETTER PI}", r"\\pi "),
  ("\N{INFINITY}", r"\\infty "),
  ("\N{MULTIPLICATION SIGN}", r"\\times "),
  (r"(?<=\d)(?:\{,\}|,\s*\\!)\s*(?=\d{3})", ""),
  (r"(?<!\\)\\!", ""),
  (r"(?<!\\)\\[,;: ]|\\q?quad(?![a-zA-Z])|~", " "),
  (r"\\(?:left|right|[bB]igg?[lrm]?|displaystyle)(?![a-zA-Z])", ""),
  (r"\\[dtc]frac(?![a-zA-Z])", r"\\frac"),
  (r"\^\s*(?:\\circ(?![a-zA-Z])|\{\s*\\circ\s*\})", ""),
  (r"\\degrees?(?![a-zA-Z])|\N{DEGREE SIGN}", ""),
  (r"\\?%|\\?\$|[\N{EURO SIGN}\N{POUND SIGN}]", ""),
  (rf"{_TEXT}\{{\s*,?\s*(?:and|or)\s*\}}", ","),
  (rf"{_TEXT}\{{([^{{}}]*)\}}", r"\2"),
  (rf"(?<=[\d}})])\s*\b(?:{_UNITS})s?\b\.?{_POWER}\s*$", ""),
  (r"\s*,?\s*\b(?:and|or)\b\s*(?=\S)", ","),
  (r"<=|\\leq(?:slant)?(?![a-zA-Z])", r"\\le "),
  (r">=|\\geq(?:slant)?(?![a-zA-Z])", r"\\ge "),
  (r"!=|\\neq(?![a-zA-Z])", r"\\ne "),
  (r"\\lt(?![a-zA-Z])", "<"),
  (r"\\gt(?![a-zA-Z])", ">"),
  (r"\*\*", "^"),
  (r"\\times(?![a-zA-Z])|\*", r"\\cdot "),
  (r"\+\s*(?=\\infty)", ""),
  (r"([\^_])\s*\{\s*(\w)\s*\}", r"\1\2"),
)
_SPACING = (
  (r",(?:\s*,)+", ","),
  # A space stays where it ends the name of a command.
  (r"(\\[a-zA-Z]+)\s+(?=[a-zA-Z])", "\\1\0"),
  (r"\s+", ""),
  ("\0", " "),
)

_PLAIN = r"(?:\d+\.?\d*|\.\d+)"
_RATIONAL = re.compile(
  rf"(?P<sign>[-+]?)(?:(?P<value>{_PLAIN})"
  rf"|(?P<top>{_PLAIN})/(?P<bottom>{_PLAIN})"
  rf"|(?P<whole>\d*)\\frac\{{(?P<upper>-?{_PLAIN})\}}\{{(?P<lower>{_PLAIN})\}})",
  re.ASCII,
)
_SPACED_MIXED = re.compile(r"([-+]?\d+)\s+(\d+)\s*/\s*(\d+)")
_THOUSANDS = re.compile(
  r"(?<![\d.,])\d{1,3}([ ,])\d{3}(?:\1\d{3})*(?![\d,])", re.ASCII
)
_NAME = r"(?:[a-zA-Z]|\\[a-zA-Z]+)(?:_\w|_\{\w+\})?"
_ASSIGNMENT = re.compile(
  rf"(?P<name>{_NAME}|{_NAME}\({_NAME}\)|\({_NAME}(?:,{_NAME})+\))"
  r"(?:=|\\in ?)(?P<value>[^=<>]+)"
)
_SLASH = re.compile(
  rf"(-?)((?:\d|[a-zA-Z]|\\pi ?|\\sqrt\{{\w+\}})+)/(\d+|{_NAME})"
)
_CHOICE = re.compile(r"\(([A-Z])\)")
_WORD = re.compile(r"[A-Za-z]{2,}")
_MATRIX = re.compile(r"\\begin\{([pb]matrix)\}(.*)\\end\{\1\}", re.DOTALL)
_WRAPPERS = (("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]"))
_OPENING, _CLOSING = "([{", ")]}"


def canonical(answer: str) -> str | None:
  """Returns the form in which an answer votes, None if there is nothing in it.

  Longer texts than any answer has are None too. The time is bounded.
  """
  if len(answer) > _MAX_LENGTH:
    return None
  return _form(normalize(answer), 0) or None


def normalize(answer: str) -> str:
  """Rewrites the notation of an answer, and leaves its values alone."""
  text = _without_unit(_unwrap(answer.strip()))
  mixed = _SPACED_MIXED.fullmatch(text)
  if mixed:
    text = rf"{mixed[1]}\frac{{{mixed[2]}}}{{{mixed[3]}}}"
  for pattern, replacement in _NOTATION:
    text = re.sub(pattern, replacement, text)
  if not any(bracket in text for bracket in ("(", "[", r"\{")):
    text = _THOUSANDS.sub(lambda match: re.sub("[ ,]", "", match[0]), text)
  for pattern, replacement in _SPACING:
    text = re.sub(pattern, replacement, text)
  text = text if text.endswith(r"\.") else text.rstrip(".")
  return _brace(_brace(text, r"\frac", 2), r"\sqrt", 1)


def _unwrap(text: str) -> str:
  r"""Takes away a full stop, dollars, `\( \)` and a box around all of it."""
  before = None
  while text != before:
    before = text
    text = text.strip()
    if not text.endswith(r"\."):
      text = text.rstrip(".")
    for opening, closing in _WRAPPERS:
      inner = text[len(opening) : -len(closing)]
      if text == opening + inner + closing and opening not in inner:
        text = inner
    if text.startswith(r"\boxed{") and _group_end(text, 6) == len(text):
      text = text[7:-1]
  return text


def _without_unit(text: str) -> str:
  match = _TRAILING_TEXT.search(text)
  if match is None or _KEPT_TEXT.fullmatch(match["unit"].strip()):
    return text
  # `2\mathrm{i}` is a number, `2\text{ m}` a length.
  if match["font"].startswith("math") and len(match["unit"].strip()) < 2:
    return text
  return text[: match.start()]


def _group_end(text: str, start: int) -> int:
  """The position after the brace group that opens at `start`, or -1."""
  depth = 0
  for place in range(start, len(text)):
    depth += (text[place] == "{") - (text[place] == "}")
    if depth == 0:
      return place + 1
  return -1


def _brace(text: str, command: str, arguments: int) -> str:
  r"""Puts braces around the arguments of a command: `\frac12`, `\sqrt3`."""
  found = re.finditer(re.escape(command) + r"(?![a-zA-Z]) ?", text)
  # From the right, so that what a command encloses is done before it.
  for match in reversed(list(found)):
    text = text[: match.start()] + command + text[match.end() :]
    place = match.start() + len(command)
    for _ in range(arguments):
      if text[place : place + 1] == "{":
        place = _group_end(text, place)
      else:
        token = re.compile(r"\\pi ?|[^\\{}\[\]]").match(text, place)
        if token is None:
          break
        braced = "{" + token[0].strip() + "}"
        text = text[:place] + braced + text[token.end() :]
        place += len(braced)
      if place < 0:
        break
  return text


def _rational(text: str) -> str | None:
  """The number in lowest terms, None where the text is anything else."""
  match = _RATIONAL.fullmatch(text)
  if match is None or len(text) > _MAX_DIGITS:
    return None
  top = fractions.Fraction(match["value"] or match["top"] or match["upper"])
  bottom = fractions.Fraction(match["bottom"] or match["lower"] or 1)
  if not bottom:
    return None
  if match["whole"] and top < 0:
    return None
  value = int(match["whole"] or 0) + top / bottom
  return str(-value if match["sign"] == "-" else value)


def _split(text: str, separator: str) -> list[str]:
  """Splits at separators that stand outside of all brackets."""
  parts, depth, start, place = [], 0, 0, 0
  while place < len(text):
    if depth == 0 and text.startswith(separator, place):
      parts.append(text[start:place])
      place = start = place + len(separator)
      continue
    if text[place] == "\\" and text[place + 1 : place + 2] == "\\":
      place += 1
    depth += text[place] in _OPENING
    depth -= text[place] in _CLOSING
    place += 1
  return [*parts, text[start:]]


def _enclosed(text: str, opening: str, closing: str) -> str | None:
  """What one pair of brackets around the whole text holds, or None."""
  inner = text[len(opening) : len(text) - len(closing)]
  if len(text) <= len(opening) or text != opening + inner + closing:
    return None
  depth = 0
  for letter in inner:
    depth += (letter in _OPENING) - (letter in _CLOSING)
    if depth < 0:
      return None
  return inner


def _form(text: str, depth: int) -> str:
  """The canonical form of normalised text; `depth` counts enclosing ones."""
  number = _rational(text)
  if number is not None or depth > _MAX_DEPTH:
    return text if number is None else number
  for opening in ("(", "["):
    for closing in (")", "]"):
      inner = _enclosed(text, opening, closing)
      parts = [] if inner is None else _elements(inner)
      if len(parts) > 1:
        forms = (_form(part, depth + 1) for part in parts)
        return opening + ",".join(forms) + closing
  matrix = _MATRIX.fullmatch(text)
  if matrix:
    return _matrix_form(matrix[2], depth)
  inner = _enclosed(text, r"\{", r"\}")
  if inner is not None:
    return _set_form(_elements(inner), depth)
  inner = _enclosed(text, "{", "}")
  if inner is not None:
    return _form(inner, depth + 1)
  parts = _elements(text)
  if len(parts) > 1:
    return _set_form(parts, depth)
  parts = _split(text, r"\cup")
  if len(parts) > 1:
    return r"\cup".join(sorted(_form(part, depth + 1) for part in parts))
  assignment = _ASSIGNMENT.fullmatch(text)
  if assignment:
    return _form(assignment["value"], depth + 1)
  return _atom_form(text)


def _elements(text: str) -> list[str]:
  """Splits a list, at semicolons where there are any."""
  parts = _split(text, ";")
  parts = parts if len(parts) > 1 else _split(text, ",")
  return [part for part in parts if part] if len(parts) > 1 else parts


def _set_form(parts: list[str], depth: int) -> str:
  """Elements in one order. `x=1,x=2` are values, `x=1,y=2` equations."""
  names = {match["name"] for part in parts if (match := _assigned(part))}
  forms = []
  for part in parts:
    match = _assigned(part)
    if match and len(names) > 1:
      value = _form(match["value"], depth + 1)
      forms.append(f"{match['name']}={value}")
    else:
      forms.append(_form(part, depth + 1))
  return r"\{" + ",".join(sorted(forms)) + r"\}"


def _assigned(text: str) -> re.Match[str] | None:
  return _ASSIGNMENT.fullmatch(text)


def _matrix_form(inner: str, depth: int) -> str:
  rows = [row for row in _split(inner, r"\\") if row]
  forms = (
    "&".join(_form(entry, depth + 1) for entry in _split(row, "&"))
    for row in rows
  )
  return r"\begin{pmatrix}" + r"\\".join(forms) + r"\end{pmatrix}"


def _atom_form(text: str) -> str:
  choice = _CHOICE.fullmatch(text)
  if choice:
    return choice[1]
  if _WORD.fullmatch(text):
    return text.lower()
  slash = _SLASH.fullmatch(text)
  if slash:
    return rf"{slash[1]}\frac{{{slash[2].strip()}}}{{{slash[3]}}}"
  return text
