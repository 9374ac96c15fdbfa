"""Files gone wrong: any bytes, valid ones cut and mangled, values exchanged."""

import copy
import json

import hypothesis
from hypothesis import strategies as st

from tts_jax import errors

# What readers of text and of JSON trip over.
_PIECES = (
  b"",
  b"\x00",
  b"\xff\xfe",
  b"\xef\xbb\xbf",
  b"\n",
  b"\r\n",
  b'"',
  b"}",
  b"[" * 5000,
  b"9" * 5000,
  b"NaN",
  b'"\\ud800"',
  b"\\u0000",
)
# What may stand in the place of a value.
_VALUES = (
  None,
  True,
  False,
  0,
  -1,
  1,
  3,
  10**12,
  10**400,
  0.5,
  -0.0,
  1e308,
  float("nan"),
  float("inf"),
  "",
  " ",
  "a\nb",
  "\ud800",
  "full_attention",
  [],
  [[]],
  [None],
  [1, "a"],
  {},
  {"a": 1},
  {"content": 3},
)


@st.composite
def of_bytes(draw, valid: bytes) -> bytes:
  """Any bytes, or the valid ones with up to three cuts or insertions."""
  if draw(st.integers(0, 4)) == 0:
    return draw(st.binary(max_size=40))
  found = valid
  for _ in range(draw(st.integers(1, 3))):
    start = draw(st.integers(0, len(found)))
    # Most often little is lost; now and then all that follows.
    lost = draw(st.sampled_from((0, 1, 1, 8, len(found))))
    piece = draw(st.sampled_from(_PIECES) | st.binary(max_size=3))
    found = found[:start] + piece + found[start + lost :]
  return found


@st.composite
def of_json(draw, valid: object) -> object:
  """The valid value with one or two of its parts exchanged, or lost."""
  found = copy.deepcopy(valid)
  for _ in range(draw(st.integers(1, 2))):
    places = list(_places(found))
    if not places:
      return draw(st.sampled_from(_VALUES))
    holder, key = draw(st.sampled_from(places))
    if draw(st.integers(0, 4)) == 0:
      del holder[key]
    else:
      holder[key] = copy.deepcopy(draw(st.sampled_from(_VALUES)))
  return found


def dumped(value: object) -> bytes:
  """JSON, as others write it: ASCII, with NaN and halves of characters."""
  return json.dumps(value).encode()


def _places(value: object, depth: int = 0):
  keys = ()
  if isinstance(value, dict):
    keys = list(value)
  elif isinstance(value, list):
    keys = range(len(value))
  for key in keys:
    yield value, key
    if depth < 4:
      yield from _places(value[key], depth + 1)


_FEW = {"deadline": None, "derandomize": True, "database": None}


def fuzz(examples):
  """Runs a test on a few examples, the same ones each time."""
  return hypothesis.settings(max_examples=examples, **_FEW)


def attempt(folder, read):
  """What a reader gives; None where it says what is wrong."""
  try:
    return read()
  except errors.InputError as error:
    said = str(error)
    assert str(folder) in said, said
    assert "\n" not in said, said
    return None


def either(valid, lines=False):
  """Bytes in the place of a file that holds a JSON value."""
  if lines:
    text = b"\n".join(map(dumped, valid))
    changed = of_json(valid).map(
      lambda found: b"\n".join(
        map(dumped, found if isinstance(found, list) else [found])
      )
    )
  else:
    text = dumped(valid)
    changed = of_json(valid).map(dumped)
  return changed | of_bytes(text)
