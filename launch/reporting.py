"""The page of an experiment."""

import shlex
import sys
from collections.abc import Mapping
from typing import Any

import ml_collections

from tts_jax.decode import usage
from tts_jax.report import page, transcripts
from tts_jax.store import atomic, pool, run
from tts_jax.tasks import base

PAGE = "report.html"


def write(
  folder: run.Run,
  config: ml_collections.ConfigDict,
  task: base.Task,
  questions: list[base.Question],
  samples: pool.Pool,
  summary: Mapping[str, Any],
  spent: usage.Usage,
  links: Mapping[str, str],
) -> None:
  """Writes the run's page; `links` has the others', by name."""
  shipped = summary["shipped"]
  text = page.render(
    summary,
    title=f"Test-time compute on {task.name}",
    settings={
      "command": shlex.join(["python", *sys.argv]),
      "commit": spent.commit,
      **({"shipped": ", ".join(shipped["stages"])} if shipped else {}),
      "config hash": folder.config_hash,
      "model": config.model or "the embedded model",
      "verifier": config.verifier or "the embedded verifier",
      "sampler": config.sampler.to_json(),
      "seed": config.seed,
    },
    samples=transcripts.read(folder.path, samples, questions),
    links=links,
  )
  atomic.write_bytes(folder.path / PAGE, text.encode())
