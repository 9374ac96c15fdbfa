"""Pools: the samples of many questions, graded, as shards of a run."""

import dataclasses
import pathlib
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa

from tts_jax import errors, types
from tts_jax.decode import loop, stream
from tts_jax.model import config as model_config
from tts_jax.store import atomic, manifest, pool, shards
from tts_jax.tasks import automaton, base, chat, prompting, tokenization

Sample = Callable[[Iterable[stream.Request]], Iterator[stream.Result]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Progress:
  """A question is done.

  Attributes:
    done: questions sampled by this call so far.
    left: questions that it still has to sample.
    stats: what the sampling did, from the start of this call.
  """

  done: int
  left: int
  stats: stream.Stats


def check_fit(
  config: model_config.TransformerConfig,
  tokenizer: tokenization.Tokenizer,
  prompt_tokens: int,
  limits: loop.Limits,
) -> None:
  """Checks that model, tokenizer and limits go together.

  Raises:
    InputError: the tokenizer has more tokens than the model, or the longest
      prompt and completion more than its positions.
  """
  if tokenizer.vocabulary > config.vocabulary:
    raise errors.InputError(
      f"the tokenizer has {tokenizer.vocabulary} tokens, the model"
      f" {config.vocabulary}; they are not of one folder"
    )
  if prompt_tokens + limits.max_tokens > config.max_positions:
    raise errors.InputError(
      f"config.limits: prompt_tokens with any context, {prompt_tokens}, and"
      f" max_tokens, {limits.max_tokens}, exceed the model's"
      f" {config.max_positions} positions"
    )


def request(
  question: base.Question, task: base.Task, tokenizer: tokenization.Tokenizer
) -> stream.Request:
  """The question as the decode loop takes it."""
  # A chat template writes the start token itself, or means to do without.
  chats = prompting.is_chat(task)
  encode = tokenizer.encode if chats else tokenizer.encode_prompt
  return stream.Request(
    id=question.id,
    uid=question.uid,
    tokens=encode(task.prompt(question)),
    text=question.text,
  )


def prompt_lengths(
  questions: Sequence[base.Question],
  task: base.Task,
  tokenizer: tokenization.Tokenizer,
) -> np.ndarray:
  """[Q] int, tokens of each question's prompt."""
  return np.array([len(request(q, task, tokenizer).tokens) for q in questions])


def step_minima(
  tokens: Sequence[int],
  logprobs: Sequence[float],
  delimiters: automaton.Delimiters,
) -> list[float]:
  """The least log-probability of a token in each step.

  Args:
    tokens: of a completion.
    logprobs: one a token.
    delimiters: what ends a step; it belongs to the step that it ends.

  Returns:
    A number a step; what follows the last delimiter is a step too.
  """
  least: list[float] = []
  fresh = True
  ends = automaton.ending(tokens, delimiters)
  for ended, logprob in zip(ends, logprobs, strict=True):
    if fresh:
      least.append(logprob)
    least[-1] = min(least[-1], logprob)
    fresh = ended
  return least


def rows(
  question: base.Question,
  candidates: types.Candidates,
  *,
  task: base.Task,
  tokenizer: tokenization.Tokenizer,
  delimiters: automaton.Delimiters,
) -> pa.Table:
  """A question's samples as rows of the pool.

  A completion cut at its limit states no answer, even where what stands there
  looks like one: its last number may be half a number.

  Args:
    question: the question.
    candidates: numpy arrays without the question's axis, [N, T].
    task: reads answers and grades them.
    tokenizer: of the model.
    delimiters: what ends a step.
  """
  lengths, finished = candidates.length, candidates.finished
  tokens = [
    row[:length].tolist()
    for row, length in zip(candidates.tokens, lengths, strict=True)
  ]
  logprobs = [
    row[:length].tolist()
    for row, length in zip(candidates.token_logprob, lengths, strict=True)
  ]
  texts = [tokenizer.decode(row) for row in tokens]
  answers = [
    task.extract(text) if done else None
    for text, done in zip(texts, finished, strict=True)
  ]
  verdicts = task.grade_all([(question.answer, answer) for answer in answers])
  return pool.table(
    question_id=[question.id] * len(tokens),
    uid=[question.uid] * len(tokens),
    sample=range(len(tokens)),
    text=texts,
    tokens=tokens,
    logprobs=logprobs,
    step_min_logprob=[
      step_minima(row, values, delimiters)
      for row, values in zip(tokens, logprobs, strict=True)
    ],
    answer=base.canonical_all(task, answers),
    verdict=[verdict.value for verdict in verdicts],
    finished=np.asarray(finished).tolist(),
  )


def inputs_hash(questions: Sequence[base.Question], model: pathlib.Path) -> str:
  """Hash of what a pool is made from: the questions and the model's files."""
  # Figures that lie beside a model do not change what it draws.
  made_of = ("config.json", "*.safetensors", *tokenization.FILES, *chat.FILES)
  files = {path for name in made_of for path in model.glob(name)}
  return manifest.config_hash(
    {
      "questions": [dataclasses.asdict(question) for question in questions],
      "model": {path.name: atomic.file_hash(path) for path in sorted(files)},
    }
  )


def missing(
  stage: shards.Stage, questions: Sequence[base.Question], batch: int
) -> list[int]:
  """Indices of the questions whose shards are not there yet.

  Raises:
    InputError: no question; two questions of one id; a batch below 1.
  """
  _check(questions, batch)
  done = stage.done()
  return [i for i in range(len(questions)) if i // batch not in done]


def fill(
  stage: shards.Stage,
  questions: Sequence[base.Question],
  sample: Sample,
  task: base.Task,
  tokenizer: tokenization.Tokenizer,
  *,
  batch: int,
  table: Callable[..., pa.Table] = rows,
) -> Iterator[Progress]:
  """Samples the questions whose shards are not there yet.

  Questions flow through the decode loop without a pause between shards; a
  shard is written once its last question is done. A kill loses the questions
  of unfinished shards and nothing else, and since no sample depends on what
  runs beside it, the pool is the same, byte for byte, as without the kill.

  Args:
    stage: of a run, with the schema of `table`.
    questions: all of the pool's, in its order.
    sample: `stream.stream` with its arguments but the requests.
    task: states prompts, reads answers and grades them.
    tokenizer: of the model.
    batch: questions a shard.
    table: makes a question's rows, with the arguments of `rows`.

  Yields:
    Progress, after each question.

  Raises:
    InputError: as `missing`; no token ends the step delimiter.
  """
  todo = missing(stage, questions, batch)
  delimiters = tokenizer.delimiters(task.step_delimiter)
  waiting: dict[int, dict[int, pa.Table]] = {}
  results = sample(request(questions[i], task, tokenizer) for i in todo)
  for count, result in enumerate(results, 1):
    index = todo[result.index]
    tables = waiting.setdefault(index // batch, {})
    tables[index] = table(
      questions[index],
      result.candidates,
      task=task,
      tokenizer=tokenizer,
      delimiters=delimiters,
    )
    first = index // batch * batch
    if len(tables) == len(questions[first : first + batch]):
      del waiting[index // batch]
      whole = pa.concat_tables(tables[i] for i in sorted(tables))
      stage.write(index // batch, whole)
    yield Progress(done=count, left=len(todo) - count, stats=result.stats)


def _check(questions: Sequence[base.Question], batch: int) -> None:
  if batch < 1:
    raise errors.InputError(f"batch is {batch}; it must be at least 1")
  if not questions:
    raise errors.InputError("there is no question to sample")
  seen: dict[int, str] = {}
  for question in questions:
    if question.uid in seen:
      raise errors.InputError(
        f"questions {seen[question.uid]!r} and {question.id!r} have one uid; "
        "rename one of them"
      )
    seen[question.uid] = question.id
