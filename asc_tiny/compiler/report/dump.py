"""A network after each pass of the compiler, as text for people."""

from __future__ import annotations

from collections.abc import Sequence

from asc_tiny.compiler.ir import Buffer, BufferView, LoweredGraph, RowAccess, Stage
from asc_tiny.compiler.kernel_params import Array, Struct
from asc_tiny.compiler.planner.compiled import Compiled
from asc_tiny.compiler.planner.schedule_loops import loops
from asc_tiny.compiler.report.plan import arena
from asc_tiny.tflite.graph import ABSENT, Graph, Tensor

_STEPS_PER_LINE = 24


def dump(compiled: Compiled) -> dict[str, str]:
    """Return the text after each pass, in their order, by the pass's name."""
    return {
        "graph": _graph(compiled.graph),
        "checked": _checked(compiled.initial),
        "stages": _stages(compiled.lowered),
        "schedule": _schedule(compiled),
        "memory": _memory(compiled),
    }


def _text(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


def _graph(graph: Graph) -> str:
    inputs, outputs = _named("input", graph.inputs), _named("output", graph.outputs)
    lines = [f"{inputs}, {outputs}", "", "tensors"]
    used = {*graph.inputs, *graph.outputs}
    for operator in graph.operators:
        used |= {*operator.inputs, *operator.outputs}
    lines += [f"  {_tensor(graph.tensor(index))}" for index in sorted(used - {ABSENT})]
    lines += ["", "operators"]
    for operator in graph.operators:
        inputs = ", ".join("-" if n == ABSENT else f"t{n}" for n in operator.inputs)
        outputs = ", ".join(f"t{n}" for n in operator.outputs)
        options = "".join(f" {name}={value}" for name, value in sorted(operator.options.items()))
        lines.append(f"  {operator.index}: {operator.name} {inputs} -> {outputs}{options}")
    return _text(lines)


def _named(kind: str, indices: Sequence[int]) -> str:
    plural = "s" if len(indices) > 1 else ""
    return f"{kind}{plural} {' '.join(f't{index}' for index in indices)}"


def _tensor(tensor: Tensor) -> str:
    shape = "x".join(map(str, tensor.shape)) or "scalar"
    kind = "constant" if tensor.is_constant else "activation"
    text = f"t{tensor.index}: {tensor.dtype} {shape} {kind}"
    if len(tensor.scales) == len(tensor.zero_points) == 1:
        return f"{text}, scale {tensor.scales[0]!r}, zero point {tensor.zero_points[0]}"
    if tensor.scales:
        axis = tensor.quantized_dimension
        return f"{text}, {len(tensor.scales)} scales along axis {axis}"
    return text


def _checked(lowered: LoweredGraph) -> str:
    """Return the views that every stage reads and writes, and the parameters of its kernel."""
    lines = []
    for number, stage in enumerate(lowered.stages):
        lines.append(f"{number}: {stage.comment}")
        lines.append(f"  {stage.kernel}, {stage.runs} runs of a row, {stage.macs:,} MACs")
        lines += [f"  reads {_rows(rows)}" for rows in stage.inputs]
        lines.append(f"  writes {_view(stage.output)}{_sums(stage)}")
        lines += [f"  .{name} = {_value(value)}" for name, value in stage.params.members()]
    return _text(lines)


def _value(value: object) -> str:
    """Return a member of the parameters: a number, a list, a structure or the name of an array."""
    if isinstance(value, Array):
        return value.name
    if isinstance(value, Struct):
        value = tuple(member for _, member in value.members())
    return "{" + ", ".join(map(_value, value)) + "}" if isinstance(value, tuple) else str(value)


def _stages(lowered: LoweredGraph) -> str:
    """Return stages and buffers after fusion: tensors that are views of others have no buffer."""
    lines = ["stages"]
    for number, stage in enumerate(lowered.stages):
        inputs = "; ".join(map(_rows, stage.inputs))
        runs = f"{stage.runs} runs, {stage.scratch} bytes of scratch memory"
        made_by = f"{stage.kernel}: {inputs}" if stage.kernel else "front end"
        lines.append(f"  {number}: {made_by} -> {_view(stage.output)}{_sums(stage)}")
        lines.append(f"      {stage.comment}: {runs}")
    lines += ["", "buffers"]
    for buffer in _buffers(lowered):
        note = ", whole" if buffer.whole else ""
        note = f", constant {buffer.constant.name}" if buffer.constant else note
        lines.append(f"  {buffer.name}: {buffer.rows} rows of {buffer.row_bytes} bytes{note}")
    return _text(lines)


def _buffers(lowered: LoweredGraph) -> list[Buffer]:
    found = dict.fromkeys(view.buffer for view in lowered.inputs)
    for stage in lowered.stages:
        found |= dict.fromkeys(rows.view.buffer for rows in stage.inputs)
        found[stage.output.buffer] = None
    return list(found)


def _sums(stage: Stage) -> str:
    return ", every run adds to it" if stage.accumulates else ""


def _view(view: BufferView) -> str:
    shows = f"{view.buffer.name} as {view.rows} x {view.row_bytes} bytes"
    notes = [f"from byte {view.start}"] if view.start else []
    notes += [f"every {view.pitch}"] if view.rows > 1 and view.pitch != view.row_bytes else []
    notes += [f"each row {view.repeat} times"] if view.repeat != 1 else []
    return ", ".join([shows, *notes])


def _rows(rows: RowAccess) -> str:
    if (rows.count, rows.factor, rows.offset, rows.divisor) == (1, 1, 0, 1):
        return f"row y of {_view(rows.view)}"
    first = "y" if rows.factor == 1 else f"{rows.factor} y"
    first += f" {rows.offset:+d}" if rows.offset else ""
    first = first if rows.divisor == 1 else f"({first}) / {rows.divisor}"
    several = f", {rows.count} rows" if rows.count > 1 else ""
    several += f" {rows.step} apart" if rows.count > 1 and rows.step > 1 else ""
    return f"row {first}{several} of {_view(rows.view)}"


def _schedule(compiled: Compiled) -> str:
    order = compiled.schedule.order
    lines = [f"{len(order)} steps, order by {compiled.schedule_text}; the stage of each step:"]
    step = 0
    for loop in loops(order):
        times = f"{loop.times} times" if loop.times > 1 else "once"
        lines.append(f"  from step {step}, {times}:")
        for first in range(0, len(loop.stages), _STEPS_PER_LINE):
            part = loop.stages[first : first + _STEPS_PER_LINE]
            lines.append("    " + " ".join(map(str, part)))
        step += len(loop.stages) * loop.times
    if compiled.schedule.column_steps:
        column_steps = " ".join(map(str, compiled.schedule.column_steps))
        lines += ["", f"steps with which columns of the input come: {column_steps}"]
    lines += ["", "buffers"]
    for buffer, rolling in compiled.schedule.rolling_buffers.items():
        lines.append(
            f"  {buffer.name}: {rolling.slots} of {buffer.rows} rows of {buffer.row_bytes} bytes, "
            f"steps {rolling.first} to {rolling.last}"
        )
    return _text(lines)


def _memory(compiled: Compiled) -> str:
    return f"arena of {compiled.arena.size} bytes\n{arena(compiled)}\n"
