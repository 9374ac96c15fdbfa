"""Times sampling beside transformers, on the same weights, turn by turn.

  pip install -e '.[bench]'
  python -m launch.bench_peers --out runs/bench_peers

At one length, and at those of real answers: of the word-problem pool that
ships. First both continue a prompt greedily, and must agree. The ratio is of
medians over turns in which each way in each dtype has its go, prefill included:
ours in a dtype, to the best of theirs in any.
"""

import pathlib
import tempfile

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
from tts_jax.store import atomic

_CONFIG = entry.config_flag("configs/bench.py")
_OUT = outlook.out_flag("runs/bench_peers", "Folder of peers.json.")
_GREEDY = 32


def main(_: list[str]) -> None:
  """Races each shape, and prints it as it comes."""
  config = _CONFIG.value
  raced_at = config.peers.shapes
  part = shapes.part(config, "races", raced_at)
  outlook.begin(_OUT.value, part, memory=shapes.memory(config, raced_at))
  racing.check_ways(config.peers.ways, config.peers.lengths)
  models = {dtype: timing.model(config, dtype) for dtype in config.dtypes}
  lm, params = timing.model(config, "float32")
  rng = np.random.default_rng(config.seed)
  with tempfile.TemporaryDirectory() as folder:
    huggingface.save(folder, lm, jax.device_get(params))
    path = pathlib.Path(folder)
    theirs = {dtype: peers.Peer(path, dtype) for dtype in models}
  prompt = rng.integers(0, lm.vocabulary, 16).tolist()
  for dtype, model in models.items():
    racing.check(
      entrant.greedy(*model, prompt, _GREEDY),
      theirs[dtype].greedy(prompt, _GREEDY),
    )
  machines = {dtype: ceilings.measure(dtype) for dtype in models}
  told = circumstances.told(machines) | {"config": config.to_dict(), "rows": []}
  out = storage.at(_OUT.value)
  atomic.make_folder(out)
  for questions, rows, prompt in raced_at:
    prompts = rng.integers(0, lm.vocabulary, (questions, prompt)).tolist()
    for spread in config.peers.lengths:
      lengths = [config.tokens] * rows
      if spread == "spread":
        lengths = racing.lengths(config.peers.samples * rows, rng)
      ways: dict[str, turns.Way] = {}
      for dtype, model in models.items():
        mine = standings.name(standings.OURS, dtype)
        ways[mine] = entrant.ours(*model, prompts, lengths, rows, config.seed)
        for way in config.peers.ways:
          named = standings.name(way, dtype)
          peer = theirs[dtype]
          ways[named] = racing.theirs(peer, way, prompts, lengths, rows)
      times = turns.take(ways, config.repeats)
      size = {"questions": questions, "rows": rows, "prompt": prompt}
      cfgs = [lm.config for lm, _ in models.values()]
      for one in standings.rows(cfgs, machines, size, lengths, times):
        one["lengths"] = spread
        print(standings.line(one), flush=True)
        told["rows"].append(one)
      atomic.write_json(out / "peers.json", told)
  print(out / "peers.json")


if __name__ == "__main__":
  entry.run(main)
