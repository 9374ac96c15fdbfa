"""Byte-pair encoding in which a digit and a newline are tokens of their own."""

import dataclasses
import functools
import hashlib
import itertools
import json
import os
import pathlib
from collections.abc import Iterable
from typing import Any

import tokenizers

from tts_jax import errors, json_input, storage
from tts_jax.tasks import automaton, token_bytes

END = "<|end|>"
_FILE = "tokenizer.json"
CONFIG_FILE = "tokenizer_config.json"
# What generation reads of a published model, the first that says it.
_GENERATION_FILE = "generation_config.json"
_END_FILES = (_GENERATION_FILE, "config.json")
_IDS = 2**32  # Of tokens: what the backend counts in.
# GPT-2's own files, from before tokenizer.json.
_GPT2_FILES, _GPT2_END = ("encoder.json", "vocab.bpe"), "<|endoftext|>"
# All that `load` may read, as patterns.
FILES = ("tokenizer*.json", _GENERATION_FILE, *_GPT2_FILES)

# What steps end with and begin with.
_CONTEXTS = ("a", "1", ".", ")", "$", "S", " ")


@dataclasses.dataclass(frozen=True)
class Tokenizer:
  """A `tokenizers` tokenizer and the ids that the project needs.

  Attributes:
    backend: does the work.
    end_token: id of the token that ends a completion.
    other_ends: tokens that end one as well, as a chat model's turns do.
    start: tokens that every prompt begins with.
  """

  backend: tokenizers.Tokenizer
  end_token: int
  other_ends: tuple[int, ...] = ()
  start: tuple[int, ...] = ()

  @functools.cached_property
  def vocabulary(self) -> int:
    """V, one more than the largest id: some published ones have gaps."""
    return max(self.backend.get_vocab().values()) + 1

  @property
  def end_tokens(self) -> tuple[int, ...]:
    """All tokens that end a completion; those that are written come first."""
    return (self.end_token, *self.other_ends)

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
    """The text of `tokens`, special tokens and ends left out."""
    # Not every published end token is marked as special.
    kept = [token for token in tokens if token not in self.end_tokens]
    return self.backend.decode(kept, skip_special_tokens=True)

  def encode_prompt(self, text: str) -> list[int]:
    """Token ids of a prompt, with the start tokens where the model has some.

    A text that spells them out, as chat templates do, gets them once.
    """
    tokens = self.encode(text)
    if tuple(tokens[: len(self.start)]) == self.start:
      return tokens
    return [*self.start, *tokens]

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

  def delimiters(self, text: str) -> automaton.Delimiters:
    """What ends a step, where `text` does.

    A byte is in one token: those tokens tell it. Of more, some may be in one
    token and some in the next, which takes a rule.

    Raises:
      InputError: as `tokens_with`; no tokens make up the text.
    """
    return self.rule(text) or self.tokens_with(text)

  def rule(self, text: str) -> automaton.Automaton | None:
    """As `delimiters`; None where single tokens tell."""
    if len(text.encode()) == 1:
      return None
    found = automaton.build([text.encode()], self.pieces)
    if not found.ends.any():
      raise errors.InputError(
        f"no token of the tokenizer ends the delimiter {text!r}"
      )
    return found

  @functools.cached_property
  def pieces(self) -> list[bytes]:
    """The bytes of each token, [V]; none of those that are no text."""
    return token_bytes.of_tokens(self.backend, self.end_tokens)

  def save(self, folder: pathlib.Path) -> None:
    """Writes a Hugging Face folder's tokenizer files, each whole or not.

    The last says that the others are there, see `is_saved`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / _FILE, self.backend.to_str(pretty=True))
    if self.other_ends:
      ends = json.dumps({"eos_token_id": list(self.end_tokens)}, indent=2)
      _write(folder / _GENERATION_FILE, ends + "\n")
    record: dict[str, Any] = {
      "tokenizer_class": "PreTrainedTokenizerFast",
      "eos_token": self.backend.id_to_token(self.end_token),
    }
    added = _added_at_start(self.backend)
    if self.start != added:
      # They differ by the start token, as `load` makes them.
      (token,) = {*self.start} ^ {*added}
      record["bos_token"] = self.backend.id_to_token(token)
      record["add_bos_token"] = token in self.start
    _write(folder / CONFIG_FILE, json.dumps(record, indent=2) + "\n")


def is_saved(folder: pathlib.Path) -> bool:
  """Whether `Tokenizer.save` has finished in this folder."""
  return (folder / CONFIG_FILE).is_file()


def _write(path: pathlib.Path, text: str) -> None:
  """Writes a file under a name that the next try takes again; renames it."""
  if storage.is_remote(path):
    path.write_text(text)
    return
  temporary = path.with_name(f".{path.name}.tmp")
  with temporary.open("w", encoding="utf-8") as file:
    file.write(text)
    file.flush()
    os.fsync(file.fileno())
  os.replace(temporary, path)


def load(folder: pathlib.Path) -> Tokenizer:
  """Reads the tokenizer of a Hugging Face folder, or of GPT-2's own files.

  A completion ends with `eos_token` of tokenizer_config.json, or with one of
  `eos_token_id` of generation_config.json, or else of config.json: an id or a
  list of them. A prompt starts as `add_bos_token` says, and where nothing says
  it, as tokenizer.json does it.

  Raises:
    InputError: a file is missing or malformed, or names no end token.

  Example:
    >>> from tts_jax.model import embedded
    >>> tokenizer = tts.load_tokenizer(embedded.FOLDER)
    >>> tokenizer.decode(tokenizer.encode("3 apples"))
    '3 apples'
  """
  folder = storage.fetched(folder)
  path, config = folder / _FILE, folder / CONFIG_FILE
  old = [folder / name for name in _GPT2_FILES]
  if not path.is_file() and all(one.is_file() for one in old):
    return _load_gpt2(*old)
  for needed in (path, config):
    if not needed.is_file():
      raise errors.InputError(f"{needed}: no such tokenizer file")
  try:
    backend = tokenizers.Tokenizer.from_file(str(path))
  except Exception as error:  # The backend raises nothing narrower.
    said = " ".join(str(error).split())
    raise errors.InputError(f"{path}: not a tokenizer: {said}") from error
  # Some are published as they were for training.
  backend.no_truncation()
  backend.no_padding()
  settings, ends = json_input.read_object(config), _end_ids(folder, backend)
  end = special_token(settings, "eos_token")
  # Some name their ends by id alone.
  end_token = backend.token_to_id(end) if end else next(iter(ends), None)
  if end_token is None:
    raise errors.InputError(
      f"{config}: eos_token is {end!r}; it must be a token of {path.name}"
    )
  return Tokenizer(
    backend,
    end_token,
    other_ends=tuple(one for one in ends if one != end_token),
    start=_start(backend, settings, config),
  )


def special_token(settings: dict[str, Any], name: str) -> str | None:
  """A token of tokenizer_config.json, as text: it may be an object there."""
  token = settings.get(name)
  token = token.get("content") if isinstance(token, dict) else token
  return token if isinstance(token, str) else None


def _end_ids(folder: pathlib.Path, backend: tokenizers.Tokenizer) -> list[int]:
  """`eos_token_id` of the first file that has it, each id once."""
  for path in (folder / name for name in _END_FILES):
    found = json_input.read_object(path) if path.is_file() else {}
    value = found.get("eos_token_id")
    if value is None:
      continue
    ids = value if isinstance(value, list) else [value]
    for one in ids:
      number = type(one) is int and 0 <= one < _IDS
      if not number or not backend.id_to_token(one):
        raise errors.InputError(
          f"{path}: eos_token_id has {one!r}, which is no token of {_FILE}"
        )
    return list(dict.fromkeys(ids))
  return []


def _start(
  backend: tokenizers.Tokenizer, settings: dict[str, Any], path: pathlib.Path
) -> tuple[int, ...]:
  """The tokens that a prompt starts with."""
  found, wanted = _added_at_start(backend), settings.get("add_bos_token")
  if wanted is None:
    return found
  name = special_token(settings, "bos_token")
  token = None if name is None else backend.token_to_id(name)
  if not wanted:
    return tuple(one for one in found if one != token)
  if token is None:
    raise errors.InputError(
      f"{path}: add_bos_token is true, and bos_token is {name!r}; it must be a"
      f" token of {_FILE}"
    )
  return found if token in found else (token, *found)


def _added_at_start(backend: tokenizers.Tokenizer) -> tuple[int, ...]:
  """What the backend puts before a text by itself."""
  plain = backend.encode("a", add_special_tokens=False).ids
  whole = backend.encode("a").ids
  # Both may be empty.
  places = range(len(whole) - len(plain) + 1)
  place = next(at for at in places if whole[at : at + len(plain)] == plain)
  return tuple(whole[:place])


def _load_gpt2(encoder: pathlib.Path, merges: pathlib.Path) -> Tokenizer:
  try:
    model = tokenizers.models.BPE.from_file(str(encoder), str(merges))
  except Exception as error:  # The backend raises nothing narrower.
    raise errors.InputError(
      f"{encoder}, {merges.name}: not GPT-2's tokenizer: {error}"
    ) from error
  backend = tokenizers.Tokenizer(model)
  bytes_of = tokenizers.pre_tokenizers.ByteLevel
  backend.pre_tokenizer = bytes_of(add_prefix_space=False)
  backend.decoder = tokenizers.decoders.ByteLevel()
  end_token = backend.token_to_id(_GPT2_END)
  if end_token is None:
    raise errors.InputError(f"{encoder}: has no token {_GPT2_END!r}")
  backend.add_special_tokens([_GPT2_END])
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
