"""Pools against their definition: what is padding counts for neither mean nor maximum."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from support.emulated import EmulatedNetwork
from support.hand_made import GraphBuilder, model_of
from support.hand_run import outputs_of, samples_for
from support.integer_reference import pool


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize(
    ("kernel", "stride"), [((2, 2), (2, 2)), ((3, 2), (1, 2)), ((3, 3), (3, 1)), ((9, 7), (1, 1))]
)
@pytest.mark.parametrize("name", ["AVERAGE_POOL_2D", "MAX_POOL_2D"])
def test_pool(
    name: str, kernel: tuple[int, int], stride: tuple[int, int], padding: str, tmp_path: Path
) -> None:
    builder = GraphBuilder((1, 9, 7, 5), 0.5, 11)
    average = name.startswith("AVERAGE")

    def expected(sample: np.ndarray) -> np.ndarray:
        return pool(sample, kernel, stride, padding, average=average)

    builder.add(
        name,
        (0,),
        (1, *expected(np.zeros((9, 7, 5), np.int8)).shape),
        0.5,
        11,
        filter_height=kernel[0],
        filter_width=kernel[1],
        stride_h=stride[0],
        stride_w=stride[1],
        padding=padding,
        fused_activation_function="NONE",
    )
    graph = builder.graph()
    samples = samples_for(graph)
    for sample, output in zip(samples, outputs_of(graph, samples, tmp_path), strict=True):
        assert np.array_equal(output, expected(sample))


@pytest.mark.qemu
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("channels", [3, 4, 5, 8, 11])
@pytest.mark.parametrize("name", ["AVERAGE_POOL_2D", "MAX_POOL_2D"])
def test_pool_of_2x2_on_cortex_m4(name: str, channels: int, padding: str, tmp_path: Path) -> None:
    """Four channels at a time; SAME leaves a window that is half outside of odd rows."""
    check(name, (5, 7, channels), (2, 2), padding, tmp_path, "mps2-an386")


@pytest.mark.qemu
@pytest.mark.parametrize("board", ["mps2-an386", "mps3-an547"])
@pytest.mark.parametrize("kernel", [(16, 16), (16, 17), (3, 2)])
def test_averages_of_many_pixels(kernel: tuple[int, int], board: str, tmp_path: Path) -> None:
    """Sums of 16 bits hold no more than 256 extreme codes."""
    check("AVERAGE_POOL_2D", (17, 17, 6), kernel, "SAME", tmp_path, board)


def check(
    name: str,
    shape: tuple[int, ...],
    kernel: tuple[int, int],
    padding: str,
    folder: Path,
    board: str,
) -> None:
    """Compare windows with a stride of 2 on an emulated core with their definition."""
    builder = GraphBuilder((1, *shape), 0.5, 11)
    average = name.startswith("AVERAGE")

    def expected(sample: np.ndarray) -> np.ndarray:
        return pool(sample, kernel, (2, 2), padding, average=average)

    builder.add(
        name,
        (0,),
        (1, *expected(np.zeros(shape, np.int8)).shape),
        0.5,
        11,
        filter_height=kernel[0],
        filter_width=kernel[1],
        stride_h=2,
        stride_w=2,
        padding=padding,
        fused_activation_function="NONE",
    )
    graph = builder.graph()
    samples = samples_for(graph)
    made = EmulatedNetwork(model_of(graph), board, folder).run(samples)[0]
    for sample, output in zip(samples, made, strict=True):
        wanted = expected(sample)
        assert np.array_equal(np.asarray(output).reshape(wanted.shape), wanted)
