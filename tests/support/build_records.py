"""Records of builds by real systems: what became of each, and the page that is made of them.

``tests/real/builds`` has a file for each kind of project, which ``pytest tests/real
--record-builds`` writes where the system is installed, and ``tools/builds_page`` prints.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path

from elftools.elf.constants import SH_FLAGS
from elftools.elf.elffile import ELFFile

from asc_tiny.boards import catalog
from asc_tiny.boards.catalog import Board
from asc_tiny.projects import registry
from asc_tiny.util.errors import AscError
from support.paths import MODEL, MODELS, TESTS

FOLDER = TESTS / "real" / "builds"

COMPILED, LINKED, RAN, OVERFLOWS = "compiled", "linked", "ran", "overflows"
REACHED = (COMPILED, LINKED, RAN, OVERFLOWS)


@dataclass(frozen=True, kw_only=True)
class Build:
    """What became of a generated project in the hands of the system that it is for.

    Attributes:
        board: name of the board.
        model: name of a released model, without the ending.
        release: the system with its release, such as ``Zephyr 4.2.99``.
        compiler: the compiler with its release, such as ``GCC 12.2``.
        options: options of ``asc-tiny generate`` beside the board and the kind.
        without: what was left out because the release does not have it, empty if nothing was.
        reached: ``compiled`` (every file, not linked), ``linked``, ``ran`` (linked, and its
            self-test printed 0), or ``overflows`` (the linker found a region too small).
        emulator: what it ran in, such as ``QEMU mps2-an385``; empty where it did not run.
        memory: bytes by region of the board's file, ``flash`` and ``ram``, as the linker counts
            them, of what overflows too; empty where nothing was linked.
    """

    board: str
    model: str
    release: str
    compiler: str
    options: str = ""
    without: str = ""
    reached: str = COMPILED
    emulator: str = ""
    memory: Mapping[str, int] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, ...]:
        """What there is one record of."""
        return (self.board, self.release, self.compiler, self.model, self.options)


Record = Callable[[str, Build], None]
"""Keeps the record of a build of a kind of project."""


def read(kind: str) -> list[Build]:
    """Return the records of a kind of project, none if there is no file."""
    path = FOLDER / f"{kind}.json"
    if not path.is_file():
        return []
    return [Build(**row) for row in json.loads(path.read_text(encoding="utf-8"))]


def write(kind: str, builds: Iterable[Build]) -> None:
    """Write the records of a kind, a line for each, in order."""
    ordered = sorted(builds, key=lambda build: build.key)
    rows = [json.dumps({k: v for k, v in asdict(each).items() if v}) for each in ordered]
    FOLDER.mkdir(exist_ok=True)
    text = "[\n" + ",\n".join(rows) + "\n]\n"
    (FOLDER / f"{kind}.json").write_text(text, encoding="utf-8")


def add(kind: str, build: Build) -> None:
    """Put a record in the place of the one with the same key."""
    write(kind, [*(each for each in read(kind) if each.key != build.key), build])


def memory_use(image: Path, board: Board) -> dict[str, int]:
    """Return the bytes of each region of a board's memory that a linked program takes.

    As linkers count: to the end of the last section that lies, or is loaded from, there; but a
    heap that takes what is left of a region takes nothing that is needed.
    """
    ends: dict[str, int] = {}
    tops = {region.origin + region.bytes for region in board.memory.values()}

    def note(address: int, size: int) -> None:
        for name, region in board.memory.items():
            if region.origin <= address < region.origin + region.bytes:
                ends[name] = max(ends.get(name, 0), address + size - region.origin)

    with image.open("rb") as file:
        elf = ELFFile(file)
        segments = list(elf.iter_segments("PT_LOAD"))
        for section in elf.iter_sections():
            if not section["sh_flags"] & SH_FLAGS.SHF_ALLOC or not section["sh_size"]:
                continue
            if section.name == ".heap" and section["sh_addr"] + section["sh_size"] in tops:
                continue
            note(section["sh_addr"], section["sh_size"])
            loaded = (each for each in segments if each.section_in_segment(section))
            for segment in loaded:
                if section["sh_type"] != "SHT_NOBITS":
                    load = segment["p_paddr"] + section["sh_addr"] - segment["p_vaddr"]
                    note(load, section["sh_size"])
    return ends


HEAD = """# Builds by the real systems

Generated projects, built by the systems that they are for, of the releases that are named.
`tools/builds_page` makes this page from the records in `tests/real/builds`, which `pytest
tests/real --record-builds` writes where a system is installed; `tests/repo/test_builds_page.py`
holds both together. Flash and RAM are bytes of MobileNet's program by the linker, RAM that of the
region with the variables, stacks in it. *Other models* tells how many of the other released ones
linked, and which did not. *Not tried* means that nobody here built it by the real system;
[What the tests cover](../developer/coverage.md) says what is tested in its place. **No board has
run any of them.**

| board | project | built by | | flash | RAM | other models |
|---|---|---|---|---|---|---|
"""


SOUND = """
## A clip through the real drivers

Each of these projects heard a clip through the real driver's code and printed Python's scenes: on
an emulated core, among models of ours of the registers that the driver uses, or in rp2040js.

| project | driver | what it reads | test in `tests/real` |
|---|---|---|---|
{rows}

Not so: `esp-idf` on the ESP32-C6, which has the same driver; `zephyr` on the other chips (the
nRF5340 has the same driver; no release that we have has a driver for the DFSDM); `cmsis` on
`disco_l475_iot1`, for whose microphone no such driver was found.
"""

_HEARD = (
    (
        "`zephyr`, `nrf52840dk`",
        "`dmic_nrfx_pdm`, nrfx and kernel of Zephyr 3.7.1",
        "PDM interface",
        "test_zephyr_microphone.py",
    ),
    (
        "`esp-idf`, `esp32c3_devkitm`",
        "I2S and GDMA of ESP-IDF 5.5.5, its start and FreeRTOS; the chip's ROM is ours",
        "I2S and GDMA",
        "test_esp_idf_microphone.py",
    ),
    (
        "`arduino`, `nano33ble_sense`",
        "PDM library of ArduinoCore-mbed 4.6.0; pins, start and serial port are ours",
        "PDM interface",
        "test_arduino_pdm.py",
    ),
    (
        "`arduino`, `rpi_pico`",
        "I2S library of Arduino-Pico 6.0.0",
        "PIO and DMA in rp2040js",
        "test_arduino.py",
    ),
    ("`pico-sdk`, `rpi_pico`", "Pico SDK 2.2.0", "PIO and DMA in rp2040js", "test_pico_sdk.py"),
    (
        "`cmsis`, a Cortex-M4",
        "Arm's `Driver_vStreamAudioIn` for its Fixed Virtual Platforms",
        "Virtual Streaming Interface",
        "test_cmsis_vstream.py",
    ),
    (
        "`platformio`, `stm32cubeide`",
        "ST's HAL, seven boards",
        "DFSDM, SAI or I2S, and DMA",
        "test_stm32_hal.py",
    ),
    ("`sources`, `ch32v307v_evt`", "WCH's drivers", "I2S and DMA", "test_ch32v307.py"),
)


def page() -> str:
    """Return docs/reference/builds.md."""
    return HEAD + "\n".join(_rows()) + "\n" + SOUND.format(rows="\n".join(_sound_rows()))


def _sound_rows() -> Iterator[str]:
    for project, driver, peripheral, test in _HEARD:
        yield f"| {project} | {driver} | {peripheral} | `{test}` |"


def kinds(board: Board) -> list[str]:
    """Return the kinds of project of this tool that serve a board."""
    return [name for name in registry.NAMES if serves(name, board)]


def serves(kind: str, board: Board) -> bool:
    """Return whether a kind of project serves a board."""
    try:
        registry.get(kind).check(board, "aot")
    except AscError:
        return False
    return True


def _rows() -> Iterator[str]:
    records = {kind: read(kind) for kind in registry.NAMES}
    for board in catalog.BOARDS.values():
        for kind in kinds(board):
            builds = [each for each in records[kind] if each.board == board.name]
            if not builds:
                yield f"| `{board.name}` | `{kind}` | *not tried* | | | | |"
            groups = groupby(sorted(builds, key=_group), key=_group)
            for (release, compiler, *_), group in groups:
                cells = [f"`{board.name}`", f"`{kind}`", f"{release}, {compiler}"]
                cells += _result(list(group))
                yield "".join(["|", *(f" {cell} |" if cell else " |" for cell in cells)])


def _group(build: Build) -> tuple[str, ...]:
    """Return what the records of a row have in common."""
    return (build.release, build.compiler, build.options, build.without)


def _result(builds: Sequence[Build]) -> list[str]:
    """Return the cells of what was reached, flash, RAM and other models."""
    first = next((each for each in builds if each.model == MODEL.stem), builds[0])
    others = [each for each in builds if each.model != MODEL.stem]
    reached = f"{first.reached} in {first.emulator}" if first.emulator else first.reached
    reached += f" (`{first.options}`)" if first.options else ""
    reached += f", without {first.without}" if first.without else ""
    sizes = first.memory if first.model == MODEL.stem else {}
    flash, ram = (f"{sizes[name]:,}" if name in sizes else "" for name in _REGIONS)
    return [reached, flash, ram, _others(others)]


_REGIONS = ("flash", "ram")


def _others(builds: Sequence[Build]) -> str:
    good = sorted({each.model for each in builds if each.reached in (LINKED, RAN)})
    parts = [f"{len(good)} linked"] if good else []
    for each in builds:
        if each.reached == OVERFLOWS:
            board = catalog.BOARDS[each.board]
            over = [
                f"{name.upper()} by {used - board.memory[name].bytes:,}"
                for name, used in each.memory.items()
                if used > board.memory[name].bytes
            ]
            parts.append(f"`{each.model}` overflows {', '.join(over)}")
    compiled = sorted({each.model for each in builds if each.reached == COMPILED})
    parts += [f"{len(compiled)} compiled"] if compiled else []
    return "; ".join(parts)


def released() -> list[str]:
    """Return the names of the released models: each network, and each ensemble of them."""
    names = {path.stem for path in MODELS.glob("*.tflite")}
    return sorted(names | {path.stem for path in MODELS.glob("ensemble*.toml")})
