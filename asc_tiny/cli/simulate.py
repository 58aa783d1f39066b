"""``asc-tiny simulate``: recordings of any length through the project's board."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from asc_tiny import api
from asc_tiny.cli.help_text import examples
from asc_tiny.cli.main import print_json
from asc_tiny.cli.options import (
    PATH,
    json_option,
    load_classifier,
    project_argument,
    resample_option,
    warn,
)
from asc_tiny.cli.streams import say
from asc_tiny.util.console_text import printable
from asc_tiny.util.errors import AscError

if TYPE_CHECKING:
    from asc_tiny.frontend.arrays import Samples
    from asc_tiny.frontend.config import FrontEndConfig

_BLOCK_S = 0.1
_STDIN = Path("-")


@click.command(
    short_help="Stream long recordings through a built project.",
    epilog=examples("simulate firmware recording.wav --out decisions"),
)
@project_argument
@click.argument("wavs", metavar="WAV...", type=PATH, nargs=-1, required=True)
@click.option("--out", type=PATH, required=True, help="Folder for the timelines.")
@click.option("--real-time", is_flag=True, help="Play no faster than the recording.")
@resample_option
@json_option
def command(
    folder: Path, wavs: Sequence[Path], out: Path, real_time: bool, resample: bool, as_json: bool
) -> None:
    """Stream audio files through the built project in DIR, on its board.

    Each WAV gives three files in the folder --out: a table of decisions (.csv), labels that
    Audacity opens (.txt) and a picture (.png) of waveform,
    scores and decisions. The WAV - is raw little-endian samples from standard
    input, mono, of the model's rate and bits (32 bits each where it takes 24); they give stdin.csv
    and so on when they end or are interrupted.
    """
    from asc_tiny.decision.config import UNKNOWN
    from asc_tiny.targets.emulator.thinned import Waveform
    from asc_tiny.targets.emulator.timeline import Timeline
    from asc_tiny.util import progress

    _check_names(wavs)
    target = load_classifier(folder)
    config = target.frontend
    unknown = () if target.decision.threshold is None else (UNKNOWN,)
    rows = []
    for wav in wavs:
        name, seconds, blocks = _source(wav, config, resample)
        bar = progress.bar(seconds, printable(name), "s", stays=True)
        waveform = Waveform(config.sample_rate, 1 << (8 * config.sample_type().itemsize - 1))
        title = f"{name}, {folder.name} on {target.board.name}"
        timeline = Timeline(out / name, (*target.labels, *unknown), title, waveform)
        decisions = api.simulate(target, waveform.heard(blocks), real_time=real_time)
        with bar, timeline, _until_interrupted(wav), closing(decisions):
            for decision in decisions:
                timeline.add(decision)
                bar.update(decision.end - bar.n)
        row = {"wav": str(wav), "seconds": seconds, "decisions": timeline.decisions}
        rows.append(row)
        if not as_json:
            say(f"{wav}: {timeline.decisions} decisions, {len(timeline.segments)} segments")
    if as_json:
        print_json({"board": target.board.name, "out": str(out), "files": rows})
    else:
        say(f"wrote {out}")


def _source(
    wav: Path, config: FrontEndConfig, resample: bool
) -> tuple[str, float | None, Iterable[Samples]]:
    """Return the name of a source's timeline, its length in seconds if it has one, its samples."""
    from asc_tiny.audio.clips import clip_info, stream_pcm
    from asc_tiny.audio.raw import raw_pcm

    block = int(_BLOCK_S * config.sample_rate)
    if wav == _STDIN:
        if resample:
            raise AscError("-: raw samples have no rate to convert from; leave --resample out")
        return "stdin", None, raw_pcm(sys.stdin.buffer, block=block, bits=config.sample_bits)
    info = clip_info(wav)
    blocks = stream_pcm(
        wav,
        config.sample_rate,
        block=block,
        bits=config.sample_bits,
        resample=resample,
        warn=warn,
    )
    return wav.stem, info.frames / info.rate, blocks


@contextmanager
def _until_interrupted(wav: Path) -> Iterator[None]:
    """End at an interrupt if what is simulated has no end of its own."""
    try:
        yield
    except KeyboardInterrupt:
        if wav != _STDIN:
            raise


def _check_names(wavs: Sequence[Path]) -> None:
    names: dict[str, Path] = {}
    for wav in wavs:
        if wav.stem in names:
            raise AscError(f"{wav}: has the name of {names[wav.stem]}; their timelines would too")
        names[wav.stem] = wav
