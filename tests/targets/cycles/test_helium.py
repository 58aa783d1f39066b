"""Cycles of small programs on a Cortex-M55: those that its two beats a cycle make, by hand."""

from __future__ import annotations

import pytest

from asc_tiny.targets.cycles.disassembly import Instruction
from asc_tiny.targets.cycles.helium_rules import unit_of
from support.timed_loops import Pair, loop, of_a_turn, spent

LOOPS = {
    "nop; nop": 2,
    "ldr r1, [r7]; str r1, [r7, #4]; sdiv r1, r2, r3": 3,
    "ldrd r1, r2, [r7]": 1,
    "ldmia r7, {r1-r4}": 2,
    "push {r1, r2, r3}; pop {r1, r2, r3}": 4,
    # One of each unit after the other: beats overlap.
    "vldrw.u32 q0, [r7]; vmla.s32 q1, q0, r3; vadd.i32 q2, q1, q0": 3,
    "vldrw.u32 q0, [r7]; vmladav.s8 r2, q0, q1; vldrw.u32 q1, [r7]; vmladav.s8 r4, q0, q1": 4,
    # The second waits for the unit of the first.
    "vldrw.u32 q0, [r7]; vldrw.u32 q1, [r7, #16]": 3,
    "vldrw.u32 q0, [r7]; vstrw.32 q0, [r7, #16]": 3,
    "vmul.i32 q0, q1, q2; vmla.s32 q1, q0, r3; vqrdmulh.s32 q2, q1, q0": 5,
    "vadd.i32 q0, q1, q2; vshr.s32 q1, q0, #1; vmax.s32 q2, q1, q0; veor q0, q1, q2": 7,
    # Two beats are over while another instruction begins.
    "vmul.i32 q0, q1, q2; nop; vmla.s32 q1, q0, r3": 3,
    "vmov.32 q0[1], r2; vmov.32 r2, q0[2]": 2,
}
"""Instructions of a loop, and their cycles."""


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> list[Pair]:
    functions = [loop(number, body) for number, body in enumerate(LOOPS)]
    folder = tmp_path_factory.mktemp("helium")
    return spent(folder, "mps3-an547", functions, ["self()"] * len(functions), wait=0)


@pytest.mark.qemu
@pytest.mark.parametrize(("body", "cycles"), LOOPS.items())
def test_a_turn_takes_what_units_allow(body: str, cycles: int, taken: list[Pair]) -> None:
    # SUBS and BNE take one cycle each.
    assert of_a_turn(taken[list(LOOPS).index(body)]) == (cycles + 2, 0)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("vldrb.s16 q0, [r1], #8", "memory"),
        ("vld20.32 {q0, q1}, [r2]", "memory"),
        ("vstrwt.32 q0, [r1]", "memory"),
        ("vmlava.s8 r4, q0, q1", "product"),
        ("vrmulh.s32 q0, q1, q2", "product"),
        ("vqrdmulh.s32 q0, q1, r3", "product"),
        ("vmulltt.s16 q0, q1, q2", "product"),
        ("vfma.f32 q0, q1, q2", "product"),
        ("vadd.f16 q0, q1, q2", "product"),
        ("vaddva.s32 r0, q1", "integer"),
        ("vqmovnb.s32 q0, q1", "integer"),
        ("vdup.8 q0, r1", "integer"),
        ("vidup.u32 q0, r2, #1", "integer"),
        ("vmov r0, r1, q0[2], q0[0]", ""),
        ("vmov.32 q0[1], r2", ""),
        ("vldr s0, [r1]", ""),
        ("vpst", ""),
        ("vctp.8 r3", ""),
        ("ldr r0, [r1]", ""),
    ],
)
def test_units(text: str, unit: str) -> None:
    name, _, operands = text.partition(" ")
    assert unit_of(Instruction(0, name, operands, "")) == unit
