"""The kernels' assembler leaves compilers the registers that their options want for themselves."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from support.commands import asc_tiny
from support.native import FLAGS
from support.paths import MODEL

pytestmark = pytest.mark.skipif(
    not shutil.which("arm-none-eabi-gcc"), reason="needs arm-none-eabi-gcc"
)

FLOATING_POINT = ("-mfpu=fpv4-sp-d16", "-mfloat-abi=hard")
COMPILED = (
    "asc_conv.c",
    "asc_depthwise.c",
    "asc_pool.c",
    "asc_kernels.c",
    "asc_spectrum.c",
    "asc_frontend.c",
)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sources")
    assert asc_tiny("generate", MODEL, "--project", "sources", "--out", folder) == 0
    return folder


@pytest.mark.parametrize("level", ["-O0", "-O2", "-Os", "-Og"])
@pytest.mark.parametrize(
    "options",
    [
        ("-mcpu=cortex-m4", *FLOATING_POINT),
        ("-mcpu=cortex-m4", *FLOATING_POINT, "-fno-omit-frame-pointer"),
        ("-mcpu=cortex-m33", "-mfloat-abi=hard", "-fstack-protector-all"),
        ("-mcpu=cortex-m3", "-fno-omit-frame-pointer"),
        ("-mcpu=cortex-m0plus", "-fno-omit-frame-pointer"),
    ],
    ids=[
        "m4f",
        "m4f frame pointer",
        "m33f stack protector",
        "m3 frame pointer",
        "m0plus frame pointer",
    ],
)
def test_kernels_compile(sources: Path, options: tuple[str, ...], level: str) -> None:
    flags = [flag for flag in FLAGS if not flag.startswith("-O")]
    command = ["arm-none-eabi-gcc", *options, "-mthumb", *flags, level, "-o", "/dev/null"]
    for name in COMPILED:
        subprocess.run([*command, "-c", sources / name], check=True)
