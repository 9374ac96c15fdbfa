"""What a notebook gets by `import tts_jax as tts`: names, examples, errors."""

import doctest
import importlib
import inspect
import json
import os
import pathlib
import subprocess
import sys
import time

import made_policies
import numpy as np
import pytest

import tts_jax as tts
from tts_jax import errors
from tts_jax.report import opened, showing
from tts_jax.scaling import plans, policy_file
from tts_jax.store import packed
from tts_jax.store import pool as pool_lib
from tts_jax.store import run as run_lib

_VOTE = plans.Sampled(4, "majority")
_NAMES = [name for name in tts.__all__ if name != "__version__"]
_EXAMPLES = """
import sys, test_notebook
sys.exit(test_notebook.run_examples(sys.argv[1]))
"""
_TESTS = pathlib.Path(__file__).parent
_ENVIRONMENT = {
  **os.environ,
  "JAX_PLATFORMS": "cpu",
  "PYTHONPATH": os.pathsep.join([str(_TESTS.parent), str(_TESTS)]),
}


def _policy():
  choices = (made_policies.choice(_VOTE),) * 2
  return made_policies.policy(choices, choices, difficulty="head")


def run_examples(folder):
  """Runs every name's example in a folder; returns how many lines failed."""
  os.chdir(folder)
  run = pathlib.Path("runs/mine")
  run.mkdir(parents=True)
  policy_file.write(run / "policy.json", _policy())
  finder, failed = doctest.DocTestFinder(recurse=False), 0
  for name in _NAMES:
    start = time.monotonic()
    known = {"np": np, "tts": tts}
    (test,) = finder.find(getattr(tts, name), name, globs=known)
    failed += doctest.DocTestRunner().run(test).failed
    print(f"{name}: {time.monotonic() - start:.1f} s", flush=True)
  return failed


def test_every_example_runs(tmp_path):
  done = subprocess.run(
    [sys.executable, "-c", _EXAMPLES, str(tmp_path)],
    capture_output=True,
    text=True,
    check=False,
    env=_ENVIRONMENT,
  )
  print(done.stdout)
  assert done.returncode == 0, done.stdout + done.stderr
  assert done.stdout.count(" s\n") == len(_NAMES)


def test_the_names_are_few_and_found():
  assert 30 <= len(_NAMES) < 40
  assert set(tts.__all__) <= set(dir(tts))
  assert len(set(tts.__all__)) == len(tts.__all__)
  with pytest.raises(AttributeError, match="has no attribute 'solved'"):
    _ = tts.solved


@pytest.mark.parametrize("name", _NAMES)
def test_each_name_is_documented_with_an_example(name):
  found = getattr(tts, name)
  assert inspect.isfunction(found) or inspect.isclass(found)
  assert ">>> " in found.__doc__
  assert f"tts.{name}(" in found.__doc__
  # Of the module that has it, and not of one that imports it.
  assert getattr(importlib.import_module(found.__module__), found.__name__)


def test_a_strategy_is_its_own_budget():
  beam = tts.Beam(n=4, width=2)
  made = tts.solver(strategy=beam)
  (placed,) = made.unplaced([tts.shipped_questions()[0]])
  assert made.decide(placed).plan == beam
  assert made.decide(placed).why == "it was asked for"
  revised = tts.solver(strategy=tts.Revised(chains=1, length=2), budget=2)
  assert revised.engines.models.reviser is not None
  assert made.engines.models.reviser is None
  assert made.engines.settings.trace


@pytest.mark.parametrize(
  ("asked", "message"),
  [
    ({}, "no budget is given; give budget, or a strategy"),
    ({"strategy": _VOTE, "budget": 8}, "budget is 8, and the strategy's 4; l"),
    ({"strategy": _VOTE, "policy": "p"}, "strategy and policy are both given"),
  ],
)
def test_what_does_not_go_together_is_refused(asked, message):
  with pytest.raises(errors.InputError, match=message):
    tts.solve("1 + 2 = ?", **asked)


def _write(folder, correct):
  """A run with a pool of one-token samples."""
  questions, samples = correct.shape
  rows = [(q, s) for q in range(questions) for s in range(samples)]
  table = pool_lib.table(
    question_id=[f"q{q}" for q, _ in rows],
    uid=[q for q, _ in rows],
    sample=[s for _, s in rows],
    text=["x"] * len(rows),
    tokens=[[1]] * len(rows),
    logprobs=[[-1.0]] * len(rows),
    step_min_logprob=[[-1.0]] * len(rows),
    answer=["1" if correct[row] else "2" for row in rows],
    verdict=["correct" if correct[row] else "wrong" for row in rows],
    finished=[True] * len(rows),
  )
  with run_lib.Run.open(folder, {}) as made:
    made.stage(pool_lib.STAGE, pool_lib.SCHEMA, "i").write(0, table)


def test_a_run_is_opened_in_a_line(tmp_path):
  correct = np.arange(40).reshape(5, 8) % 3 == 0
  _write(tmp_path / "run", correct)
  run = tts.open_run(tmp_path / "run")
  np.testing.assert_array_equal(run.samples.correct, correct)
  assert run.summary["pass_at_1"] == pytest.approx(correct.mean())
  (tmp_path / "run" / "summary.json").write_text(json.dumps({"pass_at_1": 2}))
  assert tts.open_run(tmp_path / "run").summary == {"pass_at_1": 2}
  # Of some samples the file does not tell.
  few = tts.open_run(tmp_path / "run", samples=4)
  assert few.summary["pass_at_1"] == pytest.approx(correct[:, :4].mean())
  policy_file.write(tmp_path / "run" / "policy.json", _policy())
  assert few.policy == _policy()
  with pytest.raises(errors.InputError, match=r"summary\.json lacks curves"):
    few.figure("3")
  with pytest.raises(errors.InputError, match="no such folder; give that of"):
    tts.open_run(tmp_path / "none")
  shown = tts.show(few.figure())
  assert "data:image/svg+xml;base64," in shown._repr_html_()
  assert "save() writes it" in repr(shown)
  saved = shown.save(tmp_path / "one.svg")
  assert saved.read_text() == shown.html


def test_a_packed_run_is_opened_too():
  run = opened.open_run(samples=2)
  assert run.samples.correct.shape == (500, 2)
  assert len(set(run.samples.question_ids)) == 500
  assert (run.samples.length > 0).all()
  with pytest.raises(errors.InputError, match=r"policy\.json"):
    _ = run.policy
  with pytest.raises(errors.InputError, match="has no stage 'pools'; it has p"):
    packed.load(run.folder).rows("pools")


def test_a_page_is_shown_in_a_frame_of_its_own():
  page = showing.Shown('<!doctype html>\n<p class="a">1 &lt; 2</p>')
  assert 'srcdoc="&lt;!doctype html&gt;' in page._repr_html_()
  assert 'class="a"' not in page._repr_html_()


def test_an_answer_is_shown_with_what_answered_it():
  with pytest.raises(errors.InputError, match="give the solver too"):
    tts.show("an answer")
