"""Which code made a result."""

import pathlib
import subprocess

from tts_jax import version

_ROOT = pathlib.Path(__file__).parent.parent.parent


def commit() -> str:
  """The commit of this checkout, `+changes` where files differ from it.

  Where git cannot say, as in an installed wheel or another user's checkout: the
  version.
  """

  def git(*arguments: str) -> str:
    command = ["git", "-C", str(_ROOT), *arguments]
    return subprocess.run(
      command, check=True, capture_output=True, text=True
    ).stdout.strip()

  if (_ROOT / ".git").exists():
    try:
      changed = git("status", "--porcelain", "--untracked-files=no")
      return git("rev-parse", "HEAD") + ("+changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
      pass  # No git, or not our checkout: what follows is as true.
  return f"version {version.__version__}"
