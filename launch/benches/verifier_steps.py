"""Steps of a verifier's training, as `launch.train_verifier` sets them up."""

import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import ml_collections
import numpy as np

from launch import generation, training, verifying
from launch.benches import lm_steps, steps
from tts_jax.scaling import flops
from tts_jax.store import labels
from tts_jax.tasks import base
from tts_jax.train import data, labelled
from tts_jax.train import step as step_lib
from tts_jax.verify import prefixes


def make(
  config: ml_collections.ConfigDict,
  model: generation.Generator,
  task: base.Task,
  questions: Sequence[base.Question],
  *,
  count: int,
) -> steps.Steps:
  """`count` steps by a config of `launch.train_verifier`.

  On the questions' worked solutions, which stand for labelled samples too.
  """
  goal = verifying.goal(config, task, model.lm, model.tokenizer)
  optimizer = step_lib.Optimizer(frozen=goal.frozen, **steps.OPTIMIZER)
  drawn, kept = jax.random.split(jax.random.key(0))
  params = jax.tree.map(jnp.copy, goal.init(drawn, model.params))
  solved = functools.partial(lm_steps.endless, questions)
  worked = labelled.worked_solutions(task, model.tokenizer, solved)
  mixture = labelled.Mixture(**config.mixture)
  found = _labelled(model, task, questions, mixture.samples)
  network = flops.transformer(model.lm.config)
  # A pass forward, and two backward through what is trained.
  head, passes = flops.reward_model(goal.verifier), 1 if goal.frozen else 3
  return steps.Steps(
    training.compiled(goal, optimizer, rows=config.data.rows),
    step_lib.begin(kept, params, optimizer),
    labelled.stream(found, mixture, worked=worked, **config.data),
    count,
    lambda context: float(
      passes * network.per_token(context) + 3 * head.per_token(context)
    ),
  )


def _labelled(
  model: generation.Generator,
  task: base.Task,
  questions: Sequence[base.Question],
  copies: int,
) -> list[labels.Question]:
  """Worked solutions as if they were so many samples, all of them right."""
  found = []
  delimiters = model.tokenizer.delimiters(task.step_delimiter)
  for index, prompt, tokens in data.tokenised(
    task, model.tokenizer, enumerate(questions)
  ):
    ends = np.array(prefixes.step_ends(tokens, delimiters))
    one, none = np.ones_like(ends), np.zeros_like(ends)
    solution = labels.Solution(
      sample=0,
      tokens=np.array(tokens),
      logprobs=np.zeros(len(tokens), np.float32),
      step_end=ends,
      rollouts=none,
      rollouts_correct=none,
      passing=one,
      passing_correct=one,
    )
    question = questions[index]
    found.append(
      labels.Question(
        id=question.id,
        uid=question.uid,
        prompt=np.array(prompt),
        solutions=(solution,) * copies,
        dropped=0,
      )
    )
  return found
