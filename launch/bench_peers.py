"""Times sampling beside transformers, on the same weights, turn by turn.

  pip install -e '.[bench]'
  python -m launch.bench_peers --out runs/bench_peers

At one length, and at the lengths of real answers: those of the word-problem
pool that ships. First both continue a prompt greedily, and must agree. The
ratio is of medians over turns in which each way has its go; ours is the whole
of it, prefill included, as theirs is. Run nothing beside it.
"""

import pathlib
import tempfile
from typing import Any

import jax
import numpy as np
from absl import flags

from launch import entrant, entry, peers, racing, throughput, timing, turns
from tts_jax import storage
from tts_jax.model import huggingface
from tts_jax.store import atomic, provenance

_CONFIG = entry.config_flag("configs/bench.py")
_OUT = flags.DEFINE_string("out", "runs/bench_peers", "Folder of peers.json.")
_GREEDY = 32


def main(_: list[str]) -> None:
  """Races each shape, and prints it as it comes."""
  config = _CONFIG.value
  lm, params = timing.model(config)
  rng = np.random.default_rng(config.seed)
  with tempfile.TemporaryDirectory() as folder:
    huggingface.save(folder, lm, jax.device_get(params))
    peer = peers.Peer(pathlib.Path(folder), lm.config.dtype)
  prompt = rng.integers(0, lm.vocabulary, 16).tolist()
  racing.check(
    entrant.greedy(lm, params, prompt, _GREEDY), peer.greedy(prompt, _GREEDY)
  )
  raced: list[dict[str, Any]] = []
  for questions, rows, prompt in config.peers.shapes:
    prompts = rng.integers(0, lm.vocabulary, (questions, prompt)).tolist()
    for spread, lengths in (
      ("fixed", [config.tokens] * rows),
      ("real", racing.lengths(config.peers.samples * rows, rng)),
    ):
      drawn = prompts, lengths, rows
      ways: dict[str, turns.Way] = {
        "tts_jax": entrant.ours(lm, params, *drawn, config.seed)
      }
      for way in peers.WAYS:
        ways[way] = racing.theirs(peer, way, *drawn)
      taken = turns.take(ways, config.repeats)
      times = {name: one.seconds for name, one in taken.items()}
      made = questions * sum(lengths)
      best = min(
        (k for k in times if k != "tts_jax"), key=lambda k: np.median(times[k])
      )
      ratio = float(np.median(times[best]) / np.median(times["tts_jax"]))
      raced.append(
        {
          **{"questions": questions, "rows": rows, "prompt": prompt},
          **{"lengths": spread, "tokens": made, "best_peer": best},
          "times_faster": ratio,
          "tokens_per_second": {
            name: throughput.spread(made / one) for name, one in times.items()
          },
        }
      )
      print(racing.line(raced[-1]), flush=True)
  out = storage.at(_OUT.value)
  atomic.make_folder(out)
  told = {"commit": provenance.commit(), "config": config.to_dict()}
  atomic.write_json(out / "peers.json", {**told, "raced": raced})
  print(out / "peers.json")


if __name__ == "__main__":
  entry.run(main)
