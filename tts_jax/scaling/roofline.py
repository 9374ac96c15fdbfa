"""The hardware's floor under a decode step: bytes moved and FLOPs done.

A step reads every weight once, each question's prompt keys and values once, and
each row's own; it cannot take less time than the slower of its two ceilings.
"""

import dataclasses

import numpy as np

from tts_jax.model import config, layout

# Passes over the logits of a row: written, and read to draw from and to tell
# the token's probability.
_PASSES = 2


@dataclasses.dataclass(frozen=True, kw_only=True)
class Machine:
  """What the hardware can do, as measured.

  Attributes:
    bytes_per_second: read from memory.
    flops_per_second: of matrix products.
  """

  bytes_per_second: float
  flops_per_second: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Decoding:
  """A decode step of Q questions with R rows each.

  Attributes:
    cfg: of the model.
    questions: Q.
    rows: R, of each question.
    prompt: tokens of a prompt.
    suffix: tokens of its own that a row has read, on average.
  """

  cfg: config.TransformerConfig
  questions: int
  rows: int
  prompt: float
  suffix: float

  @property
  def all_rows(self) -> int:
    """Rows of all questions: tokens that a step makes."""
    return self.questions * self.rows

  @property
  def kv_bytes(self) -> float:
    """Of keys and values that are live."""
    live = self.questions * self.prompt + self.all_rows * self.suffix
    return live * _kv_bytes_per_token(self.cfg)

  @property
  def weight_bytes(self) -> float:
    """Of weights that every token meets."""
    size = _itemsize(self.cfg.weight_dtype or self.cfg.dtype)
    return matrix_elements(self.cfg) * size

  @property
  def cache_bytes(self) -> float:
    """Moved of keys and values: those that are live, and the new ones."""
    return self.kv_bytes + self.all_rows * _kv_bytes_per_token(self.cfg)

  @property
  def logit_bytes(self) -> float:
    """Moved of logits."""
    return 4 * _PASSES * self.all_rows * self.cfg.vocabulary

  @property
  def bytes(self) -> float:
    """Moved in all."""
    return self.weight_bytes + self.cache_bytes + self.logit_bytes

  @property
  def flops(self) -> float:
    """Of matrix products, and of attention."""
    cfg, B = self.cfg, self.all_rows
    attended = self.prompt + self.suffix
    attention = 4 * cfg.layers * cfg.heads * cfg.head_width * attended
    return (2 * matrix_elements(cfg) + attention) * B

  def floor(self, machine: Machine) -> float:
    """Seconds that a step takes at least."""
    return max(
      self.bytes / machine.bytes_per_second,
      self.flops / machine.flops_per_second,
    )


def prefill_flops(
  cfg: config.TransformerConfig, questions: int, prompt: int
) -> float:
  """FLOPs of reading prompts; no logits are needed of them."""
  elements = matrix_elements(cfg) - cfg.vocabulary * cfg.width
  attended = 4 * cfg.layers * cfg.heads * cfg.head_width * prompt / 2
  return questions * prompt * (2 * elements + attended)


def matrix_elements(cfg: config.TransformerConfig) -> int:
  """Weights that every token meets: all but an embedding that is looked up."""
  total = sum(int(np.prod(leaf.shape)) for leaf in layout.leaves(cfg))
  return total - (0 if cfg.tied else cfg.vocabulary * cfg.width)


def _kv_bytes_per_token(cfg: config.TransformerConfig) -> int:
  kind = cfg.cache_dtype or cfg.attends_in
  # Of 8 bits, each head has a scale.
  head = cfg.head_width * _itemsize(kind) + (4 if kind == "int8" else 0)
  return 2 * cfg.layers * cfg.kv_heads * head


def _itemsize(kind: str) -> int:
  return {"float32": 4, "bfloat16": 2, "int8": 1}[kind]
