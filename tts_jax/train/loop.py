"""The training run: steps, validation, early stop, checkpoints, metrics."""

import contextlib
import dataclasses
import json
import math
import pathlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from tts_jax import errors, storage
from tts_jax.store import atomic
from tts_jax.store import run as run_lib
from tts_jax.train import checkpoints
from tts_jax.train import step as step_lib


class Batch(Protocol):
  """What a step reads: a tree of arrays."""

  @property
  def segments(self) -> Any:
    """[B, T] integers, above 0 where tokens are."""
    ...


StepFn = Callable[
  [step_lib.TrainState, Any],
  tuple[step_lib.TrainState, dict[str, Any]],
]
LossFn = Callable[[Any, Any], tuple[Any, Any]]
# Takes a line of metrics, `step` among them.
Write = Callable[[Mapping[str, float]], None]


@dataclasses.dataclass(frozen=True)
class Schedule:
  """How long to train and how often to look.

  Attributes:
    steps: of the whole training.
    log_every: steps between lines of metrics.
    validate_every: steps between validations, each followed by a checkpoint.
    patience: validations without a new best loss before training stops.
    past_best: the state that is used is the one at which training stopped, not
      that of the lowest loss. Validation of revisions is off-policy, and its
      loss turns before the model is at its best (paper, "Revisions").

  Raises:
    InputError: one of them is below 1.
  """

  steps: int
  log_every: int = 50
  validate_every: int = 500
  patience: int = 5
  past_best: bool = False

  def __post_init__(self) -> None:
    for name in ("steps", "log_every", "validate_every", "patience"):
      if (value := getattr(self, name)) < 1:
        raise errors.InputError(
          f"schedule {name} is {value}; it must be at least 1"
        )


class Metrics:
  """Metrics as JSON lines, continued without a seam after a kill.

  Attributes:
    path: of the file.
    beside: gets each line, too.
  """

  def __init__(
    self, path: pathlib.Path, step: int, beside: Write = lambda line: None
  ) -> None:
    self.path, self.beside = path, beside
    kept = []
    if path.exists():
      for line in path.read_text().splitlines(keepends=True):
        # A kill can leave half a line, and lines past the last checkpoint.
        if line.endswith("\n") and json.loads(line)["step"] <= step:
          kept.append(line)
    atomic.make_folder(path.parent)
    atomic.write_bytes(path, "".join(kept).encode())

  def write(self, **values: float) -> None:
    """Appends one line."""
    line = json.dumps(values) + "\n"
    if storage.is_remote(self.path):  # Nothing can be appended there.
      self.path.write_text(self.path.read_text() + line)
    else:
      with self.path.open("a") as lines:
        lines.write(line)
    self.beside(values)


def mean_loss(loss: LossFn, params: Any, held_out: Sequence[Batch]) -> float:
  """Mean loss over the weighted tokens of all batches, in nats."""
  results = [loss(params, batch) for batch in held_out]
  totals, weights = np.array(results, np.float64).T
  return float(totals.sum() / weights.sum())


def run(
  state: step_lib.TrainState,
  data: Callable[[int], Iterator[tuple[int, Batch]]],
  held_out: Sequence[Batch],
  folder: pathlib.Path,
  *,
  step: StepFn,
  loss: LossFn,
  schedule: Schedule,
  report: Callable[[str], None] = print,
  stop: Callable[[], bool] = lambda: False,
  beside: Callable[[int], Write] = lambda step: lambda line: None,
) -> tuple[step_lib.TrainState, dict[str, Any]]:
  """Trains to the end, from the latest checkpoint in `folder` where one is.

  Args:
    state: a fresh state.
    data: given the index of an item, yields (next index, batch) from there.
    held_out: batches of validation questions.
    folder: gets `checkpoints/`, `best/` and `metrics.jsonl`.
    step: jitted by the caller.
    loss: jitted by the caller; validation weights only completions.
    schedule: how long and how often.
    report: gets a line of progress at a time.
    stop: asked after each step, and its validation where it has one; training
      that it ends leaves a checkpoint of that step.
    beside: given the step that training goes on from, gives what takes each
      line of metrics, too.

  Returns:
    (state, progress): the state of the lowest validation loss, or the last one
    if the schedule says so, and `step`, `next_item`, `best_step`, `best_loss`,
    `tokens`, `seconds`.

  Raises:
    InputError: a loss is not finite, be it that of validation, and then no
      checkpoint is written of it; a checkpoint does not fit.
  """
  open_at = checkpoints.Checkpoints
  with (
    contextlib.closing(open_at(folder / run_lib.CHECKPOINTS)) as latest,
    contextlib.closing(open_at(folder / run_lib.BEST, keep=1)) as best,
  ):
    last, progress = _run(
      *(state, data, held_out, folder, latest, best),
      *(step, loss, schedule, report, stop, beside),
    )
    found = None if schedule.past_best else best.restore(last)
  return (found[0] if found else last), progress


def _run(
  state: step_lib.TrainState,
  data: Callable[[int], Iterator[tuple[int, Batch]]],
  held_out: Sequence[Batch],
  folder: pathlib.Path,
  latest: checkpoints.Checkpoints,
  best: checkpoints.Checkpoints,
  step: StepFn,
  loss: LossFn,
  schedule: Schedule,
  report: Callable[[str], None],
  stop: Callable[[], bool],
  beside: Callable[[int], Write],
) -> tuple[step_lib.TrainState, dict[str, Any]]:
  """The run itself; returns its last state, and its progress."""
  progress: dict[str, Any] = {
    "next_item": 0,
    "best_step": 0,
    "best_loss": float("inf"),
    "tokens": 0,
    "seconds": 0.0,
  }
  restored = latest.restore(state)
  if restored is not None:
    state, progress = restored
    report(f"resumed at step {int(state.step)} of {schedule.steps}")
  done = kept = int(state.step)
  metrics = Metrics(folder / "metrics.jsonl", done, beside(done))
  stream = data(progress["next_item"])
  waited = (done - progress["best_step"]) // schedule.validate_every
  start, start_tokens = time.monotonic(), progress["tokens"]
  before = progress["seconds"]

  while done < schedule.steps and waited < schedule.patience:
    progress["next_item"], batch = next(stream)
    progress["tokens"] += int((batch.segments > 0).sum())
    state, values = step(state, batch)
    done += 1
    if done % schedule.log_every == 0 or done == 1:
      values = {name: float(value) for name, value in values.items()}
      if not math.isfinite(values["loss"]):
        raise _diverged("loss", values["loss"], done, latest.folder)
      seconds = time.monotonic() - start
      rate = (progress["tokens"] - start_tokens) / seconds
      progress["seconds"] = before + seconds
      metrics.write(step=done, tokens=progress["tokens"], **values)
      left = (schedule.steps - done) * progress["tokens"] / done / rate
      report(
        f"step {done}/{schedule.steps}  loss {values['loss']:.4f}  "
        f"{rate:,.0f} tokens/s  {left / 60:.0f} min left"
      )
    if done % schedule.validate_every == 0 or done == schedule.steps:
      value = mean_loss(loss, state.params, held_out)
      if not math.isfinite(value):
        raise _diverged("validation loss", value, done, latest.folder)
      metrics.write(step=done, validation_loss=value)
      report(f"step {done}/{schedule.steps}  validation loss {value:.4f}")
      waited += 1
      if value < progress["best_loss"]:
        waited = 0
        progress |= {"best_loss": value, "best_step": done}
        best.save(state, progress)
      latest.save(state, progress)
      kept = done
    if stop():
      if kept < done:
        latest.save(state, progress)
      break

  return state, {**progress, "step": done}


def _diverged(
  name: str, value: float, step: int, folder: pathlib.Path
) -> errors.InputError:
  return errors.InputError(
    f"the {name} is {value} at step {step}; lower the learning rate and start"
    f" again from {folder}"
  )
