"""Widened weights: of whole rows where there is memory for it, else of halves of them."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("tflite_micro")

from asc_tiny.compiler.kernel_params import ConvParams
from asc_tiny.compiler.options import Options
from asc_tiny.compiler.planner.compiled import Compiled
from asc_tiny.firmware.network.compiled import compile_network
from support.chain import Chain, check


def convolutions(compiled: Compiled) -> list[tuple[int, int]]:
    """Return the windows of a run of each convolution, and how many channels it widens at once."""
    params = [stage.params for stage in compiled.lowered.stages]
    return [(each.output_width, each.widens) for each in params if isinstance(each, ConvParams)]


def test_rows_are_halved_before_weights_stay_as_they_are(tmp_path: Path) -> None:
    model = Chain(shape=(1, 16, 16, 32)).conv({}, 3, filters=32).model()
    plans = [
        compile_network(model, Options(max_ram=limit)) for limit in (15000, 14000, 13000, 12400)
    ]
    assert [each.cost for each in plans] == sorted(each.cost for each in plans)
    kinds = list(dict.fromkeys(tuple(convolutions(each)) for each in plans))
    assert kinds == [((16, 3),), ((16, 2),), ((8, 3), (8, 3)), ((8, 2), (8, 2))]
    halves = next(each for each in plans if len(convolutions(each)) == 2)
    check([model], tmp_path, Options(max_ram=halves.arena.size))
