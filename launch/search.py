"""Searches against a verifier: every method at every budget, as curves.

  python -m launch.search --out runs/search
  python -m launch.search --out runs/beam --config.questions.count=50 \
      --config.search.methods='("beam_4",)' --config.search.budgets='(4, 16)'

Samples a pool, scores it, searches, and writes summary.json. Killed and started
again with the same --out it goes on. In a notebook:
`tts_jax.store.searches.load_searches("runs/search")`.
"""

from absl import flags

from launch import entry, generation, judging, pooling, searching
from tts_jax.decode import pools
from tts_jax.scaling import scored_pool, search_summary, verifier_summary
from tts_jax.scaling import summary as summary_lib
from tts_jax.store import run
from tts_jax.tasks import catalogue

_CONFIG = entry.config_flag("configs/search.py")
_OUT = flags.DEFINE_string("out", "runs/search", "Folder of the run.")


def main(_: list[str]) -> None:
  """Fills the run's folder and prints its first numbers."""
  config, out = _CONFIG.value, _OUT.value
  task, questions = pooling.find_questions(config)
  summary_lib.check(len(questions), config.samples, config.seed)
  model = generation.load_generator(config, task)
  judge = judging.load_judge(config, model)
  loaded = task, questions, model
  with run.Run.open(out, config.to_dict()) as folder:
    pooling.sample_pool(folder, config, *loaded)
    judging.score_pool(folder, config, *loaded, judge)
    searching.sweep_searches(folder, config, *loaded, judge)
    scored, seed = scored_pool.load(out), config.seed
    budgets = summary_lib.budgets(config.samples)
    prompts = [
      len(pools.request(question, task, model.tokenizer).tokens)
      for question in questions
    ]
    summary = search_summary.summarise(
      out,
      scored,
      prompts,
      budgets,
      search_summary.count_flops(model.lm.config, judge.verifier.config),
      seed=seed,
    )
    wrong = scored_pool.first_wrong_steps(
      out, scored.samples, questions, catalogue.step_judge(task.name)
    )
    summary["verifier"] = scored_pool.measure(
      scored, budgets, first_wrong=wrong, seed=seed
    )
    folder.write_json("summary.json", summary)
  both = {**summary["verifier"], "curves": summary["curves"]}
  print(verifier_summary.headline(both))


if __name__ == "__main__":
  entry.run(main)
