"""The front end's loops by other compilers and under options that take registers: the same bits."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from asc_tiny.audio.clips import read_pcm
from asc_tiny.firmware import frontend as frontend_code
from asc_tiny.firmware.runtime import runtime_sources
from asc_tiny.frontend import golden
from support.emulated import CLANG, EmulatedFrontEnd
from support.front_end_cores import CORTEX_M0PLUS, M4, assert_same, clips, needs_tools
from support.front_ends import CONFIGS, DEFAULT
from support.native import FLAGS, write
from support.paths import CLIPS

pytestmark = [
    needs_tools,
    pytest.mark.skipif(not shutil.which("clang"), reason="needs clang"),
]

GCC = ("arm-none-eabi-gcc",)
COMPILERS = {"GCC": GCC, "clang": CLANG}
CORES: dict[str, tuple[str, tuple[str, ...]]] = {
    "Cortex-M4": (M4, ()),
    "Cortex-M3": ("mps2-an385", ()),
    "Cortex-M33": ("mps2-an505", ()),
    "Cortex-M0+": ("mps2-an385", CORTEX_M0PLUS),
}
MOST = 1.1
"""Instructions of a hop that clang compiles, of those of what GCC compiles."""
KEPT_R9 = ("-ffixed-r9", "-DKEPT_R9=0x5A5A1234u")


def hop(frontend: EmulatedFrontEnd) -> int:
    return frontend.run(golden.noise(frontend.config), "hops")[1]


@pytest.mark.parametrize(
    ("core", "name"),
    [
        *((core, "default") for core in CORES),
        *(("Cortex-M4", name) for name in ("speech", "largest", "24 bits", "normalised")),
    ],
)
def test_clang_gives_the_models_bits_at_about_the_cost(
    core: str, name: str, tmp_path: Path
) -> None:
    config = CONFIGS[name]
    board, flags = CORES[core]
    clang = EmulatedFrontEnd(config, board, tmp_path / "clang", flags=flags, compiler=CLANG)
    assert_same(clang, clips(config))
    gcc = EmulatedFrontEnd(config, board, tmp_path / "gcc", flags=flags)
    assert 0.8 < hop(clang) / hop(gcc) <= MOST


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize(
    "options",
    [
        ("-O0",),
        ("-Og",),
        ("-O2", "-fno-omit-frame-pointer"),
        ("-O2", "-fPIC"),
        ("-O2", "-fpie"),
        ("-O2", "-DASC_KEEP_R9"),
        ("-O2", *KEPT_R9),
        ("-O0", *KEPT_R9),
        ("-O2", *KEPT_R9, "-DASC_KEEP_R9"),
    ],
    ids=" ".join,
)
def test_options_do_not_change_the_bits(
    options: tuple[str, ...], compiler: str, tmp_path: Path
) -> None:
    level, *rest = options
    command = (*COMPILERS[compiler], *rest)
    frontend = EmulatedFrontEnd(DEFAULT, M4, tmp_path, optimization=level, compiler=command)
    assert_same(frontend, [read_pcm(CLIPS[0], 44100), golden.clips(DEFAULT)["square"]])


@pytest.mark.slow
@pytest.mark.parametrize("core", ["Cortex-M3", "Cortex-M0+"])
@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize(
    "options",
    [
        ("-O0", "-fPIC"),
        ("-Og",),
        ("-O2", "-fPIC"),
        ("-O2", "-fpie"),
        ("-O2", "-fno-omit-frame-pointer"),
        ("-O2", *KEPT_R9),
    ],
    ids=" ".join,
)
def test_options_do_not_change_the_bits_of_smaller_cores(
    options: tuple[str, ...], compiler: str, core: str, tmp_path: Path
) -> None:
    board, flags = CORES[core]
    level, *rest = options
    command = (*COMPILERS[compiler], *rest)
    frontend = EmulatedFrontEnd(
        DEFAULT, board, tmp_path, flags=flags, optimization=level, compiler=command
    )
    assert_same(frontend, [read_pcm(CLIPS[0], 44100), golden.clips(DEFAULT)["square"]])


def test_link_time_optimization_does_not_change_the_bits(tmp_path: Path) -> None:
    frontend = EmulatedFrontEnd(DEFAULT, M4, tmp_path, compiler=(*GCC, "-flto"))
    assert_same(frontend, [read_pcm(CLIPS[0], 44100), golden.clips(DEFAULT)["square"]])


def objects(folder: Path, *options: str) -> list[subprocess.CompletedProcess[str]]:
    """Return how the front end's files compiled; the objects lie in the folder."""
    write(frontend_code.generate(DEFAULT, "a test"), folder)
    sources = runtime_sources("fixed_point", "frontend")
    write(sources, folder)
    files = [name for name in sources if name.endswith(".c")]
    return [
        subprocess.run(
            [*options, "-mthumb", *FLAGS, "-c", name, "-o", f"{name}.o"],
            cwd=folder,
            capture_output=True,
            text=True,
        )
        for name in files
    ]


@pytest.mark.parametrize("core", ["cortex-m4", "cortex-m3", "cortex-m0plus"])
@pytest.mark.parametrize("compiler", COMPILERS)
def test_nothing_touches_r9_where_it_is_kept(compiler: str, core: str, tmp_path: Path) -> None:
    options = (f"-mcpu={core}", "-ffixed-r9", "-DASC_KEEP_R9")
    for done in objects(tmp_path, *COMPILERS[compiler], *options):
        assert done.returncode == 0, done.stderr
    for path in tmp_path.glob("*.o"):
        code = subprocess.run(
            ["arm-none-eabi-objdump", "-d", path], capture_output=True, text=True, check=True
        ).stdout
        instructions = [line.split("\t", 2)[-1] for line in code.splitlines() if "\t" in line]
        assert instructions or path.name.endswith("_mve.c.o")
        assert not [line for line in instructions if "r9" in line or "sb" in line.split("\t")[-1]]


def test_a_static_base_in_r9_is_refused_or_kept(tmp_path: Path) -> None:
    position_independent = (*GCC, "-mcpu=cortex-m4", "-fpic", "-msingle-pic-base")
    assert any(
        "PIC register clobbered" in each.stderr for each in objects(tmp_path, *position_independent)
    )
    for done in objects(tmp_path, *GCC, "-mcpu=cortex-m4", "-fpic"):
        assert done.returncode == 0, done.stderr
    for done in objects(tmp_path, *position_independent, "-DASC_KEEP_R9"):
        assert done.returncode == 0, done.stderr
    (tmp_path / "kept.c").write_text(
        '#include "asc_fixed.h"\nint x[ASC_HAS_THUMB2_LOOPS ? -1 : 1];\n'
    )
    command = [*CLANG, "-mcpu=cortex-m4", "-mthumb", "-frwpi", "-c", "kept.c", "-o", "kept.o"]
    subprocess.run(command, cwd=tmp_path, check=True)
