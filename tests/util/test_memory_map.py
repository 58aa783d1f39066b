"""Memory plans for people: the peak against plans made by hand, pictures that repeat."""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree

import pytest

from asc_tiny.compiler.planner.memory_map import memory_map as ahead_of_time_map
from asc_tiny.firmware.network.compiled import compile_network
from asc_tiny.model.model_file import load
from asc_tiny.tflm.arena import arena
from asc_tiny.tflm.memory_map import memory_map
from asc_tiny.util.memory_map import Block, MemoryMap, to_text
from asc_tiny.util.memory_plot import draw
from support.paths import MODELS

# A lies below B, C takes A's place, D needs more than A's place: a gap of 40 bytes stays.
BY_HAND = MemoryMap(
    "plan",
    [
        Block("A", 0, 60, 0, 1),
        Block("B", 60, 40, 1, 2),
        Block("C", 0, 20, 2, 3),
        Block("D", 60, 50, 3, 3),
        Block("unused", 0, 8, -1, -1),
    ],
    ["first", "second", "third", "fourth"],
)


def test_peak_by_hand() -> None:
    assert BY_HAND.size == 110
    assert BY_HAND.live == [60, 100, 60, 70]
    assert BY_HAND.peak == 3
    assert [block.name for block in BY_HAND.peak_blocks] == ["C", "D"]
    assert BY_HAND.summary == "110 bytes, set by fourth: 70 bytes in use there, 40 in gaps"


def test_text_by_hand() -> None:
    assert to_text(BY_HAND).splitlines() == [
        "plan: 110 bytes, set by fourth: 70 bytes in use there, 40 in gaps",
        "  (* exists at the peak)",
        "  offset  size  first  last  life  what",
        "       0     8      -     -  ....    unused",
        "       0    60      0     1  ##..    A",
        "       0    20      2     3  ..##  * C",
        "      60    40      1     2  .##.    B",
        "      60    50      3     3  ...#  * D",
    ]


def test_empty_plan() -> None:
    assert to_text(MemoryMap("empty", [], [])).startswith("empty: 0 bytes")


def test_maps_of_a_released_model() -> None:
    """The size is that of the plan; what exists at the peak fills it without overlaps."""
    model = load(MODELS / "mini_segnet_esc10.tflite")
    compiled = compile_network(model)
    for memory, size in (
        (memory_map(model.graph), arena([model.graph]).head),
        (ahead_of_time_map(compiled), compiled.arena.size),
    ):
        assert memory.size == size
        blocks = memory.peak_blocks
        assert all(one.end <= other.offset for one, other in pairwise(blocks))
    # The layer with the largest sum of input and output.
    assert "set by 11 CONV_2D" in memory_map(model.graph).summary


def test_pictures_repeat() -> None:
    pytest.importorskip("matplotlib")
    text = draw([BY_HAND], "svg")
    assert text == draw([BY_HAND], "svg")
    ElementTree.fromstring(text)
    assert b"<dc:date>" not in text
    image = draw([BY_HAND, BY_HAND], "png")
    assert image.startswith(b"\x89PNG")
    assert image == draw([BY_HAND, BY_HAND], "png")
