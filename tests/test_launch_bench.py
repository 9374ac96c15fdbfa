"""Benches run, and write what they print."""

import dataclasses
import json

import jax
import kill_harness
import numpy as np
import pytest
import search_command
import search_models

from configs import bench
from launch import entrant, kv_cache, racing, standings, throughput, turns
from launch.benches import doubling, grading, searched, sections, shapes
from tts_jax import errors
from tts_jax.decode import loop
from tts_jax.model import config as config_lib
from tts_jax.model import transformer
from tts_jax.scaling import roofline
from tts_jax.search import strategies
from tts_jax.tasks import base
from tts_jax.tasks import grading as graders

_MODEL = (
  "--config.model.layers=1",
  "--config.model.width=16",
  "--config.model.heads=2",
  "--config.model.kv_heads=1",
  "--config.model.head_width=8",
  "--config.model.mlp_width=16",
  "--config.model.vocabulary=40",
  "--config.decode=((1,2,8),(1,4,8),(2,2,8))",
  "--config.prefill=((2,4),)",
  "--config.tokens=4",
  "--config.repeats=1",
)
_EXPERIMENT = (
  *(
    f"--config.experiment{flag.removeprefix('--config')}"
    for flag in search_command.SMALL
    if "scoring" not in flag
  ),
  "--config.experiment.questions.count=2",
  "--config.experiment.limits.max_tokens=24",
  "--config.experiment.search.methods=('beam_sqrt','beam_4')",
  "--config.experiment.search.rows=4",
  "--config.experiment.revision.context_tokens=36",
  "--config.search.candidates=2",
  "--config.revisions.chains=((2,2),)",
  "--config.labels.questions=2",
  "--config.labels.rollouts=2",
  "--config.labels.branches=2",
  "--config.pool.questions=3",
  "--config.pool.samples=8",
  "--config.precisions.questions=3",
  "--config.precisions.samples=4",
  "--config.grading.forms=10",
  "--config.grading.algebra=2",
  "--config.estimates.questions=2",
  "--config.estimates.samples=4",
)
_TRAIN = (
  "--config.train.steps=1",
  "--config.train.language_model.rows=2",
  "--config.train.language_model.length=96",
  "--config.train.verifier.data.rows=2",
  "--config.train.verifier.data.length=256",
  "--config.train.verifier.head.layers=1",
  "--config.train.verifier.head.tap=0",
  "--config.train.verifier.head.width=16",
  "--config.train.verifier.head.token_width=4",
  "--config.train.verifier.head.mlp_width=8",
  "--config.train.verifier.mixture.worked=1",
)
_FIGURES = {
  *("name", "seconds", "tokens_per_second", "share_of_floor", "utilisation"),
  *("kv_bytes", "forwarded_per_token", "compile_seconds"),
}


@pytest.fixture(scope="module")
def told(tmp_path_factory, model, cache):
  """All sections, their JSON, what was printed, and the folder."""
  folder = tmp_path_factory.mktemp("bench")
  judge = search_command.draw_verifier(folder / "verifier", model)
  flags = (
    *(*_MODEL, *_EXPERIMENT, *_TRAIN),
    f"--config.experiment.model={model}",
    f"--config.experiment.verifier={judge}",
    f"--config.experiment.revision.model={model}",
  )
  command = ("-m", "launch.bench", f"--out={folder}", *flags)
  done = kill_harness.run(kill_harness.python(*command), cache)
  assert done.returncode == 0, done.stderr
  return json.loads((folder / "bench.json").read_text()), done.stdout, folder


def test_every_section_has_its_lines(told):
  found, printed, folder = told
  for dtype in ("float32", "bfloat16"):
    assert found["machine"][dtype]["flops_per_second"] > 0
  assert printed.startswith(f"to {folder}: decode: 3 shapes x 4, 0% done;")
  for name in sections.ALL:
    assert f"\n{name} " in printed
    assert found[name]
    for line in found[name]:
      assert set(line) >= _FIGURES
      assert line["name"] in printed
      took = line["seconds"]
      assert 0 < took["low"] <= took["median"] <= took["high"]
      if rate := line["tokens_per_second"]:
        assert f" {rate['median']:,.0f} [" in printed
  assert (folder / "cost.png").read_bytes().startswith(b"\x89PNG")


def test_decoding_and_prefill_are_counted(told):
  found = told[0]
  first, twice, both, *short = found["decode"]
  assert [one["utilisation"] for one in found["decode"]] == [1] * 6
  assert [one["dtype"] for one in short] == ["bfloat16"] * 3
  # On a CPU its caches are float32.
  assert short[0]["kv_bytes"] == first["kv_bytes"]
  # Keys and values of 8 prompt tokens a question, and of 4 tokens a row.
  assert first["kv_bytes"] == (8 + 2 * 4) * 2 * 8 * 4
  assert both["kv_bytes"] == 2 * first["kv_bytes"]
  # 7 tokens of the prompt are read before, however many rows there are.
  assert first["forwarded_per_token"] == 1 + 7 / (2 * 4)
  assert twice["forwarded_per_token"] == 1 + 7 / (4 * 4)
  assert first["share_of_floor"] > 0
  pair, other = found["doubling"]
  assert (pair["questions"], pair["rows"], pair["prompt"]) == (1, 2, 8)
  assert (pair["dtype"], other["dtype"]) == ("float32", "bfloat16")
  seconds = [
    one["seconds"]["median"] + one["prefill_seconds"] for one in (first, twice)
  ]
  assert pair["times_as_long"] == pytest.approx(seconds[1] / seconds[0])
  assert pair["prompt_kv_bytes"] == [8 * 2 * 8 * 4] * 2
  (prefill,) = found["prefill"]
  assert (prefill["questions"], prefill["prompt"]) == (2, 4)
  assert prefill["share_of_floor"] > 0


def test_searches_stand_beside_sampling(told):
  sampling, *others = told[0]["search"]
  assert [(one["name"], one["methods"]) for one in others] == [
    ("beam_sqrt", ["beam_sqrt"]),
    ("beam_4", ["beam_4"]),
    ("beam_sqrt, 0-block head", ["beam_sqrt"]),
    ("beam_sqrt, 1-block head", ["beam_sqrt"]),
  ]
  assert sampling["samples"] == 2
  for one in others:
    assert one["rows"] == 2
    assert one["ratio_to_sampling"]["median"] > 0
    assert 0 < one["utilisation"] <= 1
    assert one["forwarded_per_token"] > 1
    # The verifier has a cache too, if it has blocks.
    blocks = "0-block" not in one["name"]
    assert (one["kv_bytes"] > sampling["kv_bytes"]) == blocks
  (chains,) = told[0]["revisions"]
  assert (chains["chains"], chains["length"]) == (2, 2)
  assert chains["forwarded_per_token"] > 1


def test_other_sections_count_their_work(told):
  found = told[0]
  (pool,) = found["pool"]
  # 3 questions, of which two are in the engine at a time.
  assert (pool["questions"], pool["samples"]) == (3, 8)
  assert pool["tokens_generated"] <= 3 * 8 * 24
  (labels,) = found["labels"]
  assert labels["costs"]["samples"] == 2 * 4
  forms, algebra = (one["verdicts"] for one in found["grading"])
  # Of two turns: the first is counted too.
  assert forms == {"correct": 10, "wrong": 10, "ungradable": 0}
  assert algebra == {"correct": 4, "wrong": 0, "ungradable": 0}
  assert [one["budgets"] for one in found["estimates"]] == 4 * [[1, 2, 4]]
  alone, lm, frozen, joint, no_blocks = found["train"]
  assert (alone["rows"], alone["length"]) == (2, 96)
  assert alone["ratio_to_language_model"] is None
  assert lm["ratio_to_language_model"] == lm["ratio_a_token"] == 1
  for one in (lm, frozen, joint, no_blocks):
    assert (one["rows"], one["length"]) == (2, 256)
    assert 0 < one["packing"] <= 1
    assert one["ratio_a_token"] == pytest.approx(
      one["ratio_to_language_model"] * lm["packing"] / one["packing"]
    )
  # Joint training goes back through the model; a head of blocks costs more.
  for one in (frozen, no_blocks):
    assert one["flops_per_token"] < joint["flops_per_token"]


def test_shorter_numbers_stand_beside_float32(told):
  first, short, held = told[0]["precisions"]
  assert (first["dtype"], first["int8"]) == ("float32", "")
  assert (short["dtype"], short["int8"]) == ("bfloat16", "")
  assert (held["dtype"], held["int8"]) == ("float32", "both")
  assert first["more_right_than_first"] == {"mean": 0, "low": 0, "high": 0}
  gain = held["more_right_than_first"]
  assert gain["mean"] == pytest.approx(held["pass_at_1"] - first["pass_at_1"])
  assert gain["low"] <= gain["mean"] <= gain["high"]
  assert held["kv_bytes"] < first["kv_bytes"]


def test_wrong_sections_are_refused(tmp_path, cache):
  flag = "--config.sections=('decode','serch')"
  command = ("-m", "launch.bench", f"--out={tmp_path}", flag)
  done = kill_harness.run(kill_harness.python(*command), cache)
  assert done.returncode == 2
  assert "config.sections has 'serch'; it must be of decode," in done.stderr
  assert not list(tmp_path.iterdir())
  with pytest.raises(errors.InputError, match=r"config\.sections is empty"):
    sections.find(())
  for dtypes, said in ((), "is empty"), (("bf16",), "dtype is 'bf16'"):
    config = bench.get_config()
    config.dtypes = dtypes
    with pytest.raises(errors.InputError, match=said):
      shapes.models(config)
  assert list(sections.find("pool")) == ["pool"]
  assert list(sections.ALL) == list(bench.get_config().sections)


def test_a_questions_prompt_takes_the_same_room_whatever_its_rows():
  shape = bench.get_config().model.to_dict() | {"layers": 2}
  lm = transformer.Transformer(config_lib.TransformerConfig(**shape))
  params = jax.eval_shape(lm.init, jax.random.key(0))

  def sizes(questions, rows):
    limits = loop.Limits(max_tokens=10, end_token=0)
    size = dict(groups=questions, rows=rows, samples=rows, prompt_tokens=100)
    return kv_cache.sizes(
      jax.eval_shape(
        lambda params: loop.init_state(params, lm=lm, limits=limits, **size),
        params,
      )
    )

  # Keys and values of 2 layers, 2 heads of 64, in float32.
  token = 2 * 2 * 2 * 64 * 4
  assert sizes(1, 4) == (100 * token, 4 * 10 * token)
  assert sizes(1, 8) == (100 * token, 8 * 10 * token)
  assert sizes(3, 8) == (3 * 100 * token, 3 * 8 * 10 * token)


def test_only_shapes_of_twice_the_rows_are_paired():
  def line(questions, rows, prompt, seconds):
    return {
      **{"questions": questions, "rows": rows, "prompt": prompt},
      **{"seconds": {"median": seconds}, "prefill_seconds": 1.0},
      **{"prompt_kv_bytes": 7, "dtype": "float32"},
    }

  lines = [line(1, 4, 8, 2), line(1, 8, 8, 4), line(2, 8, 8, 5)]
  lines += [line(1, 16, 9, 9), line(1, 12, 8, 6)]
  (one,) = doubling.ratios(lines)
  assert (one["rows"], one["times_as_long"]) == (4, 5 / 3)
  assert doubling.line([one]).endswith("1 x 4, prompt 8, float32: 1.67")
  assert doubling.ratios([]) == []


def test_methods_of_one_strategy_are_searched_once():
  names = tuple(strategies.BY_NAME)
  found = searched.strategies_of(names, 16)
  assert found[strategies.Beam(16, 4)] == ["beam_sqrt", "beam_4"]
  assert found[strategies.Lookahead(16, 4, 3)] == ["lookahead_3"]
  assert len(found) == 5
  assert {one.rounds.n for one in found} == {16}
  with pytest.raises(errors.InputError, match="'beam_5'; it must be of"):
    searched.strategies_of(("beam_5",), 16)


def test_pairs_are_what_they_are_called():
  with graders.Grader() as grader:
    forms = grader.grade_all([grading.form(index) for index in range(4)])
    assert grader.cut_off == 0
    algebra = [grading.algebra(index) for index in range(4)]
    assert set(grader.grade_all(algebra)) == {base.Verdict.CORRECT}
  assert forms == 2 * [base.Verdict.WRONG, base.Verdict.CORRECT]
  assert len({*algebra}) == 4


def test_a_line_tells_what_it_has():
  line = throughput.Line(
    name="x",
    seconds=np.array([2.0, 1.0, 4.0]),
    compile=3.0,
    tokens=8,
    floor=0.5,
    own={"more": 1},
    note="so",
  )
  told = line.told()
  assert told["tokens_per_second"] == {"median": 4, "low": 2, "high": 8}
  assert (told["share_of_floor"], told["more"]) == (0.25, 1)
  assert told["utilisation"] is None
  said = str(line)
  assert "25%" in said
  assert said.endswith("3.0  so")


def test_turns_alternate_and_the_first_is_counted_apart():
  called = []

  def way(name):
    def run():
      called.append(name)
      return float(len(called))

    return run

  found = turns.take({"a": way("a"), "b": way("b")}, 2)
  assert called == list("ababab")
  assert found["a"].seconds.tolist() == [3, 5]
  assert found["b"].seconds.tolist() == [4, 6]
  # 1 second in all, where later turns take 4.
  assert found["a"].compile == -3
  assert turns.of([9.0, 2.0, 4.0]).compile == 6


def test_this_projects_entrant_draws_the_lengths_asked_for():
  lm, prompts = search_models.LM, [[1, 2, 3], [2, 1, 4]]
  params = search_models.weights(search_models.make(strategies.BestOfN(1))).lm
  run = entrant.ours(lm, params, prompts, [3, 1, 5, 2], 2, 0)
  assert run() > 0
  greedy = entrant.greedy(lm, params, prompts[0], 4)
  assert len(greedy) == 4
  assert greedy == entrant.greedy(lm, params, prompts[0], 6)[:4]


def test_real_lengths_are_those_of_the_pool_that_ships():
  found = racing.lengths(500, np.random.default_rng(0))
  assert len(found) == 500
  assert 1 <= min(found) < max(found) <= 128


def test_a_race_is_against_the_best_of_the_others():
  cfg = config_lib.TransformerConfig(
    vocabulary=40,
    width=16,
    layers=1,
    heads=2,
    kv_heads=1,
    head_width=8,
    mlp_width=16,
    max_positions=64,
  )
  size = {"questions": 2, "rows": 3, "prompt": 8}
  lengths = [4, 4, 4]
  work = roofline.Decoding(cfg=cfg, suffix=2.0, **size)
  machine = roofline.Machine(
    bytes_per_second=1e30, flops_per_second=work.flops / 0.25
  )
  short = dataclasses.replace(cfg, dtype="bfloat16")
  times = {
    standings.name(way, dtype): turns.Times(np.array(seconds), 0.0)
    for way, dtype, seconds in (
      (standings.OURS, "float32", (1.0, 2.0, 4.0)),
      ("dynamic", "float32", (9.0, 8.0, 8.5)),
      ("static", "float32", (5.0, 6.0, 5.0)),
      (standings.OURS, "bfloat16", (1.0, 1.0, 4.0)),
      ("static", "bfloat16", (7.0, 6.0, 5.5)),
    )
  }
  machines = {"float32": machine, "bfloat16": machine}
  one, other = standings.rows((cfg, short), machines, size, lengths, times)
  assert (one["questions"], one["rows"], one["prompt"]) == (2, 3, 8)
  assert one["tokens_per_second"] == 12
  assert one["best_generate_tokens_per_second"] == pytest.approx(24 / 5)
  assert one["ratio_to_best_generate"] == pytest.approx(2.5)
  # Four steps of six rows, a quarter of a second each at least, in two.
  assert one["floor_share"] == pytest.approx(0.5)
  one["lengths"] = "fixed"
  said = "2 x 3 rows, fixed lengths, float32: 2.50 times static float32, 50% of"
  assert said in standings.line(one)
  # Each against the best in any dtype.
  assert [each["best_generate"] for each in (one, other)] == [
    "static float32"
  ] * 2
  assert other["dtype"] == "bfloat16"
  assert other["ratio_to_best_generate"] == pytest.approx(5)


def test_ways_that_cannot_race_are_refused():
  with pytest.raises(errors.InputError, match="each must be one of dynamic,"):
    racing.check_ways(("static", "paged"), ("fixed",))
  with pytest.raises(errors.InputError, match="at one length alone"):
    racing.check_ways(("continuous",), ("fixed", "spread"))
  racing.check_ways(("continuous", "static"), ("fixed",))


def test_models_that_differ_are_not_raced():
  with pytest.raises(errors.InputError, match="greedy tokens differ"):
    racing.check([1, 2], [1, 3])
