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
    verdict: the grader's word, such as "correct", or "ungraded".
    answer: what was read out of it, None when nothing could be.
    score: the revision verifier's, None where the answer was cut.
    shown: turns that it had in its context, from 1.
  """

  text: str
  verdict: str
  answer: str | None
  score: float | None
  shown: Sequence[int]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Chain:
  """The first answers of a chain.

  Attributes:
    answers: those shown.
    length: answers that it has in all.
    chosen: the turn that stands for all of it, from 1; None where no answer
      states anything.
  """

  answers: Sequence[Answer]
  length: int
  chosen: int | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Question:
  """A question and some of its chains.

  Attributes:
    level: what kind of question it stands for, such as "easy".
    text: the question.
    answer: the right one; None where nobody knows it.
    share: of the answers of all its chains those that are right; None likewise.
    chains: those shown.
  """

  level: str
  text: str
  answer: str | None
  share: float | None
  chains: Sequence[Chain]


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
    "<p>Each answer was written with those in view whose numbers it gives."
    " Against the answer just before it, <del>this was left out</del> and"
    " <ins>this was put in</ins>. The score is the verifier's: how likely it"
    " takes the answer to be right. ★ marks the answer that stands for its"
    " chain. An answer cut at its limit counts as wrong, and none after it has"
    " it in view.</p>",
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
    _chain(number, chain) for number, chain in enumerate(one.chains, 1)
  )
  title, right = document.text(one.level), ""
  if one.share is not None:
    title += f": {one.share:.0%} of the answers right"
  if one.answer is not None:
    right = f"<p>Right answer: <b>{document.text(one.answer)}</b></p>\n"
  return (
    f"<article><h3>{title}</h3>\n"
    f'<p class="question">{document.text(one.text)}</p>\n'
    f"{right}{chains}</article>"
  )


def _chain(number: int, chain: Chain) -> str:
  shown = len(chain.answers)
  title = f"Chain {number}"
  if shown < chain.length:
    title += f", its first {shown} of {chain.length} answers"
  if chain.chosen is None:
    title += ": none states anything"
  elif chain.chosen > shown:
    title += f"; answer {chain.chosen} stands for it"
  items = []
  before: Answer | None = None
  for turn, one in enumerate(chain.answers, 1):
    items.append(_answer(turn, one, before, chosen=turn == chain.chosen))
    before = one
  return f'<h4>{title}</h4>\n<div class="chain">{"".join(items)}</div>'


def _answer(
  turn: int, one: Answer, before: Answer | None, *, chosen: bool
) -> str:
  verdict = "correct" if one.verdict == "correct" else "other"
  said = [
    f"answer {document.text('none' if one.answer is None else one.answer)}"
  ]
  if one.score is not None:
    said.append(f"score {one.score:.2f}")
  if before is not None and before.text == one.text:
    said.append("unchanged")
  word = document.text("cut" if one.score is None else one.verdict)
  seen = ", ".join(str(other) for other in one.shown) or "nothing"
  text = document.text(one.text)
  return (
    f'<section class="{verdict}"><p><b>{turn}. {word}{" ★" if chosen else ""}'
    f"</b> · {' · '.join(said)} <small>in view: {seen}</small></p>"
    f"<pre>{difference(before.text, one.text) if before else text}</pre>"
    "</section>"
  )
