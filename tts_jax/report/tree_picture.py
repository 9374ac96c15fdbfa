"""The picture of a search tree: one SVG element, drawn from a layout."""

from collections.abc import Sequence

from tts_jax.report import document, tree_layout, wrapping
from tts_jax.report import tree as tree_lib

# Pixels. The text's size is also in tree.css.
_FONT, _LINE, _PAD, _HEAD = 12.0, 15.0, 11.0, 27.0
_BAR_LEFT, _BAR_WIDTH, _BAR_HEIGHT = 48.0, 92.0, 5.0
_ANSWER_FONT, _VERDICT_WIDTH = 18.0, 98.0
# Bold characters are wider by at most this factor.
_BOLD = 1.15
# Steps are told by their text while a screen or two hold all rows.
_ROWS_WITH_MUCH_TEXT = 16

_NO_TEXT = "(no text)"


def draw(tree: tree_lib.Tree, name: str) -> str:
  """Draws one tree.

  Args:
    tree: what to draw.
    name: begins the ids of its elements: node i is `name-ni`, and its link
      leads to `name-pi`.

  Returns:
    An `svg` element for an HTML page that has tree.css.

  Example:
    >>> from tts_jax.report import tree
    >>> step = tree.Node(0, 0, None, "6 x 7 = 42", 0.5, kept=True, vote=0)
    >>> vote = tree.Vote("42", 0.5, 1.0, 1, right=True, won=True)
    >>> one = tree.Tree("6 x 7 = ?", "42", "Beam", 1, 1, (step,), (vote,), {})
    >>> tts.draw_tree(one, "a").count('id="a-n')
    1
  """
  most = 3 if tree.n <= _ROWS_WITH_MUCH_TEXT else 1
  room = (tree_layout.NODE_WIDTH - 2 * _PAD) / _FONT
  lines = [wrapping.wrap(n.text, room, most) or [_NO_TEXT] for n in tree.nodes]
  layout = tree_layout.arrange(tree, [_height(one) for one in lines])
  path = _winning(tree)
  parts = [
    *_headings(tree, layout),
    *_edges(tree, layout, path),
    *(
      _node(node, box, words, name, index, index in path)
      for index, (node, box, words) in enumerate(
        zip(tree.nodes, layout.nodes, lines, strict=True)
      )
    ),
    *(
      _vote(vote, box)
      for vote, box in zip(tree.votes, layout.votes, strict=True)
    ),
  ]
  width, height = _number(layout.width), _number(layout.height)
  described = (
    f"{tree.rounds} rounds from left to right, {len(tree.nodes)} steps."
    f" {sum(n.kept for n in tree.nodes)} were kept,"
    f" {sum(not n.kept for n in tree.nodes)} cut. The votes stand at the right."
  )
  return (
    f'<svg role="group" aria-labelledby="{name}-t {name}-d" width="{width}"'
    f' height="{height}" viewBox="0 0 {width} {height}">\n'
    f'<title id="{name}-t">Search tree: {document.text(tree.method)}</title>'
    f'<desc id="{name}-d">{described}</desc>\n' + "\n".join(parts) + "\n</svg>"
  )


def legend() -> str:
  """The kinds of step, each with its word, as a list."""
  kinds = {
    "kept": "kept: the search goes on from it",
    "cut": "cut: dropped with all that would follow",
    "finished": "finished: the solution ends here and waits for the vote",
    "capped": "capped: stopped at a limit, so it has no vote",
    "won": "thick line: a solution that voted for the chosen answer",
  }
  chips = {
    "kept": '<g class="node kept">{card}</g>',
    "cut": '<g class="node cut">{card}</g>',
    "finished": '<g class="node kept finished">{card}{end}</g>',
    "capped": '<g class="node kept capped">{card}{end}</g>',
    "won": '<path class="edge won" d="M2,10 H42"/>',
  }
  card = '<rect class="card" x="2" y="2" width="40" height="16" rx="5"/>'
  items = "".join(
    '<li><svg width="46" height="20" aria-hidden="true">'
    + chips[kind].format(card=card, end=_end(kind, 42.0, 2.0, 16.0))
    + f"</svg> {words}</li>"
    for kind, words in kinds.items()
  )
  return f'<ul class="legend">{items}</ul>'


def label(node: tree_lib.Node) -> str:
  """A step's place, fate and score in words."""
  score = "no score" if node.score is None else f"score {node.score:.2f}"
  return (
    f"Round {node.round + 1}, candidate {node.row + 1}: {_fate(node)}, {score}."
  )


def _fate(node: tree_lib.Node) -> str:
  if not node.kept:
    return "finished, cut" if node.finished else "cut"
  if node.finished:
    return "finished"
  return "capped" if node.capped else "kept"


def _height(lines: Sequence[str]) -> float:
  return _HEAD + len(lines) * _LINE + _PAD - 3


def _number(value: float) -> str:
  return f"{value:.1f}".removesuffix(".0")


def _winning(tree: tree_lib.Tree) -> set[int]:
  """Nodes on the way to a vote for the answer chosen."""
  path: set[int] = set()
  for index in reversed(range(len(tree.nodes))):
    node = tree.nodes[index]
    if node.vote is not None and tree.votes[node.vote].won:
      path.add(index)
    if index in path and node.parent is not None:
      path.add(node.parent)
  return path


def _headings(tree: tree_lib.Tree, layout: tree_layout.Layout) -> list[str]:
  parts = []
  for r, x in enumerate(layout.columns):
    mine = [node for node in tree.nodes if node.round == r]
    cut = sum(not node.kept for node in mine)
    waiting = sum(n.round < r and n.vote is not None for n in tree.nodes)
    title = f"Round {r + 1}"
    below = f"{document.count(len(mine), 'step')}, {cut} cut"
    if waiting:
      below += f", {waiting} waiting"
    if r == tree.rounds:
      title, below = "Votes", "sum of scores by answer"
    parts.append(
      f'<text class="heading" x="{_number(x)}" y="20">{title}</text>'
      f'<text class="below" x="{_number(x)}" y="38">{below}</text>'
    )
  return parts


def _edges(
  tree: tree_lib.Tree, layout: tree_layout.Layout, path: set[int]
) -> list[str]:
  faint: list[str] = []
  strong: list[str] = []
  for index, node in enumerate(tree.nodes):
    box = layout.nodes[index]
    if node.parent is not None:
      kind = "kept" if node.kept else "cut"
      kind = "won" if index in path else kind
      (strong if index in path else faint).append(
        f'<path class="edge {kind}" data-from="{node.parent}"'
        f' data-to="{index}" d="{_curve([layout.nodes[node.parent], box])}"/>'
      )
    if node.vote is not None:
      kind = "won" if tree.votes[node.vote].won else "kept"
      stops = [box, *layout.lanes[index], layout.votes[node.vote]]
      (strong if index in path else faint).append(
        f'<path class="edge ballot {kind}" data-from="{index}"'
        f' data-vote="{node.vote}" d="{_curve(stops)}"/>'
      )
  return [*faint, *strong]


def _curve(boxes: Sequence[tree_layout.Box]) -> str:
  """From the right end of the first box, through the others, to the last."""
  first, *others = boxes
  x, y = first.right, first.middle
  steps = [f"M{_number(x)},{_number(y)}"]
  for index, box in enumerate(others):
    bend = (x + box.x) / 2
    steps.append(
      f"C{_number(bend)},{_number(y)} {_number(bend)},{_number(box.middle)}"
      f" {_number(box.x)},{_number(box.middle)}"
    )
    x, y = box.right, box.middle
    if index < len(others) - 1:
      steps.append(f"H{_number(x)}")
  return " ".join(steps)


def _node(
  node: tree_lib.Node,
  box: tree_layout.Box,
  lines: Sequence[str],
  name: str,
  index: int,
  won: bool,
) -> str:
  kinds = ["node", "kept" if node.kept else "cut"]
  kinds += [kind for kind in ("finished", "capped") if getattr(node, kind)]
  kinds += ["won"] if won else []
  score = "?" if node.score is None else f"{node.score:.2f}"
  filled = _BAR_WIDTH * min(max(node.score or 0.0, 0.0), 1.0)
  words = "".join(
    f'<text class="words" x="{_number(_PAD)}"'
    f' y="{_number(_HEAD + 10 + place * _LINE)}">{document.text(line)}</text>'
    for place, line in enumerate(lines)
  )
  end = "".join(
    _end(kind, box.width, 0.0, box.height)
    for kind in ("finished", "capped")
    if kind in kinds
  )
  spoken = document.text(f"{label(node)} {node.text.strip() or _NO_TEXT}")
  return (
    f'<a href="#{name}-p{index}" id="{name}-n{index}" aria-label="{spoken}">'
    f'<g class="{" ".join(kinds)}" data-node="{index}"'
    f' transform="translate({_number(box.x)} {_number(box.y)})">'
    f"<title>{spoken}</title>"
    f'<rect class="card" width="{_number(box.width)}"'
    f' height="{_number(box.height)}" rx="7"/>'
    f'<text class="score" x="{_number(_PAD)}" y="20">{score}</text>'
    f'<rect class="track" x="{_number(_BAR_LEFT)}" y="13"'
    f' width="{_number(_BAR_WIDTH)}" height="{_number(_BAR_HEIGHT)}" rx="2.5"/>'
    f'<rect class="level" x="{_number(_BAR_LEFT)}" y="13"'
    f' width="{_number(filled)}" height="{_number(_BAR_HEIGHT)}" rx="2.5"/>'
    f'<text class="fate" x="{_number(box.width - _PAD)}" y="20">'
    f"{_fate(node)}</text>{words}{end}</g></a>"
  )


def _end(kind: str, right: float, top: float, height: float) -> str:
  """The mark at the right end: a full bar, or two strokes as of a cut."""
  if kind == "finished":
    return (
      f'<rect class="end" x="{_number(right - 5)}" y="{_number(top)}"'
      f' width="7" height="{_number(height)}" rx="2"/>'
    )
  x, y, far = right + 3, _number(top), _number(top + height)
  return f'<path class="end" d="M{_number(x)},{y} V{far}"/>'


def _vote(vote: tree_lib.Vote, box: tree_layout.Box) -> str:
  room = (box.width - 2 * _PAD - _VERDICT_WIDTH) / _ANSWER_FONT / _BOLD
  answer = document.text(*wrapping.wrap(vote.answer, room, 1) or [_NO_TEXT])
  verdict = {True: "right", False: "wrong", None: ""}[vote.right]
  kinds = f"vote {verdict}" + (" won" if vote.won else "")
  solutions = document.count(vote.solutions, "solution")
  word = verdict
  if vote.won:
    word = f"chosen, {verdict}" if verdict else "chosen"
  full = box.width - 2 * _PAD
  spoken = document.text(
    f"{vote.answer}: {word + ', ' if word else ''}sum {vote.weight:.2f},"
    f" {solutions}"
  )
  return (
    f'<g class="{kinds}" role="img" aria-label="{spoken}"'
    f' transform="translate({_number(box.x)} {_number(box.y)})">'
    f"<title>{spoken}</title>"
    f'<rect class="card" width="{_number(box.width)}"'
    f' height="{_number(box.height)}" rx="7"/>'
    f'<text class="answer" x="{_number(_PAD)}" y="26">{answer}</text>'
    f'<text class="fate" x="{_number(box.width - _PAD)}" y="26">{word}</text>'
    f'<text class="words" x="{_number(_PAD)}" y="47">'
    f"sum {vote.weight:.2f} · {solutions} · {vote.share:.0%}</text>"
    f'<rect class="track" x="{_number(_PAD)}" y="58" width="{_number(full)}"'
    f' height="7" rx="3.5"/>'
    f'<rect class="level" x="{_number(_PAD)}" y="58"'
    f' width="{_number(full * vote.share)}" height="7" rx="3.5"/></g>'
  )
