"""Training items: a task's questions with solutions, as tokens."""

import itertools
import pathlib
from collections.abc import Callable, Iterator

from tts_jax import errors
from tts_jax.tasks import base, tokenization
from tts_jax.train import batches

Questions = Callable[[int], Iterator[tuple[int, base.Question]]]
# Questions are tokenised so many at a time, on all cores.
_BLOCK = 512


def run_tokenizer(
  task: base.Task,
  questions: Questions,
  folder: pathlib.Path,
  *,
  vocabulary: int,
  count: int,
  anew: bool,
) -> tokenization.Tokenizer:
  """The tokenizer in `folder`; where there is none, learned and saved there.

  Args:
    task: states prompts and completions.
    questions: the run's training questions.
    folder: gets or has the tokenizer's files.
    vocabulary: V.
    count: how many of the first questions to learn from.
    anew: learn it in any case; one that is there may be of another config.
  """
  if anew or not tokenization.is_saved(folder):
    first = itertools.islice(questions(0), count)
    texts = (task.prompt(q) + task.completion(q) for _, q in first)
    tokenization.train(texts, vocabulary).save(folder)
  return tokenization.load(folder)


def tokenised(
  task: base.Task,
  tokenizer: tokenization.Tokenizer,
  questions: Iterator[tuple[int, base.Question]],
) -> Iterator[tuple[int, list[int], list[int]]]:
  """Yields (index, prompt tokens, completion tokens and the end token)."""
  while block := list(itertools.islice(questions, _BLOCK)):
    prompts = tokenizer.encode_all([task.prompt(q) for _, q in block])
    completions = tokenizer.encode_all([task.completion(q) for _, q in block])
    for (index, _), prompt, completion in zip(
      block, prompts, completions, strict=True
    ):
      yield index, prompt, [*completion, tokenizer.end_token]


def stream(
  task: base.Task,
  tokenizer: tokenization.Tokenizer,
  questions: Questions,
  *,
  rows: int,
  length: int,
  prompt_weight: float,
  max_positions: int | None = None,
) -> Callable[[int], Iterator[tuple[int, batches.Batch]]]:
  """Batches from any item on, for `loop.run`.

  Args:
    task: states prompts and completions.
    tokenizer: of the model.
    questions: given an index, yields (index, question) from there.
    rows: B.
    length: T.
    prompt_weight: what the loss on a prompt token counts for.
    max_positions: of the model; None: it has no limit.

  Returns:
    A function from the index of an item to (next index, batch).

  Raises:
    errors.InputError: rows are longer than the model reads.
  """
  if max_positions is not None and length > max_positions:
    raise errors.InputError(
      f"data.length is {length}; it must be at most model.max_positions, "
      f"{max_positions}"
    )

  def start(index: int) -> Iterator[tuple[int, batches.Batch]]:
    items = tokenised(task, tokenizer, questions(index))
    return batches.packed(
      items, rows=rows, length=length, prompt_weight=prompt_weight
    )

  return start


def take(
  start: Callable[[int], Iterator[tuple[int, batches.Batch]]], count: int
) -> list[batches.Batch]:
  """The first `count` batches of a stream."""
  return [batch for _, batch in itertools.islice(start(0), count)]
