"""A sweep set against a larger model, from the command line."""

import json

import kill_harness
import pytest
import search_command

from tts_jax.store import pool

_FEW = ("--config.questions.count=10", "--config.search.seeds=1")


@pytest.fixture(scope="module", name="made")
def fixture_made(tmp_path_factory, model, cache):
  """A verifier, and a larger model's answers; the same model stands for it."""
  folder = tmp_path_factory.mktemp("made")
  verifier = search_command.draw_verifier(folder / "verifier", model)
  greedy = ("--config.samples=1", "--config.sampler.temperature=0")
  for name, flags in (("larger", greedy), ("drawn", greedy[:1])):
    done = kill_harness.run(
      search_command.command(
        "sample",
        folder / name,
        model,
        verifier,
        search_command.SMALL,
        *_FEW,
        *flags,
      ),
      cache,
    )
    assert done.returncode == 0, done.stderr
  return folder


def _search(out, made, model, *flags):
  return search_command.command(
    "search",
    out,
    model,
    made / "verifier",
    search_command.SEARCH,
    *_FEW,
    f"--config.exchange.pool={made / 'larger'}",
    *flags,
  )


def test_policies_are_compared_with_a_larger_model(
  tmp_path, made, model, cache
):
  out = tmp_path / "run"
  done = kill_harness.run(_search(out, made, model), cache)
  assert done.returncode == 0, done.stderr
  exchange = json.loads((out / "summary.json").read_text())["exchange"]
  assert exchange["size_ratio"] == 13.8
  assert set(exchange["families"]) == {"search"}
  right = pool.load_pool(made / "larger").correct
  assert right.shape == (10, 1)
  assert exchange["large"]["mean"] == right.mean()
  report = (out / "report.html").read_text()
  assert "<h2>Test-time compute or a larger model</h2>" in report


@pytest.mark.parametrize(
  ("flag", "message"),
  [
    ("--config.exchange.size_ratio=1", "must have more than 1"),
    ("--config.samples=6", "4 of half of them needs at least 8"),
    ("--config.verifier=none", "and config.verifier is 'none'"),
    ("--config.exchange.pool={made}", "config.json: no such file"),
    ("--config.exchange.pool={made}/drawn", "its temperature is 1.0; a larger"),
    ("--config.questions.count=11", "has no answer to 1 of 11 questions"),
  ],
)
def test_a_comparison_that_cannot_be_is_refused_first(
  tmp_path, made, model, cache, flag, message
):
  out = tmp_path / "run"
  command = _search(out, made, model, flag.format(made=made))
  done = kill_harness.run(command, cache)
  assert done.returncode == 2, done.stderr
  assert message in done.stderr
  # Nothing was drawn, nor a config claimed.
  assert not out.exists()
