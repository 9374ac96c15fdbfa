"""The verifiers that launchers load: this project's, and published ones."""

import dataclasses
import pathlib

import jax
import ml_collections

from launch import generation, outside
from tts_jax import types
from tts_jax.scaling import flops
from tts_jax.solving import engines
from tts_jax.verify import embedded, incremental, published, reward, saved


@dataclasses.dataclass(frozen=True, kw_only=True)
class Judge:
  """A verifier on the device, and its folder."""

  verifier: reward.RewardModel
  params: types.Params
  folder: pathlib.Path

  @property
  def kind(self) -> str:
    """Of chains, what it reads: the key of `chains.SCORES`."""
    return "history" if self.verifier.reads_history else "alone"

  @property
  def network(self) -> flops.Network:
    """What it adds to each token of the generator."""
    return flops.reward_model(self.verifier)


@dataclasses.dataclass(frozen=True, kw_only=True)
class OutsideJudge:
  """A published verifier on the device, and its folder."""

  reads: engines.Outside

  @property
  def prm(self) -> published.Published:
    """The verifier itself."""
    return self.reads.prm

  @property
  def folder(self) -> pathlib.Path:
    """That it was read from."""
    return self.prm.folder

  @property
  def network(self) -> flops.Network:
    """What it adds to each token: a backbone of its own."""
    return flops.transformer(self.prm.lm.config)

  def reader(self, groups: int, rows: int) -> incremental.Reader:
    """It at work on as many questions, with as many solutions each."""
    return self.reads.reader(groups, rows, jax.jit)


AnyJudge = Judge | OutsideJudge


def load(
  config: ml_collections.ConfigDict, model: generation.Generator
) -> AnyJudge:
  """The config's verifier: a published one where it names a format.

  Raises:
    InputError: as `load_judge`, and as `outside.load`.
  """
  wanted = config.get("prm", {"format": ""})
  if not wanted["format"]:
    return load_judge(config.verifier, model)
  room = {name: wanted[name] for name in ("prompt_tokens", "row_tokens")}
  reads = engines.Outside(prm=outside.load(config), **room)
  return OutsideJudge(reads=reads)


def load_judge(
  path: str, model: generation.Generator, key: str = "config.verifier"
) -> Judge:
  """The verifier at the path that `key` gives, checked against the model."""
  folder = embedded.folder(path, model.folder, key)
  verifier, params = saved.load(folder, saved.origin(model.folder))
  saved.check_fit(verifier, model.lm, model.lm.config.width)
  return Judge(verifier=verifier, params=jax.device_put(params), folder=folder)
