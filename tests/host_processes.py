"""Starts the processes of a launcher that several do together."""

import socket

import kill_harness


def start(count, launcher, outs, flags, cache, devices=8):
  """Starts processes of so many devices in all, each with its own `--out`."""
  with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
  env = {**cache}
  if devices > count:  # One is what each has, unless told.
    env["JAX_NUM_CPU_DEVICES"] = str(devices // count)
  started = []
  for number, out in zip(range(count), outs, strict=True):
    own = (
      f"--coordinator=127.0.0.1:{port}",
      f"--processes={count}",
      f"--process={number}",
    )
    command = kill_harness.python("-m", f"launch.{launcher}", f"--out={out}")
    given = own if count > 1 else ()
    started.append(kill_harness.start([*command, *given, *flags], env))
  return started


def end(started, status=0):
  """Waits for all of them; what each said, output and errors."""
  try:
    said = [one.communicate(timeout=200) for one in started]
  finally:
    for one in started:
      one.kill()
  assert [one.returncode for one in started] == [status] * len(said), said
  return said
