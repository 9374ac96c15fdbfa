import re

import pytest

from tts_jax import errors
from tts_jax.tasks import arithmetic, base


def calculate(text):
  """The oracle: values after each operation, from left to right."""
  first, *rest = re.findall(r"(^\d+|[-+*]\d+)", text.removesuffix("=?"))
  values = [int(first)]
  for operation in rest:
    operand = int(operation[1:])
    if operation[0] == "+":
      values.append(values[-1] + operand)
    elif operation[0] == "-":
      values.append(values[-1] - operand)
    else:
      values.append(values[-1] * operand)
  return values


def test_solutions_are_right_and_bounded():
  task = arithmetic.Arithmetic(min_operations=2, max_operations=5)
  lengths = set()
  for question in task.questions("train", 500, seed=3):
    values = calculate(question.text)
    assert min(values) >= 0
    assert max(values) <= task.max_value
    *steps, last = task.completion(question).split("\n")
    lengths.add(len(steps))
    assert [int(step.split("=")[1]) for step in steps] == values[1:]
    assert [int(re.match(r"\d+", step)[0]) for step in steps] == values[:-1]
    assert last == f"#### {values[-1]}"
    assert question.answer == str(values[-1])
    assert task.extract(task.completion(question)) == question.answer
    assert task.prompt(question) == question.text + "\n"
    assert question.meta["operations"] == len(steps)
  assert lengths == {2, 3, 4, 5}


def test_is_deterministic_and_does_not_depend_on_the_count():
  task = arithmetic.Arithmetic()
  few = list(task.questions("test", 5, seed=1))
  assert list(task.questions("test", 50, seed=1))[:5] == few
  assert list(task.questions("test", 5, seed=2)) != few
  # A pinned one: test sets must not change with a version of anything.
  assert few[0].text == "20*6-11*3*3-64+42=?"


def test_splits_share_no_text():
  # A small space, so that a generator which ignored the split would collide.
  task = arithmetic.Arithmetic(
    min_operations=1, max_operations=1, max_operand=20
  )
  texts = {
    split: {q.text for q in task.questions(split, 400, seed=seed)}
    for split, seed in [("train", 0), ("validation", 0), ("test", 0)]
  }
  assert not texts["train"] & texts["test"]
  assert not texts["train"] & texts["validation"]
  assert not texts["validation"] & texts["test"]
  assert min(map(len, texts.values())) > 30


def test_ids_are_unique():
  task = arithmetic.Arithmetic()
  ids = [
    q.id
    for split in ("train", "test")
    for seed in (0, 1)
    for q in task.questions(split, 100, seed)
  ]
  assert len(set(ids)) == 400


def test_steps_are_judged_by_calculation():
  question = base.Question(
    id="q", text="7*8-13+5=?", answer="48",
    solution="7*8=56\n56-13=43\n43+5=48\n#### 48",
  )  # fmt: skip
  judge = arithmetic.step_is_correct
  assert judge(question, question.solution) == [True] * 4
  # Right in itself, but on a wrong value.
  wrong = "7*8=54\n54-13=41\n43+5=48\n#### 48"
  assert judge(question, wrong) == [False, False, True, True]
  assert judge(question, "7*8=56\n56-1") == [True, False]
  assert judge(question, question.solution + "\n1") == [True] * 4 + [False]
  assert judge(question, "") == []


def test_harder_settings_make_longer_chains():
  task = arithmetic.Arithmetic(min_operations=9, max_operations=9, max_factor=2)
  for question in task.questions("validation", 20):
    assert len(re.findall(r"[-+*]", question.text)) == 9
    assert set(re.findall(r"\*(\d+)", question.text)) <= {"2"}


@pytest.mark.parametrize(
  ("settings", "word"),
  [
    ({"min_operations": 0}, "min_operations"),
    ({"min_operations": 5, "max_operations": 4}, "max_operations"),
    ({"max_factor": 1}, "max_factor"),
    ({"max_operand": 5}, "max_operand"),
    ({"max_value": 50}, "max_value"),
  ],
)
def test_bad_settings(settings, word):
  with pytest.raises(errors.InputError, match=word):
    arithmetic.Arithmetic(**settings)


def test_unknown_split():
  with pytest.raises(errors.InputError, match=r"'dev'.*'train'"):
    arithmetic.Arithmetic().questions("dev", 1)
