"""Search trees on a page: where things stand, and what the page says."""

import collections
import html.parser
import itertools

import pytest
import search_trace

from tts_jax.report import tree, tree_layout, tree_page, wrapping

_HOSTILE = "</pre><script>alert('x')</script> & \"quoted\" <b>bold</b>\n"


class _Reader(html.parser.HTMLParser):
  """Collects elements and texts, and insists on balanced tags."""

  def __init__(self, document):
    super().__init__()
    self.open, self.text, self.elements = [], [], []
    self.feed(document)
    assert self.open == []

  def handle_starttag(self, tag, attrs):
    self.elements.append((tag, dict(attrs)))
    if tag != "meta":
      self.open.append(tag)

  def handle_startendtag(self, tag, attrs):
    self.elements.append((tag, dict(attrs)))

  def handle_endtag(self, tag):
    assert self.open.pop() == tag

  def handle_data(self, data):
    self.text.append(data)

  def of(self, kind):
    """Attributes of all elements of a class."""
    return [a for _, a in self.elements if kind in a.get("class", "").split()]


def _overlap(one, other):
  return (
    one.x < other.right
    and other.x < one.right
    and one.y < other.y + other.height
    and other.y < one.y + one.height
  )


@pytest.mark.parametrize(
  "options",
  [
    {"n": 16, "width": 4, "rounds": 8, "ends": 0.4},
    {"n": 16, "width": 1, "rounds": 6, "ends": 0.7},
    {"n": 1, "width": 1, "rounds": 4},
    {"n": 4, "width": 2, "rounds": 40, "ends": 0.02},
  ],
)
def test_nothing_overlaps_and_no_edges_between_steps_cross(options):
  made = search_trace.grow(**options)
  sizes = [40.0 + 10 * (i % 3) for i in range(len(made.nodes))]
  placed = tree_layout.arrange(made, sizes)
  assert placed == tree_layout.arrange(made, sizes)
  lanes = [lane for lanes in placed.lanes for lane in lanes]
  boxes = [*placed.nodes, *lanes, *placed.votes]
  for one, other in itertools.combinations(boxes, 2):
    assert not _overlap(one, other)
  for box in boxes:
    assert box.x >= 0
    assert box.y >= tree_layout.HEADING
    assert box.right <= placed.width
    assert box.y + box.height <= placed.height
  assert [box.height for box in placed.nodes] == sizes
  for index, node in enumerate(made.nodes):
    assert placed.nodes[index].x == placed.columns[node.round]
    waits = made.rounds - 1 - node.round if node.vote is not None else 0
    assert len(placed.lanes[index]) == waits
  for r in range(1, made.rounds):
    mine = [i for i, node in enumerate(made.nodes) if node.round == r]
    mine.sort(key=lambda i: placed.nodes[i].y)
    above = [placed.nodes[made.nodes[i].parent].y for i in mine]
    assert above == sorted(above)


def test_children_stand_beside_their_parent():
  nodes = [tree.Node(0, row, None, "s", 0.5, kept=True) for row in range(4)]
  nodes += [tree.Node(1, row, row, "s", 0.5, kept=True) for row in range(4)]
  made = tree.Tree("q", "a", "m", 4, 1, tuple(nodes), (), {})
  placed = tree_layout.arrange(made, [50.0] * 8)
  for parent, child in zip(placed.nodes[:4], placed.nodes[4:], strict=True):
    assert child.middle == pytest.approx(parent.middle)


def test_the_page_shows_each_node_edge_and_vote():
  made = search_trace.grow(n=16, width=4, rounds=6, seed=3)
  reader = _Reader(tree_page.render([made], title="Trees"))
  # The legend's samples carry no data.
  nodes = {
    int(a["data-node"]): a for a in reader.of("node") if "data-node" in a
  }
  assert sorted(nodes) == list(range(len(made.nodes)))
  for index, node in enumerate(made.nodes):
    kinds = nodes[index]["class"].split()
    assert ("kept" in kinds) == node.kept
    assert ("cut" in kinds) != node.kept
    assert ("finished" in kinds) == node.finished
    assert ("capped" in kinds) == node.capped
  edges = {
    (int(a["data-from"]), int(a["data-to"]))
    for a in reader.of("edge")
    if "data-to" in a
  }
  assert edges == {
    (node.parent, index)
    for index, node in enumerate(made.nodes)
    if node.parent is not None
  }
  ballots = {
    int(a["data-from"]): int(a["data-vote"]) for a in reader.of("ballot")
  }
  assert ballots == {
    index: node.vote
    for index, node in enumerate(made.nodes)
    if node.vote is not None
  }
  assert len(reader.of("vote")) == len(made.votes)
  assert len([a for a in reader.of("vote") if "won" in a["class"].split()]) == 1
  text = " ".join(reader.text)
  for shown in (search_trace.QUESTION, "N, candidates", "100 (25%)", "Round 1"):
    assert shown in text
  # Every link leads somewhere on the page.
  ids = [a["id"] for _, a in reader.elements if "id" in a]
  assert len(set(ids)) == len(ids)
  targets = {a["href"] for tag, a in reader.elements if tag == "a"}
  assert targets <= {f"#{one}" for one in ids}
  assert len(targets) == 2 * len(made.nodes)


def test_whatever_is_cut_is_told_without_colour():
  made = search_trace.grow(n=8, width=2, rounds=4, seed=1)
  reader = _Reader(tree_page.render([made], title="t"))
  counted = collections.Counter(reader.text)
  cut = [node for node in made.nodes if not node.kept]
  assert counted["cut"] + counted["finished, cut"] == len(cut) > 0
  assert counted["finished, cut"] == sum(node.finished for node in cut)
  assert counted["finished"] == sum(n.finished and n.kept for n in made.nodes)
  assert counted["capped"] == sum(node.capped for node in made.nodes)


def test_every_text_is_escaped_and_nothing_is_fetched():
  made = tree.Tree(
    question=_HOSTILE,
    answer=_HOSTILE,
    method=_HOSTILE,
    n=1,
    width=1,
    nodes=(tree.Node(0, 0, None, _HOSTILE, 0.5, True, finished=True, vote=0),),
    votes=(tree.Vote(_HOSTILE, 0.5, 1.0, 1, right=True, won=True),),
    cost={_HOSTILE: 1},
  )
  page = tree_page.render(
    [made, made], title=_HOSTILE, links={_HOSTILE: f"x{_HOSTILE}"}
  )
  reader = _Reader(page)
  tags = {tag for tag, _ in reader.elements}
  assert not tags & {"script", "link", "img", "iframe", "object", "use"}
  assert not any(
    name.startswith("on") for _, a in reader.elements for name in a
  )
  # Titles, question, answers, method, cost, the link and each step's whole.
  assert reader.text.count(_HOSTILE) >= 12
  for fetching in ("http", "url(", "@import", "src="):
    assert fetching not in page


def test_long_steps_lose_their_middle_and_are_whole_in_the_panel():
  long = "First " + "word " * 60 + "= 41 ladybugs"
  nodes = (tree.Node(0, 0, None, long + "\n", None, kept=True, capped=True),)
  made = tree.Tree("q", "a", "m", 1, 1, nodes, (), {})
  reader = _Reader(tree_page.render([made], title="t"))
  assert long + "\n" in reader.text
  shown = [t for t in reader.text if "word" in t and len(t) < 60]
  assert len(shown) == 3
  assert shown[0].startswith("First")
  assert shown[0].endswith(wrapping.ELLIPSIS)
  assert shown[-1].endswith("= 41 ladybugs")
  assert "?" in reader.text


def test_the_steps_of_a_wide_search_have_a_line_each():
  made = search_trace.grow(n=64, width=4, rounds=3)
  page = tree_page.render([made], title="t")
  assert page.count('class="words"') == len(made.nodes) + len(made.votes)


@pytest.mark.parametrize("rounds", [1, 40])
def test_the_shortest_and_the_longest_search(rounds):
  made = search_trace.grow(n=1, width=1, rounds=rounds, ends=0)
  assert made.rounds == len(made.nodes) == rounds
  page = tree_page.render([made], title="t")
  assert f"Round {rounds}<" in page
  assert "none is cut" in page
  _Reader(page)
