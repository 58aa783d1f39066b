"""The files of the runtime that a network needs, against what compilers say that objects need."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from asc_tiny import api
from asc_tiny.boards import catalog
from asc_tiny.firmware.runtime import needed_sources, runtime_sources
from support.native import write
from support.paths import MODEL

BOARDS = ("host", "mps2-an386", "mps3-an547", "virt-rv32")
"""Cores without and with the DSP extension and vectors, for which files have code of their own."""


def objects(board: str, folder: Path) -> dict[str, tuple[set[str], set[str]]]:
    """Functions that each file defines for a board's core, and those that it needs of others."""
    target = catalog.get(board)
    compiler = target.toolchain.compiler
    write(runtime_sources("nn"), folder)
    found = {}
    for path in sorted(folder.glob("*.c")):
        command = [compiler, *target.compiler_flags, "-std=c99", "-O2", "-c", path.name]
        subprocess.run([*command, "-o", "object.o"], cwd=folder, check=True)
        nm = compiler.replace("gcc", "nm") if target.machine else "nm"
        done = subprocess.run(
            [nm, "-P", "object.o"], cwd=folder, check=True, capture_output=True, text=True
        )
        symbols = [line.split()[:2] for line in done.stdout.splitlines()]
        defined = {name for name, kind in symbols if kind in "TDRVW" and name.startswith("asc_")}
        needed = {name for name, kind in symbols if kind == "U" and name.startswith("asc_")}
        found[path.name] = defined, needed
    return found


def linked(function: str, objects: dict[str, tuple[set[str], set[str]]]) -> set[str]:
    """The files that a linker takes for a function."""
    files: set[str] = set()
    missing = {function}
    while missing:
        name = missing.pop()
        new = {file for file, (defined, _) in objects.items() if name in defined} - files
        files |= new
        missing |= {each for file in new for each in objects[file][1]}
    return files


@pytest.mark.exhaustive
@pytest.mark.qemu
def test_needed_files_are_those_that_linkers_take(tmp_path: Path) -> None:
    cores = [objects(board, tmp_path / board) for board in BOARDS]
    functions = set().union(*(defined for core in cores for defined, _ in core.values()))
    assert len(functions) > 30
    for function in sorted(functions):
        wanted = set().union(*(linked(function, core) for core in cores))
        found = needed_sources("nn", [f"kernel = {function};"])
        assert {name for name in found if name.endswith(".c")} == wanted, function


def test_needed_headers_are_those_that_compilers_read(tmp_path: Path) -> None:
    for function in ("asc_softmax", "asc_transpose_conv", "asc_stage_run"):
        folder = tmp_path / function
        write(needed_sources("nn", [f"kernel = {function};"]), folder)
        headers = {path.name for path in folder.glob("*.h")}
        read = set()
        for path in folder.glob("*.c"):
            done = subprocess.run(
                ["cc", "-std=c99", "-MM", path.name], cwd=folder, capture_output=True, text=True
            )
            assert done.returncode == 0, done.stderr
            read |= set(done.stdout.replace("\\\n", " ").split()[2:])
        # Headers of other cores are there, too.
        assert read <= headers
        assert {
            name for name in headers - read if not name.endswith(("_dsp.h", "_mve.h", "_thumb1.h"))
        } == set()


def test_a_name_in_a_comment_or_a_declaration_needs_nothing() -> None:
    text = "/* as asc_conv does */\nvoid asc_conv(const void *data,\n    int x);\nint asc_slice;"
    assert list(needed_sources("nn", [text])) == list(needed_sources("nn", ["asc_slice"]))


def test_a_project_has_no_other_kernels(tmp_path: Path) -> None:
    api.generate(MODEL, tmp_path, project="sources")
    names = {path.name for path in tmp_path.iterdir()}
    assert {"asc_conv.c", "asc_pool.c", "asc_executor.c"} <= names
    assert not {"asc_transpose_conv.c", "asc_lookup.c", "asc_resize.c"} & names
