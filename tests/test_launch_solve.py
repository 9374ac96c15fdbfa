"""launch.solve from the command line, on a tiny model, verifier and policy."""

import dataclasses
import json
import os
import subprocess
import sys

import answering_model
import kill_harness
import made_policies
import pytest
import tiny_head

from tts_jax.scaling import plans, policy_file
from tts_jax.search import strategies
from tts_jax.store import answers
from tts_jax.tasks import arithmetic

_SMALL = (
  "--config.task=arithmetic",
  "--config.limits.prompt_tokens=32",
  "--config.limits.max_tokens=26",
  "--config.engine.groups=2",
  "--config.engine.rows=4",
  "--config.engine.steps=8",
  "--config.engine.batch=2",
  "--config.scoring.rows=2",
  "--config.scoring.length=128",
  "--config.search.rows=8",
  "--config.search.step_tokens=5",
  "--config.revision.window=2",
  "--config.revision.context_tokens=36",
  "--config.revision.rebuilt=2",
)
_KINDS = (
  plans.Sampled(4, "majority"),
  plans.Sampled(4, "best_of_n_weighted"),
  strategies.Beam(4, 2),
  strategies.DiverseBeam(4, 2),
  strategies.Lookahead(2, 2, 1),
  plans.Revised(2, 2),
  plans.RevisedSearch(strategies.Beam(2, 2)),
)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
  folder = tmp_path_factory.mktemp("model")
  answering_model.save(folder)
  return folder


@pytest.fixture(scope="module")
def verifier(tmp_path_factory, model):
  folder = tmp_path_factory.mktemp("verifier")
  answering_model.save_verifier(folder, model)
  return folder


def _choice(plan):
  interval = {"mean": 0.5, "low": 0.4, "high": 0.6}
  told = dict(questions=10, agreement=0.75, less_baseline=interval)
  return made_policies.choice(plan, generations=plan.generations, **told)


@pytest.fixture(scope="module")
def policy(tmp_path_factory, model, verifier):
  """By the first four samples: easy questions vote, hard ones search."""
  made = made_policies.policy(
    (_choice(_KINDS[1]), _choice(_KINDS[0])),
    (_choice(_KINDS[1]), _choice(_KINDS[2])),
    made_for=policy_file.made_for(model, verifier),
    edges=(0.42,),
    budgets=(4.0, 8.0),
  )
  path = tmp_path_factory.mktemp("policy") / "policy.json"
  policy_file.write(path, made)
  return path, made


@pytest.fixture(scope="module")
def by_head(tmp_path_factory, model, verifier, policy):
  """The same by a head: (policy.json, the policy, the head's folder)."""
  head, other = (tmp_path_factory.mktemp(name) for name in ("head", "other"))
  tiny_head.save(head, model)
  tiny_head.save(other, model, seed=1)
  made = dataclasses.replace(
    policy[1],
    made_for=policy_file.made_for(model, verifier, difficulty_head=head),
    difficulty="head",
    difficulty_generations=0,
    estimated=(True, True),
  )
  path = head / "policy.json"
  policy_file.write(path, made)
  return path, made, head, other


@pytest.fixture(scope="module")
def file(tmp_path_factory):
  """Seven questions, the last one without an answer."""
  path = tmp_path_factory.mktemp("file") / "questions.jsonl"
  stream = arithmetic.Arithmetic().start("test", 0, 0)
  lines = [
    {"question": question.text, "answer": question.answer}
    for _, (_, question) in zip(range(7), stream, strict=False)
  ]
  del lines[-1]["answer"]
  path.write_text("\n".join(map(json.dumps, lines)))
  return path


@pytest.fixture(scope="module")
def solve(model, verifier, cache):
  def command(*flags):
    return kill_harness.python(
      "-m",
      "launch.solve",
      *_SMALL,
      f"--config.model={model}",
      f"--config.verifier={verifier}",
      *flags,
    )

  return command


def _file_flags(file, policy, out):
  return (
    f"--file={file}",
    f"--policy={policy[0]}",
    "--budget=8",
    "--show",
    f"--out={out}",
  )


@pytest.fixture(scope="module")
def whole(tmp_path_factory, solve, file, policy, cache):
  out = tmp_path_factory.mktemp("whole") / "run"
  done = kill_harness.run(solve(*_file_flags(file, policy, out)), cache)
  assert done.returncode == 0, done.stderr
  return out, done


def test_a_file_is_answered_by_the_policy(whole, file, policy):
  out, done = whole
  rows = answers.load_answers(out)
  asked = [json.loads(line) for line in file.read_text().splitlines()]
  assert [row["question"] for row in rows] == [one["question"] for one in asked]
  assert [row["reference"] is None for row in rows] == [False] * 6 + [True]
  assert rows[-1]["correct"] is None
  for row in rows:
    # Four samples to estimate, and four of the strategy.
    assert row["generations"] == 8
    easy = row["difficulty"] >= 0.42
    assert row["bin"] == (1 if easy else 2)
    want = policy[1].choices[0 if easy else 1][1].plan
    assert plans.decode(json.loads(row["plan"]), "row") == want
    assert "by first_4, bin" in row["why"]
    assert "chosen by 75%" in row["why"]
    assert row["flops"] > 0
    assert row["generated"] > 0
    if row["answer"] is None:
      assert row["score"] is None
    else:
      assert 0 < row["score"] < 1
      assert 0 < row["share"] <= 1
  assert len({row["plan"] for row in rows}) == 2
  assert any(row["answer"] is not None for row in rows)
  lines = (out / "answers.jsonl").read_text().splitlines()
  assert [json.loads(line) for line in lines] == rows
  assert "7 answered, " in done.stdout
  assert "of 6 graded right" in done.stdout
  assert "7/7" in done.stderr
  pages = [one.read_text() for one in (out / "shown").glob("*.html")]
  assert len(pages) == 7
  assert {"tree" if 'class="tree"' in one else "chain" for one in pages} == {
    "tree",
    "chain",
  }


def test_killed_the_answers_are_the_same(
  tmp_path, whole, solve, file, policy, cache
):
  out = tmp_path / "run"
  kills = kill_harness.run_killed(
    solve(*_file_flags(file, policy, out)),
    [0.0, 0.1],
    # Once it is in the answers, and not while questions are placed.
    progress=lambda: len(list(out.glob("answers/*.parquet"))),
    env=cache,
  )
  assert kills >= 1
  found, want = kill_harness.contents(out), kill_harness.contents(whole[0])
  assert found == want


def test_a_head_places_a_file_without_samples(
  tmp_path, solve, file, by_head, cache
):
  path, _, head, other = by_head
  flags = (*_file_flags(file, by_head, tmp_path / "run"), "--noshow")
  done = kill_harness.run(solve(*flags, f"--config.difficulty={head}"), cache)
  assert done.returncode == 0, done.stderr
  assert "7/7" in done.stderr
  rows = answers.load_answers(tmp_path / "run")
  assert [row["generations"] for row in rows] == [4] * 7
  assert len({row["difficulty"] for row in rows}) > 1
  for row in rows:
    assert row["bin"] == (1 if row["difficulty"] >= 0.42 else 2)
    assert "by the difficulty head, from the prompt alone" in row["why"]
  # The file is of one head; a policy that names none still needs one.
  free = dataclasses.replace(
    by_head[1],
    made_for=dataclasses.replace(by_head[1].made_for, difficulty_head=""),
  )
  policy_file.write(tmp_path / "free.json", free)
  for policy, folder, message in (
    (path, other, "made_for.difficulty_head is "),
    (path, "none", "the one at hand is none; measure a policy for it, or"),
    (path, "", "the one at hand is none; measure a policy for it, or"),
    (tmp_path / "free.json", "none", "give its folder as difficulty, or a pol"),
    (path, "nowhere", "nowhere/difficulty.json: no such file"),
  ):
    flags = ("--question=1 + 2 = ?", f"--policy={policy}", "--budget=8")
    done = kill_harness.run(
      solve(*flags, f"--config.difficulty={folder}"), cache
    )
    assert done.returncode == 2, done.stdout
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("number", range(len(_KINDS)))
def test_every_kind_of_strategy_answers(
  tmp_path, solve, model, verifier, policy, cache, number
):
  plan = _KINDS[number]
  made = dataclasses.replace(
    policy[1],
    edges=(),
    estimated=(False,),
    budgets=(4.0,),
    choices=((_choice(plan),),),
  )
  policy_file.write(tmp_path / "policy.json", made)
  done = kill_harness.run(
    solve(
      "--question=1 + 2 = ?",
      f"--policy={tmp_path / 'policy.json'}",
      "--budget=4",
      "--show",
      f"--out={tmp_path}",
      f"--config.revision.model={model}",
      f"--config.revision.verifier={verifier}",
    ),
    cache,
  )
  assert done.returncode == 0, done.stderr
  assert "answer: " in done.stdout
  assert "spent: 4 generations" in done.stdout
  assert "confidence: " in done.stdout
  (page,) = (tmp_path / "shown").glob("*.html")
  text = page.read_text()
  assert ('class="tree"' in text) == isinstance(plan, strategies.Strategy)
  for judged in ("Right answer", ">right<", ">wrong<"):
    assert judged not in text


def test_typed_lines_are_answered_by_the_default(solve, cache):
  done = subprocess.run(
    solve("--budget=2"),
    input="1 + 2 = ?\n\n3 + 4 = ?",
    capture_output=True,
    text=True,
    check=False,
    cwd=kill_harness.ROOT,
    env={**os.environ, **cache},
  )
  assert done.returncode == 0, done.stderr
  assert done.stdout.count("strategy: weighted best of 2 (no policy is") == 2
  assert done.stdout.count("calibration was not measured") == sum(
    "by the verifier" in line for line in done.stdout.splitlines()
  )


@pytest.mark.parametrize(
  ("flags", "message"),
  [
    (("--budget=0",), "budget is 0 generations; it must be at least 1"),
    (("--budget=nan",), "budget is nan generations"),
    (("--budget=2.5",), "budget is 2.5 generations; it must be a whole"),
    (("--budget=16", "--policy={policy}"), "budget is 16 generations; this po"),
    (("--budget=3", "--policy={policy}"), "this policy has 4 to 8"),
    (("--policy={other}", "--budget=4"), "made_for.model is m, the one at ha"),
    (("--policy={replayed}", "--budget=4"), "measured on a file of samples (f"),
    (("--policy={revised}", "--budget=4"), "config.revision.model is empty"),
    (("--policy={oracle}", "--budget=8"), "places questions by 'oracle'"),
    (("--policy=nowhere.json",), "nowhere.json"),
    (("--policy={folder}/bad.jsonl",), "bad.jsonl"),
    (("--file={folder}/bad.jsonl",), "bad.jsonl, line 2: not JSON at column"),
    (("--file={folder}/empty.jsonl",), "line 1: field 'question' is empty"),
    (("--file={folder}/none.jsonl",), "none.jsonl: no such file"),
    (("--file=x", "--question=y"), "--question and --file are both given"),
    (("--question= ",), "--question is empty"),
    (("--question=" + 99 * "1 + ",), "the prompt has"),
    (("--config.task=algebra", "--question=x"), "config.task 'algebra'"),
  ],
)
def test_bad_input_ends_in_one_line(
  tmp_path, solve, policy, cache, flags, message
):
  made = policy[1]
  others = {
    "other": dataclasses.replace(
      made, made_for=dataclasses.replace(made.made_for, model="m")
    ),
    "replayed": dataclasses.replace(
      made,
      made_for=policy_file.MadeFor(
        tokenizer="", model="", verifier="", samples="f0"
      ),
    ),
    "revised": dataclasses.replace(
      made, choices=((_choice(plans.Revised(2, 2)),) * 2,) * 2
    ),
    "oracle": dataclasses.replace(made, difficulty="oracle"),
  }
  for name, one in others.items():
    policy_file.write(tmp_path / name, one)
  (tmp_path / "bad.jsonl").write_text('{"question": "1"}\n{')
  (tmp_path / "empty.jsonl").write_text('{"question": ""}')
  paths = {name: tmp_path / name for name in others}
  paths |= {"policy": policy[0], "folder": tmp_path}
  given = [flag.format(**paths) for flag in flags]
  if not any("question" in flag or "file" in flag for flag in flags):
    given.append("--question=1 + 2 = ?")
  out = tmp_path / "run"
  done = kill_harness.run(solve(*given, f"--out={out}"), cache)
  assert done.returncode == 2, done.stdout
  assert message in done.stderr
  assert len(done.stderr.strip().splitlines()) == 1
  assert not out.exists()


def test_another_policy_is_not_mixed_in(whole, solve, file, cache):
  flags = (f"--file={file}", "--budget=8", "--show", f"--out={whole[0]}")
  done = kill_harness.run(solve(*flags), cache)
  assert done.returncode == 2
  assert "made from other inputs" in done.stderr


def test_a_notebook_has_it(model, verifier, policy, by_head, cache):
  code = f"""
import tts_jax
from tts_jax.solving import engines
small = engines.Settings(prompt_tokens=32, max_tokens=26, groups=2, rows=4,
                         search_rows=8, step_tokens=5, scoring_length=128)
asked = dict(model={str(model)!r}, verifier={str(verifier)!r},
             task="arithmetic", settings=small)
one = tts_jax.solve("1 + 2 = ?", budget=4, **asked)
print(one.answer, one.spent.generations, one.correct)
for one in tts_jax.solve(["1 + 2 = ?", "5 + 6 = ?"], budget=8,
                         policy={str(policy[0])!r}, **asked):
  print(one.decision.bin, one.spent.generations)
by_head = dict(policy={str(by_head[0])!r}, difficulty={str(by_head[2])!r})
one = tts_jax.solve("1 + 2 = ?", budget=8, **by_head, **asked)
print(one.decision.bin, one.spent.generations)
try:
  tts_jax.solve("1 + 2 = ?", budget=8, policy={str(by_head[0])!r}, **asked)
except tts_jax.errors.InputError as fault:
  print(0, fault)
"""
  done = kill_harness.run([sys.executable, "-c", code], cache)
  assert done.returncode == 0, done.stderr
  first, *others = done.stdout.strip().splitlines()
  assert first.endswith(" 4 None")
  *others, read, refused = others
  assert [line.split()[1] for line in others] == ["8", "8"]
  assert read.split()[1] == "4"
  assert "made_for.difficulty_head is " in refused
