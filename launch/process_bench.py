"""Measures how well a verifier finds the first wrong step: ProcessBench.

  python -m launch.process_bench --out runs/process_bench \
      --config.files="('gsm8k.json','math.json')" \
      --config.verifier=Qwen2.5-Math-PRM-7B --config.prm.format=qwen_math

Reads files of huggingface.co/datasets/Qwen/ProcessBench or alike, scores every
step of their solutions, and says that the first step below a threshold is
wrong. The first file, or --config.choosing=NAME, chooses the threshold for the
others, and is itself measured by halves that choose for each other;
--config.threshold=0.5 chooses none. Without --config.prm.format the verifier is
of this project's own making. Writes summary.json. Killed and started again with
the same --out it goes on; other files, and another threshold, go there too.
"""

import pathlib

from absl import flags

from launch import entry, step_judging
from tts_jax import errors
from tts_jax.scaling import processbench, processbench_summary
from tts_jax.store import provenance, run, step_scores
from tts_jax.tasks import processbench as files_lib

_CONFIG = entry.config_flag("configs/process_bench.py")
_OUT = flags.DEFINE_string("out", "runs/process_bench", "Folder of the run.")
# What is made of scores, and does not change them.
_LATER = ("files", "choosing", "threshold", "seed")


def main(_: list[str]) -> None:
  """Reads, scores and measures."""
  config, seed = _CONFIG.value, _CONFIG.value.seed
  files = _files(config.files)
  choosing = processbench_summary.choosing_file(
    list(files), config.choosing, config.threshold, seed
  )
  found = {name: files_lib.read(path) for name, path in files.items()}
  problem = {name: files_lib.problems(mine) for name, mine in found.items()}
  label = {name: files_lib.labels(mine) for name, mine in found.items()}
  if choosing is not None:
    of = label[choosing], problem[choosing]
    processbench_summary.check(*of, name=str(files[choosing]), seed=seed)
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
  print(processbench_summary.headline(summary))


def _files(paths: tuple[str, ...]) -> dict[str, pathlib.Path]:
  """Files by their names, or an InputError."""
  if not any(paths):
    raise errors.InputError(
      "no file is given; give --config.files=\"('FILE',)\""
    )
  files = {pathlib.Path(path).stem: pathlib.Path(path) for path in paths}
  if len(files) != len(paths):
    raise errors.InputError(
      f"config.files has {len(paths)} files of {len(files)} names; their names,"
      " without the endings, must differ"
    )
  return files


if __name__ == "__main__":
  entry.run(main)
