"""The self-test of generated sources, built and run on this computer."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from support.commands import asc_tiny
from support.native import FLAGS
from support.objects import compiled

EXPECTED = "asc_selftest_expected.h"
SPOILED = [("ASC_SELFTEST_CHECKSUM", 1), ("ASC_SELFTEST_SCORES", 2)]
"""Macro with what is expected, and the code of a difference from it."""

MAIN = """#include <stdio.h>
#include "asc_selftest.h"
static asc_t classifier;
int main(void) { printf("%d", asc_selftest(&classifier)); return 0; }
"""


def generate_sources(folder: Path, model: Path, *options: object) -> Path:
    assert asc_tiny("generate", model, "--project", "sources", "--out", folder, *options) == 0
    (folder / "main.c").write_text(MAIN)
    return folder


def run_on_host(folder: Path) -> int:
    """Build all sources with undefined behaviour trapped; return what the self-test does."""
    trap = ("-fsanitize=undefined", "-fno-sanitize-recover=all")
    command = ["cc", *FLAGS, "-O1", *trap]
    objects = compiled(command, sorted(folder.glob("*.c")))
    subprocess.run([*command, *objects, "-o", folder / "test"], check=True)
    done = subprocess.run([folder / "test"], check=True, capture_output=True, text=True)
    return int(done.stdout)


def spoil(header: Path, macro: str) -> None:
    """Change the first number of a macro by one."""
    text = header.read_text()

    def other(match: re.Match[str]) -> str:
        return f"{match[1]}{int(match[2], 0) ^ 1}"

    spoiled = re.sub(rf"(#define {macro} {{?)(-?\w+?)(?=u|,)", other, text)
    assert spoiled != text
    header.write_text(spoiled)
