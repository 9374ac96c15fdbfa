"""Search by published verifiers, from the command line, on real questions."""

import functools
import json

import kill_harness
import numpy as np
import pytest
import replay_command
import tiny_prm

from tts_jax.store import pool, scores, searches, shards

# A config of each format.
_PAIRS = {
  "qwen_math": "qwen25_math_7b_qwen_7b",
  "math_shepherd": "mistral_7b_math_shepherd_7b",
  "rlhflow": "llama32_1b_rlhflow_8b",
  "skywork": "gemma3_1b_skywork_1b5",
}


def _command(data_dir, out, prm, format, *more):
  """With the config of a published pair, and small models in their place."""
  pair = kill_harness.ROOT / "configs" / f"{_PAIRS[format]}.py"
  model = data_dir / "models" / "stories260K-hf"
  questions = data_dir / "math" / "math500_test.jsonl"
  return kill_harness.python(
    "-m",
    "launch.search",
    f"--config={pair}",
    f"--out={out}",
    f"--config.questions.path={questions}",
    "--config.mesh.model=1",
    "--config.dtype=float32",
    "--config.prm.dtype=float32",
    "--config.prm.prompt_tokens=512",
    "--config.prm.row_tokens=256",
    # The model in its place has no chat template.
    "--config.prompt.format=plain",
    "--config.prompt.delimiter=",
    "--config.prompt.template=Problem: {question}",
    "--config.prompt.system=",
    "--config.questions.count=5",
    f"--config.model={model}",
    f"--config.verifier={prm}",
    "--config.samples=4",
    "--config.limits.prompt_tokens=440",
    "--config.limits.max_tokens=24",
    "--config.search.methods=('beam_4',)",
    "--config.search.budgets=(4,)",
    "--config.search.seeds=1",
    "--config.search.step_tokens=12",
    "--config.engine.batch=2",
    "--config.search.tree.budget=4",
    "--config.search.tree.questions=1",
    *more,
  )


@pytest.fixture(scope="module", name="made")
def fixture_made(data_dir, tmp_path_factory, cache):
  """From a format to its run and its verifier, made once."""

  @functools.cache
  def make(format):
    folder = tmp_path_factory.mktemp(format)
    out, prm = folder / "run", folder / "prm"
    tiny_prm.save(prm, format)
    done = kill_harness.run(_command(data_dir, out, prm, format), cache)
    assert done.returncode == 0, done.stderr
    return out, prm

  return make


@pytest.mark.parametrize("format", tiny_prm.FORMATS)
def test_every_format_searches(made, format):
  out, _ = made(format)
  summary = json.loads((out / "summary.json").read_text())
  assert summary["curves"]["beam_4"]["4"]["mean"] == 0
  for kind in ("level", "subject"):
    groups = summary["slices"][kind].values()
    assert sum(one["questions"] for one in groups) == 5
  assert ">level<" in (out / "report.html").read_text()
  found = searches.load_searches(out)
  (one,) = found.values()
  # A step of 12 tokens of the model's small vocabulary is fewer of the
  # verifier's, and a few of its format's; and the question.
  assert (one.cost.scored > 0).all()
  drawn = shards.read(out / scores.STAGE, ("step_scores",)).to_pylist()
  assert all(0 < p < 1 for row in drawn for p in row["step_scores"])


def test_a_mesh_changes_no_answer(data_dir, tmp_path, cache, made):
  """The models of both split over heads, on two devices."""
  out, prm = made("qwen_math")
  runs = out, tmp_path / "run"
  command = _command(data_dir, runs[1], prm, "qwen_math")
  env = {**cache, "JAX_NUM_CPU_DEVICES": "2"}
  done = kill_harness.run([*command, "--config.mesh.model=2"], env)
  assert done.returncode == 0, done.stderr
  drawn, judged, found = (
    [read(run) for run in runs]
    for read in (
      lambda out: shards.read(out / pool.STAGE, ("tokens",)).to_pylist(),
      lambda out: shards.read(out / scores.STAGE, ("step_scores",)),
      lambda out: next(iter(searches.load_searches(out).values())),
    )
  )
  assert drawn[0] == drawn[1]
  whole, split = (
    np.concatenate(one["step_scores"].to_pylist()) for one in judged
  )
  np.testing.assert_allclose(whole, split, atol=1e-4)
  np.testing.assert_array_equal(found[0].cost.scored, found[1].cost.scored)
  np.testing.assert_allclose(found[0].score, found[1].score, atol=1e-4)
  done = kill_harness.run([*command, "--config.mesh.model=3"], env)
  assert done.returncode == 2
  assert "takes 3 devices; there are 2" in done.stderr


def test_its_samples_are_replayed_to_the_same_numbers(tmp_path, cache, made):
  (out, _), file = made("qwen_math"), tmp_path / "samples.jsonl"
  export = ("-m", "launch.export_samples", f"--run={out}", f"--out={file}")
  done = kill_harness.run(kill_harness.python(*export), cache)
  assert done.returncode == 0, done.stderr
  line = json.loads(file.read_text("utf-8").splitlines()[0])
  assert {"problem", "answer", "subject", "level", "id"} <= set(line)
  done = replay_command.replay(tmp_path / "replay", file, cache)
  assert done.returncode == 0, done.stderr
  one, other = (
    json.loads((folder / "summary.json").read_text())
    for folder in (out, tmp_path / "replay")
  )
  for name in ("pass_at_k", "majority_at_k", "verdicts", "policy"):
    assert one[name] == other[name]
  for name in ("auc", "ece", "unscored", "aggregations", "calibration"):
    assert one["verifier"][name] == other["verifier"][name]


def test_it_judges_what_is_solved(data_dir, cache, made):
  _, prm = made("skywork")
  command = kill_harness.python(
    "-m",
    "launch.solve",
    "--budget=2",
    "--question=Once upon a time",
    "--config.task=jsonl",
    f"--config.model={data_dir / 'models' / 'stories260K-hf'}",
    f"--config.verifier={prm}",
    "--config.prm.format=skywork",
    "--config.limits.max_tokens=24",
  )
  done = kill_harness.run(command, cache)
  assert done.returncode == 0, done.stderr
  assert "weighted best of 2" in done.stdout


def test_what_does_not_go_together_is_refused(data_dir, tmp_path, cache):
  tiny_prm.save(tmp_path / "prm", "skywork")
  given = data_dir, tmp_path / "run", tmp_path / "prm", "skywork"
  done = kill_harness.run(_command(*given, "--config.prm.format=orm"), cache)
  assert done.returncode != 0
  assert "config.prm.format 'orm': must be one of qwen_math" in done.stderr
  done = kill_harness.run(_command(*given, "--config.verifier="), cache)
  assert "give config.verifier, the folder of it" in done.stderr
  assert not (tmp_path / "run" / "pool").exists()
