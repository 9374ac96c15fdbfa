"""Filling the scores of a run's chains of revisions."""

import ml_collections
import tqdm

from launch import generation, judges, judging
from tts_jax.store import chains, run, shards
from tts_jax.verify import chain_scores, histories


def score(
  folder: run.Run,
  config: ml_collections.ConfigDict,
  model: generation.Generator,
  judge: judges.Judge,
  *,
  stage: str,
  of: str = chains.STAGE,
) -> None:
  """Fills scores of a run's chains, with a progress bar.

  Args:
    folder: of the run.
    config: of the run.
    model: whose states the verifier reads.
    judge: the verifier.
    stage: of the scores.
    of: stage of the chains.
  """
  history = judge.verifier.reads_history
  filled = chain_scores.open_stage(
    folder, stage, of, judge.folder, history=history
  )
  drawn = shards.read(folder.path / of, histories.COLUMNS)
  size, batch = len(set(drawn["question_id"].to_pylist())), config.engine.batch
  scorer = judging.scorer(config, model, judge)
  with tqdm.tqdm(total=size, unit="question", desc=stage) as bar:
    for left in chain_scores.fill(
      filled, drawn, scorer, history=history, batch=batch
    ):
      bar.update(size - left - bar.n)
    bar.update(size - bar.n)
