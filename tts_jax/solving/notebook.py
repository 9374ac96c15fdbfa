"""For notebooks: a question, a budget, an answer; and pools of samples.

The one place of the library that compiles, since nobody else would: it is what
a launcher is to the command line.
"""

import dataclasses
import functools
import pathlib
from collections.abc import Sequence

import jax

from tts_jax import errors, storage
from tts_jax.decode import engine as decode_engine
from tts_jax.decode import loop, pools
from tts_jax.model import embedded, huggingface
from tts_jax.scaling import plans, policy_file
from tts_jax.solving import deciding, engines
from tts_jax.solving import solver as solver_lib
from tts_jax.store import pool, run
from tts_jax.tasks import base, jsonl, selection, tokenization
from tts_jax.verify import embedded as verifiers
from tts_jax.verify import saved, saved_difficulty

Path = str | pathlib.Path


def solve(
  question: str | base.Question | Sequence[str | base.Question],
  *,
  budget: float | None = None,
  strategy: plans.Plan | None = None,
  policy: Path | None = None,
  model: Path = "",
  verifier: Path = "",
  revision_model: Path = "",
  revision_verifier: Path = "",
  difficulty: Path = "",
  task: str = embedded.TASK,
  settings: engines.Settings | None = None,
) -> solver_lib.Solved | list[solver_lib.Solved]:
  """Answers a question with a budget, by the strategy that a policy chooses.

  Engines stay compiled for the next call with the same models and settings. A
  list of questions is answered together, and faster than one by one.

  Args:
    question: its text, or a question with its reference answer; or some.
    budget: in generations, or in the policy's unit; None: the strategy's.
    strategy: what to do with every question; None: what the policy says.
    policy: a `policy.json`; None spends all on weighted best-of-N.
    model: a Hugging Face folder; empty is the package's.
    verifier: a verifier's folder; empty is the package's.
    revision_model: as `model`, for strategies that revise.
    revision_verifier: as `verifier`, for them.
    difficulty: a difficulty head's folder, for policies that place questions by
      one; empty is the package's for its own model, "none" is none.
    task: of the catalogue, or "jsonl": states prompts and reads answers.
    settings: limits and sizes; None suits the package's model, and one question
      or many; of one it keeps the trace of a search, for `show`.

  Returns:
    What came out; a list for a sequence.

  Raises:
    errors.InputError: as `solver`; a prompt is too long.

  Example:
    >>> found = tts.solve(
    ...   "A child has 17 toys. His cousin has 3 fewer toys than he has. How"
    ...   " many toys do they have together?",
    ...   budget=2,
    ... )
    >>> len(found.answers), found.spent.generations, found.decision.plan
    (2, 2, Sampled(n=2, choice='best_of_n_weighted'))
  """
  alone = isinstance(question, str | base.Question)
  wanted = [question] if isinstance(question, str | base.Question) else question
  asked = [jsonl.typed(q) if isinstance(q, str) else q for q in wanted]
  if settings is None and not alone:
    settings = engines.Settings()
  found = solver(
    budget=budget,
    strategy=strategy,
    policy=policy,
    model=model,
    verifier=verifier,
    revision_model=revision_model,
    revision_verifier=revision_verifier,
    difficulty=difficulty,
    task=task,
    settings=settings,
  ).solve(asked)
  return found[0] if alone else found


def solver(
  *,
  budget: float | None = None,
  strategy: plans.Plan | None = None,
  policy: Path | None = None,
  model: Path = "",
  verifier: Path = "",
  revision_model: Path = "",
  revision_verifier: Path = "",
  difficulty: Path = "",
  task: str = embedded.TASK,
  settings: engines.Settings | None = None,
) -> solver_lib.Solver:
  """What `solve` asks; `show` needs it to draw a tree or chains.

  Args:
    budget: as of `solve`, as all that follows.
    strategy: likewise.
    policy: likewise.
    model: likewise.
    verifier: likewise.
    revision_model: likewise.
    revision_verifier: likewise.
    difficulty: likewise.
    task: likewise.
    settings: None is one question at a time, with traces.

  Raises:
    errors.InputError: there is neither a budget nor a strategy, or a strategy
      and a policy, or it has another budget; the budget buys nothing or is
      outside the policy's; the policy was made for other models; a folder is
      wrong.

  Example:
    >>> beam = tts.solver(strategy=tts.Beam(n=4, width=2))
    >>> beam.budget, beam.task.name
    (4, 'gsm_symbolic')
  """
  budget = _budget(budget, strategy, policy)
  chosen = None if policy is None else policy_file.load(storage.at(policy))
  deciding.check_budget(budget, chosen)
  own = embedded.folder(str(model), task, key="model")
  judge = verifiers.folder(str(verifier), own, "verifier")
  revising: tuple[pathlib.Path, ...] = ()
  head: pathlib.Path | None = None
  if (
    isinstance(strategy, plans.Revised | plans.RevisedSearch)
    or (chosen is not None and chosen.made_for.revision_model)
    or deciding.needs_revisions(chosen, budget)
  ):
    mender = embedded.folder(
      str(revision_model), task, embedded.REVISION, "revision_model"
    )
    revising = (
      mender,
      verifiers.folder(str(revision_verifier), mender, "revision_verifier"),
    )
  if chosen is not None:
    if chosen.made_for.difficulty_head or deciding.reads_prompts(
      chosen, budget
    ):
      head = verifiers.difficulty(str(difficulty), own)
    here = policy_file.made_for(own, judge, *revising, difficulty_head=head)
    chosen = policy_file.load(storage.at(str(policy)), here)
  sizes = settings or engines.Settings(trace=True).alone()
  return solver_lib.Solver(
    task=selection.task(task),
    engines=_engines((own, judge, *revising), head, sizes),
    budget=budget,
    policy=chosen,
    strategy=strategy,
  )


def _budget(
  budget: float | None, strategy: plans.Plan | None, policy: Path | None
) -> float:
  """That of a strategy, where there is one."""
  if strategy is None:
    if budget is None:
      raise errors.InputError("no budget is given; give budget, or a strategy")
    return budget
  if policy is not None:
    raise errors.InputError("strategy and policy are both given; give one")
  if budget not in (None, strategy.generations):
    raise errors.InputError(
      f"budget is {budget:g}, and the strategy's {strategy.generations}; leave"
      " budget out"
    )
  return strategy.generations


def sample_pool(
  out: Path,
  questions: Sequence[base.Question],
  *,
  samples: int,
  model: Path = "",
  task: str = embedded.TASK,
  settings: engines.Settings | None = None,
) -> pool.Pool:
  """Samples every question, into a run's folder that may be taken up again.

  Args:
    out: the folder.
    questions: Q.
    samples: N, of each.
    model: a Hugging Face folder; empty is the package's.
    task: of the catalogue, or "jsonl": states prompts and reads answers.
    settings: limits and sizes; None suits the package's model.

  Returns:
    The pool, [Q, N].

  Raises:
    errors.InputError: a folder is wrong, or `out` is of other settings; a size
      is below 1; a prompt is too long.

  Example:
    >>> two = tts.shipped_questions()[:2]
    >>> pool = tts.sample_pool("runs/few", two, samples=4)
    >>> pool.correct.shape
    (2, 4)
  """
  sizes = settings or engines.Settings()
  own = embedded.folder(str(model), task, key="model")
  lm, params = huggingface.load(own, "float32")
  tokenizer, of_questions = tokenization.load(own), selection.task(task)
  limits = loop.Limits(
    max_tokens=sizes.max_tokens, end_token=tokenizer.end_tokens
  )
  pools.check_fit(lm.config, tokenizer, sizes.prompt_tokens, limits)
  sample = decode_engine.make(
    jax.device_put(params),
    lm,
    jax.random.key(sizes.seed),
    sampler=sizes.sampler,
    limits=limits,
    groups=sizes.groups,
    rows=sizes.rows,
    samples=samples,
    prompt_tokens=sizes.prompt_tokens,
    steps=sizes.steps,
    compiler=jax.jit,
  )
  config = {"task": task, "samples": samples, "settings": repr(sizes)}
  with run.Run.open(out, config) as folder:
    inputs = pools.inputs_hash(questions, own)
    stage = folder.stage(pool.STAGE, pool.SCHEMA, inputs)
    pool.expect(folder, len(questions))
    for _ in pools.fill(
      stage, questions, sample, of_questions, tokenizer, batch=sizes.groups
    ):
      pass
  return pool.load_pool(folder.path)


def load_models(model: Path = "", verifier: Path = "") -> engines.Models:
  """The model that ships and its verifier, or others, on the device.

  Args:
    model: a Hugging Face folder; empty is the package's.
    verifier: a verifier's folder; empty is the package's.

  Raises:
    errors.InputError: a folder is wrong, or they do not go together.

  Example:
    >>> models = tts.load_models()
    >>> models.tokenizer.vocabulary == models.lm.config.vocabulary
    True
  """
  own = embedded.folder(str(model), embedded.TASK, key="model")
  return _models(own, verifiers.folder(str(verifier), own, "verifier"))


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
