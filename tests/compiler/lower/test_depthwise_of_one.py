"""Depthwise convolutions of one channel, which are convolutions."""

from __future__ import annotations

from pathlib import Path

import pytest

from asc_tiny.compiler.options import Options
from asc_tiny.compiler.pipeline import compile_graph

pytest.importorskip("tflite_micro")

from support.chain import Chain, check


@pytest.mark.parametrize(("channels", "kernel"), [(1, "asc_conv"), (2, "asc_depthwise_conv")])
def test_kernel(channels: int, kernel: str, tmp_path: Path) -> None:
    model = Chain(shape=(1, 7, 6, channels)).depthwise({}, filters=12).model()
    stages = compile_graph(model.graph, Options()).lowered.stages
    assert [stage.kernel for stage in stages] == [kernel]
    check([model], tmp_path)
