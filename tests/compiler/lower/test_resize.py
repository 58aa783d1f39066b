"""Bilinear resizing: a code apart from what is interpolated at most."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from support.hand_made import GraphBuilder
from support.hand_run import outputs_of, samples_for


def weights(size: int, target: int, *, corners: bool, centers: bool) -> np.ndarray:
    """Return what each place of the output takes of each of the input, shape (target, size)."""
    made = np.zeros((target, size))
    for n in range(target):
        if corners and target > 1:
            place = n * (size - 1) / (target - 1)
        elif centers:
            place = (n + 0.5) * size / target - 0.5
        else:
            place = n * size / target
        low = int(np.floor(place))
        share = place - low
        made[n, min(max(low, 0), size - 1)] += 1 - share
        made[n, min(max(low + 1, 0), size - 1)] += share
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
    rows = weights(6, target[0], corners=corners, centers=centers)
    columns = weights(5, target[1], corners=corners, centers=centers)
    for sample, output in zip(samples, outputs_of(graph, samples, tmp_path), strict=True):
        wanted = np.einsum("yi,ijc,xj->yxc", rows, sample.astype(float), columns)
        # Weights have 10 bits; with 255 codes that is a quarter of one on each axis.
        assert np.abs(output - wanted).max() <= 1.0 + 1e-9
