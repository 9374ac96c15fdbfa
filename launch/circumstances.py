"""Under what circumstances figures were taken."""

import dataclasses
import datetime
import os
import pathlib
import platform
from collections.abc import Mapping
from typing import Any

import jax

from tts_jax.scaling import roofline
from tts_jax.store import provenance


def told(machines: Mapping[str, roofline.Machine]) -> dict[str, Any]:
  """What figures stand for: where, when and by which code they were taken.

  Args:
    machines: of each dtype of products, what was measured.
  """
  return {
    "date": datetime.date.today().isoformat(),
    "commit": provenance.commit(),
    "jax": jax.__version__,
    "machine": {
      "processor": _processor(),
      "cores": os.cpu_count(),
      "devices": [device.device_kind for device in jax.devices()],
      **{name: dataclasses.asdict(one) for name, one in machines.items()},
    },
  }


def _processor() -> str:
  told = pathlib.Path("/proc/cpuinfo")
  lines = told.read_text().splitlines() if told.exists() else []
  names = [line.partition(":")[2] for line in lines if "model name" in line]
  return names[0].strip() if names else platform.machine()
