"""Architectures that people bring: what ``budget`` says of them, counted by others."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from pathlib import Path

import pytest

pytest.importorskip("tensorflow")
pytest.importorskip("tflite_micro")

import try_models

from asc_tiny.complexity.report import ModelComplexity, measure
from asc_tiny.tflite.reader import parse_graph
from support import keras_count
from support.architectures import (
    KERAS,
    QUICK,
    STREAMING,
    STREAMING_SHAPES,
    STREAMING_STATES,
    converted_by_defaults,
)
from support.recorded_arena import recorded

LARGE = (
    *("efficientnet_lite0", "mobilenet_v1_half", "mobilenet_v2_35", "mobilenet_v3_small"),
    *("mlperf_ad", "mlperf_ic", "mlperf_vww", "resnet_100", "yamnet_like"),
)
"""Those that take 10 to 30 seconds each; quicker tests have every operator of theirs, too."""


def marked(names: list[str], quick: Collection[str] = QUICK) -> list[object]:
    return [pytest.param(n, marks=() if n in quick else _mark(n)) for n in names]


def _mark(name: str) -> pytest.MarkDecorator:
    return pytest.mark.exhaustive if name in LARGE else pytest.mark.slow


def measured(name: str) -> ModelComplexity:
    return measure(parse_graph(converted_by_defaults(name), source=name))


@pytest.mark.parametrize("name", marked([*KERAS]))
def test_counts_are_those_of_the_layers(name: str) -> None:
    model, found = KERAS[name](), measured(name)
    assert found.params == keras_count.params(model)
    assert found.macs == keras_count.macs(model)


def test_counts_of_a_network_with_variables() -> None:
    """What a variable is set to at the start is in the file like any other value."""
    weights = list(map(math.prod, STREAMING_SHAPES))
    found = measured(STREAMING)
    assert found.params == sum(weights) + 32 + 32 + 48 + 3 + sum(map(math.prod, STREAMING_STATES))
    assert found.macs == sum(weights), "each frame makes one row of every layer"


@pytest.mark.parametrize("name", marked([*KERAS, STREAMING]))
def test_head_is_the_recorded_one(name: str) -> None:
    said = recorded(converted_by_defaults(name))
    (head,) = re.findall(r"Arena allocation head (\d+) bytes", said)
    assert measured(name).head_bytes == int(head)


def rows_of_the_tool(
    names: list[str], folder: Path, capsys: pytest.CaptureFixture[str], *options: str
) -> list[str]:
    """Return what ``tools/try_models`` prints of architectures, a line for each."""
    for name in names:
        (folder / f"{name}.tflite").write_bytes(converted_by_defaults(name))
    capsys.readouterr()  # what the converter printed
    assert try_models.main([str(folder), "--kept", str(folder / "kept"), *options]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].partition(": ")[2] == f"{len(names)} equal"
    return said[4:]


def test_a_network_with_variables_is_equal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows_of_the_tool([STREAMING], tmp_path, capsys)


@pytest.mark.qemu
@pytest.mark.parametrize("name", marked([*KERAS, STREAMING], quick=()))
def test_each_is_equal(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On this computer under sanitizers, and on an emulated core."""
    (row,) = rows_of_the_tool([name], tmp_path, capsys, "--emulated", "2")
    assert "2 on a Cortex-M4" in row
