"""Cycles of small programs: those that the core's manual states, counted by hand."""

from __future__ import annotations

from typing import Any

import pytest

from support.timed_loops import Pair, loop, of_a_turn, spent

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

STRAIGHT = """
__attribute__((naked, noinline)) static void loop%(number)d(void *data, uint32_t turns) {
    (void)data; (void)turns;
    __asm__ volatile("b.w 8f\\n .balign 16\\n"
        "8: .rept %(lines)d * %(each)d - 12 / (16 / %(each)d)\\n %(what)s\\n .endr\\n"
        "nop.w\\n subs.w r1, r1, #1\\n bne.w 8b\\n bx lr");
}
"""


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> list[Pair]:
    """What each program takes."""
    functions = [
        *(loop(n, body) for n, body in enumerate(LOOPS)),
        *(
            STRAIGHT % {"number": len(LOOPS) + n, "what": what, "each": each, "lines": lines}
            for n, (what, each, lines) in enumerate(FETCHES)
        ),
    ]
    data = ["self()"] * len(functions)
    for lines in READS:
        body = ";".join(f"ldr r1, [r7, #{16 * line}]" for line in range(lines))
        functions.append(loop(len(functions), body))
        data.append("(void *)(uintptr_t)flash")
    return spent(tmp_path_factory.mktemp("cycles"), BOARD, functions, data, wait=WAIT)


def about(stalls: float) -> Any:
    """Return stalls of a turn with room for the first, which finds nothing in the caches."""
    return pytest.approx(stalls, abs=0.49)


@pytest.mark.parametrize(("body", "cycles"), LOOPS.items())
def test_a_turn_takes_what_the_manual_states(body: str, cycles: int, taken: list[Pair]) -> None:
    found, stalls = of_a_turn(taken[list(LOOPS).index(body)])
    # SUBS takes one cycle, BNE one and two more where it jumps.
    assert (found, stalls) == (cycles + 4, about(0))


@pytest.mark.parametrize(("code", "stalls"), FETCHES.items())
def test_fetches_wait_for_the_flash(
    code: tuple[str, int, int], stalls: int, taken: list[Pair]
) -> None:
    _, _, lines = code
    found = of_a_turn(taken[len(LOOPS) + list(FETCHES).index(code)])[1]
    # The first line comes by a jump, whose wait nothing hides.
    first = WAIT - stalls if lines > 64 else 0
    assert found == about(stalls * lines + first)


@pytest.mark.parametrize(("lines", "stalls"), READS.items())
def test_reads_wait_for_the_flash(lines: int, stalls: int, taken: list[Pair]) -> None:
    found = of_a_turn(taken[len(LOOPS) + len(FETCHES) + list(READS).index(lines)])
    assert found == (lines + 1 + 4, about(lines * stalls))
