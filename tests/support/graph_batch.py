"""Many compiled networks in one program of this computer, with every sanitiser.

Each runs in an arena of exactly the planned size from ``malloc``, with its input and output in
blocks of their own, so that AddressSanitizer sees every access outside.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from asc_tiny.firmware.network import compiled
from asc_tiny.firmware.runtime import runtime_sources
from asc_tiny.model.model_file import ModelFile
from asc_tiny.tflite.reader import parse_graph
from asc_tiny.util.files import sha256
from support.emulated import EmulatedImage
from support.native import FLAGS, write

SANITISERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-O1", "-g")
WARNINGS = tuple(flag for flag in FLAGS if not flag.startswith("-O"))
_PER_UNIT = 40

_TABLE = """#include <stdint.h>
#include <string.h>

typedef struct {
    int (*infer)(int8_t *arena, const int8_t *input, void *output);
    uint32_t arena, input, output, samples;
} network_t;

%s

static const network_t networks[] = {
%s
};

enum { NETWORKS = sizeof networks / sizeof networks[0], SECONDS = 60 };
"""

_HOST_MAIN = """#define _POSIX_C_SOURCE 200112L
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "networks.h"

static int8_t *block(size_t size) {
    int8_t *bytes = malloc(size);
    if (bytes == NULL) {
        _exit(4);
    }
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (int8_t)(i * 37u + 11u);
    }
    return bytes;
}

/* Each input and output has a block of its own, so that accesses beside them are seen. */
static int run(const network_t *network, FILE *in, FILE *out) {
    for (uint32_t sample = 0; sample < network->samples; sample++) {
        int8_t *arena = block(network->arena);
        int8_t *input = block(network->input);
        int8_t *output = block(network->output);
        if (fread(input, 1, network->input, in) != network->input ||
            network->infer(arena, input, output) != 0 ||
            fwrite(output, 1, network->output, out) != network->output) {
            return 3;
        }
        free(output);
        free(input);
        free(arena);
    }
    return fflush(out) != 0;
}

/* Reads the inputs of all networks from one file, writes their outputs to another. Each network
 * runs in a process of its own, and says on stderr how that ended. */
int main(int count, char **arguments) {
    if (count != 3) {
        return 2;
    }
    long input = 0, output = 0;
    for (int i = 0; i < NETWORKS; i++) {
        const network_t *network = &networks[i];
        const pid_t child = fork();
        if (child == 0) {
            FILE *in = fopen(arguments[1], "rb");
            FILE *out = fopen(arguments[2], "r+b");
            setrlimit(RLIMIT_CPU, &(struct rlimit){SECONDS, SECONDS});
            if (in == NULL || out == NULL || fseek(in, input, SEEK_SET) != 0 ||
                fseek(out, output, SEEK_SET) != 0) {
                _exit(2);
            }
            _exit(run(network, in, out));
        }
        int status = 0;
        if (child < 0 || waitpid(child, &status, 0) != child) {
            return 5;
        }
        fprintf(stderr, "network %d: %d\\n", i, status);
        input += (long)network->input * (long)network->samples;
        output += (long)network->output * (long)network->samples;
    }
    return 0;
}
"""

_EMULATED_MAIN = """#include "networks.h"
#include "platform.h"

enum { ARENA = %d, INPUT = %d, OUTPUT = %d, GUARD = 64 };

static int8_t memory[ARENA + 2 * GUARD] __attribute__((aligned(64)));
static int8_t input[INPUT];
static int8_t output[OUTPUT] __attribute__((aligned(8)));

/* Prints "changed" if a byte beside an arena is written. */
int main(int count, char **arguments) {
    if (count < 3) {
        return 2;
    }
    const int in = platform_open(arguments[1], "rb");
    const int out = platform_open(arguments[2], "wb");
    for (int i = 0; i < NETWORKS; i++) {
        const network_t *network = &networks[i];
        for (uint32_t sample = 0; sample < network->samples; sample++) {
            memset(memory, 0x5A, sizeof memory);
            if (platform_read(in, input, network->input) != network->input ||
                network->infer(memory + GUARD, input, output) != 0) {
                platform_print("failed");
                return 3;
            }
            for (uint32_t k = 0; k < GUARD; k++) {
                if (memory[k] != 0x5A || memory[GUARD + network->arena + k] != 0x5A) {
                    platform_print("changed");
                    return 4;
                }
            }
            platform_write(out, output, network->output);
        }
    }
    platform_close(out);
    return 0;
}
"""


_WRAPPER = """int g{number}_run(int8_t *arena, const int8_t *input, void *output);
int g{number}_run(int8_t *arena, const int8_t *input, void *output) {{
    return g{number}_net_infer(arena, input, ({type} *)output);
}}"""
"""Networks differ in the type of their output."""


class CompileError(Exception):
    """What the compiler said.

    Attributes:
        networks: numbers of those whose files it names in errors.
    """

    def __init__(self, said: str) -> None:
        super().__init__(said[:3000])
        self.networks = {int(n) for n in re.findall(r"\bg(\d+)_net\.[ch]:\d+:\d+: error", said)}


def model_file(data: bytes, name: str) -> ModelFile:
    """Return the model of a file that is nowhere on disk."""
    return ModelFile(Path(name), sha256(data), data, parse_graph(data, source=name), None, None)


def run_all(
    models: Sequence[ModelFile],
    samples: Sequence[Sequence[np.ndarray]],
    folder: Path,
    runtime: Path,
    options: Mapping[str, Any],
) -> list[np.ndarray]:
    """Compile all models with the same options of ``network.generate``, run each on its samples.

    Args:
        models, samples: each network and its inputs.
        folder: to build in.
        runtime: as ``compiled_runtime`` returned it.
        options: of ``network.generate``.

    Returns:
        Of every model its outputs, shape (samples, elements).
    """
    generated = [compiled.generate(model, **options) for model in models]
    outputs, failures = run_generated(generated, samples, folder, runtime)
    assert not failures, failures
    return outputs


def run_generated(
    generated: Sequence[Mapping[str, str]],
    samples: Sequence[Sequence[np.ndarray]],
    folder: Path,
    runtime: Path,
) -> tuple[list[np.ndarray], dict[int, str]]:
    """Compile what ``network.generate`` returned for several models, run each on its samples.

    Returns:
        Outputs as from ``run_all``; what is wrong with those that fail, by their number.

    Raises:
        CompileError: one does not compile.
    """
    names, sizes = _write(generated, samples, folder)
    write({"main.c": _HOST_MAIN}, folder)
    for name in (*names, "main.c"):
        _compile(folder, name, runtime)
    objects = [*folder.glob("*.o"), *runtime.glob("*.o")]
    subprocess.run(["cc", *SANITISERS, *objects, "-o", folder / "networks"], check=True)
    total = sum(size * len(each) for (_, _, size), each in zip(sizes, samples, strict=True))
    (folder / "out.bin").write_bytes(bytes(total))
    command = [folder / "networks", folder / "in.bin", folder / "out.bin"]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    assert done.returncode == 0, f"{done.returncode}: {done.stderr[-6000:]}"
    return _outputs(folder, generated, sizes, samples), _failures(done.stderr)


def _failures(said: str) -> dict[int, str]:
    """Return what the program said about networks that ended otherwise than with 0."""
    pieces = re.split(r"^network (\d+): (\d+)$", said, flags=re.MULTILINE)
    return {
        int(number): f"status {status}: {text.strip()[:1500]}"
        for text, number, status in zip(pieces[::3], pieces[1::3], pieces[2::3], strict=False)
        if int(status)
    }


def run_all_emulated(
    models: Sequence[ModelFile], samples: Sequence[Sequence[np.ndarray]], folder: Path, board: str
) -> list[np.ndarray]:
    """Do the same on an emulated core, with bytes beside each arena that must not change."""
    image_folder = folder / "image"
    generated = [compiled.generate(model) for model in models]
    names, sizes = _write(generated, samples, folder)
    image_folder.mkdir()
    largest = [max(each) for each in zip(*sizes, strict=True)]
    write({"main.c": _EMULATED_MAIN % tuple(largest)}, image_folder)
    # Only the units are compiled, each with its networks; the image takes every C file.
    for name in [*names, "networks.h", "in.bin"]:
        shutil.copy(folder / name, image_folder)
    for path in folder.glob("g*_net.*"):
        shutil.copy(path, image_folder / path.name.replace(".c", ".inc"))
    for name in names:
        text = (image_folder / name).read_text(encoding="utf-8")
        write({name: text.replace('.c"', '.inc"')}, image_folder)
    write(runtime_sources("nn"), image_folder)
    said = EmulatedImage(image_folder, board).execute("in.bin", "out.bin")
    assert not said.strip(), said
    return _outputs(image_folder, generated, sizes, samples)


def _write(
    generated: Sequence[Mapping[str, str]],
    samples: Sequence[Sequence[np.ndarray]],
    folder: Path,
) -> tuple[list[str], list[tuple[int, int, int]]]:
    """Write all networks, a table of them and their inputs.

    Returns:
        Names of the C files to compile, and the bytes of arena, input and output of each network.
    """
    folder.mkdir(parents=True, exist_ok=True)
    table, declarations, sizes = [], [], []
    units: list[list[str]] = []
    for number, files in enumerate(generated):
        renamed = {_renamed(name, number): _renamed(text, number) for name, text in files.items()}
        write(renamed, folder)
        if number % _PER_UNIT == 0:
            units.append([])
        header = files["asc_net.h"]
        units[-1].append(f'#include "{_renamed("asc_net.c", number)}"')
        units[-1].append(_WRAPPER.format(number=number, type=f"{output_type(header)}_t"))
        output = _macro(header, "OUTPUT") * np.dtype(output_type(header)).itemsize
        size = (_macro(header, "ARENA"), _macro(header, "INPUT"), output)
        sizes.append(size)
        declarations.append(f"int g{number}_run(int8_t *, const int8_t *, void *);")
        values = ", ".join(map(str, (*size, len(samples[number]))))
        table.append(f"    {{g{number}_run, {values}}},")
    sources = {f"unit{i}.c": "\n".join(unit) + "\n" for i, unit in enumerate(units)}
    header = _TABLE % ("\n".join(declarations), "\n".join(table))
    write({**sources, "networks.h": header}, folder)
    given = [np.ascontiguousarray(each, np.int8).tobytes() for group in samples for each in group]
    (folder / "in.bin").write_bytes(b"".join(given))
    return list(sources), sizes


def _outputs(
    folder: Path,
    generated: Sequence[Mapping[str, str]],
    sizes: Sequence[tuple[int, int, int]],
    samples: Sequence[Sequence[np.ndarray]],
) -> list[np.ndarray]:
    made = np.frombuffer((folder / "out.bin").read_bytes(), np.int8)
    outputs = []
    for files, (_, _, size), group in zip(generated, sizes, samples, strict=True):
        count = size * len(group)
        values = made[:count].copy().view(output_type(files["asc_net.h"]))
        outputs.append(values.reshape(len(group), -1))
        made = made[count:]
    assert not made.size
    return outputs


def compiled_runtime(folder: Path) -> Path:
    """Compile the kernels once for any number of programs."""
    sources = runtime_sources("nn")
    write(sources, folder)
    for name in sources:
        if name.endswith(".c"):
            _compile(folder, name, folder)
    return folder


def _compile(folder: Path, name: str, headers: Path) -> None:
    # Generated files are data and a call: nothing to optimise.
    flags = [*WARNINGS, *SANITISERS, *(["-O0"] if name.startswith("unit") else [])]
    command = ["cc", *flags, f"-I{headers}", "-c", name, "-o", f"{name}.o"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise CompileError(done.stderr)


def _renamed(text: str, number: int) -> str:
    text = re.sub(r"\basc_net", f"g{number}_net", text)
    return re.sub(r"\bASC_NET", f"G{number}_NET", text)


def output_type(header: str) -> str:
    """Return the type of a network's output: ``int8``, ``int32`` or ``int64``."""
    match = re.search(r"const (int\d+)_t \*\w+_net_output\(", header)
    assert match
    return match[1]


def _macro(header: str, name: str) -> int:
    match = re.search(rf"#define ASC_NET_{name}_SIZE (\d+)$", header, re.MULTILINE)
    assert match
    return int(match[1])
