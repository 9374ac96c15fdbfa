import fractions

import pytest

from tts_jax.tasks import base

CORRECT, WRONG, UNGRADABLE = (
  base.Verdict.CORRECT,
  base.Verdict.WRONG,
  base.Verdict.UNGRADABLE,
)


def test_uid_is_pinned():
  # Results of earlier runs are keyed by it: it must never change.
  question = base.Question(id="arithmetic/test/0/0", text="", answer="")
  assert question.uid == 2862194904
  assert base.Question(id="arithmetic/test/0/1", text="", answer="").uid != (
    question.uid
  )


def test_questions_hash_and_compare():
  a = base.Question(id="a", text="t", answer="1", meta={"level": 1})
  assert a == base.Question(id="a", text="t", answer="1", meta={"level": 1})
  assert len({a, base.Question(id="b", text="t", answer="1")}) == 2


@pytest.mark.parametrize(
  ("text", "value"),
  [
    ("96.0", 96),
    ("1,200", 1200),
    ("12,345.60", "12345.6"),
    ("$5", 5),
    ("\\$5", 5),
    ("-$5", -5),
    ("$-5", -5),
    ("-3", -3),
    ("+3", 3),
    ("\N{MINUS SIGN}3", -3),
    (" 7. ", 7),
    ("20%", 20),
    ("20\\%", 20),
    (".5", "1/2"),
    ("2/4", "1/2"),
    ("0.1", "1/10"),
    ("007", 7),
  ],
)
def test_parse_number(text, value):
  assert base.parse_number(text) == fractions.Fraction(value)


@pytest.mark.parametrize(
  "text",
  [
    *("", "x", ".", "1,22", "12,00", "--3", "-$-3", "1/0", "3 4", "1e5"),
    *("5 apples", "9" * 65, "\N{ARABIC-INDIC DIGIT ONE}"),
  ],
)
def test_no_number(text):
  assert base.parse_number(text) is None


def test_last_marked_line_counts():
  answers = base.NumericAnswers()
  assert answers.extract("1+1=2\n#### 2") == "2"
  assert answers.extract("#### 1\nno\n####   1,200 \nrest") == "1,200"
  assert answers.extract("the #### 3") is None
  assert answers.extract("1+1=2\n####") is None
  assert answers.extract("####\n5") is None


def test_canonical_is_the_exact_number():
  answers = base.NumericAnswers()
  assert answers.canonical("96.0") == answers.canonical("$96") == "96"
  assert answers.canonical("0.50") == answers.canonical("1/2") == "1/2"
  assert answers.canonical("-0") == "0"
  # Not by floats: these differ in the 20th digit.
  long = "0.12345678901234567890"
  assert answers.canonical(long) != answers.canonical(long[:-2] + "1")
  assert answers.canonical("none") is None


def test_grades_numbers():
  pairs = [("96", "96.0"), ("96", "69"), ("96", None), ("96", "many")]
  assert base.NumericAnswers().grade_all(pairs) == [
    CORRECT,
    WRONG,
    UNGRADABLE,
    UNGRADABLE,
  ]


def test_a_gold_that_is_no_number_is_refused():
  with pytest.raises(ValueError, match="'x'"):
    base.NumericAnswers().grade_all([("x", "1")])
