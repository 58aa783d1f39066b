"""Small programs whose loops run a known number of turns, and what a trace of them counts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from asc_tiny.boards import catalog
from asc_tiny.targets.build.project import NetworkProject
from asc_tiny.targets.cycles import trace
from asc_tiny.targets.cycles.trace import Segment
from support.emulated import EmulatedImage
from support.native import write

Pair = tuple[Segment, Segment]
"""What a program takes for 100 turns and for 300."""

PROGRAM = """
#include "platform.h"
static uint32_t ram[8] __attribute__((aligned(16)));
static const uint32_t flash[64] __attribute__((aligned(16), unused)) = {1};
__attribute__((naked, noinline, used)) void leaf(void);
__attribute__((naked, noinline, used)) void leaf(void) { __asm__ volatile("bx lr"); }
static void *self(void) { ram[0] = (uint32_t)(uintptr_t)ram; return ram; }
%(functions)s
int main(int argc, char **argv) {
    (void)argc; (void)argv;
    (void)platform_instructions();
    %(calls)s
    return 0;
}
"""

LOOP = """
__attribute__((naked, noinline)) static void loop%(number)d(void *data, uint32_t turns) {
    (void)data; (void)turns;
    __asm__ volatile("push {r4-r7, lr}\\n mov r7, r0\\n mov r6, r1\\n movs r5, #0\\n movs r3, #1\\n"
        ".balign 16\\n 9: %(body)s\\n subs r6, r6, #1\\n bne.w 9b\\n pop {r4-r7, pc}");
}
"""


def loop(number: int, body: str) -> str:
    """Return the function of a loop of instructions that are divided by semicolons."""
    return LOOP % {"number": number, "body": "\\n".join(body.split(";"))}


def spent(
    folder: Path, board: str, functions: Sequence[str], data: Sequence[str], *, wait: int
) -> list[Pair]:
    """Run functions called loop0, loop1 ... and return what each takes.

    Args:
        folder: folder to build in.
        board: name of an emulated board.
        functions: text of each function.
        data: what is passed to each.
        wait: wait states of the flash.
    """
    calls = [
        f"loop{number}({each}, {turns}); (void)platform_instructions();"
        for number, each in enumerate(data)
        for turns in (100, 300)
    ]
    text = PROGRAM % {"functions": "".join(functions), "calls": "\n    ".join(calls)}
    write({"main.c": text}, folder / "build")
    EmulatedImage(folder / "build", board)
    (folder / "build" / "image.elf").rename(folder / "build" / "firmware.elf")
    project = NetworkProject(
        folder=folder, board=catalog.get(board), runtime="aot", model_file=cast("Any", None)
    )
    found = trace.segments_of_any(project, [], {}, wait_states=wait)
    assert len(found) == 2 + len(calls)
    return list(zip(found[1:-1:2], found[2:-1:2], strict=True))


def of_a_turn(pair: Pair) -> tuple[float, float]:
    """Return cycles and stalls of one turn: what is around the turns cancels out."""
    short, long = pair
    return (long.cycles - short.cycles) / 200, (long.stalls - short.stalls) / 200
