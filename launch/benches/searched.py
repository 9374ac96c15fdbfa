"""Which searches are timed, and with which verifiers."""

import dataclasses

import jax
import ml_collections

from launch import generation, judges
from tts_jax.search import strategies, sweep
from tts_jax.verify import reward

# Its methods, what its name has behind them, its verifier, and itself.
Way = tuple[list[str], str, judges.AnyJudge, strategies.Strategy]


def ways(
  config: ml_collections.ConfigDict,
  experiment: ml_collections.ConfigDict,
  model: generation.Generator,
  judge: judges.AnyJudge,
) -> list[Way]:
  """A way a strategy, and then the first one with lighter heads.

  A pass costs what its models cost. Heads of `config.heads` blocks, on the
  model's final states and as they are drawn, tell the loop's own part from the
  verifier's.
  """
  found = strategies_of(experiment.search.methods, config.candidates)
  timed: list[Way] = [(names, "", judge, one) for one, names in found.items()]
  if isinstance(judge, judges.Judge):
    timed += [
      (names[:1], f", {blocks}-block head", _headed(judge, model, blocks), one)
      for names, _, _, one in timed[:1]
      for blocks in config.heads
    ]
  return timed


def strategies_of(
  methods: tuple[str, ...], rows: int
) -> dict[strategies.Strategy, list[str]]:
  """Strategies of so many rows, and the methods that are each of them."""
  found: dict[strategies.Strategy, list[str]] = {}
  for name in methods:
    budget = rows * strategies.LEAST.get(name, 1)
    (cell,) = sweep.cells({name: [budget]}, seeds=1)
    found.setdefault(cell.strategy, []).append(name)
  return found


def _headed(
  judge: judges.Judge, model: generation.Generator, blocks: int
) -> judges.Judge:
  """A head of so many blocks on the model's final states, as it is drawn."""
  cfg = judge.verifier.config
  verifier = reward.above(
    model.lm,
    cfg.delimiters,
    layers=blocks,
    width=cfg.width,
    token_width=cfg.token_width,
    mlp_width=cfg.mlp_width,
    predicts=False,
  )
  params = verifier.init(jax.random.key(0))
  return dataclasses.replace(judge, verifier=verifier, params=params)
