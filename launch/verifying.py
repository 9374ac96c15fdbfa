"""The verifier that a config asks for, and what it is trained for."""

import ml_collections

from launch import known_shapes
from tts_jax.model import embedded, transformer
from tts_jax.tasks import automaton, base, catalogue, tokenization
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


def planned(config: ml_collections.ConfigDict) -> objective.Objective:
  """As `goal`; of the model no more than its config and tokenizer is read."""
  folder = embedded.folder(config.model, config.task)
  task, lm = catalogue.find(config.task).task, known_shapes.model(folder, "")
  return goal(config, task, lm, tokenization.load(folder))
