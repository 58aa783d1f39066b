"""Bilinear resizing against its definition, with places in 1024ths of a pixel."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from support.hand_made import GraphBuilder
from support.hand_run import outputs_of, samples_for

UNIT = 1024


def places(size: int, target: int, *, corners: bool, centers: bool) -> list[list[tuple[int, int]]]:
    """Return, for each place of the output, (place of the input, weight) of both neighbours."""
    before, behind = (size - 1, target - 1) if corners and target > 1 else (size, target)
    step = (UNIT * before + behind // 2) // behind
    made = []
    for n in range(target):
        place = n * step + (step // 2 - UNIT // 2 if centers else 0)
        low = max(int(place / UNIT), 0)
        high = min(int((place + UNIT - 1) / UNIT), size - 1)
        share = place - UNIT * low
        made.append([(low, UNIT - share), (high, share)])
    return made


@pytest.mark.parametrize(("corners", "centers"), [(False, False), (True, False), (False, True)])
@pytest.mark.parametrize("target", [(12, 10), (9, 7), (3, 5), (1, 1)])
def test_bilinear(target: tuple[int, int], corners: bool, centers: bool, tmp_path: Path) -> None:
    builder = GraphBuilder((1, 6, 5, 3), 0.5, 17)
    size = builder.constant(np.array(target, np.int32))
    builder.add(
        "RESIZE_BILINEAR",
        (0, size),
        (1, *target, 3),
        0.5,
        17,
        align_corners=corners,
        half_pixel_centers=centers,
    )
    graph = builder.graph()
    samples = samples_for(graph)
    rows = places(6, target[0], corners=corners, centers=centers)
    columns = places(5, target[1], corners=corners, centers=centers)
    for sample, output in zip(samples, outputs_of(graph, samples, tmp_path), strict=True):
        for y, x, channel in np.ndindex(*output.shape):
            total = sum(
                int(sample[row, column, channel]) * weight * share
                for (row, weight), (column, share) in itertools.product(rows[y], columns[x])
            )
            half = UNIT**2 // 2
            wanted = (abs(total) + half) // UNIT**2 * (1 if total > 0 else -1)
            assert output[y, x, channel] == wanted
