"""The compiler's driver: named passes one after the other, with a check after each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from asc_tiny.compiler import verify
from asc_tiny.compiler.compiled import Compiled
from asc_tiny.compiler.diagnostics import operator_error
from asc_tiny.compiler.ir import LoweredGraph
from asc_tiny.compiler.lower.lower_graph import consistent, lower_graph
from asc_tiny.compiler.options import STREAMING, Options
from asc_tiny.compiler.passes.pack_dense import pack_dense_layers
from asc_tiny.compiler.passes.time_major import to_time_major
from asc_tiny.compiler.planner.planner import plan
from asc_tiny.tflite.graph import Graph
from asc_tiny.tflite.variables import stateful_operator


@dataclass
class Unit:
    """A network on its way through the passes.

    Attributes:
        options: the options of the user.
        graph: the graph of the file.
        lowered: its stages, None before they are made.
        compiled: the network with schedule and arena, None before they are planned.
    """

    options: Options
    graph: Graph
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
        AscError: the network cannot become stages, or no plan is within the limit; or a pass is at
            fault, which the message says.
    """
    unit = Unit(options, graph)
    for each in PASSES:
        if each.is_needed(options):
            each.run(unit)
            with verify.named(graph.source, each.name):
                each.check(unit)
    assert unit.compiled is not None
    return unit.compiled


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


PASSES = (
    Pass("time_major", _time_major, _check_graph, lambda each: each.schedule == STREAMING),
    Pass("lower", _lower, _check_stages),
    Pass("pack_dense", _pack_dense, _check_stages, lambda each: each.optimize == "size"),
    Pass("plan", _plan, _check_plan),
)
"""The passes in their order; the planner applies those that it chooses among."""
