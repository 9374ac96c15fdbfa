"""Which code made a result."""

import pathlib
import subprocess

from tts_jax import version

_ROOT = pathlib.Path(__file__).parent.parent.parent


def commit() -> str:
  """The commit of this checkout, `+changes` where files differ from it.

  Outside a checkout, as in an installed wheel: the version.
  """
  if not (_ROOT / ".git").exists():
    return f"version {version.__version__}"

  def git(*arguments: str) -> str:
    command = ["git", "-C", str(_ROOT), *arguments]
    return subprocess.run(
      command, check=True, capture_output=True, text=True
    ).stdout.strip()

  changed = git("status", "--porcelain", "--untracked-files=no")
  return git("rev-parse", "HEAD") + ("+changes" if changed else "")
