import json

import pytest

from tts_jax import errors
from tts_jax.tasks import base, jsonl


def write(tmp_path, *records, raw=b""):
  path = tmp_path / "questions.jsonl"
  lines = [json.dumps(record).encode() for record in records]
  path.write_bytes(b"\n".join(lines) + raw)
  return path


@pytest.mark.parametrize(
  ("file", "fields", "count"),
  [
    ("math/math500_test.jsonl", jsonl.MATH, 500),
    ("math/math12k_train.jsonl", jsonl.MATH, 12_000),
    ("gsm8k/test.jsonl", jsonl.GSM8K, 1_319),
    ("gsm8k/train.jsonl", jsonl.GSM8K, 7_473),
  ],
)
def test_reads_published_files(data_dir, file, fields, count):
  questions = jsonl.read_questions(data_dir / file, fields)
  assert len(questions) == count
  assert len({question.uid for question in questions}) == count
  task = jsonl.JsonlTask()
  agree = 0
  for question in questions:
    stated = task.extract(question.solution)
    form = task.canonical(question.answer)
    if form is not None and stated is not None:
      agree += task.canonical(stated) == form
      assert task.canonical(form) == form
  # Two questions of the training file have an empty answer, all else agrees.
  assert agree == (11_998 if count == 12_000 else count)


def test_published_questions_keep_their_fields(data_dir):
  path = data_dir / "math/math500_test.jsonl"
  first = jsonl.read_questions(path, jsonl.MATH)[0]
  assert first.id == "test/precalculus/807.json"
  assert first.answer == r"\left( 3, \frac{\pi}{2} \right)"
  assert first.meta == {"subject": "Precalculus", "level": 2}
  first = jsonl.read_questions(data_dir / "gsm8k/test.jsonl", jsonl.GSM8K)[0]
  assert first.answer == "18"
  assert first.solution.startswith("Janet sells 16 - 3 - 4")
  assert first.meta == {}


def test_fields_can_be_named(tmp_path):
  path = write(
    tmp_path,
    {"q": "1+1?", "a": 2, "key": 7, "level": "easy"},
    {"q": "1/2?", "a": 0.5, "key": "b"},
    raw=b"\n\n",
  )
  fields = jsonl.Fields(question="q", answer="a", id="key")
  assert jsonl.read_questions(path, fields) == [
    base.Question(id="7", text="1+1?", answer="2", meta={"level": "easy"}),
    base.Question(id="b", text="1/2?", answer="0.5"),
  ]


def test_ids_come_from_the_text(tmp_path):
  one, two = (
    {"question": "1+1?", "answer": "2"},
    {"question": "?", "answer": ""},
  )
  ids = [q.id for q in jsonl.read_questions(write(tmp_path, one, two))]
  assert [q.id for q in jsonl.read_questions(write(tmp_path, two, one))] == (
    ids[::-1]
  )
  assert len(set(ids)) == 2


def test_byte_order_mark_and_line_separators_are_harmless(tmp_path):
  path = tmp_path / "questions.jsonl"
  line = '{"question": "a\N{LINE SEPARATOR}b", "answer": "1"}\r\n'
  path.write_text(line, encoding="utf-8-sig", newline="")
  assert jsonl.read_questions(path)[0].text == "a\N{LINE SEPARATOR}b"


GOOD = {"question": "1+1?", "answer": "2"}


@pytest.mark.parametrize(
  ("records", "raw", "message"),
  [
    ([GOOD, {"question": "x", "anser": "2"}], b"",
     "line 2: field 'answer' is missing; fields present: 'question', 'anser'"),
    ([GOOD, {}], b"", "line 2: field 'question' is missing; .* none"),
    ([GOOD], b"\n{'question'", "line 2: not JSON at column 2"),
    ([GOOD], b"\n[1]", "line 2: a list, expected a JSON object"),
    ([GOOD], b"\n\n\xff\xfe", "line 3: not UTF-8 at byte 0"),
    ([GOOD, GOOD], b"", "line 2: the question is that of line 1"),
    ([{"question": "x", "answer": None}], b"", "'answer' is a NoneType"),
    ([{"question": "x", "answer": True}], b"", "'answer' is a bool"),
    ([{"question": " ", "answer": "2"}], b"", "field 'question' is empty"),
    ([], b"", "no questions in it"),
    ([], b"\n \n", "no questions in it"),
  ],
)  # fmt: skip
def test_bad_files(tmp_path, records, raw, message):
  path = write(tmp_path, *records, raw=raw)
  with pytest.raises(errors.InputError, match=message) as caught:
    jsonl.read_questions(path)
  assert str(caught.value).startswith(str(path))
  assert "\n" not in str(caught.value)


def test_missing_file(tmp_path):
  with pytest.raises(errors.InputError, match=r"none.jsonl: no such file"):
    jsonl.read_questions(tmp_path / "none.jsonl")


def test_solution_without_answer(tmp_path):
  path = write(tmp_path, {"question": "x", "answer": "so it is 5"})
  with pytest.raises(errors.InputError, match=r"line 1: .*states no answer"):
    jsonl.read_questions(path, jsonl.GSM8K)


def test_fields_need_an_answer():
  with pytest.raises(errors.InputError, match="name one of them"):
    jsonl.Fields(answer=None)


def test_prompt_is_a_template():
  question = base.Question(id="a", text=r"$\frac{1}{2}$ {x}", answer="1")
  task = jsonl.JsonlTask(prompt_template=r"{{Q}} {question} \boxed{}")
  assert task.prompt(question) == r"{{Q}} $\frac{1}{2}$ {x} \boxed{}"
  with pytest.raises(errors.InputError, match="prompt_template"):
    jsonl.JsonlTask(prompt_template="Solve:")


def test_completion_states_the_answer():
  task = jsonl.JsonlTask()

  def complete(solution):
    question = base.Question(id="a", text="", answer="1/2", solution=solution)
    return task.completion(question)

  assert complete(r" so $\boxed{\frac12}$. ") == r"so $\boxed{\frac12}$."
  assert complete("halve it") == "halve it\n#### 1/2"
  assert complete("") == "#### 1/2"


def test_grades():
  with jsonl.grading.Grader() as grader:
    task = jsonl.JsonlTask(grader=grader)
    verdicts = task.grade_all([("2x", "x+x"), ("2x", "x"), ("2x", None)])
    assert [verdict.value for verdict in verdicts] == [
      "correct",
      "wrong",
      "ungradable",
    ]
