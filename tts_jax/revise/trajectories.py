"""What a model learns revisions from: wrong answers, then a right one.

Of a question's independent samples, each right one is the end of a trajectory;
before it stand n ~ U{0 ... 4} wrong ones. The last of these is the one nearest
to the right answer by edit distance, so that there is something to keep and
something to mend; the others are random (Snell et al. 2024, section 6.1).
"""

import collections
import dataclasses
from collections.abc import Sequence

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from tts_jax import errors

# Of wrong answers before the right one.
MOST = 4


@dataclasses.dataclass(frozen=True)
class Trajectory:
  """A right answer and the wrong ones that it revises, as a question's samples.

  Attributes:
    context: samples that are wrong, in the order in which they are shown.
    target: the sample that is right.
  """

  context: tuple[int, ...]
  target: int


def build(
  texts: Sequence[str],
  verdicts: Sequence[str],
  *,
  uid: int,
  seed: int = 0,
  most: int = MOST,
) -> list[Trajectory]:
  """A trajectory for each right sample of a question.

  A question whose samples are all wrong has none; one whose samples are all
  right has trajectories without context. Each draws from a stream of its own:
  it depends on the seed, the question, the target and the wrong samples alone.

  Args:
    texts: [N], the samples.
    verdicts: [N], "correct", "wrong" or "ungradable"; samples of the last kind
      state no answer and stand nowhere.
    uid: the question's.
    seed: of the draws.
    most: wrong answers before a right one.

  Returns:
    In the order of their targets.

  Raises:
    InputError: `most` or `seed` is below 0.
  """
  for name, value in (("most", most), ("seed", seed)):
    if value < 0:
      raise errors.InputError(f"{name} is {value}; it must be at least 0")
  wrong = [i for i, verdict in enumerate(verdicts) if verdict == "wrong"]
  right = [i for i, verdict in enumerate(verdicts) if verdict == "correct"]
  # [right, wrong] edits of a character.
  distance = process.cdist(
    [texts[i] for i in right],
    [texts[i] for i in wrong],
    scorer=Levenshtein.distance,
  )
  found = []
  for target, edits in zip(right, distance, strict=True):
    rng = np.random.default_rng([seed, uid, target])
    count = min(int(rng.integers(most + 1)), len(wrong))
    context: tuple[int, ...] = ()
    if count:
      nearest = int(edits.argmin())
      others = [each for i, each in enumerate(wrong) if i != nearest]
      drawn = rng.permutation(len(others))[: count - 1]
      context = (*(others[i] for i in drawn), wrong[nearest])
    found.append(Trajectory(context, target))
  return found


def count(
  questions: Sequence[Sequence[str]], most: int = MOST
) -> dict[str, int]:
  """What a pool offers, in questions and samples, ready for JSON.

  Args:
    questions: the verdicts of each question's samples, as for `build`.
    most: wrong answers before a right one.

  Returns:
    Questions, those without a right sample (they have no trajectory), those
    without a wrong one (theirs have no context), those with fewer wrong samples
    than `most`, and samples that state no answer.
  """
  total = collections.Counter[str]()
  for verdicts in questions:
    seen = collections.Counter(verdicts)
    total["questions"] += 1
    total["without_correct"] += not seen["correct"]
    total["without_wrong"] += not seen["wrong"]
    total["few_wrong"] += 0 < seen["wrong"] < most
    total["samples_ungradable"] += seen["ungradable"]
    total["trajectories"] += seen["correct"]
  return dict(total)
