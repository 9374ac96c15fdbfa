"""Byte-pair encoding in which a digit and a newline are tokens of their own."""

import dataclasses
import hashlib
import pathlib
from collections.abc import Iterable

import tokenizers

from tts_jax import errors

END = "<|end|>"


@dataclasses.dataclass(frozen=True)
class Tokenizer:
  """A `tokenizers` tokenizer and the ids that the project needs.

  Attributes:
    backend: does the work.
    end_token: id of the token that ends a completion.
  """

  backend: tokenizers.Tokenizer
  end_token: int

  @property
  def vocabulary(self) -> int:
    """V, the number of tokens."""
    return self.backend.get_vocab_size()

  @property
  def digest(self) -> str:
    """Hash that tells two tokenizers apart."""
    return hashlib.sha256(self.backend.to_str().encode()).hexdigest()[:16]

  def encode(self, text: str) -> list[int]:
    """Token ids of `text`, no special token added."""
    return self.backend.encode(text, add_special_tokens=False).ids

  def encode_all(self, texts: list[str]) -> list[list[int]]:
    """Token ids of each text, on all cores."""
    encodings = self.backend.encode_batch(texts, add_special_tokens=False)
    return [encoding.ids for encoding in encodings]

  def decode(self, tokens: Iterable[int]) -> str:
    """The text of `tokens`, special tokens left out."""
    return self.backend.decode(list(tokens), skip_special_tokens=True)

  def save(self, path: pathlib.Path) -> None:
    """Writes `tokenizer.json`, the Hugging Face format."""
    path.write_text(self.backend.to_str(pretty=True), encoding="utf-8")

  @classmethod
  def load(cls, path: pathlib.Path, end: str = END) -> "Tokenizer":
    """Reads a `tokenizer.json`; `end` is the text of its end token."""
    if not path.is_file():
      raise errors.InputError(f"{path}: no such tokenizer file")
    try:
      backend = tokenizers.Tokenizer.from_file(str(path))
    except Exception as error:  # The backend raises nothing narrower.
      raise errors.InputError(f"{path}: not a tokenizer: {error}") from error
    end_token = backend.token_to_id(end)
    if end_token is None:
      raise errors.InputError(f"{path}: has no end token {end!r}")
    return cls(backend, end_token)


def train(texts: Iterable[str], vocabulary: int) -> Tokenizer:
  """Learns byte-pair merges from `texts`.

  A newline never merges, so a step ends with the same token wherever it
  stands; digits never merge, so a number is read place by place.

  Args:
    texts: prompts and completions.
    vocabulary: number of tokens, the 256 bytes and the end token among them.

  Returns:
    The tokenizer.
  """
  split = tokenizers.pre_tokenizers
  backend = tokenizers.Tokenizer(tokenizers.models.BPE())
  backend.pre_tokenizer = split.Sequence(
    [
      split.Split(tokenizers.Regex(r"\n"), "isolated"),
      split.Digits(individual_digits=True),
      split.ByteLevel(add_prefix_space=False),
    ]
  )
  backend.decoder = tokenizers.decoders.ByteLevel()
  backend.train_from_iterator(
    texts,
    tokenizers.trainers.BpeTrainer(
      vocab_size=vocabulary,
      special_tokens=[END],
      initial_alphabet=split.ByteLevel.alphabet(),
      show_progress=False,
    ),
  )
  return Tokenizer(backend, backend.token_to_id(END))
