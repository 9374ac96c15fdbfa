"""Fifty inputs that are wrong, and of each message what says what is right."""

import shutil

import made_processbench
import numpy as np
import pytest
import tiny_model
import wrong_inputs as wrong
from absl import flags
from ml_collections import config_flags

import tts_jax
from launch import entry
from tts_jax import errors, sharding
from tts_jax.decode import loop, sampling
from tts_jax.scaling import difficulty, policy, policy_file
from tts_jax.search import strategies
from tts_jax.solving import deciding
from tts_jax.store import manifest, packed, shards
from tts_jax.tasks import (
  jsonl,
  processbench,
  prompting,
  replayed,
  selection,
  tokenization,
)
from tts_jax.train import loop as train_loop

_ROW = {"question": "1 + 1?", "answer": "2", "id": "a"}
_SAMPLES = {"problem": "1 + 1?", "answer": "2", "completions": ["2", "3"]}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
  """A whole model folder."""
  folder = tmp_path_factory.mktemp("whole")
  tiny_model.save(folder)
  return folder


@pytest.fixture
def place(tmp_path, whole, monkeypatch):
  """A folder with a model and a config, both whole; flags of their own."""
  shutil.copytree(whole, tmp_path / "model")
  (tmp_path / "mine.py").write_text(
    "import ml_collections\n\n\ndef get_config():\n"
    "  made = {'samples': 4, 'sampler': {'p': 1.0}}\n"
    "  return ml_collections.ConfigDict(made)\n"
  )
  found = flags.FlagValues()
  config_flags.DEFINE_config_file("config", flag_values=found)
  flags.DEFINE_string("out", "runs/x", "Folder.", flag_values=found)
  monkeypatch.setattr(flags, "FLAGS", found)
  monkeypatch.setattr(entry, "_default_config", [str(tmp_path / "mine.py")])
  return tmp_path


_FORM = {"format": "few_shot", "question": "question", "solution": "answer"}
_HASHES = policy_file.MadeFor(tokenizer="t", model="other", verifier="v")
_STEPS = made_processbench.rows("gsm8k", 2)

# Of each: what is done wrong, and what its message says.
CASES = {
  "unknown flag": (
    wrong.parse_flags("--ot=3"),
    "Unknown command line flag 'ot'",
  ),
  "unknown key": (
    wrong.parse_flags("--config.sampel=3"),
    "did you mean samples, sampler",
  ),
  "key of no section": (
    wrong.parse_flags("--config.samples.x=3"),
    "no such key in",
  ),
  "wrong type": (
    wrong.parse_flags("--config.samples=many"),
    "--config.samples=many",
  ),
  "argument": (wrong.parse_flags("extra"), "'extra'; flags have --"),
  "no config": (
    wrong.parse_flags("--config=no.py"),
    "no file with get_config()",
  ),
  "config of a key less": (
    wrong.read_config(
      "import ml_collections\ndef get_config():\n"
      "  return ml_collections.ConfigDict({'samples': 1})"
    ),
    "key sampler is missing",
  ),
  "config that fails": (
    wrong.read_config("def get_config():\n  return 1 / 0"),
    "bad.py: ZeroDivisionError('division by zero')",
  ),
  "config with a slip": (
    wrong.read_config("def get_config(:"),
    "bad.py, line 1: ",
  ),
  "no questions": (
    wrong.lines(wrong.questions, b""),
    "expected one JSON object a line",
  ),
  "cut line": (
    wrong.lines(wrong.questions, _ROW, b'{"id":'),
    "line 2: not JSON at col",
  ),
  "list for a line": (
    wrong.lines(wrong.questions, [1]),
    "expected a JSON object",
  ),
  "binary": (
    wrong.lines(wrong.questions, b"\xff\xfe"),
    "save the file as UTF-8",
  ),
  "deep": (wrong.lines(wrong.questions, b"[" * 9999), "expected a few levels"),
  "answer of NaN": (
    wrong.lines(wrong.questions, _ROW | {"answer": float("nan")}),
    "'answer' is nan; it must be finite, or text",
  ),
  "no answer": (
    wrong.lines(wrong.questions, {"id": "a", "question": "?"}),
    "'answer' is missing; fields present: 'id', 'question'",
  ),
  "two of one id": (
    wrong.lines(wrong.questions, _ROW, _ROW),
    "id 'a' is that of line 1 already; each must be there once",
  ),
  "two of one uid": (wrong.two_of_one_id, "have one uid; rename one of them"),
  "questions in a folder": (jsonl.read_questions, "a folder; expected JSON"),
  "absent questions": (
    lambda place: jsonl.read_questions(place / "no"),
    "no such file; expected JSON lines",
  ),
  "completions of text": (
    wrong.lines(replayed.read, _SAMPLES | {"completions": "2"}),
    "'completions' is a str, expected a list",
  ),
  "scores that are logits": (
    wrong.lines(replayed.read, _SAMPLES | {"scores": [[3.0], [0.1]]}),
    "a logit must go through a sigmoid first",
  ),
  "fewer completions": (
    wrong.lines(
      replayed.read, _SAMPLES, _SAMPLES | {"problem": "?", "completions": ["1"]}
    ),
    "--config.samples=N takes the first N",
  ),
  "no file to replay": (wrong.read_replay(), "give --config.file=FILE"),
  "aggregation": (
    wrong.read_replay(file="x", aggregation="mean"),
    "it must be of last",
  ),
  "batch 0": (wrong.read_replay(file="x", batch=0), "it must be at least 1"),
  "label beyond": (
    wrong.lines(processbench.read, _STEPS[0] | {"label": 9}),
    "or -1 where all are right",
  ),
  "steps of a number": (
    wrong.lines(processbench.read, _STEPS[0] | {"steps": 3}),
    "expected a list of texts",
  ),
  "too few examples": (
    wrong.lines(
      lambda path: prompting.Form(**_FORM, examples=str(path), shots=3).apply(
        selection.task("jsonl"), path
      ),
      _ROW | {"answer": "#### 2"},
    ),
    "has 1 solved examples; config.prompt.shots is 3",
  ),
  "template": (
    lambda place: prompting.Form(template="Solve:"),
    "must contain {question}",
  ),
  "task": (lambda place: selection.task("gsm"), "must be one of"),
  "cut weights": (
    wrong.model("model.safetensors", wrong.cut),
    "not a whole safetensors",
  ),
  "NaN weights": (
    wrong.model("model.safetensors", wrong.tensor(wrong.nan)),
    "'model.norm.weight' holds NaN or infinity",
  ),
  "checkpoint of another shape": (
    wrong.model("model.safetensors", wrong.tensor(wrong.narrow)),
    "has shape (8,); config.json expects (16,)",
  ),
  "folder for weights": (
    wrong.model("model.safetensors", wrong.folder),
    "no such file",
  ),
  "folder for a config": (
    wrong.model("config.json", wrong.folder),
    "a folder; expected a JSON file",
  ),
  "another family": (
    wrong.model("config.json", wrong.change_json(model_type="gpt2")),
    "supported: 'llama'",
  ),
  "a thousand million layers": (
    wrong.model("config.json", wrong.change_json(num_hidden_layers=10**9)),
    "must be an integer above 0 and at most 10000",
  ),
  "infinite base": (
    wrong.model("config.json", wrong.change_json(rope_theta=float("inf"))),
    "must be a number above 0",
  ),
  "cut tokenizer": (
    wrong.model("tokenizer.json", wrong.cut, tokenization.load),
    "tokenizer.json: not a tokenizer",
  ),
  "end of another": (
    wrong.model(
      "tokenizer_config.json",
      wrong.change_json(eos_token="<x>"),
      tokenization.load,
    ),
    "it must be a token of tokenizer.json",
  ),
  "longer than the model": (wrong.fit, "exceed the model's 96 positions"),
  "prompt too long": (
    wrong.sample(prompt=(1,) * 5),
    "it must have from 1 to 4",
  ),
  "prompt of nothing": (wrong.sample(prompt=()), "it must have from 1 to 4"),
  "too many samples": (wrong.sample(samples=3), "it must be from 1 to 2"),
  "rows 0": (wrong.sample(rows=0), "rows is 0; it must be at least 1"),
  "steps 0": (wrong.sample(steps=0), "steps is 0; it must be at least 1"),
  "max_tokens 0": (
    lambda place: loop.Limits(max_tokens=0, end_token=0),
    "max_tokens is 0; it must be at least 1",
  ),
  "temperature": (
    lambda place: sampling.make(temperature=-1.0),
    "at least 0 and finite; 0 takes the most probable token",
  ),
  "top_p": (lambda place: sampling.make(top_p=0.0), "it must be in (0, 1]"),
  "budget 0": (
    lambda place: tts_jax.solve("1 + 1?", budget=0),
    "budget is 0 generations; it must be at least 1",
  ),
  "half a budget": (
    lambda place: deciding.check_budget(2.5, None),
    "it must be a whole number",
  ),
  "width": (lambda place: strategies.Beam(6, 4), "it must divide n, 6"),
  "wider than n": (lambda place: strategies.Beam(2, 4), "at least the width"),
  "no search": (wrong.plan_search(methods=()), "add one, such as 'beam_4'"),
  "unknown search": (wrong.plan_search(most={"beem": 4}), "it must be of "),
  "policy of another": (
    wrong.read_policy(here=_HASHES),
    "measure a policy for it, or give that one",
  ),
  "policy of another time": (
    wrong.read_policy(schema_version=9),
    "this program reads 1",
  ),
  "policy of no hash": (
    wrong.read_policy(made_for={"tokenizer": 3, "model": "m", "verifier": "v"}),
    "it must be a hash, as text",
  ),
  "budget outside": (
    wrong.read_policy(lambda found: policy_file.strategy_for(found, 0.5, 64)),
    "this policy has 4 to 16",
  ),
  "no estimate": (
    wrong.read_policy(lambda found: policy_file.strategy_for(found, None, 16)),
    "needs an estimate of the kind 'first_4', a finite number",
  ),
  "fewer questions than bins": (
    lambda place: difficulty.quantile_bins(np.zeros(4), 5),
    "at least 5 questions are needed",
  ),
  "fewer questions than folds": (
    wrong.few_questions,
    "at least 10 questions are needed",
  ),
  "tolerance": (
    lambda place: policy.Rule(tolerance=-0.1),
    "tolerance is -0.1; it must be at least 0",
  ),
  "mesh": (
    lambda place: sharding.mesh(data=64, model=64),
    "takes 4096 devices; there are",
  ),
  "training of 0 steps": (
    lambda place: train_loop.Schedule(steps=0),
    "schedule steps is 0; it must be at least 1",
  ),
  "no run": (
    lambda place: manifest.read_config(place / "config.json"),
    "no such file; expected the config of a run",
  ),
  "no shards": (shards.read, "has no shards yet"),
  "broken shard": (wrong.pool_twice, "its bytes do not match its name"),
  "nothing packed": (packed.load, "expected the config of a run"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_bad_input_is_said_in_one_line(place, case):
  do, said = CASES[case]
  with pytest.raises(errors.InputError) as raised:
    do(place)
  message = str(raised.value)
  assert said in message
  # `launch.entry` prints it alone.
  assert "\n" not in message


def test_there_are_fifty():
  assert len(CASES) >= 50
