"""Fixtures that several tests share, and how fast what they run compiles."""

import importlib.metadata
import os
import pathlib

import pytest
import tiny_model

# Most of the tests' time is compiling: what is compiled for them, and for the
# launchers that they start, is left to run slowly. Before JAX starts, which no
# import of these does.
os.environ.setdefault(
  "XLA_FLAGS",
  "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true",
)
_ROOT = pathlib.Path(__file__).parent.parent


@pytest.fixture(scope="session")
def data_dir() -> pathlib.Path:
  path = pathlib.Path(os.environ.get("TTS_DATA", "../shared/data"))
  path = path if path.is_absolute() else _ROOT / path
  if not path.is_dir():
    pytest.skip(f"real data not found at {path}; set TTS_DATA to its folder")
  return path


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> dict[str, str]:
  """Where JAX keeps what it compiled, so that each start is a short one."""
  found = {"JAX_PLATFORMS": "cpu"}
  version = importlib.metadata.version("jaxlib").split(".")
  # Earlier ones complain on stderr of each program that they take from there.
  if [int(part) for part in version[:3]] >= [0, 10, 2]:
    found |= {
      "JAX_COMPILATION_CACHE_DIR": str(tmp_path_factory.mktemp("cache")),
      "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
  return found


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> pathlib.Path:
  """A folder with a tiny model of arithmetic."""
  folder = tmp_path_factory.mktemp("model")
  tiny_model.save(folder)
  return folder
