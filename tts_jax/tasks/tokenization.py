"""Byte-pair encoding in which a digit and a newline are tokens of their own."""

import dataclasses
import hashlib
import itertools
import json
import os
import pathlib
from collections.abc import Iterable

import tokenizers

from tts_jax import errors

END = "<|end|>"
_FILE = "tokenizer.json"
_CONFIG_FILE = "tokenizer_config.json"


# What steps end with and begin with.
_CONTEXTS = ("a", "1", ".", ")", "$", "S", " ")


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

  def encode_prompt(self, text: str) -> list[int]:
    """Token ids of a prompt, with the start token where the model has one."""
    return self.backend.encode(text).ids

  def tokens_with(self, text: str) -> frozenset[int]:
    """The tokens whose own text contains `text`, such as a step delimiter.

    Raises:
      InputError: there is none; or between words, in some contexts, `text` is
        split over tokens none of which contains it.
    """
    found = frozenset(
      token for token in range(self.vocabulary) if text in self.decode([token])
    )
    if not found:
      raise errors.InputError(
        f"no token of the tokenizer contains the delimiter {text!r}"
      )
    for before, after in itertools.product(_CONTEXTS, _CONTEXTS):
      tokens = self.encode(before + text + after)
      if found.isdisjoint(tokens):
        pieces = [self.decode([token]) for token in tokens]
        raise errors.InputError(
          f"the tokenizer splits the delimiter {text!r} between {before!r} and"
          f" {after!r}, into {pieces}: steps would not end there; give the task"
          " a shorter delimiter"
        )
    return found

  def save(self, folder: pathlib.Path) -> None:
    """Writes a Hugging Face folder's tokenizer files, each whole or not.

    The second says that the first is there, see `is_saved`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / _FILE, self.backend.to_str(pretty=True))
    end = {
      "tokenizer_class": "PreTrainedTokenizerFast",
      "eos_token": self.backend.id_to_token(self.end_token),
    }
    _write(folder / _CONFIG_FILE, json.dumps(end, indent=2) + "\n")


def is_saved(folder: pathlib.Path) -> bool:
  """Whether `Tokenizer.save` has finished in this folder."""
  return (folder / _CONFIG_FILE).is_file()


def _write(path: pathlib.Path, text: str) -> None:
  """Writes a file under a name that the next try takes again; renames it."""
  temporary = path.with_name(f".{path.name}.tmp")
  with temporary.open("w", encoding="utf-8") as file:
    file.write(text)
    file.flush()
    os.fsync(file.fileno())
  os.replace(temporary, path)


def load(folder: pathlib.Path) -> Tokenizer:
  """Reads the tokenizer of a Hugging Face folder.

  Raises:
    InputError: a file is missing or malformed, or names no end token.
  """
  path, config = folder / _FILE, folder / _CONFIG_FILE
  for needed in (path, config):
    if not needed.is_file():
      raise errors.InputError(f"{needed}: no such tokenizer file")
  try:
    backend = tokenizers.Tokenizer.from_file(str(path))
  except Exception as error:  # The backend raises nothing narrower.
    raise errors.InputError(f"{path}: not a tokenizer: {error}") from error
  try:
    end = json.loads(config.read_text(encoding="utf-8")).get("eos_token")
  except json.JSONDecodeError as error:
    raise errors.InputError(f"{config}: not JSON: {error}") from error
  end = end["content"] if isinstance(end, dict) else end
  end_token = None if end is None else backend.token_to_id(end)
  if end_token is None:
    raise errors.InputError(
      f"{config}: eos_token is {end!r}; it must be a token of {path.name}"
    )
  return Tokenizer(backend, end_token)


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
  end_token = backend.token_to_id(END)
  assert end_token is not None, "the trainer adds its special tokens"
  return Tokenizer(backend, end_token)
