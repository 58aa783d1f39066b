"""Changes of single fields of .tflite files, by the schema's own objects.

A changed byte seldom says anything but that the file is damaged. These changes leave a sound file
whose fields contradict each other or are extreme, in every table that says what is computed.
"""

from __future__ import annotations

import copy
import math
import pickle
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import flatbuffers
import numpy as np
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from support.tflite_builder import OPTIONS

Mutation = Callable[[random.Random, Any], None]
"""Changes a ``ModelT`` in place."""

INT32 = (-(2**31), 2**31 - 1)
TYPES = [schema.TensorType.INT8] * 4 + [
    getattr(schema.TensorType, name)
    for name in ("INT32", "INT16", "UINT8", "FLOAT32", "INT64", "INT4", "BOOL", "STRING")
]
FLOATS = (0.0, -0.0, -1.0, 1.0, 6.0, math.nan, math.inf, -math.inf, 1e-45, 1e-38, 1e-10, 1e10, 3e38)


def unpacked(data: bytes) -> Any:
    """Return a file as objects that can be changed."""
    return schema.ModelT.InitFromPackedBuf(data)


def packed(model: Any) -> bytes:
    """Return the file of objects.

    Raises:
        Exception: a number beyond the field's type.
    """
    builder = flatbuffers.Builder(4096)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def mutated(rng: random.Random, seed: bytes, count: int) -> bytes:
    """Return a file with so many changes.

    Args:
        rng: which makes all choices.
        seed: as ``frozen`` returns it.
        count: of changes; one that nothing in the file suits changes nothing.
    """
    for _ in range(4):
        model = pickle.loads(seed)
        for _ in range(count):
            with suppress(Exception):
                rng.choice(MUTATIONS)(rng, model)
        # A number may be beyond what its field holds.
        with suppress(Exception):
            return packed(model)
    return packed(pickle.loads(seed))


def frozen(data: bytes) -> bytes:
    """Return a file in the form that is thawed fastest, as objects."""
    return pickle.dumps(unpacked(data))


def integer(rng: random.Random, old: int) -> int:
    """Return another value for an integer: a near one, a small one or an extreme one."""
    near = old + rng.choice((-2, -1, -1, 1, 1, 2))
    scaled = rng.choice((old * 2, old // 2, -old, old ^ (1 << rng.randrange(31))))
    extreme = rng.choice((*INT32, 2**15, 2**16, 2**24, 2**30, -128, 127, 128, 255, 256))
    small = rng.randrange(-2, 9)
    value = rng.choice((near, near, near, small, small, scaled, extreme))
    return int(min(max(value, INT32[0]), INT32[1]))


def real(rng: random.Random, old: float) -> float:
    """Return another value for a real number."""
    scaled = old * 2.0 ** rng.choice((-40, -20, -8, -3, -1, 1, 3, 8, 20, 40))
    value = rng.choice((scaled, scaled, old * rng.uniform(0.5, 2.0), -old, rng.choice(FLOATS)))
    return float(np.float32(min(max(value, -3.4e38), 3.4e38) if math.isfinite(value) else value))


def _graph(model: Any) -> Any:
    return model.subgraphs[0]


def _tensor(rng: random.Random, model: Any) -> Any:
    return rng.choice(_graph(model).tensors)


def _operator(rng: random.Random, model: Any) -> Any:
    return rng.choice(_graph(model).operators)


def _listed(rng: random.Random, old: Sequence[Any], changed: Callable[[Any], Any]) -> list[Any]:
    """Return a list with one value changed, gone, doubled or exchanged."""
    values = list(old)
    place = rng.randrange(len(values)) if values else 0
    kind = rng.randrange(8) if values else 7
    if kind < 4:
        values[place] = changed(values[place])
    elif kind == 4:
        del values[place]
    elif kind == 5:
        values.insert(place, values[place])
    elif kind == 6:
        other = rng.randrange(len(values))
        values[place], values[other] = values[other], values[place]
    else:
        values.insert(place, changed(1))
    return values


def _shape(rng: random.Random, model: Any) -> None:
    tensor = _tensor(rng, model)
    if rng.random() < 0.1:
        size = math.prod(tensor.shape)
        tensor.shape = rng.choice(([], [size], [1, size], [1, 1, 1, size], [1] * 9, [0]))
    elif rng.random() < 0.1:
        tensor.shapeSignature = [integer(rng, each) for each in tensor.shape]
    else:
        tensor.shape = _listed(rng, tensor.shape, lambda old: integer(rng, int(old)))


def _height(rng: random.Random, model: Any) -> None:
    """Change one axis of all images alike: many operators keep it."""
    axis, size = rng.randrange(4), rng.choice((0, 1, 2, 3, 5, 16, 100, 2**16, 2**20))
    for tensor in _graph(model).tensors:
        if len(tensor.shape) == 4 and not tensor.buffer:
            tensor.shape = [size if a == axis else n for a, n in enumerate(tensor.shape)]


def _type(rng: random.Random, model: Any) -> None:
    _tensor(rng, model).type = rng.choice((*TYPES, rng.randrange(-1, 24)))


def _buffer(rng: random.Random, model: Any) -> None:
    tensor = _tensor(rng, model)
    tensor.buffer = rng.choice((0, rng.randrange(len(model.buffers)), len(model.buffers)))


def _quantized(rng: random.Random, model: Any) -> tuple[Any, Any]:
    """Return a tensor and its quantisation, one that counts if there is."""
    tensors = [each for each in _graph(model).tensors if each.quantization is not None]
    tensor = rng.choice(tensors)
    return tensor, tensor.quantization


def _zero_point(rng: random.Random, model: Any) -> None:
    _, quantization = _quantized(rng, model)
    values = [int(value) for value in quantization.zeroPoint]
    extreme = (-128, 127, -129, 128, -(2**15), 2**15, *INT32, -(2**63), 2**63 - 1)

    def changed(old: int) -> int:
        return rng.choice((rng.randrange(-128, 128), old + 1, 0, rng.choice(extreme)))

    same = rng.random() < 0.7
    quantization.zeroPoint = [changed(v) for v in values] if same else _listed(rng, values, changed)


def _scale(rng: random.Random, model: Any) -> None:
    _, quantization = _quantized(rng, model)
    values = [float(value) for value in quantization.scale]
    if rng.random() < 0.2:
        other = _quantized(rng, model)[1]
        quantization.scale, quantization.zeroPoint = list(other.scale), list(other.zeroPoint)
    elif rng.random() < 0.3:
        quantization.scale = _listed(rng, values, lambda old: real(rng, old))
    else:
        factor = real(rng, 1.0)
        with np.errstate(over="ignore"):
            quantization.scale = [float(np.float32(v) * np.float32(factor)) for v in values]


def _quantization(rng: random.Random, model: Any) -> None:
    """Change what goes with scales: the axis, their number, special details; or take all away."""
    tensor, quantization = _quantized(rng, model)
    kind = rng.randrange(5)
    if kind == 0:
        quantization.quantizedDimension = integer(rng, quantization.quantizedDimension)
    elif kind == 1:
        tensor.quantization = None
    elif kind == 2:
        quantization.zeroPoint = rng.choice((None, [0]))
    elif kind == 3:
        quantization.detailsType = schema.QuantizationDetails.CustomQuantization
        quantization.details = schema.CustomQuantizationT()
        quantization.details.custom = [1, 2, 3]
    else:
        count = rng.choice((*tensor.shape, 1, 2))
        quantization.scale = [float(quantization.scale[0])] * int(count)
        quantization.zeroPoint = [0] * int(count)
        quantization.quantizedDimension = rng.randrange(-1, 5)


def _flag(rng: random.Random, model: Any) -> None:
    tensor = _tensor(rng, model)
    if rng.random() < 0.7:
        tensor.isVariable = not tensor.isVariable
    else:
        tensor.sparsity = schema.SparsityParametersT()
        tensor.sparsity.traversalOrder = list(range(len(tensor.shape)))


def _operands(rng: random.Random, model: Any) -> None:
    operator, count = _operator(rng, model), len(_graph(model).tensors)
    name = rng.choice(("inputs", "inputs", "outputs"))

    def changed(_: int) -> int:
        return rng.choice((-1, rng.randrange(count), rng.randrange(count), count, -2, INT32[1]))

    setattr(operator, name, _listed(rng, getattr(operator, name), changed))


def _code(rng: random.Random, model: Any) -> None:
    """Make an operator another one, with its own options, defaults or none."""
    operator = _operator(rng, model)
    kind = rng.randrange(4)
    if kind == 0:
        operator.opcodeIndex = integer(rng, operator.opcodeIndex) & 0x7FFFFFFF
        return
    name = rng.choice(
        sorted([*OPTIONS, "RELU", "RELU6", "LOGISTIC", "TANH", "ABS", "ELU", "PRELU"])
    )
    code = schema.OperatorCodeT()
    code.builtinCode = getattr(schema.BuiltinOperator, name)
    code.deprecatedBuiltinCode = min(code.builtinCode, 127)
    code.version = rng.choice((1, 1, 2, 5, 0, -1, 99))
    operator.opcodeIndex = len(model.operatorCodes)
    model.operatorCodes.append(code)
    if kind > 1:
        _with_options(operator, name)


def _with_options(operator: Any, name: str) -> None:
    operator.builtinOptionsType, operator.builtinOptions = 0, None
    if name in OPTIONS:
        table = f"{OPTIONS[name]}Options"
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, table)
        operator.builtinOptions = getattr(schema, f"{table}T")()


def _version(rng: random.Random, model: Any) -> None:
    code = rng.choice(model.operatorCodes)
    name = rng.choice(("version", "builtinCode", "deprecatedBuiltinCode"))
    setattr(code, name, integer(rng, getattr(code, name)))


def _options(rng: random.Random, model: Any) -> None:
    """Change an option, the larger part of all mutations."""
    operators = [each for each in _graph(model).operators if each.builtinOptions is not None]
    operator = rng.choice(operators)
    names = sorted(vars(operator.builtinOptions))
    name = rng.choice(names)
    setattr(operator.builtinOptions, name, _other(rng, getattr(operator.builtinOptions, name)))


def _other(rng: random.Random, old: Any) -> Any:
    if isinstance(old, bool):
        return not old
    if isinstance(old, float):
        return real(rng, old)
    if isinstance(old, int):
        return integer(rng, old)
    return _listed(rng, [] if old is None else old, lambda value: integer(rng, int(value)))


def _table(rng: random.Random, model: Any) -> None:
    """Give an operator no options, or those of another."""
    operator = _operator(rng, model)
    if rng.random() < 0.4:
        operator.builtinOptions, operator.builtinOptionsType = None, 0
    else:
        _with_options(operator, rng.choice(sorted(OPTIONS)))


def _constant(rng: random.Random, model: Any) -> None:
    """Change the values of a constant: axes, bounds, biases, weights."""
    tensors = [each for each in _graph(model).tensors if each.buffer]
    integers = [each for each in tensors if each.type == schema.TensorType.INT32]
    tensor = rng.choice(integers if integers and rng.random() < 0.8 else tensors)
    buffer = model.buffers[tensor.buffer]
    size = 4 if tensor.type == schema.TensorType.INT32 else 1
    values = np.frombuffer(bytes(buffer.data), f"<i{size}").astype(np.int64)
    if size == 1 and rng.random() < 0.5:
        values[:] = rng.choice((-128, 127, 0))
    elif rng.random() < 0.15:
        values[:] = integer(rng, int(values[0]))
    else:
        place = rng.randrange(len(values))
        values[place] = integer(rng, int(values[place])) if size == 4 else rng.randrange(-128, 128)
    buffer.data = np.frombuffer(values.astype(f"<i{size}").tobytes(), np.uint8)


def _length(rng: random.Random, model: Any) -> None:
    """Make a buffer shorter or longer, or put it behind the file."""
    buffer = rng.choice([each for each in model.buffers if each.data is not None])
    if rng.random() < 0.7:
        data = bytes(buffer.data)
        data = rng.choice((data[: rng.randrange(len(data))], data + b"\1", data * 2, b""))
        buffer.data = np.frombuffer(data, np.uint8)
    else:
        buffer.offset, buffer.size = rng.choice((0, 1, 8, 2**40)), rng.choice((0, 4, 64, 2**60))


def _ends(rng: random.Random, model: Any) -> None:
    """Change what the graph's inputs and outputs are."""
    graph = _graph(model)
    count = len(graph.tensors)
    name = rng.choice(("inputs", "outputs", "outputs"))
    values = getattr(graph, name)
    setattr(graph, name, _listed(rng, values, lambda _: rng.randrange(-1, count + 1)))


def _order(rng: random.Random, model: Any) -> None:
    """Exchange, drop or repeat operators."""
    operators = _graph(model).operators
    place, other = rng.randrange(len(operators)), rng.randrange(len(operators))
    kind = rng.randrange(3)
    if kind == 0:
        operators[place], operators[other] = operators[other], operators[place]
    elif kind == 1:
        del operators[place]
    else:
        operators.insert(other, copy.deepcopy(operators[place]))


def _rest(rng: random.Random, model: Any) -> None:
    """Change what no operator here should need."""
    operator = _operator(rng, model)
    kind = rng.randrange(5)
    if kind == 0:
        operator.mutatingVariableInputs = [rng.random() < 0.5 for _ in operator.inputs]
    elif kind == 1:
        operator.intermediates = [rng.randrange(-1, len(_graph(model).tensors) + 1)]
    elif kind == 2:
        operator.customOptions = [1, 2, 3]
    elif kind == 3:
        model.subgraphs.append(copy.deepcopy(_graph(model)))
    else:
        model.version = integer(rng, model.version) & 0xFF


MUTATIONS: Sequence[Mutation] = (
    *[_options] * 8,
    *[_scale] * 5,
    *[_zero_point] * 3,
    *[_constant] * 6,
    *[_shape] * 3,
    *[_operands] * 3,
    *[_code] * 3,
    *[_quantization] * 3,
    *[_height] * 2,
    *(_type, _buffer, _flag, _version, _table, _length, _ends, _order, _rest),
)
"""All changes, those more often that leave files which are accepted or refused for a reason."""
