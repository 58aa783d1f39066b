"""What ``monitor`` draws on a terminal."""

from __future__ import annotations

import io

import numpy as np
import pytest

from asc_tiny.firmware.provenance import Provenance
from asc_tiny.targets.device.messages import Info, Result
from asc_tiny.targets.device.monitor import Connected, Decided, Lost

pytest.importorskip("rich")
from rich.console import Console

from asc_tiny.cli.screen import Screen

LABELS = ("rain", "dog [bark]")
INFO = Info(256, 0, 256, 36, 3, 0, 2, 2, 0, 44100, -128, 1 / 256)


def drawn(screen: Screen) -> str:
    console = Console(file=io.StringIO(), width=100, force_terminal=False)
    console.print(screen.draw())
    return console.file.getvalue()


def decided(window: int, codes: tuple[int, int], missed: int = 0) -> Decided:
    scores = np.array(codes, np.int8)
    label = LABELS[int(scores.argmax())]
    return Decided(Result(window, int(scores.argmax()), scores, scores), label, missed, 0.0)


def test_bars_history_and_warnings() -> None:
    screen = Screen()
    assert "waiting" in drawn(screen)
    record = Provenance("ab" * 32, "cd" * 32, "0.1.0", "aot", "asc", LABELS)
    screen.add(
        Connected(INFO, record, False, 0.0), lambda connected: "the device runs another model"
    )
    assert "abababababab" in drawn(screen) and "runs another model" in drawn(screen)
    screen.add(decided(3, (64, -64)), lambda connected: None)
    screen.add(decided(6, (-128, 127), missed=2), lambda connected: None)
    text = drawn(screen)
    assert "window 6" in text and "2 decisions missed" in text
    assert "latest: rain > dog [bark]" in text
    # The bar of a score of 0.996 is as long as its column, that of 0 is empty.
    (rain,) = (line for line in text.splitlines() if "0.000" in line)
    (dog,) = (line for line in text.splitlines() if "0.996" in line)
    assert "rain" in rain and "dog [bark]" in dog
    assert dog.count("━") > 25 and dog != rain
    screen.add(Lost("the line is closed", 0.0), lambda connected: None)
    assert "line lost: the line is closed" in drawn(screen)


def test_a_restart_with_other_labels() -> None:
    screen = Screen()
    for labels in (LABELS, ("rain", "dog", "sea")):
        record = Provenance("ab" * 32, "cd" * 32, "0.1.0", "aot", "asc", labels)
        restarted = len(labels) == 3
        screen.add(Connected(INFO, record, restarted, 0.0), lambda connected: None)
        # Scores of other labels than those of now are not drawn beside them.
        assert "window" not in drawn(screen)
        if not restarted:
            screen.add(decided(3, (64, -64)), lambda connected: None)
    assert "1 restarts" in drawn(screen)
