"""Libraries generated for Arduino, built by its builder with the real cores.

``ARDUINO_HARDWARE`` is a folder as arduino-builder takes it by ``-hardware``: a core lies in
``VENDOR/ARCHITECTURE``.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from asc_tiny.boards import catalog
from asc_tiny.projects.arduino import TABLE
from support import arduino_builder, build_records
from support.build_records import COMPILED, LINKED, OVERFLOWS, Build
from support.commands import asc_tiny

NEEDED = "ARDUINO_HARDWARE"
CORES = {
    "mbed_nano": "ArduinoCore-mbed",
    "rp2040": "Arduino-Pico",
    "stm32": "stm32duino",
}


def core_of(board: str) -> Path:
    """Return the folder of a board's core; skip the test where it is not."""
    arduino_builder.require()
    folder = Path(os.environ[NEEDED]) / fqbn_of(board).replace(":", "/").rsplit("/", 1)[0]
    if not (folder / "platform.txt").is_file():
        pytest.skip(f"{NEEDED} has no {folder.parent.name}/{folder.name}")
    return folder


def fqbn_of(board: str) -> str:
    """Return what Arduino calls a board, without options."""
    target = catalog.get(board)
    return ":".join((TABLE.read(target).fqbn or target.flash.target).split(":")[:3])


def with_options(board: str) -> str:
    """Return that with the first choice of each menu, as Arduino's newer tools take them."""
    target = catalog.get(board)
    full = TABLE.read(target).fqbn or target.flash.target
    given = (
        dict(each.split("=") for each in full.split(":", 3)[3].split(",")) if "=" in full else {}
    )
    name = full.split(":")[2]
    chosen: dict[str, str] = {}
    for line in (core_of(board) / "boards.txt").read_text(encoding="utf-8").splitlines():
        if found := re.match(rf"{name}\.menu\.(\w+)\.([\w-]+)=", line):
            chosen.setdefault(*found.groups())
    options = ",".join(f"{key}={value}" for key, value in (chosen | given).items())
    return f"{fqbn_of(board)}:{options}" if options else fqbn_of(board)


def release(board: str) -> str:
    core = core_of(board)
    text = (core / "platform.txt").read_text(encoding="utf-8")
    (version,) = re.findall(r"^version=(\S+)", text, re.MULTILINE)
    return f"{CORES[core.name]} {version}"


def compiler(log: str) -> str:
    """Return the release of the compiler that the builder called."""
    program = re.search(r'^"(\S*arm-none-eabi-g\+\+)"', log, re.MULTILINE)
    assert program is not None, log[-8000:]
    command = [program[1], "-dumpfullversion"]
    version = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return f"GCC {'.'.join(version.split('.')[:2])}"


def options_of(board: str) -> list[str]:
    return ["--resample"] if TABLE.read(catalog.get(board)).reader == "pdm" else []


def built(board: str, model: Path, folder: Path, extra: dict[str, str] | None = None) -> Build:
    """Generate and build a library with its example; return what became of it.

    Args:
        board: name of the board.
        model: a released model.
        folder: to build in; what a core was compiled to lasts for the next model.
        extra: texts that replace files of the example, by name.
    """
    library = folder / "libraries" / "asc_scenes"
    command = ["generate", model, "--project", "arduino", "--board", board, "--out", library]
    assert asc_tiny(*command, *options_of(board)) == 0
    example = library / "examples" / "asc_scenes"
    for name, text in (extra or {}).items():
        (example / name).write_text(text, encoding="utf-8")
    (folder / "build").mkdir(exist_ok=True)
    arguments: list[str | Path] = ["arduino-builder", "-compile", "-verbose", "-warnings", "all"]
    arguments += ["-hardware", arduino_builder.DEBIAN, "-hardware", os.environ[NEEDED]]
    arguments += ["-tools", "/usr/bin", "-libraries", library.parent]
    arguments += ["-fqbn", with_options(board), "-build-path", folder / "build"]
    arguments.append(example / "asc_scenes.ino")
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    log = done.stdout + done.stderr
    ours = rf"^({re.escape(str(library))}|{re.escape(str(folder / 'build/sketch'))})\S+ warning:"
    assert not re.search(ours, log, re.MULTILINE), log
    target, image = catalog.get(board), folder / "build" / "asc_scenes.ino.elf"
    over = re.findall(r"region `(\w+)' overflowed by (\d+) bytes", log)
    # Too large to be had, in the checkout that we have.
    lacks_mbed = "cannot find" in log and "libmbed.a" in log
    assert over or lacks_mbed or done.returncode == 0, log[-8000:]
    reached = OVERFLOWS if over else COMPILED if lacks_mbed else LINKED
    memory = {name.lower(): target.memory[name.lower()].bytes + int(n) for name, n in over}
    if reached == LINKED:
        memory = build_records.memory_use(image, target)
    return Build(
        board=board,
        model=model.stem,
        release=release(board),
        compiler=compiler(log),
        without="libmbed.a" if lacks_mbed else "",
        reached=reached,
        memory=memory,
        options=" ".join(options_of(board)),
    )
