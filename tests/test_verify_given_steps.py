"""Given solutions read step by step, by verifiers of both kinds."""

import dataclasses
import itertools

import jax
import made_processbench
import numpy as np
import pytest
import tiny_prm

from tts_jax import errors
from tts_jax.model import embedded, huggingface
from tts_jax.store import run, step_scores
from tts_jax.tasks import catalogue, processbench, prompting, tokenization
from tts_jax.verify import embedded as embedded_verifier
from tts_jax.verify import given_steps, published, saved, scoring


def _samples(folder, count=6, *, long=True):
  rows = made_processbench.rows("gsm8k", count)
  if long:
    # It takes a longer pass.
    rows[3]["steps"] = [*rows[3]["steps"], "3 more clips " * 20]
  return processbench.read(made_processbench.write(folder / "a", rows))


@pytest.fixture(scope="module")
def prms(tmp_path_factory):
  root = tmp_path_factory.mktemp("prm")
  found = {}
  for name in tiny_prm.FORMATS:
    tiny_prm.save(root / name, name)
    found[name] = published.load(root / name, name)
  return found


def _scores(scorer, samples):
  return scorer.read([scorer.encode(one) for one in samples])


@pytest.mark.parametrize("name", tiny_prm.FORMATS)
def test_published_scores_are_those_from_scratch(prms, tmp_path, name):
  prm, samples = prms[name], _samples(tmp_path, long=name == "skywork")
  scorer = given_steps.by_published(prm, rows=4, compiler=jax.jit)
  found = _scores(scorer, samples)
  for one, sample in zip(found, samples, strict=True):
    want, tokens = published.score(prm, sample.problem, list(sample.steps))
    np.testing.assert_allclose(one.scores, want, atol=1e-5)
    assert one.scores.dtype == np.float32
    assert one.tokens == tokens
  # Each is read by itself, whatever shares its pass.
  alone = _scores(scorer, samples[4:5])[0].scores
  np.testing.assert_allclose(alone, found[4].scores, atol=1e-6)
  assert np.ptp(np.concatenate([one.scores for one in found])) > 1e-3


def test_passes_are_of_few_lengths(prms, tmp_path):
  traced = []

  def compiler(function):
    def wrapped(params, tokens):
      traced.append(tokens.shape)
      return function(params, tokens)

    return jax.jit(wrapped)

  scorer = given_steps.by_published(prms["skywork"], rows=2, compiler=compiler)
  _scores(scorer, _samples(tmp_path))
  assert sorted(traced) == [(2, 128), (2, 256)]


def test_a_text_longer_than_the_verifier_is_said_before_any_is_read(
  prms, tmp_path
):
  samples = _samples(tmp_path)
  steps = (*samples[5].steps, "clips 1 2 3 " * 600)
  samples[5] = dataclasses.replace(samples[5], steps=steps)
  scorer = given_steps.by_published(prms["skywork"], rows=2, compiler=jax.jit)
  with run.Run.open(tmp_path / "run", {}) as folder:
    stage = folder.stage("steps_a", step_scores.SCHEMA, "made")
    with pytest.raises(errors.InputError) as info:
      list(given_steps.fill(stage, samples, scorer, batch=2))
    assert not stage.done()
  assert "solution 'gsm8k-5' has" in str(info.value)
  assert "the verifier has 2048 positions" in str(info.value)


def test_what_was_scored_is_not_scored_again(prms, tmp_path):
  samples, asked = _samples(tmp_path), []
  real = given_steps.by_published(prms["skywork"], rows=2, compiler=jax.jit)

  def read(texts):
    asked.append(len(texts))
    return real.read(texts)

  scorer = given_steps.Scorer(real.encode, read)
  want = _scores(real, samples)
  with run.Run.open(tmp_path / "run", {}) as folder:
    stage = folder.stage("steps_a", step_scores.SCHEMA, "made")
    filling = given_steps.fill(stage, samples, scorer, batch=4)
    assert next(filling) == (4, sum(one.tokens for one in want[:4]))
    filling.close()
    assert stage.done() == {0}
    stage = folder.stage("steps_a", step_scores.SCHEMA, "made")
    counts = [
      count for count, _ in given_steps.fill(stage, samples, scorer, batch=4)
    ]
    assert counts == [2]
    with pytest.raises(errors.InputError, match="batch is 0"):
      list(given_steps.fill(stage, samples, scorer, batch=0))
  assert asked == [4, 2]
  ids = [one.id for one in samples]
  score, count, tokens = step_scores.load(tmp_path / "run", "a", ids)
  assert tokens == sum(one.tokens for one in want)
  assert count.tolist() == [len(one.steps) for one in samples]
  for row, one in zip(score, want, strict=True):
    np.testing.assert_allclose(row[: len(one.scores)], one.scores, atol=1e-6)
    assert (row[len(one.scores) :] == 0).all()
  with pytest.raises(errors.InputError, match="its 6 scores are not those of"):
    step_scores.load(tmp_path / "run", "a", ids[::-1])


def test_fewer_than_one_row_is_refused(prms):
  with pytest.raises(errors.InputError, match="rows is 0"):
    given_steps.by_published(prms["skywork"], rows=0, compiler=jax.jit)


@pytest.fixture(scope="module")
def tokenizer():
  return tokenization.load(embedded.FOLDER)


def _own(tokenizer, score=None, task=None, **sizes):
  room = {"prompt_tokens": 128, "max_tokens": 128} | sizes
  task = task or catalogue.find("gsm_symbolic").task
  return given_steps.by_own(score, task, tokenizer, **room)


def _sample(*steps, problem="How many?"):
  return processbench.Sample(
    id="one",
    generator="made",
    problem=problem,
    steps=steps,
    final_answer_correct=True,
    label=-1,
  )


def test_an_own_verifier_reads_one_step_a_line(tokenizer):
  scorer = _own(tokenizer)
  sample = _sample(" 2 + 3\n= 5\n", "so it is\n\n5", "#### 5")
  prompt, solution = scorer.encode(sample)
  assert tokenizer.decode(prompt) == "How many?\n"
  ends = [0, *solution.step_end]
  steps = [
    tokenizer.decode(solution.tokens[a:b]) for a, b in itertools.pairwise(ends)
  ]
  assert steps == ["2 + 3 = 5\n", "so it is 5\n", "#### 5"]
  assert solution.tokens[-1] == tokenizer.end_token
  assert solution.step_end[-1] == len(solution.tokens)


def test_a_delimiter_of_two_signs_ends_steps(tokenizer):
  task = prompting.Prompted(
    task=catalogue.find("gsm_symbolic").task, delimiter="\n\n"
  )
  scorer = _own(tokenizer, task=task)
  _, solution = scorer.encode(_sample("a line\nand one", "x\n\n\ny", "#### 5"))
  assert tokenizer.decode(solution.tokens) == "a line\nand one\n\nx y\n\n#### 5"
  assert len(solution.step_end) == 3


@pytest.mark.parametrize(
  ("sample", "said"),
  [
    (_sample("1 " * 80), "max_tokens is 128"),
    (_sample("1", problem="1 " * 80), "prompt_tokens is 128"),
  ],
)
def test_what_is_too_long_for_the_generator_is_said(tokenizer, sample, said):
  with pytest.raises(errors.InputError) as info:
    _own(tokenizer).encode(sample)
  assert str(info.value).startswith("solution 'one' has 1")
  assert str(info.value).endswith(f"where config.limits.{said}")


def test_steps_that_the_tokens_do_not_keep_apart_are_said(tokenizer):
  gsm = catalogue.find("gsm_symbolic").task
  task = prompting.Prompted(task=gsm, delimiter=" ")
  with pytest.raises(errors.InputError, match="has 2 steps, but in the gen"):
    _own(tokenizer, task=task).encode(_sample("a dog", "a"))


def test_the_packages_verifier_tells_wrong_steps(tokenizer):
  lm, params = huggingface.load(embedded.FOLDER, "float32")
  verifier, own = saved.load(embedded_verifier.FOLDER)
  score = scoring.scorer(
    jax.device_put({"model": params, **own}),
    lm,
    verifier,
    rows=2,
    length=512,
    compiler=jax.jit,
  )
  scorer = _own(tokenizer, score)
  entry = catalogue.find("gsm_symbolic")
  right, wrong = [], []
  for question in entry.reporting()[:12]:
    steps = question.solution.split("\n")
    right.append(_sample(*steps, problem=question.text))
    # The answer is that of no step before it.
    wrong.append(_sample(*steps[:-1], "#### 7777", problem=question.text))
  found = _scores(scorer, right + wrong)
  good, bad = found[:12], found[12:]
  for a, b, sample in zip(good, bad, right, strict=True):
    # What stands before the last step is not judged by it.
    np.testing.assert_allclose(a.scores[:-1], b.scores[:-1], atol=1e-5)
    assert len(a.scores) == len(sample.steps)
  assert np.mean([one.scores[-1] for one in good]) > 0.8
  better = [a.scores[-1] > b.scores[-1] for a, b in zip(good, bad, strict=True)]
  assert sum(better) >= 10
  # The same tokens, scored as those of a pool are.
  prompt, solution = scorer.encode(right[4])
  (((want,),)) = list(score([(prompt, [solution])]))
  np.testing.assert_allclose(good[4].scores, want, atol=1e-5)
  assert good[4].tokens == len(prompt) + len(solution.tokens)
