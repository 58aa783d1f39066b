"""Plans of networks, each made once in a run of the tests.

Planning takes most of the time of ``generate``. Tests of what is around a network generate the
same one a hundred times; those of the compiler itself plan anew.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from asc_tiny.compiler.options import Options
from asc_tiny.compiler.planner.compiled import Compiled
from asc_tiny.firmware.network import compiled
from asc_tiny.tflite.graph import Graph
from support import session_cache


@contextmanager
def kept_plans() -> Iterator[None]:
    """Have the compiler look up the plan of a graph that it has planned with the same options."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "compile_graph", _looked_up(compiled.compile_graph))
        yield


def _looked_up(
    compile_graph: Callable[[Graph, Options], Compiled],
) -> Callable[[Graph, Options], Compiled]:
    def plan(graph: Graph, options: Options) -> Compiled:
        def make(path: Path) -> None:
            path.write_bytes(pickle.dumps(compile_graph(graph, options)))

        made = session_cache.entry(f"{_name(graph, options)}.plan", make)
        return _of(pickle.loads(made.read_bytes()), graph.source)

    return plan


def _of(plan: Compiled, source: str) -> Compiled:
    """Return the plan of the same graph in another file, such as a project's copy."""
    return replace(
        plan,
        graph=replace(plan.graph, source=source),
        initial=replace(plan.initial, source=source),
        lowered=replace(plan.lowered, source=source),
    )


def _name(graph: Graph, options: Options) -> str:
    """Return what a plan follows from: all of the graph but its file's name, and the options."""
    operators = [(each.name, each.inputs, each.outputs, each.options) for each in graph.operators]
    whole = (graph.inputs, graph.outputs, operators, graph.tensors, graph.others, options)
    return session_cache.key(*map(repr, whole))
