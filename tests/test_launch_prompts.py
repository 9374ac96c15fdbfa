"""Launchers that put questions in a chat, or behind solved examples."""

import json
import shutil

import kill_harness
import ml_collections
import pytest
import search_command

from launch import asking, pooling
from tts_jax.model import embedded
from tts_jax.store import pool, searches, shards
from tts_jax.tasks import arithmetic

_CHAT = (
  "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
  "{% if add_generation_prompt %}>{% endif %}"
)
_SIZES = (
  "--config.questions.count=4",
  "--config.samples=3",
  "--config.limits.prompt_tokens=64",
  "--config.limits.max_tokens=12",
  "--config.engine.groups=2",
  "--config.engine.rows=2",
)


def _sample(out, model, cache, *flags):
  settings = (f"--out={out}", "--config.task=arithmetic", *_SIZES)
  return kill_harness.run(
    kill_harness.python(
      "-m", "launch.sample", *settings, f"--config.model={model}", *flags
    ),
    cache,
  )


def test_a_chat_and_another_draw_other_pools(tmp_path, model, cache):
  chats = tmp_path / "model"
  shutil.copytree(model, chats)
  (chats / "chat_template.jinja").write_text(_CHAT)
  drawn = {}
  for name, flags in {
    "plain": (),
    "chat": ("--config.prompt.format=chat",),
    "brief": ("--config.prompt.format=chat", "--config.prompt.system=S"),
  }.items():
    done = _sample(tmp_path / name, chats, cache, *flags)
    assert done.returncode == 0, done.stderr
    rows = shards.read(tmp_path / name / pool.STAGE)
    assert rows.num_rows == 12
    drawn[name] = rows["tokens"].to_pylist()
  assert drawn["plain"] != drawn["chat"] != drawn["brief"]
  # A run goes on with the template that it began with.
  (chats / "chat_template.jinja").write_text(f"{_CHAT}>")
  done = _sample(tmp_path / "chat", chats, cache, "--config.prompt.format=chat")
  assert done.returncode == 2, done.stderr


@pytest.mark.parametrize(
  ("flags", "message"),
  [
    (("--config.prompt.format=chatty",), "config.prompt.format 'chatty': must"),
    (("--config.prompt.format=chat",), "config.prompt.format 'chat' needs one"),
    (("--config.prompt.shots=0",), "config.prompt.shots is 0"),
  ],
)
def test_a_wrong_prompt_ends_in_one_line(
  tmp_path, model, cache, flags, message
):
  done = _sample(tmp_path / "run", model, cache, *flags)
  assert done.returncode == 2, done.stderr
  assert message in done.stderr
  assert done.stderr.count("\n") == 1


def test_solved_examples_stand_before_each_question(tmp_path):
  path = tmp_path / "solved.jsonl"
  solved = {"q": "1+1", "s": "1+1=2\n#### 2"}
  path.write_text(json.dumps(solved))
  config = ml_collections.ConfigDict(
    {
      "task": "arithmetic",
      "model": str(embedded.FOLDER),
      "seed": 0,
      "questions": {"split": "train", "count": 2},
      "prompt": {
        "format": "few_shot",
        "examples": str(path),
        "question": "q",
        "solution": "s",
        "shots": 1,
      },
    }
  )
  task, questions = pooling.find_training(config)
  for question in questions:
    own = arithmetic.Arithmetic().prompt(question)
    assert task.prompt(question) == f"1+1\n1+1=2\n#### 2\n\n{own}"
    assert question.meta["examples"]
  # A run of before this section had come.
  del config.prompt
  assert asking.form(config, arithmetic.Arithmetic()) == arithmetic.Arithmetic()


def test_steps_end_with_the_configs_delimiter(tmp_path, model, cache):
  """A blank line is two tokens of this model: the first may end a line."""
  out = tmp_path / "run"
  verifier = search_command.draw_verifier(tmp_path / "verifier", model)
  command = search_command.command(
    "search",
    *(out, model, verifier, search_command.SEARCH),
    "--config.prompt.delimiter=\n\n",
    "--config.limits.max_tokens=32",
    "--config.search.step_tokens=0",
  )
  done = kill_harness.run(command, cache)
  assert done.returncode == 0, done.stderr
  drawn = shards.read(out / pool.STAGE).to_pylist()
  steps = {
    len(row["step_min_logprob"]) - row["text"].count("\n\n")
    for row in drawn
    if row["finished"]
  }
  found = shards.read(out / searches.STAGE).to_pylist()
  blank = 0
  for row in found:
    for text, scores, valid in zip(
      row["text"], row["step_scores"], row["valid"], strict=True
    ):
      blank += valid and "\n\n" in text
      if valid:
        steps.add(len(scores) - text.count("\n\n"))
  # The last step ends with the end token.
  assert steps == {1}
  assert blank
