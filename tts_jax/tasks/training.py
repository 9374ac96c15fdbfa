"""Questions to train a verifier on: none that results are reported on."""

from tts_jax import errors
from tts_jax.tasks import base, catalogue

SPLITS = ("train", "validation")


def draw(
  name: str, *, split: str, count: int, seed: int
) -> tuple[base.Task, list[base.Question]]:
  """The first questions of a task's endless stream, all of different uids.

  Args:
    name: of a task of the catalogue.
    split: "train" or "validation".
    count: how many.
    seed: of the stream.

  Returns:
    (task, questions).

  Raises:
    InputError: there is no such task or split, or the count is below 1.
  """
  found = catalogue.find(name)
  if split not in SPLITS:
    raise errors.InputError(
      f"config.questions.split {split!r}: must be one of {', '.join(SPLITS)}"
    )
  if count < 1:
    raise errors.InputError(
      f"config.questions.count is {count}; of questions that are made as they"
      " are needed it must be at least 1"
    )
  questions: dict[int, base.Question] = {}
  for _, question in found.stream(split, seed)(0):
    # Of 5,000 ids two have one hash of 32 bits with a chance of 0.3%.
    questions.setdefault(question.uid, question)
    if len(questions) == count:
      break
  return found.task, list(questions.values())
