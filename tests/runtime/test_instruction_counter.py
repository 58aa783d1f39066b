"""The emulated boards count instructions: a loop of known length must read as long as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from asc_tiny.boards import catalog
from support.emulated import EmulatedImage

COUNTING = [name for name, board in catalog.BOARDS.items() if board.machine]
TURNS = (1_000, 100_000, 10_000_000)

MAIN = """
#include "platform.h"
#include <stdint.h>

/* Two instructions a turn. */
static void spin(uint32_t turns) {
#ifdef __riscv
    __asm__ volatile("1: addi %0, %0, -1\\nbnez %0, 1b\\n" : "+r"(turns));
#else
    __asm__ volatile("1: subs %0, %0, #1\\nbne 1b\\n" : "+r"(turns) : : "cc");
#endif
}

static uint64_t count(uint32_t turns) {
    const uint64_t before = platform_instructions();
    spin(turns);
    return platform_instructions() - before;
}

static void print(uint64_t value) {
    char text[24] = {0};
    char *digit = text + 22;
    *digit = '\\n';
    do {
        *--digit = (char)('0' + value % 10u);
    } while ((value /= 10u) != 0);
    platform_print(digit);
}

int main(void) {
    const uint64_t overhead = count(1) - 2;
    for (uint32_t turns = 1000; turns <= 10000000; turns *= 100) {
        print(count(turns) - overhead);
    }
    return 0;
}
"""


@pytest.mark.qemu
@pytest.mark.parametrize("board", COUNTING)
def test_a_loop_reads_as_long_as_it_is(board: str, tmp_path: Path) -> None:
    (tmp_path / "main.c").write_text(MAIN)
    image = EmulatedImage(tmp_path, board)
    tick = float(image.board.instructions_per_tick)
    for turns, counted in zip(TURNS, map(int, image.execute().split()), strict=True):
        assert abs(counted - 2 * turns) <= 3 * tick, turns
