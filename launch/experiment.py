"""A whole experiment: pool, scores, searches, and what is told of them.

The folder of the run gets summary.json, report.html and, where a verifier
searched, trees.html.
"""

import shlex
import sys

import ml_collections

from launch import (
  generation,
  judging,
  mending,
  planning,
  pooling,
  searching,
  trees,
)
from tts_jax.decode import pools
from tts_jax.report import page, transcripts
from tts_jax.scaling import run_summary, search_summary, verifier_summary
from tts_jax.scaling import summary as summary_lib
from tts_jax.store import atomic, pool, run
from tts_jax.tasks import catalogue
from tts_jax.verify import saved

_REPORT = "report.html"


def perform(config: ml_collections.ConfigDict, out: str) -> None:
  """Fills the run's folder, writes its pages and prints its first numbers."""
  task, questions = pooling.find_questions(config)
  summary_lib.check(len(questions), config.samples, config.seed)
  planning.cells(config)
  cell = planning.tree(config)
  model, judge = generation.load_generator(config, task), None
  if config.verifier != "none":
    judge = judging.load_judge(config.verifier, model)
  reviser = None if judge is None else mending.load(config, task)
  loaded, seed = (task, questions, model), config.seed
  links = {"search trees": trees.PAGE} if judge else {}
  links |= {"chains of revisions": mending.PAGE} if reviser else {}
  with run.Run.open(out, config.to_dict()) as folder:
    usage = pooling.sample_pool(folder, config, *loaded)
    if judge is not None:
      judging.score_pool(folder, config, *loaded, judge)
      searching.sweep_searches(folder, config, *loaded, judge)
    samples = pool.load_pool(folder.path)
    summary = run_summary.of_pool(samples, questions, usage, seed=seed)
    summary["config_hash"] = folder.config_hash
    if judge is not None:
      summary |= run_summary.of_searches(
        folder.path,
        questions,
        pools.prompt_lengths(questions, task, model.tokenizer),
        search_summary.count_flops(model.lm.config, judge.verifier.config),
        catalogue.step_judge(task.name),
        seed=seed,
      )
      summary["verifier"]["regimes"] = saved.regimes(judge.folder)
      if reviser is not None:
        found = mending.fill(folder, config, *loaded, judge, reviser, _REPORT)
        summary["revisions"] = found
      trees.write(
        folder, cell, config, *loaded, judge, samples=samples, back=_REPORT
      )
    folder.write_json("summary.json", summary)
    text = page.render(
      summary,
      title=f"Test-time compute on {task.name}",
      settings={
        "command": shlex.join(["python", *sys.argv]),
        "commit": usage.commit,
        "config hash": folder.config_hash,
        "model": config.model or "the embedded model",
        "verifier": config.verifier or "the embedded verifier",
        "sampler": config.sampler.to_json(),
        "seed": seed,
      },
      samples=transcripts.read(folder.path, samples, questions),
      links=links,
    )
    atomic.write_bytes(folder.path / _REPORT, text.encode())
  print(summary_lib.headline(summary))
  if judge is not None:
    both = {**summary["verifier"], "curves": summary["curves"]}
    print(verifier_summary.headline(both))
  print(folder.path / _REPORT)
