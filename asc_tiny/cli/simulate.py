"""``asc-tiny simulate``: recordings of any length through the project's board."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from asc_tiny.cli.main import print_json
from asc_tiny.cli.options import PATH, json_option, project_argument, resample_option
from asc_tiny.errors import AscError

_BLOCK_S = 0.1


@click.command()
@project_argument
@click.argument("wavs", metavar="WAV...", type=PATH, nargs=-1, required=True)
@click.option("--out", type=PATH, required=True, help="Folder for the timelines.")
@click.option("--real-time", is_flag=True, help="No faster than the recording.")
@resample_option
@json_option
def command(
    folder: Path, wavs: Sequence[Path], out: Path, real_time: bool, resample: bool, as_json: bool
) -> None:
    """Stream audio files through the built project in DIR, on its board.

    Each WAV gives three files in the folder --out: a table of decisions (.csv), labels that
    Audacity opens (.txt) and a picture (.png).
    """
    from tqdm import tqdm

    from asc_tiny.audio.clips import clip_info, stream_pcm
    from asc_tiny.decision.config import UNKNOWN
    from asc_tiny.targets import project
    from asc_tiny.targets.simulate import simulate
    from asc_tiny.targets.timeline import Timeline

    _check_names(wavs)
    target = project.load(folder)
    config = target.frontend
    unknown = () if target.decision.threshold is None else (UNKNOWN,)
    rows = []
    for wav in wavs:
        info = clip_info(wav)
        blocks = stream_pcm(
            wav,
            config.sample_rate,
            block=int(_BLOCK_S * config.sample_rate),
            bits=config.sample_bits,
            resample=resample,
        )
        bar = tqdm(total=round(info.frames / info.rate, 1), desc=wav.name, unit="s", disable=None)
        with bar, Timeline(out / wav.stem, (*target.labels, *unknown)) as timeline:
            for decision in simulate(target, blocks, real_time=real_time):
                timeline.add(decision)
                bar.update(decision.end - bar.n)
        seconds = info.frames / info.rate
        row = {"wav": str(wav), "seconds": seconds, "decisions": timeline.decisions}
        rows.append(row)
        if not as_json:
            click.echo(f"{wav}: {timeline.decisions} decisions, {len(timeline.segments)} segments")
    if as_json:
        print_json({"board": target.board.name, "out": str(out), "files": rows})
    else:
        click.echo(f"wrote {out}")


def _check_names(wavs: Sequence[Path]) -> None:
    names: dict[str, Path] = {}
    for wav in wavs:
        if wav.stem in names:
            raise AscError(f"{wav}: has the name of {names[wav.stem]}; their timelines would too")
        names[wav.stem] = wav
