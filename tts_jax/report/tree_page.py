"""The page of search trees: beam search at a glance, in one HTML file.

Rounds from left to right, each step with its score, what was kept and what was
cut, and the final vote. A click on a step, or Enter, shows its whole text; that
is done by the address alone, nothing runs. Every text from outside is escaped.
"""

from collections.abc import Mapping, Sequence

from tts_jax.report import document, tree_picture
from tts_jax.report import tree as tree_lib

_COST_NAMES = {
  "generations": "generations",
  "generated": "tokens generated",
  "pruned": "tokens pruned",
  "lookahead": "tokens rolled ahead",
  "prefilled": "prompt tokens read",
  "scored": "tokens read by the verifier alone",
}
_READING = (
  "A search builds solutions step by step and spends its samples where a"
  " verifier sees promise. Read from left to right. In the first round the"
  " model writes N first steps. The verifier scores each from 0 to 1: the"
  " chance that a solution which goes on from there comes out right. The best"
  " N / M candidates are kept and the others cut; in the next round each that"
  " was kept is continued in M different ways, so that N are in play again."
  " A solution that has ended takes no more steps: it keeps its place and its"
  " score, for as long as it is among the best. When all have ended they vote:"
  " each answer gets the sum of the scores of the solutions that state it, and"
  " the largest sum wins."
)


def render(
  trees: Sequence[tree_lib.Tree],
  *,
  title: str,
  links: Mapping[str, str] | None = None,
) -> str:
  """Writes the page.

  Args:
    trees: one a question, in the order to show.
    title: the page's heading.
    links: relative URLs of other pages of the run, by name, to show on top.

  Returns:
    A whole HTML document.
  """
  contents = [
    f'<li><a href="#q{number}">{document.text(one.question[:70].strip())}'
    f"{'…' if len(one.question) > 70 else ''}</a>"
    f" <small>{document.text(_result(one))}</small></li>"
    for number, one in enumerate(trees)
  ]
  parts = [
    f"<h1>{document.text(title)}</h1>",
    *document.links(links or {}),
    f'<p class="reading">{_READING}</p>',
    tree_picture.legend(),
    '<p class="hint">A long step is shown by its beginning and its end. Click'
    " or tap a step, or press Enter on it, to read all of it.</p>",
  ]
  if len(trees) > 1:
    parts.append(f'<ol class="contents">{"".join(contents)}</ol>')
  parts += [_article(one, number) for number, one in enumerate(trees)]
  return document.render(title, parts, ("page.css", "tree.css"))


def _result(tree: tree_lib.Tree) -> str:
  chosen = {_verdict(vote) for vote in tree.votes if vote.won}
  if len(chosen) > 1:
    return "tied"
  return chosen.pop() if chosen else "no answer"


def _article(tree: tree_lib.Tree, number: int) -> str:
  name = f"q{number}"
  caption = (
    f"N = {tree.n}, width M = {tree.width}, {_kept(tree)} The search took"
    f" {document.count(tree.rounds, 'round')}."
  )
  return "\n".join(
    [
      f'<article class="tree" id="{name}" aria-labelledby="{name}-h">',
      f'<h2 id="{name}-h">{document.text(tree.method)}</h2>',
      f'<p class="question">{document.text(tree.question)}</p>',
      f'<p class="outcome">{_right_answer(tree)}{_outcome(tree)}</p>',
      _facts(tree),
      f'<figure><div class="scroll" tabindex="0" role="region"'
      f' aria-label="The tree; scrolls sideways">'
      f"{tree_picture.draw(tree, name)}</div>"
      f"<figcaption>{caption}</figcaption></figure>",
      *_panels(tree, name),
      "</article>",
    ]
  )


def _kept(tree: tree_lib.Tree) -> str:
  kept = tree.n // tree.width
  if kept == tree.n:
    return "so all are kept and none is cut: N separate samples."
  return (
    f"so after each round N / M = {kept} kept, {tree.width} continuations of"
    " each; where some of those kept have ended, the others get more."
  )


def _outcome(tree: tree_lib.Tree) -> str:
  """In words, who voted for what."""
  voted = sum(vote.solutions for vote in tree.votes)
  silent = sum(n.finished and n.kept and n.vote is None for n in tree.nodes)
  capped = sum(node.capped for node in tree.nodes)
  rest = ""
  if silent:
    rest += f" {document.count(silent, 'solution')} ended without an answer."
  if capped:
    rest += f" {document.count(capped, 'solution')} hit a limit before the end."
  if not tree.votes:
    return f"No solution states an answer: there is nothing to vote on.{rest}"
  chosen = [
    f"<b>{document.text(vote.answer)}</b>{_judged(vote)}"
    for vote in tree.votes
    if vote.won
  ]
  chose = "tied between" if len(chosen) > 1 else "chose"
  return (
    f"The vote of {document.count(voted, 'solution')} {chose}"
    f" {', and '.join(chosen)}.{rest}"
  )


def _right_answer(tree: tree_lib.Tree) -> str:
  if tree.answer is None:
    return ""
  return f"Right answer: <b>{document.text(tree.answer)}</b>. "


def _judged(vote: tree_lib.Vote) -> str:
  if vote.right is None:
    return ""
  verdict = _verdict(vote)
  return f', which is <b class="{verdict}">{verdict}</b>'


def _verdict(vote: tree_lib.Vote) -> str:
  if vote.right is None:
    return f"answer {vote.answer}"
  return "right" if vote.right else "wrong"


def _facts(tree: tree_lib.Tree) -> str:
  facts = {
    "N, candidates": f"{tree.n:,}",
    "M, width": f"{tree.width:,}",
    "rounds": f"{tree.rounds:,}",
  }
  for name, value in tree.cost.items():
    shown = f"{value:,}" if float(value).is_integer() else f"{value:,.1f}"
    if name == "pruned" and tree.cost.get("generated"):
      shown += f" ({value / tree.cost['generated']:.0%})"
    facts[_COST_NAMES.get(name, name)] = shown
  body = "".join(
    f"<div><dt>{document.text(name)}</dt><dd>{document.text(value)}</dd></div>"
    for name, value in facts.items()
  )
  return f'<dl class="facts">{body}</dl>'


def _panels(tree: tree_lib.Tree, name: str) -> list[str]:
  """The whole text of each step, shown while the address names it."""
  panels = []
  for index, node in enumerate(tree.nodes):
    before = ""
    if node.parent is not None:
      before = f'<a href="#{name}-p{node.parent}">the step before</a>'
    panels.append(
      f'<aside class="panel" id="{name}-p{index}" aria-label="Step in full">'
      f"<p><b>{document.text(tree_picture.label(node))}</b> {before}"
      f' <a href="#{name}-n{index}">close</a></p>'
      f"<pre>{document.text(node.text)}</pre></aside>"
    )
  return panels
