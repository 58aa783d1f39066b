"""An upper bound of the stack, from the compiler's call graph and the linked code.

GCC writes the frame of every function and its calls (``-fcallgraph-info=su``). Library functions
come without, and assembly in functions is not in their frames: what the linked code pushes is
added up for every function, and the larger figure counts. A call through a pointer may reach every
function of the library that is linked but called by name nowhere: the kernels of the stages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from asc_tiny.boards.catalog import Board
from asc_tiny.targets.build import tools
from asc_tiny.util.errors import AscError

INDIRECT = "__indirect_call"
_NODE = re.compile(r'node: \{ title: "([^"]+)" label: "([^"]+)"')
_EDGE = re.compile(r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"')
_FRAME = re.compile(r"\\n(\d+) bytes \((static|dynamic|dynamic,bounded)\)")

# Registers that a core with and without floating point saves on an interrupt, with alignment
_EXTENDED_FRAME, _BASIC_FRAME = 108, 36


@dataclass
class CallGraph:
    """Functions by name.

    Attributes:
        frames: bytes of stack that a function takes itself.
        calls: what it calls; ``INDIRECT`` for a call through a pointer.
        unbounded: functions whose frame the compiler cannot bound.
        library: functions that a call through a pointer may reach if none calls them by name.
    """

    frames: dict[str, int] = field(default_factory=dict)
    calls: dict[str, set[str]] = field(default_factory=dict)
    unbounded: set[str] = field(default_factory=set)
    library: set[str] = field(default_factory=set)

    def depth(self, function: str) -> int:
        """Return the most stack that a call of a function takes, its own frame included.

        Raises:
            AscError: the function is not in the graph, or no bound exists.
        """
        return self._depth(function, ())

    def _depth(self, function: str, callers: tuple[str, ...]) -> int:
        if function not in self.frames:
            raise AscError(f"stack: the frame of {function} is not known")
        if function in callers or function in self.unbounded:
            raise AscError(
                f"stack: {function} has no bound: it calls itself or has a varying frame"
            )
        called = self.calls.get(function, set())
        targets = called - {INDIRECT}
        if INDIRECT in called:
            # A kernel that calls a helper through a pointer does not call kernels above it.
            targets |= (self.roots & self.library) - {function, *callers}
        return self.frames[function] + max(
            (self._depth(each, (*callers, function)) for each in targets), default=0
        )

    @property
    def roots(self) -> set[str]:
        """What is called by name nowhere: the start, handlers of interrupts, kernels."""
        return set(self.calls).difference(*self.calls.values())


def read(folder: Path, linked: Mapping[str, int], library: str) -> CallGraph:
    """Return the graph of the functions that are linked.

    Args:
        folder: folder with files of ``-fcallgraph-info=su``, in folders of CMake's targets.
        linked: bytes that the linked code of each function pushes.
        library: name of the library's target.
    """
    graph = CallGraph(frames=dict(linked))
    for path in sorted(folder.rglob("*.ci")):
        is_library = path.relative_to(folder).parts[0] == f"{library}.dir"
        text = path.read_text(encoding="utf-8")
        for title, label in _NODE.findall(text):
            name, frame = _plain(title), _FRAME.search(label)
            if frame is None or name not in linked:
                continue
            graph.calls.setdefault(name, set())
            graph.frames[name] = max(graph.frames[name], int(frame[1]))
            if is_library:
                graph.library.add(name)
            if frame[2] == "dynamic":
                graph.unbounded.add(name)
        for source, target in _EDGE.findall(text):
            if _plain(source) in linked and (target == INDIRECT or _plain(target) in linked):
                graph.calls.setdefault(_plain(source), set()).add(_plain(target))
    return graph


def _plain(title: str) -> str:
    """Return a function's name in the linked code: static ones have the file before it."""
    return title.rsplit(":", 1)[-1]


def pushed(board: Board, image: Path) -> dict[str, int]:
    """Return the bytes that each function of an image pushes, all of its code together.

    Raises:
        AscError: the disassembler is missing or fails.
    """
    program = tools.require(board.toolchain.compiler.replace("gcc", "objdump"))
    done = tools.execute([program, "-d", "--no-show-raw-insn", str(image)], folder=image.parent)
    if done.returncode != 0:
        raise AscError(f"{image}: cannot be disassembled", details=done.stderr.splitlines()[-10:])
    found: dict[str, int] = {}
    name = ""
    for line in done.stdout.splitlines():
        head = re.match(r"[0-9a-f]+ <(.+)>:$", line)
        if head:
            name = head[1]
            found.setdefault(name, 0)
        elif name:
            found[name] += _pushes(line)
    return found


def _pushes(line: str) -> int:
    """Return the bytes by which an instruction lowers the stack pointer."""
    parts = line.split("\t")
    if len(parts) < 3:
        return 0
    operation, operands = parts[1].strip(), parts[2].split("@")[0].split(";")[0].strip()
    if operation.startswith(("push", "vpush", "stmdb")):
        if operation.startswith("stmdb") and not operands.startswith("sp!"):
            return 0
        inside = operands[operands.index("{") + 1 : operands.index("}")]
        return sum(map(_list_bytes, inside.split(",")))
    lowered = re.match(r"sub(?:\.w|w)?$", operation) and re.match(r"sp, (?:sp, )?#(\d+)", operands)
    if lowered:
        return int(lowered[1])
    stored = re.search(r"\[sp, #-(\d+)\]!", operands)
    if stored:
        return int(stored[1])
    moved = re.match(r"addi$|c\.addi16sp$|add$", operation) and re.match(
        r"sp,\s*sp,\s*-(\d+)", operands
    )
    return int(moved[1]) if moved else 0


def _list_bytes(registers: str) -> int:
    """Return the bytes of a register or a range of them: ``r4-r7``, ``d8-d9``."""
    first, _, last = registers.strip().partition("-")
    size = 8 if first.startswith("d") else 4
    count = int(last[1:]) - int(first[1:]) + 1 if last else 1
    return size * count


@dataclass(frozen=True)
class Bounds:
    """Upper bounds of the stack in bytes.

    Attributes:
        image: bytes of everything, an interrupt included.
        network: bytes of a run of the network, on all of its input or on a column.
    """

    image: int
    network: int


def bounds(board: Board, image: Path, prefix: str) -> Bounds | None:
    """Return the bounds of an image that was built with call graphs, None without them.

    Raises:
        AscError: there is no bound.
    """
    graph = read(image.parent / "CMakeFiles", pushed(board, image), prefix)
    if not graph.calls:
        return None
    interrupt = 0
    if board.platform == "cortex_m":
        frame = _EXTENDED_FRAME if board.has_coprocessors else _BASIC_FRAME
        interrupt = frame + graph.depth("systick_handler")
    deepest = max(graph.depth(root) for root in graph.roots)
    by_column = f"{prefix}_net_feed"
    network = by_column if by_column in graph.frames else f"{prefix}_net_run"
    return Bounds(deepest + interrupt, graph.depth(network))
