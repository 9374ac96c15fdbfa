"""What the comments in a config's file say of its keys."""

import ast
import pathlib
from collections.abc import Iterator

_CONFIGS = pathlib.Path(__file__).parent.parent / "configs"

# A key, the number of the line that it is on, and what it is given.
_Given = tuple[str, int, ast.expr]


def meanings(path: str | pathlib.Path) -> dict[str, str]:
  """Maps keys to their comments; those of the configs that it imports, too.

  A comment stands right above its key, in a dict or where it is set, and behind
  what the configs that are imported say of that key; a config that is a group
  of this one speaks for that group alone. A group none of whose keys has one
  speaks for all of them.
  """
  source = pathlib.Path(path).read_text("utf-8")
  tree = ast.parse(source)
  lines, given = source.splitlines(), list(_keys(tree))
  groups = {ast.unparse(value): f"{key}." for key, _, value in given}
  found: dict[str, str] = {}
  for node in ast.walk(tree):
    if isinstance(node, ast.ImportFrom) and node.module == "configs":
      for alias in node.names:
        file = _CONFIGS / f"{alias.name}.py"
        outer = groups.get(f"{alias.name}.get_config()", "")
        theirs = meanings(file) if file.is_file() else {}
        found |= {outer + key: said for key, said in theirs.items()}
  for key, number, _ in given:
    said = _comment(lines, number)
    if said not in found.get(key, ""):
      found[key] = f"{found.get(key, '')} {said}".strip()
  speak = {group(key) for key in found}
  for key, _, _ in given:
    if key not in found and group(key) in found.keys() - speak:
      found[key] = found[group(key)]
  return found


def _keys(tree: ast.AST) -> Iterator[_Given]:
  """Yields each key that is given."""
  for node in ast.walk(tree):
    if isinstance(node, ast.Call) and "ConfigDict" in ast.unparse(node.func):
      for argument in node.args:
        yield from _inner(argument, "")
    elif isinstance(node, ast.Assign):
      for target in getattr(node.targets[0], "elts", node.targets):
        name, _, key = ast.unparse(target).partition(".")
        if name == "config" and key:
          yield key, node.lineno, node.value
          yield from _inner(node.value, f"{key}.")


def _inner(node: ast.AST, outer: str) -> Iterator[_Given]:
  if isinstance(node, ast.Dict):
    for name, value in zip(node.keys, node.values, strict=True):
      if isinstance(name, ast.Constant):
        key = f"{outer}{name.value!s}"
        yield key, name.lineno, value
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
