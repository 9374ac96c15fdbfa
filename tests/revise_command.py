"""The launcher of chains, small enough for a test."""

import kill_harness

FLAGS = (
  "--config.task=arithmetic",
  "--config.questions.count=6",
  "--config.chains=3",
  "--config.length=4",
  "--config.revision.window=2",
  "--config.revision.context_tokens=36",
  "--config.revision.rebuilt=2",
  "--config.limits.prompt_tokens=32",
  "--config.limits.max_tokens=12",
  "--config.engine.groups=2",
  "--config.engine.rows=2",
  "--config.engine.steps=8",
  "--config.engine.batch=2",
)


def revise(model, out, *flags):
  return kill_harness.python(
    "-m",
    "launch.revise",
    f"--out={out}",
    *FLAGS,
    f"--config.model={model}",
    *flags,
  )
