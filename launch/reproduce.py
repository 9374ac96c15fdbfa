"""The main job: the embedded model answers questions it has never seen.

  python -m launch.reproduce
  python -m launch.reproduce --full

Samples a pool, then writes summary.json and report.html, which needs nothing
but a browser. Killed and started again with the same --out it goes on.
"""

import pathlib
import shlex
import sys

from absl import flags

from launch import entry, generation, pooling
from tts_jax.report import page, transcripts
from tts_jax.scaling import summary as summary_lib
from tts_jax.store import atomic, pool, run
from tts_jax.tasks import base

_CONFIG = entry.config_flag("configs/reproduce.py")
_OUT = flags.DEFINE_string(
  "out", None, "Folder of the run; by default runs/reproduce, or runs/full."
)
_FULL = flags.DEFINE_bool(
  "full", False, "Take all questions at 256 samples, not the config's subset."
)


def main(_: list[str]) -> None:
  """Samples, summarises, and writes the page."""
  config = _CONFIG.value
  if _FULL.value:
    config.questions.count, config.samples = 0, 256
  default = "runs/full" if _FULL.value else "runs/reproduce"
  out = pathlib.Path(_OUT.value or default)
  task, questions = pooling.find_questions(config)
  summary_lib.check(len(questions), config.samples, config.seed)
  model = generation.load_generator(config, task)
  with run.Run.open(out, config.to_dict()) as folder:
    usage = pooling.sample_pool(folder, config, task, questions, model)
    found = pool.load_pool(out)
    budgets = summary_lib.budgets(config.samples)
    summary = summary_lib.summarise(
      found.answers, found.correct, budgets, config.seed
    )
    summary |= {
      "groups": summary_lib.by_group(
        found.correct,
        [base.group(question) for question in questions],
        budgets,
        config.seed,
      ),
      "verdicts": found.verdicts(),
      "truncated": int((~found.finished).sum()),
      "commit": usage.commit,
      "config_hash": folder.config_hash,
      "tokens_generated": usage.stats.generated,
      "seconds": usage.seconds,
      "row_utilisation": usage.stats.utilisation,
    }
    folder.write_json("summary.json", summary)
    text = page.render(
      summary,
      title=f"Test-time compute on {task.name}",
      settings={
        "command": "python -m launch.reproduce " + shlex.join(sys.argv[1:]),
        "commit": usage.commit,
        "config hash": folder.config_hash,
        "model": config.model or "the embedded model",
        "sampler": config.sampler.to_json(),
        "seed": config.seed,
      },
      samples=transcripts.read(out, found, questions),
    )
    atomic.write_bytes(out / "report.html", text.encode())
  print(summary_lib.headline(summary))
  print(out / "report.html")


if __name__ == "__main__":
  entry.run(main)
