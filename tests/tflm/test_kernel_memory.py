"""The arena of models of one operator each, against TensorFlow Lite Micro's recorder."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from asc_tiny.tflite.ops import OPS
from asc_tiny.tflite.reader import parse_graph
from asc_tiny.tflm.arena import arena
from asc_tiny.tflm.cmsis_nn import Core
from asc_tiny.tflm.kernel_memory import memory_rule
from asc_tiny.tflm.structs import Abi
from asc_tiny.util.errors import AscError

pytest.importorskip("tflite_micro")

from support.kernel_models import (
    ALL,
    CASES,
    INT8,
    WEIGHTED,
    Maker,
    four_bits,
    planned_offline,
    variable,
)
from support.recorded_arena import check_kept, recorded_head


@pytest.mark.parametrize(("name", "dtype"), [pair for pair in ALL if pair[0] in memory_rule.names])
def test_arena_of_an_operator_is_the_recorded_one(name: str, dtype: str) -> None:
    data = CASES[name][1](Maker(dtype))
    graph = parse_graph(data, source="file.tflite")
    assert arena([graph], abi=Abi.LP64).head == recorded_head(data)
    check_kept(data)


def test_all_operators_but_those_with_subgraphs_are_known() -> None:
    known = {name for name, operator in OPS.items() if operator.micro}
    assert known - set(memory_rule.names) == {"IF", "WHILE"}


@pytest.mark.parametrize("name", WEIGHTED)
def test_arena_with_weights_of_four_bits_is_not_known(name: str) -> None:
    graph = parse_graph(four_bits(name)(Maker(INT8)), source="file.tflite")
    for kernels in (None, Core.DSP):
        with pytest.raises(AscError, match="has weights of INT4, for which its memory"):
            arena([graph], kernels)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (lambda: planned_offline(), "prescribes offsets in its metadata OfflineMemoryAllocation"),
        (lambda: variable(alone=False), "has subgraphs that do more than to give variables first"),
    ],
)
def test_arena_of_other_models_is_not_known(data: Callable[[], bytes], reason: str) -> None:
    with pytest.raises(AscError, match=f"file.tflite: {reason}.*, for which the memory"):
        arena([parse_graph(data(), source="file.tflite")])
