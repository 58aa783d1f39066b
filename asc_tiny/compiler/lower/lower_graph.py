"""Makes the stages of a graph: every operator by its own rule, every assumption checked by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from asc_tiny.compiler.diagnostics import not_supported, operator_error
from asc_tiny.compiler.ir import Buffer, BufferView, LoweredGraph, RowAccess, Stage
from asc_tiny.compiler.kernel_params import CopyParams
from asc_tiny.compiler.lower import concat
from asc_tiny.compiler.lower.context import LoweringContext, TensorViews, shape_text
from asc_tiny.compiler.lower.registry import lowering_rule
from asc_tiny.compiler.lower.rule import LoweringRule
from asc_tiny.tflite.graph import Graph, Operator, Tensor
from asc_tiny.util.errors import AscError

_UNLIMITED = 2**31

# What a damaged file can raise here; each operator's own checks come first.
_INCONSISTENT = (IndexError, KeyError, OverflowError, TypeError, ValueError, ZeroDivisionError)


def lower_graph(graph: Graph, *, whole_input: bool = True) -> LoweredGraph:
    """Return the stages of a graph, whose inputs are there as a whole or whose one input comes row
    by row.

    In the second case stages will make their rows in parts where that saves memory.

    Raises:
        AscError: an operator or an option of one that is not supported, or shapes that do not fit.
    """
    with consistent(graph):
        return _lower_graph(graph, whole_input)


@contextmanager
def consistent(graph: Graph) -> Iterator[None]:
    """Raise an AscError for what a graph raises whose tensors do not fit its operators."""
    try:
        yield
    except _INCONSISTENT as error:
        raise AscError(f"{graph.source}: shapes and operators do not fit ({error})") from error


def _lower_graph(graph: Graph, whole_input: bool) -> LoweredGraph:
    tensors = TensorViews(graph) if whole_input else TensorViews(graph, most_sums=_UNLIMITED)
    # Inputs first: they have memory of their own.
    inputs = tuple(tensors.view(graph.tensor(index)) for index in graph.inputs)
    for source in inputs:
        source.buffer.whole = whole_input
    # From the last operator on, so that a concatenation within another is placed first.
    for operator in reversed(graph.operators):
        if operator.name == "CONCATENATION":
            concat.place_concat_inputs(tensors, operator)
    stages: list[Stage] = []
    for operator in graph.operators:
        rule = _rule(graph, operator)
        signature = rule.signature(graph, operator)
        if signature is None:
            raise operator_error(graph, operator, "takes or gives other types than it may")
        ctx = LoweringContext(tensors, operator, signature)
        own = rule.lower(ctx)
        stages += [*ctx.before, *own, *ctx.after]
    outputs = [_output(tensors, graph.tensor(index), stages) for index in graph.outputs]
    if not stages:
        outputs[0] = _copied(graph.tensor(graph.outputs[0]), outputs[0], stages)
    for output in outputs:
        output.buffer.whole = True
    for source in inputs if whole_input else ():
        _cut_into_rows(source.buffer, stages)
    # Last of all: until then, stages read what the states were before.
    stages += tensors.states.updates.values()
    _check_runs(graph, stages)
    return LoweredGraph(graph.source, stages, inputs, tuple(outputs))


def _cut_into_rows(source: Buffer, stages: Sequence[Stage]) -> None:
    """Make an input of one row the rows that stages read of it, if there is one way to do so.

    A recording that is reshaped into an image is such an input. Its bytes stay where they are, but
    each row can be used for other values as soon as nothing reads it any more.
    """
    read = [each.view for stage in stages for each in stage.inputs if each.view.buffer is source]
    pitches = {view.pitch for view in read}
    if source.rows > 1 or len(pitches) != 1 or any(view.start for view in read):
        return
    (pitch,) = pitches
    if source.size % pitch == 0 and all(view.is_contiguous for view in read):
        source.rows, source.row_bytes = source.size // pitch, pitch


def _output(tensors: TensorViews, tensor: Tensor, stages: list[Stage]) -> BufferView:
    """Return where an output can be read: in the arena, aligned, with its values side by side.

    A state may have its next value before the output is read.
    """
    view = tensors.view(tensor)
    is_aligned = view.start % view.buffer.dtype.itemsize == 0
    is_apart = view.buffer.constant is None and not view.buffer.is_state
    if is_apart and view.is_contiguous and is_aligned:
        return view
    return _copied(tensor, view, stages)


def _copied(tensor: Tensor, view: BufferView, stages: list[Stage]) -> BufferView:
    """Return a copy of an output in memory of its own, which one more stage makes."""
    buffer = Buffer(f"output{len(stages)}", view.rows, view.row_bytes, dtype=view.buffer.dtype)
    copy = BufferView.of(buffer)
    stages.append(
        Stage(
            operator=None,
            title=f"output t{tensor.index}",
            comment=f"copy of output {shape_text(tensor)}",
            name=f"asc_net_output_copy{len(stages)}",
            kernel="asc_copy",
            params=CopyParams(1, view.row_bytes, output_offset=0, output_stride=view.row_bytes),
            inputs=(RowAccess(view),),
            output=copy,
            runs=view.rows,
        )
    )
    return copy


# Rows are numbered with 16 bits; the order of runs is looked for one by one.
_MOST_ROWS, _MOST_RUNS, _MOST_READ = 2**15 - 1, 2**16, 2**19


def _check_runs(graph: Graph, stages: Sequence[Stage]) -> None:
    """Check that the order of the work can be found in seconds."""
    views = [view for stage in stages for view in _views(stage)]
    # A tensor that is written as one row still is kept as its own rows.
    tallest = max(max(view.rows, view.buffer.rows) for view in views)
    runs = sum(stage.runs for stage in stages)
    read = sum(stage.runs * rows.count for stage in stages for rows in stage.inputs)
    counts = (
        (tallest, _MOST_ROWS, "of a tensor"),
        (runs, _MOST_RUNS, "in all"),
        (read, _MOST_READ, "under all windows"),
    )
    for count, most, name in counts:
        if count > most:
            raise AscError(f"{graph.source}: {count:,} rows {name}, at most {most:,} are supported")


def _views(stage: Stage) -> list[BufferView]:
    return [stage.output, *(rows.view for rows in stage.inputs)]


def _rule(graph: Graph, operator: Operator) -> LoweringRule:
    """Return the rule of an operator whose numbers of inputs and outputs it allows."""
    rule = lowering_rule.get(operator.name)
    if rule is None:
        raise not_supported(graph, operator)
    rule.check_counts(graph, operator)
    return rule
