"""What a pool's sampling cost, kept across restarts."""

import dataclasses
import json

from tts_jax.decode import stream
from tts_jax.store import provenance, run

_FILE = "usage.json"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Usage:
  """Work done on a pool, questions lost to a kill included.

  Attributes:
    stats: of all calls together.
    seconds: of sampling, grading included.
    commit: of the code that began the pool.
    config_hash: of the run's config when the work was done.
  """

  stats: stream.Stats = dataclasses.field(default_factory=stream.Stats)
  seconds: float = 0.0
  commit: str
  config_hash: str

  def plus(self, stats: stream.Stats, seconds: float) -> "Usage":
    """With another call's work added."""
    total = {
      field.name: getattr(self.stats, field.name) + getattr(stats, field.name)
      for field in dataclasses.fields(stream.Stats)
    }
    return dataclasses.replace(
      self, stats=stream.Stats(**total), seconds=self.seconds + seconds
    )

  def save(self, folder: run.Run) -> None:
    """Writes `usage.json`."""
    folder.write_json(_FILE, dataclasses.asdict(self))


def load(folder: run.Run) -> Usage:
  """What earlier calls did; nothing in a new folder.

  A run that has no shard yet can change its config; what went into the old one
  is not counted.
  """
  path, config_hash = folder.path / _FILE, folder.config_hash
  found = json.loads(path.read_text()) if path.exists() else {}
  if found.get("config_hash") != config_hash:
    return Usage(commit=provenance.commit(), config_hash=config_hash)
  return Usage(**{**found, "stats": stream.Stats(**found["stats"])})
