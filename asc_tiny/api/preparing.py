"""Data sets made of recordings as people have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from asc_tiny.audio.clips import Warn
from asc_tiny.audio.cut import Cut
from asc_tiny.audio.layouts.listing import Options
from asc_tiny.audio.layouts.registry import LAYOUTS
from asc_tiny.audio.preparation import Prepared, Request, prepare
from asc_tiny.audio.prepare import FORMATS, Sound
from asc_tiny.audio.prepared import Split
from asc_tiny.util.errors import AscError

_RATES = range(4000, 192_001)


def prepare_dataset(
    source: Path | str,
    out: Path | str,
    *,
    layout: str = "",
    sample_rate: int = 44100,
    seconds: float = 1.0,
    hop: float | None = None,
    pad: bool = True,
    silence: float | None = None,
    quieter: float | None = None,
    channel: int = 0,
    peak: float | None = None,
    bits: int = 16,
    audio_format: str = "wav",
    split: Sequence[float] = (),
    folds: int = 0,
    seed: int = 0,
    cap: int | None = None,
    classes: Sequence[str] = (),
    others: str = "",
    group: str = "",
    device: str = "",
    columns: Mapping[str, str] | None = None,
    subset: str = "",
    background: str = "",
    licence: str = "",
    skip_unreadable: bool = False,
    jobs: int = 1,
    warn: Warn | None = None,
) -> Prepared:
    """Cut, convert and split recordings, and write a checked data set that ``train`` reads.

    Parameters
    ----------
    source
        Folder of recordings (wav, flac, ogg, mp3), or a table of them.
    out
        Folder of the data set, new or empty. What a killed or failed run has done is gone on with.
    layout
        ``folders``, ``csv``, ``audacity``, ``esc50``, ``esc10``, ``speech_commands`` or
        ``dcase``; empty to find it.
    sample_rate
        Samples per second of the clips, 4,000 to 192,000.
    seconds
        Length of a clip, up to 3,600 seconds.
    hop
        Seconds from the begin of a clip to that of the next one; ``seconds`` if None.
    pad
        Fill a recording or region shorter than a clip with zeros; else it gives no clip.
    silence
        Level in dBFS below which clips are left out; None keeps all. The level is that of the
        root mean square, less the mean; a sine of full scale has -3.01 dBFS.
    quieter
        Level in dB below the recording's loudest clip, from which on clips are left out.
    channel
        Number of the channel from 1 on, or 0 for the mean of all.
    peak
        Level in dBFS that the highest sample of each recording's clips gets; None leaves levels.
    bits
        Bits of a sample: 16 or 24.
    audio_format
        ``wav`` or ``flac``.
    split
        Shares of train, evaluate and test, or of train and a part that is both; empty for the
        source's own split, or 70, 15 and 15.
    folds
        Number of folds instead, each of which tests another part.
    seed
        Number that decides between groups that are alike.
    cap
        Most clips of a class to train on, spread over its recordings; None for all.
    classes
        Classes to keep; empty for all.
    others
        Class that all others become; empty to leave them out.
    group
        ``file``, ``folder``, or a regular expression for a recording's path, whose first
        parentheses find the name of what must stay on one side of the split.
    device
        Name of the recording device, or such an expression.
    columns
        Column of a table by what it holds (path, label, group, device, split, start, end, licence,
        url, origin).
    subset
        Percentage of the training clips that the tables of DCASE 2024 and 2025 name.
    background
        Class of Speech Commands' background noise; ``silence`` if empty.
    licence
        Licence of recordings whose source gives none.
    skip_unreadable
        Leave out recordings that cannot be read, instead of raising an error.
    jobs
        Processes that share the recordings, 1 or more; the files are the same. A script that gives
        more needs an ``if __name__ == "__main__":``.
    warn
        Called with a line for each recording with samples beyond full scale, or left out.

    Returns
    -------
    Prepared
        Numbers of recordings, of clips that were left out, and of folds; ``report`` has the
        numbers of clips of each class and device.

    Raises
    ------
    AscError
        A value is out of range, something in the source is wrong, or the classes cannot be split.
    """
    if layout and layout not in LAYOUTS:
        raise AscError(f"layout = {layout}, allowed: {', '.join(LAYOUTS)}")
    _within("sample_rate", sample_rate, _RATES.start, _RATES.stop - 1)
    _within("seconds", seconds, 1e-3, 3600.0)
    _within("hop", seconds if hop is None else hop, 1e-3, 3600.0)
    for name, value, most in (("silence", silence, 0.0), ("peak", peak, 0.0)):
        _within(name, 0.0 if value is None else value, -200.0, most)
    _within("quieter", 0.0 if quieter is None else quieter, 0.0, 200.0)
    _within("channel", channel, 0, 64)
    _within("folds", folds or 2, 2, 100)
    _within("cap", 1 if cap is None else cap, 1, 10**9)
    if bits not in (16, 24):
        raise AscError(f"bits = {bits}, allowed: 16, 24")
    if audio_format not in FORMATS:
        raise AscError(f"audio_format = {audio_format}, allowed: {', '.join(FORMATS)}")
    _check_split(split, folds, classes, others)
    cut = Cut(
        sample_rate,
        max(1, round(seconds * sample_rate)),
        max(1, round((seconds if hop is None else hop) * sample_rate)),
        pad,
        silence,
        quieter,
    )
    options = Options(
        group, device, dict(columns or {}), subset, background, licence, tuple(classes), others
    )
    sound = Sound(channel, peak, bits, audio_format)
    how = Split(tuple(split), folds, seed, cap)
    request = Request(layout, options, cut, sound, how, skip_unreadable)
    return prepare(Path(source), Path(out), request, warn=warn, jobs=jobs)


def _within(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise AscError(f"{name} = {value:g}, allowed: {least:g} to {most:g}")


def _check_split(split: Sequence[float], folds: int, classes: Sequence[str], others: str) -> None:
    if split and folds:
        raise AscError("split and folds cannot be given together")
    if split and (len(split) not in (2, 3) or not all(0.0 < each < 1e9 for each in split)):
        raise AscError(
            f"split = {', '.join(f'{each:g}' for each in split)}, allowed: shares above 0 of "
            "train, evaluate and test, or of train and test"
        )
    if others and not classes:
        raise AscError("others needs classes, which name what is none of them")
