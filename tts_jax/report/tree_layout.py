"""Where the parts of a search tree stand: coordinates, no drawing.

Rounds are columns from left to right, and the votes are the last one. A
solution that has ended passes through the later columns in a lane of its own,
so that its edge to the vote crosses no node. Children stand in the order of
their parents, so no two edges between steps cross; siblings are ordered by the
votes that they lead to, so that the edges to the votes cross little.
"""

import dataclasses
import itertools
from collections.abc import Sequence

from tts_jax.report import tree as tree_lib

NODE_WIDTH, VOTE_WIDTH, VOTE_HEIGHT = 236.0, 236.0, 78.0
COLUMN_GAP = 56.0
MARGIN, HEADING = 8.0, 46.0
_GAP, _FAMILY_GAP, _LANE_HEIGHT = 8.0, 18.0, 12.0


@dataclasses.dataclass(frozen=True)
class Box:
  """A rectangle, in pixels from the picture's upper left corner."""

  x: float
  y: float
  width: float
  height: float

  @property
  def middle(self) -> float:
    """Its middle from above."""
    return self.y + self.height / 2

  @property
  def right(self) -> float:
    """Its right end."""
    return self.x + self.width


@dataclasses.dataclass(frozen=True)
class Layout:
  """Where everything stands.

  Attributes:
    width: of the picture, in pixels.
    height: of the picture, in pixels.
    nodes: a box each, in the tree's order.
    lanes: for each node the boxes in later columns that its edge to the vote
      passes through, from left to right; empty for most.
    votes: a box each, in the tree's order.
    columns: left end of each round's column, and of that of the votes.
  """

  width: float
  height: float
  nodes: tuple[Box, ...]
  lanes: tuple[tuple[Box, ...], ...]
  votes: tuple[Box, ...]
  columns: tuple[float, ...]


@dataclasses.dataclass(frozen=True)
class _Slot:
  node: int
  lane: bool
  size: float


def arrange(tree: tree_lib.Tree, sizes: Sequence[float]) -> Layout:
  """Places everything.

  Args:
    tree: what to place.
    sizes: the height of each node.
  """
  children = _children(tree)
  columns = _columns(tree, sizes, children)
  gaps = [_gaps(tree, column) for column in columns]
  spans = [
    sum(slot.size for slot in column) + sum(gap)
    for column, gap in zip(columns, gaps, strict=True)
  ]
  votes_span = len(tree.votes) * (VOTE_HEIGHT + _GAP) - _GAP
  span = max(*spans, votes_span, 0.0)

  # Middles of slots by (column, node).
  middles: dict[tuple[int, int], float] = {}

  def stack(c: int, wanted: Sequence[float]) -> None:
    heights = [slot.size for slot in columns[c]]
    placed = _place(wanted, heights, gaps[c], span)
    for slot, middle in zip(columns[c], placed, strict=True):
      middles[c, slot.node] = middle

  def of_parent(c: int, slot: _Slot) -> float:
    before = slot.node if slot.lane else tree.nodes[slot.node].parent
    assert before is not None  # only nodes of round 0 have none
    return middles[c - 1, before]

  def of_children(c: int, slot: _Slot) -> float:
    after = [
      middles[c + 1, index]
      for index in (slot.node, *children[slot.node])
      if (c + 1, index) in middles
    ]
    return sum(after) / len(after) if after else middles[c, slot.node]

  for c, column in enumerate(columns):
    stack(
      c,
      [of_parent(c, slot) for slot in column]
      if c
      else [(i + 0.5) * span / len(column) for i in range(len(column))],
    )
  for c in reversed(range(len(columns) - 1)):
    stack(c, [of_children(c, slot) for slot in columns[c]])
  for c in range(1, len(columns)):
    stack(c, [of_parent(c, slot) for slot in columns[c]])
  return _boxes(tree, columns, middles, span)


def _children(tree: tree_lib.Tree) -> list[list[int]]:
  children: list[list[int]] = [[] for _ in tree.nodes]
  for index, node in enumerate(tree.nodes):
    if node.parent is not None:
      children[node.parent].append(index)
  return children


def _columns(
  tree: tree_lib.Tree, sizes: Sequence[float], children: list[list[int]]
) -> list[list[_Slot]]:
  """The slots of each round, from above."""
  led = _led(tree, children)
  roots = [i for i, node in enumerate(tree.nodes) if node.parent is None]
  column = [
    _Slot(i, lane=False, size=sizes[i])
    for i in _order(tree, roots, children, led)
  ]
  columns = [column] if tree.nodes else []
  for _ in range(1, tree.rounds):
    column = [
      then
      for slot in column
      for then in _following(tree, slot, sizes, children, led)
    ]
    columns.append(column)
  return columns


def _following(
  tree: tree_lib.Tree,
  slot: _Slot,
  sizes: Sequence[float],
  children: list[list[int]],
  led: list[float],
) -> list[_Slot]:
  if tree.nodes[slot.node].vote is not None:
    return [_Slot(slot.node, lane=True, size=_LANE_HEIGHT)]
  family = _order(tree, children[slot.node], children, led)
  return [_Slot(i, lane=False, size=sizes[i]) for i in family]


def _led(tree: tree_lib.Tree, children: list[list[int]]) -> list[float]:
  """Mean rank of the votes that each node leads to; last of all for none."""
  led = [float(len(tree.votes))] * len(tree.nodes)
  for index in reversed(range(len(tree.nodes))):
    vote = tree.nodes[index].vote
    then = [led[k] for k in children[index] if led[k] < len(tree.votes)]
    if vote is not None:
      led[index] = float(vote)
    elif then:
      led[index] = sum(then) / len(then)
  return led


def _order(
  tree: tree_lib.Tree,
  family: Sequence[int],
  children: list[list[int]],
  led: list[float],
) -> list[int]:
  """Siblings from above: the cut ones are spread around those that go on.

  That gives each of the latter room beside it for its own children.
  """

  def merit(index: int) -> tuple[float, int]:
    node = tree.nodes[index]
    return (-1.0 if node.score is None else node.score, -node.row)

  best = sorted(family, key=merit, reverse=True)
  going = [i for i in best if children[i] or tree.nodes[i].vote is not None]
  going = sorted(going, key=lambda i: led[i])
  ended = [i for i in best if i not in set(going)]
  if not going:
    return ended
  order = []
  for place, index in enumerate(going):
    start = place * len(ended) // len(going)
    stop = (place + 1) * len(ended) // len(going)
    half = (start + stop) // 2
    order += [*ended[start:half], index, *ended[half:stop]]
  return order


def _gaps(tree: tree_lib.Tree, column: Sequence[_Slot]) -> list[float]:
  """Room above each slot but the first: more where the parents differ."""
  source = [
    -1 - s.node if s.lane else tree.nodes[s.node].parent for s in column
  ]
  return [
    _GAP if one == other else _FAMILY_GAP
    for one, other in itertools.pairwise(source)
  ]


def _place(
  wanted: Sequence[float],
  sizes: Sequence[float],
  gaps: Sequence[float],
  span: float,
) -> list[float]:
  """Middles nearest to `wanted`, in order, apart, and inside [0, span].

  Least squares: what the stack above a slot takes is subtracted, then it is
  isotonic regression, solved by pooling neighbours that are out of order.
  """
  above, offsets = 0.0, []
  for size, gap in zip(sizes, [*gaps, 0.0], strict=False):
    offsets.append(above + size / 2)
    above += size + gap
  pools: list[tuple[float, int]] = []
  for want, offset in zip(wanted, offsets, strict=True):
    mean, count = want - offset, 1
    while pools and pools[-1][0] > mean:
      other, more = pools.pop()
      mean = (mean * count + other * more) / (count + more)
      count += more
    pools.append((mean, count))
  starts = [mean for mean, count in pools for _ in range(count)]
  return [
    min(max(start, 0.0), max(span - above, 0.0)) + offset
    for start, offset in zip(starts, offsets, strict=True)
  ]


def _boxes(
  tree: tree_lib.Tree,
  columns: Sequence[Sequence[_Slot]],
  middles: dict[tuple[int, int], float],
  span: float,
) -> Layout:
  top = MARGIN + HEADING
  pitch = NODE_WIDTH + COLUMN_GAP
  lefts = [MARGIN + c * pitch for c in range(len(columns) + 1)]
  nodes: dict[int, Box] = {}
  lanes: list[list[Box]] = [[] for _ in tree.nodes]
  ends: list[list[float]] = [[] for _ in tree.votes]
  for c, column in enumerate(columns):
    for slot in column:
      y = top + middles[c, slot.node] - slot.size / 2
      box = Box(lefts[c], y, NODE_WIDTH, slot.size)
      if slot.lane:
        lanes[slot.node].append(box)
      else:
        nodes[slot.node] = box
      vote = tree.nodes[slot.node].vote
      if vote is not None and c == len(columns) - 1:
        ends[vote].append(box.middle - top)
  placed = _place(
    [sum(e) / len(e) if e else 0.0 for e in ends],
    [VOTE_HEIGHT] * len(ends),
    [_GAP] * (len(ends) - 1),
    span,
  )
  return Layout(
    width=lefts[-1] + VOTE_WIDTH + MARGIN,
    height=top + span + MARGIN,
    nodes=tuple(nodes[i] for i in range(len(tree.nodes))),
    lanes=tuple(tuple(one) for one in lanes),
    votes=tuple(
      Box(lefts[-1], top + middle - VOTE_HEIGHT / 2, VOTE_WIDTH, VOTE_HEIGHT)
      for middle in placed
    ),
    columns=tuple(lefts),
  )
