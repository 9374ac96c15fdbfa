"""`tts_jax.solve`: a question, a budget, an answer.

The one place of the library that compiles, since nobody else would: it is what
a launcher is to the command line.
"""

import dataclasses
import functools
import pathlib
from collections.abc import Sequence

import jax

from tts_jax.model import embedded, huggingface
from tts_jax.scaling import policy_file
from tts_jax.solving import deciding, engines, solver
from tts_jax.tasks import base, jsonl, selection, tokenization
from tts_jax.verify import embedded as verifiers
from tts_jax.verify import saved, saved_difficulty

Path = str | pathlib.Path


def solve(
  question: str | base.Question | Sequence[str | base.Question],
  *,
  budget: float,
  policy: Path | None = None,
  model: Path = "",
  verifier: Path = "",
  revision_model: Path = "",
  revision_verifier: Path = "",
  difficulty: Path = "",
  task: str = embedded.TASK,
  settings: engines.Settings | None = None,
) -> solver.Solved | list[solver.Solved]:
  """Answers a question with a budget, by the strategy that a policy chooses.

  ```python
  import tts_jax

  found = tts_jax.solve(
    "A child has 17 toys. His cousin has 3 fewer toys than he has. How many"
    " toys do they have together?",
    budget=16,
  )
  found.answer, found.score, found.share, found.spent.generations
  print(found.decision.why)
  ```

  Engines stay compiled for the next call with the same models and settings. A
  list of questions is answered together, and faster than one by one.

  Args:
    question: its text, or a question with its reference answer; or some.
    budget: in generations, or in the policy's unit.
    policy: a `policy.json`; None spends all on weighted best-of-N.
    model: a Hugging Face folder; empty is the package's.
    verifier: a verifier's folder; empty is the package's.
    revision_model: as `model`, for strategies that revise.
    revision_verifier: as `verifier`, for them.
    difficulty: a difficulty head's folder, for policies that place questions by
      one; empty is the package's for its own model, "none" is none.
    task: of the catalogue, or "jsonl": states prompts and reads answers.
    settings: limits and sizes; None suits the package's model, and one question
      or many.

  Returns:
    What came out; a list for a sequence.

  Raises:
    errors.InputError: the budget buys nothing or is outside the policy's; the
      policy was made for other models; a prompt is too long; a folder is wrong.
  """
  alone = isinstance(question, str | base.Question)
  wanted = [question] if isinstance(question, str | base.Question) else question
  asked = [jsonl.typed(q) if isinstance(q, str) else q for q in wanted]
  chosen = None if policy is None else policy_file.load(pathlib.Path(policy))
  deciding.check_budget(budget, chosen)
  own = embedded.folder(str(model), task, key="model")
  judge = verifiers.folder(str(verifier), own, "verifier")
  revising: tuple[pathlib.Path, ...] = ()
  head: pathlib.Path | None = None
  if chosen is not None:
    if chosen.made_for.revision_model or deciding.needs_revisions(
      chosen, budget
    ):
      mender = embedded.folder(
        str(revision_model), task, embedded.REVISION, "revision_model"
      )
      revising = (
        mender,
        verifiers.folder(str(revision_verifier), mender, "revision_verifier"),
      )
    if chosen.made_for.difficulty_head or deciding.reads_prompts(
      chosen, budget
    ):
      head = verifiers.difficulty(str(difficulty), own)
    here = policy_file.made_for(own, judge, *revising, difficulty_head=head)
    chosen = policy_file.load(pathlib.Path(str(policy)), here)
  sizes = settings or engines.Settings()
  if alone and settings is None:
    sizes = sizes.alone()
  compiled = _engines((own, judge, *revising), head, sizes)
  found = solver.Solver(
    task=selection.task(task),
    engines=compiled,
    budget=budget,
    policy=chosen,
  ).solve(asked)
  return found[0] if alone else found


@functools.lru_cache(maxsize=4)
def _engines(
  folders: tuple[pathlib.Path, ...],
  head: pathlib.Path | None,
  settings: engines.Settings,
) -> engines.Engines:
  """Of a model and its verifier, and of a revision model and its own."""
  models = _models(*folders[:2])
  if head is not None:
    found, params = saved_difficulty.load(head, saved.origin(folders[0]))
    saved_difficulty.check_fit(found, models.lm.config)
    params = jax.device_put(params)
    models = dataclasses.replace(models, head=found, head_params=params)
  if folders[2:]:
    models = dataclasses.replace(models, reviser=_models(*folders[2:]))
  return engines.make(models, settings, jax.jit)


def _models(model: pathlib.Path, judge: pathlib.Path) -> engines.Models:
  lm, params = huggingface.load(model, "float32")
  verifier, verifier_params = saved.load(judge, saved.origin(model))
  saved.check_fit(verifier, lm, lm.config.width)
  return engines.Models(
    lm=lm,
    params=jax.device_put(params),
    tokenizer=tokenization.load(model),
    verifier=verifier,
    verifier_params=jax.device_put(verifier_params),
  )
