"""Asks for a TPU VM as a queued resource, and waits until it is there.

  python -m launch.tpu.create --name=tts --zone=us-west4-a --project=PROJECT \
      --accelerator=v5litepod-8 --spot

It is billed until it is deleted, by launch.tpu.delete, or with --max_hours
until these have passed. A machine of that name that exists is waited for.
"""

import subprocess

from absl import flags

from launch import entry
from launch.tpu import addressing, machine, slices, waiting
from tts_jax import errors

addressing.define_flags()
_ACCELERATOR = flags.DEFINE_string(
  "accelerator", None, "Type, as v5litepod-8.", required=True
)
_RUNTIME = flags.DEFINE_string("runtime", "", "Software; empty: the type's.")
_SPOT = flags.DEFINE_bool("spot", False, "Cheaper; may be taken away.")
_MAX_HOURS = flags.DEFINE_float(
  "max_hours", None, "It is deleted after these, as flex-start.", 0.1, 168
)
_WAIT_HOURS = flags.DEFINE_float(
  "wait_hours", 24, "The request is dropped if it is not met in these.", 0.1
)
_POLL = flags.DEFINE_float("poll_seconds", 20, "Between looks.", 0)


def main(_: list[str]) -> None:
  """Creates what is not there, and waits."""
  wanted = slices.find(_ACCELERATOR.value)
  if _SPOT.value and _MAX_HOURS.value:
    raise errors.InputError(
      "--spot and --max_hours are both given; the service ends flex-start"
      " machines alone by the clock: leave one of them out"
    )
  target = addressing.given()
  if (found := target.describe()) is not None:
    (node,) = found["tpu"]["nodeSpec"]
    if (type_ := node["node"]["acceleratorType"]) != wanted.type:
      raise errors.InputError(
        f"{target.name} exists, of type {type_} and not {wanted.type}; take"
        f" another --name, or delete it: {target.launcher('delete')}"
      )
    print(f"{target.name} exists already")
  elif (done := _request(target, wanted)).returncode and not target.describe():
    raise errors.InputError(
      f"{target.name} is not created, and nothing billed: {done.stderr.strip()}"
    )
  if target.dry_run:
    return
  hours = _MAX_HOURS.value
  print(
    f"{target.name}: {wanted.type}, chips: {wanted.chips}, billed from ACTIVE"
    f" on until deleted{f', {hours:g} hours at most' if hours else ''}"
    " (https://cloud.google.com/tpu/pricing); to delete it:\n"
    f"  {target.launcher('delete')}",
    flush=True,
  )
  waiting.wait(target, _POLL.value)


def _request(
  target: machine.Machine, wanted: slices.Slice
) -> "subprocess.CompletedProcess[str]":
  """Asks the service for it."""
  flags_ = [
    f"--node-id={target.name}",
    f"--accelerator-type={wanted.type}",
    f"--runtime-version={_RUNTIME.value or wanted.runtime}",
    f"--valid-until-duration={_WAIT_HOURS.value * 3600:.0f}s",
  ]
  track = ""
  if _SPOT.value:
    flags_.append("--spot")
  if _MAX_HOURS.value:
    track = "alpha"  # The one that has the flag.
    limit = f"--max-run-duration={_MAX_HOURS.value * 3600:.0f}s"
    flags_ += ["--provisioning-model=flex-start", limit]
  return target.ask(target.request("create", *flags_, track=track))


if __name__ == "__main__":
  entry.run(main)
