"""Networks under options that take registers or move data: the bits of TFLM, or no object."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow")
pytest.importorskip("tflite_micro")

from asc_tiny.firmware.runtime import runtime_sources
from asc_tiny.model.model_file import load
from support.commands import asc_tiny
from support.emulated import CLANG, EmulatedNetwork
from support.front_end_cores import CORTEX_M0PLUS, M4
from support.native import FLAGS
from support.network_models import TflmNetwork, inputs
from support.paths import MODEL

pytestmark = pytest.mark.qemu

GCC = ("arm-none-eabi-gcc",)
COMPILERS = {"GCC": GCC, "clang": CLANG}
CORES: dict[str, tuple[str, tuple[str, ...]]] = {
    "Cortex-M4": (M4, ()),
    "Cortex-M3": ("mps2-an385", ()),
    "Cortex-M0+": ("mps2-an385", CORTEX_M0PLUS),
}
KEPT_R9 = ("-ffixed-r9", "-DKEPT_R9=0x5A5A1234u")
OPTIONS = {
    "-fPIC": ("-O2", "-fPIC"),
    "-fpie": ("-O2", "-fpie"),
    "-flto": ("-O2", "-flto"),
    "-Og": ("-Og",),
    "-O0": ("-O0",),
    "-Og -fPIC": ("-Og", "-fPIC"),
    "frame pointer": ("-O2", "-fno-omit-frame-pointer"),
    "frame pointer -fPIC": ("-O2", "-fno-omit-frame-pointer", "-fPIC"),
    "-ffixed-r9": ("-O2", *KEPT_R9),
    "-ffixed-r9 kept": ("-O2", *KEPT_R9, "-DASC_KEEP_R9"),
}
QUICK = ("-fPIC", "-flto", "-ffixed-r9")
# The Cortex-M3 runs C alone, and the Cortex-M0+ assembly that r9 has no part in: what an option
# changes there, one of them shows.
TRIED = {
    "Cortex-M4": (*QUICK, "frame pointer"),
    "Cortex-M3": (),
    "Cortex-M0+": ("-O0",),
}
# What clang does with the same assembly.
CLANG_TRIED = ("-fPIC",)


def mark(core: str, compiler: str, options: str) -> tuple[pytest.MarkDecorator, ...]:
    if core == "Cortex-M4" and compiler == "GCC" and options in QUICK:
        return ()
    tried = TRIED[core] if compiler == "GCC" else CLANG_TRIED
    is_tried = options in tried and options in TRIED[core]
    return (pytest.mark.slow if is_tried else pytest.mark.exhaustive,)


@pytest.fixture(scope="module")
def released() -> tuple[list[np.ndarray], np.ndarray]:
    """Inputs of the released network, and TFLM's outputs."""
    model = load(MODEL)
    samples = inputs(model.graph.tensor(model.graph.inputs[0]).shape, 3)
    reference = TflmNetwork(model.data)
    return samples, np.stack([reference.run(sample).ravel() for sample in samples])


@pytest.mark.parametrize(
    ("core", "compiler", "options"),
    [
        pytest.param(*case, marks=mark(*case))
        for case in (
            (core, compiler, options)
            for core in CORES
            for compiler in COMPILERS
            for options in OPTIONS
        )
        # GCC, which links, does not read what clang leaves for another linker.
        if case[1:] != ("clang", "-flto")
    ],
)
def test_released_network_gives_the_bits_of_tflm(
    core: str,
    compiler: str,
    options: str,
    released: tuple[list[np.ndarray], np.ndarray],
    tmp_path: Path,
) -> None:
    samples, expected = released
    board, flags = CORES[core]
    level, *rest = OPTIONS[options]
    command = (*COMPILERS[compiler], *rest)
    network = EmulatedNetwork(
        load(MODEL), board, tmp_path, flags=flags, optimization=level, compiler=command
    )
    assert np.array_equal(network.run(samples)[0], expected)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sources")
    assert asc_tiny("generate", MODEL, "--project", "sources", "--out", folder) == 0
    return folder


def compiled(
    sources: Path, name: str, target: Path, *options: str
) -> subprocess.CompletedProcess[str]:
    command = [*options, "-mthumb", *FLAGS, "-c", sources / name, "-o", target]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.parametrize("core", ["cortex-m4", "cortex-m3", "cortex-m0plus"])
@pytest.mark.parametrize("compiler", COMPILERS)
def test_nothing_touches_r9_where_it_is_kept(
    compiler: str, core: str, sources: Path, tmp_path: Path
) -> None:
    options = (*COMPILERS[compiler], f"-mcpu={core}", "-ffixed-r9", "-DASC_KEEP_R9")
    kernels = [name for name in runtime_sources("nn") if name.endswith(".c")]
    for name in (*(each for each in kernels if (sources / each).exists()), "asc_net.c"):
        target = tmp_path / f"{name}.o"
        done = compiled(sources, name, target, *options)
        assert done.returncode == 0, done.stderr
        code = subprocess.run(
            ["arm-none-eabi-objdump", "-d", target], capture_output=True, text=True, check=True
        ).stdout
        operands = [line.split("\t")[-1] for line in code.splitlines() if line.count("\t") > 2]
        assert not [each for each in operands if "r9" in each or "sb" in each], name


def test_a_static_base_in_r9_is_refused_or_kept(sources: Path, tmp_path: Path) -> None:
    target = tmp_path / "conv.o"
    based = (*GCC, "-mcpu=cortex-m4", "-fpic", "-msingle-pic-base")
    done = compiled(sources, "asc_conv.c", target, *based)
    assert "PIC register clobbered" in done.stderr
    assert "asc_needs_keep_r9_where_r9_is_a_base" in done.stderr
    assert compiled(sources, "asc_conv.c", target, *based, "-DASC_KEEP_R9").returncode == 0
    rwpi = compiled(sources, "asc_conv.c", target, *CLANG, "-mcpu=cortex-m4", "-frwpi")
    assert rwpi.returncode == 0, rwpi.stderr
    code = subprocess.run(
        ["arm-none-eabi-objdump", "-d", target], capture_output=True, text=True, check=True
    ).stdout
    assert "smlad" not in code, "its loops would change r9"


def test_constants_that_move_without_their_addresses_are_refused(
    sources: Path, tmp_path: Path
) -> None:
    ropi = (*CLANG, "-mcpu=cortex-m4", "-fropi")
    done = compiled(sources, "asc_net.c", tmp_path / "net.o", *ropi)
    assert done.returncode != 0
    assert "asc_executor.h" in done.stderr
    assert "-fropi" in done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((*GCC, "-fPIC", "-msingle-pic-base"), "PIC register clobbered"),
        ((*CLANG, "-frwpi"), "no base of data in r9"),
    ],
    ids=["-msingle-pic-base", "-frwpi"],
)
def test_our_image_refuses_a_base_that_it_does_not_load(
    options: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    assert asc_tiny("generate", MODEL, "--project", "cmake", "--board", M4, "--out", tmp_path) == 0
    platform = tmp_path / "platform"
    done = compiled(
        platform,
        "cortex_m.c",
        tmp_path / "m.o",
        *options,
        "-mcpu=cortex-m4",
        f"-I{tmp_path / 'src'}",
    )
    assert done.returncode != 0
    assert said in done.stderr
