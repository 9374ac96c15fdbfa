"""Makes the word problems that results are reported on.

  pip install -e '.[data]'
  python -m launch.make_questions --out tts_jax/assets/questions

Writes gsm_symbolic_test.jsonl and a card that counts what it took.
"""

import collections
import dataclasses
import json

from absl import flags

from launch import entry, outlook
from tts_jax import storage
from tts_jax.store import atomic
from tts_jax.tasks import base, gsm_symbolic

_OUT = outlook.out_flag("tts_jax/assets/questions", "Folder to fill.")
_COUNT = flags.DEFINE_integer("count", 500, "Number of questions.", 1)
_HELD_OUT = flags.DEFINE_integer(
  "held_out", 100, "How many are of templates kept out of training.", 0
)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of the set.")

_CARD = """\
# Test questions: gsm_symbolic_test.jsonl

Word problems from the GSM-Symbolic templates (Mirzadeh et al., 2024) as
reasoning-gym 0.1.25 writes them (Apache-2.0, like this file), normalised to one
step a line.

- Made by `python -m launch.make_questions --count {count}
  --held_out {held_out} --seed {seed}`.
- {trained} questions are of the {trained_templates} templates that the model is
  trained on, {held_out} ({share:.0%}) of {held_out_templates} templates kept
  out of its training.
- No two have the same text, and no text can occur in training or validation:
  the split is a function of the text's hash.
- Dropped on the way: {dropped}.
"""


def _draw(
  templates: tuple[int, ...], count: int, dropped: collections.Counter[str]
) -> list[base.Question]:
  """The first `count` questions of different text."""
  source = gsm_symbolic.Questions("test", _SEED.value, templates)
  found: dict[str, base.Question] = {}
  for _, question in source.start():
    if len(found) == count:
      break
    dropped["of a text already drawn"] += question.text in found
    found.setdefault(question.text, question)
  dropped.update(source.counts)
  return list(found.values())


def main(_: list[str]) -> None:
  """Writes the questions and their card."""
  out = storage.at(_OUT.value)
  outlook.begin(out, outlook.Part("questions", f"{_COUNT.value}"))
  dropped: collections.Counter[str] = collections.Counter()
  trained = _draw(
    gsm_symbolic.TRAIN_TEMPLATES, _COUNT.value - _HELD_OUT.value, dropped
  )
  held_out = _draw(gsm_symbolic.HELD_OUT_TEMPLATES, _HELD_OUT.value, dropped)
  del dropped["made"]
  atomic.make_folder(out)
  path = out / gsm_symbolic.TEST_FILE.name
  with atomic.writing(path) as lines:
    for question in trained + held_out:
      lines.write(f"{json.dumps(dataclasses.asdict(question))}\n".encode())
  card = _CARD.format(
    count=_COUNT.value,
    held_out=_HELD_OUT.value,
    seed=_SEED.value,
    trained=len(trained),
    trained_templates=len(gsm_symbolic.TRAIN_TEMPLATES),
    share=len(held_out) / _COUNT.value,
    held_out_templates=len(gsm_symbolic.HELD_OUT_TEMPLATES),
    dropped=", ".join(f"{n} {why}" for why, n in sorted(dropped.items())),
  )
  atomic.write_bytes(out / "README.md", card.encode())
  print(f"{len(trained) + len(held_out)} questions: {path}")


if __name__ == "__main__":
  entry.run(main)
