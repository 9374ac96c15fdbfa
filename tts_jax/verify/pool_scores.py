"""The scores of a pool's samples, as shards of a run."""

import pathlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from tts_jax.decode import pools
from tts_jax.store import manifest, pool, run, scores, shards
from tts_jax.tasks import automaton, base, tokenization
from tts_jax.verify import choosing, prefixes, saved, solutions

Score = Callable[[Iterable[solutions.Question]], Iterator[list[np.ndarray]]]
# A question, its prompt's tokens, and its solutions.
Asked = tuple[base.Question, Sequence[int], Sequence[solutions.Solution]]
ScoreAsked = Callable[[Iterable[Asked]], Iterator[list[np.ndarray]]]


def open_stage(
  folder: run.Run, verifier: pathlib.Path, form: str = ""
) -> shards.Stage:
  """The stage of scores; its inputs are the pool and the verifier's weights.

  Args:
    folder: of the run.
    verifier: its folder.
    form: of the texts that it reads; empty: it reads the model's tokens.
  """
  inputs = {
    "pool": pool.contents(folder),
    "verifier": saved.content_hash(verifier),
  }
  if form:
    inputs["format"] = form
  return folder.stage(scores.STAGE, scores.SCHEMA, manifest.config_hash(inputs))


def fill(
  stage: shards.Stage,
  drawn: pa.Table,
  questions: Sequence[base.Question],
  score: ScoreAsked,
  task: base.Task,
  tokenizer: tokenization.Tokenizer,
  *,
  batch: int,
) -> Iterator[int]:
  """Scores the questions whose shards are not there yet.

  Args:
    stage: as `open_stage` gives it.
    drawn: the pool's rows: question_id, sample, tokens and logprobs.
    questions: all of the pool's, in its order.
    score: from questions and their solutions to the scores of steps.
    task: states prompts.
    tokenizer: of the model.
    batch: questions a shard.

  Yields:
    How many questions are left, after each shard.
  """
  delimiters = tokenizer.delimiters(task.step_delimiter)
  rows: dict[str, list[dict[str, Any]]] = {}
  for one in drawn.to_pylist():
    rows.setdefault(one["question_id"], []).append(one)
  shards_left = [
    first
    for first in range(0, len(questions), batch)
    if first // batch not in stage.done()
  ]
  for turn, first in enumerate(shards_left, 1):
    mine = questions[first : first + batch]
    packed = []
    for question in mine:
      prompt = pools.request(question, task, tokenizer).tokens
      # Samples of one text have one score: an easy question has few texts.
      texts = dict.fromkeys(tuple(r["tokens"]) for r in rows[question.id])
      read = [_solution(text, delimiters) for text in texts]
      packed.append((question, prompt, read))
    made = []
    found = score(packed)
    for (question, _, read), values in zip(packed, found, strict=True):
      choosing.check_scores([question.id], np.concatenate(values)[None])
      by_text = {
        tuple(solution.tokens): (solution, steps)
        for solution, steps in zip(read, values, strict=True)
      }
      for row in rows[question.id]:
        solution, steps = by_text[tuple(row["tokens"])]
        starts = [0, *solution.step_end[:-1]]
        nats = np.add.reduceat(np.asarray(row["logprobs"], np.float32), starts)
        made.append(
          {
            "question_id": question.id,
            "sample": row["sample"],
            "step_scores": steps.tolist(),
            "step_logprobs": nats.tolist(),
          }
        )
    stage.write(first // batch, pa.Table.from_pylist(made, scores.SCHEMA))
    yield sum(
      len(questions[later : later + batch]) for later in shards_left[turn:]
    )


def _solution(
  text: tuple[int, ...], delimiters: automaton.Delimiters
) -> solutions.Solution:
  return solutions.Solution(
    tokens=text,
    step_end=prefixes.step_ends(text, delimiters),
  )
