"""Measures samples that somebody else made; no model is needed.

  python -m launch.replay --config.file=completions.jsonl --out runs/replay

Reads JSON lines as search-and-learn writes them, or with other names of fields
(configs/replay.py), grades what is not graded, and writes summary.json and
report.html: pass@k, majority, and where there are scores, best-of-N and its
weighted form by each aggregation, difficulty bins, and policy.json, what is
best at which budget. `python -m launch.figures --run runs/replay` draws it.
Killed and started again with the same --out it goes on. In a notebook:
`tts_jax.store.pool.load_pool("runs/replay")`.
"""

import shlex
import sys

from launch import entry, outlook, replay_findings, replaying
from tts_jax import storage
from tts_jax.report import page, transcripts
from tts_jax.scaling import (
  replay_summary,
  run_summary,
  scored_pool,
  verifier_summary,
)
from tts_jax.scaling import summary as summary_lib
from tts_jax.store import atomic, pool, provenance, run
from tts_jax.tasks import selection

_CONFIG = entry.config_flag("configs/replay.py")
_OUT = outlook.out_flag("runs/replay", "Folder of the run.")
_PAGE = "report.html"


def main(_: list[str]) -> None:
  """Reads, grades and measures."""
  config, seed = _CONFIG.value, _CONFIG.value.seed
  file, task = storage.at(config.file), selection.task(config.task)
  if file.is_file():
    size = f"{file.stat().st_size / 1e6:,.1f} MB of {file}"
    outlook.begin(_OUT.value, outlook.Part("samples", size))
  found = replaying.read(config, task)
  questions = [one.question for one in found]
  with run.Run.open(_OUT.value, config.to_dict()) as folder:
    replaying.fill(folder, file, found, task, batch=config.batch)
    samples, scores = pool.load_pool(folder.path), None
    summary = run_summary.of_pool(
      samples,
      questions,
      None,
      finished=found[0].finished is not None,
      seed=seed,
    )
    summary["commit"] = provenance.commit()
    made_of = atomic.file_hash(file)
    summary["replayed"] = {"file": str(file), "hash": made_of}
    if found[0].scores is not None:
      print("choosing by scores, and what is best at which budget", flush=True)
      scored, by = scored_pool.load(folder.path), config.aggregation
      scores = replay_summary.score(scored, by)
      summary |= replay_findings.tell(folder, scored, by, made_of, seed=seed)
    summary["votes"] = replay_summary.votes(samples, scores, questions, task)
    folder.write_json("summary.json", summary)
    text = page.render(
      summary,
      title=f"Samples of {file.name}",
      settings={
        "command": shlex.join(["python", *sys.argv]),
        "commit": summary["commit"],
        "config hash": folder.config_hash,
        "file": str(file),
        "seed": seed,
      },
      samples=transcripts.read(folder.path, samples, questions),
    )
    atomic.write_bytes(folder.path / _PAGE, text.encode())
  print(summary_lib.headline(summary))
  if scores is not None:
    print(verifier_summary.headline(summary["verifier"]))
  for name, one in summary["votes"].items():
    print(f"{name}: {one['agree']} of {one['questions']} votes as in the file")
  print(folder.path / _PAGE)


if __name__ == "__main__":
  entry.run(main)
