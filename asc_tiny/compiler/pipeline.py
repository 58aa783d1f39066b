"""The compiler's driver: named passes one after the other, with a check after each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from asc_tiny.compiler import verify
from asc_tiny.compiler.diagnostics import operator_error
from asc_tiny.compiler.ir import LoweredGraph
from asc_tiny.compiler.lower.lower_graph import consistent, lower_graph
from asc_tiny.compiler.options import INT8_CODES, STREAMING, Options
from asc_tiny.compiler.passes.constant_channels import without_constant_channels
from asc_tiny.compiler.passes.constant_folding import fold_constants
from asc_tiny.compiler.passes.data_movement import simplify_movements
from asc_tiny.compiler.passes.float_islands import without_float_islands
from asc_tiny.compiler.passes.fold_activations import fold_activations
from asc_tiny.compiler.passes.fold_padding import fold_padding
from asc_tiny.compiler.passes.pack_dense import pack_dense_layers
from asc_tiny.compiler.passes.time_major import to_time_major
from asc_tiny.compiler.planner.compiled import Compiled
from asc_tiny.compiler.planner.planner import plan
from asc_tiny.compiler.supported import check_counts, check_streaming, check_supported
from asc_tiny.tflite.graph import Graph
from asc_tiny.tflite.io_conversions import without_conversions
from asc_tiny.tflite.variables import stateful_operator


@dataclass
class Unit:
    """A network on its way through the passes.

    Attributes:
        options: the options of the user.
        graph: the graph of the file, as the passes so far have changed it.
        folded: number and name of each operator of the file of which nothing is left, since its
            result is known.
        lowered: its stages, None before they are made.
        compiled: the network with schedule and arena, None before they are planned.
    """

    options: Options
    graph: Graph
    folded: Sequence[str] = ()
    lowered: LoweredGraph | None = None
    compiled: Compiled | None = None

    @property
    def stages(self) -> LoweredGraph:
        """The stages, which must be there."""
        assert self.lowered is not None
        return self.lowered


@dataclass(frozen=True)
class Pass:
    """A step of the compiler.

    Attributes:
        name: the name in messages.
        run: changes the unit.
        check: raises ``verify.VerifyError`` for what must not come out of the pass.
        is_needed: whether the pass is run with certain options.
    """

    name: str
    run: Callable[[Unit], None]
    check: Callable[[Unit], None]
    is_needed: Callable[[Options], bool] = lambda _: True


def compile_graph(graph: Graph, options: Options) -> Compiled:
    """Run all passes over a graph.

    Raises:
        AscError: the network is not supported, cannot become stages, or no plan is within the
            limit; or a pass is at fault, which the message says.
    """
    unit = _supported(graph, options)
    _run(unit, STAGE_PASSES)
    assert unit.compiled is not None
    return replace(unit.compiled, folded=unit.folded)


def check_compiled(graph: Graph, options: Options) -> None:
    """Check that a graph is supported, without compiling it.

    Raises:
        AscError: it is not; the message names operator or tensor.
    """
    _supported(graph, options)


def _supported(graph: Graph, options: Options) -> Unit:
    """Return a network whose operators must have kernels, since no others will go any more."""
    unit = Unit(options, graph)
    check_counts(graph)
    _run(unit, GRAPH_PASSES)
    check_supported(unit.graph)
    if options.schedule == STREAMING:
        check_streaming(unit.graph)
    return unit


def _run(unit: Unit, passes: Sequence[Pass]) -> None:
    for each in passes:
        if not each.is_needed(unit.options):
            continue
        before = replace(unit)
        each.run(unit)
        if unit != before:
            with verify.named(unit.graph.source, each.name):
                each.check(unit)


def _strip_io_conversions(unit: Unit) -> None:
    unit.graph = without_conversions(unit.graph)


def _fold_constants(unit: Unit) -> None:
    folded = fold_constants(unit.graph)
    unit.graph, unit.folded = folded.graph, folded.titles


def _remove_float_islands(unit: Unit) -> None:
    unit.graph = without_float_islands(unit.graph)


def _simplify_movements(unit: Unit) -> None:
    with consistent(unit.graph):
        unit.graph = simplify_movements(unit.graph)


def _fold_activations(unit: Unit) -> None:
    with consistent(unit.graph):
        unit.graph = fold_activations(unit.graph)


def _fold_padding(unit: Unit) -> None:
    with consistent(unit.graph):
        unit.graph = fold_padding(unit.graph)


def _remove_constant_channels(unit: Unit) -> None:
    with consistent(unit.graph):
        unit.graph = without_constant_channels(unit.graph)


def _time_major(unit: Unit) -> None:
    _check_no_state(unit.graph)
    with consistent(unit.graph):
        unit.graph = to_time_major(unit.graph)


def _check_no_state(graph: Graph) -> None:
    """Check that a network whose input is streamed keeps nothing: its clips begin from nothing."""
    operator = stateful_operator(graph)
    if operator is not None:
        raise operator_error(
            graph,
            operator,
            "keeps values between inferences, which --schedule streaming does not support; leave "
            "the option out",
        )


def _lower(unit: Unit) -> None:
    unit.lowered = lower_graph(unit.graph, whole_input=unit.options.schedule != STREAMING)


def _pack_dense(unit: Unit) -> None:
    unit.lowered = pack_dense_layers(unit.stages)


def _plan(unit: Unit) -> None:
    unit.compiled = plan(unit.graph, unit.stages, unit.options)


def _check_graph(unit: Unit) -> None:
    verify.check_graph(unit.graph)


def _check_stages(unit: Unit) -> None:
    verify.check_stages(unit.stages)


def _check_plan(unit: Unit) -> None:
    assert unit.compiled is not None
    verify.check_stages(unit.compiled.lowered)
    verify.check_plan(unit.compiled)


GRAPH_PASSES = (
    Pass(
        "strip_io_conversions",
        _strip_io_conversions,
        _check_graph,
        lambda each: each.io == INT8_CODES,
    ),
    Pass("constant_folding", _fold_constants, _check_graph),
    Pass("float_islands", _remove_float_islands, _check_graph),
)
"""The passes, in their order, after which every operator that is left must have kernels."""

STAGE_PASSES = (
    Pass("data_movement", _simplify_movements, _check_graph),
    Pass("fold_activations", _fold_activations, _check_graph),
    Pass("fold_padding", _fold_padding, _check_graph),
    Pass("constant_channels", _remove_constant_channels, _check_graph),
    Pass("time_major", _time_major, _check_graph, lambda each: each.schedule == STREAMING),
    Pass("lower", _lower, _check_stages),
    Pass("pack_dense", _pack_dense, _check_stages, lambda each: each.optimize == "size"),
    Pass("plan", _plan, _check_plan),
)
"""The passes behind them, in their order; the planner applies those that it chooses among."""
