"""Chains of revisions from end to end, contexts that are read anew included."""

import functools
from collections.abc import Iterator
from typing import Any

import jax
import ml_collections

from launch import pooling, revising, throughput, turns
from launch.benches import streams
from tts_jax.decode import pools
from tts_jax.revise import state


def lines(config: ml_collections.ConfigDict) -> Iterator[throughput.Line]:
  """A line a pair of `config.revisions.chains`: of a question, and answers.

  Of the revision model of `experiment`, in as many rows as its searches have.
  """
  wanted = config.experiment
  task, questions = pooling.find_questions(wanted)
  key = "config.experiment.revision.model"
  model = revising.load_reviser(wanted, task, wanted.revision.model, key)
  asked = [pools.request(one, task, model.tokenizer) for one in questions]
  for chains, length in config.revisions.chains:
    groups = max(1, wanted.search.rows // chains)
    sized = streams.sized(wanted, groups, chains, samples=chains)
    plan = revising.plan(sized, (length,) * chains)
    way = streams.Stream(revising.engine(model, sized, plan), asked, _revised)
    took = turns.take({"chains": way}, config.repeats)["chains"]
    begin = functools.partial(
      state.init_state,
      setup=revising.setup(model, sized, plan),
      groups=groups,
      rows=chains,
      prompt_tokens=wanted.limits.prompt_tokens,
    )
    yield way.line(
      f"{chains} chains of {length}",
      took,
      jax.eval_shape(begin, model.params),
      own={"chains": chains, "length": length},
    )


def _revised(result: Any) -> Any:
  return result.cost
