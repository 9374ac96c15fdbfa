"""`launch.figures` on a folder that has a summary and little else."""

import json
import subprocess
import sys

import pytest
import run_summary

from tts_jax.report import paper_figures


@pytest.fixture
def folder(tmp_path):
  summary = run_summary.summary()
  keep = ("majority_at_k", "policy", "exchange")
  part = {name: summary[name] for name in keep}
  (tmp_path / "summary.json").write_text(json.dumps(part))
  (tmp_path / "chains.html").write_text("<p>")
  return tmp_path


def _draw(folder, *flags):
  return subprocess.run(
    [sys.executable, "-m", "launch.figures", f"--run={folder}", *flags],
    capture_output=True,
    text=True,
    check=False,
  )


def test_figures_are_drawn_or_missed_aloud(folder):
  done = _draw(folder)
  assert done.returncode == 0, done.stderr
  written = {path.name for path in (folder / "figures").iterdir()}
  stems = {
    "figure_01_overview",
    "figure_04_compute_optimal_search",
    "figure_08_compute_optimal_revisions",
    "figure_09_exchange",
    "policy",
    "policy_average",
  }
  assert written == {f"{s}.{kind}" for s in stems for kind in ("svg", "png")}
  png = (folder / "figures" / "figure_09_exchange.png").read_bytes()
  assert png.startswith(b"\x89PNG")
  lines = {
    line.split(":")[0].split()[-1]: line
    for line in done.stdout.splitlines()[1:]
  }
  assert set(lines) == {one.name for one in paper_figures.FIGURES}
  make = f"python -m launch.reproduce --out {folder}"
  assert lines["along_chain"].endswith(
    f"not drawn, summary.json lacks revisions.pass_at_1_along_chain; make that"
    f" by: {make}"
  )
  assert "launch.compare_revisions" in lines["rest_em"]
  transcripts = [one for one in done.stdout.splitlines() if "17-29" in one]
  assert transcripts[0].endswith(f"{folder}/chains.html")
  assert transcripts[1].endswith(f"trees.html is missing; make that by: {make}")


def test_one_figure_is_drawn_by_the_camera_readys_number(folder):
  out = folder / "elsewhere"
  done = _draw(folder, "--figure=8", "--numbering=iclr", f"--out={out}")
  assert done.returncode == 0, done.stderr
  assert {path.name for path in out.iterdir()} == {
    "figure_08_exchange.svg",
    "figure_08_exchange.png",
  }
  other = folder / "other"
  done = _draw(folder, "--figure=9", "--form=iclr", f"--out={other}")
  one, same = (p.with_suffix(".svg").read_bytes() for p in (
    out / "figure_08_exchange", other / "figure_09_exchange",
  ))  # fmt: skip
  assert one == same
  done = _draw(folder, "--figure=9", f"--out={other}")
  assert (other / "figure_09_exchange.svg").read_bytes() != one


@pytest.mark.parametrize(
  ("flags", "said"),
  [
    (("--figure=2",), "no figure 2 in the numbering of v1"),
    (("--figure=7",), "has the data of none of the 1 figures asked for"),
    (("--numbering=v2",), "--numbering"),
    (("--run=", "--figure=1"), "give --run FOLDER"),
    (("--run=nowhere",), "nowhere/summary.json is missing"),
    (("--verifier=-1",), "--verifier"),
  ],
)
def test_faults_are_one_line(folder, flags, said):
  done = _draw(folder, *flags)
  assert done.returncode == 2
  assert said in done.stderr
  assert len(done.stderr.strip().splitlines()) == 1
