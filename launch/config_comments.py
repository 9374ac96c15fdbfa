"""What the comments in a config's file say of its keys."""

import ast
import pathlib
from collections.abc import Iterator

_CONFIGS = pathlib.Path(__file__).parent.parent / "configs"


def meanings(path: str | pathlib.Path) -> dict[str, str]:
  """Maps keys to their comments; those of the configs that it imports, too.

  A comment stands right above its key, in a dict or where it is set, and behind
  what the configs that are imported say of that key. A group none of whose
  keys has one speaks for all of them.
  """
  source = pathlib.Path(path).read_text("utf-8")
  tree = ast.parse(source)
  found: dict[str, str] = {}
  for node in ast.walk(tree):
    if isinstance(node, ast.ImportFrom) and node.module == "configs":
      for alias in node.names:
        file = _CONFIGS / f"{alias.name}.py"
        found |= meanings(file) if file.is_file() else {}
  lines, keys = source.splitlines(), list(_keys(tree))
  for key, number in keys:
    said = _comment(lines, number)
    if said not in found.get(key, ""):
      found[key] = f"{found.get(key, '')} {said}".strip()
  speak = {group(key) for key in found}
  for key, _ in keys:
    if key not in found and group(key) in found.keys() - speak:
      found[key] = found[group(key)]
  return found


def _keys(tree: ast.AST) -> Iterator[tuple[str, int]]:
  """Yields each key that is given, and the number of the line that it is on."""
  for node in ast.walk(tree):
    if isinstance(node, ast.Call) and "ConfigDict" in ast.unparse(node.func):
      for argument in node.args:
        yield from _inner(argument, "")
    elif isinstance(node, ast.Assign):
      for target in getattr(node.targets[0], "elts", node.targets):
        name, _, key = ast.unparse(target).partition(".")
        if name == "config" and key:
          yield key, node.lineno
          yield from _inner(node.value, f"{key}.")


def _inner(node: ast.AST, outer: str) -> Iterator[tuple[str, int]]:
  if isinstance(node, ast.Dict):
    for name, value in zip(node.keys, node.values, strict=True):
      if isinstance(name, ast.Constant):
        key = f"{outer}{name.value!s}"
        yield key, name.lineno
        yield from _inner(value, f"{key}.")


def group(key: str) -> str:
  """The key of the group that a key is in."""
  return key.rpartition(".")[0]


def _comment(lines: list[str], number: int) -> str:
  """The comment right above a line, by its number from 1."""
  said: list[str] = []
  for line in reversed(lines[: number - 1]):
    if not line.strip().startswith("#"):
      break
    said.insert(0, line.strip().lstrip("# "))
  return " ".join(said)
