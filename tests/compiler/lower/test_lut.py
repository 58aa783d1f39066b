"""Functions of one code: all 256, a code apart from float64 at most."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.firmware.network.compiled import compile_network
from asc_tiny.util.errors import AscError
from support.hand_made import GraphBuilder, model_of
from support.hand_run import outputs_of

Function = Callable[[np.ndarray], np.ndarray]
FUNCTIONS: dict[str, tuple[Function, float, int, dict[str, float]]] = {
    "ABS": (np.abs, 0.1, -100, {}),
    "ELU": (lambda x: np.where(x < 0, np.expm1(x), x), 0.1, -90, {}),
    "HARD_SWISH": (lambda x: x * np.clip(x + 3, 0, 6) / 6, 0.1, -120, {}),
    "LEAKY_RELU": (lambda x: np.where(x < 0, 0.3 * x, x), 0.1, -40, {"alpha": 0.3}),
    "LOGISTIC": (lambda x: 1 / (1 + np.exp(-x)), 1 / 256, -128, {}),
    "RELU": (lambda x: np.maximum(x, 0), 0.06, -128, {}),
    "TANH": (np.tanh, 1 / 128, 0, {}),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_code(name: str, tmp_path: Path) -> None:
    function, scale, zero, options = FUNCTIONS[name]
    codes = np.arange(-128, 128).astype(np.int8).reshape(16, 16)
    builder = GraphBuilder((1, 16, 16), 0.07, -9)
    builder.add(name, (0,), (1, 16, 16), scale, zero, **options)
    (output,) = outputs_of(builder.graph(), [codes], tmp_path)
    real = function(float(np.float32(0.07)) * (codes.astype(float) + 9))
    wanted = np.clip(real / float(np.float32(scale)) + zero, -128, 127)
    assert np.abs(output - wanted).max() <= 1.0
    assert len(np.unique(output)) > 40


def test_scales_too_far_apart() -> None:
    """Their ratio is infinite in single precision: one line, and no warning of NumPy's."""
    builder = GraphBuilder((1, 16, 16), 1e38, 0)
    builder.add("HARD_SWISH", (0,), (1, 16, 16), 0.1, 0)
    with pytest.raises(AscError, match="the scales of input and output are too far apart"):
        compile_network(model_of(builder.graph()))
