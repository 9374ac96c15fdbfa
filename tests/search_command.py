"""Commands of launchers that search, on a tiny model and a drawn verifier."""

import jax
import kill_harness

from tts_jax.model import huggingface
from tts_jax.tasks import tokenization
from tts_jax.verify import reward, saved

SMALL = (
  "--config.task=arithmetic",
  "--config.questions.count=6",
  "--config.samples=8",
  "--config.limits.prompt_tokens=32",
  "--config.limits.max_tokens=12",
  "--config.engine.groups=2",
  "--config.engine.rows=4",
  "--config.engine.batch=2",
  "--config.scoring.rows=2",
  "--config.scoring.length=128",
)
SEARCH = (
  *SMALL,
  "--config.search.methods=('beam_sqrt','lookahead_1')",
  "--config.search.budgets=(1,4)",
  "--config.search.seeds=2",
  "--config.search.rows=8",
  "--config.search.step_tokens=5",
  "--config.search.tree.method=beam_sqrt",
  "--config.search.tree.budget=4",
  "--config.search.tree.questions=1",
)


def draw_verifier(folder, model):
  """A verifier of the model, as it is drawn."""
  lm, _ = huggingface.load(model)
  tokenizer = tokenization.load(model)
  shape = dict(layers=1, width=16, token_width=4, mlp_width=8, predicts=True)
  judge = reward.above(lm, tokenizer.tokens_with("\n"), **shape)
  params = judge.init(jax.random.key(0))
  saved.save(folder, judge, params, saved.origin(model))
  return folder


def command(launcher, out, model, verifier, small, *flags):
  """Of a launcher; the last of equal flags counts."""
  return kill_harness.python(
    "-m",
    f"launch.{launcher}",
    f"--out={out}",
    *small,
    f"--config.model={model}",
    f"--config.verifier={verifier}",
    *flags,
  )
