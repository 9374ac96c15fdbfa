"""What a launcher says of a fault that is none of the program."""

import errno
import os

_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


def of_disk(error: Exception) -> str | None:
  """What to say of a full disk; None where it is another fault."""
  # Orbax and safetensors raise errors of their own, without the number.
  full = any(os.strerror(number) in str(error) for number in _DISK_FULL)
  if getattr(error, "errno", None) not in _DISK_FULL and not full:
    return None
  where = getattr(error, "filename", None) or "the folder of the run"
  return (
    f"no space left on the disk, or over its quota: {where}; what was whole"
    " stays: make room and start again with the same flags"
  )
