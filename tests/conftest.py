"""Fixtures that several tests share."""

import os
import pathlib

import pytest

_ROOT = pathlib.Path(__file__).parent.parent


@pytest.fixture(scope="session")
def data_dir() -> pathlib.Path:
  path = pathlib.Path(os.environ.get("TTS_DATA", "../shared/data"))
  path = path if path.is_absolute() else _ROOT / path
  if not path.is_dir():
    pytest.skip(f"real data not found at {path}; set TTS_DATA to its folder")
  return path
