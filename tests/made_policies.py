"""Policies that no run measured, for tests of what reads them."""

import dataclasses

from tts_jax.scaling import policy_file

_INTERVAL = {"mean": 0.5, "low": 0.4, "high": 0.6}


def choice(plan, **changes):
  """A strategy of twenty questions, chosen by half of their halves."""
  made = policy_file.Choice(
    plan=plan,
    questions=20,
    agreement=0.5,
    value=_INTERVAL,
    less_baseline=None,
    generations=4.0,
    flops=1.0,
  )
  return dataclasses.replace(made, **changes)


def policy(*choices, **changes):
  """Two bins, two budgets, of which the larger pays for four samples first."""
  made = policy_file.Policy(
    made_for=policy_file.MadeFor(tokenizer="t", model="m", verifier="v"),
    commit="c",
    difficulty="first_4",
    difficulty_generations=4,
    unit="generations",
    edges=(0.5,),
    budgets=(4.0, 16.0),
    estimated=(False, True),
    choices=choices,
  )
  return dataclasses.replace(made, **changes)
