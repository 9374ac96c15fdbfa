"""Questions of runs with pools, and how often each was answered right."""

import ml_collections
import numpy as np

from launch import pooling
from tts_jax import errors, storage
from tts_jax.decode import pools
from tts_jax.store import labels, manifest, pool, run, trajectories
from tts_jax.tasks import tokenization
from tts_jax.train import difficulty
from tts_jax.verify import saved


def load(
  path: str,
  task_name: str,
  tokenizer: tokenization.Tokenizer,
  made_for: saved.Origin,
) -> difficulty.Verdicts:
  """The pool of a run on questions to train on.

  Args:
    path: of a run of launch.build_revisions or launch.label_steps.
    task_name: of the task that its questions must be of.
    tokenizer: of the model.
    made_for: the model whose samples they must be.

  Raises:
    InputError: it is no such run, or not whole.
  """
  folder = storage.at(path)
  made = manifest.read_config(folder / run.CONFIG_FILE)
  made = ml_collections.ConfigDict(made)
  if made.task != task_name:
    raise errors.InputError(
      f"{folder}: its questions are of {made.task}; config.task is {task_name}"
    )
  # Only runs on questions to train on have one of these.
  names = (trajectories.SUMMARY, labels.SUMMARY)
  summary = next((n for n in names if (folder / n).is_file()), names[0])
  saved.check_origin(folder / summary, made_for)
  task, questions = pooling.find_training(made)
  found = pool.load_pool(folder)
  by_id = {question.id: question for question in questions}
  if absent := [one for one in found.question_ids if one not in by_id]:
    raise errors.InputError(
      f"{folder}: question {absent[0]!r} of the pool is none of its task's"
    )
  ids, right = found.question_ids, found.correct
  return difficulty.Verdicts(
    requests=tuple(pools.request(by_id[i], task, tokenizer) for i in ids),
    correct=right.sum(1).astype(np.float32),
    samples=np.full(len(ids), right.shape[1], np.float32),
  )
