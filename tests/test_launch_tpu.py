"""TPU VMs from nothing to results, by a stand-in for gcloud."""

import os
import shlex
import signal
import subprocess
import sys
import time

import kill_harness
import pytest
import tpu_stand_in

from launch.tpu import slices
from tts_jax import errors

_WHERE = "--zone=us-west4-a --project=my-project"
_CREATE = ("--accelerator=v5litepod-16", "--poll_seconds=0")


@pytest.fixture(autouse=True)
def _interruptible():
  """Here as in the foreground: Ctrl-C being ignored would be handed on."""
  before = signal.signal(signal.SIGINT, signal.default_int_handler)
  yield
  signal.signal(signal.SIGINT, before)


@pytest.fixture
def cloud(tmp_path):
  """Two workers, and no machine yet."""
  return tpu_stand_in.StandIn.make(tmp_path, workers=2)


@pytest.fixture
def ready(cloud):
  """A machine that is set up."""
  cloud.ask()
  cloud.set_up()
  return cloud


def _shell(script):
  return ("--", "bash", "-c", script)


def test_from_nothing_to_results(cloud):
  cloud.states(
    "WAITING_FOR_RESOURCES", "PROVISIONING", "PROVISIONING", "ACTIVE"
  )
  made = cloud.launch("create", *_CREATE)
  assert (made.returncode, made.stderr) == (0, "")
  told = [line.split(": ")[-1] for line in made.stdout.splitlines()]
  assert told[-3:] == ["WAITING_FOR_RESOURCES", "PROVISIONING", "ACTIVE"]
  assert "billed from ACTIVE on until deleted" in made.stdout
  assert f"launch.tpu.delete --name=tts {_WHERE}\n" in made.stdout
  done = cloud.launch("setup")
  assert done.returncode == 0, done.stderr
  assert done.stdout.split("\n").count("tpu: 8") == 2
  assert list(cloud.folder.glob("*.tar.gz")) == []
  for home in cloud.homes():
    assert (home / "tts_jax" / "launch" / "tpu" / "setup.py").is_file()
    assert (home / "tts_jax" / "pyproject.toml").is_file()
    assert not list(home.rglob("__pycache__"))
    assert (home / "installed").read_text().splitlines() == [
      "-m pip install --quiet --user uv",
      "-m uv venv --quiet --seed --allow-existing --python 3.12 .venv",
      "-m uv pip install --quiet --python .venv/bin/python -e .[tpu]",
    ]
  script = "mkdir -p runs/x && pwd > runs/x/where && echo begun 'a  b'"
  ran = cloud.launch("run", *_shell(script))
  assert ran.returncode == 0, ran.stderr
  # Of worker 0 alone.
  assert ran.stdout.split("\n").count("begun a  b") == 1
  assert "tts is billed on" in ran.stderr
  assert cloud.launch("fetch", "--path=runs/x").returncode == 0
  (home, other) = cloud.homes()
  fetched = cloud.folder / "here" / "runs" / "x" / "where"
  assert fetched.read_text() == f"{home}/tts_jax\n"
  assert cloud.launch("fetch", "--path=runs/x", "--worker=1").returncode == 0
  assert fetched.read_text() == f"{other}/tts_jax\n"
  gone = cloud.launch("delete")
  assert gone.returncode == 0
  assert gone.stdout.endswith("tts is deleted, and billed no more\n")
  assert not cloud.exists()
  assert cloud.verbs() == [
    *("describe", "create", *["describe"] * 4),
    *("scp", "ssh"),
    *["ssh"] * 3,
    *("scp", "scp", "delete"),
  ]


def test_create_of_what_exists_waits_for_it(cloud):
  cloud.ask()
  cloud.states("PROVISIONING", "PROVISIONING", "ACTIVE")
  done = cloud.launch("create", *_CREATE)
  assert done.returncode == 0
  assert done.stdout.startswith("tts exists already\n")
  assert done.stdout.endswith("tts: ACTIVE\n")
  assert set(cloud.verbs()) == {"describe"}


def test_delete_of_what_is_gone_says_so(cloud):
  done = cloud.launch("delete")
  assert done.returncode == 0
  assert done.stdout.endswith(
    "tts is gone already: there is none in us-west4-a of my-project\n"
  )


def _fails(done, *said, status=2):
  assert done.returncode == status, done.stderr
  assert done.stderr.count("\n") == 1
  for one in said:
    assert one in done.stderr


def test_a_refused_quota_is_one_line_and_costs_nothing(cloud):
  cloud.refuse("create", "RESOURCE_EXHAUSTED: Quota limit\n  is exceeded.")
  done = cloud.launch("create", *_CREATE)
  _fails(
    done, "create: tts is not created, and nothing billed:", "Quota limit is"
  )
  assert "billed from" not in done.stdout


@pytest.mark.parametrize("state", ["FAILED", "SUSPENDED"])
def test_a_request_that_ends_says_why(cloud, state):
  cloud.states("WAITING_FOR_RESOURCES", state)
  done = cloud.launch("create", *_CREATE)
  _fails(done, f"tts is {state}: no capacity; before you ask again: python -m")


def test_another_type_of_that_name_is_refused(cloud):
  cloud.ask("v6e-8")
  done = cloud.launch("create", *_CREATE)
  _fails(done, "tts exists, of type v6e-8 and not v5litepod-16")


def test_what_cannot_be_asked_is_said(cloud):
  cloud.refuse("describe", "no active account is selected")
  done = cloud.launch("create", *_CREATE)
  _fails(done, "gcloud says nothing of tts:", "no active account")
  assert "create" not in cloud.verbs()


def test_an_interrupted_wait_says_that_the_request_stays(cloud):
  cloud.states("WAITING_FOR_RESOURCES")
  child = cloud.start("create", "--accelerator=v5litepod-16")
  assert any("WAITING" in line for line in iter(child.stdout.readline, ""))
  os.killpg(child.pid, signal.SIGINT)
  _, err = child.communicate(timeout=300)
  assert child.returncode == 130
  assert "tts stays asked for, and is billed once it is there" in err
  assert f"launch.tpu.delete --name=tts {_WHERE}\n" in err
  assert cloud.exists()


def test_a_failed_setup_ends_with_its_status(cloud):
  cloud.ask()
  python = cloud.folder / "bin" / "python3"
  python.write_text('#!/bin/sh\n[ "$2" = pip ] || exit 7\n')
  done = cloud.launch("setup")
  assert done.returncode == 7
  assert list(cloud.folder.glob("*.tar.gz")) == []
  cloud.refuse("scp", "no route")
  assert cloud.launch("setup").returncode == 1


_ONE_FAILS = '[ "$(basename "$HOME")" = 0 ] || exit 3; mkdir -p runs/x'


def test_the_status_of_a_failed_worker_is_ours(ready):
  done = ready.launch("run", *_shell(_ONE_FAILS))
  assert done.returncode == 3
  assert "the job ended with status 3" in done.stderr
  assert ready.exists()
  assert ready.launch("logs", "--worker=1").returncode == 3
  assert ready.launch("logs", "--worker=0").returncode == 0


def test_delete_on_exit_deletes_after_a_failure_too(ready):
  flags = ("--delete_on_exit", "--fetch=runs/x")
  done = ready.launch("run", *flags, *_shell(_ONE_FAILS))
  assert done.returncode == 3
  assert not ready.exists()
  assert ready.verbs()[-2:] == ["scp", "delete"]
  assert (ready.folder / "here" / "runs" / "x").is_dir()
  assert "is billed on" not in done.stderr


def test_delete_on_exit_fetches_and_deletes(ready):
  script = "mkdir -p runs/x && echo 1 > runs/x/summary.json"
  flags = ("--delete_on_exit", "--fetch=runs/x")
  done = ready.launch("run", *flags, *_shell(script))
  assert done.returncode == 0
  assert not ready.exists()
  fetched = ready.folder / "here" / "runs" / "x" / "summary.json"
  assert fetched.read_text() == "1\n"
  lost = ready.launch("run", "--fetch=runs/none", *_shell("true"))
  assert lost.returncode == 1


def _begun(cloud, *flags, **env):
  """A run whose job has begun, and would go on for a minute."""
  child = cloud.start("run", *flags, *_shell("echo begun; sleep 60"))
  assert "begun\n" in iter(child.stdout.readline, "")
  return child


@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_delete_on_exit_deletes_when_interrupted(ready, monkeypatch, how):
  monkeypatch.setenv("DELETING_TAKES", "1")
  child = _begun(ready, "--delete_on_exit")
  os.killpg(child.pid, signal.Signals[how])
  for line in iter(child.stdout.readline, ""):
    if line.startswith("deleting tts"):
      break
  while "delete" not in ready.verbs():
    time.sleep(0.01)
  # Once more, while it deletes.
  os.killpg(child.pid, signal.SIGINT)
  out, err = child.communicate(timeout=300)
  assert child.returncode == 130, err
  assert not ready.exists()
  assert "tts is deleted, and billed no more" in out


def test_an_interrupted_run_goes_on(ready):
  child = _begun(ready)
  os.killpg(child.pid, signal.SIGINT)
  _, err = child.communicate(timeout=300)
  assert child.returncode == 130
  assert f"launch.tpu.logs --name=tts {_WHERE}\n" in err
  assert "tts is billed on" in err
  busy = ready.launch("run", "--delete_on_exit", *_shell("true"))
  assert busy.returncode == 75
  assert "a job goes on already" in busy.stderr
  assert ready.exists()
  assert ready.launch("delete").returncode == 0


def test_a_failed_deletion_is_said_loudly(ready):
  ready.refuse("delete", "INTERNAL: try again")
  done = ready.launch("run", "--delete_on_exit", *_shell("true"))
  _fails(done, "run: tts is NOT deleted, and billed on:", "INTERNAL: try again")
  assert f"try again: python -m launch.tpu.delete --name=tts {_WHERE}" in (
    done.stderr
  )


_VM = "gcloud compute tpus tpu-vm"
_REQUEST = "gcloud compute tpus queued-resources"
_DESCRIBE = f"{_REQUEST} describe tts {_WHERE} --format=json"


def _asked(
  flags, *, track="", type_="v5litepod-8", runtime="v2-alpha-tpuv5-lite"
):
  return (
    f"gcloud {track}compute tpus queued-resources create tts {_WHERE}"
    f" --node-id=tts --accelerator-type={type_} --runtime-version={runtime}"
    f" --valid-until-duration={flags}"
  )


@pytest.mark.parametrize(
  ("flags", "command"),
  [
    ("--accelerator=v5litepod-8", _asked("86400s")),
    ("--accelerator=v5litepod-8 --spot", _asked("86400s --spot")),
    (
      "--accelerator=v6e-4 --max_hours=2.5 --wait_hours=1",
      _asked(
        "3600s --provisioning-model=flex-start --max-run-duration=9000s",
        track="alpha ",
        type_="v6e-4",
        runtime="v2-alpha-tpuv6e",
      ),
    ),
    (
      "--accelerator=v5p-8",
      _asked("86400s", type_="v5p-8", runtime="v2-alpha-tpuv5"),
    ),
    (
      "--accelerator=v5p-8 --runtime=mine",
      _asked("86400s", type_="v5p-8", runtime="mine"),
    ),
  ],
)
def test_dry_create(cloud, flags, command):
  done = cloud.launch("create", "--dry_run", *flags.split())
  assert done.stdout.splitlines() == [_DESCRIBE, command]
  assert cloud.calls() == []


def test_dry_setup(cloud):
  done = cloud.launch("setup", "--dry_run", "--python=3.11")
  pack, send, install = done.stdout.split("\n", 2)
  file = f"{cloud.folder}/tts.tar.gz"
  assert pack == (
    f"tar -czf {file} --exclude=__pycache__ -C {kill_harness.ROOT}"
    " LICENSE README.md configs launch pyproject.toml tts_jax"
  )
  assert send == f"{_VM} scp {file} tts:tts_jax.tar.gz --worker=all {_WHERE}"
  words = shlex.split(install)
  assert words[:6] == [*_VM.split(), "ssh", "tts"]
  assert words[6] == "--worker=all"
  assert words[7].startswith("--command=set -e\nmkdir -p tts_jax\n")
  assert "--python 3.11 .venv\n" in words[7]
  assert words[8:] == _WHERE.split()
  assert cloud.calls() == []


def test_dry_run_fetch_and_delete(cloud):
  flags = ("--dry_run", "--fetch=runs/x", "--delete_on_exit")
  words = shlex.split(
    cloud.launch("run", *flags, "--", "python", "-c", "print('a  b')").stdout
  )
  scripts = [word for word in words if word.startswith("--command=")]
  assert ". .venv/bin/activate; python -c" in scripts[0]
  commands = shlex.join(w for w in words if w not in scripts)
  assert commands == " ".join(
    [
      f"{_VM} ssh tts --worker=all {_WHERE}",
      f"{_VM} ssh tts --worker=0 {_WHERE}",
      f"{_VM} ssh tts --worker=all {_WHERE}",
      f"{_VM} scp tts:tts_jax/runs/x runs/ --worker=0 --recurse {_WHERE}",
      f"{_REQUEST} delete tts {_WHERE} --force --quiet",
    ]
  )
  for name in ("fetch", "logs", "delete"):
    path = ["--path=runs/x"] if name == "fetch" else []
    dry = cloud.launch(name, "--dry_run", *path)
    assert dry.returncode == 0
    assert dry.stdout.startswith("gcloud compute tpus ")
  assert cloud.calls() == []
  assert not list((cloud.folder / "here").iterdir())


@pytest.mark.parametrize(
  ("launcher", "flags", "said"),
  [
    ("delete", "--name=Tts", "--name=Tts: not the form of a name, as tts"),
    ("delete", "--zone=us-west4", "--zone=us-west4: not the form of a zone"),
    ("delete", "--project=x", "--project=x: not the form of a project"),
    ("create", "--accelerator=v5e-8", "there are v5litepod-N, v5p-N, v6e-N"),
    ("create", "--accelerator=v6e-4 --spot --max_hours=2", "leave one of them"),
    ("create", "--accelerator=v6e-4 --max_hours=200", "max_hours"),
    ("run", "", "run: no command; it stands behind --"),
    ("run", "--fetch=../x -- true", "'../x' is no folder below the project's"),
    ("fetch", "--path=/etc", "'/etc' is no folder below the project's"),
    ("logs", "true", "unexpected argument 'true'"),
  ],
)
def test_wrong_arguments_are_refused_before_anything(
  cloud, launcher, flags, said
):
  _fails(cloud.launch(launcher, *flags.split()), said)
  assert cloud.calls() == []


def test_without_gcloud_it_is_said_where_to_get_it(cloud):
  (cloud.folder / "bin" / "gcloud").unlink()
  done = subprocess.run(
    [sys.executable, "-m", "launch.tpu.delete", *tpu_stand_in.WHERE],
    capture_output=True,
    text=True,
    env={
      "PATH": str(cloud.folder / "bin"),
      "PYTHONPATH": str(kill_harness.ROOT),
    },
    check=False,
  )
  _fails(done, "gcloud", "https://cloud.google.com/sdk/docs/install has it")


@pytest.mark.parametrize(
  ("name", "chips"),
  [("v5litepod-8", 8), ("v6e-1", 1), ("v5p-8", 4), ("v5p-12288", 6144)],
)
def test_slices_have_chips(name, chips):
  assert slices.find(name).chips == chips


@pytest.mark.parametrize(
  ("name", "said"),
  [
    ("v5litepod-7", "v5litepod has no slice of 7; near it are v5litepod-1,"),
    ("v6e-512", "near it are v6e-64, v6e-128, v6e-256"),
    ("v5p-4", "near it are v5p-8, v5p-16, v5p-32"),
    ("v5p-192", "v5p-128, v5p-256"),
    ("8", "no such type"),
  ],
)
def test_other_sizes_are_refused(name, said):
  with pytest.raises(errors.InputError, match=said):
    slices.find(name)
