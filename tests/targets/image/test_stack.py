"""The bound of the stack: by hand on a small graph, and above what painting shows on every core."""

from __future__ import annotations

from pathlib import Path

import pytest

from asc_tiny.boards import catalog
from asc_tiny.firmware.classifier import classifier
from asc_tiny.firmware.library import render_library
from asc_tiny.model.model_file import load
from asc_tiny.projects import cmake, generator
from asc_tiny.targets.build import project
from asc_tiny.targets.image import bench, stack
from asc_tiny.util.errors import AscError
from support.paths import MODELS

RELEASED = ("mobilenet_esc10", "mini_segnet_esc10")
NETWORK_STACK_BYTES = 672
"""On a Cortex-M4, as docs/reference/performance.md states."""

RESERVED_BYTES = 8192

CALLS = """graph: {{ title: "{name}.c"
node: {{ title: "run" label: "run\\n{name}.c:2:1\\n16 bytes (static)" }}
node: {{ title: "kernel" label: "kernel\\n{name}.c:3:1\\n100 bytes (static)" }}
node: {{ title: "unused" label: "unused\\n{name}.c:4:1\\n5000 bytes (static)" }}
node: {{ title: "copy" label: "copy\\n<built-in>" shape : ellipse }}
node: {{ title: "__indirect_call" label: "Indirect Call Placeholder" shape : ellipse }}
edge: {{ sourcename: "run" targetname: "__indirect_call" label: "{name}.c:2:9" }}
edge: {{ sourcename: "kernel" targetname: "copy" }}
{more}
}}
"""
START = """graph: { title: "main.c"
node: { title: "main.c:start" label: "start\\nmain.c:1:1\\n8 bytes (static)" }
edge: { sourcename: "main.c:start" targetname: "run" label: "main.c:1:9" }
}
"""
LINKED = {"start": 8, "run": 24, "kernel": 0, "copy": 12}


def graph_of(tmp_path: Path, more: str = "") -> stack.CallGraph:
    for folder, text in (("net.dir", CALLS.format(name="a", more=more)), ("main.dir", START)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.c.ci").write_text(text)
    return stack.read(tmp_path, LINKED, "net")


def test_depth_by_hand(tmp_path: Path) -> None:
    """Pushes of assembly (run) and library functions (copy) count, what is not linked does not."""
    graph = graph_of(tmp_path)
    assert graph.depth("copy") == 12
    assert graph.depth("kernel") == 112
    assert graph.depth("start") == 8 + 24 + 112
    assert graph.roots == {"start", "kernel"}


@pytest.mark.parametrize(
    "more",
    [
        'edge: { sourcename: "kernel" targetname: "run" label: "" }',
        'node: { title: "run" label: "run\\\\na.c:2:1\\\\n16 bytes (dynamic)" }',
    ],
)
def test_no_bound_is_an_error(more: str, tmp_path: Path) -> None:
    graph = graph_of(tmp_path, more.replace("\\\\", "\\"))
    with pytest.raises(AscError, match="run has no bound"):
        graph.depth("run")


@pytest.mark.parametrize(
    ("line", "size"),
    [
        (" 1000:\tpush\t{r4, r5, lr}", 12),
        (" 1000:\tstmdb\tsp!, {r4-r11, lr}", 36),
        (" 1000:\tvpush\t{d8-d10}", 24),
        (" 1000:\tsub\tsp, #96\t@ 0x60", 96),
        (" 1000:\tsub.w\tsp, sp, #1024", 1024),
        (" 1000:\tstr.w\tr4, [sp, #-8]!", 8),
        (" 1000:\taddi\tsp,sp,-48", 48),
        (" 1000:\tsub\tr3, #96", 0),
        (" 1000:\tstmdb\tr0!, {r4-r11}", 0),
        (" 1000:\tadd\tsp, #96", 0),
    ],
)
def test_what_instructions_push(line: str, size: int) -> None:
    assert stack._pushes(line) == size


@pytest.mark.qemu
@pytest.mark.parametrize(
    ("model", "board"),
    [
        ("mobilenet_esc10", "mps2-an386"),
        *(
            pytest.param(model, board, marks=pytest.mark.slow)
            for model in RELEASED
            for board in ("mps2-an385", "mps2-an505", "mps3-an547", "virt-rv32")
        ),
    ],
)
def test_bound_holds(model: str, board: str, tmp_path: Path) -> None:
    """Above what painting shows while the firmware runs, below what the linker reserves."""
    target = catalog.get(board)
    complete = classifier(load(MODELS / f"{model}.tflite"), runtime="aot")
    request = generator.GenerationRequest(library=render_library(complete), board=target)
    generator.write(cmake.CMakeGenerator(), request, tmp_path / "p")
    built = project.load(tmp_path / "p")
    project.build(built)
    costs = bench.measure(built)
    assert costs.stack_bound_bytes is not None
    assert costs.network_stack_bound_bytes is not None
    assert costs.network_stack_bound_bytes < costs.stack_bytes
    assert costs.stack_bytes <= costs.stack_bound_bytes <= RESERVED_BYTES
    if board == "mps2-an386":
        assert costs.network_stack_bound_bytes <= NETWORK_STACK_BYTES
