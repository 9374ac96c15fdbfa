"""What the page says of difficulty, policies, weak verifiers and findings."""

import html.parser

import run_summary

from tts_jax.report import (
  claim_sections,
  exchange_sections,
  policy_sections,
  search_sections,
)
from tts_jax.scaling import claims


class _Reader(html.parser.HTMLParser):
  def __init__(self, parts):
    super().__init__()
    self.open, self.said, self.images = [], [], 0
    self.feed("\n".join(parts))
    assert self.open == []
    self.text = " ".join(" ".join(self.said).split())

  def handle_starttag(self, tag, attrs):
    self.images += tag == "img"
    if tag not in ("img", "br"):
      self.open.append(tag)

  def handle_endtag(self, tag):
    assert self.open.pop() == tag

  def handle_data(self, data):
    self.said.append(data)


def test_policies_are_told_with_what_they_save():
  page = _Reader(policy_sections.policy(run_summary.summary()))
  # A curve and the choices of each of three families, and a curve on average.
  assert page.images == 7
  for said in (
    "Search and revisions in one policy, against best-of-N weighted",
    "Compute-optimal revisions, against parallel answers",
    "against parallel answers 4.50 [4.20, 6.00] generations 16 0.700 0%",
    "4.50 [4.20, 6.00] FLOPs 16",
    "over 100 splits",
    "less parallel",
  ):
    assert said in page.text, said


def test_a_budget_met_on_average_is_told_where_it_was_measured():
  summary = run_summary.summary()
  page = _Reader(policy_sections.policy(summary))
  _, _, after = page.text.partition("A budget met on average")
  said = "Compute-optimal search, against best-of-N weighted 4.50 [4.20, 6.00]"
  assert said in after
  del summary["policy"]["averaged"]
  page = _Reader(policy_sections.policy(summary))
  assert page.images == 6
  assert "on average" not in page.text


def test_a_bound_is_said_to_be_one():
  summary = run_summary.summary()
  head = summary["policy"]["speedup_vs_parallel"]["flops"]
  head |= {"bound": "at least", "never_reached": 0.61}
  page = _Reader(policy_sections.policy(summary))
  assert "at least 4.50 [4.20, 6.00] FLOPs 16 0.700 61%" in page.text


def test_estimates_are_told_with_their_cost_and_sizes():
  summary = run_summary.summary()
  share = {"mean": 0.8, "low": 0.6, "high": 0.9}
  summary["policy"]["kept_of_oracle_gain"] = {
    "search": {"first_4": {"generations": {"gain": share, "share": None}}}
  }
  page = _Reader(policy_sections.difficulty(summary))
  assert page.images == 1
  assert "first 4 samples 0.710 [0.680, 0.740] 4 0.0e+00 FLOPs" in page.text
  # A head takes no sample: its cost is in FLOPs alone.
  assert "prompt head 0.580 [0.520, 0.640] 0 3.3e+04 FLOPs" in page.text
  assert "20 20 20 20 20 0.800 [0.600, 0.900] none" in page.text


def test_what_is_absent_says_why_or_nothing():
  absent = {"absent": "6 questions are <few>"}
  summary = {"difficulty": absent, "policy": absent}
  for section in (policy_sections.difficulty, policy_sections.policy):
    page = _Reader(section(summary))
    assert "Not measured: 6 questions are <few>." in page.text
    assert page.images == 0
    assert section({}) == []
  assert claim_sections.claims({}) == []
  assert search_sections.weak_verifiers({}) == []


def test_weak_verifiers_are_drawn():
  page = _Reader(search_sections.weak_verifiers(run_summary.summary()))
  assert page.images == 1


def test_the_exchange_says_who_wins_in_each_bin():
  summary = run_summary.summary()
  found = summary["exchange"]["families"]["search"]
  cell = found["bins"][4]["at"]["v1"]["22"]
  assert cell["winner"] == "parameters"
  cell["beyond"], cell["measured_at"] = True, 16.0
  found["bins"][1] = {"questions": 0}
  page = _Reader(exchange_sections.exchange(summary))
  assert page.images == 1
  gap = cell["difference"]
  said = f"{gap['mean']:.3f} [{gap['low']:.3f}, {gap['high']:.3f}] parameters"
  assert f"{said}, read at 16" in page.text
  assert "R = 0.16: 258 generations" in page.text
  assert page.text.count("5, hardest") == 2
  assert exchange_sections.exchange({}) == []


def test_findings_are_rows_with_their_evidence():
  found = claims.judge(run_summary.summary())
  hostile = {
    "claim": "<b>a</b>",
    "verdict": "holds",
    "evidence": "x < y & z",
  }
  page = _Reader(claim_sections.claims({"claims": [*found, hostile]}))
  for one in (*found, hostile):
    both = f"{one['claim']} {one['verdict']} {one['evidence']}"
    assert both in page.text
