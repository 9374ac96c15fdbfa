"""Trains a verifier on labelled steps, of a model that it shares or its own.

  python -m launch.label_steps --out runs/labels
  python -m launch.label_steps --out runs/labels_held_out \
      --config.questions.split=validation --config.questions.count=200
  python -m launch.train_verifier --out runs/verifier

Started again with the same --out it goes on from the last checkpoint; SIGTERM
leaves one. It gets metrics.jsonl, checkpoints/, best/, verifier/ and, trained
jointly, model/.
"""

import functools
from typing import Any

import jax

from launch import entry, shared_run, training, training_forecasts, verifying
from tts_jax.model import embedded, huggingface
from tts_jax.store import labels, run
from tts_jax.tasks import catalogue, tokenization
from tts_jax.train import labelled, loop, objective
from tts_jax.train import step as step_lib
from tts_jax.verify import saved

_CONFIG = entry.config_flag("configs/train_verifier.py")
_OUT = training.out_flag("runs/verifier")


def main(_: list[str]) -> None:
  """Trains, then writes the verifier of the lowest validation loss."""
  training.use_all_cores()
  config = _CONFIG.value
  goal = verifying.planned(config)
  training_forecasts.begin(_OUT.value, config, goal.lm, goal)
  inputs = labels.content_hash(config.labels, config.held_out)
  record = config.to_dict() | {"labels_hash": inputs}
  with shared_run.opened(_OUT.value, record) as folder:
    _train(folder, config, goal)


def _train(folder: run.Run, config: Any, goal: objective.Objective) -> None:
  source = embedded.folder(config.model, config.task)
  lm, model = huggingface.load(source, "float32")
  tokenizer, made_for = tokenization.load(source), saved.origin(source)
  end = tokenizer.end_token
  found = catalogue.find(config.task)
  schedule = loop.Schedule(**config.schedule)
  optimizer = step_lib.Optimizer(
    steps=schedule.steps, frozen=goal.frozen, **config.optimizer
  )
  mixture = labelled.Mixture(seed=config.seed, **config.mixture)
  both = config.labels, config.held_out
  train, held_out = labelled.load(*both, made_for, history=config.history)
  worked = labelled.worked_solutions(
    found.task, tokenizer, found.stream("train", config.worked_seed)
  )
  made = training.compiled(
    goal, optimizer, rows=config.data.rows, held_out=goal.validate
  )
  drawn, kept = jax.random.split(jax.random.key(config.seed))
  params = goal.init(drawn, model)
  for start in filter(None, (config.start, config.backbone)):
    shared_run.same(start, functools.partial(saved.content_hash, start))
  params |= saved.start(config.start, goal.verifier, config.backbone)
  begin = functools.partial(step_lib.begin, optimizer=optimizer)
  state = jax.jit(begin, out_shardings=made.copies)(kept, params)
  del params  # Of which the state has a copy.
  state, progress = training.run(
    state,
    labelled.stream(train, mixture, worked=worked, **config.data),
    labelled.held_out(held_out, final_only=mixture.final_only, **config.data),
    folder.path,
    step=made.step,
    loss=made.loss,
    schedule=schedule,
  )
  if not goal.frozen:
    # Trained jointly, the generator is another one.
    source = folder.path / "model"
    tokenizer.save(source)
    huggingface.save(source, lm, state.params["model"], end_token=end)
  origin = saved.origin(source)
  saved.save(folder.path / "verifier", goal.verifier, state.params, origin)
  print(f"best validation loss {progress['best_loss']:.4f}: {folder.path}")


if __name__ == "__main__":
  entry.run(main, hosts=True)
