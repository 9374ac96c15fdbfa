"""The verifier that a config asks for, and what it is trained for."""

import ml_collections

from tts_jax.model import transformer
from tts_jax.tasks import automaton, base, tokenization
from tts_jax.train import labelled, objective
from tts_jax.verify import reward


def goal(
  config: ml_collections.ConfigDict,
  task: base.Task,
  lm: transformer.Transformer,
  tokenizer: tokenization.Tokenizer,
) -> objective.Objective:
  """Of `launch.train_verifier`.

  Args:
    config: of the run.
    task: delimits steps.
    lm: the generator.
    tokenizer: of the generator.
  """
  behind = config.history and labelled.are_chains(config.labels)
  verifier = reward.above(
    lm,
    # The head knows a step's end by its last token alone.
    automaton.containing(tokenizer.delimiters(task.step_delimiter)),
    # It reads answers behind others.
    answer_end=tokenizer.end_token if behind else None,
    **config.head,
  )
  return objective.Objective(lm=lm, verifier=verifier, **config.objective)
