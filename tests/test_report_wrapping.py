"""Lines keep to their room, and what is left out is the middle."""

import pytest

from tts_jax.report import wrapping


@pytest.mark.parametrize(
  "text",
  ["", " \n", "a", "a b c", "word " * 50, "x" * 300, "W" * 70, "數學" * 40],
)
@pytest.mark.parametrize("lines", [1, 2, 3])
def test_lines_keep_to_their_room(text, lines):
  wrapped = wrapping.wrap(text, 17.0, lines)
  assert len(wrapped) <= lines
  assert all(line and wrapping.width(line) <= 17 for line in wrapped)
  if wrapping.ELLIPSIS in "".join(wrapped):
    head, tail = " ".join(wrapped).split(wrapping.ELLIPSIS)
    flat = " ".join(text.split())
    assert flat.startswith(head)
    assert flat.replace(" ", "").endswith(tail.replace(" ", ""))
  else:
    assert "".join(wrapped).replace(" ", "") == "".join(text.split())
