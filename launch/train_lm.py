"""Trains a language model on a task's worked solutions.

  python -m launch.train_lm --config configs/train_gsm_symbolic.py \
      --out runs/train_gsm_symbolic

Started again with the same --out it goes on from the last checkpoint; SIGTERM
leaves one. It gets metrics.jsonl, checkpoints/, best/ and a Hugging Face
folder, model/.
"""

import functools

import jax
import jax.numpy as jnp
import ml_collections

from launch import entry, programs, shared_run, training
from launch import training_forecasts as forecasts
from tts_jax.model import config as model_config
from tts_jax.model import huggingface, transformer
from tts_jax.store import run
from tts_jax.tasks import catalogue
from tts_jax.train import data as data_lib
from tts_jax.train import loop
from tts_jax.train import step as step_lib

_CONFIG = entry.config_flag("configs/train_gsm_symbolic.py")
_OUT = training.out_flag("runs/train")


def main(_: list[str]) -> None:
  """Trains, then writes the model of the lowest validation loss."""
  training.use_all_cores()
  config = _CONFIG.value
  forecasts.begin(_OUT.value, config, programs.model(config))
  with shared_run.opened(_OUT.value, config.to_dict()) as folder:
    _train(folder, config)


def _train(folder: run.Run, config: ml_collections.ConfigDict) -> None:
  found, out = catalogue.find(config.task), folder.path
  train = found.stream("train", config.seed)
  tokenizer = data_lib.run_tokenizer(
    found.task, train, out / "model", anew=folder.fresh, **config.tokenizer
  )
  shape = model_config.TransformerConfig(
    vocabulary=tokenizer.vocabulary, **config.model
  )
  lm = transformer.Transformer(shape)
  schedule = loop.Schedule(**config.schedule)
  optimizer = step_lib.Optimizer(steps=schedule.steps, **config.optimizer)
  pack = functools.partial(
    data_lib.stream,
    found.task,
    tokenizer,
    rows=config.data.rows,
    length=config.data.length,
    max_positions=shape.max_positions,
  )
  held_out = pack(found.stream("validation", config.seed), prompt_weight=0.0)
  loss = functools.partial(step_lib.loss, lm=lm)
  made = training.compiled(
    loss,
    optimizer,
    rows=config.data.rows,
    microbatches=config.data.microbatches,
  )
  init = functools.partial(step_lib.init, lm=lm, optimizer=optimizer)
  key = jax.random.key(config.seed)
  state = jax.jit(init, out_shardings=made.copies)(key)
  state, progress = training.run(
    state,
    pack(train, prompt_weight=config.data.prompt_weight),
    data_lib.take(held_out, config.validation.batches),
    out,
    step=made.step,
    loss=made.loss,
    schedule=schedule,
  )
  params = jax.tree.map(lambda x: x.astype(jnp.bfloat16), state.params)
  huggingface.save(out / "model", lm, params, end_token=tokenizer.end_token)
  print(f"best validation loss {progress['best_loss']:.4f}: {out / 'model'}")


if __name__ == "__main__":
  entry.run(main, hosts=True)
