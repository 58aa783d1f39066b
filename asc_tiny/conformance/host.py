"""Compiled networks run on this computer, under sanitizers that see what C code must not do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from asc_tiny.conformance.programs import (
    AnyArray,
    Inference,
    NetworkCode,
    kernel_sources,
    output_bytes,
    read_outputs,
    write_networks,
)
from asc_tiny.firmware.runtime import runtime_sources
from asc_tiny.targets.build import tools
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import write_text

COMPILER = "cc"
WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-pedantic", "-Wconversion", "-Werror")
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-O1", "-g")
_MAIN = "host_main.c"
_PASSES = 2
_SECONDS = 3600.0
_MOST_SAID = 1500


class CompileError(AscError):
    """The compiler refuses a file; the details are what it said.

    Attributes:
        networks: numbers of those whose files it names in errors.
    """

    def __init__(self, name: str, said: str) -> None:
        lines = [line for line in said.splitlines() if "error" in line] or said.splitlines()
        super().__init__(f"{name}: {COMPILER} refuses it", details=lines[:10])
        self.networks = {int(n) for n in re.findall(r"\bg(\d+)_net\.[ch]:\d+:\d+: error", said)}


@dataclass(frozen=True)
class HostRun:
    """What a network gave on this computer.

    Attributes:
        outputs: the outputs of each inference; what is in memory before they start has no part in
            them unless ``fault`` says so.
        fault: what went wrong, such as the words of a sanitizer; empty if nothing did.
    """

    outputs: list[list[AnyArray]]
    fault: str = ""


def compile_kernels(folder: Path, networks: Sequence[NetworkCode] | None = None) -> Path:
    """Compile kernels for any number of programs, and return their folder.

    Args:
        folder: folder to compile in.
        networks: networks whose kernels are enough; None for all kernels.

    Raises:
        AscError: there is no C compiler.
        CompileError: it refuses a file.
    """
    sources = runtime_sources("nn") if networks is None else kernel_sources(networks)
    for name, text in sources.items():
        write_text(folder / name, text)
    for name in sources:
        if name.endswith(".c"):
            _compile(folder, name, folder)
    return folder


def run(
    networks: Sequence[NetworkCode],
    inferences: Sequence[Sequence[Inference]],
    folder: Path,
    kernels: Path,
    *,
    per_unit: int = 1,
) -> list[HostRun]:
    """Build one program of several networks, and run each on its inputs.

    Args:
        networks: the networks.
        inferences: inputs of the inferences that follow each other, for each network.
        folder: folder to build in.
        kernels: folder that ``compile_kernels`` returned.
        per_unit: number of networks that are compiled together.

    Raises:
        AscError: there is no C compiler, or it cannot link with sanitizers.
        CompileError: it refuses a file.
    """
    names = write_networks(networks, inferences, _MAIN, folder, per_unit=per_unit)
    for name in names:
        _compile(folder, name, kernels)
    objects = [f"{name}.o" for name in names] + [str(path) for path in kernels.glob("*.o")]
    command = [tools.require(COMPILER), *SANITIZERS, *objects, "-o", "networks"]
    linked = tools.execute(command, folder=folder)
    if linked.returncode:
        raise AscError(
            f"{COMPILER} cannot link with {SANITIZERS[0]}; its runtime libraries are needed",
            details=linked.stderr.splitlines()[-10:],
        )
    size = output_bytes(networks, inferences)
    (folder / "out.bin").write_bytes(bytes(_PASSES * size))
    program = [str((folder / "networks").resolve()), "in.bin", "out.bin"]
    done = tools.execute(program, folder=folder, timeout_s=_SECONDS)
    if done.returncode:
        raise AscError(
            f"the program of networks stopped with code {done.returncode}",
            details=done.stderr.splitlines()[-10:],
        )
    return _runs((folder / "out.bin").read_bytes(), networks, inferences, _faults(done.stderr))


def _runs(
    data: bytes,
    networks: Sequence[NetworkCode],
    inferences: Sequence[Sequence[Inference]],
    faults: dict[int, str],
) -> list[HostRun]:
    runs = []
    for number, (network, each) in enumerate(zip(networks, inferences, strict=True)):
        size = output_bytes([network], [each])
        first, second = data[:size], data[size : 2 * size]
        data = data[_PASSES * size :]
        fault = faults.get(number, "")
        if not fault and first != second:
            fault = "the outputs depend on what memory held before"
        runs.append(HostRun(read_outputs(first, network, len(each)), fault))
    return runs


def _faults(said: str) -> dict[int, str]:
    """Return what the program said about networks that ended otherwise than with 0."""
    pieces = re.split(r"^network (\d+): (\d+)$", said, flags=re.MULTILINE)
    return {
        int(number): _fault(text.strip(), int(status))
        for text, number, status in zip(pieces[::3], pieces[1::3], pieces[2::3], strict=False)
        if int(status)
    }


def _fault(said: str, status: int) -> str:
    """Return the line of a sanitizer or of the program that tells most."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if "SUMMARY: " in line or "runtime error: " in line]
    return (telling or lines or [f"it ended with status {status}"])[-1][:_MOST_SAID]


def _compile(folder: Path, name: str, headers: Path) -> None:
    # Generated files are data and a call: nothing to optimize.
    flags = [*WARNINGS, *SANITIZERS, *(["-O0"] if name.startswith("unit") else [])]
    command = [tools.require(COMPILER), *flags, "-I.", f"-I{headers.resolve()}", "-c", name]
    done = tools.execute([*command, "-o", f"{name}.o"], folder=folder)
    if done.returncode:
        raise CompileError(name, done.stderr)
