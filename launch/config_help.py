"""The keys of a config, as a launcher's help shows them."""

import ml_collections
from absl import flags

from launch import config_comments, config_values


def text(path: str, config: ml_collections.ConfigDict) -> str:
  """The keys of a config file as flags: meaning, default, type.

  Args:
    path: of the file.
    config: what it gives.
  """
  meant = config_comments.meanings(path)
  lines = [f"keys of {path}:", ""]
  for key, value in config_values.items(config):
    said = meant.get(key, "")
    if said == meant.get(config_comments.group(key)):
      said = ""  # The group has said it.
    said = f"--config.{key}: {said}".rstrip()
    lines.append(flags.text_wrap(said, indent="    ", firstline_indent="  "))
    if not isinstance(value, ml_collections.ConfigDict):
      kind = f"(default: {value!r}; {config_values.kind(value)})"
      lines.append(flags.text_wrap(kind, indent="    "))
  return "\n".join(lines)
