import collections
import itertools
import json

import pytest

from tts_jax import errors
from tts_jax.tasks import base, gsm_symbolic

_TASK = gsm_symbolic.GsmSymbolic()


def test_the_shipped_questions_are_what_their_card_says():
  questions = gsm_symbolic.reporting_questions()
  assert len(questions) == 500
  assert len({question.id for question in questions}) == 500
  assert len({question.uid for question in questions}) == 500
  assert len({question.text for question in questions}) == 500
  held_out = [q for q in questions if q.meta["held_out"]]
  assert len(held_out) == 100
  templates = {q.meta["template"] for q in held_out}
  assert templates == set(gsm_symbolic.HELD_OUT_TEMPLATES)
  card = (gsm_symbolic.TEST_FILE.parent / "README.md").read_text()
  assert "100 (20%)" in card
  assert "Apache-2.0" in card


def test_every_shipped_solution_is_graded_correct():
  questions = gsm_symbolic.reporting_questions()
  pairs = [(q.answer, _TASK.extract(_TASK.completion(q))) for q in questions]
  assert set(_TASK.grade_all(pairs)) == {base.Verdict.CORRECT}


def test_every_shipped_solution_states_its_answer_before_the_mark():
  for question in gsm_symbolic.reporting_questions():
    *steps, last = question.solution.splitlines()
    assert last == f"#### {question.answer}"
    assert question.answer in steps[-1]
    assert all(step == step.strip() for step in steps)


def test_no_shipped_question_can_be_drawn_for_training():
  for question in gsm_symbolic.reporting_questions():
    assert gsm_symbolic.question_split(question.text) == "test"


def test_templates_of_training_and_held_out_do_not_meet():
  trained = set(gsm_symbolic.TRAIN_TEMPLATES)
  assert not trained & set(gsm_symbolic.HELD_OUT_TEMPLATES)


def test_splits_have_the_stated_shares():
  counts = collections.Counter(
    gsm_symbolic.question_split(f"text {i}") for i in range(20_000)
  )
  assert counts["test"] == pytest.approx(1000, rel=0.15)
  assert counts["validation"] == pytest.approx(1000, rel=0.15)
  assert counts["train"] == 20_000 - counts["test"] - counts["validation"]


@pytest.mark.parametrize(
  ("text", "plain"),
  [
    ("$1,200 and $270,000.", "$1200 and $270000."),
    ("47.0 minutes, 3.50, 1.05, 2.005", "47 minutes, 3.50, 1.05, 2.005"),
    ("18,19 and 1,23", "18,19 and 1,23"),
    ("1,234,567", "1234567"),
    ("= 96.0", "= 96"),
  ],
)
def test_plain_numbers(text, plain):
  assert gsm_symbolic.plain_numbers(text) == plain


def test_steps_lose_bullets_headings_and_the_mark():
  text = (
    "Let's solve this step by step:\n\n1. Initial amounts:\n"
    "   • William has 53 kiwi\n   - So 1,096.0 - 26 = 1070\n#### 1070\n"
  )
  assert gsm_symbolic.solution_steps(text) == [
    "William has 53 kiwi",
    "So 1096 - 26 = 1070",
  ]


def test_an_unknown_split_is_named():
  with pytest.raises(errors.InputError, match="'tset': must be one of test"):
    gsm_symbolic.Questions("tset", 0)


class TestGenerators:
  """What needs reasoning-gym itself, an extra."""

  @pytest.fixture(autouse=True)
  def _needs_reasoning_gym(self):
    pytest.importorskip(
      "reasoning_gym", reason="making questions needs the extra `data`"
    )

  def test_questions_depend_on_split_seed_and_index_alone(self):
    def draw(split, seed, start, count):
      stream = gsm_symbolic.Questions(split, seed).start(start)
      return list(itertools.islice(stream, count))

    whole = draw("train", 0, 0, 30)
    resume_at = whole[11][0]
    assert draw("train", 0, resume_at, 19) == whole[11:]
    other = draw("train", 1, 0, 30)
    assert not {q.text for _, q in other} & {q.text for _, q in whole}

  def test_splits_do_not_meet(self):
    texts = {
      split: {
        q.text
        for _, q in itertools.islice(
          gsm_symbolic.Questions(split, 0, (43, 6)).start(), 300
        )
      }
      for split in ("train", "validation", "test")
    }
    assert not texts["train"] & texts["test"]
    assert not texts["train"] & texts["validation"]
    assert not texts["validation"] & texts["test"]

  def test_what_is_dropped_is_counted(self):
    # Template 24 at times ends on another number than its answer.
    source = gsm_symbolic.Questions("train", 0, (24,))
    found = list(itertools.islice(source.start(), 200))
    dropped = found[-1][0] + 1 - len(found)
    assert source.counts["made"] == 200
    assert source.counts["no answer in the last step"] > 0
    assert dropped == sum(source.counts.values()) - 200

  def test_the_shipped_file_is_made_by_its_command(self):
    stream = gsm_symbolic.Questions(
      "test", 0, gsm_symbolic.HELD_OUT_TEMPLATES
    ).start()
    made = {q.id: q for _, q in itertools.islice(stream, 20)}
    shipped = {q.id: q for q in gsm_symbolic.reporting_questions()}
    for identity, question in made.items():
      assert json.loads(json.dumps(shipped[identity].meta)) == question.meta
      assert shipped[identity].solution == question.solution
