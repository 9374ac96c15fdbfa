"""Monte Carlo labels of steps (paper, "Process reward model").

A step's label is the share of continuations from its end that reach the right
answer. Three things make them cheap:

- The nested prefixes of a solution share its prefill: it is put in once, and
  each rollout sees only the part that it continues.
- A prefix that several solutions begin with is labelled once.
- A question's own samples that run through a prefix are continuations of it
  like any other, unbiased and at no cost. They are counted apart, and all of
  them, those without an answer as wrong: to leave some out would lean on the
  outcome. What still leans on it a little is which prefixes get a label: those
  that at least one solution with an answer begins with.

A rollout has the room that a sample has left at that point. One that is cut
there, or whose answer cannot be read, does not reach the right answer. A whole
solution needs no rollouts: its last label is its verdict.
"""

import collections
import itertools
import pathlib
from collections.abc import Iterator, Sequence

import pyarrow as pa

from tts_jax import errors
from tts_jax.decode import pools, stream
from tts_jax.store import labels as labels_lib
from tts_jax.store import manifest, pool, run, shards
from tts_jax.tasks import base, tokenization
from tts_jax.verify import prefixes
from tts_jax.verify import rollouts as rollouts_lib

# What is read of the pool.
POOL_COLUMNS = (
  "question_id",
  "sample",
  "tokens",
  "answer",
  "verdict",
  "finished",
)


def open_stage(
  folder: run.Run, questions: Sequence[base.Question], model: pathlib.Path
) -> shards.Stage:
  """The stage of labels; its inputs are the questions, the model, the pool."""
  inputs = {
    "pool": pool.contents(folder),
    "inputs": pools.inputs_hash(questions, model),
  }
  return folder.stage(
    labels_lib.STAGE, labels_lib.SCHEMA, manifest.config_hash(inputs)
  )


def read_samples(rows: pa.Table) -> list[prefixes.Sample]:
  """A question's rows of the pool, with why each is dropped where it is.

  Dropped are those cut at the limit, those that state no answer, and those
  whose answer could not be judged.
  """
  found = []
  for row in rows.select(POOL_COLUMNS).to_pylist():
    faults = {
      "cut": not row["finished"],
      "no answer": row["answer"] is None,
      "ungradable": row["verdict"] == base.Verdict.UNGRADABLE.value,
    }
    sample = prefixes.Sample(
      index=row["sample"],
      tokens=tuple(row["tokens"]),
      correct=row["verdict"] == base.Verdict.CORRECT.value,
      dropped=next((fault for fault, here in faults.items() if here), ""),
    )
    found.append(sample)
  return found


def fill(
  stage: shards.Stage,
  questions: Sequence[base.Question],
  drawn: pa.Table,
  sample: pools.Sample,
  task: base.Task,
  tokenizer: tokenization.Tokenizer,
  rollouts: rollouts_lib.Rollouts,
  batch: int,
) -> Iterator[pools.Progress]:
  """Labels the questions whose shards are not there yet.

  As `pools.fill`: solutions flow through the decode loop without a pause, and a
  kill changes no byte. Rollout `i` of a prefix draws what it would if the
  prefix were a prompt of its own: it depends neither on the other samples nor
  on the one that owns the prefix.

  Args:
    stage: of a run, with `store.labels.SCHEMA`.
    questions: all of the pool's, in its order.
    drawn: the pool's rows, whole, with at least `POOL_COLUMNS`.
    sample: `stream.stream` with its arguments but the requests, K samples from
      each branch and `rollouts.room` in its state. Where K is 0 it gets no
      request.
    task: reads answers and grades them.
    tokenizer: of the model.
    rollouts: how prefixes are rolled out.
    batch: questions a shard.

  Yields:
    Progress, after each question.

  Raises:
    InputError: as `pools.missing`; the pool is not that of the questions.
  """
  todo = pools.missing(stage, questions, batch)
  size = _pool_size(drawn, questions)
  delimiters = tokenizer.delimiters(task.step_delimiter)
  works: dict[int, rollouts_lib.Work] = {}
  sent: list[tuple[int, list[prefixes.Prefix]]] = []
  tables: dict[int, dict[int, pa.Table]] = collections.defaultdict(dict)

  def requests() -> Iterator[stream.Request]:
    for index in todo:
      works[index] = rollouts_lib.begin(
        questions[index],
        pools.request(questions[index], task, tokenizer).tokens,
        read_samples(drawn.slice(index * size, size)),
        delimiters,
        rollouts,
      )
      for one in works[index].passes:
        sent.append((index, one))
        yield rollouts_lib.request(works[index], one, rollouts.max_tokens)

  done, stats = 0, stream.Stats()
  # None comes last: of some questions no pass is made.
  for result in itertools.chain(sample(requests()), [None]):
    if result is not None:
      index, one = sent[result.index]
      rollouts_lib.record(works[index], one, result.candidates, task, tokenizer)
      stats = result.stats
    for index in [index for index, work in works.items() if not work.waiting]:
      number, first = index // batch, index // batch * batch
      tables[number][index] = rollouts_lib.rows(works.pop(index))
      if len(tables[number]) == len(questions[first : first + batch]):
        whole = tables.pop(number)
        stage.write(number, pa.concat_tables(whole[i] for i in sorted(whole)))
      done += 1
      yield pools.Progress(done=done, left=len(todo) - done, stats=stats)


def _pool_size(drawn: pa.Table, questions: Sequence[base.Question]) -> int:
  """Samples a question, once the pool is known to be that of the questions."""
  size = drawn.num_rows // len(questions)
  ids = [question.id for question in questions for _ in range(size)]
  if drawn["question_id"].to_pylist() != ids:
    raise errors.InputError(
      f"the pool's {drawn.num_rows} rows are not the samples of these"
      f" {len(questions)} questions, in their order"
    )
  return size
