"""Compiling every config for the slice that it names."""

import importlib
import importlib.metadata
import pathlib
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import ml_collections

from launch import compiled, programs, showing_compiled, topologies
from tts_jax import errors, json_input
from tts_jax.store import atomic, manifest

_CONFIGS = pathlib.Path(__file__).parent.parent / "configs"
_MADE_WITH = ("jax", "libtpu")


def named() -> Iterator[tuple[str, ml_collections.ConfigDict]]:
  """Names of the configs that are for a slice, and what they give."""
  for path in sorted(_CONFIGS.glob("[!_]*.py")):
    module = importlib.import_module(f"configs.{path.stem}")
    make = getattr(module, "get_config", ml_collections.ConfigDict)
    if (config := make()).get("slice", ""):
      yield path.stem, config


def compile_one(
  config: ml_collections.ConfigDict,
  topology: str,
  *,
  model: int = 0,
  only: Collection[str] = (),
  known: Sequence[dict[str, Any]] = (),
) -> Iterator[dict[str, Any]]:
  """Compiles a config's programs one by one, and prints what each takes.

  Args:
    config: of a run.
    topology: such as v5e:2x4; empty: the slice that the config names.
    model: chips over which heads are split; 0: as the config says.
    only: names of the programs to compile; empty: all.
    known: what was found of some before.

  Yields:
    What is found so far.

  Raises:
    InputError: no topology is given, or none that there is.
  """
  name = topology or config.get("slice", "")
  if not name:
    raise errors.InputError(
      "config.slice is empty; give --topology, such as v5e:2x4"
    )
  chip, lm = topologies.chip(name), programs.model(config)
  mesh = topologies.mesh(name, programs.axes(config, model))
  told = [*known]
  whole = {"topology": name, "mesh": dict(mesh.shape), "programs": told}
  skipped = {one["program"] for one in known}
  for job in programs.jobs(config, lm, mesh):
    if job.name not in skipped and (not only or job.name in only):
      told.append(compiled.measure(job, chip, mesh))
      print(*showing_compiled.lines(told[-1]), sep="\n", flush=True)
      yield whole
  yield whole


def compile_all(out: pathlib.Path | None) -> dict[str, Any]:
  """Compiles every config that names a slice.

  Args:
    out: JSON file of what is found; what it has of the same config and
      compiler is not compiled again.

  Returns:
    What `compile_one` gives, by config.
  """
  found = json_input.read_object(out) if out and out.exists() else {}
  made_with = {name: importlib.metadata.version(name) for name in _MADE_WITH}
  for name, config in named():
    made_of = manifest.config_hash({**config.to_dict(), **made_with})
    if found.get(name, {}).get("made_of") != made_of:
      found[name] = {"made_of": made_of, **made_with, "programs": []}
    print(f"{name}, for {config.slice}", flush=True)
    for told in compile_one(config, "", known=found[name]["programs"]):
      found[name] |= told
      if out:
        atomic.write_json(out, found)
  return {name: found[name] for name, _ in named()}
