"""The TPU's compiler, on a machine without one."""

import importlib.util
import json

import kill_harness
import pytest

from launch import topologies
from tts_jax import errors

_NEEDED = pytest.mark.skipif(
  importlib.util.find_spec("libtpu") is None, reason="needs the extra tpu-aot"
)
_SMALL = (
  "--config=configs/bench.py",
  "--topology=v5e:2x4",
  "--model=4",
  "--only=decode",
  "--config.model.layers=2",
  "--config.model.heads=16",
  "--config.model.kv_heads=4",
  "--config.model.head_width=128",
  "--config.model.dtype=bfloat16",
  "--config.tokens=256",
)


def _compile(tmp_path, *more):
  out = tmp_path / "told.json"
  command = ("-m", "launch.compile_for_tpu", f"--out={out}", *_SMALL, *more)
  done = kill_harness.run(kill_harness.python(*command), {})
  return done, json.loads(out.read_text()) if out.exists() else None


@_NEEDED
def test_a_decode_step_on_a_slice(tmp_path):
  done, told = _compile(tmp_path, "--config.decode=((4,16,128),)")
  assert done.returncode == 0, done.stderr
  assert told["mesh"] == {"data": 2, "fsdp": 1, "model": 4}
  (one,) = told["programs"]
  assert one["fits"]
  assert one["copies"] == []
  # Rows of each half of the questions, keys and values of each quarter.
  rows, prompt = 2 * 16 * 256, 2 * 128
  assert one["aliased"] >= 2 * 2 * (rows + prompt) * 128 * 2
  assert one["aliased"] < 1.2 * 2 * 2 * (rows + prompt) * 128 * 2
  activations = 32 * 512 * 2
  inside = [each for each in one["collectives"] if each["in_loop"]]
  assert inside
  for each in inside:
    if each["kind"] == "all-gather":
      # Sums of blocks of the vocabulary, not the logits.
      assert each["bytes"] <= activations
    else:
      assert each["bytes"] <= 2 * activations
  step = one["step"]
  assert 0 < step["floor"] <= step["overlapped"] <= step["seconds"]
  assert "0 in the loop" in done.stdout
  assert "not to be trusted" in done.stdout


@_NEEDED
def test_what_does_not_fit_is_said(tmp_path):
  done, told = _compile(
    tmp_path, "--config.decode=((512,64,1024),)", "--config.tokens=8192"
  )
  assert done.returncode == 1, done.stderr
  assert "does not fit v5e:2x4: decode" in done.stderr
  assert not told["programs"][0]["fits"]


@_NEEDED
@pytest.mark.parametrize(
  ("topology", "said"),
  [("v5e:3x3", "v5e:3x3"), ("v5e:2x2", "do not split over 1 x 8")],
)
def test_slices_that_there_are_not(topology, said):
  with pytest.raises(errors.InputError, match=said):
    topologies.mesh(topology, {"model": 8})


def test_chips_that_are_not_known():
  with pytest.raises(errors.InputError, match="be a chip of v5e, v5p, v6e"):
    topologies.mesh("h100:2x2", {})
