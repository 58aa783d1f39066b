"""Parameters of layers that keep a state from one inference to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from asc_tiny.compiler.kernel_params.base import (
    Int8Array,
    Int16Array,
    Int32Array,
    KernelParams,
    OutputRange,
    Struct,
    Uint16Array,
)

HEADER = "asc_recurrent.h"
"""The header that declares the kernels of this family."""


@dataclass(frozen=True)
class Svdf(Struct):
    """What an SVDF is told but for the weights of its moments.

    Attributes:
        batch: number of independent inputs, at least 1.
        inputs: values of an input.
        outputs: values of an output.
        rank: filters of an output, at least 1.
        memory: moments that a filter remembers, at least 1.
        state_zero_point: the code in the state that stands for 0.
        state_multiplier, state_shift: requantization of a filter's sum to the state.
        multiplier, shift: requantization of an output's sum.
        range: the codes of the output.
        features: (filters, inputs), for the present input.
        feature_biases: the bias of each filter.
        biases: the bias of each output.
    """

    c_type = "asc_svdf_t"
    batch: int
    inputs: int
    outputs: int
    rank: int
    memory: int
    state_zero_point: int
    state_multiplier: int
    state_shift: int
    multiplier: int
    shift: int
    range: OutputRange
    features: Int8Array
    feature_biases: Int32Array
    biases: Int32Array


@dataclass(frozen=True)
class SvdfS8Params(KernelParams):
    """An SVDF with a state of 8 bits.

    Attributes:
        svdf: all but the weights of the moments.
        times: (filters, memory), from the oldest moment on.
    """

    c_type = "asc_svdf_s8_t"
    svdf: Svdf
    times: Int8Array


@dataclass(frozen=True)
class SvdfS16Params(KernelParams):
    """An SVDF with a state of 16 bits.

    Attributes:
        svdf: all but the weights of the moments.
        times: (filters, memory), from the oldest moment on.
    """

    c_type = "asc_svdf_s16_t"
    svdf: Svdf
    times: Int16Array


@dataclass(frozen=True)
class LstmGate(Struct):
    """A gate of an LSTM.

    Attributes:
        input_multiplier, input_shift: requantization of the input's sums to 12 fractional bits.
        hidden_multiplier, hidden_shift: the same of the hidden state's sums.
        input_weights: (units, inputs).
        input_biases: the bias of each unit.
        hidden_weights: (units, units).
        hidden_biases: what the zero point of the hidden state adds to each unit.
    """

    c_type = "asc_lstm_gate_t"
    input_multiplier: int
    input_shift: int
    hidden_multiplier: int
    hidden_shift: int
    input_weights: Int8Array
    input_biases: Int32Array
    hidden_weights: Int8Array
    hidden_biases: Int32Array


@dataclass(frozen=True)
class LstmParams(KernelParams):
    """A step of an LSTM.

    Attributes:
        batch: number of sequences, at least 1.
        steps: runs until the next sequence has its turn, at least 1.
        inputs: values of an input.
        units: values of an output, cells of a sequence.
        input, forget, cell, output: the gates.
        forget_multiplier, forget_shift: requantization of forget gate times cell.
        input_multiplier, input_shift: requantization of input gate times new value.
        output_multiplier, output_shift: requantization of output gate times the cell's tangent.
        output_zero_point: the code of the output that stands for 0.
        tanh_multiplier, tanh_shift: what brings a cell to the argument of the hyperbolic tangent.
        clip: largest magnitude of a cell, 0 for none.
        table: 256 values of the logistic function.
    """

    c_type = "asc_lstm_t"
    batch: int
    steps: int
    inputs: int
    units: int
    input: LstmGate
    forget: LstmGate
    cell: LstmGate
    output: LstmGate
    forget_multiplier: int
    forget_shift: int
    input_multiplier: int
    input_shift: int
    output_multiplier: int
    output_shift: int
    output_zero_point: int
    tanh_multiplier: int
    tanh_shift: int
    clip: int
    table: Uint16Array


KERNELS: Mapping[str, type[KernelParams]] = MappingProxyType(
    {
        "asc_lstm": LstmParams,
        "asc_svdf_s16": SvdfS16Params,
        "asc_svdf_s8": SvdfS8Params,
    }
)
"""The structure of each kernel of this family, by the name of its C function."""
