"""The page about the CH32V307 with WCH's own start-up code, linker script and drivers.

``CH32V307_EXAM`` names the folder ``EVT/EXAM`` of a checkout of openwch/ch32v307. The image runs on
a core that Unicorn emulates, among registers of ours (``support.ch32v307``), if there is the
package unicorn. The compiler is Debian's.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from asc_tiny.boards import catalog
from support.build_records import LINKED, OVERFLOWS, RAN, Build
from support.ch32v307 import Chip
from support.commands import asc_tiny
from support.dropped_sources import examples, expected, played
from support.objects import compiled
from support.page_blocks import fenced
from support.paths import MODEL, MODELS, ROOT

BOARD = "ch32v307v_evt"
OPTIONS = ("--schedule", "streaming")
STACK = 8192
DRIVERS = ("dma", "gpio", "rcc", "spi", "usart")
COMPILER = "riscv64-unknown-elf-gcc"

Record = Callable[[str, Build], None]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(0),
    pytest.mark.skipif(
        "CH32V307_EXAM" not in os.environ, reason="needs WCH's EVT/EXAM: CH32V307_EXAM"
    ),
    pytest.mark.skipif(not shutil.which(COMPILER), reason=f"needs {COMPILER}"),
]


def replaced(text: str, old: str, new: str) -> str:
    assert old in text, old
    return text.replace(old, new)


def wch(folder: Path) -> list[Path]:
    """Copy what the page takes of WCH's into a folder, changed as it says; return the sources."""
    exam = Path(os.environ["CH32V307_EXAM"])
    source, user = exam / "SRC", exam / "I2S" / "I2S_DMA" / "User"
    found = [source / "Startup" / "startup_ch32v30x_D8C.S", source / "Core" / "core_riscv.c"]
    found += [source / "Peripheral" / "src" / f"ch32v30x_{name}.c" for name in DRIVERS]
    names = ("system_ch32v30x.c", "system_ch32v30x.h", "ch32v30x_conf.h", "ch32v30x_it.h")
    for path in (*found, *(user / name for name in names)):
        shutil.copy(path, folder)
    system = folder / "system_ch32v30x.c"
    text = system.read_text(encoding="latin-1")
    text = replaced(text, "\n#define SYSCLK_FREQ_96MHz_HSE", "\n//#define SYSCLK_FREQ_96MHz_HSE")
    text = replaced(text, "\n//#define SYSCLK_FREQ_144MHz_HSE", "\n#define SYSCLK_FREQ_144MHz_HSE")
    system.write_text(text, encoding="latin-1")
    text = (source / "Ld" / "Link.ld").read_text(encoding="latin-1")
    text = replaced(text, "LENGTH = 288K", "LENGTH = 192K")
    text = re.sub(
        r"(288K|192K)(\s+RAM \(xrw\) : ORIGIN = 0x20000000, LENGTH = )32K", r"\1\g<2>128K", text
    )
    text = replaced(text, "__stack_size = 2048", f"__stack_size = {STACK}")
    (folder / "Link.ld").write_text(text, encoding="latin-1")
    return sorted(folder.glob("*.[cS]"))


def link(model: Path, folder: Path) -> tuple[Path, str]:
    """Build the page's program for a model; return the image and what the linker complains of."""
    sources, chip = folder / "scenes", folder / "chip"
    chip.mkdir(parents=True)
    command = [
        "generate",
        model,
        "--project",
        "sources",
        "--board",
        BOARD,
        *OPTIONS,
        "--out",
        sources,
    ]
    assert asc_tiny(*command) == 0
    pages = (ROOT / "docs" / "how_to" / name for name in ("ch32v307.md", "ch32v307_files.md"))
    header, board = (text for page in pages for text in fenced(page, "c"))
    (sources / "board.h").write_text(header)
    (sources / "board.c").write_text(board)
    (sources / "main.c").write_text(examples(sources / "asc_README.md")[0])
    exam = Path(os.environ["CH32V307_EXAM"]) / "SRC"
    drivers = wch(chip)
    include = [chip, exam / "Core", exam / "Debug", exam / "Peripheral" / "inc"]
    gcc = [COMPILER, *catalog.get(BOARD).core_flags, "--specs=picolibc.specs", "-O2"]
    gcc += ["-ffunction-sections", "-fdata-sections"]
    own = [*gcc, "-std=gnu11", "-Wall", "-Wextra", "-Wconversion", "-Werror", f"-I{sources}"]
    objects = compiled(
        [*own, *(f"-isystem{path}" for path in include)], sorted(sources.glob("*.c"))
    )
    objects += compiled([*gcc, "-w", *(f"-I{path}" for path in include)], drivers)
    image = folder / "scenes.elf"
    script = ["-nostartfiles", "-Wl,--gc-sections", f"-T{chip / 'Link.ld'}"]
    done = subprocess.run(
        [*gcc, *script, *objects, "-o", image], capture_output=True, text=True, check=False
    )
    return image, done.stderr if done.returncode else ""


def memory(image: Path) -> dict[str, int]:
    """Return the bytes of flash and RAM, of which the linker script lays the stack to the end."""
    names = subprocess.run(
        ["riscv64-unknown-elf-nm", image], check=True, capture_output=True, text=True
    ).stdout
    address = {name: int(value, 16) for value, _, name in map(str.split, names.splitlines())}
    flash = address["_data_lma"] + address["_edata"] - address["_data_vma"]
    return {"flash": flash, "ram": address["_ebss"] - 0x20000000 + STACK}


def test_runs_and_links(tmp_path: Path, record: Record) -> None:
    version = subprocess.run(
        [COMPILER, "-dumpfullversion"], check=True, capture_output=True, text=True
    ).stdout
    has_core = importlib.util.find_spec("unicorn") is not None
    # An ensemble's members cannot take their columns one by one.
    for path in sorted(MODELS.glob("*.tflite"), key=lambda path: (path != MODEL, path)):
        name = path.stem
        image, complaints = link(path, tmp_path / name)
        assert not complaints or "overflow" in complaints, complaints
        runs = path == MODEL and has_core
        if runs:
            chip = Chip(image)
            printed = chip.play(played()).splitlines()
            assert printed == expected(lost=False)[:-1]
            assert abs(chip.frequency / 44100 - 1) < 0.001
        build = Build(
            board=BOARD,
            model=name,
            release="WCH's CH32V30x drivers",
            options=" ".join(OPTIONS),
            compiler=f"GCC {'.'.join(version.split('.')[:2])}",
            reached=OVERFLOWS if complaints else RAN if runs else LINKED,
            emulator="Unicorn's RISC-V, with registers of ours" if runs else "",
            memory={} if complaints else memory(image),
        )
        record("sources", build)
