"""A question's chains as rows of the store."""

from collections.abc import Mapping, Sequence

import pyarrow as pa

from tts_jax import types
from tts_jax.decode import pools
from tts_jax.revise import state as states
from tts_jax.store import chains as store
from tts_jax.tasks import automaton, base, tokenization


def table(
  question: base.Question,
  candidates: types.Candidates,
  *,
  plan: states.Plan,
  task: base.Task,
  tokenizer: tokenization.Tokenizer,
  delimiters: automaton.Delimiters,
  given: Mapping[str, Sequence[Sequence[int]]] | None = None,
) -> pa.Table:
  """The rows, for `pools.fill`.

  Args:
    question: the question.
    candidates: numpy arrays without the question's axis, [A, T].
    plan: its chains.
    task: reads answers and grades them.
    tokenizer: of the model.
    delimiters: what ends a step.
    given: by the question's id, the answers with which its chains began; an
      empty one was written by the model. None: all were.
  """
  plain = pools.rows(
    question, candidates, task=task, tokenizer=tokenizer, delimiters=delimiters
  )
  chain: list[int] = []
  turn: list[int] = []
  context: list[list[int]] = []
  read: list[int] = []
  firsts = given[question.id] if given else [()] * len(plan.lengths)
  for number, (start, length) in enumerate(
    zip(plan.starts, plan.lengths, strict=True)
  ):
    mine = slice(start, start + length)
    sizes = candidates.length[mine].tolist()
    finished = candidates.finished[mine].tolist()
    seen = shown(sizes, finished, plan)
    chain += [number] * length
    turn += range(length)
    context += seen
    read += reread(sizes, finished, seen, given=bool(firsts[number]))
  columns = [*plain.columns]
  prompt = list(pools.request(question, task, tokenizer).tokens)
  for name, values in (
    ("prompt", [prompt] * len(chain)),
    ("chain", chain),
    ("turn", turn),
    ("context", context),
    ("read", read),
  ):
    columns.append(pa.array(values, store.SCHEMA.field(name).type))
  return pa.Table.from_arrays(columns, schema=store.SCHEMA)


def shown(
  length: Sequence[int], finished: Sequence[bool], plan: states.Plan
) -> list[list[int]]:
  """The context of each answer of a chain, by its definition.

  Args:
    length: of each answer, in tokens.
    finished: it has its end token.
    plan: what answers see.

  Returns:
    For each answer the indices of those that it sees, the latest last.
  """
  contexts = []
  for answer in range(len(length)):
    context: list[int] = []
    room = plan.context_tokens
    for earlier in range(answer - 1, -1, -1):
      if not finished[earlier]:
        continue
      room -= length[earlier]
      if room < 0 or len(context) == plan.window:
        break
      context.insert(0, earlier)
    contexts.append(context)
  return contexts


def reread(
  length: Sequence[int],
  finished: Sequence[bool],
  contexts: Sequence[Sequence[int]],
  *,
  given: bool = False,
) -> list[int]:
  """Tokens of each answer's context that are read anew.

  None are while the context stays or only grows by the answer before, which the
  model has just written.

  Args:
    length: of each answer, in tokens.
    finished: it has its end token.
    contexts: as `shown` gives them.
    given: the model did not write the first answer.
  """
  read = [0]
  for answer in range(1, len(length)):
    before, now = list(contexts[answer - 1]), list(contexts[answer])
    if finished[answer - 1] and now != before:
      before.append(answer - 1)
    stays = now == before and not (given and answer == 1)
    read.append(0 if stays else sum(length[i] for i in now))
  return read
