"""Every launcher's stage at a size of seconds, and what each of them needs."""

import dataclasses
import json
import pathlib
from collections.abc import Iterable, Mapping

import answering_model
import kill_harness
import made_policies
import revise_command
import search_command

from tts_jax.scaling import plans, policy_file
from tts_jax.search import strategies
from tts_jax.tasks import arithmetic

_MODEL = ("--config.task=arithmetic", "--config.model={given}/model")
_ENGINE = (
  "--config.limits.prompt_tokens=32",
  "--config.limits.max_tokens=24",
  "--config.engine.groups=2",
  "--config.engine.rows=4",
  "--config.engine.steps=8",
)
_VERIFIER = "--config.verifier={given}/verifier"
# Enough to be killed amid the work, and not only before it.
_MORE = ("--config.questions.count=60", "--config.samples=16")
_SMALL = (*search_command.SMALL, *_MORE, _MODEL[1], _VERIFIER)
_SEARCH = (*search_command.SEARCH, _MODEL[1], _VERIFIER)
_LABELS = (
  *_MODEL,
  *_ENGINE,
  "--config.questions.count=40",
  "--config.samples=6",
  "--config.rollouts=16",
  "--config.engine.batch=2",
)
_BUILD = (
  *_MODEL,
  *_ENGINE,
  "--config.questions.count=24",
  "--config.samples=32",
  "--config.engine.batch=3",
  "--config.natural=0.5",
  "--config.room=0",
)
_HELD_OUT = "--config.questions.split=validation"
_TRAIN = (
  "--config.data.rows=2",
  "--config.optimizer.warmup=2",
  "--config.schedule.steps=24",
  "--config.schedule.validate_every=4",
  "--config.schedule.patience=99",
)

# Never the same twice: what was done, the work that a kill lost included, and
# how long it took; pages that show it; and orbax's notes of when it saved.
_TIMED = ("usage.json", "report.html", "checkpoints", "best")
_TIMED_KEYS = ("seconds", "row_utilisation", "tokens_generated")


@dataclasses.dataclass(frozen=True)
class Stage:
  """A launcher's run.

  Attributes:
    launcher: a module of `launch`.
    flags: "{given}" is the folder of models, "{NAME}" that of a whole run.
    needs: names of the stages whose whole runs it reads.
    out: what its `--out` is below the folder of the run.
  """

  launcher: str
  flags: tuple[str, ...]
  needs: tuple[str, ...] = ()
  out: str = ""

  def arguments(self, out: pathlib.Path, places: Mapping[str, str]) -> list:
    """Those of its command, where its own run is in the folder `out`."""
    own = f"--out={out / self.out}"
    return [own, *(flag.format(**places) for flag in self.flags)]


STAGES = {
  "sample": Stage("sample", _SMALL[:-1]),
  "score": Stage("score", _SMALL),
  "search": Stage("search", _SEARCH),
  "revise": Stage("revise", (*revise_command.FLAGS, _MORE[0], _MODEL[1])),
  "label_steps": Stage("label_steps", _LABELS),
  "build_revisions": Stage("build_revisions", _BUILD),
  "train_lm": Stage(
    "train_lm",
    (
      *("--config=configs/train_arithmetic.py", *_TRAIN),
      "--config.model.width=16",
      "--config.model.layers=1",
      "--config.model.mlp_width=16",
      "--config.schedule.log_every=1",
      "--config.validation.batches=1",
      "--config.tokenizer.count=50",
    ),
  ),
  "train_verifier": Stage(
    "train_verifier",
    (
      *(*_MODEL, *_TRAIN),
      "--config.labels={label_steps}",
      "--config.held_out={labels_held_out}",
      "--config.data.length=128",
      "--config.head.layers=1",
      "--config.head.width=16",
      "--config.head.tap=1",
      "--config.head.token_width=4",
      "--config.head.mlp_width=8",
      "--config.backbone=",
      "--config.start=",
      "--config.mixture.worked=1",
    ),
    needs=("label_steps", "labels_held_out"),
  ),
  "train_revision": Stage(
    "train_revision",
    (
      *(*_MODEL, *_TRAIN),
      "--config.trajectories={build_revisions}",
      "--config.held_out={revisions_held_out}",
      "--config.max_positions=96",
      "--config.data.length=192",
      "--config.data.context_tokens=100",
      "--config.microbatches=1",
    ),
    needs=("build_revisions", "revisions_held_out"),
  ),
  "train_difficulty": Stage(
    "train_difficulty",
    (
      *(*_MODEL, *_TRAIN),
      "--config.pools=('{build_revisions}',)",
      "--config.held_out={revisions_held_out}",
      "--config.data.prompts=8",
      "--config.head.tap=1",
    ),
    needs=("build_revisions", "revisions_held_out"),
  ),
  "solve": Stage(
    "solve",
    (
      *_SMALL[:1],
      *(_MODEL[1], _VERIFIER, *_ENGINE),
      "--config.engine.batch=2",
      "--config.scoring.rows=2",
      "--config.scoring.length=128",
      "--config.search.rows=8",
      "--config.search.step_tokens=5",
      "--file={given}/questions.jsonl",
      "--policy={given}/policy.json",
      "--budget=8",
      "--show",
    ),
  ),
  "reproduce": Stage("reproduce", (*_SEARCH, "--config.questions.count=10")),
  "export_samples": Stage(
    "export_samples", ("--run={score}",), needs=("score",), out="samples.jsonl"
  ),
}
# Others that they need; nobody kills these.
OTHERS = {
  "labels_held_out": Stage("label_steps", (*_LABELS, _HELD_OUT)),
  "revisions_held_out": Stage("build_revisions", (*_BUILD, _HELD_OUT)),
}


def needed(names: Iterable[str]) -> list[str]:
  """The stages and what they need, what is needed first."""
  found: dict[str, None] = {}
  for name in names:
    both = {**STAGES, **OTHERS}[name].needs
    found |= dict.fromkeys([*needed(both), name])
  return list(found)


def untimed(folder: pathlib.Path) -> dict[str, bytes]:
  """Files of a run as they must be the same; what holds times without these."""
  found = {
    path: data
    for path, data in kill_harness.contents(folder).items()
    if path.split("/")[0] not in _TIMED
  }
  if "summary.json" in found:
    summary = json.loads(found["summary.json"])
    kept = {k: v for k, v in summary.items() if k not in _TIMED_KEYS}
    found["summary.json"] = json.dumps(kept).encode()
  return found


def give(folder: pathlib.Path) -> None:
  """Writes the models, the policy and the questions that stages are given."""
  model, verifier = folder / "model", folder / "verifier"
  answering_model.save(model)
  answering_model.save_verifier(verifier, model)
  choices = [
    made_policies.choice(plan, generations=plan.generations)
    for plan in (
      plans.Sampled(4, "best_of_n_weighted"),
      plans.Sampled(4, "majority"),
      strategies.Beam(4, 2),
    )
  ]
  policy = made_policies.policy(
    (choices[0], choices[1]),
    (choices[0], choices[2]),
    made_for=policy_file.made_for(model, verifier),
    edges=(0.42,),
    budgets=(4.0, 8.0),
  )
  policy_file.write(folder / "policy.json", policy)
  stream = arithmetic.Arithmetic().start("test", 0, 0)
  lines = [
    {"question": question.text, "answer": question.answer}
    for _, (_, question) in zip(range(12), stream, strict=False)
  ]
  (folder / "questions.jsonl").write_text("\n".join(map(json.dumps, lines)))
