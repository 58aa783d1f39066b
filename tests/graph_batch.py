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
from native import FLAGS, RUNTIME, write

from asc_tiny.codegen import network
from asc_tiny.codegen.project import NETWORK_RUNTIME
from asc_tiny.complexity.artefact import Artefact
from asc_tiny.complexity.reader import parse_graph
from asc_tiny.files import sha256

SANITISERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-O1", "-g")
WARNINGS = tuple(flag for flag in FLAGS if not flag.startswith("-O"))
_PER_UNIT = 40

_MAIN = """#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct {
    int (*infer)(int8_t *arena, const int8_t *input, int8_t *output);
    uint32_t arena, input, output, samples;
} network_t;

%s

static const network_t networks[] = {
%s
};

static int8_t *block(size_t size) {
    int8_t *bytes = malloc(size);
    if (bytes == NULL) {
        exit(4);
    }
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (int8_t)(i * 37u + 11u);
    }
    return bytes;
}

/* Reads the inputs of all networks from one file, writes their outputs to another. */
int main(int count, char **arguments) {
    FILE *in = count == 3 ? fopen(arguments[1], "rb") : NULL;
    FILE *out = count == 3 ? fopen(arguments[2], "wb") : NULL;
    if (in == NULL || out == NULL) {
        return 2;
    }
    for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++) {
        const network_t *network = &networks[i];
        for (uint32_t sample = 0; sample < network->samples; sample++) {
            int8_t *arena = block(network->arena);
            int8_t *input = block(network->input);
            int8_t *output = block(network->output);
            fprintf(stderr, "network %%u\\n", (unsigned)i);
            if (fread(input, 1, network->input, in) != network->input ||
                network->infer(arena, input, output) != 0 ||
                fwrite(output, 1, network->output, out) != network->output) {
                return 3;
            }
            free(output);
            free(input);
            free(arena);
        }
    }
    return fclose(in) != 0 || fclose(out) != 0;
}
"""


def artefact(data: bytes, name: str) -> Artefact:
    """Return the model of a file that is nowhere on disk."""
    return Artefact(Path(name), sha256(data), data, parse_graph(data, source=name), None, None)


def run_all(
    models: Sequence[Artefact],
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
    folder.mkdir(parents=True, exist_ok=True)
    networks, declarations, sizes = [], [], []
    units: list[list[str]] = []
    for number, model in enumerate(models):
        files = network.generate(model, **options)
        renamed = {_renamed(name, number): _renamed(text, number) for name, text in files.items()}
        write(renamed, folder)
        if number % _PER_UNIT == 0:
            units.append([])
        units[-1].append(f'#include "{_renamed("asc_net.c", number)}"')
        size = {name: _macro(files["asc_net.h"], name) for name in ("ARENA", "INPUT", "OUTPUT")}
        sizes.append(size["OUTPUT"])
        declarations.append(f"int g{number}_net_infer(int8_t *, const int8_t *, int8_t *);")
        values = ", ".join(map(str, (*size.values(), len(samples[number]))))
        networks.append(f"    {{g{number}_net_infer, {values}}},")
    sources = {f"unit{i}.c": "\n".join(unit) + "\n" for i, unit in enumerate(units)}
    sources["main.c"] = _MAIN % ("\n".join(declarations), "\n".join(networks))
    write(sources, folder)
    _build(folder, sources, runtime)
    given = [np.ascontiguousarray(each, np.int8).tobytes() for group in samples for each in group]
    (folder / "in.bin").write_bytes(b"".join(given))
    command = [folder / "networks", folder / "in.bin", folder / "out.bin"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.returncode}: {done.stderr[-6000:]}"
    made = np.frombuffer((folder / "out.bin").read_bytes(), np.int8)
    outputs = []
    for size, group in zip(sizes, samples, strict=True):
        count = size * len(group)
        outputs.append(made[:count].reshape(len(group), size))
        made = made[count:]
    assert not made.size
    return outputs


def compiled_runtime(folder: Path) -> Path:
    """Compile the kernels once for any number of programs."""
    for name in NETWORK_RUNTIME:
        shutil.copy(RUNTIME / name, folder)
    for name in NETWORK_RUNTIME:
        if name.endswith(".c"):
            _compile(folder, name, folder)
    return folder


def _build(folder: Path, sources: Mapping[str, str], runtime: Path) -> None:
    for name in sources:
        _compile(folder, name, runtime)
    objects = [*folder.glob("*.o"), *runtime.glob("*.o")]
    subprocess.run(["cc", *SANITISERS, *objects, "-o", folder / "networks"], check=True)


def _compile(folder: Path, name: str, headers: Path) -> None:
    command = ["cc", *WARNINGS, *SANITISERS, f"-I{headers}", "-c", name, "-o", f"{name}.o"]
    subprocess.run(command, cwd=folder, check=True)


def _renamed(text: str, number: int) -> str:
    text = re.sub(r"\basc_net", f"g{number}_net", text)
    return re.sub(r"\bASC_NET", f"G{number}_NET", text)


def _macro(header: str, name: str) -> int:
    match = re.search(rf"#define ASC_NET_{name}_SIZE (\d+)$", header, re.MULTILINE)
    assert match
    return int(match[1])
