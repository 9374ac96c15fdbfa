"""What a pool's sampling cost, kept across restarts."""

import dataclasses
import json

from tts_jax.decode import stream
from tts_jax.store import run

_FILE = "usage.json"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Usage:
  """Work done on a pool, questions lost to a kill included.

  Attributes:
    stats: of all calls together.
    seconds: of sampling, grading included.
  """

  stats: stream.Stats = dataclasses.field(default_factory=stream.Stats)
  seconds: float = 0.0

  def plus(self, stats: stream.Stats, seconds: float) -> "Usage":
    """With another call's work added."""
    total = {
      field.name: getattr(self.stats, field.name) + getattr(stats, field.name)
      for field in dataclasses.fields(stream.Stats)
    }
    return Usage(stats=stream.Stats(**total), seconds=self.seconds + seconds)

  def save(self, folder: run.Run) -> None:
    """Writes `usage.json`."""
    folder.write_json(_FILE, dataclasses.asdict(self))


def load(folder: run.Run) -> Usage:
  """What earlier calls did; nothing in a new folder."""
  path = folder.path / _FILE
  if not path.exists():
    return Usage()
  found = json.loads(path.read_text())
  return Usage(stats=stream.Stats(**found["stats"]), seconds=found["seconds"])
