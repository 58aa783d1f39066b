"""What kernels with a state take of TensorFlow Lite Micro's arena: variables, SVDF and LSTM."""

from __future__ import annotations

from dataclasses import replace

from asc_tiny.tflite.variables import variable_names
from asc_tiny.tflm import cmsis_nn
from asc_tiny.tflm.kernel_scratch import scratch
from asc_tiny.tflm.micro_kernel import MicroKernel, Needs

_INT32 = 4


def call_once(op: MicroKernel) -> Needs:
    """Return the needs of CALL_ONCE, whose subgraph is prepared beside the others."""
    return Needs(op.size("OpDataCallOnce"))


def var_handle(op: MicroKernel) -> Needs:
    """Return the needs of VAR_HANDLE: the handle lies in what the kernel keeps."""
    return Needs(op.size("OpDataVarHandle"))


def read_variable(op: MicroKernel) -> Needs:
    """Return the needs of READ_VARIABLE."""
    return Needs(temporary=op.operands(0)[:1])


def assign_variable(op: MicroKernel) -> Needs:
    """Return the needs of ASSIGN_VARIABLE: the first that assigns a variable allocates it."""
    value = op.input(1)
    return Needs(
        persistent=(value.byte_count,),
        temporary=(value.index,),
        variable=variable_names(op.graph)[op.input(0).index],
    )


def svdf(op: MicroKernel) -> Needs:
    """Return the needs of SVDF; its state is a tensor of the file."""
    needs = Needs(op.size("OpDataSvdf"), scratch=scratch(op.graph, op.operator), temporary=op.all)
    if op.kernels is None:
        return needs
    sums = cmsis_nn.svdf(op, op.kernels) if op.dtype == "INT8" else 0
    return replace(needs, data=needs.data + 4, persistent=(sums,) if sums else ())


_CMSIS_NN_LSTM = 912
"""Bytes of the structure that CMSIS-NN's LSTM keeps: the reference kernel's and its own."""


def sequence_lstm(op: MicroKernel) -> Needs:
    """Return the needs of UNIDIRECTIONAL_SEQUENCE_LSTM; its states are tensors of the file."""
    buffers = scratch(op.graph, op.operator)
    needs = Needs(op.size("OpDataLSTM"), scratch=buffers, temporary=op.all)
    if op.kernels is None:
        return needs
    needs = replace(needs, data=_CMSIS_NN_LSTM)
    if op.dtype == "FLOAT32":
        return needs
    # CMSIS-NN keeps sums of the eight weight matrices, of the type of the biases.
    bytes_of_sum = _INT32 if op.dtype == "INT8" else 2 * _INT32
    sums = (bytes_of_sum * op.input(18).shape[-1],) * 8
    return replace(needs, persistent=sums, scratch=buffers[:3])
