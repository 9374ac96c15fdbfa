"""Tokenizers as they are published: their ends, their start, older files."""

import json
import shutil

import jax
import pytest
import tokenizers
from tokenizers import processors

from tts_jax import errors
from tts_jax.decode import loop, pools
from tts_jax.model import config
from tts_jax.tasks import base, jsonl, tokenization

_SPECIAL = ("<|begin|>", "<|end_of_text|>", "<|eot|>", "<|eom|>")


@pytest.fixture(name="folder")
def fixture_folder(tmp_path):
  """A folder such as Llama 3's, with a function that writes its files."""
  made = tokenization.train(["a b\n1"] * 4, 270)
  made.backend.add_special_tokens(list(_SPECIAL))
  ids = {name: made.backend.token_to_id(name) for name in _SPECIAL}

  def write(*, starts=True, **files):
    if starts:
      made.backend.post_processor = processors.TemplateProcessing(
        single="<|begin|> $A", special_tokens=[("<|begin|>", ids["<|begin|>"])]
      )
    made.backend.save(str(tmp_path / "tokenizer.json"))
    plain = {"eos_token": "<|end_of_text|>", "bos_token": "<|begin|>"}
    settings = plain | files.pop("settings", {})
    files = {"tokenizer_config": settings} | files
    for name, content in files.items():
      (tmp_path / f"{name}.json").write_text(json.dumps(content))
    return tmp_path, ids

  return write


def _names(tokenizer):
  return [tokenizer.backend.id_to_token(one) for one in tokenizer.end_tokens]


def test_the_end_token_may_be_an_object(folder):
  path, _ = folder(settings={"eos_token": {"content": "<|eot|>", "lstrip": 0}})
  assert _names(tokenization.load(path)) == ["<|eot|>"]


@pytest.mark.parametrize("file", ["generation_config", "config"])
def test_ends_are_those_of_generation_too(folder, file):
  path, ids = folder()
  several = [ids[name] for name in ("<|end_of_text|>", "<|eom|>", "<|eot|>")]
  folder(**{file: {"eos_token_id": several}})
  found = tokenization.load(path)
  assert _names(found) == ["<|end_of_text|>", "<|eom|>", "<|eot|>"]
  assert found.end_token == ids["<|end_of_text|>"]
  folder(**{file: {"eos_token_id": ids["<|eot|>"]}})
  assert _names(tokenization.load(path)) == ["<|end_of_text|>", "<|eot|>"]
  folder(**{file: {"eos_token_id": None}})
  assert _names(tokenization.load(path)) == ["<|end_of_text|>"]
  # What a model is generated with wins over what it is.
  folder(
    config={"eos_token_id": ids["<|eom|>"]},
    generation_config={"eos_token_id": [ids["<|eot|>"]]},
  )
  assert _names(tokenization.load(path)) == ["<|end_of_text|>", "<|eot|>"]


def test_ends_named_by_id_alone(folder):
  path, ids = folder(settings={"eos_token": None})
  folder(settings={"eos_token": None}, config={"eos_token_id": ids["<|eot|>"]})
  assert _names(tokenization.load(path)) == ["<|eot|>"]


@pytest.mark.parametrize("value", [9999, 10**12, -1, "2", [2, None], True])
def test_an_end_that_is_no_token_is_an_error(folder, value):
  path, _ = folder(generation_config={"eos_token_id": value})
  with pytest.raises(errors.InputError, match="which is no token") as caught:
    tokenization.load(path)
  assert "generation_config.json" in str(caught.value)


def test_ends_are_no_text_even_where_they_are_not_special(folder):
  path, _ = folder()
  newline = tokenization.load(path).encode("\n")
  folder(generation_config={"eos_token_id": newline})
  found = tokenization.load(path)
  assert found.decode([*found.encode("a"), *newline]) == "a"


def test_several_ends_and_a_start_are_saved(folder, tmp_path):
  path, ids = folder(starts=False)
  folder(
    starts=False,
    settings={"add_bos_token": True},
    generation_config={"eos_token_id": [ids["<|eot|>"], ids["<|eom|>"]]},
  )
  found = tokenization.load(path)
  found.save(tmp_path / "again")
  again = tokenization.load(tmp_path / "again")
  assert (again.end_tokens, again.start) == (found.end_tokens, found.start)
  assert len(found.end_tokens) == 3
  assert again.start == (ids["<|begin|>"],)


@pytest.mark.parametrize("starts", [True, False])
@pytest.mark.parametrize("wanted", [None, True, False])
def test_the_start_token(folder, tmp_path, starts, wanted):
  path, ids = folder(starts=starts, settings={"add_bos_token": wanted})
  found, begin = tokenization.load(path), ids["<|begin|>"]
  prompt = found.encode("a b")
  has = starts if wanted is None else wanted
  assert found.encode_prompt("a b") == [begin] * has + prompt
  # A text that begins with it has it once.
  assert found.encode_prompt("<|begin|>a b") == [begin, *prompt]
  found.save(tmp_path / "again")
  assert tokenization.load(tmp_path / "again").start == found.start


def test_a_start_token_that_is_asked_for_must_be_there(folder):
  path, _ = folder(settings={"add_bos_token": True, "bos_token": None})
  with pytest.raises(errors.InputError, match="bos_token is None"):
    tokenization.load(path)


def test_a_text_without_tokens_has_no_start(tmp_path):
  made = tokenization.train(["a b\n1"] * 4, 270)
  made.save(tmp_path)
  file = tmp_path / "tokenizer.json"
  written = json.loads(file.read_text())
  written["normalizer"] = {
    "type": "Replace",
    "pattern": {"String": "a"},
    "content": "",
  }
  file.write_text(json.dumps(written))
  assert tokenization.load(tmp_path).start == ()


def test_what_was_set_for_training_is_left_out(folder):
  path, _ = folder()
  found = tokenizers.Tokenizer.from_file(str(path / "tokenizer.json"))
  found.enable_truncation(2)
  found.enable_padding(length=8)
  found.save(str(path / "tokenizer.json"))
  text = "a b 1 a b 1"
  loaded = tokenization.load(path)
  assert loaded.decode(loaded.encode(text)) == text
  assert loaded.decode(loaded.encode_all(["a", text])[0]) == "a"


def test_a_published_tokenizer_has_one_start_and_one_end(data_dir):
  folder = data_dir / "models" / "stories260K-hf"
  found = tokenization.load(folder)
  assert found.start == (1,)
  assert found.end_tokens == (2,)
  backend = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
  assert found.encode_prompt("Once upon") == backend.encode("Once upon").ids


def test_gpt2s_own_files_are_read(data_dir, tmp_path):
  folder = data_dir / "tokenizers" / "gpt2"
  found = tokenization.load(folder)
  assert found.vocabulary == 50_257
  assert found.end_tokens == (50_256,)
  assert found.start == ()
  # As the program that came with these files writes them.
  assert found.encode("Hello world") == [15496, 995]
  assert found.encode_prompt("a\n\nb\n\n") == [64, 198, 198, 65, 628]
  found.save(tmp_path)
  again = tokenization.load(tmp_path)
  text = "x = 2.\n\nSo $y$ is \\frac{1}{2}."
  assert again.encode(text) == found.encode(text)


@pytest.mark.parametrize(
  ("encoder", "message"),
  [("{", "not GPT-2's tokenizer"), ('{"a": 0}', "no token '<|endoftext|>'")],
)
def test_a_bad_file_of_gpt2s_is_named(tmp_path, encoder, message):
  (tmp_path / "encoder.json").write_text(encoder)
  (tmp_path / "vocab.bpe").write_text("#version: 0.2\n")
  with pytest.raises(errors.InputError) as caught:
    tokenization.load(tmp_path)
  assert message in str(caught.value)
  assert "encoder.json" in str(caught.value)


def _fits(tokenizer, vocabulary):
  shape = config.TransformerConfig(
    vocabulary=vocabulary,
    width=8,
    layers=1,
    heads=1,
    kv_heads=1,
    head_width=8,
    mlp_width=8,
    max_positions=32,
  )
  limits = loop.Limits(max_tokens=8, end_token=tokenizer.end_tokens)
  pools.check_fit(shape, tokenizer, 8, limits)


def test_a_model_may_have_more_tokens_than_its_tokenizer(folder):
  path, _ = folder()
  found = tokenization.load(path)
  _fits(found, found.vocabulary)
  _fits(found, found.vocabulary + 50)
  with pytest.raises(errors.InputError) as caught:
    _fits(found, found.vocabulary - 1)
  assert f"has {found.vocabulary} tokens, the model" in str(caught.value)


def test_gaps_in_a_vocabulary_count(folder):
  """The largest id must fit, however few tokens there are."""
  path, _ = folder()
  file = path / "tokenizer.json"
  content = json.loads(file.read_text())
  content["added_tokens"][-1]["id"] += 5
  file.write_text(json.dumps(content))
  backend = tokenizers.Tokenizer.from_file(str(file))
  found = tokenization.load(path)
  assert found.vocabulary >= backend.get_vocab_size()
  largest = max(backend.get_vocab().values())
  assert found.vocabulary == largest + 1


def test_a_pool_is_made_from_the_files_that_end_and_start_it(folder):
  path, ids = folder()
  asked = [base.Question(id="q", text="?", answer="1")]
  before = pools.inputs_hash(asked, path)
  (path / "notes.json").write_text("{}")
  assert pools.inputs_hash(asked, path) == before
  folder(generation_config={"eos_token_id": ids["<|eot|>"]})
  assert pools.inputs_hash(asked, path) != before


def test_ends_are_static(folder):
  path, _ = folder()
  ends = tokenization.load(path).end_tokens
  limits = loop.Limits(max_tokens=4, end_token=ends)
  ended = jax.jit(lambda limits, token: limits.ends(token), static_argnums=0)
  assert ended(limits, jax.numpy.array([ends[0], 3])).tolist() == [True, False]


def test_the_older_form_gives_way_to_tokenizer_json(folder, data_dir):
  path, _ = folder()
  for name in ("encoder.json", "vocab.bpe"):
    shutil.copy(data_dir / "tokenizers" / "gpt2" / name, path / name)
  assert tokenization.load(path).vocabulary < 300


@pytest.mark.parametrize("name", ["tokenizers/gpt2", "models/stories260K-hf"])
def test_published_questions_and_solutions_survive(data_dir, name):
  """Dollars, braces, backslashes and blank lines of all of MATH-500."""
  found = tokenization.load(data_dir / name)
  path = data_dir / "math" / "math500_test.jsonl"
  questions = jsonl.read_questions(path, jsonl.MATH)
  texts = [text for one in questions for text in (one.text, one.solution)]
  assert len(texts) == 1000
  for text, tokens in zip(texts, found.encode_all(texts), strict=True):
    assert found.decode(tokens) == text
    # An end and a start are no text.
    assert found.decode([*found.start, *tokens, found.end_token]) == text
