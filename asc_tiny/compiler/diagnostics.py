"""How the compiler says no: file, operator, layer, reason, and what would make it work."""

from __future__ import annotations

from asc_tiny.tflite.graph import Graph, Operator
from asc_tiny.tflite.ops import OpRules
from asc_tiny.util.console_text import shortened
from asc_tiny.util.errors import AscError

_LONGEST_LAYER = 60

advice: OpRules[str] = OpRules()
"""What to do about operators that are not supported."""

advice("EXP")("use LOGISTIC, TANH or SOFTMAX")
advice("GELU")("use HARD_SWISH")
advice("IF")("leave out the branch")
advice("NEG")("NEG is 0 - x with SUB")
advice("WHILE")("give recurrent layers of Keras unroll=True, and convert anew")


def layer_of(graph: Graph, operator: Operator) -> str:
    """Return the converter's name for what an operator makes, its end if it is long."""
    # Fused layers are listed with semicolons.
    name = graph.tensor(operator.outputs[0]).name.split(";")[0] if operator.outputs else ""
    return name if len(name) <= _LONGEST_LAYER else "..." + name[3 - _LONGEST_LAYER :]


def operator_error(graph: Graph, operator: Operator, reason: str) -> AscError:
    """Return the error for an operator that cannot become C."""
    layer = layer_of(graph, operator)
    named = f"{operator.name}, layer {layer}" if layer else operator.name
    return AscError(f"{graph.source}: operator {operator.index} ({named}): {shortened(reason)}")


def not_supported(graph: Graph, operator: Operator) -> AscError:
    """Return the error for an operator that there is no rule for."""
    hint = advice.get(operator.name) or "replace the layer by others"
    return operator_error(
        graph, operator, f"is not supported; {hint} (docs/supported_ops.md lists what is)"
    )
