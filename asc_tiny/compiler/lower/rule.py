"""What is said of a lowering where it is defined: the decorator ``lowering``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from asc_tiny.compiler.diagnostics import operator_error
from asc_tiny.compiler.ir import Stage
from asc_tiny.compiler.lower.context import DTYPES, LoweringContext
from asc_tiny.compiler.lower.signature import ALL_INT8, Signature
from asc_tiny.tflite.graph import Graph, Operator
from asc_tiny.tflite.ops import OpRules

BY_ROW = "row by row"
VIEW = "view"
WHOLE = "whole map"
BY_ROW_OR_WHOLE = f"{BY_ROW} where the height stays or goes in steps, else the {WHOLE}"

MANY = 2**15
"""Any number of operands or results."""

FUSED = "any fused activation of RELU, RELU6, RELU_N1_TO_1"
WEIGHTS = "constant weights with zero point 0, one scale in all or one per channel"
WEIGHTED = "int8, bias int32; int16, bias "
SAME = "input and output of one quantisation"
CODES = "codes as they are, whatever the scales, as TensorFlow Lite Micro has it"
BROADCAST = "either operand constant or broadcast along any axes"
SLICED = f"constant bounds; {CODES}"
WINDOWED = f"batch 1; any window, stride, padding; {FUSED}"
VIEW_OR_COPY = f"{VIEW}; copied where the values are not side by side"
OTHER_ROWS = f"{VIEW} of the {WHOLE} where the rows become others; copied as SLICE is"


EITHER = ("INT8 -> INT8", "INT16 -> INT16")
"""Signatures of an operator whose operands and results are all int8, or all int16."""

INTEGERS = ("INT32 -> INT32", "INT64 -> INT64")
"""Signatures of an operator that computes with integers which are no codes."""

ANY = (*EITHER, *INTEGERS, "BOOL -> BOOL", "FLOAT32 -> FLOAT32")
"""Signatures of an operator that only moves values."""

EVERY = tuple(f"{name} -> {name}" for name in sorted(DTYPES))
"""Signatures of an operator that leaves the bytes of elements of any type where they are."""

Lower = Callable[[LoweringContext], list[Stage]]


@dataclass(frozen=True)
class LoweringRule:
    """An operator's lowering, in code and in the words of docs/reference/supported_ops.md.

    Attributes:
        lower: makes stages of an operator.
        conditions: what must hold besides int8 activations of one scale each.
        memory: how much of its input must exist: a window of rows, all of it, or nothing new.
        types: types of activations and constants; if it is not given, those of the signatures.
        dsp: what cores with the DSP extension run specially, empty if nothing.
        inputs: fewest and most operands.
        outputs: most results, 0 for operators without any.
        is_view: whether the output is as a rule a view of the input, which no stage writes.
        reads_by_row: whether the rows of an image that it reads may lie anywhere, one by one.
        signatures: the element types that operands and results may have together.
        states: positions of the inputs that are variable tensors, which the operator changes.
    """

    lower: Lower
    conditions: str
    memory: str = BY_ROW
    types: str = "int8"
    dsp: str = ""
    inputs: tuple[int, int] = (1, 1)
    outputs: int = 1
    is_view: bool = False
    reads_by_row: bool = False
    signatures: tuple[Signature, ...] = (ALL_INT8,)
    states: tuple[int, ...] = ()

    def signature(self, graph: Graph, operator: Operator) -> Signature | None:
        """Return the signature that an operator has, None if it has none of the rule's.

        Of several that fit what is computed, it is one that fits the constants, too.
        """
        found = [each for each in self.signatures if each.fits(graph, operator)]
        exact = (each for each in found if each.fits(graph, operator, constants=True))
        return next(exact, found[0] if found else None)

    def check_counts(self, graph: Graph, operator: Operator) -> None:
        """Check that an operator has as many operands and results as the rule allows.

        Raises:
            AscError: it has others.
        """
        fewest, most = self.inputs
        if not fewest <= len(operator.inputs) <= most:
            allowed = str(fewest) if fewest == most else f"{fewest} to {most}"
            raise operator_error(
                graph, operator, f"{len(operator.inputs)} inputs, must be {allowed}"
            )
        if not min(1, self.outputs) <= len(operator.outputs) <= self.outputs:
            reason = f"{len(operator.outputs)} outputs, must be {self.outputs}"
            raise operator_error(graph, operator, reason)


lowering_rule: OpRules[LoweringRule] = OpRules()
"""The operators that become C. ``registry`` imports all modules that register one."""


def lowering(
    *names: str,
    conditions: str,
    memory: str = BY_ROW,
    types: str = "",
    dsp: str = "",
    inputs: tuple[int, int] = (1, 1),
    outputs: int = 1,
    is_view: bool = False,
    reads_by_row: bool = False,
    signatures: tuple[str, ...] = (str(ALL_INT8),),
    states: tuple[int, ...] = (),
) -> Callable[[Lower], Lower]:
    """Return a decorator that registers a function as the lowering of operators.

    Args:
        names: names of the operators.
        conditions, memory, types, dsp, inputs, outputs, is_view, reads_by_row, states: as
            in ``LoweringRule``.
        signatures: texts such as ``INT8 -> INT8``, as ``Signature.of`` reads them.
    """

    def register(lower: Lower) -> Lower:
        rule = LoweringRule(
            lower,
            conditions,
            memory,
            types or "; ".join(Signature.of(each).words for each in signatures),
            dsp,
            inputs,
            outputs,
            is_view,
            reads_by_row,
            tuple(map(Signature.of, signatures)),
            states,
        )
        lowering_rule(*names)(rule)
        return lower

    return register
