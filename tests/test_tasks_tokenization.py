import json
import os

import pytest
import tokenizers
from tokenizers import decoders, models, pre_tokenizers

from tts_jax import errors
from tts_jax.tasks import gsm_symbolic, tokenization

_QUESTIONS = gsm_symbolic.reporting_questions()
_TASK = gsm_symbolic.GsmSymbolic()


@pytest.fixture(scope="module")
def tokenizer():
  texts = [_TASK.prompt(q) + _TASK.completion(q) for q in _QUESTIONS]
  return tokenization.train(texts, 600)


def test_text_survives(tokenizer):
  for question in _QUESTIONS:
    text = _TASK.prompt(question) + _TASK.completion(question)
    assert tokenizer.decode(tokenizer.encode(text)) == text
  odd = "  \n\n\t€5 naïve 数 \N{GRINNING FACE}"
  assert tokenizer.decode(tokenizer.encode(odd)) == odd


def test_digits_and_newlines_are_tokens_of_their_own(tokenizer):
  pieces = [tokenizer.decode([t]) for t in tokenizer.encode("12345\n\n6,7")]
  assert pieces == ["1", "2", "3", "4", "5", "\n", "\n", "6", ",", "7"]
  newline = tokenizer.tokens_with("\n")
  assert [tokenizer.decode([token]) for token in newline] == ["\n"]


def test_a_prompt_and_its_completion_join_without_a_seam(tokenizer):
  for question in _QUESTIONS:
    prompt, completion = _TASK.prompt(question), _TASK.completion(question)
    assert tokenizer.encode(prompt + completion) == (
      tokenizer.encode_prompt(prompt) + tokenizer.encode(completion)
    )


def test_steps_join_without_a_seam(tokenizer):
  for question in _QUESTIONS[:50]:
    solution = _TASK.completion(question)
    parts = [
      token
      for line in solution.splitlines(keepends=True)
      for token in tokenizer.encode(line)
    ]
    assert parts == tokenizer.encode(solution)


def test_encode_all_is_encode(tokenizer):
  texts = [question.text for question in _QUESTIONS[:20]]
  assert tokenizer.encode_all(texts) == [tokenizer.encode(t) for t in texts]


def test_the_end_token_is_not_text(tokenizer):
  assert tokenizer.vocabulary == 600
  assert tokenizer.decode([tokenizer.end_token]) == ""
  # A text that spells the end token must not become one.
  assert tokenizer.decode(tokenizer.encode("a")) == "a"


def test_save_and_load(tokenizer, tmp_path):
  tokenizer.save(tmp_path)
  again = tokenization.load(tmp_path)
  assert again.end_token == tokenizer.end_token
  assert again.digest == tokenizer.digest
  text = _QUESTIONS[0].text
  assert again.encode(text) == tokenizer.encode(text)


@pytest.mark.parametrize("survives", [0, 1])
def test_a_killed_save_is_not_saved(tokenizer, tmp_path, monkeypatch, survives):
  """What stands under the final names is whole; the next save tidies up."""
  rename, renamed = os.replace, []

  def stopped(source, target):
    if len(renamed) == survives:
      raise KeyboardInterrupt
    renamed.append(target)
    rename(source, target)

  with monkeypatch.context() as patch:
    patch.setattr(os, "replace", stopped)
    with pytest.raises(KeyboardInterrupt):
      tokenizer.save(tmp_path)
  assert not tokenization.is_saved(tmp_path)
  assert len(list(tmp_path.glob("[!.]*"))) == survives
  tokenizer.save(tmp_path)
  names = {path.name for path in tmp_path.iterdir()}
  assert names == {"tokenizer.json", "tokenizer_config.json"}
  assert tokenization.load(tmp_path).digest == tokenizer.digest


def test_a_published_tokenizer_starts_prompts_with_its_start_token(data_dir):
  stories = tokenization.load(data_dir / "models" / "stories260K-hf")
  assert stories.vocabulary == 512
  assert stories.backend.id_to_token(stories.end_token) == "</s>"


@pytest.mark.parametrize(
  ("file", "content", "message"),
  [
    ("tokenizer.json", "{", "not a tokenizer"),
    ("tokenizer.json", None, "no such tokenizer file"),
    ("tokenizer_config.json", None, "no such tokenizer file"),
    ("tokenizer_config.json", "{", "not JSON"),
    ("tokenizer_config.json", "{}", "eos_token is None"),
    (
      "tokenizer_config.json",
      json.dumps({"eos_token": {"content": "<stop>"}}),
      "eos_token is '<stop>'; it must be a token of",
    ),
  ],
)
def test_a_bad_file_is_named(tokenizer, tmp_path, file, content, message):
  tokenizer.save(tmp_path)
  if content is None:
    (tmp_path / file).unlink()
  else:
    (tmp_path / file).write_text(content)
  with pytest.raises(errors.InputError, match=message) as caught:
    tokenization.load(tmp_path)
  assert file in str(caught.value)


def test_a_delimiter_without_a_token_is_an_error(tokenizer):
  with pytest.raises(errors.InputError, match="contains the delimiter"):
    tokenizer.tokens_with("\n\n")


def test_a_delimiter_that_is_split_in_context_is_an_error():
  """As GPT-2 splits blank lines: one token at the end, two before a word."""
  alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
  vocabulary = {piece: token for token, piece in enumerate([*alphabet, "ĊĊ"])}
  backend = tokenizers.Tokenizer(models.BPE(vocabulary, [("Ċ", "Ċ")]))
  backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
  backend.decoder = decoders.ByteLevel()
  made = tokenization.Tokenizer(backend, end_token=0)
  assert made.encode("a\n\n") == [vocabulary["a"], vocabulary["ĊĊ"]]
  with pytest.raises(errors.InputError) as caught:
    made.tokens_with("\n\n")
  assert str(caught.value) == (
    "the tokenizer splits the delimiter '\\n\\n' between 'a' and 'a', into"
    " ['a', '\\n', '\\n', 'a']: steps would not end there; give the task a"
    " shorter delimiter"
  )
  # A token of two newlines ends a step as one does.
  newlines = {vocabulary["Ċ"], vocabulary["ĊĊ"]}
  assert made.tokens_with("\n") == newlines
