"""Samples that somebody else made, read, graded and measured."""

import json
import math

import kill_harness
import numpy as np
import pytest
import replay_command

from tts_jax import errors
from tts_jax.store import pool, scores
from tts_jax.tasks import replayed

_Q, _N = replay_command.Q, replay_command.N
_lines, _write = replay_command.lines, replay_command.write
_replay = replay_command.replay


def test_a_file_of_search_and_learn_is_measured_as_it_votes(tmp_path, cache):
  lines = _lines()
  file, out = _write(tmp_path / "file.jsonl", lines), tmp_path / "run"
  done = _replay(out, file, cache, "--config.batch=5")
  assert done.returncode == 0, done.stderr
  summary = json.loads((out / "summary.json").read_text())
  right = np.array(
    [
      [r"{1}{2}" in t or "0.5" in t for t in one["completions"]]
      for one in lines
    ]
  )
  assert summary["pass_at_1"] == pytest.approx(right.mean())
  loaded = pool.load_pool(out)
  np.testing.assert_array_equal(loaded.correct, right)
  assert max(len(groups) for groups in loaded.groups) <= 3
  step_score, _, count = scores.load_scores(out, loaded.question_ids, _N)
  assert step_score[0, 0, : count[0, 0]].tolist() == pytest.approx(
    lines[0]["scores"][0]
  )
  # Every vote of the file is found again.
  assert set(summary["votes"]) == {
    f"{kind}@{n}" for kind in ("naive", "weighted", "maj") for n in (1, 2, 4, 8)
  }
  for name, one in summary["votes"].items():
    assert one == {"questions": _Q, "agree": _Q}, name
  curves = summary["verifier"]["curves"]
  assert set(curves) == {"majority", "best_of_n", "best_of_n_weighted"}
  assert set(summary["verifier"]["aggregations"]) == {
    "last",
    "least",
    "product",
  }
  assert not [key for key in summary["verifier"] if key.startswith("logprob")]
  page = (out / "report.html").read_text()
  assert "<h2>The verifier</h2>" in page
  assert "log-probability 0.00" not in page
  before = kill_harness.contents(out / pool.STAGE)
  assert _replay(out, file, cache, "--config.batch=5").returncode == 0
  assert kill_harness.contents(out / pool.STAGE) == before


def test_another_score_chooses_otherwise(tmp_path, cache):
  file, out = _write(tmp_path / "file.jsonl", _lines()), tmp_path / "run"
  done = _replay(out, file, cache, "--config.aggregation=product")
  assert done.returncode == 0, done.stderr
  votes = json.loads((out / "summary.json").read_text())["votes"]
  assert votes["maj@8"]["agree"] == _Q
  assert votes["naive@8"]["agree"] < _Q


def test_a_file_of_qwens_evaluation_is_counted_as_it_counts(tmp_path, cache):
  """Its own verdicts, and votes of its own answers as they stand."""
  rng = np.random.default_rng(1)
  verdict = rng.random((_Q, 4)) < 0.4
  said = [["7" if one else "8" for one in row] for row in verdict]
  # One number, but in its count two answers, of a vote each; and no answer.
  said[0] = ["7", "7.0", "7.00", ""]
  lines = [
    {
      "idx": number,
      "question": "Question 1",
      "gt_cot": "",
      "gt": "7",
      # The data set's, which is not what was graded by.
      "answer": 3,
      "code": ["It came out of the program."] * 4,
      "pred": said[number],
      "report": [None] * 4,
      # Not what grading would say.
      "score": [not one for one in verdict[number].tolist()],
    }
    for number in range(_Q)
  ]
  out, file = tmp_path / "run", _write(tmp_path / "file.jsonl", lines)
  own = {"config": "replay_qwen_math"}
  done = _replay(out, file, cache, "--config.samples=3", **own)
  assert done.returncode == 0, done.stderr
  assert "12 questions x 3 completions, no scores, graded in the file" in (
    done.stdout
  )
  summary = json.loads((out / "summary.json").read_text())
  assert summary["pass_at_1"] == pytest.approx((~verdict[:, :3]).mean())
  assert "verifier" not in summary
  assert summary["votes"] == {}
  loaded = pool.load_pool(out)
  assert loaded.question_ids == tuple(map(str, range(_Q)))
  assert loaded.groups[0] == ("7", "7.0", "7.00")
  done = _replay(tmp_path / "all", file, cache, **own)
  assert done.returncode == 0, done.stderr
  assert pool.load_pool(tmp_path / "all").answers[0].tolist() == [0, 1, 2, -1]


def test_what_is_not_known_is_not_told(tmp_path, cache):
  file = _write(tmp_path / "file.jsonl", _lines())
  done = _replay(tmp_path / "run", file, cache)
  assert done.returncode == 0, done.stderr
  summary = json.loads((tmp_path / "run" / "summary.json").read_text())
  assert "truncated" not in summary
  assert (
    "cut at the limit" not in (tmp_path / "run" / "report.html").read_text()
  )
  ended = [True] * (_N - 1) + [False]
  lines = [one | {"finished": ended} for one in _lines()]
  file = _write(tmp_path / "other.jsonl", lines)
  done = _replay(tmp_path / "other", file, cache)
  assert done.returncode == 0, done.stderr
  summary = json.loads((tmp_path / "other" / "summary.json").read_text())
  assert summary["truncated"] == _Q


def test_a_completion_without_a_step_is_never_chosen(tmp_path, cache):
  lines = _lines()
  for one in lines:
    one["completions"][0], one["scores"][0] = "I do not know", []
  file, out = _write(tmp_path / "file.jsonl", lines), tmp_path / "run"
  done = _replay(out, file, cache)
  assert done.returncode == 0, done.stderr
  verifier = json.loads((out / "summary.json").read_text())["verifier"]
  assert verifier["unscored"] == _Q
  # What states no answer counts as wrong, and else stands in nobody's way.
  rest = [
    one
    | {
      "completions": one["completions"][1:],
      "scores": one["scores"][1:],
    }
    for one in lines
  ]
  file = _write(tmp_path / "rest.jsonl", rest)
  done = _replay(tmp_path / "rest", file, cache)
  assert done.returncode == 0, done.stderr
  summary = json.loads((tmp_path / "rest" / "summary.json").read_text())
  for name in ("best_of_n", "best_of_n_weighted"):
    whole, less = verifier["curves"][name], summary["verifier"]["curves"][name]
    assert whole[str(_N)]["mean"] == pytest.approx(less[str(_N - 1)]["mean"])


def test_an_answer_without_a_score_is_refused(tmp_path, cache):
  lines = _lines()
  lines[3]["scores"][2] = []
  file, out = _write(tmp_path / "file.jsonl", lines), tmp_path / "run"
  done = _replay(out, file, cache)
  assert done.returncode == 2
  assert "question 'What is question 3?': completion 2 states the answer" in (
    done.stderr
  )
  assert not out.exists()
  done = _replay(out, file, cache, "--config.fields.scores=")
  assert done.returncode == 0, done.stderr
  assert "verifier" not in json.loads((out / "summary.json").read_text())


def _changed(**changes):
  first, second = _lines()[:2]
  second = {k: v for k, v in (second | changes).items() if v is not None}
  return [first, second]


@pytest.mark.parametrize(
  ("changes", "samples", "message"),
  [
    ({"completions": None}, 0, "line 2: field 'completions' is missing"),
    ({"completions": "one"}, 0, "line 2: .* is a str, expected a list"),
    ({"completions": []}, 0, "line 2: .* must be a list of texts"),
    ({"completions": [1] * _N}, 0, "line 2: .* must be a list of texts"),
    ({"completions": ["a"]}, 0, "'scores' has 8 entries for 1 completions"),
    (
      {"completions": ["a"], "scores": [[0.5]]},
      0,
      "1 completions, but the first line has 8; --config.samples=N takes",
    ),
    ({"completions": ["a"], "scores": [0.5]}, 2, "config.samples asks for 2"),
    ({"scores": [[2.0]] * _N}, 0, "completion 0 has the score 2.0; .* 0 to 1"),
    ({"scores": [[math.nan]] * _N}, 0, "has the score nan"),
    ({"scores": [None] * _N}, 0, "has the score None"),
    (
      {"problem": "What is question 0?"},
      0,
      "line 2: the question is that of line 1",
    ),
    ({}, -1, "samples is -1"),
  ],
)
def test_a_wrong_line_is_named(tmp_path, changes, samples, message):
  file = _write(tmp_path / "file.jsonl", _changed(**changes))
  with pytest.raises(errors.InputError, match=message):
    replayed.read(file, samples=samples)


def test_what_is_said_of_each_is_of_its_kind(tmp_path):
  file = _write(tmp_path / "file.jsonl", _changed(right=[1] * _N))
  with pytest.raises(errors.InputError, match="line 1: field 'right' is miss"):
    replayed.read(file, replayed.Fields(verdicts="right"))
  for name, wrong, message in (
    ("verdicts", 1, "a list of true and false or null"),
    ("preds", 3, "a list of text or null"),
    ("finished", None, "a list of true and false"),
  ):
    lines = [one | {name: [wrong] * _N} for one in _lines()[:1]]
    file = _write(tmp_path / "file.jsonl", lines)
    with pytest.raises(errors.InputError, match=message):
      replayed.read(file)


def test_fields_that_may_lack_are_those_of_the_first_line(tmp_path):
  lines = _lines()[:2]
  known = [
    one
    | {
      "id": number,
      "verdicts": [True, False, None, *[True] * (_N - 3)],
      "preds": ["1", " ", None, *["2 "] * (_N - 3)],
    }
    for number, one in enumerate(lines)
  ]
  file = _write(tmp_path / "file.jsonl", known)
  _, second = replayed.read(file, samples=4)
  assert second.question.id == "1"
  assert second.verdicts == (True, False, None, True)
  assert second.stated == ("1", None, None, "2")
  assert second.finished is None
  assert set(second.question.meta) & {"verdicts", "preds", "scores"} == set()
  file = _write(tmp_path / "file.jsonl", [known[0], lines[1]])
  with pytest.raises(errors.InputError, match="line 2: field 'id' is missing"):
    replayed.read(file)


@pytest.mark.parametrize(
  ("flag", "message"),
  [
    ("--config.file=", "no file is given; give --config.file=FILE"),
    ("--config.file=nowhere", "nowhere: no such file"),
    ("--config.aggregation=mean", "it must be of last, least, product"),
    ("--config.samples=1", "config.samples is 1; at least 2"),
    ("--config.task=gsm_symbolic", "the answer 'x' is no number, so that"),
    ("--config.batch=0", "config.batch is 0; it must be at least 1"),
    ("--config.fields.scores=score", "line 1: field 'score' is missing"),
  ],
)
def test_what_cannot_be_replayed_is_refused(tmp_path, cache, flag, message):
  lines = _lines()
  lines[2]["answer"] = "x"
  file, out = _write(tmp_path / "file.jsonl", lines), tmp_path / "run"
  done = _replay(out, file, cache, flag)
  assert done.returncode == 2
  assert message in done.stderr
  assert len(done.stderr.strip().splitlines()) == 1
  assert not out.exists()
