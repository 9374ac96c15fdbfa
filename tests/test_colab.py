"""The notebook: valid, without outputs, and its cells run in order."""

import json
import os
import pathlib
import subprocess
import sys

import notebook_cells
import pytest

_ROOT = pathlib.Path(__file__).parent.parent
_NOTEBOOK = _ROOT / "launch" / "colab.ipynb"
_CELLS = json.loads(_NOTEBOOK.read_text(encoding="utf-8"))


def test_it_is_of_the_format_and_has_no_outputs():
  assert (_CELLS["nbformat"], _CELLS["nbformat_minor"]) == (4, 5)
  assert set(_CELLS) == {"cells", "metadata", "nbformat", "nbformat_minor"}
  ids = [cell["id"] for cell in _CELLS["cells"]]
  assert len(set(ids)) == len(ids)
  for cell in _CELLS["cells"]:
    wanted = {"cell_type", "id", "metadata", "source"}
    if cell["cell_type"] == "code":
      wanted |= {"execution_count", "outputs"}
      assert cell["outputs"] == []
      assert cell["execution_count"] is None
    assert set(cell) == wanted
    assert cell["metadata"] == {}
    assert cell["source"]
    assert all(line.endswith("\n") for line in cell["source"][:-1])
    assert max(len(line) for line in cell["source"]) <= 83


def test_only_the_cell_that_installs_is_for_a_notebook_alone():
  code = notebook_cells.code(_NOTEBOOK)
  kept = {c["id"] for c in _CELLS["cells"] if c["cell_type"] == "code"}
  assert kept - set(code) == {"install"}
  for text in code.values():
    compile(text, "cell", "exec")
  (install,) = (c for c in _CELLS["cells"] if c["id"] == "install")
  lines = [one for one in install["source"] if "pip install" in one]
  # Neither the package nor a wheel may change the jax that is there.
  assert len(lines) == 2
  assert all("-c jax.txt" in one for one in lines)
  (note,) = (c for c in _CELLS["cells"] if c["id"] == "install-note")
  pyproject = (_ROOT / "pyproject.toml").read_text()
  assert '"jax>=0.10,!=0.11.1"' in "".join(note["source"])
  assert '"jax>=0.10,!=0.11.1"' in pyproject


def test_its_cells_run(tmp_path):
  done = subprocess.run(
    [sys.executable, notebook_cells.__file__, str(_NOTEBOOK)],
    capture_output=True,
    text=True,
    check=False,
    cwd=tmp_path,
    env={
      **os.environ,
      "JAX_PLATFORMS": "cpu",
      "PYTHONPATH": str(_ROOT),
    },
  )
  print(done.stdout)
  assert done.returncode == 0, done.stdout + done.stderr
  assert "[tree] shows <iframe" in done.stdout
  assert "[figure] shows <img" in done.stdout
  for name in ("best of 4", "beam search", "lookahead", "revisions"):
    assert f"{name}: " in done.stdout
  assert "all cells: " in done.stdout


def test_a_cell_that_fails_is_told(tmp_path):
  cells = [
    {"cell_type": "code", "id": "one", "source": ["!pip install x"]},
    {"cell_type": "code", "id": "two", "source": ["a = 1\n", "a + 1"]},
    {"cell_type": "markdown", "id": "text", "source": ["b"]},
    {"cell_type": "code", "id": "three", "source": ["assert a == 2"]},
  ]
  path = tmp_path / "one.ipynb"
  path.write_text(json.dumps({"cells": cells}))
  assert list(notebook_cells.code(path)) == ["two", "three"]
  with pytest.raises(AssertionError):
    notebook_cells.run(path)
