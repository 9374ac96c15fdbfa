"""Times sampling beside transformers, on the same weights, turn by turn.

  pip install -e '.[bench]'
  python -m launch.bench_peers --out runs/bench_peers

At one length, and at those of real answers: of the word-problem pool that
ships. First both continue a prompt greedily, and must agree. The ratio is of
medians over turns in which each way has its go, prefill included.
"""

import pathlib
import tempfile
from typing import Any

import jax
import numpy as np

from launch import (
  ceilings,
  circumstances,
  entrant,
  entry,
  outlook,
  peers,
  racing,
  standings,
  timing,
  turns,
)
from launch.benches import shapes
from tts_jax import storage
from tts_jax.model import huggingface
from tts_jax.scaling import roofline
from tts_jax.store import atomic

_CONFIG = entry.config_flag("configs/bench.py")
_OUT = outlook.out_flag("runs/bench_peers", "Folder of peers.json.")
_GREEDY = 32


def main(_: list[str]) -> None:
  """Races each shape, and prints it as it comes."""
  config = _CONFIG.value
  part = shapes.part(config, "races", config.peers.shapes)
  outlook.begin(_OUT.value, part, memory=shapes.memory(config))
  lm, params = timing.model(config)
  rng = np.random.default_rng(config.seed)
  with tempfile.TemporaryDirectory() as folder:
    huggingface.save(folder, lm, jax.device_get(params))
    peer = peers.Peer(pathlib.Path(folder), lm.config.dtype)
  prompt = rng.integers(0, lm.vocabulary, 16).tolist()
  racing.check(
    entrant.greedy(lm, params, prompt, _GREEDY), peer.greedy(prompt, _GREEDY)
  )
  machine = ceilings.measure(lm.config.dtype)
  raced: list[dict[str, Any]] = []
  for questions, rows, prompt in config.peers.shapes:
    prompts = rng.integers(0, lm.vocabulary, (questions, prompt)).tolist()
    for spread in config.peers.lengths:
      lengths = [config.tokens] * rows
      if spread == "spread":
        lengths = racing.lengths(config.peers.samples * rows, rng)
      drawn = prompts, lengths, rows
      ways: dict[str, turns.Way] = {
        standings.OURS: entrant.ours(lm, params, *drawn, config.seed)
      }
      for way in config.peers.ways:
        ways[way] = racing.theirs(peer, way, *drawn)
      times = turns.take(ways, config.repeats)
      made = questions * sum(lengths)
      work = roofline.Decoding(
        cfg=lm.config,
        questions=questions,
        rows=rows,
        prompt=prompt,
        suffix=float(np.mean(lengths)) / 2,
      )
      raced.append(standings.row(work, machine, spread, made, times))
      print(standings.line(raced[-1]), flush=True)
  out = storage.at(_OUT.value)
  atomic.make_folder(out)
  told = circumstances.told(machine) | {"config": config.to_dict()}
  atomic.write_json(out / "peers.json", {**told, "rows": raced})
  print(out / "peers.json")


if __name__ == "__main__":
  entry.run(main)
