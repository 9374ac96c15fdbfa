"""Answers questions with a budget, by the strategy that a policy chooses.

  python -m launch.solve --budget 16 --question "Tom has 3 apples. ..."
  python -m launch.solve --budget 64 --file questions.jsonl \
      --policy runs/reproduce/policy.json --out runs/answers
  python -m launch.solve --budget 16 < questions.txt

Without --question and --file it answers each line that is typed or piped in.
--show writes each search as a tree, and other solutions as chains, to --out.
Of a file the answers go to --out as they come, and at the end to answers.jsonl;
killed and started again with the same --out it goes on where it was. In a
notebook: `tts_jax.solve("...", budget=16)`, and
`tts_jax.store.answers.load_answers("runs/answers")`.
"""

import sys

from absl import flags

from launch import answering, asking, entry, equipping, outlook, showing, sizing
from tts_jax import errors, storage
from tts_jax.solving import telling
from tts_jax.tasks import base, jsonl, selection
from tts_jax.verify import saved

_CONFIG = entry.config_flag("configs/solve.py")
_QUESTION = flags.DEFINE_string("question", None, "One question.")
_FILE = flags.DEFINE_string("file", None, "JSON lines, a question each.")
_BUDGET = flags.DEFINE_float("budget", 16, "In generations, a question.")
_POLICY = flags.DEFINE_string("policy", None, "policy.json; none: best-of-N.")
_SHOW = flags.DEFINE_bool("show", False, "Write trees and chains.")
_OUT = outlook.out_flag("runs/solve", "Folder of a file's answers.")


def main(_: list[str]) -> None:
  """Answers what is asked."""
  config = _CONFIG.value
  if _QUESTION.value is not None and _FILE.value is not None:
    raise errors.InputError("--question and --file are both given; give one")
  task, questions = asking.form(config, selection.task(config.task)), []
  if _FILE.value is not None:
    fields = jsonl.Fields(**config.questions, graded=False)
    questions = jsonl.read_questions(storage.at(_FILE.value), fields)
  elif _QUESTION.value is not None and not _QUESTION.value.strip():
    raise errors.InputError("--question is empty; give the question's text")
  budget, policy, many = _BUDGET.value, _POLICY.value, bool(questions)
  out = storage.at(_OUT.value)
  part = sizing.forecast(config, len(questions) or 1, budget)
  outlook.begin(out, part, config=config)
  made_for = config, task, budget, policy
  solver, folders = equipping.equip(*made_for, many=many, trace=_SHOW.value)
  if questions:
    made_of = folders, storage.at(policy) if policy else None
    asked = out, config, questions, solver, *made_of
    return answering.fill(*asked, show=_SHOW.value)
  error = telling.calibration_error(saved.regimes(folders[1]))

  def tell(question: base.Question) -> None:
    (solved,) = solver.solve([question])
    print(telling.text(solved, error), flush=True)
    if _SHOW.value:
      print(f"shown: {showing.write(out, solved, solver)}", flush=True)

  if _QUESTION.value is not None:
    return tell(jsonl.typed(_QUESTION.value))
  prompt = sys.stdin.isatty()
  while line := _next_line(prompt):
    try:
      if line.strip():
        tell(jsonl.typed(line.strip()))
    except errors.InputError as fault:
      # Who types may try again.
      if not prompt:
        raise
      print(fault, file=sys.stderr)


def _next_line(prompt: bool) -> str:
  """A line with its end; nothing at the end of all."""
  if prompt:
    print("question: ", end="", flush=True)
  return sys.stdin.readline()


if __name__ == "__main__":
  entry.run(main)
