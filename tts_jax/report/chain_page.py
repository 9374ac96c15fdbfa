"""Chains of revisions to read: what changed from each answer to the next."""

import dataclasses
import difflib
import re
from collections.abc import Mapping, Sequence

from tts_jax.report import document

_WORD = re.compile(r"\s+|[^\s\w]|\w+")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Answer:
  """One answer of a chain.

  Attributes:
    text: what the model wrote.
    verdict: the grader's word, such as "correct".
    answer: what was read out of it, None when nothing could be.
    score: the revision verifier's, None where the answer was cut.
    shown: turns that it had in its context, from 1.
    chosen: it stands for its chain.
  """

  text: str
  verdict: str
  answer: str | None
  score: float | None
  shown: Sequence[int]
  chosen: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Question:
  """A question and some of its chains.

  Attributes:
    level: what kind of question it stands for, such as "easy".
    text: the question.
    answer: the right one.
    chains: those shown.
  """

  level: str
  text: str
  answer: str
  chains: Sequence[Sequence[Answer]]


def render(
  questions: Sequence[Question],
  *,
  title: str,
  links: Mapping[str, str] | None = None,
) -> str:
  """A whole HTML document; texts are escaped, and nothing is fetched.

  Args:
    questions: in the order to show.
    title: the page's heading.
    links: relative URLs of other pages of the run, by name.
  """
  parts = [
    f"<h1>{document.text(title)}</h1>",
    *document.links(links or {}),
    "<p>Each answer was written with those that it names in view. Against the"
    " answer before it, <ins>this was put in</ins> and <del>this was left"
    " out</del>. The verifier's score is the chance that the answer is right; a"
    " star marks the answer that stands for its chain.</p>",
    *(_question(one) for one in questions),
  ]
  return document.render(title, parts, ("page.css", "chains.css"))


def difference(before: str, after: str) -> str:
  """`after` as HTML, word by word, what differs from `before` marked."""
  old, new = _WORD.findall(before), _WORD.findall(after)
  matcher = difflib.SequenceMatcher(a=old, b=new, autojunk=False)
  parts = []
  for kind, i, j, k, m in matcher.get_opcodes():
    gone, come = "".join(old[i:j]), "".join(new[k:m])
    if kind == "equal":
      parts.append(document.text(come))
      continue
    parts += [f"<del>{document.text(gone)}</del>"] if gone.strip() else []
    parts += [f"<ins>{document.text(come)}</ins>"] if come.strip() else [come]
  return "".join(parts)


def _question(one: Question) -> str:
  chains = "\n".join(
    f"<h4>Chain {number}</h4>\n{_chain(chain)}"
    for number, chain in enumerate(one.chains, 1)
  )
  return (
    f"<article><h3>{document.text(one.level)}</h3>\n"
    f'<p class="question">{document.text(one.text)}</p>\n'
    f"<p>Right answer: <b>{document.text(one.answer)}</b></p>\n"
    f"{chains}</article>"
  )


def _chain(chain: Sequence[Answer]) -> str:
  items = []
  for turn, one in enumerate(chain, 1):
    body = (
      difference(chain[turn - 2].text, one.text)
      if turn > 1
      else document.text(one.text)
    )
    verdict = "correct" if one.verdict == "correct" else "other"
    answer = "none" if one.answer is None else one.answer
    score = "cut, no score" if one.score is None else f"score {one.score:.2f}"
    seen = ", ".join(str(other) for other in one.shown) or "nothing"
    star = " ★" if one.chosen else ""
    items.append(
      f'<section class="{verdict}"><p><b>{turn}. {document.text(one.verdict)}'
      f"</b> · answer {document.text(answer)} · {score}{star}"
      f" <small>in view: {seen}</small></p><pre>{body}</pre></section>"
    )
  return f'<div class="chain">{"".join(items)}</div>'
