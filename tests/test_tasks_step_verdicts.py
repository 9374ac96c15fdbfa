import pytest

from tts_jax.tasks import base, gsm_symbolic, step_verdicts

_QUESTION = base.Question(
  id="pears",
  text="There are 37 girls and twice as many boys. How many kids?",
  answer="111",
  solution=(
    "There are 37 girls x 2 boys/girl = 74 boys.\n"
    "In total there are 37 girls + 74 boys = 111 kids\n"
    "#### 111"
  ),
)
_FIRST, _SECOND, _LAST = _QUESTION.solution.split("\n")


def _first_wrong(question, completion):
  return base.first_wrong(step_verdicts.step_is_correct(question, completion))


@pytest.mark.parametrize(
  ("completion", "expected"),
  [
    (_QUESTION.solution, [True, True, True]),
    # Other names, spacing and order of factors, the same values.
    (f"2 x 37 = 74 girls!\n{_SECOND}\n####  111.0", [True, True, True]),
    # A wrong product, carried on rightly: only the answer could be right again.
    (
      "There are 37 girls x 2 boys/girl = 64 boys.\n37 + 64 = 101\n#### 101",
      [False, False, False],
    ),
    # A right answer by luck does not mend the steps.
    ("37 x 2 = 75\n37 + 75 = 111\n#### 111", [False, False, True]),
    # The right values in a false equation.
    (f"74 x 2 = 37\n{_SECOND}", [False, True]),
    ("37 - 2 = 74", [False]),
    # A step left out, one repeated, the answer at once, words after it.
    (f"{_SECOND}\n{_LAST}", [False, False]),
    (f"{_FIRST}\n{_FIRST}\n{_LAST}", [True, False, True]),
    ("#### 111", [False]),
    (f"{_QUESTION.solution}\nand so on", [True, True, True, False]),
    # Cut off.
    (f"{_FIRST}\nIn total there are 37", [True, False]),
    (f"{_FIRST}\n", [True, False]),
    ("", []),
    # No answer, or another one, on the answer's line.
    (f"{_FIRST}\n{_SECOND}\n111", [True, True, False]),
    (f"{_FIRST}\n{_SECOND}\n#### -111", [True, True, False]),
    (f"{_FIRST}\n{_SECOND}\n#### many", [True, True, False]),
  ],
)
def test_verdicts_by_hand(completion, expected):
  assert step_verdicts.step_is_correct(_QUESTION, completion) == expected
  first = expected.index(False) if False in expected else -1
  assert _first_wrong(_QUESTION, completion) == first


@pytest.mark.parametrize(
  "line",
  [
    "a total of 51 minutes because 12 + 39 = 51",
    "9 loaves of sourdough cost 9 * €6 = €54.",
    "There are 35-6-12 = 17 white tiles",
    "2/3 of the essay which is 303 pages x 2/3 = 202 pages.",
    "Michael = 0.5 * 272 + 21 = 157 points",
    "30 x 95= 2850 coconuts, 12 ÷ 2 = 6 times",
    "3 + 4 = 7 = 14 / 2",
    "2 + 3 * 4 = 14",
    "1,200 * 2 = 2,400",
    # Not read, so not judged.
    "If there were 82 bees, half * 82 bees = 41 wasps",
    "(3 + 4) * 2 = 14",
    "7 / 0 = 7",
    "12 - some = 5",
    "=",
    "x = y",
  ],
)
def test_equations_that_hold(line):
  assert step_verdicts.equations_hold(line)


@pytest.mark.parametrize(
  "line",
  [
    "because 12 + 39 = 41",
    "9 * €6 = €45.",
    "35-6-12 = 16",
    "303 pages x 2/3 = 212 pages.",
    "3 + 4 = 7 = 14 / 3",
    "2 + 3 * 4 = 20",
    "3 apples = 4 apples",
    "He drank 11*6=6-5=66",
  ],
)
def test_equations_that_do_not_hold(line):
  assert not step_verdicts.equations_hold(line)


def test_a_worked_solution_that_rounds_is_its_own_measure():
  question = base.Question(
    id="paint", text="", answer="6", solution="13*0.5=6 tubes\n#### 6"
  )
  verdicts = step_verdicts.step_is_correct
  assert verdicts(question, question.solution) == [True, True]
  assert verdicts(question, "13*0.5=7 tubes\n#### 6") == [False, True]


def test_every_shipped_solution_is_right_in_every_step():
  questions = gsm_symbolic.reporting_questions()
  for question in questions:
    assert _first_wrong(question, question.solution) == -1


def test_a_changed_number_in_a_shipped_solution_is_found():
  for question in gsm_symbolic.reporting_questions():
    lines = question.solution.split("\n")
    for index, line in enumerate(lines):
      places = [place for place, sign in enumerate(line) if sign.isdigit()]
      for place in places[-1:]:
        digit = str((int(line[place]) + 1) % 10)
        changed = line[:place] + digit + line[place + 1 :]
        solution = "\n".join([*lines[:index], changed, *lines[index + 1 :]])
        assert _first_wrong(question, solution) == index
