"""What a .tflite file costs, counted by the package ``tflite``: independent of ``asc_tiny``."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import tflite


def count(data: bytes) -> dict[str, int]:
    """Count a model by the tflite package: independent of ``asc_tiny``.

    Sizes of outputs follow from inputs and strides here, whatever the file states. Of a model with
    several subgraphs the values are counted alone.
    """
    model = tflite.Model.GetRootAs(data)
    graphs = [model.Subgraphs(number) for number in range(model.SubgraphsLength())]
    constants = [
        [_is_constant(model, graph.Tensors(n)) for n in range(graph.TensorsLength())]
        for graph in graphs
    ]
    params = {"params": _params(model, graphs, constants)}
    if len(graphs) != 1:
        return params
    (graph,), (constant,) = graphs, constants
    sizes = [_bits(graph.Tensors(number)) for number in range(graph.TensorsLength())]
    macs: int | None = 0
    for number in range(graph.OperatorsLength()):
        operator = graph.Operators(number)
        name = _name(model, operator)
        if name in ("UNIDIRECTIONAL_SEQUENCE_LSTM", "SVDF"):
            macs = None
        elif macs is not None:
            macs += _macs(name, graph, operator)
    return {
        **({} if macs is None else {"macs": macs}),
        **params,
        "live_bytes": _peak(graph, sizes, constant),
    }


def _is_constant(model: Any, tensor: Any) -> bool:
    buffer = model.Buffers(tensor.Buffer())
    return bool(buffer.DataLength() > 0 or buffer._tab.Offset(6) != 0)


def _name(model: Any, operator: Any) -> str:
    code = model.OperatorCodes(operator.OpcodeIndex())
    return _OPERATORS[max(code.DeprecatedBuiltinCode(), _new_code(code))]


def _new_code(code: Any) -> int:
    # The package prefers the old code; TensorFlow Lite takes the larger one.
    place = code._tab.Offset(10)
    return struct.unpack_from("<i", code._tab.Bytes, place + code._tab.Pos)[0] if place else 0


def _names(enumeration: type) -> dict[int, str]:
    return {v: n for n, v in vars(enumeration).items() if not n.startswith("_")}


_OPERATORS, _TYPES = _names(tflite.BuiltinOperator), _names(tflite.TensorType)
_INTEGERS = ("BOOL", "INT32", "INT64", "UINT32", "UINT64")
_SHAPE_ALONE = ("RANK", "SHAPE", "ZEROS_LIKE")
_BOUNDED = {"MAXIMUM", "MINIMUM", "SELECT", "SELECT_V2", "EQUAL", "NOT_EQUAL"} | {
    f"{name}{equal}" for name in ("GREATER", "LESS") for equal in ("", "_EQUAL")
}
_SECOND = (
    *("ARG_MAX", "ARG_MIN", "BROADCAST_TO", "CUMSUM", "EXPAND_DIMS", "GATHER", "GATHER_ND"),
    *("MEAN", "MIRROR_PAD", "PAD", "PADV2", "REDUCE_ALL", "REDUCE_ANY", "REDUCE_MAX", "REDUCE_MIN"),
    *("REDUCE_PROD", "RESHAPE", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "REVERSE_SEQUENCE"),
    *("REVERSE_V2", "SUM", "TILE", "TOPK_V2", "TRANSPOSE"),
)
_SETTINGS: Mapping[str, tuple[int, ...]] = {
    **dict.fromkeys(_SECOND, (1,)),
    **dict.fromkeys(("EMBEDDING_LOOKUP", "FILL", "IF", "SELECT", "SELECT_V2", "SPLIT"), (0,)),
    **dict.fromkeys(("BATCH_TO_SPACE_ND", "SPACE_TO_BATCH_ND", "SLICE", "SPLIT_V"), (1, 2)),
    **{"TRANSPOSE_CONV": (0,), "STRIDED_SLICE": (1, 2, 3), "DYNAMIC_UPDATE_SLICE": (2,)},
    "ONE_HOT": (1,),
}
_CHOICES = {"EMBEDDING_LOOKUP": 0, "GATHER": 1, "GATHER_ND": 1, "SELECT": 0, "SELECT_V2": 0}
_CHANGING = ("CALL_ONCE", "IF", "READ_VARIABLE", "VAR_HANDLE", "WHILE")


def _params(model: Any, graphs: list[Any], constants: list[list[bool]]) -> int:
    """Count the values of all buffers that some subgraph computes with."""
    used: set[tuple[int, int, int]] = set()
    largest: dict[tuple[int, int, int], int] = {}
    for number, (graph, constant) in enumerate(zip(graphs, constants, strict=True)):
        learnt = _learnt(model, graph, constant)
        for index in (n for n, is_constant in enumerate(constant) if is_constant):
            tensor = graph.Tensors(index)
            key = (tensor.Buffer(), 0, 0) if tensor.Buffer() else (0, number, index)
            largest[key] = max(largest.get(key, 0), _elements(tensor))
            used |= {key} if index in learnt else set()
    return sum(largest[key] for key in used)


def _learnt(model: Any, graph: Any, constant: list[bool]) -> set[int]:
    """Return the constants of a subgraph but for what is no learnt value.

    From a constant forward: where it is read, and where what is made of it alone is read.
    """
    operators = [graph.Operators(n) for n in range(graph.OperatorsLength())]
    names = [_name(model, operator) for operator in operators]
    inputs = [[op.Inputs(i) for i in range(op.InputsLength())] for op in operators]
    outputs = [[op.Outputs(i) for i in range(op.OutputsLength())] for op in operators]
    fixed = {n for n, is_constant in enumerate(constant) if is_constant}
    readers: dict[int, list[tuple[int, int]]] = {}
    for number, name in enumerate(names):
        for position, index in enumerate(inputs[number]):
            readers.setdefault(index, []).append((number, position))
        present = [index for index in inputs[number] if index >= 0]
        if name in _SHAPE_ALONE or (name not in _CHANGING and present and fixed >= {*present}):
            fixed |= {*outputs[number]}

    coded: set[int] = set()
    behind = {index: {index} for index in fixed if constant[index]}
    for number, name in enumerate(names):
        places = [place for place, index in enumerate(inputs[number]) if index >= 0]
        used = [inputs[number][n] for n in places if n not in _SETTINGS.get(name, ())]
        given: set[int] = set().union(*(behind.get(i, set()) if i in fixed else {i} for i in used))
        place = _CHOICES.get(name, -1)
        if place in places and inputs[number][place] in fixed:
            made = sum(_elements(graph.Tensors(index)) for index in outputs[number])
            if sum(_elements(graph.Tensors(index)) for index in given) < made:
                coded.add(number)
                given |= behind.get(inputs[number][place], set())
        for index in fixed.intersection(outputs[number]):
            behind[index] = set() if name in _SHAPE_ALONE else given
    results = {graph.Outputs(n) for n in range(graph.OutputsLength())}
    makers = {index: number for number, made in enumerate(outputs) for index in made}

    def is_sixth(index: int) -> bool:
        tensor = graph.Tensors(index)
        if tensor.ShapeLength() or _TYPES.get(tensor.Type()) != "FLOAT32":
            return False
        content = model.Buffers(tensor.Buffer()).DataAsNumpy().tobytes()
        return bool(abs(struct.unpack("<f", content)[0] - 1 / 6) < 1e-4)

    def uses(index: int) -> set[str]:
        found, waiting, seen = set(), [index], set()
        while waiting:
            here = waiting.pop()
            seen.add(here)
            if here in results:
                found.add("value")
            for number, position in readers.get(here, ()):
                name = names[number]
                settings = () if number in coded else _SETTINGS.get(name, ())
                if name in _SHAPE_ALONE or position in settings:
                    found.add("setting")
                elif outputs[number] and fixed >= {*outputs[number]}:
                    waiting += {*outputs[number]} - seen
                elif here == index and _is_number(name, graph.Tensors(index)):
                    found.add("number")
                elif here == index and name == "MUL" and is_sixth(index):
                    others = [makers.get(i, -1) for i in inputs[number]]
                    clipped = any(n >= 0 and names[n] == "RELU6" for n in others)
                    found.add("number" if clipped else "value")
                else:
                    found.add("value")
        return found

    found = set()
    for index in (n for n, is_constant in enumerate(constant) if is_constant):
        tensor, used = graph.Tensors(index), uses(index)
        is_whole = _TYPES.get(tensor.Type(), "BFLOAT16") in _INTEGERS
        scales = tensor.Quantization()
        is_scaled = scales is not None and scales.ScaleLength() > 0
        is_setting = is_whole and (not is_scaled or "setting" in used)
        if "value" in used or not ("number" in used or is_setting):
            found.add(index)
    return found


def _is_number(name: str, tensor: Any) -> bool:
    if name in ("FILL", "PADV2"):
        return _elements(tensor) == 1
    return name in _BOUNDED and not tensor.ShapeLength()


def _shape(tensor: Any) -> list[int]:
    return [tensor.Shape(i) for i in range(tensor.ShapeLength())]


def _elements(tensor: Any) -> int:
    count = 1
    for size in _shape(tensor):
        count *= size
    return count


def _bits(tensor: Any) -> int:
    name = _TYPES.get(tensor.Type(), "BFLOAT16")
    digits = "".join(c for c in name if c.isdigit())
    bits = {"BOOL": 8, "RESOURCE": 32}.get(name) or int(digits)
    return (_elements(tensor) * bits + 7) // 8


def _macs(name: str, graph: Any, operator: Any) -> int:
    def shape(position: int) -> list[int]:
        return _shape(graph.Tensors(operator.Inputs(position)))

    if name in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        options = tflite.Conv2DOptions() if name == "CONV_2D" else tflite.DepthwiseConv2DOptions()
        table = operator.BuiltinOptions()
        options.Init(table.Bytes, table.Pos)
        (batch, height, width, _), (filters, rows, columns, depth) = shape(0), shape(1)
        out = 1
        for size, kernel, stride, dilation in (
            (height, rows, options.StrideH(), options.DilationHFactor()),
            (width, columns, options.StrideW(), options.DilationWFactor()),
        ):
            reach = (kernel - 1) * dilation + 1
            padded = size + stride - 1 if options.Padding() == 0 else size + stride - reach
            out *= max(0, padded // stride)
        taps = rows * columns * (filters * depth if name == "CONV_2D" else depth)
        return batch * out * taps
    if name == "TRANSPOSE_CONV":
        filters, rows, columns, _ = shape(1)
        return _elements(graph.Tensors(operator.Inputs(2))) * rows * columns * filters
    if name == "FULLY_CONNECTED":
        return _elements(graph.Tensors(operator.Inputs(0))) * shape(1)[0]
    if name == "BATCH_MATMUL":
        options = tflite.BatchMatMulOptions()
        table = operator.BuiltinOptions()
        if table:
            options.Init(table.Bytes, table.Pos)
        left, right = shape(0), shape(1)
        rows, depth = reversed(left[-2:]) if table and options.AdjX() else left[-2:]
        columns = right[-2] if table and options.AdjY() else right[-1]
        batches = 1
        for one, two in zip([1] * 8 + left[:-2], [1] * 8 + right[:-2], strict=False):
            batches *= max(one, two)
        if len(left) != len(right):
            batches = _elements(graph.Tensors(operator.Outputs(0))) // (rows * columns or 1)
        return batches * rows * depth * columns
    return 0


def _peak(graph: Any, sizes: list[int], constant: list[bool]) -> int:
    """Return the most bytes of activations that are alive at an operator, one by one."""
    count = graph.OperatorsLength()
    operators = [graph.Operators(n) for n in range(count)]
    written: dict[int, int] = {graph.Inputs(i): 0 for i in range(graph.InputsLength())}
    read: dict[int, int] = dict(written)
    for step, operator in enumerate(operators):
        for i in range(operator.OutputsLength()):
            written[operator.Outputs(i)] = read[operator.Outputs(i)] = step
    for step, operator in enumerate(operators):
        for i in range(operator.InputsLength()):
            if operator.Inputs(i) in read:
                read[operator.Inputs(i)] = step
    for i in range(graph.OutputsLength()):
        read[graph.Outputs(i)] = count - 1
    return max(
        sum(
            sizes[tensor]
            for tensor, start in written.items()
            if start <= step <= read[tensor] and not constant[tensor]
        )
        for step in range(count)
    )
