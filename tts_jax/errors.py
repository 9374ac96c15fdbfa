"""The error for input that a person can mend."""


class InputError(ValueError):
  """Input from outside is wrong: a file, a field, a flag, a checkpoint.

  The message is one line that names what is wrong, where, and what would be
  right. Launchers print it alone, without a traceback, and exit with status 2.
  """


def in_a_line(error: BaseException) -> str:
  """What another library's error says, or the name of one that says nothing."""
  return " ".join(str(error).split()) or type(error).__name__
