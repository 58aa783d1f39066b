"""``asc-tiny monitor``: what a board hears, live."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from contextlib import closing
from datetime import datetime, timezone
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from asc_tiny import api
from asc_tiny.cli.help_text import examples
from asc_tiny.cli.options import PATH, baud_option, port_option, signals_option
from asc_tiny.cli.streams import say
from asc_tiny.util.console_text import printable
from asc_tiny.util.errors import AscError
from asc_tiny.util.interrupts import held

if TYPE_CHECKING:
    from asc_tiny.frontend.config import FrontEndConfig
    from asc_tiny.model.ensemble import Model
    from asc_tiny.targets.device.messages import Info
    from asc_tiny.targets.device.monitor import Connected, Decided, Event, Shown


@click.command(
    short_help="Show a board's decisions as it makes them.",
    epilog=examples("monitor --port /dev/ttyACM0 --model model.tflite"),
)
@port_option(required=True)
@baud_option
@signals_option
@click.option("--model", type=PATH, help="Warn unless the device runs this model.")
@click.option("--count", type=click.IntRange(1), help="Stop after that many decisions.")
@click.option("--plot", type=PATH, help="Write the spectrogram that the board computes (.png).")
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON per event.")
def command(
    port: str,
    baud: int,
    signals: str,
    model: Path | None,
    count: int | None,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Show a board's decisions as it makes them, until interrupted.

    The line is opened again whenever it is lost, as when the board is reset. The spectrogram of
    --plot is written at the end; columns that the line was too slow for are gaps.
    """
    from asc_tiny.decision.config import UNKNOWN
    from asc_tiny.targets.device.line import Settings, open_line
    from asc_tiny.targets.device.monitor import watch

    loaded = api.load_model(model) if model else None
    wanted = loaded.sha256 if loaded else None
    settings = Settings(baud, signals)
    watched = watch(lambda: open_line(port, settings), unknown=UNKNOWN, columns=plot is not None)
    with closing(_plotted(watched, plot, loaded)) as events:
        shown = _until(events, count)
        if as_json:
            _print_lines(shown, wanted)
        else:
            _show(shown, wanted)


def _until(events: Iterator[Event], count: int | None) -> Iterator[Shown]:
    """Yield what is to be shown up to the ``count``-th decision."""
    from asc_tiny.targets.device.monitor import Decided, Heard

    decisions = 0
    for event in events:
        if isinstance(event, Heard):
            continue
        yield event
        decisions += isinstance(event, Decided)
        if decisions == count:
            return


def _plotted(
    events: Iterator[Event], path: Path | None, model: Model | None
) -> Generator[Event, None, None]:
    """Yield all events; write the spectrogram of their columns when no more are wanted."""
    from asc_tiny.targets.device.monitor import Connected, Heard
    from asc_tiny.targets.device.spectrogram import Spectrogram

    if path is not None and path.suffix != ".png":
        raise AscError(f"{path}: --plot writes .png files")
    spectrogram: Spectrogram | None = None
    title, config = "", None
    try:
        for event in events:
            if isinstance(event, Connected):
                running = event.provenance.model_sha256
                title = f"what the board computes, model {running[:12]}"
                if model is not None and model.sha256 == running:
                    title = f"what the board computes, {printable(model.path.name)}"
                    config = _front_end(model)
                spectrogram = spectrogram or Spectrogram(event.info.columns)
            elif isinstance(event, Heard) and spectrogram is not None:
                spectrogram.add(event.column)
            yield event
    finally:
        if path is not None and spectrogram is not None:
            spectrogram.write(path, title, config)


def _front_end(model: Model) -> FrontEndConfig | None:
    """Return the front end in a model's file, None if it holds none."""
    try:
        return api.frontends(model)[0]
    except AscError:
        return None


def _warning(connected: Connected, wanted: str | None) -> str | None:
    found = connected.provenance.model_sha256
    if wanted is None or found == wanted:
        return None
    return f"the device runs another model: {found[:12]}, the file is {wanted[:12]}"


def _print_lines(events: Iterator[Shown], wanted: str | None) -> None:
    from asc_tiny.targets.device.monitor import Connected, Lost

    info: Info | None = None
    labels: tuple[str, ...] = ()
    for event in events:
        if isinstance(event, Connected):
            info, labels = event.info, event.provenance.labels
            row: dict[str, object] = {
                "event": "connected",
                "restarted": event.is_restart,
                "model_sha256": event.provenance.model_sha256,
                "labels": list(labels),
            }
            if wanted is not None:
                row["same_model"] = event.provenance.model_sha256 == wanted
            _warn(event, wanted)
        elif isinstance(event, Lost):
            row = {"event": "lost", "reason": event.reason}
        else:
            assert info is not None
            row = _decision_row(event, info, labels)
        click.echo(json.dumps({"schema": 1, "time": _utc(event.time), **row}))


def _decision_row(event: Decided, info: Info, labels: tuple[str, ...]) -> dict[str, object]:
    return {
        "event": "decision",
        "window": event.result.window,
        "label": event.label,
        "scores": dict(zip(labels, info.scores(event.result.scores), strict=True)),
        "smoothed": dict(zip(labels, info.scores(event.result.smoothed), strict=True)),
        "missed": event.missed,
    }


def _warn(connected: Connected, wanted: str | None) -> None:
    warning = _warning(connected, wanted)
    if warning:
        say(f"asc-tiny: {warning}", err=True)


def _show(events: Iterator[Shown], wanted: str | None) -> None:
    """Draw bars and history where there is a terminal, lines elsewhere."""
    import sys

    if not sys.stdout.isatty():
        _print_text(events, wanted)
        return
    try:
        from rich.live import Live
    except ImportError:
        raise AscError("monitor on a terminal needs rich; pip install 'asc-tiny[flash]'") from None
    from asc_tiny.cli.screen import Screen

    screen = Screen()
    live = Live(screen.draw(), auto_refresh=False)
    try:
        # It would not give the cursor back if it were interrupted at its start.
        with held():
            live.start()
        for event in events:
            screen.add(event, lambda connected: _warning(connected, wanted))
            live.update(screen.draw(), refresh=True)
    finally:
        live.stop()


def _print_text(events: Iterator[Shown], wanted: str | None) -> None:
    from asc_tiny.targets.device.monitor import Connected, Lost

    info: Info | None = None
    labels: tuple[str, ...] = ()
    for event in events:
        if isinstance(event, Connected):
            info, labels = event.info, event.provenance.labels
            what = "restarted" if event.is_restart else "connected"
            model = event.provenance.model_sha256[:12]
            say(f"{_clock(event.time)}  {what}: model {model}, {len(labels)} labels")
            _warn(event, wanted)
        elif isinstance(event, Lost):
            say(f"{_clock(event.time)}  lost: {event.reason}")
        else:
            assert info is not None
            scores = zip(info.scores(event.result.smoothed), labels, strict=True)
            best = islice(sorted(scores, reverse=True), 3)
            texts = ", ".join(f"{label} {score:.3f}" for score, label in best)
            missed = f" ({event.missed} missed)" if event.missed else ""
            number = f"{event.result.window:>7}"
            say(f"{_clock(event.time)} {number}  {event.label:<20} {texts}{missed}")


def _utc(seconds: float) -> str:
    """Return a time as ISO 8601 writes it, in UTC with milliseconds."""
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds")


def _clock(seconds: float) -> str:
    """Return what a clock here shows at a time."""
    return datetime.fromtimestamp(seconds).strftime("%H:%M:%S")
