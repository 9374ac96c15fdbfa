"""What a compiled program moves, read from its text: collectives and copies.

The text is that of `compiled.as_text()`, after all passes of the compiler, of
the program that each device runs: shapes in it are of one device's part.
"""

import dataclasses
import math
import re
from collections.abc import Collection

from tts_jax import errors

# Kinds of collectives, as an instruction is called whether asynchronous or not.
COLLECTIVES = (
  "all-gather",
  "all-reduce",
  "all-to-all",
  "collective-broadcast",
  "collective-permute",
  "ragged-all-to-all",
  "reduce-scatter",
)
# Of these, what an asynchronous start gives holds what it was given, too.
_WITH_OPERANDS = ("all-gather", "collective-permute")
_NO_BYTES = ("token", "opaque")
_HEADER = re.compile(r"(?:ENTRY )?%?([\w.\-]+) \(.*\) -> .* \{$")
_LINE = re.compile(r"\s+(?:ROOT )?%?([\w.\-]+) = (.*)")
_ARRAY = re.compile(r"([a-z]\w*)\[([\d,]*)\](\{[^}]*\})?")
_CALLED = re.compile(
  r"(?:calls|to_apply|body|condition|branch_computations|called_computations)="
  r"(\{[^}]*\}|%?[\w.\-]+)"
)
# Instructions that move bytes and make no new numbers of them.
_MOVES = {
  *("bitcast", "broadcast", "concatenate", "constant", "convert", "copy"),
  *("dynamic-slice", "iota", "pad", "parameter", "reshape", "reverse"),
  *("select", "slice", "transpose", "tuple"),
}


@dataclasses.dataclass(frozen=True)
class Array:
  """An array of one device: its dtype, its sizes and its layout's text."""

  dtype: str
  shape: tuple[int, ...]
  layout: str = ""

  @property
  def elements(self) -> int:
    """How many."""
    return math.prod(self.shape)

  @property
  def bytes(self) -> int:
    """Of all elements, without padding."""
    if self.dtype in _NO_BYTES:
      return 0
    if self.dtype == "pred":
      return self.elements
    bits = re.match(r"[a-z]+(\d+)", self.dtype)
    if bits is None:
      raise errors.InputError(f"the program has an unknown dtype {self.dtype}")
    return self.elements * int(bits[1]) // 8

  @property
  def on_die(self) -> bool:
    """Whether it stands in a memory on the chip's die."""
    return "S(1)" in self.layout

  def __str__(self) -> str:
    return f"{self.dtype}[{','.join(map(str, self.shape))}]"


@dataclasses.dataclass(frozen=True)
class Instruction:
  """One line of a program: what it is called, does and gives, and its text."""

  name: str
  operation: str
  arrays: tuple[Array, ...]
  text: str

  @property
  def called(self) -> list[str]:
    """Computations that it calls."""
    found = _CALLED.findall(self.text)
    return [name for one in found for name in re.findall(r"[\w.\-]+", one)]

  @property
  def writes_back(self) -> bool:
    """Whether it copies from a memory on the die to one that is not."""
    ends = [one.on_die for one in self.arrays[:2]]
    return self.operation == "copy-start" and ends == [False, True]

  def __str__(self) -> str:
    return f"{self.operation} {self.arrays[0]}"


Computations = dict[str, list[Instruction]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Collective:
  """What devices hand to each other.

  Attributes:
    kind: one of `COLLECTIVES`.
    arrays: that each device has of it at the end.
    group: devices that take part together.
    directions: in which the compiler sends at once, at most one a link.
    in_loop: it is done at every turn of the program's loop.
    origin: where in the traced program it comes from.
  """

  kind: str
  arrays: tuple[Array, ...]
  group: int
  directions: int
  in_loop: bool
  origin: str

  @property
  def bytes(self) -> int:
    """Of `arrays`."""
    return sum(one.bytes for one in self.arrays)

  @property
  def sent(self) -> float:
    """Bytes that a device sends, by the algorithm that sends the fewest."""
    others = self.group - 1
    if self.kind == "all-reduce":
      return 2 * others / self.group * self.bytes
    if self.kind == "reduce-scatter":
      return others * self.bytes
    if self.kind in ("all-gather", "all-to-all", "ragged-all-to-all"):
      return others / self.group * self.bytes
    return self.bytes


def parse(text: str) -> tuple[Computations, str]:
  """The instructions of each computation, and the name of the entry.

  Raises:
    errors.InputError: the text is not that of a program.
  """
  found: Computations = {}
  entry, here = "", None
  for line in text.splitlines():
    if header := _HEADER.match(line):
      here = found.setdefault(header[1], [])
      entry = header[1] if line.startswith("ENTRY") else entry
    elif line == "}":
      here = None
    elif here is not None and (match := _LINE.match(line)):
      given = _type(match[2])
      operation, _, _ = match[2][len(given) :].strip().partition("(")
      arrays = tuple(
        Array(dtype, tuple(int(n) for n in sizes.split(",") if n), layout)
        for dtype, sizes, layout in _ARRAY.findall(given)
      )
      here.append(Instruction(match[1], operation, arrays, match[2]))
  if not entry:
    raise errors.InputError("the text has no ENTRY: it is no program's")
  return found, entry


def collectives(text: str) -> list[Collective]:
  """All collectives of a program, in the order of its text."""
  program, entry = parse(text)
  turning = _loop(program, entry)
  found = []
  for name, body in program.items():
    for one in body:
      kind = one.operation.removesuffix("-start")
      if kind not in COLLECTIVES:
        continue
      arrays = one.arrays
      if kind != one.operation:
        arrays = tuple(a for a in arrays if a.shape or len(arrays) == 1)
        if kind in _WITH_OPERANDS:
          arrays = arrays[len(arrays) // 2 :]
      origin = re.search(r'op_name="([^"]*)"', one.text)
      found.append(
        Collective(
          kind=kind,
          arrays=arrays,
          group=_group(one.text),
          directions=_directions(one.text),
          in_loop=name in turning,
          origin=origin[1] if origin else "",
        )
      )
  return found


def copies(
  text: str, sizes: Collection[int], *, in_loop: bool = True
) -> list[Instruction]:
  """Instructions that move as many elements from memory to memory as a cache.

  A fusion counts where it computes nothing. What is fetched ahead into a memory
  on the die is read, not copied; what writes into its operand's own place, as
  an updated slice does, is neither. What was updated on the die and is written
  back is among them: `Instruction.writes_back` tells.

  Args:
    text: of the program.
    sizes: elements of the caches' arrays on one device.
    in_loop: look at the body of the program's loop; else at all but that.
  """
  program, entry = parse(text)
  turning = _loop(program, entry)
  fused = {
    name
    for body in program.values()
    for one in body
    if one.operation == "fusion"
    for name in one.called
  }
  return [
    one
    for name, body in program.items()
    if (name in turning) == in_loop and name not in fused
    for one in body
    if any(a.elements in sizes and not a.on_die for a in _given(one))
    and _moves(one, program)
  ]


def _given(one: Instruction) -> tuple[Array, ...]:
  """What it writes; a start's type has what it reads as well."""
  return one.arrays[:1] if one.operation == "copy-start" else one.arrays


def _moves(one: Instruction, program: Computations) -> bool:
  if one.operation in ("copy", "copy-start", "transpose"):
    return True
  if one.operation != "fusion":
    return False
  done = {inner.operation for name in one.called for inner in program[name]}
  # Bitcasts alone are another name for the same bytes.
  return done <= _MOVES and not done <= {"bitcast", "parameter", "tuple"}


def _loop(program: Computations, entry: str) -> set[str]:
  """Computations below the loops of the entry."""
  todo = [
    name
    for one in program[entry]
    if one.operation == "while"
    for name in one.called
  ]
  found: set[str] = set()
  while todo:
    name = todo.pop()
    if name in found or name not in program:
      continue
    found.add(name)
    todo += [inner for one in program[name] for inner in one.called]
  return found


def _type(text: str) -> str:
  """The type that a line begins with; a tuple's is in parentheses."""
  if not text.startswith("("):
    return text.partition(" ")[0]
  depth = 0
  for at, sign in enumerate(text):
    depth += (sign == "(") - (sign == ")")
    if not depth:
      return text[: at + 1]
  raise errors.InputError(f"the program has an unfinished line: {text[:80]}")


def _directions(text: str) -> int:
  """Links that a device sends over at once."""
  colours = re.search(r"colors:([1-9]\d*)", text)
  sizes = re.search(r"dim_sizes:([\d,]+)", text)
  found = int(colours[1]) if colours else 1
  if sizes is None:
    return found
  # Of two devices side by side there is one link, whichever way one goes.
  links = sum(min(int(size) - 1, 2) for size in sizes[1].split(","))
  return max(1, min(found, links))


def _group(text: str) -> int:
  """How many devices take part together."""
  # Of a mesh, whose devices may be told between its axes and those taken.
  axes = r"replica_groups=mesh\[([^\]]*)\](?:, device_ids=\S+)? \{([^}]*)\}"
  if mesh := re.search(axes, text):
    sizes = dict(re.findall(r"'(\w+)'=(\d+)", mesh[1]))
    return math.prod(int(sizes[n]) for n in re.findall(r"\w+", mesh[2]))
  if listed := re.search(r"replica_groups=\[\d+,(\d+)\]", text):
    return int(listed[1])
  if first := re.search(r"replica_groups=\{\{([\d,]+)\}", text):
    return len(first[1].split(","))
  if other := re.search(r"replica_groups=(?!\{\}).{0,40}", text):
    raise errors.InputError(f"the program has unknown groups: {other[0]}")
  return 2  # Of pairs, or of all where there is one group and no list.
