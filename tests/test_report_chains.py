"""The page of chains: what differs, what stands for a chain, what is shown."""

import re

import numpy as np
import pyarrow as pa
import pytest

from tts_jax.report import chain_page, chain_transcripts
from tts_jax.store import chains as store
from tts_jax.store import run
from tts_jax.tasks import base


def _plain(html):
  return re.sub(r"<[^>]+>", "", html)


@pytest.mark.parametrize(
  ("before", "after", "marked"),
  [
    ("3 + 4 = 7", "3 * 4 = 12", ["<del>+</del><ins>*</ins>", "<ins>12</ins>"]),
    ("a b", "a b", []),
    ("a b c", "a c", ["<del>b "]),
    ("", "x < y", ["<ins>x &lt; y</ins>"]),
  ],
)
def test_words_that_change_are_marked(before, after, marked):
  found = chain_page.difference(before, after)
  for part in marked:
    assert part in found
  if not marked:
    assert "<" not in found
  kept = re.sub(r"<del>.*?</del>", "", found)
  escaped = after.replace("<", "&lt;")
  assert _plain(kept).split() == escaped.split()


def _page(answers, *, length=2, chosen=1):
  chain = chain_page.Chain(answers=answers, length=length, chosen=chosen)
  question = chain_page.Question(
    level="easy", text="<i>?", answer="2", share=0.25, chains=[chain]
  )
  return chain_page.render([question], title="T", links={"report": "r.html"})


_FIRST = chain_page.Answer(
  text="<b>1</b>\n#### 1", verdict="wrong", answer="1", score=0.25, shown=()
)
_CUT = chain_page.Answer(
  text="2", verdict="ungradable", answer=None, score=None, shown=(1,)
)


def test_the_page_is_escaped_and_whole():
  page = _page([_FIRST, _CUT])
  assert "<b>1</b>" not in page
  assert "&lt;b&gt;1&lt;/b&gt;" in page
  assert "&lt;i&gt;?" in page
  assert "easy: 25% of the answers right" in page
  assert "1. wrong ★</b> · answer 1 · score 0.25 <" in page
  assert "2. cut</b> · answer none <" in page
  assert "in view: 1" in page
  assert 'href="r.html"' in page
  for outside in ("http://", "https://", "<script"):
    assert outside not in page


def test_what_is_not_shown_of_a_chain_is_said():
  assert "<h4>Chain 1</h4>" in _page([_FIRST, _CUT])
  assert "<h4>Chain 1, its first 2 of 9 answers</h4>" in _page(
    [_FIRST, _CUT], length=9
  )
  later = _page([_FIRST, _CUT], length=9, chosen=7)
  assert "first 2 of 9 answers; answer 7 stands for it</h4>" in later
  assert "★</b>" not in later
  assert "<h4>Chain 1: none states anything</h4>" in _page(
    [_CUT, _CUT], chosen=None
  )
  again = _page([_FIRST, _FIRST])
  assert again.count("unchanged") == 1
  assert "<ins>" not in again[again.index("<article>") :]


def _write(folder, questions):
  """Chains of (answer, verdict, finished), a question a list of chains."""
  rows = []
  for name, chains in questions.items():
    sample = 0
    for chain, answers in enumerate(chains):
      for turn, (answer, verdict, finished) in enumerate(answers):
        rows.append(
          {
            "question_id": name,
            "uid": 1,
            "sample": sample,
            "text": f"{name} {chain} {turn}",
            "tokens": [1],
            "logprobs": [0.0],
            "logprob": 0.0,
            "step_min_logprob": [0.0],
            "answer": answer,
            "verdict": verdict,
            "finished": finished,
            "prompt": [1],
            "chain": chain,
            "turn": turn,
            "context": [turn - 1] if turn else [],
            "read": 0,
          }
        )
        sample += 1
  with run.Run.open(folder, {}) as opened:
    stage = opened.stage(store.STAGE, store.SCHEMA, "inputs")
    stage.write(0, pa.Table.from_pylist(rows, store.SCHEMA))
  return store.load_chains(folder)


_RIGHT, _WRONG = ("1", "correct", True), ("2", "wrong", True)
_OPEN = (None, "ungradable", False)


def test_the_whole_chain_chooses_what_stands_for_it(tmp_path):
  long = [_RIGHT, _WRONG, _OPEN, *[_WRONG] * 5, _RIGHT]
  made = _write(
    tmp_path,
    {
      "all right": [[_RIGHT] * 9, [_RIGHT], [_RIGHT]],
      "mixed": [long, [_OPEN], [_WRONG]],
    },
  )
  score = np.full((2, 11), 0.2, np.float32)
  # Wrong ones have 1.2 in all, the right ones more by the ninth alone.
  score[1, 8] = 0.99 + 0.005
  score[1, 0] = 0.9
  questions = [
    base.Question(id=name, text=f"{name}?", answer="1")
    for name in ("all right", "mixed")
  ]
  # One question alone has answers of both kinds, and is shown once.
  (found,) = chain_transcripts.read(tmp_path, made, score, questions)
  assert (found.text, found.share) == ("mixed?", pytest.approx(2 / 11))
  first, second = found.chains
  assert (first.length, first.chosen) == (9, 9)
  assert (second.length, second.chosen) == (1, None)
  assert [one.text for one in first.answers] == [
    f"mixed 0 {turn}" for turn in range(6)
  ]
  assert [one.score is None for one in first.answers].index(True) == 2
  assert [list(one.shown) for one in first.answers[:3]] == [[], [1], [2]]
  score[1, 8] = 0.2
  (found,) = chain_transcripts.read(tmp_path, made, score, questions)
  assert found.chains[0].chosen == 2


def test_without_contrast_the_first_question_is_shown(tmp_path):
  made = _write(tmp_path, {"q": [[_WRONG]]})
  (found,) = chain_transcripts.read(
    tmp_path,
    made,
    np.ones((1, 1), np.float32),
    [base.Question(id="q", text="?", answer="1")],
  )
  assert [one.text for one in found.chains[0].answers] == ["q 0 0"]
