"""The Dockerfile, without Docker: what it copies makes the wheel, what it installs is known."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.paths import ROOT


def test_it_installs_what_this_machine_was_set_up_with() -> None:
    done = subprocess.run(
        [ROOT / "tools" / "setup.sh", "list"], capture_output=True, text=True, check=True
    )
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    (packages,) = re.findall(r"--no-install-recommends \\\n(.*?) \\\n", text, re.DOTALL)
    assert {*packages.split()} <= {*done.stdout.split()}


@pytest.mark.slow
def test_the_wheel_is_made_of_what_it_copies(tmp_path: Path) -> None:
    everything, *kept = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert everything == "*"
    for name in (each.removeprefix("!") for each in kept):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        copy(ROOT / name, tmp_path / name)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "dist").glob("*.whl"))
