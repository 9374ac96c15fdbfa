import dataclasses
import functools
import os
import subprocess
import sys

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tts_jax import errors
from tts_jax.model import config, table, transformer
from tts_jax.train import batches
from tts_jax.train import step as step_lib

_TABLE = table.TableModel(
  tuple(tuple(float((i * j) % 5) for j in range(6)) for i in range(6))
)
_LM = transformer.Transformer(
  config.TransformerConfig(
    vocabulary=32,
    width=16,
    layers=2,
    heads=2,
    kv_heads=1,
    head_width=8,
    mlp_width=32,
    max_positions=32,
    dropout=0.1,
  )
)
_OPTIMIZER = step_lib.Optimizer(learning_rate=1e-2, steps=100, warmup=5)


def _loss(lm):
  return functools.partial(step_lib.loss, lm=lm)


def _batch(vocabulary, rows=4, seed=0):
  generator = np.random.default_rng(seed)
  items = (
    (
      index,
      generator.integers(0, vocabulary, 4).tolist(),
      generator.integers(0, vocabulary, generator.integers(2, 6)).tolist(),
    )
    for index in range(100)
  )
  return next(batches.packed(items, rows=rows, length=20, prompt_weight=0.5))[1]


def _params(lm):
  return lm.init(jax.random.key(0))


def test_the_loss_is_that_of_plain_loops():
  batch = _batch(6)
  params = _params(_TABLE)
  total, weight = step_lib.loss(params, batch, lm=_TABLE)
  expected = 0.0
  for row in range(4):
    for t in range(20):
      logits = np.asarray(_TABLE.table[batch.tokens[row, t]])
      nats = np.log(np.exp(logits).sum()) - logits[batch.targets[row, t]]
      expected += batch.weights[row, t] * nats
  assert float(total) == pytest.approx(expected, rel=1e-5)
  assert float(weight) == pytest.approx(batch.weights.sum())


def test_a_batch_in_parts_gives_the_same_gradient():
  lm = transformer.Transformer(dataclasses.replace(_LM.config, dropout=0))
  batch = _batch(32, rows=8)
  state = step_lib.init(jax.random.key(1), lm, _OPTIMIZER)
  results = [
    step_lib.train_step(
      state, batch, loss=_loss(lm), optimizer=_OPTIMIZER, microbatches=parts
    )
    for parts in (1, 2, 8)
  ]
  for new, metrics in results[1:]:
    chex.assert_trees_all_close(metrics, results[0][1], rtol=1e-4)
    # Adam divides by the gradient's size: where that is rounding, so is it.
    chex.assert_trees_all_close(
      new.optimizer[1][0].mu, results[0][0].optimizer[1][0].mu, atol=1e-7
    )


def test_training_lowers_the_loss_and_traces_once():
  chex.clear_trace_counter()
  batch = _batch(32)
  step = jax.jit(
    chex.assert_max_traces(step_lib.train_step, n=1),
    static_argnames=("loss", "optimizer"),
    donate_argnums=0,
  )
  state = step_lib.init(jax.random.key(0), _LM, _OPTIMIZER)
  losses, loss = [], _loss(_LM)
  for _ in range(60):
    state, metrics = step(state, batch, loss=loss, optimizer=_OPTIMIZER)
    losses.append(float(metrics["loss"]))
  assert losses[0] == pytest.approx(np.log(32), rel=0.1)
  assert losses[-1] < 0.6 * losses[0]
  assert int(state.step) == 60


def test_dropout_differs_from_step_to_step_and_not_from_run_to_run():
  batch = _batch(32)
  state = step_lib.init(jax.random.key(0), _LM, _OPTIMIZER)
  step = functools.partial(
    step_lib.train_step, loss=_loss(_LM), optimizer=_OPTIMIZER
  )
  _, first = step(state, batch)
  _, again = step(state, batch)
  _, later = step(state.replace(step=state.step + 1), batch)
  assert float(first["loss"]) == float(again["loss"])
  assert float(first["loss"]) != float(later["loss"])


def test_the_schedule_warms_up_and_ends_at_zero():
  schedule = _OPTIMIZER.schedule()
  assert float(schedule(0)) == 0
  assert float(schedule(5)) == pytest.approx(1e-2)
  assert float(schedule(100)) == pytest.approx(0, abs=1e-9)
  rates = [float(schedule(step)) for step in range(5, 101)]
  assert rates == sorted(rates, reverse=True)


def test_weight_decay_spares_norms():
  params = _params(_LM)
  optimizer = step_lib.Optimizer(
    learning_rate=1.0, steps=10, warmup=1, weight_decay=0.5
  )
  transformation = optimizer.transformation()
  state = transformation.init(params)
  nothing = jax.tree.map(jnp.zeros_like, params)
  _, state = transformation.update(nothing, state, params)
  updates, _ = transformation.update(nothing, state, params)
  assert not updates["final_norm"]["scale"].any()
  assert updates["embedding"].any()


def test_two_devices_train_as_one():
  # Devices are fixed at start-up, so another process has the second one.
  code = """
import dataclasses, functools, jax
from tests import test_train_step as t
from tts_jax import sharding
from tts_jax.train import step as step_lib
mesh = sharding.data_mesh()
copies, split = sharding.replicated(mesh), sharding.over_data(mesh)
lm = t.transformer.Transformer(
  dataclasses.replace(t._LM.config, dropout=0)
)
state = jax.device_put(
  step_lib.init(jax.random.key(0), lm, t._OPTIMIZER), copies
)
step = jax.jit(
  functools.partial(
    step_lib.train_step, loss=t._loss(lm), optimizer=t._OPTIMIZER,
    microbatches=2,
  ),
  in_shardings=(copies, split),
)
state, metrics = step(state, t._batch(32, rows=8))
loss, norm = metrics["loss"], metrics["gradient_norm"]
print(len(mesh.devices), float(loss), float(norm))
"""
  outputs = []
  for count in (1, 2):
    done = subprocess.run(
      [sys.executable, "-c", code],
      capture_output=True,
      text=True,
      check=True,
      env={
        **os.environ,
        "JAX_PLATFORMS": "cpu",
        "JAX_NUM_CPU_DEVICES": str(count),
      },
    )
    outputs.append([float(x) for x in done.stdout.split()])
  assert [o[0] for o in outputs] == [1, 2]
  assert outputs[0][1:] == pytest.approx(outputs[1][1:], rel=1e-4)


@pytest.mark.parametrize("microbatches", [0, 3, 8])
def test_parts_that_do_not_divide_the_batch_are_refused(microbatches):
  step = functools.partial(
    step_lib.train_step,
    loss=_loss(_LM),
    optimizer=_OPTIMIZER,
    microbatches=microbatches,
  )
  state = step_lib.init(jax.random.key(0), _LM, _OPTIMIZER)
  said = f"microbatches is {microbatches}; it must divide data.rows, 4"
  with pytest.raises(errors.InputError, match=said):
    jax.jit(step)(state, _batch(32))


@pytest.mark.parametrize(
  ("fields", "message"),
  [
    ({"steps": 10, "warmup": 10}, "warmup is 10; it must be from 0 to below"),
    ({"learning_rate": 0.0}, "learning_rate is 0.0; it must be above 0"),
  ],
)
def test_an_impossible_schedule_is_refused(fields, message):
  with pytest.raises(errors.InputError, match=message):
    dataclasses.replace(_OPTIMIZER, **fields)


def test_frozen_parts_stay_and_the_rest_moves():
  optimizer = dataclasses.replace(_OPTIMIZER, frozen=("model",))
  params = {"model": jnp.ones((2, 2)), "head": jnp.ones((2, 2))}

  def loss(params, batch, *, dropout_key=None):
    del dropout_key
    return ((params["model"] + params["head"]) * batch).sum(), jnp.float32(1)

  state = step_lib.begin(jax.random.key(0), params, optimizer)
  state = state.replace(step=jnp.int32(1))
  for _ in range(2):
    state, _ = step_lib.train_step(
      state, jnp.ones((2, 2)), loss=loss, optimizer=optimizer
    )
  np.testing.assert_array_equal(state.params["model"], params["model"])
  assert (state.params["head"] != params["head"]).all()
