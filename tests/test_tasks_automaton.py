"""Strings found over tokens, against strings found in the text."""

import functools
import random

import jax
import numpy as np
import pytest
import tokenizers
from tokenizers import decoders, models

from tts_jax import errors
from tts_jax.decode import matching, pools
from tts_jax.tasks import automaton, jsonl, token_bytes, tokenization
from tts_jax.verify import prefixes

_PUBLISHED = ("tokenizers/gpt2", "models/stories260K-hf")


def _ends(text, strings):
  """Where strings end in a text, none over another: by looking at each end."""
  found, start = [], 0
  for end in range(1, len(text) + 1):
    if any(text[start:end].endswith(one) for one in strings):
      found.append(end)
      start = end
  return found


def _of_tokens(spans, ends):
  """Index past each token in which a string ends, from the tokens' ends."""
  return sorted({int(np.searchsorted(spans, end)) + 1 for end in ends})


def _random_splits(text, vocabulary, rng):
  """The text as random tokens of a vocabulary, {bytes: token}."""
  tokens, place = [], 0
  while place < len(text):
    sizes = list(range(1, 7))
    rng.shuffle(sizes)
    piece = next(
      text[place : place + size]
      for size in [*sizes, 1]
      if text[place : place + size] in vocabulary
    )
    tokens.append(vocabulary[piece])
    place += len(piece)
  return tokens


@functools.cache
def _published(folder):
  return tokenization.load(folder)


@functools.cache
def _solutions(path):
  return [one.solution for one in jsonl.read_questions(path, jsonl.MATH)]


@pytest.mark.parametrize(
  "strings",
  [
    (b"\n\n",),
    (b"aa",),
    (b"aba",),
    (b"abab", b"ba"),
    (b"aab", b"ab", b"bbbb"),
    (b"abcd", b"bc"),
    (b"a",),
  ],
)
def test_random_texts_of_random_tokens(strings):
  rng = random.Random(3)
  letters = sorted({*b"".join(strings), *b"ab"})
  pieces = [b""] + [
    bytes(rng.choices(letters, k=rng.randint(1, 5))) for _ in range(30)
  ]
  rule = automaton.build(strings, pieces)
  assert rule.following.shape == rule.ends.shape
  met = 0
  for _ in range(200):
    tokens = rng.choices(range(len(pieces)), k=20)
    text = b"".join(pieces[token] for token in tokens)
    sizes = [len(pieces[token]) for token in tokens]
    spans = np.cumsum(sizes)
    expected = _of_tokens(spans, _ends(text, strings))
    assert prefixes.step_ends(tokens, rule)[: len(expected)] == expected
    # In two parts, the second from the state of the first.
    first, state = rule.read(tokens[:7])
    second, _ = rule.read(tokens[7:], state)
    assert [*first, *second] == rule.read(tokens)[0]
    met += len(expected)
  assert met > 200


@pytest.mark.parametrize("name", _PUBLISHED)
@pytest.mark.parametrize("delimiter", ["\n", "\n\n"])
def test_steps_end_where_the_delimiter_ends_in_the_text(
  data_dir, name, delimiter
):
  """All of MATH-500's solutions, tokens placed by the tokenizer's offsets."""
  tokenizer = _published(data_dir / name)
  delimiters = tokenizer.delimiters(delimiter)
  texts = _solutions(data_dir / "math" / "math500_test.jsonl")
  many = tokenizer.backend.encode_batch(texts, add_special_tokens=False)
  met = 0
  for text, encoded in zip(texts, many, strict=True):
    assert tokenizer.decode(encoded.ids) == text
    spans = [end for _, end in encoded.offsets]
    expected = _of_tokens(spans, _ends(text, [delimiter]))
    met += len(expected)
    if expected[-1:] != [len(spans)]:
      expected.append(len(spans))
    assert prefixes.step_ends(encoded.ids, delimiters) == expected
  assert met > (1000 if delimiter == "\n" else 100)


@pytest.mark.parametrize("name", _PUBLISHED)
@pytest.mark.parametrize("delimiter", ["\n", "\n\n", "$.", ".\n\n"])
def test_steps_of_a_text_do_not_depend_on_its_tokens(data_dir, name, delimiter):
  tokenizer, rng = _published(data_dir / name), random.Random(5)
  delimiters = tokenizer.delimiters(delimiter)
  vocabulary = {
    piece: token for token, piece in enumerate(tokenizer.pieces) if piece
  }
  texts = _solutions(data_dir / "math" / "math500_test.jsonl")
  split, at, encoded = 0, delimiter.encode(), tokenizer.encode_all(texts)
  for text, own in zip(texts, encoded, strict=True):
    raw = text.encode()
    tokens = _random_splits(raw, vocabulary, rng)
    assert tokens != own
    # What decodes to the same text, but for a first space that is stripped.
    assert tokenizer.decode(tokens) == text.removeprefix(" ")
    spans = np.cumsum([len(tokenizer.pieces[token]) for token in tokens])
    ends = _ends(raw, [at])
    expected = _of_tokens(spans, ends)
    split += sum(end - len(at) < span < end for span in spans for end in ends)
    if expected[-1:] != [len(tokens)]:
      expected.append(len(tokens))
    assert prefixes.step_ends(tokens, delimiters) == expected
  assert split > 20 or len(at) == 1


@pytest.mark.parametrize("name", _PUBLISHED)
def test_pieces_make_up_the_text(data_dir, name):
  tokenizer = _published(data_dir / name)
  texts = _solutions(data_dir / "math" / "math500_test.jsonl")
  texts = [*texts[:100], "naïve 数 \N{GRINNING FACE}\n\t\x00\x7f"]
  for text, tokens in zip(texts, tokenizer.encode_all(texts), strict=True):
    made = b"".join(tokenizer.pieces[token] for token in tokens)
    # A space that is put before every text.
    assert made.removeprefix(b" ") == text.encode().removeprefix(b" ")
  assert len(tokenizer.pieces) == tokenizer.vocabulary
  assert tokenizer.pieces[tokenizer.end_token] == b""


@pytest.mark.parametrize("name", _PUBLISHED)
def test_of_one_byte_the_rule_is_the_set_of_tokens(data_dir, name):
  tokenizer = _published(data_dir / name)
  tokens = tokenizer.delimiters("\n")
  assert tokens == tokenizer.tokens_with("\n")
  rule = automaton.build([b"\n"], tokenizer.pieces)
  assert rule.ends.shape == (tokenizer.vocabulary, 1)
  assert automaton.containing(rule) == rule.alone == tokens
  for text in _solutions(data_dir / "math" / "math500_test.jsonl")[:50]:
    own = tokenizer.encode(text)
    assert prefixes.step_ends(own, rule) == prefixes.step_ends(own, tokens)


def test_the_alphabet_of_bytes_is_that_of_the_library():
  alphabet = token_bytes.byte_alphabet()
  assert sorted(alphabet.values()) == list(range(256))
  own = tokenizers.pre_tokenizers.ByteLevel.alphabet()
  assert sorted(alphabet) == sorted(own)
  decoder = decoders.ByteLevel()
  for character, byte in alphabet.items():
    if byte < 128:
      assert decoder.decode([character]) == chr(byte)


def test_the_device_reads_as_the_host_does():
  rule = automaton.build([b"\n\n", b"ab"], [b"a", b"\n", b"b\n", b"", b"\n\na"])
  rng = np.random.default_rng(0)
  # Tokens from 5 on are a model's padding.
  tokens = rng.integers(0, 7, (40, 6))
  advance = jax.jit(matching.advance, static_argnums=0)
  state, found = jax.numpy.zeros(6, jax.numpy.int32), []
  for row in tokens:
    ends, state = advance(rule, row, state)
    found.append(ends)
  hosts = [rule.read(column.tolist()) for column in tokens.T]
  np.testing.assert_array_equal(np.transpose(found), [one for one, _ in hosts])
  assert state.tolist() == [after for _, after in hosts]
  assert 0 < np.mean(found) < 1
  # Another of equal tables is the same static argument.
  again = automaton.build(
    [b"\n\n", b"ab"], [b"a", b"\n", b"b\n", b"", b"\n\na"]
  )
  assert again == rule
  assert hash(again) == hash(rule)
  advance(again, tokens[0], state)
  assert advance._cache_size() == 1
  assert automaton.build([b"\n\n"], [b"\n"]) != rule


def test_a_delimiter_split_over_tokens_ends_a_step():
  """As a newline that never merges; the set of tokens knows of none."""
  tokenizer = tokenization.train(["a b\n\n1\n"] * 4, 270)
  text = "a\n\n\n1\n\nb"
  tokens = tokenizer.encode(text)
  with pytest.raises(errors.InputError, match="contains the delimiter"):
    tokenizer.tokens_with("\n\n")
  rule = tokenizer.delimiters("\n\n")
  steps = prefixes.step_ends(tokens, rule)
  assert [
    tokenizer.decode(tokens[start:end])
    for start, end in zip([0, *steps[:-1]], steps, strict=True)
  ] == ["a\n\n", "\n1\n\n", "b"]
  assert automaton.containing(rule) == frozenset()
  least = pools.step_minima(tokens, [-1.0 * t for t in range(8)], rule)
  assert least == [-2.0, -6.0, -7.0]


def test_a_delimiter_of_no_tokens_is_an_error():
  backend = tokenizers.Tokenizer(models.BPE({"a": 0, "</s>": 1}, []))
  backend.decoder = decoders.ByteLevel()
  made = tokenization.Tokenizer(backend, end_token=1)
  with pytest.raises(errors.InputError, match=r"ends the delimiter '\\n\\n'"):
    made.delimiters("\n\n")


def test_a_decoder_of_another_kind_is_an_error():
  backend = tokenizers.Tokenizer(models.WordPiece({"a": 0}, unk_token="a"))
  for decoder, name in ((None, "nothing"), (decoders.WordPiece(), "WordPiece")):
    if decoder is not None:
      backend.decoder = decoder
    with pytest.raises(errors.InputError, match=f"decoder is of {name}"):
      token_bytes.of_tokens(backend)


def test_strings_that_are_none_are_an_error():
  for strings in ([], [b"a", b""]):
    with pytest.raises(errors.InputError, match="none may be empty"):
      automaton.build(strings, [b"a"])
