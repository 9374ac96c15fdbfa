"""The main job: the embedded model answers questions it has never seen.

  python -m launch.reproduce --out runs/reproduce
  python -m launch.reproduce --out runs/full --full

Samples a pool, then writes summary.json and report.html, which needs nothing
but a browser. Killed and started again with the same --out it goes on.
"""

import pathlib
import shlex
import sys

from absl import flags

from launch import entry, pooling
from tts_jax.report import page, transcripts
from tts_jax.scaling import summary as summary_lib
from tts_jax.store import atomic, pool, provenance, run

_CONFIG = entry.config_flag("configs/reproduce.py")
_OUT = flags.DEFINE_string("out", "runs/reproduce", "Folder of the run.")
_FULL = flags.DEFINE_bool(
  "full", False, "Take all questions at 256 samples, not the config's subset."
)


def main(_: list[str]) -> None:
  """Samples, summarises, and writes the page."""
  config, out = _CONFIG.value, pathlib.Path(_OUT.value)
  if _FULL.value:
    config.questions.count, config.samples = 0, 256
  with run.Run.open(out, config.to_dict()) as folder:
    usage = pooling.sample_pool(folder, config)
    found = pool.load_pool(out)
    summary = summary_lib.summarise(
      found.answers,
      found.correct,
      summary_lib.budgets(config.samples),
      config.seed,
    )
    summary |= {
      "commit": provenance.commit(),
      "config_hash": folder.config_hash,
      "truncated": float((~found.finished).mean()),
      "tokens_generated": usage.stats.generated,
      "seconds": usage.seconds,
      "row_utilisation": usage.stats.utilisation,
    }
    folder.write_json("summary.json", summary)
    task, questions = pooling.find_questions(config)
    text = page.render(
      summary,
      title=f"Test-time compute on {task.name}",
      settings={
        "command": "python -m launch.reproduce " + shlex.join(sys.argv[1:]),
        "commit": summary["commit"],
        "config hash": folder.config_hash,
        "model": config.model or "the embedded model",
        "sampler": config.sampler.to_json(),
        "seed": config.seed,
      },
      samples=transcripts.read(out, found, questions),
    )
    atomic.write_bytes(out / "report.html", text.encode())
  single, most = summary["pass_at_k"]["1"], str(config.samples)
  print(
    f"pass@1 {single['mean']:.3f} [{single['low']:.3f}, {single['high']:.3f}]  "
    f"majority@{most} {summary['majority_at_k'][most]['mean']:.3f}  "
    f"pass@{most} {summary['pass_at_k'][most]['mean']:.3f}\n"
    f"{out / 'report.html'}"
  )


if __name__ == "__main__":
  entry.run(main)
