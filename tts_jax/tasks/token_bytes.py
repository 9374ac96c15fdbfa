"""The bytes that each token of a published vocabulary stands for."""

import json
import re
from collections.abc import Callable, Collection
from typing import Any

import tokenizers

from tts_jax import errors

# Of sentencepiece: a byte that no piece has.
_BYTE = re.compile(r"<0x([0-9A-F]{2})>")
_PIECES = {"Replace", "ByteFallback", "Fuse", "Strip", "Metaspace"}


def byte_alphabet() -> dict[str, int]:
  """The character that stands for each byte in GPT-2's vocabularies.

  Printable bytes stand for themselves; the others, in their order, are the
  characters from 256 on.
  """
  printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
  hidden = [byte for byte in range(256) if byte not in printable]
  found = {chr(byte): byte for byte in printable}
  return found | {chr(256 + at): byte for at, byte in enumerate(hidden)}


def of_tokens(
  backend: tokenizers.Tokenizer, silent: Collection[int] = ()
) -> list[bytes]:
  """The bytes of each token, [V], as they stand inside a text.

  A space that a decoder strips from the very start of a text is there.

  Args:
    backend: byte-level, as GPT-2's, or of pieces, as sentencepiece's.
    silent: tokens that are no text, as special ones are.

  Raises:
    InputError: the tokenizer is of neither kind.
  """
  of_piece = _reader(json.loads(backend.to_str())["decoder"])
  added = backend.get_added_tokens_decoder()
  mute = {*silent, *(at for at, token in added.items() if token.special)}
  vocabulary = backend.get_vocab()
  found = [b""] * (max(vocabulary.values()) + 1)
  for piece, token in vocabulary.items():
    if token not in mute:
      found[token] = of_piece(piece)
  return found


def _reader(decoder: dict[str, Any] | None) -> Callable[[str], bytes]:
  """What turns a piece into its bytes."""
  parts = [] if decoder is None else decoder.get("decoders", [decoder])
  kinds = {part["type"] for part in parts}
  if "ByteLevel" in kinds and kinds <= {"ByteLevel", "Fuse"}:
    alphabet = byte_alphabet()

    def byte_level(piece: str) -> bytes:
      if all(character in alphabet for character in piece):
        return bytes(alphabet[character] for character in piece)
      return piece.encode()

    return byte_level
  if kinds and kinds <= _PIECES:

    def sentence_piece(piece: str) -> bytes:
      found = _BYTE.fullmatch(piece) if "ByteFallback" in kinds else None
      if found:
        return bytes([int(found[1], 16)])
      for part in parts:
        if part["type"] == "Metaspace":
          piece = piece.replace(part["replacement"], " ")
        elif part["type"] == "Replace" and "String" in part["pattern"]:
          piece = piece.replace(part["pattern"]["String"], part["content"])
      return piece.encode()

    return sentence_piece
  raise errors.InputError(
    f"the tokenizer's decoder is of {', '.join(sorted(kinds)) or 'nothing'};"
    " delimiters and stop strings of several characters are found in byte-level"
    " and sentencepiece tokenizers alone"
  )
