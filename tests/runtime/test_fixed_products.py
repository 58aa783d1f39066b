"""The fixed-point products of every core against Python's integers."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.firmware import frontend as frontend_code
from asc_tiny.firmware.runtime import runtime_sources
from asc_tiny.frontend import fixed
from support.emulated import EmulatedImage
from support.front_end_cores import CORTEX_M0PLUS, COSTS, needs_tools
from support.front_ends import DEFAULT
from support.native import write
from support.paths import C

pytestmark = needs_tools

EDGES = [0, 1, 2, 0x7FFF, 0x8000, 0x8001, 0xFFFF, 0x10000, 0x3FFFFFFF, 0x40000000, 0x7FFF7FFF]
EDGES += [0x7FFF8000, 0x7FFFFFFF]
EXTREMES = sorted({*EDGES, *(-edge for edge in EDGES)})
LEAST = -(1 << 31)
RESULTS = np.dtype(
    [(name, "<i4") for name in ("add", "subtract", "add_low", "add_high")]
    + [(name, "<u8") for name in ("accumulated", "squares")]
)


def operands() -> list[tuple[int, int, int]]:
    """Return a, x, y: all pairs of extremes, products near a half, and random ones."""
    pairs = [*itertools.product([LEAST, *EXTREMES], EXTREMES)]
    # Of a product that ends in exactly half of 2^32, and one more or less.
    pairs += [
        (x, y + off) for x, y in ((1 << 16, 1 << 15), (3 << 17, 1 << 14)) for off in (-1, 0, 1)
    ]
    pairs += [(-x, y) for x, y in pairs[-6:]]
    generator = np.random.default_rng(8)
    for bits in (31, 20, 12):
        random = generator.integers(1 - (1 << bits), 1 << bits, (400, 2))
        pairs += [(int(x), int(y)) for x, y in random]
    added = itertools.cycle([0, 1, -1, 1 << 29, -(1 << 29), 12345])
    return [(next(added), x, y) for x, y in pairs]


def signed_half(word: int, shift: int) -> int:
    return ((word >> shift) + 0x8000) % 0x10000 - 0x8000


def expected(a: int, x: int, y: int) -> tuple[int, ...]:
    half = 1 << 31
    total = ((a % (1 << 32)) << 32 | x % (1 << 32)) + (x % (1 << 32)) * (y % (1 << 32))
    return (
        a + ((x * y + half) >> 32),
        a + ((-x * y + half) >> 32),
        a + ((x * signed_half(y, 0)) >> 16),
        a + ((x * signed_half(y, 16)) >> 16),
        total % (1 << 64),
        x * x + y * y,
    )


@pytest.mark.parametrize("optimization", ["-O0", "-O2"])
@pytest.mark.parametrize("core", list(COSTS))
def test_products_equal_pythons(core: str, optimization: str, tmp_path: Path) -> None:
    board, flags = COSTS[core][:2]
    write(runtime_sources("fixed_point"), tmp_path)
    shutil.copy(C / "products_main.c", tmp_path)
    image = EmulatedImage(tmp_path, board, flags=flags, optimization=optimization)
    cases = operands()
    (tmp_path / "in.bin").write_bytes(np.array(cases, "<i4").tobytes())
    image.execute("in.bin", "out.bin")
    results = np.frombuffer((tmp_path / "out.bin").read_bytes(), RESULTS)
    assert len(results) == len(cases) > 1500
    for case, result in zip(cases, results, strict=True):
        assert tuple(map(int, result)) == expected(*case), case


def test_products_of_deltas_on_cortex_m0plus_equal_the_models(tmp_path: Path) -> None:
    write(frontend_code.generate(DEFAULT, "a test"), tmp_path)
    write(runtime_sources("fixed_point", "frontend"), tmp_path)
    shutil.copy(C / "deltas_main.c", tmp_path)
    image = EmulatedImage(tmp_path, "mps2-an385", flags=CORTEX_M0PLUS)
    reciprocals = np.array([round(2**32 / (10 * units)) for units in (3, 5, 181, 32767)], "<i4")
    (tmp_path / "in.bin").write_bytes(reciprocals.tobytes())
    image.execute("in.bin", "tenths.bin", "seconds.bin")
    tenths = np.frombuffer((tmp_path / "tenths.bin").read_bytes(), "<i4")
    assert np.array_equal(tenths, fixed._tenth(np.arange(-6 << 15, (6 << 15) + 1)))
    seconds = np.frombuffer((tmp_path / "seconds.bin").read_bytes(), "<i4")
    x = np.arange(-117966, 117966 + 1, 331)
    expected = [fixed._multiply_high(x, int(reciprocal)) - 7 for reciprocal in reciprocals]
    assert np.array_equal(seconds.reshape(len(reciprocals), -1), expected)
