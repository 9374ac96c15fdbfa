"""Trains a head that predicts a question's pass@1 from its prompt alone.

  python -m launch.build_revisions --out runs/revisions
  python -m launch.build_revisions --out runs/revisions_held_out \
      --config.questions.split=validation --config.questions.count=300
  python -m launch.train_difficulty --out runs/difficulty

Goes on from its checkpoint. In a notebook:
`tts_jax.verify.saved_difficulty.load(folder)`.
"""

import functools

import jax
import numpy as np

from launch import entry, head_forecast, training, verdicts
from tts_jax.model import embedded, huggingface
from tts_jax.scaling import ranks
from tts_jax.store import labels, run
from tts_jax.tasks import tokenization
from tts_jax.train import difficulty, loop
from tts_jax.train import step as step_lib
from tts_jax.verify import difficulty_head, saved, saved_difficulty

_CONFIG = entry.config_flag("configs/train_difficulty.py")
_OUT = training.out_flag("runs/difficulty")


def main(_: list[str]) -> None:
  """Trains, then writes the head of the lowest held-out loss."""
  config = _CONFIG.value
  source = embedded.folder(config.model, config.task)
  lm, params = huggingface.load(source, "float32")
  made_for, tap = saved.origin(source), config.head.tap
  head = difficulty_head.DifficultyHead(
    lm.config.width, config.head.width, None if tap == lm.config.layers else tap
  )
  saved_difficulty.check_fit(head, lm.config)
  head_forecast.begin(_OUT.value, config, head, lm)
  of_model = config.task, tokenization.load(source), made_for
  pools = [verdicts.load(path, *of_model) for path in config.pools]
  both = difficulty.joined(pools), verdicts.load(config.held_out, *of_model)
  difficulty.check_disjoint(*both)
  read = functools.partial(
    difficulty_head.over_prompts,
    functools.partial(jax.jit(head.read, static_argnums=0), lm, params),
    prompt_tokens=config.data.prompt_tokens,
    rows=config.data.prompts,
  )
  train, held_out = (one.examples(read) for one in both)
  schedule = loop.Schedule(**config.schedule)
  optimizer = step_lib.Optimizer(
    steps=schedule.steps, frozen=difficulty.FROZEN, **config.optimizer
  )
  drawn, kept = jax.random.split(jax.random.key(config.seed))
  start = difficulty_head.standardised(head.init(drawn), train.features)
  loss = difficulty.Loss(head)
  step = functools.partial(step_lib.train_step, loss=loss, optimizer=optimizer)
  inputs = labels.content_hash(*config.pools, config.held_out)
  record = config.to_dict() | {"pools_hash": inputs}
  with run.Run.open(_OUT.value, record) as folder:
    state, progress = training.run(
      step_lib.begin(kept, start, optimizer),
      difficulty.batches(train, rows=config.data.rows, seed=config.seed),
      [held_out],
      folder.path,
      step=jax.jit(step, donate_argnums=0),
      loss=jax.jit(loss),
      schedule=schedule,
    )
    ranked = ranks.correlation(
      np.asarray(head.logit(state.params, held_out.features)),
      held_out.correct / held_out.samples,
    )
    reached = {
      "steps": progress["step"],
      **{name: progress[name] for name in ("best_step", "best_loss")},
      "constant_loss": difficulty.constant_loss(train, held_out),
      "rank_correlation": ranked.summary(),
    }
    saved_difficulty.save(folder.path, head, state.params, made_for, reached)
  print(
    f"held-out loss {reached['best_loss']:.4f}; without a head"
    f" {reached['constant_loss']:.4f}; rank correlation {ranked.mean:.3f}"
  )


if __name__ == "__main__":
  entry.run(main)
