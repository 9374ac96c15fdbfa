"""Published verifiers: their forms of text, their heads, and growing texts."""

import json

import jax
import model_oracle
import numpy as np
import pytest
import safetensors.numpy
import tiny_prm

from tts_jax import errors
from tts_jax.tasks import jsonl
from tts_jax.verify import incremental, published

QUESTION = "How many clips did Natalia sell?"
STEPS = ["48/2 = 24 clips.\n\n", " She sold\n48+24 = 72.\n\n", "#### 72"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
  root = tmp_path_factory.mktemp("prm")
  for name in tiny_prm.FORMATS:
    tiny_prm.save(root / name, name)
  return root


@pytest.fixture(scope="module")
def models(folders):
  found = {n: published.load(folders / n, n) for n in tiny_prm.FORMATS}
  return found


def _read(prm, found):
  """Each token's text at which a score is read, and the text up to there."""
  backend = prm.format.tokenizer.backend
  ends = [backend.id_to_token(found.tokens[end]) for end in found.ends]
  return ends, backend.decode(found.tokens, skip_special_tokens=False)


def test_qwen_math_is_a_chat_with_separators(models):
  prm = models["qwen_math"]
  ends, text = _read(prm, prm.format.encode(QUESTION, STEPS))
  assert ends == ["<extra_0>"] * 3
  assert text == (
    "<|im_start|>system\nPlease reason step by step, and put your final answer"
    " within \\boxed{}.<|im_end|>\n<|im_start|>user\nHow many clips did Natalia"
    " sell?<|im_end|>\n<|im_start|>assistant\n48/2 = 24 clips.<extra_0>She"
    " sold\n48+24 = 72.<extra_0>#### 72<extra_0>"
  )


def test_math_shepherd_tags_numbered_steps(models):
  prm = models["math_shepherd"]
  ends, text = _read(prm, prm.format.encode(QUESTION, STEPS))
  assert ends == ["ки"] * 3
  assert text == (
    "How many clips did Natalia sell? Step 1: 48/2 = 24 clips. ки\nStep 2: She"
    " sold\n48+24 = 72. ки\nStep 3: #### 72 ки"
  )


def test_rlhflow_asks_after_each_step(models):
  prm = models["rlhflow"]
  found = prm.format.encode(QUESTION, STEPS)
  _, text = _read(prm, found)
  turn = "<|im_end|>\n<|im_start|>assistant\n"
  assert text == (
    f"<|im_start|>user\n{QUESTION} 48/2 = 24 clips.{turn}+<|im_end|>\n"
    f"<|im_start|>user\nShe sold\n48+24 = 72.{turn}+<|im_end|>\n"
    f"<|im_start|>user\n#### 72{turn}"
  )
  for end, sign in zip(found.ends[:-1], "++", strict=True):
    following = found.tokens[end + 1]
    assert prm.format.tokenizer.decode([following]) == sign


def test_skywork_reads_newlines(models):
  prm = models["skywork"]
  found = prm.format.encode(QUESTION, STEPS)
  _, text = _read(prm, found)
  assert text == (
    f"<|im_start|>{QUESTION}\n48/2 = 24 clips.\nShe sold\n48+24 = 72.\n"
    "#### 72\n"
  )
  decode = prm.format.tokenizer.decode
  assert [decode([found.tokens[end]]) for end in found.ends] == ["\n"] * 3


@pytest.mark.parametrize("name", ["qwen_math", "math_shepherd"])
def test_marks_inside_texts_are_no_ends(models, name):
  form = models[name].format
  mark = "<extra_0>" if name == "qwen_math" else "ки"
  dirty = form.encode(f"How{mark}?", [f"one{mark} ", "two"])
  assert dirty == form.encode("How?", ["one", "two"])


@pytest.mark.parametrize("name", tiny_prm.FORMATS)
def test_scores_are_those_of_plain_loops(models, name):
  prm = models[name]
  found = prm.format.encode(QUESTION, STEPS)
  params = prm.params["backbone"]
  # The state before the output matrix: an identity in its place.
  D = prm.lm.config.width
  config = prm.lm.config.__class__(**(vars(prm.lm.config) | {"tied": False}))
  eye = {**params, "unembedding": np.eye(D)}
  states = model_oracle.forward(config, eye, found.tokens)[found.ends]
  head = {k: np.asarray(v, np.float64) for k, v in prm.params["head"].items()}
  if name == "qwen_math":
    x = states @ head["score.0.weight"].T + head["score.0.bias"]
    logits = np.maximum(x, 0) @ head["score.2.weight"].T + head["score.2.bias"]
    odds = logits[:, 1] - logits[:, 0]
  elif name == "skywork":
    odds = states @ head["v_head.summary.weight"][0]
    odds = odds + head["v_head.summary.bias"][0]
  else:
    encode = prm.format.tokenizer.encode
    good, bad = encode("+")[-1], encode("-")[-1]
    out = np.asarray(params["unembedding"], np.float64)
    odds = states @ (out[:, good] - out[:, bad])
  want = 1 / (1 + np.exp(-odds))
  scores, tokens = published.score(prm, QUESTION, STEPS)
  np.testing.assert_allclose(scores, want, atol=1e-4)
  assert tokens == len(found.tokens)
  assert np.ptp(scores) > 1e-3


def _reader(prm, **sizes):
  room = {"groups": 2, "rows": 3, "prompt_tokens": 160, "row_tokens": 256}
  moved = jax.device_put(prm.params)
  prm = published.Published(**(vars(prm) | {"params": moved}))
  return incremental.Reader(prm, **(room | sizes), compiler=jax.jit)


@pytest.mark.parametrize("name", tiny_prm.FORMATS)
def test_growing_solutions_score_as_from_scratch(models, name):
  prm, reader = models[name], _reader(models[name])
  rng = np.random.default_rng(0)
  words = ["48", " clips", "\n\n", " she", " sold", "= 24", ".", " Step 3: x"]
  questions = [QUESTION, "What is 3-1?"]
  for group, question in enumerate(questions):
    reader.begin(group, question)
  texts = [[[] for _ in range(3)] for _ in questions]
  generated = 0
  for turn in range(5):
    asked = {}
    for group, row in np.ndindex(2, 3):
      if turn and rng.random() < 0.2:
        continue
      step = "".join(rng.choice(words, 6)) + "\n\n"
      generated += len(prm.format.tokenizer.encode(step))
      texts[group][row] = [*texts[group][row], step]
      asked[group, row] = texts[group][row]
    found = reader.score(asked)
    assert set(found) == set(asked)
    for (group, row), scores in found.items():
      want, _ = published.score(prm, questions[group], texts[group][row])
      np.testing.assert_allclose(scores, want, atol=1e-4)
    parents = {0: [1, 1, 2], 1: [0, 1, 0]}
    reader.follow(parents)
    texts = [
      [list(texts[group][parent]) for parent in parents[group]]
      for group in (0, 1)
    ]
  assert reader._extend._cache_size() <= 3
  # Each step's tokens and what the format puts around it; a prompt each.
  size = [len(prm.format.encode("", ["a"] * n).tokens) for n in (1, 2)]
  around = (size[1] - size[0]) * 6 * 5
  prompts = sum(len(prm.format.encode(q, ["a"]).tokens) for q in questions)
  assert reader.read.sum() <= prompts + 1.1 * generated + around


def test_a_tokenizer_that_writes_an_end_otherwise_is_followed(models):
  prm, reader = models["math_shepherd"], _reader(models["math_shepherd"])
  reader.begin(0, QUESTION)
  first = reader.score({(0, 0): ["48/2 = 24"]})[0, 0]
  # The first step itself is another now: all behind the fork is read again.
  again = reader.score({(0, 0): ["48/2 = 25", "so 25"]})[0, 0]
  want, _ = published.score(prm, QUESTION, ["48/2 = 25", "so 25"])
  np.testing.assert_allclose(again, want, atol=1e-4)
  back = reader.score({(0, 0): ["48/2 = 24"]})[0, 0]
  np.testing.assert_allclose(back, first, atol=1e-5)


def test_a_solution_that_goes_back_into_the_question(models):
  prm, reader = models["rlhflow"], _reader(models["rlhflow"])
  reader.begin(0, "What is 48")
  # Without a space before it, a step may merge with the question's end.
  steps = ["", "72"]
  found = reader.score({(0, 1): steps})[0, 1]
  want, _ = published.score(prm, "What is 48", steps)
  np.testing.assert_allclose(found, want, atol=1e-4)


def test_what_is_asked_again_is_not_read_again(models):
  reader = _reader(models["qwen_math"])
  reader.begin(1, QUESTION)
  first = reader.score({(1, 2): STEPS})[1, 2]
  read = reader.read.copy()
  np.testing.assert_array_equal(reader.score({(1, 2): STEPS})[1, 2], first)
  np.testing.assert_array_equal(reader.read, read)


def test_a_group_forgets_the_question_before(models):
  prm, reader = models["skywork"], _reader(models["skywork"])
  reader.begin(0, "A question that is a good deal longer than the next one?")
  reader.score({(0, 0): STEPS})
  reader.begin(0, QUESTION)
  found = reader.score({(0, 0): STEPS, (0, 1): STEPS[:1]})
  want, _ = published.score(prm, QUESTION, STEPS)
  np.testing.assert_allclose(found[0, 0], want, atol=1e-4)
  np.testing.assert_allclose(found[0, 1], want[:1], atol=1e-4)


def test_too_little_room_is_said(models):
  with pytest.raises(errors.InputError, match="exceed the verifier's 2048"):
    _reader(models["skywork"], row_tokens=2000)
  reader = _reader(models["skywork"], prompt_tokens=4, row_tokens=8)
  with pytest.raises(errors.InputError, match="prompt_tokens is 4"):
    reader.begin(0, QUESTION)
  reader.begin(0, "")
  with pytest.raises(errors.InputError, match="row_tokens is 8"):
    reader.score({(0, 0): STEPS})


def _edit(folder, change):
  path = folder / "model.safetensors"
  tensors = safetensors.numpy.load_file(path)
  change(tensors)
  safetensors.numpy.save_file(tensors, path)


def _without_token(text):
  def change(folder):
    path = folder / "tokenizer.json"
    found = json.loads(path.read_text())
    found["added_tokens"] = [
      one for one in found["added_tokens"] if one["content"] != text
    ]
    path.write_text(json.dumps(found))

  return change


def _without_template(folder):
  path = folder / "tokenizer_config.json"
  found = json.loads(path.read_text())
  del found["chat_template"]
  path.write_text(json.dumps(found))


@pytest.mark.parametrize(
  ("name", "change", "said"),
  [
    ("qwen_math", _without_token("<extra_0>"), "no token '<extra_0>'"),
    ("math_shepherd", _without_token("ки"), "no single token for 'ки'"),
    ("rlhflow", _without_template, "no chat template"),
    (
      "qwen_math",
      lambda f: _edit(f, lambda t: t.pop("score.2.bias")),
      "tensor 'score.2.bias' is missing; config.json expects it with",
    ),
    (
      "skywork",
      lambda f: _edit(
        f,
        lambda t: t.update(
          {"v_head.summary.bias": np.full(1, np.nan, np.float32)}
        ),
      ),
      "'v_head.summary.bias' holds NaN",
    ),
    (
      "skywork",
      lambda f: _edit(f, lambda t: t.update(odd=np.ones(2, np.float32))),
      "'odd' (2,) is not part of the model",
    ),
  ],
)
def test_a_folder_that_is_not_of_the_format(tmp_path, name, change, said):
  tiny_prm.save(tmp_path, name)
  change(tmp_path)
  with pytest.raises(errors.InputError) as info:
    published.load(tmp_path, name)
  assert said in str(info.value)
  assert "\n" not in str(info.value)


def test_a_folder_of_another_format_or_none(folders):
  with pytest.raises(errors.InputError, match=r"'score\.0\.weight' is mis"):
    published.load(folders / "rlhflow", "qwen_math")
  with pytest.raises(errors.InputError, match="must be one of qwen_math, math"):
    published.load(folders / "rlhflow", "orm")


@pytest.mark.parametrize("name", tiny_prm.FORMATS)
def test_little_is_read_that_was_not_generated(models, data_dir, name):
  """Sixteen solutions a question grow by real steps of MATH."""
  prm, rows = models[name], 16
  file = data_dir / "math" / "math500_test.jsonl"
  room = {"prompt_tokens": 400, "row_tokens": 400}
  reader = _reader(prm, groups=1, rows=rows, **room)
  generated, read, taken = 0, 0, 0
  for question in jsonl.read_questions(file, jsonl.MATH)[:30]:
    steps = [one + ".\n\n" for one in question.solution.split(". ")]
    if len(prm.format.encode(question.text, steps).tokens) > 400:
      continue
    taken += 1
    reader.begin(0, question.text)
    for count in range(1, len(steps) + 1):
      reader.score({(0, row): steps[:count] for row in range(rows)})
      made = prm.format.tokenizer.encode(steps[count - 1])
      generated += rows * len(made)
    read += int(reader.read.sum())
  assert taken > 3
  assert read <= 1.2 * generated
