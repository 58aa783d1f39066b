"""Light commands with what Python has on Windows alone: a simulation on another system.

Modules and functions of POSIX are taken away, folders cannot be opened and files that are open not
renamed. No command was run on Windows itself.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support.paths import MODELS, ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="simulates on Linux")

MODEL = MODELS / "mobilenet_esc10.tflite"

WINDOWS = """
import os, signal, subprocess, sys, tempfile, pathlib, shutil, threading, multiprocessing
import click, jinja2, numpy, tqdm, yaml  # what chooses by the system when it is imported

for name in ("killpg getpgid setsid fork getuid geteuid getgid sysconf mkfifo set_blocking statvfs "
             "major minor uname openpty memfd_create O_DIRECTORY O_NOFOLLOW O_NONBLOCK").split():
    delattr(os, name)
for name in "SIGKILL SIGHUP SIGALRM pthread_sigmask SIG_BLOCK SIG_SETMASK".split():
    delattr(signal, name)
for name in "fcntl termios tty pty resource pwd grp".split():
    sys.modules[name] = None
sys.platform = "win32"
shutil._use_fd_functions = False

opened, renamed = os.open, os.replace
def open_files(path, flags, *rest, **named):
    if os.path.isdir(path):
        raise PermissionError(13, "Permission denied", path)
    return opened(path, flags, *rest, **named)
def closed_files(source, target, **named):
    held = [os.path.realpath(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd")]
    if os.path.isdir(target) or os.path.realpath(source) in held:
        raise PermissionError(13, "Permission denied", source)
    renamed(source, target, **named)
os.open, os.replace, os.rename = open_files, closed_files, closed_files

from asc_tiny.cli.main import main

def run(arguments):
    try:
        main(arguments)
    except SystemExit as end:
        assert not end.code, (arguments, end.code)
"""

WRITTEN = {"firmware", "mobilenet_esc10.md", "mobilenet_esc10.toml", "start"}


def windows(folder: Path, *commands: str) -> subprocess.CompletedProcess[str]:
    text = f"{WINDOWS}\nfor command in {commands}: run(command.split())"
    command = [sys.executable, "-c", text]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_commands_that_read_and_write(tmp_path: Path) -> None:
    done = windows(
        tmp_path,
        "boards",
        f"budget {MODEL} --json",
        f"generate {MODEL} --board host --out firmware",
        f"generate {MODEL} --board host --out firmware",
        "init start",
        "models",
        "recipes mobilenet_esc10 --out .",
    )
    assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.iterdir()} == WRITTEN
    assert not list(tmp_path.rglob("*.partial*")), "nothing is left behind"


@pytest.mark.exhaustive
@pytest.mark.parametrize("system", ["win32", "darwin"])
def test_types_of_another_system(system: str, tmp_path: Path) -> None:
    """What Python lacks on a system is what its stubs do not have there."""
    command = [sys.executable, "-m", "mypy", "--platform", system, "--cache-dir", str(tmp_path)]
    done = subprocess.run([*command, "asc_tiny"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
