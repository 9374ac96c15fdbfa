"""FLOPs of a method from its tokens.

A token costs 2 FLOPs a parameter, and 4 L h d for each token that it attends to
(h query heads of width d in each of L layers): the queries' products with the
keys, and the weights' with the values. Every token that passes through a model
counts, whatever became of it: pruned, rolled ahead and taken back, or read by
the verifier alone.
"""

import dataclasses

import chex
import numpy as np

from tts_jax import types
from tts_jax.model import config
from tts_jax.verify import difficulty_head, reward


@dataclasses.dataclass(frozen=True, kw_only=True)
class Network:
  """What of a network's shape sets the cost of a token.

  Attributes:
    parameters: that multiply each token; an embedding that is only looked up
      does not, one that is the output matrix too does.
    attention: query heads times their width, summed over layers.
  """

  parameters: int
  attention: int = 0

  def per_token(self, context: np.ndarray | float) -> np.ndarray:
    """FLOPs of a token that attends to `context` tokens."""
    return 2.0 * self.parameters + 4.0 * self.attention * np.asarray(context)


def transformer(model: config.TransformerConfig) -> Network:
  """The network of a transformer: its matrices; norms are not counted."""
  heads = 2 * model.heads + 2 * model.kv_heads
  layer = heads * model.head_width * model.width
  layer += 3 * model.width * model.mlp_width
  return Network(
    parameters=model.layers * layer + model.vocabulary * model.width,
    attention=model.layers * model.heads * model.head_width,
  )


def mean_context(prompt_length: np.ndarray, length: np.ndarray) -> np.ndarray:
  """How many tokens a generated token attends to on average, itself included.

  Args:
    prompt_length: [Q] int.
    length: [Q, N] int, tokens of each candidate.

  Returns:
    [Q] float64; that of the prompt's last token where nothing was generated.
  """
  chex.assert_rank([prompt_length, length], [1, 2])
  length = np.asarray(length, np.float64)
  before = (length * (length - 1)).sum(1) / 2
  mean = before / np.maximum(length.sum(1), 1)
  return np.asarray(prompt_length, np.float64) + mean


def flops(
  cost: types.Cost,
  model: Network,
  *,
  verifier: Network | None = None,
  reads_tokens: bool = False,
  context: np.ndarray | float = 0.0,
) -> np.ndarray:
  """FLOPs of a method's run, per question.

  Args:
    cost: the run's ledger.
    model: the generator.
    verifier: what it adds to the generator, or its own network; None: none.
    reads_tokens: as `types.Verifier`: the verifier has a backbone of its own,
      which read `cost.scored` tokens. False: it works on each token that the
      model reads.
    context: [Q] or a number, tokens that a token attends to on average; taken
      for prompt tokens too, for which it is an upper bound.

  Returns:
    [Q] float64.
  """
  read = np.zeros(len(cost.generated))
  for tokens in (cost.generated, cost.lookahead, cost.prefilled):
    read += np.asarray(tokens)
  total = read * model.per_token(context)
  if verifier is not None:
    judged = np.asarray(cost.scored, np.float64) if reads_tokens else read
    total = total + judged * verifier.per_token(context)
  return total


def unknown(
  cost: types.Cost, context: np.ndarray | float, judged: bool
) -> np.ndarray:
  """NaN for each question: where no model is known, neither are its FLOPs."""
  del context, judged
  return np.full(np.shape(cost.generated), np.nan)


def placing(
  model: config.TransformerConfig,
  head: difficulty_head.DifficultyHead,
  prompt_length: np.ndarray | float,
) -> np.ndarray:
  """FLOPs of a difficulty head, and of the pass over the prompt that it reads.

  Args:
    model: whose states it reads.
    head: the head.
    prompt_length: [Q] or a number, tokens.
  """
  size = np.asarray(prompt_length, np.float64)
  return size * transformer(model).per_token(size) + head.flops


def reward_model(verifier: reward.RewardModel) -> Network:
  """What a verifier adds to the generator: its head, and a backbone of its own.

  Of such a backbone nothing above the head's tap is read, nor logits that no
  opinion corrects.
  """
  head = verifier.config
  parameters = head.width * (head.input_width + head.token_width)
  parameters += head.mlp_width * (head.width + head.token_width)
  attention = 0
  if head.predicts:
    parameters += head.width * head.vocabulary
  if head.blocks is not None:
    blocks = transformer(head.blocks)
    parameters += blocks.parameters - head.blocks.vocabulary * head.width
    attention = blocks.attention
  if verifier.backbone is not None:
    shape = verifier.backbone.config
    depth = shape.layers if head.tap is None else head.tap
    whole = transformer(shape)
    unread = shape.vocabulary * shape.width
    inner = (whole.parameters - unread) * depth // shape.layers
    parameters += inner
    if head.tap is None and head.predicts:
      parameters += unread
    attention += whole.attention * depth // shape.layers
  return Network(parameters=parameters, attention=attention)
