"""The screen, by the pilot of Textual: what it shows, its keys, and terminals of any size."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

pytest.importorskip("textual")
from textual.app import App
from textual.pilot import Pilot

from asc_tiny.monitor import picture
from asc_tiny.monitor.state import State, Wanted
from asc_tiny.monitor.terminal.heat import Heat
from asc_tiny.monitor.terminal.screen import MonitorScreen
from support.patience import PATIENCE_S
from support.watched import connected, counted, decided, heard, hostile, lost, state


def board() -> State:
    """A board that is well, but not the one that was wanted."""
    events = [connected(), *(heard(place // 4, place % 4) for place in (*range(10), 13, 14))]
    events += [decided(3, (0, 64), missed=2), counted(stack_bytes=1432, hop_ticks=1500)]
    return state(events, wanted=Wanted("m.tflite", "ef" * 32, None))


def played(
    screen: MonitorScreen,
    play: Callable[[Pilot[None]], Awaitable[None]] | None = None,
    *,
    size: tuple[int, int] = (80, 24),
) -> str:
    """Return the text of a screen of so many columns and lines, after ``play``."""

    async def run() -> str:
        async with screen.run_test(size=size) as pilot:
            await pilot.pause()
            if play is not None:
                await play(pilot)
            await pilot.pause()
            return text_of(screen)

    return asyncio.run(run())


async def until(pilot: Pilot[None], text: str) -> None:
    """Wait until a text is shown, which comes within a period of the screen."""
    hang = time.monotonic() + PATIENCE_S
    while text not in text_of(pilot.app):
        assert time.monotonic() < hang
        await pilot.pause(0.05)


def text_of(screen: App[None]) -> str:
    strips = screen.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips)


def test_what_is_shown() -> None:
    text = played(MonitorScreen(board(), "http://127.0.0.1:1/"))
    assert "connected since" in text and "COM3  model abababababab" in text
    assert "the device runs another model: abababababab, the file is efefefefefef" in text
    for title in ("Spectrogram", "Scores", "Decisions", "Losses", "Stack and timing"):
        assert f"─ {title} ─" in text
    (bar,) = (line for line in text.splitlines() if "0.750" in line)
    assert "dog" in bar and "████" in bar
    assert "window 3" in text and "decisions missed" in text and "columns missing" in text
    assert "stack used " in text and " 1,432 B" in text and "1.50 ms" in text
    assert "band 15" in text and "-128 ▀▀" in text and "127 int8 code" in text
    # Two letters of levels, and a gap of 3 columns that has a letter of its own with a zoom of 1.
    assert "▀" in text
    assert "q Quit" in text and "? Help" in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_it_is_live() -> None:
    watched = board()

    async def play(pilot: Pilot[None]) -> None:
        watched.take(lost("pulled out"))
        await until(pilot, "trying again: pulled out")
        watched.take(connected(restart=True))
        watched.take(decided(0, (99, 0)))
        await until(pilot, "window 0")

    text = played(MonitorScreen(watched), play)
    assert "connected since" in text and "rain" in text and "restarts" in text


def test_a_pause_stops_the_picture_alone() -> None:
    watched = board()
    screen = MonitorScreen(watched)

    async def play(pilot: Pilot[None]) -> None:
        await pilot.press("p")
        watched.take(decided(4, (99, 0)))
        watched.take(heard(3, 3))
        screen._tick()
        assert "PAUSED" in text_of(screen) and "window 3" in text_of(screen)
        before = screen.query_one(Heat).place
        await pilot.press("p")
        assert screen.query_one(Heat).place == (before[0], before[1] + 1)

    text = played(screen, play)
    assert "PAUSED" not in text and "window 4" in text


def test_zoom_and_help() -> None:
    screen = MonitorScreen(board())

    async def play(pilot: Pilot[None]) -> None:
        assert "╱" not in text_of(screen).replace("╱ not received", "")
        await pilot.press("plus", "plus", "plus")
        assert screen.query_one(Heat).zoom == 1
        lines = text_of(screen).splitlines()
        assert any("▀▀╱╱╱▀▀" in line for line in lines)
        await pilot.press("minus")
        assert screen.query_one(Heat).zoom == 2
        await pilot.press("question_mark")
        assert "any key closes it" in text_of(screen)
        await pilot.press("x")

    assert "any key closes it" not in played(screen, play)


def test_a_picture_is_saved_beside_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(picture, "write", lambda path, *rest: path.write_text(rest[1]))
    Path("monitor-1.png").touch()
    screen = MonitorScreen(board())

    async def play(pilot: Pilot[None]) -> None:
        await pilot.press("s")
        await screen.workers.wait_for_complete()
        assert [each.message for each in screen._notifications] == ["saved monitor-2.png"]

    played(screen, play)
    assert Path("monitor-2.png").read_text().startswith("what the board on COM3 computes")


@pytest.mark.parametrize(
    ("key", "number"), [("q", None), ("ctrl+c", signal.SIGINT)], ids=["q", "ctrl-c"]
)
def test_how_it_ends(key: str, number: int | None) -> None:
    screen = MonitorScreen(board())

    async def play(pilot: Pilot[None]) -> None:
        await pilot.press(key)

    played(screen, play)
    assert screen.signal == number and screen.fault is None


@pytest.mark.parametrize("size", [(20, 5), (40, 16), (60, 18), (200, 60), (3, 2)])
def test_any_size(size: tuple[int, int]) -> None:
    async def play(pilot: Pilot[None]) -> None:
        await pilot.resize_terminal(*size)
        await pilot.pause()

    text = played(MonitorScreen(board()), play)
    assert len(text.splitlines()) <= size[1]
    assert all(len(line) <= size[0] for line in text.splitlines())
    if size[0] >= 20:
        assert "dog" in text and "0.750" in text


def test_names_are_letters_only() -> None:
    screen = MonitorScreen(hostile())
    text = played(screen, size=(100, 30))
    assert screen.fault is None
    assert "\x1b" not in text and "\x07" not in text and "\u202e" not in text
    assert "[bold]x[/]" in text and "<img src=x" in text
    assert "lost since" in text


def test_before_the_board_has_said_anything() -> None:
    text = played(MonitorScreen(State("COM3")))
    assert "waiting for the board" in text and "no decision yet" in text
    assert "no column has come yet" in text


@pytest.mark.parametrize(
    ("name", "value", "letters"), [("NO_COLOR", "1", "█"), ("TEXTUAL_COLOR_SYSTEM", "", "▀")]
)
def test_without_colors_there_are_shadings(
    name: str, value: str, letters: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert letters in played(MonitorScreen(board())).split("Decisions")[0]


def test_a_fault_is_no_page_of_its_own() -> None:
    screen = MonitorScreen(board())

    async def play(pilot: Pilot[None]) -> None:
        screen._handle_exception(ValueError("broken"))

    with pytest.raises(ValueError, match="broken"):
        played(screen, play)
    assert isinstance(screen.fault, ValueError) and not screen._exit_renderables


def test_a_line_whose_reading_fails_ends_it() -> None:
    async def play(pilot: Pilot[None]) -> None:
        screen._tick()

    screen = MonitorScreen(board(), None, lambda: ValueError("broken"))
    played(screen, play)
    assert screen._exit
