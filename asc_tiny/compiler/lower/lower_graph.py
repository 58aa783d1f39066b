"""Makes the stages of a graph: every operator by its own rule, every assumption checked by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from asc_tiny.compiler.diagnostics import not_supported
from asc_tiny.compiler.ir import BufferView, LoweredGraph, Stage
from asc_tiny.compiler.lower import concat
from asc_tiny.compiler.lower.context import LoweringContext, TensorViews
from asc_tiny.compiler.lower.registry import lowering_rule
from asc_tiny.tflite.graph import Graph
from asc_tiny.util.errors import AscError

_UNLIMITED = 2**31

# What a damaged file can raise here; each operator's own checks come first.
_INCONSISTENT = (IndexError, KeyError, OverflowError, TypeError, ValueError, ZeroDivisionError)


def lower_graph(graph: Graph, *, whole_input: bool = True) -> LoweredGraph:
    """Return the stages of a graph, whose input is there as a whole or comes row by row.

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
    source = tensors.view(graph.tensor(graph.inputs[0]))
    source.buffer.whole = whole_input
    # From the last operator on, so that a concatenation within another is placed first.
    for operator in reversed(graph.operators):
        if operator.name == "CONCATENATION":
            concat.place_concat_inputs(tensors, operator)
    stages: list[Stage] = []
    for operator in graph.operators:
        ctx = LoweringContext(tensors, operator)
        own = _lower_operator(ctx)
        stages += [*ctx.before, *own, *ctx.after]
    output = tensors.view(graph.tensor(graph.outputs[0]))
    if not output.is_contiguous:
        # Whoever reads the output expects its values side by side.
        output = ctx.copied(output)
        stages.append(ctx.before[-1])
    if not stages:
        raise AscError(f"{graph.source}: no operator computes or copies anything")
    output.buffer.whole = True
    _check_runs(graph, stages)
    return LoweredGraph(graph.source, stages, source, output)


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


def _lower_operator(ctx: LoweringContext) -> list[Stage]:
    rule, operator = lowering_rule.get(ctx.name), ctx.operator
    if rule is None:
        raise not_supported(ctx.graph, operator)
    fewest, most = rule.inputs
    if not fewest <= len(operator.inputs) <= most:
        allowed = str(fewest) if fewest == most else f"{fewest} to {most}"
        ctx.error(f"{len(operator.inputs)} inputs, must be {allowed}")
    if not 1 <= len(operator.outputs) <= rule.outputs:
        ctx.error(f"{len(operator.outputs)} outputs, must be {rule.outputs}")
    return rule.lower(ctx)
