"""The TPU's compiler, on a machine without one."""

import importlib.util
import json
import pathlib

import kill_harness
import pytest

from configs import gemma3_1b_skywork_1b5, search
from launch import showing_compiled, slices, topologies
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


@pytest.fixture
def small_pair(tmp_path, monkeypatch):
  """One config for a slice: a pair that ships, with a layer of each model."""
  config = gemma3_1b_skywork_1b5.get_config()
  shapes = pathlib.Path(slices.__file__).parent.parent / "configs" / "shapes"
  for key in ("model", "verifier"):
    folder = tmp_path / pathlib.Path(config[key]).name
    folder.mkdir()
    made = json.loads((shapes / f"{folder.name}.json").read_text())
    made |= {"num_hidden_layers": 1, "layer_types": ["full_attention"]}
    (folder / "config.json").write_text(json.dumps(made))
    config[key] = str(folder)
  monkeypatch.setattr(slices, "named", lambda: [("small", config)])
  return config


@_NEEDED
def test_all_configs_are_compiled_for_their_slices(
  tmp_path, small_pair, capsys, monkeypatch
):
  out = tmp_path / "slices.json"
  found = slices.compile_all(out)
  assert json.loads(out.read_text()) == found
  assert found["small"]["topology"] == small_pair.slice == "v6e:1x1"
  made = found["small"]["programs"]
  names = ["prefill", "decode", "draw", "close", "verify", "follow"]
  assert [one["program"] for one in made] == names
  assert all(one["fits"] for one in made)
  head, _, row = showing_compiled.table(found)
  assert row.startswith("| small | v6e:1x1 | ")
  assert row.count("|") == head.count("|")
  most = max(one["needed"] for one in made) / 1e9
  assert f"{most:.1f} of 32 (" in row
  assert f"| {1e3 * made[1]['step']['seconds']:.2f} |" in row
  # What one chip would hand to another is none.
  assert row.endswith("| none |")

  # Killed after two programs, it goes on with the third; a config that has
  # changed is compiled anew.
  found["small"]["programs"] = made[:2]
  out.write_text(json.dumps(found))
  compiled_now = []

  def measure(job, chip, mesh):
    compiled_now.append(job.name)
    return {"program": job.name, "fits": False, "why": "RESOURCE_EXHAUSTED"}

  monkeypatch.setattr(slices.compiled, "measure", measure)
  told = slices.compile_all(out)
  assert compiled_now == names[2:]
  *_, row = showing_compiled.table(told)
  assert "DOES NOT FIT: draw, close, verify, follow" in row
  compiled_now.clear()
  small_pair.limits.max_tokens = 1024
  slices.compile_all(out)
  assert compiled_now == names


def test_a_config_for_no_slice_needs_a_topology():
  with pytest.raises(errors.InputError, match="slice is empty; give --topol"):
    next(slices.compile_one(search.get_config(), ""))


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
