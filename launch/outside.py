"""Published verifiers, as launchers load them."""

import dataclasses

import ml_collections

from launch import loading
from tts_jax import errors
from tts_jax.verify import published


def load(config: ml_collections.ConfigDict) -> published.Published:
  """The published verifier that the config names, on the device.

  Raises:
    InputError: the config gives no folder; as `published.load`.
  """
  wanted = config.prm
  if not config.verifier:
    what = f"config.prm.format is {wanted.format!r}"
    raise errors.InputError(f"{what}; give config.verifier, the folder of it")
  how = config.verifier, wanted.format, wanted.dtype or None
  with loading.settings(config, config.verifier) as settings:
    prm = published.load(*how, **settings)
  return dataclasses.replace(prm, params=loading.on_devices(prm.params))
