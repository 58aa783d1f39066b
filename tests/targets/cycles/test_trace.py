"""Cycles of small programs: those that the core's manual states, counted by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from asc_tiny.boards import catalog
from asc_tiny.targets.build.project import NetworkProject
from asc_tiny.targets.cycles import trace
from asc_tiny.targets.cycles.trace import Segment
from support.emulated import EmulatedImage
from support.native import write

pytestmark = pytest.mark.qemu

BOARD = "mps2-an386"
WAIT = 5

LOOPS = {
    "nop; nop; nop; nop": 4,
    "add r1, r2, r3; smlad r1, r2, r3, r4; smmul r1, r2, r3; ssat r1, #8, r2": 4,
    "smlabb r1, r2, r3, r4; pkhbt r1, r2, r3; sxtb16 r1, r2; mla r1, r2, r3, r4": 4,
    "ldr r1, [r7]": 2,
    "ldr r1, [r7]; nop": 3,
    # Loads in a row are pipelined, but not one whose address is the result of the one before.
    "ldr r1, [r7]; ldr r2, [r7, #4]; ldrsb r3, [r7, #8]": 4,
    "ldr r1, [r7]; ldr r2, [r1]": 4,
    "ldr r1, [r7]; str r2, [r7, #4]": 3,
    "str r1, [r7, #4]; str r1, [r7, #8]": 2,
    "str r1, [r7, #4]; ldr r1, [r7]": 3,
    "strb r1, [r7, r5]": 2,
    "ldrd r1, r2, [r7]": 3,
    "strd r1, r2, [r7, #8]": 3,
    "ldmia r7, {r1-r4}": 5,
    "stmdb sp!, {r1, r3-r4}; ldmia sp!, {r1, r3, r4}": 8,
    "push {r1, r2}; pop {r1, r2}": 6,
    "sdiv r1, r2, r3": 7,
    "b 1f; 1: nop": 2,
    "b 1f; nop; 1: nop": 4,
    "cbz r5, 1f; nop; 1: nop": 4,
    "cmp r5, #1; beq 1f; nop; 1: nop": 4,
    "cmp r5, #1; it eq; addeq r1, r2, r3": 3,
    "bl leaf": 6,
}
"""Instructions of a loop, and their cycles with the registers of ``PROGRAM``."""

FETCHES = {
    # 65 lines of 16 bytes are one more than are held: each is fetched anew. The next line comes
    # while one is executed: in 4 cycles of 4 wide instructions, 8 of 8 narrow ones.
    ("nop.w", 4, 65): 1,
    ("nop", 8, 65): 0,
    ("nop.w", 4, 64): 0,
}
"""Instruction, how many fill a line, and lines in a row; stalls of each line."""

READS = {8: 0, 9: WAIT}
"""Lines of constants that are read in turn; stalls of each read."""

PROGRAM = """
#include "platform.h"
static uint32_t ram[8] __attribute__((aligned(16)));
static const uint32_t flash[64] __attribute__((aligned(16))) = {1};
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

STRAIGHT = """
__attribute__((naked, noinline)) static void loop%(number)d(void *data, uint32_t turns) {
    (void)data; (void)turns;
    __asm__ volatile("b.w 8f\\n .balign 16\\n"
        "8: .rept %(lines)d * %(each)d - 12 / (16 / %(each)d)\\n %(what)s\\n .endr\\n"
        "nop.w\\n subs.w r1, r1, #1\\n bne.w 8b\\n bx lr");
}
"""


def project(folder: Path) -> NetworkProject:
    board = catalog.get(BOARD)
    return NetworkProject(folder=folder, board=board, runtime="aot", model_file=cast("Any", None))


@pytest.fixture(scope="module")
def spent(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Segment, Segment]]:
    """What each program takes for 100 turns and for 300."""
    functions, calls = [], []
    bodies = [
        *(
            LOOP % {"number": n, "body": "\\n".join(body.split(";"))}
            for n, body in enumerate(LOOPS)
        ),
        *(
            STRAIGHT % {"number": len(LOOPS) + n, "what": what, "each": each, "lines": lines}
            for n, (what, each, lines) in enumerate(FETCHES)
        ),
    ]
    for lines in READS:
        body = "\\n".join(f"ldr r1, [r7, #{16 * line}]" for line in range(lines))
        bodies.append(LOOP % {"number": len(bodies), "body": body})
    for number, text in enumerate(bodies):
        functions.append(text)
        data = "(void *)(uintptr_t)flash" if number >= len(LOOPS) + len(FETCHES) else "self()"
        for turns in (100, 300):
            calls.append(f"loop{number}({data}, {turns}); (void)platform_instructions();")
    folder = tmp_path_factory.mktemp("cycles") / "build"
    text = PROGRAM % {"functions": "".join(functions), "calls": "\n    ".join(calls)}
    write({"main.c": text}, folder)
    EmulatedImage(folder, BOARD)
    (folder / "image.elf").rename(folder / "firmware.elf")
    found = trace.segments_of_any(project(folder.parent), [], {}, wait_states=WAIT)
    assert len(found) == 2 + len(calls)
    return list(zip(found[1:-1:2], found[2:-1:2], strict=True))


def of_a_turn(pair: tuple[Segment, Segment]) -> tuple[float, float]:
    """Return cycles and stalls of one turn: what is around the turns cancels out."""
    short, long = pair
    return (long.cycles - short.cycles) / 200, (long.stalls - short.stalls) / 200


def about(stalls: float) -> Any:
    """Return stalls of a turn with room for the first, which finds nothing in the caches."""
    return pytest.approx(stalls, abs=0.49)


@pytest.mark.parametrize(("body", "cycles"), LOOPS.items())
def test_a_turn_takes_what_the_manual_states(
    body: str, cycles: int, spent: list[tuple[Segment, Segment]]
) -> None:
    found, stalls = of_a_turn(spent[list(LOOPS).index(body)])
    # SUBS takes one cycle, BNE one and two more where it jumps.
    assert (found, stalls) == (cycles + 4, about(0))


@pytest.mark.parametrize(("code", "stalls"), FETCHES.items())
def test_fetches_wait_for_the_flash(
    code: tuple[str, int, int], stalls: int, spent: list[tuple[Segment, Segment]]
) -> None:
    _, _, lines = code
    found = of_a_turn(spent[len(LOOPS) + list(FETCHES).index(code)])[1]
    # The first line comes by a jump, whose wait nothing hides.
    first = WAIT - stalls if lines > 64 else 0
    assert found == about(stalls * lines + first)


@pytest.mark.parametrize(("lines", "stalls"), READS.items())
def test_reads_wait_for_the_flash(
    lines: int, stalls: int, spent: list[tuple[Segment, Segment]]
) -> None:
    found = of_a_turn(spent[len(LOOPS) + len(FETCHES) + list(READS).index(lines)])
    assert found == (lines + 1 + 4, about(lines * stalls))
