"""Measures how well a verifier finds the first wrong step: ProcessBench.

  python -m launch.process_bench --out runs/process_bench \
      --config.files="('gsm8k.json','math.json')" \
      --config.verifier=Qwen2.5-Math-PRM-7B --config.prm.format=qwen_math

Reads files of huggingface.co/datasets/Qwen/ProcessBench or alike, scores every
step of their solutions, and says that the first step below a threshold is
wrong. The first file, or --config.choosing=NAME, chooses the threshold for the
others, and is itself measured by halves that choose for each other;
--config.threshold=0.5 chooses none. Without --config.prm.format the verifier is
of this project's own making. Writes summary.json and report.html. Killed and
started again with the same --out it goes on; other files, and another
threshold, go there too.
"""

import shlex
import sys

from launch import entry, forecasts, outlook, step_judging
from tts_jax.report import processbench_page
from tts_jax.scaling import processbench, processbench_summary
from tts_jax.store import atomic, provenance, run, step_scores
from tts_jax.tasks import processbench as files_lib

_CONFIG = entry.config_flag("configs/process_bench.py")
_OUT = outlook.out_flag("runs/process_bench", "Folder of the run.")
# What is made of scores, and does not change them.
_LATER = ("files", "choosing", "threshold", "seed")
_PAGE = "report.html"


def main(_: list[str]) -> None:
  """Reads, scores and measures."""
  config, seed = _CONFIG.value, _CONFIG.value.seed
  files = files_lib.by_name(config.files)
  choosing = processbench_summary.choosing_file(
    list(files), config.choosing, config.threshold, seed
  )
  found = {name: files_lib.read(path) for name, path in files.items()}
  problem = {name: files_lib.problems(mine) for name, mine in found.items()}
  label = {name: files_lib.labels(mine) for name, mine in found.items()}
  if choosing is not None:
    of = label[choosing], problem[choosing]
    processbench_summary.check(*of, name=str(files[choosing]), seed=seed)
  parts = [forecasts.solutions(config, sum(map(len, found.values())))]
  outlook.begin(_OUT.value, *parts, config=config)
  made = step_judging.scorer(config)
  kept = {k: v for k, v in config.to_dict().items() if k not in _LATER}
  with run.Run.open(_OUT.value, kept) as folder:
    scored, tokens = {}, {}
    for name, mine in found.items():
      step_judging.fill(folder, files[name], mine, made, batch=config.batch)
      score, count, tokens[name] = step_scores.load(
        folder.path, name, [one.id for one in mine]
      )
      scored[name] = processbench.Scored(
        step_score=score,
        step_count=count,
        label=label[name],
        problem=problem[name],
      )
    summary = processbench_summary.summarise(
      scored, choosing=choosing, threshold=config.threshold, seed=seed
    )
    for name, one in summary["subsets"].items():
      one |= {"file": str(files[name]), "tokens_read": tokens[name]}
    summary |= {"commit": provenance.commit(), "seed": seed}
    folder.write_json("summary.json", summary)
    text = processbench_page.render(
      summary,
      title="First wrong steps, as ProcessBench measures them",
      settings={
        "command": shlex.join(["python", *sys.argv]),
        "commit": summary["commit"],
        "config hash": folder.config_hash,
        "verifier": config.verifier or "the embedded verifier",
        "format": config.prm.format or "the generator's tokens",
        "seed": seed,
      },
    )
    atomic.write_bytes(folder.path / _PAGE, text.encode())
  print(processbench_summary.headline(summary))
  print(folder.path / _PAGE)


if __name__ == "__main__":
  entry.run(main)
