"""The flags that say which machine is meant."""

import re
import shutil

from absl import flags

from launch.tpu import machine
from tts_jax import errors

flags.disclaim_key_flags()  # So that --help counts them as the launcher's own.
# Forms that the service takes, with an example of each.
_FORMS = {
  "name": (r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", "tts"),
  "zone": (r"[a-z]+-[a-z]+\d+-[a-z]", "us-west4-a"),
  "project": (r"([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]", "my-project"),
}


def define_flags() -> None:
  """Defines --name, --zone, --project and --dry_run."""
  flags.DEFINE_string("name", None, "Of the machine.", required=True)
  flags.DEFINE_string("zone", None, "As us-west4-a.", required=True)
  flags.DEFINE_string("project", None, "That pays for it.", required=True)
  flags.DEFINE_bool("dry_run", False, "Print the commands, and do nothing.")


def given() -> machine.Machine:
  """The one that the flags name; an InputError where they cannot be right."""
  values = {key: getattr(flags.FLAGS, key) for key in _FORMS}
  for key, (form, example) in _FORMS.items():
    if not re.fullmatch(form, values[key]):
      raise errors.InputError(
        f"--{key}={values[key]}: not the form of a {key}, as {example}"
      )
  if not flags.FLAGS.dry_run and shutil.which("gcloud") is None:
    raise errors.InputError(
      "gcloud, the command-line client of Google Cloud, is not on the PATH;"
      " https://cloud.google.com/sdk/docs/install has it"
    )
  return machine.Machine(**values, dry_run=flags.FLAGS.dry_run)
