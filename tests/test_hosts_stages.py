"""Two processes make of stages the bytes that one makes of as many devices."""

import host_processes
import pytest
import stage_commands

_EVERY = {**stage_commands.STAGES, **stage_commands.OTHERS}
_FEW = "--config.questions.count=6"
# One device a process, which it has without being told.
_SPLIT = ("--config.mesh.data=2", _FEW)
_DEVICES = {"search": 8}
_MORE = {
  "search": (
    "--config.mesh.data=8",
    _FEW,
    "--config.engine.groups=8",
    "--config.search.rows=32",
    "--config.search.methods=('beam_sqrt',)",
    "--config.search.budgets=(4,)",
    "--config.search.seeds=1",
  ),
  "score": (*_SPLIT, "--config.samples=8"),
  "revise": _SPLIT,
  "label_steps": (*_SPLIT, "--config.rollouts=4"),
  "labels_held_out": (*_SPLIT, "--config.rollouts=4"),
  "build_revisions": _SPLIT[:1],
  "revisions_held_out": _SPLIT[:1],
  "train_verifier": ("--config.schedule.steps=8",),
  "train_revision": ("--config.schedule.steps=8",),
}


@pytest.fixture(scope="module", name="folder")
def fixture_folder(tmp_path_factory):
  folder = tmp_path_factory.mktemp("stages")
  stage_commands.give(folder / "given")
  return folder


def _run(folder, cache, name, count, out):
  """Runs a stage by so many processes; process 1 has an `--out` of its own."""
  every = stage_commands.needed(stage_commands.STAGES)
  places = {one: str(folder / one) for one in (*every, "given")}
  flags = [flag.format(**places) for flag in _EVERY[name].flags]
  outs = (folder / out, folder / "of_process_1")[:count]
  given = count, _EVERY[name].launcher, outs, (*flags, *_MORE[name]), cache
  devices = _DEVICES.get(name, 2)
  host_processes.end(host_processes.start(*given, devices=devices))


@pytest.mark.parametrize(
  "name",
  ["score", "search", "revise", "train_verifier", "train_revision"],
)
def test_stages_are_those_of_one_process(folder, cache, name):
  for needed in stage_commands.needed([name]):
    if not (folder / needed).exists():
      _run(folder, cache, needed, 1, needed)
    if needed in stage_commands.OTHERS:
      continue
    _run(folder, cache, needed, 2, f"{needed}_by_two")
    if needed == "score":  # What is lost they make again.
      lost = folder / "score_by_two" / "pool"
      next(lost.iterdir()).unlink()
      _run(folder, cache, needed, 2, "score_by_two")
    one, two = (
      stage_commands.untimed(folder / run)
      for run in (needed, f"{needed}_by_two")
    )
    assert list(one) == list(two)
    assert [path for path in one if one[path] != two[path]] == []
    if needed == "search":
      shards = [path for path in two if path.endswith(".parquet")]
      stages = {path.split("/")[0] for path in shards}
      assert stages == {"pool", "scores", "search"}
      assert (folder / "search_by_two" / "report.html").exists()
  assert not (folder / "of_process_1").exists()
