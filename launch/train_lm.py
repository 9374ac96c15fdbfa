"""Trains a language model on a task's worked solutions.

  python -m launch.train_lm --config configs/train_gsm_symbolic.py \
      --out runs/train_gsm_symbolic

Started again with the same --out it goes on from the last checkpoint. The
folder gets metrics.jsonl, checkpoints/, best/ and model/, a Hugging Face folder.
"""

import functools
import itertools
import os
import pathlib

import jax
import ml_collections
from absl import flags

from launch import entry
from tts_jax import sharding
from tts_jax.model import config as model_config
from tts_jax.model import huggingface, transformer
from tts_jax.tasks import catalogue, tokenization
from tts_jax.train import data as data_lib
from tts_jax.train import loop
from tts_jax.train import step as step_lib

_CONFIG = entry.config_flag("configs/train_gsm_symbolic.py")
_OUT = flags.DEFINE_string("out", "runs/train", "Folder of the run.")


def _tokenizer(
  config: ml_collections.ConfigDict,
  found: catalogue.Entry,
  folder: pathlib.Path,
) -> tokenization.Tokenizer:
  """The run's tokenizer, learned from its first questions."""
  if not (folder / "tokenizer_config.json").exists():
    questions = itertools.islice(
      found.stream("train", config.seed)(0), config.tokenizer.questions
    )
    tokenization.train(
      (found.task.prompt(q) + found.task.completion(q) for _, q in questions),
      config.tokenizer.vocabulary,
    ).save(folder)
  return tokenization.load(folder)


def main(_: list[str]) -> None:
  """Trains, then writes the model of the lowest validation loss."""
  # A device per core: XLA's own threads leave half of two cores idle.
  jax.config.update("jax_num_cpu_devices", os.cpu_count())
  config, out = _CONFIG.value, pathlib.Path(_OUT.value)
  found = catalogue.find(config.task)
  tokenizer = _tokenizer(config, found, out / "model")
  lm = transformer.Transformer(
    model_config.TransformerConfig(
      vocabulary=tokenizer.vocabulary, **config.model
    )
  )
  optimizer = step_lib.Optimizer(
    steps=config.schedule.steps, **config.optimizer
  )
  pack = functools.partial(
    data_lib.stream,
    found.task,
    tokenizer,
    rows=config.data.rows,
    length=config.data.length,
  )
  held_out = itertools.islice(
    pack(found.stream("validation", config.seed), prompt_weight=0.0)(0),
    config.validation.batches,
  )
  mesh = sharding.data_mesh()
  copies, split = sharding.replicated(mesh), sharding.over_data(mesh)
  state = jax.jit(
    functools.partial(step_lib.init, lm=lm, optimizer=optimizer),
    out_shardings=copies,
  )(jax.random.key(config.seed))
  size = sum(leaf.size for leaf in jax.tree.leaves(state.params))
  print(f"{size:,} parameters, {config.schedule.steps} steps, to {out}")
  state, progress = loop.run(
    state,
    pack(
      found.stream("train", config.seed),
      prompt_weight=config.data.prompt_weight,
    ),
    [batch for _, batch in held_out],
    out,
    step=jax.jit(
      functools.partial(
        step_lib.train_step,
        lm=lm,
        optimizer=optimizer,
        microbatches=config.data.microbatches,
      ),
      in_shardings=(copies, split),
      out_shardings=(copies, copies),
      donate_argnums=0,
    ),
    loss=jax.jit(
      functools.partial(step_lib.loss, lm=lm), in_shardings=(copies, split)
    ),
    schedule=loop.Schedule(**config.schedule),
  )
  huggingface.save(out / "model", lm, state.params)
  print(f"best validation loss {progress['best_loss']:.4f}: {out / 'model'}")


if __name__ == "__main__":
  entry.run(main)
