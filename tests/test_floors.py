"""The layout: floors without circles, short files, honest names."""

import ast
import pathlib
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping

import pytest

import tts_jax

ROOT = pathlib.Path(__file__).parent.parent

# A module or folder imports only what stands lower, or its own folder.
FLOORS = {
  "launch": 8,
  "tts_jax.report": 7,
  # Runs what a policy of `scaling` chose, and `report` shows what came of it.
  "tts_jax.solving": 6,
  "tts_jax.scaling": 5,
  "tts_jax.search": 4,
  "tts_jax.revise": 4,
  "tts_jax.train": 4,
  "tts_jax.verify": 3,
  "tts_jax.decode": 2,
  "tts_jax.model": 1,
  "tts_jax.tasks": 1,
  "tts_jax.store": 1,
  "tts_jax.types": 0,
  "tts_jax.errors": 0,
  "tts_jax.json_input": 0,
  "tts_jax.remote": 0,
  "tts_jax.storage": 0,
  "tts_jax.sharding": 0,
  "tts_jax.hosts": 0,
  "tts_jax.version": 0,
}
# What the package itself imports: its version. All else that it offers comes
# by `__getattr__` alone, so that `import tts_jax` stays light, and from these
# folders: what draws, decides, counts and shows, but nothing that trains.
IMPORTED = ("tts_jax.version",)
OFFERS_FROM = {
  *("tts_jax.model", "tts_jax.tasks", "tts_jax.store", "tts_jax.verify"),
  *("tts_jax.search", "tts_jax.scaling", "tts_jax.solving", "tts_jax.report"),
}
BANNED_IMPORTS = {"torch", "transformers", "pickle", "cloudpickle", "dill"}
VAGUE = {"util", "utils", "helper", "helpers", "common", "misc"}
LONGEST, LONGEST_LAUNCHER = 400, 90


def sources(*folders: str) -> dict[str, str]:
  """Maps the path of each module below `folders` to its text."""
  return {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for folder in folders
    for path in sorted((ROOT / folder).rglob("*.py"))
  }


def module_name(path: str) -> str:
  """The dotted name of the module at `path`."""
  return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imported(path: str, text: str) -> Iterator[str]:
  """Yields the dotted name of each import, wherever in the file it stands."""
  parts = module_name(path).split(".")
  package = parts if path.endswith("__init__.py") else parts[:-1]
  for node in ast.walk(ast.parse(text)):
    if isinstance(node, ast.Import):
      yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
      base = [node.module] if node.module else []
      if node.level:
        base = package[: len(package) - node.level + 1] + base
      yield from (".".join([*base, alias.name]) for alias in node.names)


def edges(files: Mapping[str, str]) -> dict[str, set[str]]:
  """Maps each module to the modules of the project that it imports."""
  names = {module_name(path) for path in files}

  def resolve(name: str) -> str | None:
    # "tts_jax.types.Prompts" is an import of tts_jax.types.
    while name and name not in names:
      name = name.rpartition(".")[0]
    return name or None

  return {
    module_name(path): {
      found
      for name in imported(path, text)
      if (found := resolve(name)) is not None
    }
    for path, text in files.items()
  }


def home(module: str) -> str | None:
  """The entry of FLOORS that a module belongs to; None for `tts_jax`."""
  parts = module.split(".")
  return None if parts == ["tts_jax"] else ".".join(parts[: _depth(parts)])


def _depth(parts: list[str]) -> int:
  return 1 if parts[0] == "launch" else 2


def floor_faults(files: Mapping[str, str]) -> list[str]:
  """Says which imports go up or sideways, and which folders have no floor."""
  faults = []
  for module, targets in edges(files).items():
    here = home(module)
    if here is not None and here not in FLOORS:
      faults.append(f"{module} has no floor")
      continue
    for target in sorted(targets):
      there = home(target)
      # The package itself is not for the library to import.
      floor = -1 if there is None else FLOORS.get(there, 99)
      # The files of floor 0 share one folder.
      if here and (here == there or floor < FLOORS[here] or floor == 0):
        continue
      if here is None and target in IMPORTED:
        continue
      faults.append(f"{module} imports {target}")
  return faults


def circle(graph: Mapping[str, set[str]]) -> list[str]:
  """The modules of some circle of imports, in order; empty if there is none."""
  finished: set[str] = set()

  def visit(module: str, path: list[str]) -> list[str]:
    if module in path:
      return [*path[path.index(module) :], module]
    if module in finished:
      return []
    for target in sorted(graph[module]):
      found = visit(target, [*path, module])
      if found:
        return found
    finished.add(module)
    return []

  return next((found for module in graph if (found := visit(module, []))), [])


def banned(files: Mapping[str, str]) -> list[str]:
  """Says which files import what only an oracle may."""
  return [
    f"{path} imports {name}"
    for path, text in files.items()
    for name in imported(path, text)
    if name.split(".")[0] in BANNED_IMPORTS
  ]


def too_long(files: Mapping[str, str]) -> list[str]:
  """Says which files pass their limit of lines."""
  return [
    f"{path} has {lines} lines"
    for path, text in files.items()
    if (lines := text.count("\n"))
    > (LONGEST_LAUNCHER if path.startswith("launch/") else LONGEST)
  ]


def vague(files: Mapping[str, str]) -> list[str]:
  """Names the paths that do not say what they hold."""
  return [
    path
    for path in files
    if VAGUE & set(re.split(r"[/_.]", path.removesuffix(".py")))
  ]


def test_imports_go_down():
  files = sources("tts_jax", "launch")
  assert len(files) > 20
  assert floor_faults(files) == []
  assert circle(edges(files)) == []


def test_core_imports_no_oracle_and_no_pickle():
  files = sources("tts_jax", "launch", "configs")
  # What it is measured against is imported in two places, and by none but its
  # bench.
  for name, wanted, user in (
    ("continuous", {"transformers"}, "launch/peers.py"),
    ("peers", {"torch", "transformers"}, "launch/bench_peers.py"),
  ):
    path = f"launch/{name}.py"
    one = {path: files.pop(path)}
    assert {fault.split()[-1] for fault in banned(one)} == wanted
    users = [p for p, t in files.items() if f"launch.{name}" in imported(p, t)]
    assert users == [user]
  assert banned(files) == []


def test_files_are_short_and_named_for_what_they_hold():
  files = sources("tts_jax", "launch", "configs", "tests")
  assert too_long(files) == []
  assert vague(files) == []


def test_import_is_light():
  code = (
    "import sys, tts_jax;"
    "print({'jax', 'flax', 'torch', 'transformers'} & set(sys.modules))"
  )
  done = subprocess.run(
    [sys.executable, "-c", code],
    capture_output=True,
    text=True,
    check=True,
    cwd=ROOT,
  )
  assert done.stdout.strip() == "set()"


def test_the_package_offers_what_it_imports_late():
  files = {module_name(path) for path in sources("tts_jax")}
  offered = {one.partition(":")[0] for one in tts_jax._OFFERED.values()}
  modules = {f"tts_jax.{one}" for one in offered}
  assert modules <= files
  assert {home(one) for one in modules} == OFFERS_FROM
  code = "import tts_jax; print(tts_jax.solve.__module__); tts_jax.solved"
  done = subprocess.run(
    [sys.executable, "-c", code],
    capture_output=True,
    text=True,
    check=False,
    cwd=ROOT,
  )
  assert done.stdout.strip() == "tts_jax.solving.notebook"
  assert "has no attribute 'solved'" in done.stderr


@pytest.mark.parametrize(
  ("path", "text", "fault"),
  [
    ("tts_jax/store/a.py", "from tts_jax.decode import x", "tts_jax.decode.x"),
    ("tts_jax/store/a.py", "import tts_jax.decode.x", "tts_jax.decode.x"),
    ("tts_jax/store/a.py", "from ..decode import x", "tts_jax.decode.x"),
    (
      "tts_jax/store/a.py",
      "from tts_jax.decode.x import f",
      "tts_jax.decode.x",
    ),
    ("tts_jax/store/a.py", "def f():\n  import launch.y", "launch.y"),
    ("tts_jax/store/a.py", "from tts_jax.model import z", "tts_jax.model.z"),
    ("tts_jax/errors.py", "from tts_jax.model import z", "tts_jax.model.z"),
    ("tts_jax/__init__.py", "from tts_jax import types", "tts_jax.types"),
  ],
)
def test_a_wrong_import_is_found(path, text, fault):
  files = {
    "tts_jax/decode/x.py": "import tts_jax.model.z",
    "tts_jax/model/z.py": "from tts_jax import types",
    "tts_jax/types.py": "from tts_jax import errors",
    "tts_jax/errors.py": "",
    "launch/y.py": "from tts_jax.decode import x",
  }
  assert floor_faults(files) == []
  files[path] = text
  assert floor_faults(files) == [f"{module_name(path)} imports {fault}"]


def test_other_faults_are_found():
  assert floor_faults({"tts_jax/odd/a.py": ""}) == [
    "tts_jax.odd.a has no floor"
  ]
  ring = {
    "tts_jax/model/a.py": "from tts_jax.model import b",
    "tts_jax/model/b.py": "from tts_jax.model import c",
    "tts_jax/model/c.py": "from . import a",
  }
  assert set(circle(edges(ring))) == {f"tts_jax.model.{x}" for x in "abc"}
  del ring["tts_jax/model/c.py"]
  assert circle(edges(ring)) == []
  assert banned({"a.py": "if x:\n  from torch.nn import y"}) == [
    "a.py imports torch.nn.y"
  ]
  assert too_long({"launch/a.py": 91 * "\n", "tts_jax/a.py": 400 * "\n"}) == [
    "launch/a.py has 91 lines"
  ]
  assert too_long({"tests/a.py": 401 * "\n"}) == ["tests/a.py has 401 lines"]
  names = ["tts_jax/utils.py", "launch/text_helpers.py", "tests/misc/a.py"]
  assert vague(dict.fromkeys([*names, "tts_jax/commonality.py"], "")) == names
