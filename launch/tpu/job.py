"""What the workers' shells run: one job at a time, which outlives the line.

It runs in the project's folder, with its log, process and exit status beside it
in `.job`, so that whoever asks later finds them.
"""

import shlex

FOLDER = "tts_jax"
# Exit status of a start where a job goes on.
BUSY = 75

_HERE = f"cd {FOLDER} || exit"


def start(command: str) -> str:
  """Starts a command; returns at once."""
  job = f". .venv/bin/activate; {command}; echo $? > .job/status"
  return f"""{_HERE}
mkdir -p .job
if [ ! -e .job/status ] && kill -0 "$(cat .job/pid 2>&1)" 2>/dev/null; then
  echo "a job goes on already" >&2
  exit {BUSY}
fi
rm -f .job/status
setsid bash -c {shlex.quote(job)} > .job/log 2>&1 < /dev/null &
echo $! > .job/pid"""


def follow(lines: str = "+1") -> str:
  """Shows the log from a line on, as `tail` takes it, until the job ends."""
  return f"{_HERE}\ntail -n {lines} --pid=$(cat .job/pid) -f .job/log"


def finish() -> str:
  """Waits for the job's end and exits with its status, which it tells."""
  return f"""{_HERE}
tail --pid=$(cat .job/pid) -f /dev/null
status=$(cat .job/status || echo 1)
[ "$status" = 0 ] || echo "$(hostname): the job ended with status $status" >&2
exit "$status\""""
