"""What Monte Carlo labels cost, and what they would without sharing."""

import collections
import itertools
from typing import Any

import pyarrow as pa

# Rows that are plain data at a time.
_BLOCK = 1000


def summarise(rows: pa.Table) -> dict[str, Any]:
  """What labels cost, in tokens put through the model.

  Against it stands what the same labels and continuations would cost with a
  prefill for each rollout of each label; with one for the K rollouts of each
  label; and with one for each rollout, but no prefix labelled twice.

  Args:
    rows: of the stage, `store.labels.SCHEMA`.

  Returns:
    Plain data, for `labels.json`.
  """
  dropped: collections.Counter[str] = collections.Counter()
  total: collections.Counter[str] = collections.Counter()
  shares = 0.0
  blocks = rows.to_batches(max_chunksize=_BLOCK)
  for row in itertools.chain.from_iterable(b.to_pylist() for b in blocks):
    total["samples"] += 1
    if row["dropped"]:
      dropped[row["dropped"]] += 1
      continue
    total["prefilled"] += row["prefilled"]
    for step, end in enumerate(row["step_end"]):
      at = {
        name: row[name][step] for name in ("owner", "rollouts", "generated")
      }
      read = len(row["prompt"]) + end - 1 if at["rollouts"] else 0
      total["labels"] += 1
      alone = at["rollouts"] * read + at["generated"]
      total["each_rollout"] += alone
      total["each_label"] += read + at["generated"]
      if at["owner"] == row["sample"]:
        total["prefixes"] += 1
        total["rolled_out"] += at["rollouts"] > 0
        total["each_rollout_once"] += alone
        total["rollouts"] += at["rollouts"]
        total["generated"] += at["generated"]
      right = row["rollouts_correct"][step] + row["passing_correct"][step]
      shares += right / (at["rollouts"] + row["passing"][step])
  spent, labels = total["prefilled"] + total["generated"], total["labels"]
  return {
    "questions": len(rows["question_id"].unique()),
    "samples": total["samples"],
    "samples_dropped": dict(sorted(dropped.items())),
    "labels": labels,
    "label_mean": shares / labels if labels else None,
    "distinct_prefixes": total["prefixes"],
    "prefixes_rolled_out": total["rolled_out"],
    "rollouts": total["rollouts"],
    "tokens_prefilled": total["prefilled"],
    "tokens_generated": total["generated"],
    "tokens_per_label": spent / max(labels, 1),
    "independent": {
      name: {
        "tokens_per_label": total[name] / max(labels, 1),
        "times_as_many": total[name] / spent if spent else None,
      }
      for name in ("each_rollout", "each_label", "each_rollout_once")
    },
  }
