"""A task of three letters, its labels in plain loops, and ways to make some."""

import dataclasses
import functools

import decode_oracle
import jax
import numpy as np

from tts_jax.decode import loop, pools, sampling, stream
from tts_jax.model import table
from tts_jax.store import labels as labels_lib
from tts_jax.store import pool, run
from tts_jax.tasks import base
from tts_jax.verify import labels
from tts_jax.verify import rollouts as rollouts_lib

TEXT = ("", "\n", "7", "8")
END, NEWLINE = 0, 1
MAX_TOKENS = 9
TABLE = (
  (0.0, 0.0, 0.0, 0.0),
  (-2.5, -2.0, 1.0, 0.6),
  (0.6, 0.9, -1.5, -2.0),
  (0.3, 0.9, -2.0, -1.0),
)
KEY = jax.random.key(5)


@dataclasses.dataclass(frozen=True)
class Letters:
  """The tokenizer: a letter a token."""

  end_token: int = END

  def encode_prompt(self, text):
    return [TEXT.index(letter) for letter in text]

  def decode(self, tokens):
    return "".join(TEXT[token] for token in tokens)

  def delimiters(self, text):
    return frozenset(i for i, own in enumerate(TEXT) if text in own)


@dataclasses.dataclass(frozen=True)
class LastLine(base.NumericAnswers):
  """The answer is the last line, if that is one digit."""

  name: str = "last_line"
  step_delimiter: str = "\n"

  def prompt(self, question):
    return question.text

  def completion(self, question):
    return question.answer

  def extract(self, completion):
    line = completion.split("\n")[-1]
    return line if len(line) == 1 else None


def questions(count):
  texts = ("7\n", "87\n", "8", "778\n", "7", "88\n")
  return [
    base.Question(id=f"q{i}", text=texts[i % 6], answer="78"[i % 2])
    for i in range(count)
  ]


def engine(lm, params, sampler, limits, *, key=KEY, groups=2, rows=4):
  """A function from settings of a stream to `pools.Sample`, compiled once."""
  run = decode_oracle.compiled(lm, params, sampler=sampler, limits=limits)

  def sample(requests, *, samples, room, prompt_tokens):
    return run(
      requests,
      key,
      samples,
      groups=groups,
      rows=rows,
      room=room,
      prompt_tokens=prompt_tokens,
    )

  return sample


@functools.cache
def letters_engine():
  lm = table.TableModel(TABLE)
  limits = loop.Limits(max_tokens=MAX_TOKENS, end_token=END)
  params = lm.init(jax.random.key(0))
  return engine(lm, params, sampling.Categorical(), limits)


def fill_pool(
  folder, asked, sample, task, tokenizer, *, samples, prompt_tokens
):
  stage = folder.stage(pool.STAGE, pool.SCHEMA, "inputs")
  draw = functools.partial(
    sample, samples=samples, room=samples, prompt_tokens=prompt_tokens
  )
  for _ in pools.fill(stage, asked, draw, task, tokenizer, batch=2):
    pass
  return stage.read()


def fill_labels(
  folder,
  asked,
  drawn,
  sample,
  task,
  tokenizer,
  *,
  rollouts,
  prompt_tokens,
  stop=None,
):
  """Labels, or the first `stop` questions of them; returns rows and stats."""
  stage = folder.stage(labels_lib.STAGE, labels_lib.SCHEMA, "inputs")
  draw = functools.partial(
    sample,
    samples=max(rollouts.count, 1),
    room=rollouts.room,
    prompt_tokens=rollouts.longest(prompt_tokens),
  )
  stats = stream.Stats()
  steps = labels.fill(stage, asked, drawn, draw, task, tokenizer, rollouts, 2)
  for progress in steps:
    stats = progress.stats
    if progress.done == stop:
      break
  return stage.read(), stats


def letters(path, *, count=6, samples=12, rollouts=8, branches=4, stop=None):
  """Pool, labels and stats of the questions in letters."""
  asked = questions(count)
  work = LastLine(), Letters()
  with run.Run.open(path, {"rollouts": rollouts}) as folder:
    drawn = fill_pool(
      folder,
      asked,
      letters_engine(),
      *work,
      samples=samples,
      prompt_tokens=4,
    )
    found, stats = fill_labels(
      folder,
      asked,
      drawn,
      letters_engine(),
      *work,
      rollouts=rollouts_lib.Rollouts(rollouts, MAX_TOKENS, branches),
      prompt_tokens=4,
      stop=stop,
    )
  return drawn, found, stats


@functools.cache
def chance(last, line, left, answer):
  """That a completion comes out right: closed form, from the table.

  `line` is what stands on its last line, at most two letters of it.
  """
  if left == 0:
    return 0.0
  weight = np.exp(np.array(TABLE[last]))
  weight /= weight.sum()
  total = weight[END] * (line == answer)
  for token in (1, 2, 3):
    after = "" if token == NEWLINE else (line + TEXT[token])[:2]
    total += weight[token] * chance(token, after, left - 1, answer)
  return total
