"""What a model learns revisions from: answers, then a right one.

Of a question's independent samples, each right one is the end of a trajectory;
before it stand n ~ U{0 ... 4} wrong ones. The last of these is the one nearest
to the right answer by edit distance, so that there is something to keep and
something to mend; the others are random (Snell et al. 2024, section 6.1). Some
contexts may be natural instead: random samples, right ones among them.
"""

import collections
import dataclasses
import itertools
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from tts_jax import errors
from tts_jax.decode import pools
from tts_jax.store import manifest, run, shards
from tts_jax.store import trajectories as store
from tts_jax.tasks import base, tokenization

# Of wrong answers before the right one.
MOST = 4

# What is read of the pool.
POOL_COLUMNS = ("question_id", "sample", "text", "tokens", "verdict")


@dataclasses.dataclass(frozen=True)
class Trajectory:
  """A right answer and the wrong ones that it revises, as a question's samples.

  Attributes:
    context: samples, all wrong but in natural contexts, in the order in which
      they are shown.
    target: the sample that is right.
  """

  context: tuple[int, ...]
  target: int


def build(
  texts: Sequence[str],
  verdicts: Sequence[str],
  *,
  uid: int,
  seed: int = 0,
  most: int = MOST,
  natural: float = 0.0,
  room: int | None = None,
) -> list[Trajectory]:
  """A trajectory for each right sample of a question.

  A question whose samples are all wrong has none; one whose samples are all
  right has trajectories without wrong answers. Each draws from a stream of its
  own: it depends on the seed, the question, the target and the samples that may
  stand before it.

  Args:
    texts: [N], the samples.
    verdicts: [N], "correct", "wrong" or "ungradable"; samples of the last kind
      state no answer and stand nowhere.
    uid: the question's.
    seed: of the draws.
    most: answers before a right one.
    natural: share of the trajectories whose context is drawn from all the
      question's samples, right or wrong, `most` of them: a right one among them
      is itself a target, behind what stands before it. The paper has none, and
      its model takes each answer that it sees for wrong.
    room: trajectories of a question at most, and no more than its wrong samples
      and two: easy questions teach little. None: one for each right sample.

  Returns:
    In the order of their targets.

  Raises:
    InputError: `most`, `seed` or `room` is below 0, or `natural` is no share.
  """
  if not 0 <= natural <= 1:
    raise errors.InputError(f"natural is {natural}; it must be from 0 to 1")
  for name, value in (("most", most), ("seed", seed), ("room", room)):
    if value is not None and value < 0:
      raise errors.InputError(f"{name} is {value}; it must be at least 0")
  wrong = [i for i, verdict in enumerate(verdicts) if verdict == "wrong"]
  right = [i for i, verdict in enumerate(verdicts) if verdict == "correct"]
  graded = sorted(right + wrong)
  if room is not None:
    rng = np.random.default_rng([seed, uid])
    kept = rng.permutation(right)[: _room(room, len(wrong))]
    right = sorted(kept.tolist())
  # [right, wrong] edits of a character.
  distance = process.cdist(
    [texts[i] for i in right],
    [texts[i] for i in wrong],
    scorer=Levenshtein.distance,
  )
  found = []
  for target, edits in zip(right, distance, strict=True):
    rng = np.random.default_rng([seed, uid, target])
    count = int(rng.integers(most + 1))
    context: tuple[int, ...] = ()
    if natural and rng.random() < natural:
      others = [each for each in graded if each != target]
      context = tuple(others[i] for i in rng.permutation(len(others))[:most])
    elif count := min(count, len(wrong)):
      nearest = int(edits.argmin())
      others = [each for i, each in enumerate(wrong) if i != nearest]
      drawn = rng.permutation(len(others))[: count - 1]
      context = (*(others[i] for i in drawn), wrong[nearest])
    found.append(Trajectory(context, target))
  return found


def count(
  questions: Sequence[Sequence[str]],
  most: int = MOST,
  room: int | None = None,
) -> dict[str, int]:
  """What a pool offers, in questions and samples, ready for JSON.

  Args:
    questions: the verdicts of each question's samples, as for `build`.
    most: wrong answers before a right one.
    room: trajectories of a question, as for `build`.

  Returns:
    Questions, those without a right sample (they have no trajectory), those
    without a wrong one (theirs show no wrong answer), those with fewer wrong
    samples than `most`, samples that state no answer, and the trajectories that
    `build` makes.
  """
  total = collections.Counter[str]()
  for verdicts in questions:
    seen = collections.Counter(verdicts)
    total["questions"] += 1
    total["without_correct"] += not seen["correct"]
    total["without_wrong"] += not seen["wrong"]
    total["few_wrong"] += 0 < seen["wrong"] < most
    total["samples_ungradable"] += seen["ungradable"]
    made = seen["correct"]
    if room is not None:
      made = min(made, _room(room, seen["wrong"]))
    total["trajectories"] += made
  return dict(total)


def open_stage(folder: run.Run, source: pathlib.Path) -> shards.Stage:
  """The stage of trajectories; `source` is the stage of their answers."""
  inputs = {"answers": shards.content_hash([source])}
  return folder.stage(store.STAGE, store.SCHEMA, manifest.config_hash(inputs))


def fill(
  stage: shards.Stage,
  questions: Sequence[base.Question],
  drawn: pa.Table,
  task: base.Task,
  tokenizer: tokenization.Tokenizer,
  *,
  batch: int,
  seed: int,
  most: int = MOST,
  natural: float = 0.0,
  room: int | None = None,
) -> Iterator[int]:
  """Builds the trajectories of the questions whose shards are not there yet.

  Args:
    stage: as `open_stage` gives it.
    questions: all of the pool's, in its order.
    drawn: the pool's rows, whole, with at least `POOL_COLUMNS`.
    task: states prompts.
    tokenizer: of the model.
    batch: questions a shard.
    seed: of the draws.
    most: answers before a right one.
    natural: share of natural contexts, as for `build`.
    room: trajectories of a question, as for `build`.

  Yields:
    How many questions are left, after each shard.

  Raises:
    InputError: as `pools.missing` and `build`; the pool is of other questions
      or of another tokenizer; no sample of any question is right, or none is
      wrong.
  """
  size = drawn.num_rows // len(questions)
  ids = [question.id for question in questions for _ in range(size)]
  if drawn["question_id"].to_pylist() != ids:
    raise errors.InputError(
      f"the pool's {drawn.num_rows} rows are not the samples of these"
      f" {len(questions)} questions, in their order"
    )
  total = count(by_question(drawn), most)
  for what in ("correct", "wrong"):
    if total[f"without_{what}"] == total["questions"]:
      raise errors.InputError(
        f"no sample of any of the {total['questions']} questions is {what}:"
        " there is nothing to learn a revision from; sample more, at another"
        " temperature, or take other questions"
      )
  todo = pools.missing(stage, questions, batch)
  left = len(todo)
  for number, group in itertools.groupby(todo, lambda index: index // batch):
    made: list[dict[str, Any]] = []
    for index in group:
      samples = drawn.slice(index * size, size).to_pylist()
      made += _rows(
        questions[index],
        samples,
        task,
        tokenizer,
        seed=seed,
        most=most,
        natural=natural,
        room=room,
      )
      left -= 1
    stage.write(number, pa.Table.from_pylist(made, store.SCHEMA))
    yield left


def _room(room: int, wrong: int) -> int:
  """Trajectories of a question with so many wrong samples, at most."""
  return min(room, wrong + 2)


def by_question(drawn: pa.Table) -> list[list[str]]:
  """The verdicts of each question's samples, for `count`."""
  found: dict[str, list[str]] = {}
  columns = (drawn[name].to_pylist() for name in ("question_id", "verdict"))
  for question_id, verdict in zip(*columns, strict=True):
    found.setdefault(question_id, []).append(verdict)
  return list(found.values())


def _rows(
  question: base.Question,
  samples: Sequence[dict[str, Any]],
  task: base.Task,
  tokenizer: tokenization.Tokenizer,
  **settings: Any,
) -> list[dict[str, Any]]:
  """A question's trajectories as rows of the store."""
  first = samples[0]
  if tokenizer.decode(first["tokens"]) != first["text"]:
    raise errors.InputError(
      f"question {question.id!r}: by this tokenizer the tokens of its sample"
      f" {first['sample']} are not its text; give the model that drew the pool"
    )
  found = build(
    [one["text"] for one in samples],
    [one["verdict"] for one in samples],
    uid=question.uid,
    **settings,
  )
  prompt = pools.request(question, task, tokenizer).tokens
  return [
    {
      "question_id": question.id,
      "prompt": list(prompt),
      "context": [samples[i]["tokens"] for i in one.context],
      "context_correct": [
        samples[i]["verdict"] == "correct" for i in one.context
      ],
      "target": samples[one.target]["tokens"],
      "context_samples": [samples[i]["sample"] for i in one.context],
      "target_sample": samples[one.target]["sample"],
    }
    for one in found
  ]
