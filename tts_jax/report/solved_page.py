"""The page of a solved question: its search as a tree, else its chains."""

import numpy as np

from tts_jax.report import chain_page, tree, tree_page
from tts_jax.scaling import plans
from tts_jax.solving import deciding, solver
from tts_jax.verify import choosing


def render(solved: solver.Solved, solving: solver.Solver) -> str:
  """A whole HTML document.

  Independent samples are shown as chains of one answer each.

  Args:
    solved: the question; where a search answered it, with its trace.
    solving: what answered.
  """
  plan = solved.decision.plan
  title = f"{solved.question.id}: {deciding.words(plan)}"
  if isinstance(plan, plans.Sampled | plans.Revised | plans.RevisedSearch):
    return chain_page.render([_chains(solved, solving)], title=title)
  return tree_page.render([_tree(solved, solving)], title=title)


def _reference(solved: solver.Solved, solving: solver.Solver) -> str | None:
  if solved.correct is None:
    return None
  return solving.task.canonical(solved.question.answer)


def _tree(solved: solver.Solved, solving: solver.Solver) -> tree.Tree:
  drawn, plan = solved.drawn, solved.decision.plan
  assert drawn.score is not None, "a search scores"
  if drawn.search is None or drawn.search.trace is None:
    raise ValueError("the search kept no trace: `Settings.trace` is off")
  return tree.from_search(
    drawn.search.trace,
    question=solved.question.text,
    answer=_reference(solved, solving),
    method=deciding.words(plan),
    width=getattr(plan, "width", 1),
    answers=solved.answers,
    scores=drawn.score,
    decode=solving.engines.models.tokenizer.decode,
    cost={"generations": solved.spent.generations, **solved.spent.tokens},
  )


def _chains(
  solved: solver.Solved, solving: solver.Solver
) -> chain_page.Question:
  drawn, reference = solved.drawn, _reference(solved, solving)
  assert drawn.score is not None, "it was judged"
  names: dict[str, int] = {}
  groups = np.array(
    [
      -1 if one is None else names.setdefault(one, len(names))
      for one in solved.answers
    ],
    np.int32,
  )
  made, start = [], 0
  for length in drawn.lengths:
    mine = range(start, start + length)
    score = drawn.score[None, list(mine)].astype(np.float32)
    winner = int(choosing.chain_winners(groups[None, list(mine)], score)[0])
    start += length
    made.append(
      chain_page.Chain(
        answers=[
          chain_page.Answer(
            text=solving.engines.models.tokenizer.decode(drawn.tokens[place]),
            verdict=_verdict(solved.answers[place], reference),
            answer=solved.answers[place],
            score=float(drawn.score[place]) if drawn.finished[place] else None,
            shown=[turn + 1 for turn in drawn.context[place]],
          )
          for place in mine
        ],
        length=length,
        chosen=None if winner < 0 else winner + 1,
      )
    )
  return chain_page.Question(
    level=f"Answer {'none' if solved.answer is None else solved.answer}",
    text=solved.question.text,
    answer=reference,
    share=None,
    chains=made,
  )


def _verdict(answer: str | None, reference: str | None) -> str:
  if reference is None:
    return "ungraded"
  return "correct" if answer == reference else "wrong"
