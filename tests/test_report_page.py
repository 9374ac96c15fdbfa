import base64
import html.parser
import xml.etree.ElementTree

import numpy as np
import pytest

from tts_jax.report import page, transcripts
from tts_jax.scaling import summary

_VOID = {"meta", "img", "br", "link"}


class _Reader(html.parser.HTMLParser):
  """Collects text and resources, and insists on balanced tags."""

  def __init__(self):
    super().__init__()
    self.open, self.text, self.resources, self.tags = [], [], [], []

  def handle_starttag(self, tag, attrs):
    self.tags.append(tag)
    self.resources += [v for k, v in attrs if k in ("src", "href", "data")]
    if tag not in _VOID:
      self.open.append(tag)

  def handle_endtag(self, tag):
    assert self.open.pop() == tag

  def handle_data(self, data):
    self.text.append(data)


@pytest.fixture(scope="module")
def numbers():
  rng = np.random.default_rng(0)
  correct = rng.random((25, 16)) < rng.random((25, 1))
  answers = np.where(correct, 0, rng.integers(-1, 5, (25, 16)))
  result = summary.summarise(answers, correct, [1, 4, 16], 0, draws=50)
  return result | {
    "tokens_generated": 1_234_567,
    "seconds": 61.5,
    "row_utilisation": 0.925,
  }


def _transcript(text, **options):
  sample = transcripts.Sample(
    text=text, answer="4", verdict="wrong", logprob=-12.25, **options
  )
  return transcripts.Transcript(
    level="hard",
    question='Is 1 < 2 & "2" > 1?',
    answer="yes",
    pass_at_1=0.25,
    samples=[sample],
  )


def _read(numbers, **options):
  settings = {"seed": 7, "model": "<b>card</b>", "commit": "abc123"}
  document = page.render(numbers, title="A & B", settings=settings, **options)
  reader = _Reader()
  reader.feed(document)
  assert reader.open == []
  return document, reader


def test_text_from_outside_is_escaped(numbers):
  hostile = "</pre><script>alert('x')</script>\n#### 4"
  document, reader = _read(numbers, samples=[_transcript(hostile)])
  assert "<script" not in document
  assert "script" not in reader.tags
  assert hostile in reader.text
  assert 'Is 1 < 2 & "2" > 1?' in reader.text
  assert "<b>card</b>" in reader.text
  assert "A & B" in reader.text


def test_nothing_is_fetched(numbers):
  document, reader = _read(numbers, samples=[_transcript("1")])
  assert len(reader.resources) == 2
  for resource in reader.resources:
    kind, data = resource.split(",")
    assert kind == "data:image/svg+xml;base64"
    for node in xml.etree.ElementTree.fromstring(base64.b64decode(data)).iter():
      for name, value in node.attrib.items():
        assert not name.endswith("href") or value.startswith("#")
    document = document.replace(data, "")
  for fetching in ("http", "url(", "@import"):
    assert fetching not in document


def test_every_number_is_on_the_page(numbers):
  _, reader = _read(numbers)
  text = " ".join(reader.text)
  for name in ("pass_at_k", "majority_at_k"):
    for one in numbers[name].values():
      assert f"{one['mean']:.3f}" in text
      assert f"[{one['low']:.3f}, {one['high']:.3f}]" in text
  for one in numbers["bins"]:
    assert f"{one['pass_at_1']:.3f}" in text
  assert "25 questions, 16 samples each" in text
  for shown in ("1,234,567", "61.5", "92.5%", "abc123", "7"):
    assert shown in text


def test_other_pages_of_the_run_are_linked(numbers):
  plain, reader = _read(numbers)
  assert "nav" not in reader.tags
  assert "<a " not in plain
  pages = {"Search <trees>": 'trees.html?a=1&b="2"'}
  document, reader = _read(numbers, links=pages)
  assert 'trees.html?a=1&b="2"' in reader.resources
  assert "Search <trees>" in reader.text
  # Above the numbers, where it is seen.
  assert document.index("<nav") < document.index('class="cards"')


def test_cost_is_left_out_when_unknown(numbers):
  bare = {
    name: value
    for name, value in numbers.items()
    if name not in ("tokens_generated", "seconds", "row_utilisation")
  }
  _, reader = _read(bare)
  assert "Cost" not in reader.text
  _, reader = _read(numbers)
  assert "Cost" in reader.text


def test_a_cut_sample_says_so(numbers):
  cut, _ = _read(numbers, samples=[_transcript("1", finished=False)])
  whole, _ = _read(numbers, samples=[_transcript("1")])
  assert "cut at the limit" in cut
  assert "cut at the limit" not in whole
  assert "-12.25" in whole


def test_picks_show_both_kinds_from_easy_to_hard():
  correct = np.random.default_rng(1).random((50, 20)) < np.linspace(
    0, 1, 50
  ).reshape(50, 1)
  picks = transcripts.pick(correct, each=2)
  assert [one.level for one in picks] == ["easy", "middle", "hard"]
  rates = [correct[one.question].mean() for one in picks]
  assert rates[0] > rates[1] > rates[2]
  for one in picks:
    shown = correct[one.question, list(one.samples)]
    assert shown.any()
    assert not shown.all()
    assert len(set(one.samples)) == len(one.samples) <= 4


def test_picks_need_right_and_wrong_samples():
  assert transcripts.pick(np.ones((5, 4), bool)) == []
  single = np.zeros((5, 4), bool)
  single[3, 1] = True
  assert transcripts.pick(single) == [
    transcripts.Pick("easy", 3, (1, 0, 2)),
  ]
