"""Monte Carlo labels against loops over a table model."""

import collections

import decode_oracle
import jax
import kill_harness
import label_oracle
import numpy as np
import pytest

from tts_jax import errors
from tts_jax.decode import loop, sampling, stream
from tts_jax.model import config, transformer
from tts_jax.store import labels as labels_lib
from tts_jax.tasks import base
from tts_jax.verify import label_costs, labels, prefixes
from tts_jax.verify import rollouts as rollouts_lib


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
  return tmp_path_factory.mktemp("labels")


@pytest.fixture(scope="module")
def made(folder):
  """(pool, labels, stats), with K = 8."""
  return label_oracle.letters(folder)


def _by_sample(table):
  return {(row["question_id"], row["sample"]): row for row in table.to_pylist()}


def _steps(made):
  """Yields (question, pool row, label row, step, prefix) of each label."""
  drawn, found, _ = made
  asked = {question.id: question for question in label_oracle.questions(6)}
  drawn = _by_sample(drawn)
  for at, row in _by_sample(found).items():
    for step, end in enumerate(row["step_end"]):
      prefix = drawn[at]["tokens"][:end]
      yield asked[at[0]], drawn[at], row, step, prefix


def test_steps_end_at_delimiters_and_at_the_end():
  ends = prefixes.step_ends
  assert ends([5, 1, 6, 7, 1, 1, 8, 0], {1}) == [2, 5, 6, 8]
  assert ends([5, 1], {1}) == [2]
  assert ends([5, 6], {1, 2}) == [2]
  assert ends([], {1}) == []


def test_only_unanswered_samples_are_dropped(made):
  drawn, found, _ = made
  drawn, reasons = _by_sample(drawn), collections.Counter()
  for at, row in _by_sample(found).items():
    sample = drawn[at]
    reason = ""
    if not sample["finished"]:
      reason = "cut"
    elif sample["answer"] is None:
      reason = "no answer"
    assert row["dropped"] == reason
    assert bool(row["step_end"]) == (reason == "")
    reasons[reason] += 1
  assert len(drawn) == 72
  assert min(reasons["cut"], reasons["no answer"]) > 0, reasons
  del reasons[""]
  assert label_costs.summarise(found)["samples_dropped"] == reasons


def test_rollouts_are_those_of_the_prefix_as_a_prompt(made):
  """Each rollout again, by loops, from a prompt of its own."""
  task, tokenizer = label_oracle.LastLine(), label_oracle.Letters()
  seen = set()
  for question, sample, row, step, prefix in _steps(made):
    if prefix == sample["tokens"]:
      assert row["rollouts"][step] == row["generated"][step] == 0
      continue
    uid = prefixes.Prefix(
      tokens=tuple(prefix), owner=0, whole=False, passing=0, passing_correct=0
    ).uid(question.uid)
    seen.add(uid)
    prompt = tokenizer.encode_prompt(question.text)
    assert row["prompt"] == prompt
    left = label_oracle.MAX_TOKENS - len(prefix)
    tokens, length, finished, _ = decode_oracle.sample(
      label_oracle.TABLE,
      stream.Request(id="", uid=uid, tokens=[*prompt, *prefix]),
      label_oracle.KEY,
      samples=8,
      limits=loop.Limits(max_tokens=left, end_token=label_oracle.END),
    )
    correct = 0
    for rollout, size, done in zip(tokens, length, finished, strict=True):
      text = tokenizer.decode([*prefix, *rollout[:size]])
      correct += bool(done) and task.extract(text) == question.answer
    assert row["rollouts"][step] == 8
    assert row["rollouts_correct"][step] == correct
    assert row["generated"][step] == length.sum()
  assert len(seen) > 10


def test_passing_samples_are_counted_dropped_ones_too(made):
  drawn = made[0].to_pylist()
  dropped = 0
  for question, sample, row, step, prefix in _steps(made):
    through = [
      other
      for other in drawn
      if other["question_id"] == question.id
      and other["tokens"][: len(prefix)] == prefix
    ]
    right = [other for other in through if other["verdict"] == "correct"]
    assert row["passing"][step] == len(through)
    assert row["passing_correct"][step] == len(right)
    answered = [
      other for other in through if other["finished"] and other["answer"]
    ]
    assert row["owner"][step] == answered[0]["sample"]
    dropped += len(through) - len(answered)
    if prefix == sample["tokens"]:
      verdict = sample["verdict"] == "correct"
      assert row["passing_correct"][step] == verdict * row["passing"][step]
  assert dropped > 0


def test_labels_estimate_the_chance_in_closed_form(tmp_path):
  made = label_oracle.letters(tmp_path, samples=4, rollouts=200)
  excess, variance, chances = 0.0, 0.0, []
  seen = set()
  for question, sample, row, step, prefix in _steps(made):
    if prefix == sample["tokens"] or (question.id, *prefix) in seen:
      continue
    seen.add((question.id, *prefix))
    line = label_oracle.Letters().decode(prefix).split("\n")[-1]
    assert line == ""
    left = label_oracle.MAX_TOKENS - len(prefix)
    chance = label_oracle.chance(prefix[-1], line, left, question.answer)
    spread = 200 * chance * (1 - chance)
    apart = row["rollouts_correct"][step] - 200 * chance
    assert abs(apart) < 4.5 * np.sqrt(spread)
    excess, variance = excess + apart, variance + spread
    chances.append(chance)
  assert len(chances) > 8
  assert abs(excess) < 3.5 * np.sqrt(variance)
  assert max(chances) - min(chances) > 0.1


def test_a_prefix_is_labelled_once_and_a_solution_read_once(made):
  _, found, stats = made
  costs = label_costs.summarise(found)
  distinct = {
    (question.id, *prefix): len(prefix) < len(sample["tokens"])
    for question, sample, _, _, prefix in _steps(made)
  }
  assert costs["labels"] == sum(1 for _ in _steps(made)) > len(distinct)
  assert costs["distinct_prefixes"] == len(distinct)
  assert costs["prefixes_rolled_out"] == sum(distinct.values())
  assert costs["rollouts"] == 8 * sum(distinct.values())
  # What the engine did, and what one pass over each solution needs.
  assert costs["tokens_prefilled"] == stats.prefilled
  assert costs["tokens_generated"] == stats.generated
  longest = collections.Counter()
  for _, sample, row, step, prefix in _steps(made):
    at = (row["question_id"], row["sample"])
    own = row["owner"][step] == row["sample"]
    if own and len(prefix) < len(sample["tokens"]):
      longest[at] = len(row["prompt"]) + len(prefix) - 1
  assert costs["tokens_prefilled"] == sum(longest.values())


def test_independent_prefills_are_counted_label_by_label(made):
  every, once, labels_made = 0, 0, 0
  for _, _, row, step, prefix in _steps(made):
    labels_made += 1
    read = len(row["prompt"]) + len(prefix) - 1
    if row["rollouts"][step]:
      every += 8 * read + row["generated"][step]
      once += read + row["generated"][step]
  costs = label_costs.summarise(made[1])
  spent = costs["tokens_prefilled"] + costs["tokens_generated"]
  alone = costs["independent"]
  assert alone["each_rollout"]["tokens_per_label"] == every / labels_made
  assert alone["each_rollout"]["times_as_many"] == every / spent
  assert alone["each_label"]["times_as_many"] == once / spent
  assert 1 < alone["each_rollout_once"]["times_as_many"] < every / spent


def test_more_branches_than_a_pass_takes_are_read_again(made, tmp_path):
  _, found, stats = label_oracle.letters(tmp_path, branches=1)
  _, expected, less = made
  same = [name for name in found.column_names if name != "prefilled"]
  assert found.select(same) == expected.select(same)
  assert stats.prefilled > less.prefilled
  costs = label_costs.summarise(found)
  assert costs["tokens_prefilled"] == stats.prefilled


def test_stopped_and_started_again_it_is_the_same(folder, made, tmp_path):
  label_oracle.letters(tmp_path, stop=3)
  written = kill_harness.contents(tmp_path / labels_lib.STAGE)
  expected = kill_harness.contents(folder / labels_lib.STAGE)
  assert 0 < len(written) < len(expected) == 3
  label_oracle.letters(tmp_path)
  assert kill_harness.contents(tmp_path / labels_lib.STAGE) == expected


def test_without_rollouts_the_samples_make_the_labels(tmp_path, made):
  _, found, stats = label_oracle.letters(tmp_path, rollouts=0)
  assert stats == stream.Stats()
  assert found["passing"] == made[1]["passing"]
  assert found["step_end"] == made[1]["step_end"]
  costs = label_costs.summarise(found)
  assert costs["rollouts"] == costs["tokens_prefilled"] == 0
  assert costs["independent"]["each_rollout"]["times_as_many"] is None
  for question in labels_lib.load_labels(tmp_path):
    for solution in question.solutions:
      np.testing.assert_allclose(
        solution.labels, solution.passing_correct / solution.passing
      )


def test_loaded_labels_stand_beside_tokens(folder, made):
  drawn = _by_sample(made[0])
  loaded = labels_lib.load_labels(folder)
  assert [each.id for each in loaded] == [f"q{i}" for i in range(6)]
  count = 0
  for question, asked in zip(loaded, label_oracle.questions(6), strict=True):
    assert question.uid == asked.uid
    assert question.dropped + len(question.solutions) == 12
    for solution in question.solutions:
      row = drawn[question.id, solution.sample]
      assert solution.tokens.tolist() == row["tokens"]
      assert solution.logprobs.tolist() == row["logprobs"]
      assert solution.step_end[-1] == len(row["tokens"])
      assert solution.labels[-1] == (row["verdict"] == "correct")
      right = solution.rollouts_correct + solution.passing_correct
      whole = solution.rollouts + solution.passing
      np.testing.assert_allclose(solution.labels, right / whole)
      count += len(solution.step_end)
  assert count == sum(1 for _ in _steps(made))


def test_labels_that_lack_questions_are_refused(tmp_path):
  label_oracle.letters(tmp_path, stop=4)
  with pytest.raises(errors.InputError, match=r"labels of [24] of 6"):
    labels_lib.load_labels(tmp_path)
  assert len(labels_lib.load_labels(tmp_path, partial=True)) in (2, 4)


def test_bits_of_a_branch_are_those_of_its_own_prompt():
  """On a transformer, at equal shapes, to the last bit."""
  lm = transformer.Transformer(
    config.TransformerConfig(
      vocabulary=31,
      width=16,
      layers=2,
      heads=4,
      kv_heads=2,
      head_width=8,
      mlp_width=32,
      max_positions=64,
    )
  )
  params = jax.tree.map(lambda x: 4 * x, lm.init(jax.random.key(0)))
  limits = loop.Limits(max_tokens=10, end_token=0)
  sample = label_oracle.engine(lm, params, sampling.Categorical(), limits)
  shape = {"samples": 3, "room": 12, "prompt_tokens": 16}
  tokens = np.random.default_rng(0).integers(1, 31, 16).tolist()
  branches = [
    stream.Branch(length=length, uid=100 + length, max_tokens=10)
    for length in (1, 5, 11, 16)
  ]
  together = stream.Request(id="all", uid=0, tokens=tokens, branches=branches)
  (whole,) = sample([together], **shape)
  alone = decode_oracle.by_id(
    sample(
      [
        stream.Request(id=str(b.length), uid=b.uid, tokens=tokens[: b.length])
        for b in branches
      ],
      **shape,
    )
  )
  assert whole.stats.prefilled == 15
  for place, branch in enumerate(branches):
    expected = alone[str(branch.length)].candidates
    here = slice(3 * place, 3 * place + 3)
    for name in ("tokens", "length", "finished", "token_logprob"):
      np.testing.assert_array_equal(
        getattr(whole.candidates, name)[here], getattr(expected, name)
      )


def test_a_pool_of_other_questions_is_refused(tmp_path, made):
  asked = label_oracle.questions(6)
  with pytest.raises(errors.InputError, match="72 rows are not the samples"):
    next(
      labels.fill(
        _NoShards(), asked[::-1], made[0], None, None, None, None, batch=2
      )
    )


class _NoShards:
  def done(self):
    return set()


@pytest.mark.parametrize(
  ("settings", "message"),
  [
    ((-1, 9, 4), "rollouts is -1; it must be 0 or more"),
    ((4, 9, 0), "branches is 0; it must be at least 1"),
  ],
)
def test_bad_settings_are_named(settings, message):
  with pytest.raises(errors.InputError, match=message):
    rollouts_lib.Rollouts(*settings)


@pytest.mark.parametrize(
  ("branch", "message"),
  [
    ({"length": 0}, "a branch has length 0; it must be from 1 to 3"),
    ({"length": 4}, "a branch has length 4; it must be from 1 to 3"),
    ({"max_tokens": 10}, "max_tokens 10; it must be from 1 to 9"),
  ],
)
def test_a_branch_outside_its_prompt_is_refused(branch, message):
  branch = stream.Branch(**{"length": 1, "uid": 1, "max_tokens": 1} | branch)
  request = stream.Request(id="q", uid=1, tokens=[1, 2, 3], branches=[branch])
  with pytest.raises(errors.InputError, match=message):
    list(
      label_oracle.letters_engine()(
        [request], samples=8, room=32, prompt_tokens=12
      )
    )


def test_more_branches_than_room_are_refused():
  branch = stream.Branch(length=1, uid=1, max_tokens=1)
  request = stream.Request(
    id="q", uid=1, tokens=[1, 2, 3], branches=[branch] * 5
  )
  with pytest.raises(errors.InputError, match="5 branches of 8 samples are 40"):
    list(
      label_oracle.letters_engine()(
        [request], samples=8, room=32, prompt_tokens=12
      )
    )


def test_what_could_not_be_judged_is_dropped(made):
  table = made[0].slice(0, 12)
  at = table.column_names.index("verdict")
  same = ["ungradable"] * 12
  table = table.set_column(at, "verdict", [same])
  assert base.Verdict.UNGRADABLE.value == same[0]
  found = {sample.dropped for sample in labels.read_samples(table)}
  assert "ungradable" in found
  assert "" not in found
