"""All that the package ships, trained: launchers in turn, with their flags.

  python -m launch.reproduce --from_scratch
  python -m launch.reproduce --from_scratch --training_share=0.03 \
    --config=configs/subset.py --out=runs/rehearsal

For a host with two CPU cores, on which it takes seven hours; a share of it
shows within one that all stages run, with models that answer little. A flag's
value may name the folder of an earlier stage, as "{model}"; why each stage is
as it is, the cards of the models say.
"""

from typing import Any

# Keys of a launcher's config, and what they are here.
Flags = dict[str, Any]

_MODEL: Flags = {"model": "{model}/model"}
_HELD_OUT: Flags = {"questions.split": "validation", "questions.count": 300}


def _stage(
  name: str,
  launcher: str,
  minutes: float,
  flags: Flags | None = None,
  config: str = "",
  least: float = 0,
) -> dict[str, Any]:
  """One stage, as of `launch.scratch.Stage`; a config is named as launchers."""
  return {
    "name": name,
    "launcher": launcher,
    "minutes": minutes,
    "flags": flags or {},
    "config": config or launcher,
    "least": least,
  }


def _few_samples(count: int, samples: int, groups: int) -> Flags:
  """Of `build_revisions`: many questions, a trajectory of each."""
  return {
    **_MODEL,
    "questions.count": count,
    "samples": samples,
    "room": 1,
    "engine.groups": groups,
    "engine.rows": samples,
    "engine.batch": 250,
  }


def _further(
  start: str, data: str, held_out: str, rate: float, steps: int
) -> Flags:
  """Of `train_revision`: an earlier stage's model, trained on."""
  return {
    **_MODEL,
    "start": f"{{{start}}}/model",
    "trajectories": f"{{{data}}}",
    "held_out": f"{{{held_out}}}",
    "optimizer.learning_rate": rate,
    "optimizer.warmup": 30,
    "schedule.steps": steps,
    "schedule.patience": 8,
  }


def _round(data: str, seed: int, start: str, name: str) -> tuple[Any, ...]:
  """Two stages: 50,000 new questions, and a revision model trained on them."""
  drawn = {**_few_samples(50_000, 5, 57), "seed": seed}
  flags = _further(start, data, "held_out", 1e-3, 1400)
  return (
    _stage(data, "build_revisions", 16, drawn),
    _stage(name, "train_revision", 22, flags),
  )


def _chains(model: str, seed: int, split: str) -> Flags:
  """Of `revise`: chains on new questions."""
  count, chains = (8000, 2) if split == "train" else (200, 4)
  return {
    "model": f"{{{model}}}/model",
    "questions.split": split,
    "questions.count": count,
    "chains": chains,
    "seed": seed,
  }


def _judge(**more: Any) -> Flags:
  """Of `train_verifier`: a verifier of the revision model's chains."""
  return {
    "model": "{revision}/model",
    "labels": "{its_chains}",
    "held_out": "{its_chains_held_out}",
    "start": "{verifier}/verifier",
    "backbone": "{model}/model",
    **more,
  }


_BASE = (
  # Half of it answers one question in some; from a tenth nothing is learned.
  _stage("model", "train_lm", 17, config="train_gsm_symbolic", least=0.4),
  _stage(
    "labels",
    "label_steps",
    8,
    {
      **_MODEL,
      "questions.count": 8000,
      "samples": 8,
      "rollouts": 0,
      "engine.groups": 48,
      "engine.rows": 8,
    },
  ),
  _stage(
    "labels_held_out",
    "label_steps",
    1,
    {**_MODEL, **_HELD_OUT, "questions.count": 150, "samples": 32}
    | {"rollouts": 0},
  ),
  _stage(
    "verifier",
    "train_verifier",
    100,
    {**_MODEL, "labels": "{labels}", "held_out": "{labels_held_out}"},
  ),
  # 64 samples of each question, for the difficulty head, which reads 256 at a
  # time, and for revisions.
  _stage("samples", "build_revisions", 15, _MODEL, least=0.07),
  _stage("samples_held_out", "build_revisions", 2, {**_MODEL, **_HELD_OUT}),
  _stage(
    "difficulty",
    "train_difficulty",
    1,
    {
      **_MODEL,
      "pools": "('{samples}',)",
      "held_out": "{samples_held_out}",
    },
  ),
)

_REVISIONS = (
  _stage(
    "first",
    "train_revision",
    35,
    {
      **_MODEL,
      "trajectories": "{samples}",
      "held_out": "{samples_held_out}",
      "data.first_drawn": False,
    },
  ),
  _stage(
    "eight",
    "build_revisions",
    1,
    {**_MODEL, "source": "{samples}", "room": 8},
    least=0.07,  # As the samples that it reads.
  ),
  _stage(
    "held_out",
    "build_revisions",
    1,
    {**_MODEL, **_HELD_OUT, "source": "{samples_held_out}", "room": 8},
  ),
  _stage(
    "second",
    "train_revision",
    13,
    _further("first", "eight", "held_out", 6e-4, 800),
  ),
  # More and more questions.
  _stage("many", "build_revisions", 12, _few_samples(30_000, 6, 48)),
  _stage(
    "third",
    "train_revision",
    13,
    _further("second", "many", "held_out", 1e-3, 800),
  ),
  *_round("more", 11, "third", "fourth"),
  *_round("still_more", 12, "fourth", "fifth"),
  # Its own chains.
  _stage("chains", "revise", 10, _chains("fourth", 14, "train")),
  _stage("chains_held_out", "revise", 1, _chains("fourth", 14, "validation")),
  _stage("own", "build_revisions", 1, {"source": "{chains}"}),
  _stage("own_held_out", "build_revisions", 1, {"source": "{chains_held_out}"}),
  _stage(
    "revision",
    "train_revision",
    5,
    _further("fifth", "own", "own_held_out", 6e-4, 300)
    | {"model": "{fourth}/model"},
  ),
  _stage("its_chains", "revise", 10, _chains("revision", 15, "train")),
  _stage(
    "its_chains_held_out", "revise", 1, _chains("revision", 15, "validation")
  ),
  _stage("judge", "train_verifier", 13, _judge(), "train_revision_verifier"),
  _stage(
    "judge_of_histories",
    "train_verifier",
    17,
    _judge(
      history=True,
      **{
        "mixture.samples": 2,
        "schedule.steps": 1500,
        "schedule.validate_every": 250,
      },
    ),
    "train_revision_verifier",
  ),
)

_LARGER = (
  _stage("larger", "train_lm", 50, config="train_larger"),
  _stage(
    "larger_answers",
    "sample",
    2,
    {
      "model": "{larger}/model",
      "questions.count": 0,
      "samples": 1,
      "sampler.temperature": 0.0,
    },
    "subset",
  ),
)

STAGES = (*_BASE, *_REVISIONS, *_LARGER)
