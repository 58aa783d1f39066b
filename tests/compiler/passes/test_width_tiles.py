"""Width tiles: which pixels there are, and which of the input they read."""

from __future__ import annotations

import numpy as np
import pytest

from asc_tiny.compiler.passes.width_tiles import PixelRange, SlidingWindow, pixel_ranges


@pytest.mark.parametrize("count", range(1, 9))
@pytest.mark.parametrize("width", [1, 2, 7, 12, 31])
def test_pixel_ranges_cover_a_row_in_even_sizes(width: int, count: int) -> None:
    ranges = pixel_ranges(width, count)
    assert [pixel for each in ranges for pixel in range(each.first, each.end)] == list(range(width))
    assert len(ranges) <= count
    assert all(each.count % 2 == 0 for each in ranges[:-1])


@pytest.mark.parametrize("seed", range(40))
def test_a_tile_reads_the_pixels_under_its_windows(seed: int) -> None:
    """Against all windows of the tile, column by column."""
    random = np.random.default_rng(seed)
    width, stride, dilation, factor = (int(random.integers(1, n)) for n in (6, 4, 4, 4))
    reach = (width - 1) * dilation
    left = int(random.integers(0, reach + 1))
    inputs = int(random.integers(3, 20))
    outputs = max(1, (inputs * factor + left - reach - 1) // stride + 1)
    window = SlidingWindow(width, stride, dilation, left, factor, inputs, 1, outputs, 1)
    for first in range(outputs):
        for end in range(first + 1, outputs + 1):
            written = PixelRange(first, end)
            read = window.read(written)
            padding = window.padding(written, read)
            places = []
            for n in range(first, end):
                for k in range(width):
                    place = (n * stride - left + k * dilation) // factor
                    places.append(place)
                    own = ((n - first) * stride - padding + k * dilation) // factor
                    assert own + read.first == place, "the tile reads the same pixel"
            if any(0 <= place < inputs for place in places):
                assert read.first == max(min(places), 0)
                assert read.end == min(max(places) + 1, inputs)
