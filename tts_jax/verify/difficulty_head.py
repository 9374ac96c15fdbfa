"""The difficulty head: pass@1 of a question from its prompt's own states.

No sample is drawn, and the pass over the prompt is the one that comes before
sampling anyway. The head reads the last token's state beside the mean over the
prompt's tokens: 2D numbers a question. In the shapes, `F` is 2D.
"""

import dataclasses
import functools
import itertools
from collections.abc import Callable, Iterable

import chex
import jax
import jax.numpy as jnp
import numpy as np

from tts_jax import errors, hosts, types
from tts_jax.decode import engine, stream

# A feature that varies less than this is taken to be constant.
_LEAST_SCALE = 1e-6


@dataclasses.dataclass(frozen=True)
class DifficultyHead:
  """From a prompt's states to the chance that a sample comes out right.

  Parameters are {"standard": the features' mean and scale, each [F], "head":
  the layers}.

  Attributes:
    input_width: D, of the states that it reads.
    width: of the hidden layer; 0: there is none, as in logistic regression.
    tap: it reads what this block of the backbone does, of 0 ... L - 1; None:
      the final states.

  Raises:
    InputError: a field is out of its range.
  """

  input_width: int
  width: int = 64
  tap: int | None = None

  def __post_init__(self) -> None:
    for name, least in (("input_width", 1), ("width", 0)):
      if getattr(self, name) < least:
        raise errors.InputError(
          f"difficulty head {name} is {getattr(self, name)}; it must be at"
          f" least {least}"
        )
    if self.tap is not None and self.tap < 0:
      raise errors.InputError(
        f"difficulty head tap is {self.tap}; it must be the number of a block,"
        " from 0"
      )

  @property
  def flops(self) -> int:
    """What a prediction costs beside the pass over the prompt."""
    features = 2 * self.input_width
    return 2 * (features * self.width + self.width or features)

  def init(self, key: chex.PRNGKey) -> types.Params:
    """Draws parameters, which predict 0.5 always; `key` is consumed."""
    features = 2 * self.input_width
    head = {}
    if self.width:
      kernel = jax.random.normal(key, (features, self.width))
      bias = jnp.zeros(self.width)
      head["hidden"] = {"kernel": kernel * features**-0.5, "bias": bias}
    last = jnp.zeros((self.width or features, 1))
    head["logit"] = {"kernel": last, "bias": jnp.zeros(1)}
    return {
      "standard": {"mean": jnp.zeros(features), "scale": jnp.ones(features)},
      "head": head,
    }

  def features(self, output: types.Output, length: chex.Array) -> chex.Array:
    """The last token's state and the mean of all, [Q, F] float32.

    Args:
      output: of prompts [Q, P], padded on the right.
      length: [Q] of the prompts.
    """
    states = output.hidden if self.tap is None else output.streams[self.tap]
    states = states.astype(jnp.float32)
    chex.assert_shape(states, (*length.shape, None, self.input_width))
    last = jnp.take_along_axis(states, (length - 1)[:, None, None], 1)[:, 0]
    real = jnp.arange(states.shape[1]) < length[:, None]  # [Q, P]
    mean = jnp.where(real[..., None], states, 0.0).sum(1) / length[:, None]
    return jnp.concatenate([last, mean], -1)

  def logit(self, params: types.Params, features: chex.Array) -> chex.Array:
    """The logit of pass@1, [Q], from features [Q, F]."""
    standard, head = params["standard"], params["head"]
    x = (features - standard["mean"]) / standard["scale"]
    if self.width:
      x = x @ head["hidden"]["kernel"] + head["hidden"]["bias"]
      x = jax.nn.silu(x)
    return (x @ head["logit"]["kernel"] + head["logit"]["bias"])[:, 0]

  def read(
    self, lm: types.LanguageModel, model: types.Params, prompts: types.Prompts
  ) -> chex.Array:
    """The features [Q, F] of prompts, by one pass over them.

    Args:
      lm: the model that the head is made for.
      model: its parameters.
      prompts: of Q questions.
    """
    output, _ = lm.prefill(model, prompts)
    return self.features(output, prompts.length)

  def predict(
    self,
    params: types.Params,
    lm: types.LanguageModel,
    model: types.Params,
    prompts: types.Prompts,
  ) -> chex.Array:
    """Predicted pass@1, [Q] float32.

    Args:
      params: the head's.
      lm: as of `read`, with the other arguments.
      model: its parameters.
      prompts: of Q questions.
    """
    return jax.nn.sigmoid(self.logit(params, self.read(lm, model, prompts)))


def standardised(params: types.Params, features: np.ndarray) -> types.Params:
  """The parameters with the mean and scale of some features [Q, F]."""
  scale = np.maximum(features.std(0), _LEAST_SCALE)
  standard = {"mean": features.mean(0), "scale": scale}
  return {**params, "standard": jax.tree.map(jnp.asarray, standard)}


def over_prompts(
  read: Callable[[types.Prompts], chex.Array],
  requests: Iterable[stream.Request],
  *,
  prompt_tokens: int,
  rows: int,
) -> np.ndarray:
  """What `read` makes of each question, some at a time.

  Args:
    read: from `rows` prompts to an array [rows, ...]; jitted by the caller. It
      gives features, or predictions.
    requests: Q questions; at least 1.
    prompt_tokens: P.
    rows: prompts at a time.

  Returns:
    [Q, ...], in the order of the questions.

  Raises:
    InputError: there is no question, or a prompt is longer than P.
  """
  found = []
  left = iter(requests)
  while some := list(itertools.islice(left, rows)):
    prompts = [stream.prompt(one, prompt_tokens) for one in some]
    # One shape for all passes: the last one reads a prompt several times.
    prompts += prompts[-1:] * (rows - len(some))
    whole = jax.tree.map(lambda *parts: np.concatenate(parts), *prompts)
    found.append(hosts.whole(read(whole))[: len(some)])
  if not found:
    raise errors.InputError("there is no question to predict pass@1 of")
  return np.concatenate(found)


def predictor(
  head: DifficultyHead,
  params: types.Params,
  lm: types.LanguageModel,
  model: types.Params,
  *,
  prompt_tokens: int,
  rows: int,
  compiler: engine.Compile,
) -> Callable[[Iterable[stream.Request]], np.ndarray]:
  """From questions to their predicted pass@1, [Q] float32.

  Args:
    head: the head.
    params: its own.
    lm: the model that the head is made for.
    model: its parameters.
    prompt_tokens: P.
    rows: prompts at a time.
    compiler: `jax.jit`.
  """
  compiled = compiler(head.predict, static_argnums=1)
  return functools.partial(
    over_prompts,
    functools.partial(compiled, params, lm, model),
    prompt_tokens=prompt_tokens,
    rows=rows,
  )
