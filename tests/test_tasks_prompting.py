"""Prompts of other forms than a task's own."""

import json
import pathlib

import chat_templates
import pytest

from tts_jax import errors
from tts_jax.decode import pools
from tts_jax.tasks import base, jsonl, prompting, stopping, tokenization

_TASK = jsonl.JsonlTask()
_QUESTION = base.Question(id="q", text="What is 2+3?", answer="5")
_NOWHERE = pathlib.Path("no/such/folder")


def _examples(tmp_path, count=3):
  path = tmp_path / "solved.jsonl"
  records = [
    {"question": f"What is {i}+1?", "solution": f"Add.\n\n \n#### {i + 1}\n"}
    for i in range(count)
  ]
  path.write_text("".join(f"{json.dumps(one)}\n" for one in records))
  return str(path)


def _few_shot(tmp_path, **fields):
  fields = {"shots": 2, **fields}
  path = _examples(tmp_path)
  return prompting.Form(format="few_shot", examples=path, **fields)


def test_the_default_is_the_task_itself():
  assert prompting.Form().apply(_TASK, _NOWHERE) is _TASK
  asked = [_QUESTION]
  assert prompting.mark(_TASK, asked) == asked


def test_a_template_and_a_delimiter_of_ones_own():
  form = prompting.Form(template="Q: {question} {x}\nA:", delimiter="\n\n")
  task = form.apply(_TASK, _NOWHERE)
  assert task.prompt(_QUESTION) == "Q: What is 2+3? {x}\nA:"
  assert (task.name, task.step_delimiter) == ("jsonl", "\n\n")
  assert prompting.Form(delimiter="\n\n").apply(_TASK, _NOWHERE).prompt(
    _QUESTION
  ) == _TASK.prompt(_QUESTION)
  # All else is the task's.
  assert task.completion(_QUESTION) == _TASK.completion(_QUESTION)
  assert task.extract(r"so \boxed{05}") == "05"
  assert task.canonical("05") == _TASK.canonical("05")
  (verdict,) = task.grade_all([("5", "5.0")])
  assert verdict is base.Verdict.CORRECT


def test_solved_examples_come_first(tmp_path):
  task = _few_shot(tmp_path).apply(_TASK, _NOWHERE)
  assert task.prompt(_QUESTION) == (
    "Problem: What is 0+1?\n\nSolution:\nAdd.\n#### 1\n\n"
    "Problem: What is 1+1?\n\nSolution:\nAdd.\n#### 2\n\n"
    "Problem: What is 2+3?\n\nSolution:\n"
  )
  assert task.stop == ("\n\nProblem:",)


def test_solved_examples_in_a_template_of_ones_own(tmp_path):
  form = _few_shot(tmp_path, template="{question} = ", shots=1)
  task = form.apply(_TASK, _NOWHERE)
  assert task.prompt(_QUESTION) == (
    "What is 0+1? = Add.\n#### 1\n\nWhat is 2+3? = "
  )
  # No example has a blank line, so that one ends the answer.
  assert task.stop == ("\n\n",)


def test_an_answer_is_read_before_the_next_question(tmp_path):
  task = _few_shot(tmp_path).apply(_TASK, _NOWHERE)
  ran_on = "Add.\n#### 5\n\nProblem: What is 9+9?\n\nSolution:\n#### 18"
  assert task.extract(ran_on) == "5"
  assert _TASK.extract(ran_on) == "18"


def test_the_papers_prompt_from_the_train_file(data_dir):
  path = data_dir / "math" / "math12k_train.jsonl"
  form = prompting.Form(
    format="few_shot", examples=str(path), question="problem"
  )
  task = form.apply(_TASK, _NOWHERE)
  test = jsonl.read_questions(path.with_name("math500_test.jsonl"), jsonl.MATH)
  marked = prompting.mark(task, test)
  prompt = task.prompt(marked[0])
  assert prompt.count("Problem: ") == prompt.count("Solution:\n") == 5
  for solved in jsonl.read_questions(path, jsonl.MATH)[:4]:
    assert f"Problem: {solved.text}\n\nSolution:\n" in prompt
    assert task.extract(solved.solution) == solved.answer
  # One file's questions behind another's examples.
  own = jsonl.read_questions(path, jsonl.MATH)[:9]
  with pytest.raises(errors.InputError, match="among the solved examples"):
    prompting.mark(task, own)


def test_a_run_knows_which_examples_it_was_drawn_with(tmp_path):
  def marked(**fields):
    task = _few_shot(tmp_path, **fields).apply(_TASK, _NOWHERE)
    return prompting.mark(task, [_QUESTION])

  assert marked() == marked()
  hashes = {
    pools.inputs_hash(asked, tmp_path / "model")
    for asked in ([_QUESTION], marked(), marked(shots=3))
  }
  assert len(hashes) == 3
  assert marked()[0].uid == _QUESTION.uid


def _chat_folder(tmp_path, template, start):
  made = tokenization.train(["user 1+1\n"] * 3, 300)
  made.backend.add_special_tokens(["<s>", "<|im_start|>", "<|im_end|>"])
  begin = (made.backend.token_to_id("<s>"),) if start else ()
  tokenization.Tokenizer(made.backend, made.end_token, start=begin).save(
    tmp_path
  )
  (tmp_path / "chat_template.jinja").write_text(template)
  return tokenization.load(tmp_path)


@pytest.mark.parametrize("start", [True, False])
@pytest.mark.parametrize(
  ("template", "starts"),
  [(chat_templates.TURNS, 1), (chat_templates.CHATML, 0)],
)
def test_a_chat_starts_as_its_template_says(tmp_path, template, starts, start):
  """Once where the tokenizer would add a start too, and not at all if not."""
  tokenizer = _chat_folder(tmp_path, template, True)
  if not start:
    tokenizer = tokenization.Tokenizer(tokenizer.backend, tokenizer.end_token)
  task = prompting.Form(format="chat").apply(_TASK, tmp_path)
  if starts:
    config = tmp_path / "tokenizer_config.json"
    assert json.loads(config.read_text())["bos_token"] == "<s>"
  tokens = pools.request(_QUESTION, task, tokenizer).tokens
  begin = tokenizer.backend.token_to_id("<s>")
  assert tokens.count(begin) == starts
  assert tokens == tokenizer.encode(task.prompt(_QUESTION))


def test_a_chat_asks_the_question_alone(tmp_path):
  _chat_folder(tmp_path, chat_templates.CHATML, False)
  task = prompting.Form(format="chat", system="S").apply(_TASK, tmp_path)
  assert task.prompt(_QUESTION) == (
    "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nWhat is 2+3?<|im_end|>"
    "\n<|im_start|>assistant\n"
  )
  form = prompting.Form(format="chat", template="{question} Box it.")
  text = form.apply(_TASK, tmp_path).prompt(_QUESTION)
  assert "user\nWhat is 2+3? Box it.<|im_end|>" in text


@pytest.mark.parametrize(
  ("fields", "message"),
  [
    ({"format": "Chat"}, "format 'Chat': must be one of plain, chat, few_shot"),
    ({"template": "{q}"}, r"template '{q}' must contain {question}"),
    ({"system": "x"}, "system is for the format 'chat'; this is 'plain'"),
    ({"examples": "x"}, "examples is for the format 'few_shot'"),
    ({"format": "few_shot"}, "examples is empty; 'few_shot' needs a file"),
    ({"shots": 0}, "shots is 0"),
    ({"format": "chat", "date": "today"}, "date 'today': must be a day"),
    ({"format": "chat"}, "has no chat template"),
    ({"format": "few_shot", "examples": "no"}, "no: no such file"),
  ],
)
def test_a_wrong_value_is_an_error(fields, message):
  with pytest.raises(errors.InputError, match=message):
    prompting.Form(**fields).apply(_TASK, _NOWHERE)


def test_too_few_examples_are_an_error(tmp_path):
  form = _few_shot(tmp_path, shots=4)
  with pytest.raises(errors.InputError) as caught:
    form.apply(_TASK, _NOWHERE)
  assert str(caught.value) == (
    f"{tmp_path}/solved.jsonl: has 3 solved examples; config.prompt.shots is 4"
  )


def test_an_example_without_its_answer_is_an_error(tmp_path):
  form = _few_shot(tmp_path)
  path = pathlib.Path(form.examples)
  path.write_text('{"question": "1+1?", "solution": "two"}\n')
  with pytest.raises(errors.InputError, match=r"line 1.* states no answer"):
    form.apply(_TASK, _NOWHERE)


@pytest.mark.parametrize(
  ("text", "stop", "before"),
  [
    ("a b c", (), "a b c"),
    ("a b c", ("x",), "a b c"),
    ("a b c", ("b", "c"), "a "),
    ("a b c", ("c", "b"), "a "),
    ("b", ("b",), ""),
    # Whole first, though the other begins before it.
    ("abcd", ("abcd", "bc"), "a"),
    # Together: the longer.
    ("abcd", ("bc", "abc"), ""),
  ],
)
def test_text_before_a_stop_string(text, stop, before):
  assert stopping.before_stop(text, stop) == before
  # As it is found byte by byte.
  for end in range(len(text) + 1):
    found = [one for one in stop if text[:end].endswith(one)]
    if found:
      assert before == text[: end - max(map(len, found))]
      break
