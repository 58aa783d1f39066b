"""The head of models of one operator each, against TensorFlow Lite Micro's recorder."""

from __future__ import annotations

import pytest

from asc_tiny.complexity.op_cost import cost_rule
from asc_tiny.tflite.ops import row
from asc_tiny.tflm import kernel_scratch

pytest.importorskip("tflite_micro")

from support.kernel_models import ALL, CASES, Maker
from support.recorded_arena import measured, recorded_head


@pytest.mark.parametrize(("name", "dtype"), ALL)
def test_head_of_an_operator_is_the_recorded_one(name: str, dtype: str) -> None:
    data = CASES[name][1](Maker(dtype))
    found = measured(data)
    assert found.unmeasured == {}
    assert found.peak_activation_bytes == recorded_head(data)


def test_every_operator_that_is_counted_is_known_and_asked_for() -> None:
    # Of those that are counted, TensorFlow Lite Micro has no kernel for some.
    counted = {name for name in cost_rule.names if row(name).micro}
    assert set(kernel_scratch.scratch_rule.names) == counted
    # Those with subgraphs and variables have models of their own in test_subgraph_arena.
    others = {"ASSIGN_VARIABLE", "CALL_ONCE", "IF", "READ_VARIABLE", "VAR_HANDLE"}
    assert counted - set(CASES) == others
