import collections
import json
import os
import subprocess
import sys
import threading
import time

import pytest

from tts_jax.tasks import base, extraction, grading, jsonl

CORRECT, WRONG, UNGRADABLE = (
  base.Verdict.CORRECT,
  base.Verdict.WRONG,
  base.Verdict.UNGRADABLE,
)
# Line, reference answer, answer, what the file says. Why we disagree:
DISAGREEMENTS = [
  # A comma is no decimal point here: MATH writes lists so.
  (4, "1,22", "1.22", True),
  # Equal; the file records that its reader missed the line breaks.
  (17, "$9$", "Answer \\( \n 9 \n \\)", False),
  # The file's mode renames variables; ours does not.
  (126, "$f(x)$", "$f(y)$", True),
  # A bare list is a set, as in most of the file; its source is stricter.
  (132, "4, .1, 2", "0.1, 4, 2", False),
]


@pytest.fixture(scope="module")
def grader():
  with grading.Grader() as grader:
    yield grader


@pytest.fixture(scope="module")
def rows(data_dir):
  text = (data_dir / "grading/answer_pairs.jsonl").read_text("utf-8")
  return [json.loads(line) for line in text.splitlines()]


def test_agrees_with_known_verdicts(grader, rows):
  verdicts = grader.grade_all([(row["gold"], row["pred"]) for row in rows])
  disagreements = [
    (line, row["gold"], row["pred"], row["equal"])
    for line, (row, verdict) in enumerate(
      zip(rows, verdicts, strict=True), start=1
    )
    if (verdict is CORRECT) != row["equal"]
  ]
  assert len(rows) == 142
  assert UNGRADABLE not in verdicts
  assert disagreements == DISAGREEMENTS


def test_verdicts_do_not_depend_on_the_order(grader, rows):
  pairs = [(row["gold"], row["pred"]) for row in rows][::-2]
  with grading.Grader() as fresh:
    assert fresh.grade_all(pairs) == grader.grade_all(pairs[::-1])[::-1]


def test_math_solutions_agree_with_themselves(grader, data_dir):
  file = data_dir / "math" / "math12k_train.jsonl"
  questions = jsonl.read_questions(file, jsonl.MATH)
  verdicts = grader.grade_all(
    [(one.answer, extraction.extract_answer(one.solution)) for one in questions]
  )
  # Two have no answer, as published.
  assert collections.Counter(verdicts) == {CORRECT: 11998, UNGRADABLE: 2}
  assert [
    question.answer
    for question, verdict in zip(questions, verdicts, strict=True)
    if verdict is UNGRADABLE
  ] == ["", ""]


def test_many_pairs_have_a_child_for_each_processor(monkeypatch):
  monkeypatch.setattr(grading, "_PAIRS_PER_CHILD", 2)
  pairs = [(f"{n}x+x", f"{n + 1 + n % 2}x") for n in range(2, 8)]
  with grading.Grader() as grader:
    verdicts = grader.grade_all([*pairs, *pairs])
    started = sum(place.child is not None for place in grader._algebra)
  assert started == min(3, len(os.sched_getaffinity(0)))
  assert verdicts == [CORRECT, WRONG] * 6


@pytest.mark.parametrize(
  ("gold", "answer", "verdict"),
  [
    ("(x+1)^2", "x^2+2x+1", CORRECT),
    ("(x+1)^2", "x^2+1", WRONG),
    (r"\sqrt{8}", r"2\sqrt{2}", CORRECT),
    (r"\frac{1}{\sqrt{2}}", r"\frac{\sqrt{2}}{2}", CORRECT),
    (r"\frac{\pi}{4}", "0.7", WRONG),
    (r"\text{even}", r"\text{odd}", WRONG),
    ("4", "I do not know", UNGRADABLE),
    ("4", None, UNGRADABLE),
    ("4", "  ", UNGRADABLE),
    ("", "4", UNGRADABLE),
    ("4", "\ud800", WRONG),
  ],
)
def test_verdicts(grader, gold, answer, verdict):
  assert grader.grade(gold, answer) is verdict


def test_counts_every_verdict():
  # Settled by canonical forms or the cache: no child is needed.
  with grading.Grader() as grader:
    pairs = [("1/2", "0.5"), ("1/2", "0.5"), ("1/2", None), ("$12$", "-12")]
    grader.grade_all(pairs)
    assert grader.counts == {CORRECT: 2, WRONG: 1, UNGRADABLE: 1}
    assert grader.cut_off == 0
    assert all(place.child is None for place in grader._algebra)


def test_works_from_other_threads(grader):
  verdicts = {}

  def work(number):
    verdicts[number] = grader.grade(f"{number}x+x", f"{number + 1}x")

  threads = [threading.Thread(target=work, args=(n,)) for n in range(2, 6)]
  for thread in threads:
    thread.start()
  for thread in threads:
    thread.join()
  assert verdicts == {number: CORRECT for number in range(2, 6)}


def test_monstrous_expressions_are_cut_off():
  with grading.Grader(processor_seconds=2.0) as grader:
    monster = "9^{9^{9^{9}}}"
    assert grader.grade("4", monster) is UNGRADABLE
    assert grader.cut_off == 1
    # Kept, not tried again.
    start = time.monotonic()
    assert grader.grade("4", monster) is UNGRADABLE
    assert time.monotonic() - start < 0.5
    assert grader.cut_off == 1
    # A new child takes over.
    assert grader.grade("4x", "x+3x") is CORRECT
    assert grader.counts == {CORRECT: 1, WRONG: 0, UNGRADABLE: 2}


def test_a_child_killed_by_others_is_replaced(grader):
  assert grader.grade("6x", "x+5x") is CORRECT
  grader._algebra[0].child._process.kill()
  assert grader.grade("7x", "x+6x") is CORRECT
  assert grader.cut_off == 0


def test_a_stuck_child_is_ended(monkeypatch, tmp_path):
  worker = tmp_path / "stuck.py"
  worker.write_text("print('{}', flush=True)\nimport time\ntime.sleep(60)\n")
  monkeypatch.setattr(grading, "_WORKER", worker)
  monkeypatch.setattr(grading, "_WALL_PER_PROCESSOR_SECOND", 0.1)
  with grading.Grader(processor_seconds=1.0) as grader:
    assert grader.grade("1", "x") is UNGRADABLE
    assert grader.cut_off == 1


def test_a_child_that_does_not_start_is_an_error(monkeypatch, tmp_path):
  worker = tmp_path / "broken.py"
  worker.write_text("raise SystemExit(3)\n")
  monkeypatch.setattr(grading, "_WORKER", worker)
  with (
    grading.Grader() as grader,
    pytest.raises(RuntimeError, match="did not start"),
  ):
    grader.grade("1", "x")


def test_deadline_must_be_positive():
  with pytest.raises(ValueError, match="processor_seconds is 0"):
    grading.Grader(processor_seconds=0)


def test_algebra_stays_in_the_child():
  code = (
    "import sys\n"
    "from tts_jax.tasks import jsonl, grading\n"
    "with grading.Grader() as g:\n"
    "  assert g.grade('x+x', '2x').value == 'correct'\n"
    "print({'sympy', 'math_verify', 'jax'} & set(sys.modules))\n"
  )
  done = subprocess.run(
    [sys.executable, "-c", code], capture_output=True, text=True, check=True
  )
  assert done.stdout == "set()\n"
  assert done.stderr == ""
