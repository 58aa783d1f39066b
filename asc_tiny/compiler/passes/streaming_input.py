"""Computing while listening: the network's input comes column by column from the front end."""

from __future__ import annotations

from dataclasses import replace

from asc_tiny.compiler.ir import Program, Stage, Storage


def listening(program: Program) -> Program:
    """Return a program whose input comes row by row; its last stage stands for the front end."""
    rows = program.input.rows
    front_end = Stage(
        comment=f"input: columns, {rows} of {program.input.row_size} bytes",
        name="",
        kernel="",
        c_type="",
        fields={},
        inputs=(),
        output=program.input,
        runs=rows,
    )
    # The number of columns, and of each stage's runs, in 16 bits
    state = Storage("state", 1, 2 * (1 + len(program.stages)))
    return replace(program, stages=[*program.stages, front_end], state=state)
