"""What a fresh machine has: the packages that tools/setup.sh names, and the source distribution."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from asc_tiny.cli.main import main
from asc_tiny.targets.build.tools import LIBRARIES, PACKAGES, require
from asc_tiny.util.errors import AscError
from support.paths import MODEL, ROOT

MINIMAL_ROOT = ROOT / "tools" / "minimal_root"

MADE = re.compile(
    r"\.git|\.venv|\..*_cache|\.hypothesis|.*\.egg-info|PKG-INFO|/build|/dist|/runs|__pycache__"
)
"""Names of what tools make in the repository; those with a slash lie in its first folder."""


@pytest.fixture(scope="module")
def minimal_root() -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("minimal_root", str(MINIMAL_ROOT))
    spec = importlib.util.spec_from_loader("minimal_root", loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    sys.modules["minimal_root"] = module
    loader.exec_module(module)
    return module


def named() -> set[str]:
    """The packages that tools/setup.sh names."""
    command = [ROOT / "tools" / "setup.sh", "list"]
    return set(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())


def test_every_package_that_a_command_advises_is_installed_for_the_tests() -> None:
    advised = {name for names in PACKAGES.values() for name in names.split()}
    # Newer releases have the emulator in a package of its own.
    assert advised - named() <= {"qemu-system-misc"}


@pytest.mark.parametrize("program", sorted(LIBRARIES))
def test_a_compiler_without_its_library_is_told(
    program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    """Debian installs the compiler without what it links."""
    (tmp_path / program).write_text('#!/bin/sh\necho "${1#-print-file-name=}"\n')
    (tmp_path / program).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(AscError) as error:
        require(program)
    advice = f"apt-get install {PACKAGES[program]}"
    assert str(error.value) == f"{program} finds no {LIBRARIES[program]}; try: {advice}"
    with pytest.raises(SystemExit):
        main(["doctor"])
    (line,) = (row for row in capsys.readouterr().out.splitlines() if row.split()[0] == program)
    assert line.endswith(f" missing: {advice}")


def test_the_closure_follows_what_is_installed(minimal_root: ModuleType) -> None:
    package = minimal_root.Package
    packages = {
        "a": package("a", False, (("absent", "b"), ("virtual",)), ()),
        "b": package("b", False, (("c",),), ()),
        "c": package("c", False, (("a",), ("absent",)), ()),
        "d": package("d", False, (), ("virtual",)),
        "e": package("e", False, (("a",),), ()),
    }
    assert minimal_root.closure(["a", "absent"], packages) == {"a", "b", "c", "d"}


def in_root(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [MINIMAL_ROOT, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def packages() -> list[str]:
    """Those of a minimal root; skips the test where none can be made."""
    done = in_root("--list")
    if done.returncode == 2:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_minimal_root_has_what_setup_names_and_what_that_needs(packages: list[str]) -> None:
    assert {"libc6", "coreutils", "binutils", "libc6-dev", "cmake-data"} <= set(packages)
    assert named() - set(packages) <= {"python3-venv"}
    assert not set(packages) & {"git", "gdb", "curl", "build-essential"}


LINK = """
cd "$1"
echo 'int main() { delete new int; }' >x.cc
if command -v git; then exit 9; fi
arm-none-eabi-g++ --specs=nano.specs --specs=nosys.specs -mcpu=cortex-m4 -mthumb x.cc -lstdc++_nano
"""


@pytest.mark.slow
def test_a_minimal_root_has_what_scripts_of_packages_make(packages: list[str]) -> None:
    """The C library's package copies its settings into the folder of the compiler."""
    compiler = ("riscv64-unknown-elf-gcc", "--specs=picolibc.specs", "-march=rv32imc")
    done = in_root(*compiler, "-mabi=ilp32", "-E", "-include", "stdint.h", "-xc", "/dev/null")
    assert "int32_t" in done.stdout, done.stderr


@pytest.mark.slow
def test_a_library_that_is_not_named_is_missed(packages: list[str], tmp_path: Path) -> None:
    """Arduino's builder links it: here it is there, on a fresh machine it was not."""
    mounts = Path("/proc/self/mounts").read_text()
    command = ("sh", "-ec", LINK, "sh", tmp_path)
    done = in_root(*command)
    assert done.returncode == 0, done.stderr
    (tmp_path / "a.out").unlink()
    done = in_root("--without", "libstdc++-arm-none-eabi-newlib", *command)
    assert done.returncode == 1 and "cannot find -lstdc++" in done.stderr
    # What was mounted there went with it.
    assert Path("/proc/self/mounts").read_text() == mounts
    assert (tmp_path / "x.cc").is_file()


def files_of(folder: Path, place: str = "/") -> Iterator[str]:
    """Yield the paths of a repository's files, as of ``folder``."""
    for path in folder.iterdir():
        if MADE.fullmatch(path.name) or MADE.fullmatch(f"{place}{path.name}"):
            continue
        if path.is_dir():
            yield from (f"{path.name}/{name}" for name in files_of(path, ""))
        elif path.suffix != ".pyc":
            yield path.name


def distribution(target: str, folder: Path) -> Path:
    """Build a distribution of this repository in an empty folder."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", folder]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.iterdir()
    return path


def test_the_source_distribution_has_every_file(tmp_path: Path) -> None:
    """What tests, tools/demo and the documentation read: no file is left out."""
    with tarfile.open(distribution("sdist", tmp_path)) as archive:
        members = {member.name.partition("/")[2]: member for member in archive}
    wanted = set(files_of(ROOT))
    assert {"models/clips/rain-fold4-160999-0-0-a.flac", "tools/demo", ".ci/run"} <= wanted
    assert set(members) == wanted | {"PKG-INFO"}
    for name in wanted:
        executable = (ROOT / name).stat().st_mode & 0o100
        assert members[name].mode & 0o100 == executable, name


def found_package(environment: dict[str, str]) -> str:
    """Return the file of the package that an environment leads to."""
    command = [sys.executable, "-c", "import asc_tiny; print(asc_tiny.__file__)"]
    where = {**os.environ, **environment}
    done = subprocess.run(command, cwd="/", env=where, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def generated(folder: Path, environment: dict[str, str], *options: str) -> dict[str, bytes]:
    """Generate firmware with the package that an environment leads to; return the files."""
    command = [sys.executable, "-P"] if sys.version_info >= (3, 11) else [sys.executable]
    command += ["-m", "asc_tiny.cli.main", "generate", str(MODEL), "--out", "out", *options]
    folder.mkdir()
    subprocess.run(command, cwd=folder, env={**os.environ, **environment}, check=True)
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


@pytest.mark.parametrize(
    "options",
    [(), pytest.param(("--project", "zephyr", "--resample"), marks=pytest.mark.slow)],
)
def test_the_wheel_generates_without_the_repository(tmp_path: Path, options: list[str]) -> None:
    """tools/try_wheel does it in an environment of its own, on every Python."""
    (tmp_path / "wheel").mkdir()
    package = tmp_path / "package"
    with zipfile.ZipFile(distribution("wheel", tmp_path / "wheel")) as archive:
        archive.extractall(package)
        (metadata,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        assert b"Requires-Python: >=3.10" in archive.read(metadata)
    brought = {
        f"{folder}/{name}"
        for folder in ("firmware_templates", "models")
        for name in files_of(ROOT / folder)
    }
    assert set(files_of(package / "asc_tiny")) == set(files_of(ROOT / "asc_tiny")) | brought
    assert package in Path(found_package({"PYTHONPATH": str(package)})).parents
    assert package not in Path(found_package({})).parents
    alone = generated(tmp_path / "alone", {"PYTHONPATH": str(package)}, *options)
    assert alone == generated(tmp_path / "here", {}, *options)
