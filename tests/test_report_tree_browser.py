"""The page of search trees as a browser draws it.

Run by `.ci/run`, which installs Debian's `chromium`.
"""

import html
import itertools
import json
import re
import shutil
import subprocess

import pytest
import search_trace

from tts_jax.report import tree, tree_page

_BROWSER = shutil.which("chromium")
pytestmark = pytest.mark.skipif(_BROWSER is None, reason="needs chromium")

# Added to a copy of the page: makes a fault of whatever it would fetch.
_POLICY = (
  '<meta http-equiv="Content-Security-Policy" content="default-src \'none\';'
  " style-src 'unsafe-inline'; script-src 'unsafe-inline'\">"
)
# Added likewise: tells its frame's owner what it measures.
_PROBE = """
<script>
addEventListener("load", () => {
  const box = (element) => {
    const at = element.getBoundingClientRect();
    return [at.left, at.top, at.right, at.bottom];
  };
  const all = (kind, root) => [...root.querySelectorAll(kind)];
  const trees = all("article.tree svg", document).map((svg) => ({
    svg: box(svg),
    cards: all("[data-node] > .card, .vote > .card", svg).map(box),
    texts: all("[data-node], .vote", svg).map((node) =>
      all("text, .level", node).map(box)),
    edges: all("path.edge", svg).map((edge) => ({
      from: edge.dataset.from, to: edge.dataset.to, vote: edge.dataset.vote,
      length: edge.getTotalLength(),
    })),
    headings: all(".heading, .below", svg).map(box),
    dash: all("[data-node]", svg).map((node) =>
      getComputedStyle(node.querySelector(".card")).strokeDasharray),
  }));
  const panels = all(".panel", document)
    .filter((panel) => panel.offsetHeight)
    .map((panel) => ({ id: panel.id, text: panel.textContent }));
  const result = {
    trees, panels, back: getComputedStyle(document.body).backgroundColor,
    wide: document.documentElement.scrollWidth, window: innerWidth,
  };
  parent.postMessage(JSON.stringify(result), "*");
});
</script>
"""
# A frame, since the browser's own window cannot be as narrow as a phone.
_FRAME = """<!doctype html>
<body><iframe src="page.html{at}" width="{width}" height="844"></iframe>
<pre id="measured"></pre>
<script>
addEventListener("message", (event) => {{
  document.getElementById("measured").textContent = event.data;
}});
</script>
"""


@pytest.fixture(scope="module")
def trees():
  hostile = "<script>console.error('ran')</script>\n"
  nodes = (
    tree.Node(0, 0, None, hostile, None, kept=True),
    tree.Node(1, 0, 0, "WWWW mmmm @@@@ %%%% " * 9, 1.0, kept=True, capped=True),
  )
  return [
    search_trace.grow(n=16, width=4, rounds=8, seed=3, ends=0.4),
    search_trace.grow(n=9, width=3, rounds=6, seed=5, ends=0.8),
    search_trace.grow(n=64, width=8, rounds=3),
    search_trace.grow(n=1, width=1, rounds=40, ends=0),
    tree.Tree(hostile, "1" * 90, hostile, 1, 1, nodes, (), {}),
  ]


def _open(folder, document, *flags):
  """What the browser makes of a page, and what it says on its console."""
  page = folder / "opened.html"
  page.write_text(document, encoding="utf-8")
  run = subprocess.run(
    [
      _BROWSER,
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-dev-shm-usage",
      f"--user-data-dir={folder / 'profile'}",
      "--enable-logging=stderr",
      "--virtual-time-budget=5000",
      *flags,
      "--dump-dom",
      page.as_uri(),
    ],
    capture_output=True,
    text=True,
    timeout=120,
    check=True,
  )
  console = [line for line in run.stderr.splitlines() if "CONSOLE" in line]
  return run.stdout, console


def _measure(folder, trees, *flags, width=1400, at=""):
  document = tree_page.render(trees, title="Trees", links={"Back": "r.html"})
  probed = document.replace("<head>", f"<head>{_POLICY}")
  probed = probed.replace("</body>", f"{_PROBE}</body>")
  (folder / "page.html").write_text(probed, encoding="utf-8")
  frame = _FRAME.format(at=at, width=width)
  dom, console = _open(folder, frame, "--window-size=1600,1000", *flags)
  assert console == []
  found = re.search(r'<pre id="measured">(.*?)</pre>', dom, re.DOTALL)
  return json.loads(html.unescape(found[1]))


def _inside(inner, outer, slack):
  return (
    inner[0] >= outer[0] - slack
    and inner[1] >= outer[1] - slack
    and inner[2] <= outer[2] + slack
    and inner[3] <= outer[3] + slack
  )


def _apart(one, other):
  return (
    one[2] <= other[0]
    or other[2] <= one[0]
    or one[3] <= other[1]
    or other[3] <= one[1]
  )


@pytest.mark.parametrize("width", [1400, 390])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_everything_is_drawn_in_its_place(tmp_path, trees, width, dark):
  flags = ["--blink-settings=preferredColorScheme=0"] if dark else []
  found = _measure(tmp_path, trees, *flags, width=width)
  # The page is as wide as the window; only the trees scroll sideways.
  assert found["wide"] <= found["window"] == width
  assert (found["back"] != "rgb(255, 255, 255)") == dark
  assert len(found["trees"]) == len(trees)
  for drawn, made in zip(found["trees"], trees, strict=True):
    assert len(drawn["cards"]) == len(made.nodes) + len(made.votes)
    for card in drawn["cards"]:
      assert card[2] - card[0] > 100
      assert card[3] - card[1] > 30
      assert _inside(card, drawn["svg"], 0)
    for one, other in itertools.combinations(drawn["cards"], 2):
      assert _apart(one, other)
    for card, texts in zip(drawn["cards"], drawn["texts"], strict=True):
      assert len(texts) >= 3
      for text in texts:
        assert _inside(text, card, 1)
    # Marks of a heading's ends may touch its neighbours; words may not.
    for one, other in itertools.combinations(drawn["headings"], 2):
      assert one[1] != other[1] or _apart(one, other)
    edges = {
      (int(e["from"]), e.get("to"), e.get("vote")) for e in drawn["edges"]
    }
    expected = {
      (node.parent, str(index), None)
      for index, node in enumerate(made.nodes)
      if node.parent is not None
    }
    expected |= {
      (index, None, str(node.vote))
      for index, node in enumerate(made.nodes)
      if node.vote is not None
    }
    assert edges == expected
    assert all(edge["length"] > 20 for edge in drawn["edges"])
    for dash, node in zip(drawn["dash"], made.nodes, strict=True):
      assert (dash == "none") == node.kept


def test_the_address_opens_the_whole_text_of_a_step(tmp_path, trees):
  closed = _measure(tmp_path, trees[:1])
  assert closed["panels"] == []
  opened = _measure(tmp_path, trees[:1], at="#q0-p3")
  (panel,) = opened["panels"]
  assert panel["id"] == "q0-p3"
  assert trees[0].nodes[3].text in panel["text"]


@pytest.mark.parametrize(
  "fault",
  [
    "<script>nowhere()</script>",
    '<img src="absent.png">',
    "<style>@import 'absent.css';</style>",
    '<p style="background: url(absent.png)">text</p>',
  ],
)
def test_a_fault_or_a_fetch_is_seen_on_the_console(tmp_path, fault):
  _, console = _open(tmp_path, f"<head>{_POLICY}</head><body>{fault}</body>")
  assert console
