"""Runs a notebook's cells in order, without a notebook.

python tests/notebook_cells.py launch/colab.ipynb

Cells that install are left out. What a cell ends with is shown as a notebook
would show it: by `_repr_html_`, where there is one.
"""

import ast
import json
import pathlib
import sys
import time


def code(path: pathlib.Path) -> dict[str, str]:
  """The code cells, by id, but those that install."""
  cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
  sources = {
    cell["id"]: "".join(cell["source"])
    for cell in cells
    if cell["cell_type"] == "code"
  }
  return {id_: s for id_, s in sources.items() if "pip install" not in s}


def run(path: pathlib.Path) -> None:
  """Runs them in one namespace, and says how long each took."""
  names: dict[str, object] = {"__name__": "__main__"}
  begun = time.monotonic()
  for id_, text in code(path).items():
    start = time.monotonic()
    body = ast.parse(text, id_).body
    last = body.pop() if isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), id_, "exec"), names)
    if last is not None:
      shown = eval(compile(ast.Expression(last.value), id_, "eval"), names)
      if page := getattr(shown, "_repr_html_", None):
        print(f"[{id_}] shows {page()[:12]}")
    print(f"[{id_}] {time.monotonic() - start:.1f} s", flush=True)
  print(f"all cells: {time.monotonic() - begun:.1f} s")


if __name__ == "__main__":
  run(pathlib.Path(sys.argv[1]))
