"""Measures a verifier on a pool: how well it chooses among the samples.

  python -m launch.score --out runs/score --config.questions.count=0

Samples a pool, scores every step of it, and writes verifier.json. Killed and
started again with the same --out it goes on where it was.
"""

from launch import (
  entry,
  forecasts,
  generation,
  judges,
  judging,
  outlook,
  pooling,
  shared_run,
)
from tts_jax.scaling import scored_pool, summary, verifier_summary
from tts_jax.tasks import catalogue

_CONFIG = entry.config_flag("configs/score.py")
_OUT = outlook.out_flag("runs/score", "Folder of the run.")


def main(_: list[str]) -> None:
  """Fills the run's folder and prints its first numbers."""
  config, out = _CONFIG.value, _OUT.value
  task, questions = pooling.find_questions(config)
  given = config, out, len(questions)
  parts = [forecasts.samples(*given), forecasts.scoring(*given)]
  outlook.begin(out, *parts, config=config)
  model = generation.load_generator(config, task)
  judge = judges.load(config, model)
  with shared_run.opened(out, config.to_dict()) as folder:
    pooling.sample_pool(folder, config, task, questions, model)
    judging.score_pool(folder, config, task, questions, model, judge)
    scored = scored_pool.load(folder.path)
    measured = scored_pool.measure(
      scored,
      summary.budgets(config.samples),
      first_wrong=scored_pool.first_wrong_steps(
        folder.path, scored.samples, questions, catalogue.step_judge(task.name)
      ),
      seed=config.seed,
    )
    folder.write_json("verifier.json", measured)
  print(verifier_summary.headline(measured))


if __name__ == "__main__":
  entry.run(main, hosts=True)
