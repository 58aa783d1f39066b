"""``asc-tiny monitor``: what a board hears, live."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from asc_tiny import api
from asc_tiny.cli.help_text import examples
from asc_tiny.cli.options import PATH, baud_option, port_option, signals_option
from asc_tiny.cli.streams import say
from asc_tiny.util.errors import AscError

if TYPE_CHECKING:
    from asc_tiny.monitor.reader import Stop
    from asc_tiny.monitor.state import State, Wanted
    from asc_tiny.targets.device.monitor import Event

DEFAULT_ADDRESS = "127.0.0.1:8765"


@click.command(
    short_help="Show a board's decisions as it makes them.",
    epilog=examples(
        "monitor --port /dev/ttyACM0 --model model.tflite",
        "monitor --port /dev/ttyACM0 --web",
        "monitor --port COM3 --json",
        "monitor --port /dev/ttyACM0 --model model.tflite --count 60 --plot heard.png",
    ),
)
@port_option(required=True)
@baud_option
@signals_option
@click.option("--model", type=PATH, help="Warn unless the device runs this model.")
@click.option("--count", type=click.IntRange(1), help="Stop after that many decisions.")
@click.option("--plot", type=PATH, help="Write the spectrogram that the board computes (.png).")
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON per event.")
@click.option("--no-screen", is_flag=True, help="Print lines on a terminal, too.")
@click.option(
    "--web",
    metavar="[HOST:PORT]",
    is_flag=False,
    flag_value=DEFAULT_ADDRESS,
    help=f"Show it in browsers as well, at this address of this computer.  [{DEFAULT_ADDRESS}]",
)
@click.option("--expose", is_flag=True, help="Let --web be reached from other computers.")
def command(
    port: str,
    baud: int,
    signals: str,
    model: Path | None,
    count: int | None,
    plot: Path | None,
    as_json: bool,
    no_screen: bool,
    web: str | None,
    expose: bool,
) -> None:
    """Show a board's decisions as it makes them, until interrupted.

    On a terminal this is a screen with spectrogram, scores, history, losses, stack and timing; q
    quits, ? shows the other keys. Elsewhere, and with --count, --json or --no-screen, each event is
    a line.

    The line is opened again whenever it is lost, as when the board is reset. The spectrogram of
    --plot is written at the end; columns that the line was too slow for are gaps.
    """
    from asc_tiny.decision.config import UNKNOWN
    from asc_tiny.monitor import picture
    from asc_tiny.monitor.reader import Stop
    from asc_tiny.monitor.state import State
    from asc_tiny.targets.device.line import Settings, open_line
    from asc_tiny.targets.device.monitor import watch

    if plot is not None:
        picture.check(plot)
    if expose and web is None:
        raise AscError("--expose is for --web")
    wanted = _wanted(model)
    is_screen = not (as_json or no_screen or count) and _is_terminal()
    if is_screen:
        _check_screen()
    state, stop = State(port, wanted), Stop()
    settings = Settings(baud, signals)
    connect = stop.lines(lambda: open_line(port, settings))
    with ExitStack() as at_end:
        url = None if web is None else _serve(at_end, state, web, expose)
        is_looked_at = is_screen or web is not None
        events = watch(
            connect,
            unknown=UNKNOWN,
            columns=is_looked_at or plot is not None,
            counters=is_looked_at,
        )
        at_end.callback(_end, events, state, plot)
        if is_screen:
            _show(events, state, stop, url)
        else:
            _print(events, state, count, as_json, compares=wanted is not None)


def _wanted(model: Path | None) -> Wanted | None:
    """Return what is known of the model that the board is to run."""
    from asc_tiny.monitor.state import Wanted

    if model is None:
        return None
    loaded = api.load_model(model)
    try:
        frontend = api.frontends(loaded)[0]
    except AscError:
        frontend = None
    return Wanted(loaded.path.name, loaded.sha256, frontend)


def _is_terminal() -> bool:
    """Return whether a screen can be drawn: Textual reads standard input and draws on error."""
    streams = (sys.__stdin__, sys.stdout, sys.__stderr__)
    is_all = all(stream is not None and stream.isatty() for stream in streams)
    return is_all and os.environ.get("TERM", "") not in ("dumb", "unknown")


def _check_screen() -> None:
    try:
        import textual  # noqa: F401 (whether it is there)
    except ImportError:
        raise AscError(
            "the screen needs textual: pip install 'asc-tiny[flash]', or --no-screen for lines"
        ) from None


def _serve(at_end: ExitStack, state: State, address: str, expose: bool) -> str:
    """Serve the state to browsers until the end; return the address of the page."""
    from asc_tiny.monitor.web import server

    url = at_end.enter_context(server.serving(state, address, exposed=expose))
    if expose:
        say("warning: --expose: whoever reaches this address sees what the board hears", err=True)
    say(f"asc-tiny: {url} shows it in a browser", err=True)
    return url


def _end(events: Iterator[Event], state: State, plot: Path | None) -> None:
    """Give the line back, and write the picture if a board has answered."""
    from asc_tiny.monitor import picture

    close = getattr(events, "close", None)
    if close is not None:
        close()
    if plot is not None and state.snapshot().connected is not None:
        codes, scale = state.picture()
        picture.write(plot, codes, state.title(), scale)


def _print(
    events: Iterator[Event], state: State, count: int | None, as_json: bool, *, compares: bool
) -> None:
    """Print events as lines up to the ``count``-th decision."""
    from asc_tiny.monitor import lines
    from asc_tiny.targets.device.monitor import Connected, Counted, Decided, Heard

    decisions = 0
    for event in events:
        state.take(event)
        if isinstance(event, Heard | Counted):
            continue
        now = state.snapshot()
        if as_json:
            click.echo(lines.document(event, now, compares=compares))
        else:
            say(lines.text(event, now))
        if isinstance(event, Connected) and now.warning:
            say(f"asc-tiny: {now.warning}", err=True)
        decisions += isinstance(event, Decided)
        if decisions == count:
            return


def _show(events: Iterator[Event], state: State, stop: Stop, url: str | None) -> None:
    """Draw the state on the whole terminal while another thread reads the line."""
    from asc_tiny.monitor.reader import Reader
    from asc_tiny.monitor.terminal import screen

    # What cannot be opened, or does not answer, is told before the screen is drawn.
    state.take(next(events))
    reader = Reader(events, state, stop)
    reader.start()
    try:
        screen.show(state, url, lambda: reader.fault)
    finally:
        reader.end()
    if reader.fault is not None:
        raise reader.fault
