"""Ways to do something wrong: each is given a folder with a whole model."""

import json
import sys
import types
from unittest import mock

import decode_oracle
import made_policies
import numpy as np
import safetensors.numpy
import test_decode_loop as decoding

from configs import replay as replay_config
from configs import search as search_config
from launch import entry, planning, replaying
from tts_jax.decode import loop, pools, sampling, stream
from tts_jax.model import huggingface
from tts_jax.scaling import plans, policy, policy_file
from tts_jax.store import pool
from tts_jax.tasks import (
  base,
  jsonl,
  selection,
  tokenization,
)


def parse_flags(*arguments):
  def parse(place):
    argv = ["launch", *arguments]
    # Overrides are looked for there.
    with mock.patch.object(sys, "argv", argv):
      return entry._parse(argv, words=False)

  return parse


def read_config(text):
  def read(place):
    (place / "bad.py").write_text(text)
    return entry._parse(["launch", f"--config={place / 'bad.py'}"], words=False)

  return read


def lines(read, *rows):
  """Reads a file of JSON lines; bytes stand as they are."""

  def wrong(place):
    path = place / "bad.jsonl"
    path.write_bytes(
      b"\n".join(
        row if isinstance(row, bytes) else json.dumps(row).encode()
        for row in rows
      )
    )
    return read(path)

  return wrong


def questions(path):
  return jsonl.read_questions(path, jsonl.Fields(id="id"))


def model(name, change, read=huggingface.load):
  """Reads a model's folder after a change to one of its files."""

  def wrong(place):
    change(place / "model" / name)
    return read(place / "model")

  return wrong


def cut(path):
  path.write_bytes(path.read_bytes()[:-40])


def folder(path):
  path.unlink()
  path.mkdir()


def tensor(change):
  def wrong(path):
    tensors = safetensors.numpy.load_file(path)
    change(tensors)
    safetensors.numpy.save_file(tensors, path, {"format": "pt"})

  return wrong


def nan(tensors):
  tensors["model.norm.weight"][3] = np.nan


def narrow(tensors):
  tensors["model.norm.weight"] = np.ones(8, np.float32)


def change_json(**changes):
  def change(path):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

  return change


def read_policy(ask=lambda found: None, here=None, **changes):
  """Reads a policy, and asks it something."""

  def wrong(place):
    choice = made_policies.choice(plans.Sampled(4, "majority"))
    path = place / "policy.json"
    policy_file.write(path, made_policies.policy((choice,) * 2, (choice,) * 2))
    change_json(**changes)(path)
    return ask(policy_file.load(path, here))

  return wrong


def sample(prompt=(1, 2), samples=2, **settings):
  """Samples a question of the table model."""

  def wrong(place):
    sizes = {"groups": 1, "rows": 2, "room": 2, "prompt_tokens": 4} | settings
    steps = sizes.pop("steps", 16)
    run = decode_oracle.compiled(
      decoding.LM,
      decoding.PARAMS,
      sampler=sampling.Greedy(),
      limits=decoding.LIMITS,
      steps=steps,
    )
    request = stream.Request(id="q", uid=1, tokens=prompt)
    return list(run([request], decoding.KEY, samples, **sizes))

  return wrong


def plan_search(**changes):
  def wrong(place):
    found = search_config.get_config()
    with found.unlocked():
      found.search.update(changes)
    return planning.cells(found)

  return wrong


def read_replay(**changes):
  def wrong(place):
    found = replay_config.get_config()
    found.update(changes)
    return replaying.read(found, selection.task("jsonl"))

  return wrong


def pool_twice(place):
  (place / "pool").mkdir()
  for name in ("00000-0123456789abcdef", "00001-fedcba9876543210"):
    (place / "pool" / f"{name}.parquet").write_bytes(b"PAR1")
  return pool.load_pool(place)


def two_of_one_id(place):
  two = [base.Question(id="a", text=text, answer="1") for text in "xy"]
  return pools._check(two, 1)


def few_questions(place):
  table = types.SimpleNamespace(value=np.zeros((2, 9, 3)))
  bins, allowed = np.zeros((2, 9), int), np.ones((1, 3), bool)
  return policy.cross_validate(table, bins, allowed, count=5)


def fit(place):
  lm, _ = huggingface.load(place / "model")
  tokenizer = tokenization.load(place / "model")
  limits = loop.Limits(max_tokens=90, end_token=0)
  return pools.check_fit(lm.config, tokenizer, 64, limits)
