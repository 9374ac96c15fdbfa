"""What a verifier trains on: labelled samples, and worked solutions beside.

Item `u` of the stream is one labelled question with some of its solutions, and
some worked solutions of the task. It depends on `u` and the seed alone, so that
a run that was killed goes on with the very batches that it would have had.
"""

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from tts_jax import errors, storage
from tts_jax.store import chains
from tts_jax.store import labels as labels_lib
from tts_jax.tasks import base, tokenization
from tts_jax.train import data
from tts_jax.verify import histories, prefixes, saved, solutions

# Indices of the worked stream that an item may use, per worked solution that it
# takes: some indices hold no question.
_STRIDE = 2


@dataclasses.dataclass(frozen=True, kw_only=True)
class Mixture:
  """What an item is made of.

  Attributes:
    samples: labelled solutions of its question.
    worked: worked solutions, of questions of their own.
    final_only: labels at the last step alone, that is, an outcome reward model.
    seed: of the order of questions and the choice of their solutions.

  Raises:
    InputError: `samples` is below 1, or `worked` or `seed` below 0.
  """

  samples: int
  worked: int = 0
  final_only: bool = False
  seed: int = 0

  def __post_init__(self) -> None:
    if self.samples < 1:
      raise errors.InputError(
        f"mixture samples is {self.samples}; it must be at least 1"
      )
    for name in ("worked", "seed"):
      if getattr(self, name) < 0:
        raise errors.InputError(
          f"mixture {name} is {getattr(self, name)}; it must be at least 0"
        )


def solution(
  labelled: labels_lib.Solution, *, final_only: bool
) -> solutions.Solution:
  """A labelled sample as it is packed."""
  ends, values = labelled.step_end, labelled.labels
  if final_only:
    ends, values = ends[-1:], values[-1:]
  return solutions.Solution(
    tokens=labelled.tokens, step_end=ends, labels=values
  )


def worked_solutions(
  task: base.Task,
  tokenizer: tokenization.Tokenizer,
  questions: data.Questions,
) -> Callable[[int, int], Iterator[solutions.Question]]:
  """Worked solutions from an index on: (first index, count) -> questions."""
  delimiters = tokenizer.delimiters(task.step_delimiter)

  def some(first: int, count: int) -> Iterator[solutions.Question]:
    chosen = itertools.islice(questions(first), count)
    for _, prompt, completion in data.tokenised(task, tokenizer, chosen):
      yield (
        prompt,
        [
          solutions.Solution(
            tokens=completion,
            step_end=prefixes.step_ends(completion, delimiters),
            worked=True,
          )
        ],
      )

  return some


def stream(
  questions: Sequence[labels_lib.Question],
  mixture: Mixture,
  *,
  rows: int,
  length: int,
  worked: Callable[[int, int], Iterator[solutions.Question]] | None = None,
) -> Callable[[int], Iterator[tuple[int, solutions.Batch]]]:
  """Batches from any item on, for `loop.run`, without end.

  Args:
    questions: labelled; those without a solution are passed over.
    mixture: of each item.
    rows: B.
    length: T.
    worked: as `worked_solutions` gives it; needed where the mixture has some.

  Returns:
    A function from the index of an item to (next index, batch).

  Raises:
    InputError: no question has a labelled solution; an item does not fit.
  """
  usable = [question for question in questions if question.solutions]
  if not usable:
    raise errors.InputError("no question has a labelled solution")

  def item(index: int) -> list[solutions.Question]:
    epoch, place = divmod(index, len(usable))
    order = np.random.default_rng([mixture.seed, epoch]).permutation(
      len(usable)
    )
    question = usable[order[place]]
    rng = np.random.default_rng([mixture.seed, index])
    drawn = rng.permutation(len(question.solutions))[: mixture.samples]
    mine = [
      solution(question.solutions[i], final_only=mixture.final_only)
      for i in drawn
    ]
    made: list[solutions.Question] = [(question.prompt, mine)]
    if mixture.worked and worked is not None:
      first = index * mixture.worked * _STRIDE
      made += worked(first, mixture.worked)
    return made

  def start(index: int) -> Iterator[tuple[int, solutions.Batch]]:
    while True:
      packer = solutions.Packer(rows, length)
      first = index
      while packer.add(item(index), 0):
        index += 1
      if index == first:
        raise errors.InputError(
          f"item {index}, of {mixture.samples} samples and {mixture.worked}"
          f" worked solutions, does not fit {rows} rows of {length} tokens"
        )
      yield index, packer.batch

  return start


def held_out(
  questions: Sequence[labels_lib.Question],
  *,
  rows: int,
  length: int,
  final_only: bool = False,
) -> list[solutions.Batch]:
  """All solutions of the questions, in batches, for validation.

  Raises:
    InputError: there is none; one does not fit a row.
  """
  whole: Iterator[solutions.Question] = (
    (
      question.prompt,
      [solution(one, final_only=final_only) for one in question.solutions],
    )
    for question in questions
  )
  packed = solutions.packed(whole, rows=rows, length=length)
  batches = [batch for batch, _ in packed]
  if not batches:
    raise errors.InputError("no held-out question has a labelled solution")
  return batches


def load(
  train: str, held_out: str, made_for: saved.Origin, *, history: bool = True
) -> tuple[list[labels_lib.Question], list[labels_lib.Question]]:
  """Loads the labels to train and to validate on: two runs of labelling.

  A run of chains serves too: the label of an answer is its verdict.

  Args:
    train: folder of a run.
    held_out: folder of another, of other questions.
    made_for: the model and tokenizer whose samples they must be.
    history: of chains, whether an answer is read behind its context.

  Raises:
    InputError: as `store.labels.load_labels`; labels are of another model or
      tokenizer; the two share a question.
  """
  both = []
  for folder in (train, held_out):
    if are_chains(folder):
      both.append(histories.load(folder, history=history))
      summary = storage.at(folder) / chains.SUMMARY
    else:
      both.append(labels_lib.load_labels(folder))
      summary = storage.at(folder) / labels_lib.SUMMARY
    saved.check_origin(summary, made_for)
  check_disjoint(*both)
  return both[0], both[1]


def are_chains(folder: str) -> bool:
  """Whether a run's labels are the verdicts of chains of revisions."""
  return (storage.at(folder) / chains.STAGE).is_dir()


def check_disjoint(
  train: Sequence[labels_lib.Question], held_out: Sequence[labels_lib.Question]
) -> None:
  """Checks that validation is on questions that training does not see.

  Raises:
    InputError: two questions have one prompt.
  """
  seen = {tuple(question.prompt): question.id for question in train}
  for question in held_out:
    if (other := seen.get(tuple(question.prompt))) is not None:
      raise errors.InputError(
        f"held-out question {question.id!r} is training question {other!r};"
        " label questions of another split"
      )
