"""How the compiler says no: file, operator, layer, reason, and what would make it work.

Advice is for people who make models with Keras or PyTorch: an operator has a row of its own where
there is something better to say than for its family.
"""

from __future__ import annotations

from collections.abc import Mapping

from asc_tiny.tflite.graph import Graph, Operator
from asc_tiny.tflite.ops import VELA, Family, OpRules, custom_name, row
from asc_tiny.tflm.resolver import CUSTOM
from asc_tiny.util.console_text import shortened
from asc_tiny.util.errors import AscError

_LONGEST_LAYER = 60

advice: OpRules[str] = OpRules()
"""What to do about operators that are not supported."""

advice("EXP")("use LOGISTIC, TANH or SOFTMAX")
advice("FAKE_QUANT")(
    "was left by training with quantisation: convert to full int8, which puts codes in its place"
)
advice("GELU")("use HARD_SWISH (activation='hard_silu' in Keras, torch.nn.Hardswish with PyTorch)")
advice("IF")("leave out the branch, or choose values by torch.where or keras.ops.where")
advice("LOCAL_RESPONSE_NORMALIZATION")(
    "use batch normalisation, which becomes part of the convolution before it"
)
advice("NEG")("NEG is 0 - x with SUB")
advice("POW")("multiply instead, x * x for a square")
advice("REAL", "IMAG", "COMPLEX_ABS", "RFFT2D")(
    "compute spectra before the model, as a front end does, and begin it with real numbers"
)
advice("REVERSE_SEQUENCE")("reverse a whole dimension (keras.ops.flip, torch.flip)")
advice("TOPK_V2")("give all scores, and take the largest in your own code")
advice("WHILE")("give recurrent layers of Keras unroll=True, and convert anew")


_OWN_CODE = "end the model before it, and compute it from the model's output in your own code"

FAMILY_ADVICE: Mapping[Family, str] = {
    Family.UNARY: "use ReLU, ReLU6, leaky ReLU, hard swish, sigmoid, tanh or softmax",
    Family.BINARY: "write it by additions, subtractions and multiplications",
    Family.COMPARISON: "use maximum or minimum, or compare the model's outputs in your own code",
    Family.REDUCTION: "use a mean, a sum, a maximum or a minimum",
    Family.WINDOW: (
        "use MaxPooling2D or AveragePooling2D (torch.nn.MaxPool2d, AvgPool2d with PyTorch)"
    ),
    Family.WEIGHTED: (
        "use Conv1D, Conv2D, DepthwiseConv2D, Conv2DTranspose or Dense, with a third dimension of "
        "images among the channels"
    ),
    Family.RECURRENT: (
        "use keras.layers.LSTM, keras.layers.GRU with unroll=True, or convolutions; with PyTorch "
        "write the steps as a loop over a fixed number"
    ),
    Family.MOVEMENT: "use reshape, transpose, slices, padding and concatenation",
    Family.SELECTION: "choose by constant indices, or multiply by a mask",
    Family.RESIZE: "use nearest or bilinear interpolation",
    Family.SHAPE: (
        "convert with all sizes fixed: keras.Input(shape, batch_size=1), or sample arguments of "
        "that shape with litert-torch (ai-edge-torch)"
    ),
    Family.CONTROL: (
        "leave loops and branches out: unroll=True in recurrent layers of Keras, torch.where in "
        "place of an if on values with PyTorch"
    ),
    Family.STATE: "look tables up in your own code, and give the model the numbers",
    Family.RANDOM: (
        "leave random values to training: convert with training=False in Keras, after model.eval() "
        "with PyTorch"
    ),
    Family.OTHER: _OWN_CODE,
}
"""What to do about operators without advice of their own, by family."""

_STABLEHLO = (
    "convert with the operators of TensorFlow Lite alone (tf.lite.OpsSet.TFLITE_BUILTINS_INT8, or "
    "litert-torch without StableHLO), and write by other layers what then fails"
)
_FLEX = (
    "is an operator of TensorFlow itself (Flex), which no microcontroller runs: convert without "
    "tf.lite.OpsSet.SELECT_TF_OPS, and write by other layers what then fails"
)
_OF_VELA = "is code for an Ethos-U NPU that Vela made; give the .tflite file that Vela was given"


def advice_for(name: str) -> str:
    """Return what to do about an operator that is not supported.

    Args:
        name: name in the schema, or ``CUSTOM`` and the name of a custom operator.
    """
    custom = custom_name(name)
    if custom is not None:
        return "leave it out: " + _OWN_CODE
    if name.startswith("STABLEHLO_"):
        return _STABLEHLO
    return advice.get(name) or FAMILY_ADVICE[row(name).family]


def layer_of(graph: Graph, operator: Operator) -> str:
    """Return the converter's name for what an operator makes, its end if it is long."""
    # Fused layers are listed with semicolons.
    name = graph.tensor(operator.outputs[0]).name.split(";")[0] if operator.outputs else ""
    return name if len(name) <= _LONGEST_LAYER else "..." + name[3 - _LONGEST_LAYER :]


class NotCompiledError(AscError):
    """What the compiler does not make C of; another runtime may take it."""


class CustomOperatorError(NotCompiledError):
    """A custom operator, which is not compiled; the message says what other runtime takes it."""


def operator_error(
    graph: Graph,
    operator: Operator,
    reason: str,
    kind: type[NotCompiledError] = NotCompiledError,
) -> NotCompiledError:
    """Return the error for an operator that cannot become C."""
    layer = layer_of(graph, operator)
    named = f"{operator.name}, layer {layer}" if layer else operator.name
    return kind(f"{graph.source}: operator {operator.index} ({named}): {shortened(reason)}")


def not_supported(graph: Graph, operator: Operator) -> NotCompiledError:
    """Return the error for an operator that there is no rule for."""
    custom = custom_name(operator.name)
    if custom is not None:
        return operator_error(graph, operator, _custom(custom), CustomOperatorError)
    return operator_error(
        graph,
        operator,
        f"is not supported; {advice_for(operator.name)} "
        "(docs/reference/supported_ops.md lists what is)",
    )


def not_run_by_tflm(graph: Graph, operator: Operator) -> AscError:
    """Return the error for an operator that TensorFlow Lite Micro has no kernel for."""
    custom = custom_name(operator.name)
    if custom is not None:
        reason = (
            _FLEX
            if custom.startswith("Flex")
            else (
                f"is a custom operator: say which function has its kernel, "
                f"--tflm-op {custom}=my_op.h:Register_MyOp"
            )
        )
        return operator_error(graph, operator, reason)
    return operator_error(
        graph,
        operator,
        f"TensorFlow Lite Micro has no kernel for it; {advice_for(operator.name)}",
    )


def _custom(name: str) -> str:
    """Return why a custom operator is not compiled."""
    if name.startswith("Flex"):
        return _FLEX
    if name == VELA:
        return _OF_VELA
    if name in CUSTOM:
        return f"is a custom operator, which is not compiled: use --runtime tflm, or {_OWN_CODE}"
    return (
        f"is a custom operator, which is not compiled: use --runtime tflm with your kernel, "
        f"--tflm-op {name}=my_op.h:Register_MyOp, or {_OWN_CODE}"
    )
