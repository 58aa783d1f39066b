"""Prints docs/reference/supported_ops.md: ``python -m asc_tiny.compiler.report.supported_ops``."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from asc_tiny.compiler.diagnostics import FAMILY_ADVICE, advice
from asc_tiny.compiler.lower.registry import lowering_rule
from asc_tiny.tflite.ops import OPS, Family
from asc_tiny.tflm.kernel_memory import memory_rule
from asc_tiny.tflm.resolver import CUSTOM, method

_WIDTH = 120
"""Characters of a line that is no row of a table."""

_INTRODUCTION = """# Supported operators

For readers whose model was refused, or who design one. The page lists every operator that
`asc-tiny generate` takes, with its conditions and its effect on memory, and says what to use
instead of others. It is generated from the code, do not edit it:

    python -m asc_tiny.compiler.report.supported_ops > docs/reference/supported_ops.md

`asc-tiny verify MODEL.tflite` tells of a file whether it is supported, and compares it with
TensorFlow Lite Micro.

## Compiled to C (`--runtime aot`)

Activations are int8 with one scale and zero point each. Where the types say so, they may be int16
with zero point 0 and int8 weights (16x8). Every output equals TensorFlow Lite Micro's kernels bit
for bit.

* A graph may have several inputs and outputs. An output may be an input, be read by further
  operators, or be constant. Any tensor may have several readers, and operands may be constants.
* With `--io int8` a QUANTIZE of an input of another type, and a DEQUANTIZE or QUANTIZE of an
  output, are left out: the C code takes and gives the int8 codes inside. With `--io as-is` it
  takes and gives what the file does.
* Operators whose results follow from constants and known shapes are folded.

The columns:

* **memory** says how much of its input an operator needs at once. "row by row" is a window of
  rows, a "view" nothing at all, the "whole map" everything
  ([Memory](../explanation/memory.md)).
* **with the DSP extension** names a special path for Cortex-M4, M7, M33 and M55. Other kernels
  and cores are portable C ([Kernels](../explanation/kernels.md)).
* **tflm** says whether `--runtime tflm` takes the operator, too.

| operator | types | conditions | memory | with the DSP extension | tflm |
|---|---|---|---|---|---|
"""

_REFUSED = """
## Not supported

Any other operator is refused with its name, its layer and what to do. So is one whose conditions do
not hold. The last rows are for families of operators:

| operator | instead |
|---|---|
"""

_TFLM = """
## Run by TensorFlow Lite Micro (`--runtime tflm`)

Any graph of these operators, of any types that its kernels take: float and 16 bits, several inputs
and outputs, variables, loops and branches.

{names}

Custom operators that it has itself, by their names in files:

{customs}

All other custom operators run by kernels of your own
([how](../explanation/tflm.md#custom-operators)). For graphs of the following operators, without
loops, branches and variables, the arena is computed; for others it is measured:

{known}

{only}
"""


_TITLES: Mapping[Family, str] = {
    Family.UNARY: "functions of one tensor",
    Family.BINARY: "functions of tensors, element by element",
    Family.COMPARISON: "comparisons",
    Family.REDUCTION: "reductions",
    Family.WINDOW: "pooling",
    Family.WEIGHTED: "convolutions and products",
    Family.RECURRENT: "recurrent layers",
    Family.MOVEMENT: "what moves values",
    Family.SELECTION: "what chooses values",
    Family.RESIZE: "resizing of images",
    Family.SHAPE: "what computes shapes",
    Family.CONTROL: "loops and branches",
    Family.STATE: "tables and variables",
    Family.RANDOM: "random values",
    Family.OTHER: "all else",
}
"""What families are called on the page."""


def markdown() -> str:
    """Return the text of docs/reference/supported_ops.md."""
    compiled, run_by_tflm = (
        set(lowering_rule.names),
        {name for name in OPS if method(name) is not None},
    )
    only = (
        f"Only with this runtime: {_list(run_by_tflm - compiled)}. "
        f"Only compiled: {_list(compiled - run_by_tflm)}."
    )
    tflm = _TFLM.format(
        names=_filled(run_by_tflm),
        customs=_filled(set(CUSTOM)),
        known=_filled(set(memory_rule.names)),
        only=textwrap.fill(only, _WIDTH),
    )
    hints = [f"| {name} | {advice.get(name)} |" for name in advice.names]
    hints += [f"| {_TITLES[family]} | {text} |" for family, text in FAMILY_ADVICE.items()]
    rows = map(_row, lowering_rule.names)
    return _INTRODUCTION + "\n".join(rows) + "\n" + _REFUSED + "\n".join(hints) + "\n" + tflm


def _row(name: str) -> str:
    rule = lowering_rule.get(name)
    assert rule is not None
    tflm = "yes" if method(name) is not None else "no"
    return f"| {name} | {rule.types} | {rule.conditions} | {rule.memory} | {rule.dsp} | {tflm} |"


def _filled(names: set[str]) -> str:
    return textwrap.fill(_list(names), _WIDTH, break_on_hyphens=False)


def _list(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"


if __name__ == "__main__":
    print(markdown(), end="")
