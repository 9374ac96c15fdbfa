"""Deletes a TPU VM and its request, after which nothing of it is billed.

python -m launch.tpu.delete --name=tts --zone=us-west4-a --project=PROJECT
"""

from launch import entry
from launch.tpu import addressing, deleting

addressing.define_flags()


def main(_: list[str]) -> None:
  """Deletes it, or says that it is gone."""
  deleting.delete(addressing.given())


if __name__ == "__main__":
  entry.run(main)
