"""What samples that somebody else made say with their scores."""

from typing import Any

from tts_jax.scaling import (
  flops,
  optimal_summary,
  policy_file,
  policy_making,
  replay_summary,
  run_summary,
  scored_pool,
)
from tts_jax.store import run


def tell(
  folder: run.Run,
  scored: scored_pool.ScoredPool,
  aggregation: str,
  file_hash: str,
  *,
  seed: int,
) -> dict[str, Any]:
  """Measures a scored pool, and writes the policies that it gives.

  They choose between majority, best-of-N and its weighted form, in generations:
  without a model nothing is known of FLOPs.

  Args:
    folder: of the run.
    scored: its pool with scores.
    aggregation: of `verifier_summary.AGGREGATIONS`.
    file_hash: of the file, for whose samples the policies are.
    seed: of random subsets and of the resampling.

  Returns:
    What `run_summary.of_scores` has, `difficulty` and `policy`.
  """
  score = replay_summary.score(scored, aggregation)
  made = replay_summary.measure(scored, score, seed=seed)
  told = run_summary.of_scores(scored, made, seed=seed)
  questions, samples = score.shape
  absent = optimal_summary.obstacle(questions, samples, made.few)
  if absent:
    lacks = {"absent": absent}
    return {**told, "difficulty": lacks, "policy": lacks}
  evidence = optimal_summary.gather(made, flops.unknown)
  here = policy_file.MadeFor(
    tokenizer="", model="", verifier="", samples=file_hash
  )
  budgets = list(made.budgets)
  policies = policy_making.files(evidence, here, budgets, seed=seed)
  for name, policy in policies.items():
    policy_file.write(folder.path / name, policy)
  correct = scored.samples.correct
  return told | optimal_summary.summarise(evidence, correct, budgets, seed=seed)
