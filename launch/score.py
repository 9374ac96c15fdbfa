"""Measures a verifier on a pool: how well it chooses among the samples.

  python -m launch.score --out runs/score --config.questions.count=0

Samples a pool, scores every step of it, and writes verifier.json. Killed and
started again with the same --out it goes on where it was.
"""

from absl import flags

from launch import entry, generation, judging, pooling
from tts_jax.scaling import summary, verifier_summary
from tts_jax.store import pool, run, scores

_CONFIG = entry.config_flag("configs/reproduce.py")
_OUT = flags.DEFINE_string("out", "runs/score", "Folder of the run.")


def main(_: list[str]) -> None:
  """Fills the run's folder and prints its first numbers."""
  config, out = _CONFIG.value, _OUT.value
  task, questions = pooling.find_questions(config)
  model = generation.load_generator(config, task)
  judge = judging.load_judge(config, model)
  with run.Run.open(out, config.to_dict()) as folder:
    pooling.sample_pool(folder, config, task, questions, model)
    judging.score_pool(folder, config, task, questions, model, judge)
    found = pool.load_pool(out)
    step_score, step_logprob, step_count = scores.load_scores(
      out, "scores", config.samples
    )
    measured = verifier_summary.summarise(
      question_ids=found.question_ids,
      answers=found.answers,
      correct=found.correct,
      step_score=step_score,
      step_count=step_count,
      logprob=found.logprob,
      step_logprob=step_logprob,
      ks=summary.budgets(config.samples),
      seed=config.seed,
    )
    folder.write_json("verifier.json", measured)
  print(verifier_summary.headline(measured))


if __name__ == "__main__":
  entry.run(main)
