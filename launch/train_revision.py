"""Fine-tunes a model to revise: wrong answers in context, then a right one.

  python -m launch.build_revisions --out runs/revisions
  python -m launch.build_revisions --out runs/revisions_held_out \
      --config.questions.split=validation --config.questions.count=300
  python -m launch.train_revision --out runs/revision

Started again with the same --out it goes on from the last checkpoint; SIGTERM
leaves one. It gets metrics.jsonl, checkpoints/, best/ and a Hugging Face
folder, model/.
"""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import ml_collections

from launch import entry, known_shapes, shared_run, training
from launch import training_forecasts as forecasts
from tts_jax import storage
from tts_jax.model import embedded, huggingface, transformer
from tts_jax.store import run, trajectories
from tts_jax.tasks import tokenization
from tts_jax.train import loop, revisions
from tts_jax.train import step as step_lib
from tts_jax.verify import saved

_CONFIG = entry.config_flag("configs/train_revision.py")
_OUT = training.out_flag("runs/revision")


def main(_: list[str]) -> None:
  """Fine-tunes, then writes the model at which training stopped."""
  training.use_all_cores()
  config = _CONFIG.value
  source = config.start or embedded.folder(config.model, config.task)
  lm = known_shapes.model(storage.at(source), "float32")
  forecasts.begin(_OUT.value, config, lm)
  inputs = trajectories.content_hash(config.trajectories, config.held_out)
  record = config.to_dict() | {"trajectories_hash": inputs}
  with shared_run.opened(_OUT.value, record) as folder:
    _train(folder, config)


def _train(folder: run.Run, config: ml_collections.ConfigDict) -> None:
  source, out = embedded.folder(config.model, config.task), folder.path
  start = storage.fetched(config.start or source)
  shared_run.same(str(start), functools.partial(saved.content_hash, start))
  base, params = huggingface.load(start, "float32")
  shape = dataclasses.replace(
    base.config, max_positions=config.max_positions, dropout=config.dropout
  )
  lm, tokenizer = transformer.Transformer(shape), tokenization.load(source)
  both = config.trajectories, config.held_out
  train, held_out = revisions.load(*both, saved.origin(source))
  schedule = loop.Schedule(**config.schedule)
  optimizer = step_lib.Optimizer(steps=schedule.steps, **config.optimizer)
  made = training.compiled(
    functools.partial(step_lib.loss, lm=lm),
    optimizer,
    rows=config.data.rows,
    microbatches=config.microbatches,
  )
  key = jax.random.key(config.seed)
  begin = functools.partial(step_lib.begin, optimizer=optimizer)
  state = jax.jit(begin, out_shardings=made.copies)(key, params)
  print(f"{len(train):,} trajectories", flush=True)
  state, progress = training.run(
    state,
    revisions.stream(train, seed=config.seed, **config.data),
    revisions.held_out(held_out, most=config.validation, **config.data),
    out,
    step=made.step,
    loss=made.loss,
    schedule=schedule,
  )
  tokenizer.save(out / "model")
  params = jax.tree.map(lambda x: x.astype(jnp.bfloat16), state.params)
  huggingface.save(out / "model", lm, params, end_token=tokenizer.end_token)
  turned = f"lowest {progress['best_loss']:.4f} at {progress['best_step']}"
  print(f"stopped at step {progress['step']}, {turned}: {out / 'model'}")


if __name__ == "__main__":
  entry.run(main, hosts=True)
