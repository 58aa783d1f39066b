"""The full-screen application: draws a state ten times a second until a key or a signal ends it."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import ModalScreen
from textual.widgets import Footer, Static

from asc_tiny.monitor import picture, rows
from asc_tiny.monitor.state import Snapshot, State
from asc_tiny.monitor.terminal import panels
from asc_tiny.monitor.terminal.heat import Heat
from asc_tiny.util import interrupts
from asc_tiny.util.console_text import printable
from asc_tiny.util.errors import AscError
from asc_tiny.util.interrupts import Interrupt

_PERIOD_S = 0.1
_MOST_PICTURES = 1000

_HELP = """\
q, Ctrl-C   quit
p, space    stop the picture; the board is still listened to
s           save the spectrogram as monitor-1.png, monitor-2.png, ...
+ and -     show less time or more
?           this page; any key closes it

The spectrogram is what the board computes. What the line was too slow for
is hatched, and counts as columns missing; the board has heard it. With
--model FILE there are hertz, seconds and dB.

Scores are smoothed by the board. Audio blocks lost: the board did not hear
them. Times of a hop and of a column are the longest since the last reset,
that of a window is the latest."""


def show(state: State, url: str | None, fault: Callable[[], BaseException | None]) -> None:
    """Show a state on the terminal until the user quits.

    Args:
        state: what is shown.
        url: where it is shown as well, None for nowhere.
        fault: returns what ended the reading of the line, None while it goes on.

    Raises:
        Interrupt: a signal or Ctrl-C ended it.
    """
    screen = MonitorScreen(state, url, fault)
    with _drawn_on_standard_error(), interrupts.handed_to(screen.interrupt):
        screen.run()
    if screen.fault is not None:
        raise screen.fault
    if screen.signal is not None:
        raise Interrupt(screen.signal)


@contextmanager
def _drawn_on_standard_error() -> Iterator[None]:
    """Let Textual draw on the program's own stream, where a terminal that is closed is no error.

    It would end the thread that writes, and what wants to write would wait for that for ever.
    """
    before = sys.__stderr__
    setattr(sys, "__stderr__", sys.stderr)  # noqa: B010 (typed as final)
    try:
        yield
    finally:
        setattr(sys, "__stderr__", before)  # noqa: B010


class _Help(ModalScreen[None]):
    """What the keys do."""

    def compose(self) -> ComposeResult:
        """Return what is in it."""
        yield Static(_HELP, markup=False, id="help")

    def on_key(self) -> None:
        """Close it."""
        self.dismiss()


class MonitorScreen(App[None]):
    """The screen.

    Args:
        state: what is shown.
        url: where it is shown as well, None for nowhere.
        reader_fault: returns what ended the reading of the line, None while it goes on.

    Attributes:
        fault: what went wrong in here, None if nothing did.
        signal: number of the signal that ended it, None if none did.
    """

    TITLE = "asc-tiny monitor"
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (60, "-wide")]  # noqa: RUF012 (as Textual has it)
    VERTICAL_BREAKPOINTS = [(0, "-low"), (8, "-middle"), (18, "-high")]  # noqa: RUF012
    CSS = """
    #heading { height: 1; }
    #warning { height: auto; max-height: 2; color: $text-error; display: none; }
    #upper { height: 1fr; }
    #lower { height: 9; }
    .panel { border: round $primary; padding: 0 1; height: 100%; }
    #heat { width: 1fr; border: round $primary; }
    #scores { width: 38%; min-width: 30; }
    #history { width: 26; }
    #losses { width: 1fr; }
    #costs { width: 30; }
    .-narrow #heat, .-narrow #losses, .-narrow #costs { display: none; }
    .-narrow #history, .-narrow #scores { width: 1fr; }
    .-low #lower, .-middle #lower { display: none; }
    .-low .panel { border: none; padding: 0; }
    .-low Footer { display: none; }
    .-low #warning { max-height: 1; }
    _Help { align: center middle; }
    #help { width: auto; height: auto; max-width: 100%; border: round $primary; padding: 1 2; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit"),
        Binding("p,space", "pause", "Pause"),
        Binding("s", "save", "Save picture"),
        Binding("plus,equals_sign", "zoom(-1)", "+/- Zoom", key_display=""),
        Binding("minus", "zoom(1)", show=False),
        Binding("question_mark,h", "help", "Help", key_display="?"),
        Binding("ctrl+c", "interrupt", show=False, priority=True),
    ]

    def __init__(
        self,
        state: State,
        url: str | None = None,
        reader_fault: Callable[[], BaseException | None] = lambda: None,
    ) -> None:
        super().__init__()
        self.fault: Exception | None = None
        self.signal: int | None = None
        self._state, self._url, self._reader_fault = state, url, reader_fault
        self._shown = state.snapshot()
        self._paused = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def compose(self) -> ComposeResult:
        """Return what is on the screen."""
        yield Static(id="heading", markup=False)
        yield Static(id="warning", markup=False)
        with Horizontal(id="upper"):
            yield Heat()
            yield Static(id="scores", classes="panel", markup=False)
        with Horizontal(id="lower"):
            yield Static(id="history", classes="panel", markup=False)
            yield Static(id="losses", classes="panel", markup=False)
            yield Static(id="costs", classes="panel", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        """Begin to draw."""
        self._loop = asyncio.get_running_loop()
        titles = {
            "heat": "Spectrogram",
            "scores": "Scores",
            "history": "Decisions",
            "losses": "Losses",
            "costs": "Stack and timing",
        }
        for name, title in titles.items():
            self.query_one(f"#{name}").border_title = title
        self.set_interval(_PERIOD_S, self._tick)
        self.call_after_refresh(self._draw)
        if self.signal is not None:
            self.exit()

    def on_resize(self) -> None:
        """Use the new room, once it is given out."""
        self.call_after_refresh(self._draw)

    def _tick(self) -> None:
        if self._reader_fault() is not None:
            self.exit()
        now = self._state.snapshot()
        if self._paused or now.number == self._shown.number:
            return
        self._shown = now
        self._draw()

    def _draw(self) -> None:
        now = self._shown
        heat = self.screen_stack[0].query_one(Heat)
        if not self._paused:
            heat.take(self._state.columns(*heat.place), now.scale)
        self._write("heading", panels.heading(now, paused=self._paused, url=self._url))
        self._static("warning").display = now.warning is not None
        self._write("warning", Text(now.warning or ""))
        width, height = self._room("scores")
        self._write("scores", panels.scores(now, width, height))
        width, _ = self._room("history")
        self._write("history", panels.table(rows.history(now)[:100], width, empty="none yet"))
        self._draw_lower(now)

    def _draw_lower(self, now: Snapshot) -> None:
        width, height = self._room("losses")
        totals = [each for each in rows.totals(now) if each[1] not in ("0", "-")]
        latest = rows.losses(now)[: max(height - len(totals) - 1, 1)]
        text = panels.table(totals, width, empty="none")
        if latest:
            text.append("\n\n" if height > len(totals) + len(latest) else "\n")
            text.append_text(panels.table(latest, width))
        self._write("losses", text)
        width, _ = self._room("costs")
        found = rows.costs(now)
        self._write("costs", panels.table(found, width, empty="the board has told nothing"))

    def _static(self, name: str) -> Static:
        # Below the help, too.
        return self.screen_stack[0].query_one(f"#{name}", Static)

    def _write(self, name: str, text: Text) -> None:
        self._static(name).update(text)

    def _room(self, name: str) -> tuple[int, int]:
        size = self._static(name).content_size
        return size.width, size.height

    def action_pause(self) -> None:
        """Stop the picture, or let it go on with what has come meanwhile."""
        self._paused = not self._paused
        if not self._paused:
            self._shown = self._state.snapshot()
        self._draw()

    def action_zoom(self, step: int) -> None:
        """Show more time (1) or less (-1)."""
        self.screen_stack[0].query_one(Heat).change_zoom(step)

    def action_help(self) -> None:
        """Say what the keys do."""
        self.push_screen(_Help())

    def action_save(self) -> None:
        """Write the spectrogram to a file; a thread does it, as it takes a second."""
        self.run_worker(self._save, thread=True, exclusive=True)

    def _save(self) -> None:
        try:
            path = _free_name()
            codes, scale = self._state.picture()
            picture.write(path, codes, self._state.title(), scale)
        except AscError as error:
            self.notify(printable(str(error)), severity="error", markup=False)
        else:
            self.notify(f"saved {path}", markup=False)

    def action_interrupt(self) -> None:
        """End as by the signal of Ctrl-C, which the terminal hands on as a key."""
        self.interrupt(signal.SIGINT)

    def interrupt(self, number: int) -> None:
        """End by a signal, whatever is being done."""
        self.signal = number
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.exit)

    def _handle_exception(self, error: Exception) -> None:
        # Textual would print pages about it; the command says it in a line.
        self.fault = self.fault or error
        self._exception = self._exception or error
        self.exit(return_code=2)


def _free_name() -> Path:
    """Return the first name of a picture that is not taken."""
    names = (Path(f"monitor-{number}.png") for number in range(1, _MOST_PICTURES))
    for path in names:
        if not path.exists():
            return path
    raise AscError(f"monitor-1.png to monitor-{_MOST_PICTURES - 1}.png are there already")
