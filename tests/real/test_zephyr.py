"""Generated projects built by Zephyr itself, where it is installed (``ZEPHYR_BASE``).

Without west's workspace ``ZEPHYR_MODULES`` names the modules' folders, as in Zephyr's CMake, and
``ZEPHYR_TOOLCHAIN_VARIANT`` the compiler. What is printed is of emulated cores.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from asc_tiny.boards import catalog
from asc_tiny.projects.zephyr import TABLE
from support import build_records
from support.build_records import LINKED, OVERFLOWS, RAN, Build, Record
from support.commands import asc_tiny
from support.hostile_models import with_metadata
from support.paths import MODEL, MODELS
from support.zephyr import build, compiler, generate, release, target_of

MOST_S = 120
"""Seconds for a build's slowest start and for the first decision on the emulated board."""

EMULATED = ["mps2-an385", "mps2-an386"]
BOARDS = [*EMULATED, "nrf52833dk", "nrf52840dk", "nrf5340dk", "disco_l475_iot1"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(0),
    pytest.mark.skipif("ZEPHYR_BASE" not in os.environ, reason="needs Zephyr: ZEPHYR_BASE"),
    pytest.mark.skipif(not shutil.which("dtc"), reason="needs dtc"),
]


def without_microphone(board: str, project: Path) -> str:
    """Leave a microphone out whose driver this release does not have; return what was left out."""
    has_dfsdm = list((Path(os.environ["ZEPHYR_BASE"]) / "drivers" / "audio").glob("*dfsdm*"))
    if TABLE.read(catalog.BOARDS[board]).microphone != "stm32_dfsdm" or has_dfsdm:
        return ""
    shutil.rmtree(project / "boards")
    return "the DFSDM's driver"


def built(board: str, model: Path, folder: Path, record: Record) -> Build:
    """Generate and build a model for a board; return and record what became of it."""
    project = generate(folder / "project", board, model)
    without = without_microphone(board, project)
    image, overflow = build(project, target_of(board))
    memory = catalog.BOARDS[board].memory
    done = Build(
        board=board,
        model=model.stem,
        release=release(),
        compiler=compiler(image.parents[1]),
        options="--resample" if catalog.BOARDS[board].microphone else "",
        without=without,
        reached=OVERFLOWS if overflow else LINKED,
        memory={
            name.lower(): memory[name.lower()].bytes + int(size)
            for name, size in re.findall(r"region `(\w+)' overflowed by (\d+) bytes", overflow)
        }
        if overflow
        else build_records.memory_use(image, catalog.BOARDS[board]),
    )
    record("zephyr", done)
    return done


@pytest.mark.parametrize("board", BOARDS)
def test_released_models_link_or_overflow_a_region(
    board: str, tmp_path: Path, record: Record
) -> None:
    """In one build folder, so that Zephyr itself is compiled once for all models."""
    models = [MODELS / f"{name}.toml" for name in build_records.released()]
    for path in models:
        model = path if path.stem.startswith("ensemble") else path.with_suffix(".tflite")
        done = built(board, model, tmp_path, record)
        assert done.without or done.reached == LINKED
    image = tmp_path / "project-build" / "zephyr" / "zephyr.elf"
    if TABLE.read(catalog.BOARDS[board]).microphone and not done.without:
        assert "dmic_nrfx_pdm" in symbols(image) or "dmic_ops" in symbols(image)


def symbols(image: Path) -> str:
    command = ["arm-none-eabi-nm", image]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.mark.qemu
@pytest.mark.parametrize("board", EMULATED)
def test_emulated_board_prints_its_self_test_and_scenes(
    board: str, tmp_path: Path, record: Record
) -> None:
    done = built(board, MODEL, tmp_path, record)
    lines = printed(board, tmp_path / "project-build" / "zephyr" / "zephyr.elf")
    assert lines[0].startswith("*** Booting Zephyr")
    assert lines[1] == "selftest 0\n"
    assert lines[2].startswith("scene ")
    record("zephyr", replace(done, reached=RAN, emulator=f"QEMU {board}"))


@pytest.mark.qemu
def test_tensorflow_lite_micro_runs(tmp_path: Path, record: Record) -> None:
    """With all of Zephyr's module, some 400 files; ``EXTRA_CFLAGS`` may be needed for newlib."""
    if "tflite-micro" not in os.environ.get("ZEPHYR_MODULES", ""):
        pytest.skip("needs the module tflite-micro in ZEPHYR_MODULES")
    project = tmp_path / "project"
    command = ["generate", MODEL, "--project", "zephyr", "--board", EMULATED[0], "--out", project]
    assert asc_tiny(*command, "--runtime", "tflm") == 0
    image, overflow = build(project, target_of(EMULATED[0]))
    assert not overflow
    assert printed(EMULATED[0], image)[1] == "selftest 0\n"
    done = Build(
        board=EMULATED[0],
        model=MODEL.stem,
        release=release(),
        compiler=compiler(image.parents[1]),
        options="--runtime tflm",
        reached=RAN,
        emulator=f"QEMU {EMULATED[0]}",
        memory=build_records.memory_use(image, catalog.BOARDS[EMULATED[0]]),
    )
    record("zephyr", done)


def printed(board: str, image: Path) -> list[str]:
    """Return the first three lines that an image prints on an emulated board."""
    command = ["qemu-system-arm", "-machine", board, "-nographic", "-icount", "shift=0"]
    with subprocess.Popen(
        ["timeout", str(MOST_S), *command, "-kernel", image],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(3)]
        process.terminate()
    return lines


def twister(project: Path, *options: str) -> dict[str, str]:
    """Run Zephyr's test runner on a project's samples; return what it says, by sample and board.

    ``built`` is what it says of those that are not to be run, by a word of each release.
    """
    out = project.with_name("twister")
    runner = Path(os.environ["ZEPHYR_BASE"]) / "scripts" / "twister"
    modules = os.environ.get("ZEPHYR_MODULES")
    given = [f"-x=ZEPHYR_MODULES={modules}"] if modules else []
    command = ["python3", runner, "-T", project, "-O", out, "-j1", "--inline-logs", *given]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-8000:]
    suites = json.loads((out / "twister.json").read_text(encoding="utf-8"))["testsuites"]
    return {
        f"{each['name'].split('/')[-1]} on {each['platform'].split('/')[0]}": (
            "built"
            if each["status"] in ("passed", "not run") and not each["runnable"]
            else each["status"]
        )
        for each in suites
    }


@pytest.mark.qemu
def test_twister_passes_with_a_microphone_and_emulated(tmp_path: Path) -> None:
    found = twister(generate(tmp_path / "project", "nrf52840dk"), "--integration")
    assert found == {
        "asc.scenes.microphone on nrf52840dk": "built",
        "asc.scenes.emulated on mps2": "passed",
    }


@pytest.mark.parametrize("board", ["nrf52833dk", "nrf5340dk"])
def test_twister_builds_for_other_boards(board: str, tmp_path: Path) -> None:
    found = twister(generate(tmp_path / "project", board), "-p", target_of(board))
    assert found == {f"asc.scenes.microphone on {board}": "built"}


@pytest.mark.qemu
def test_twister_passes_for_a_network_alone(tmp_path: Path) -> None:
    model = tmp_path / "model.tflite"
    model.write_bytes(with_metadata('{"schema": 1}'))
    command = ["generate", model, "--project", "zephyr", "--out", tmp_path / "project"]
    assert asc_tiny(*command) == 0
    found = twister(tmp_path / "project", "--integration")
    assert found == {"asc.network on mps2": "passed"}
