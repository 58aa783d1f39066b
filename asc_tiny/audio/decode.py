"""Recordings of any format, rate and number of channels as one stream of samples, block by block.

What is read at once does not depend on how long a recording is. Conversion to another rate gives
what ``scipy.signal.resample_poly`` gives of the whole recording, with its default filter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from asc_tiny.audio.clips import RATES, Over, Warn, open_audio
from asc_tiny.util.errors import AscError

Samples = NDArray[np.float64]

BLOCK = 1 << 18
"""Frames that are decoded at once."""

MEAN = 0
"""Number of the channel that is the mean of all."""

MAX_CHANNELS = 64


@dataclass(frozen=True)
class Header:
    """What an audio file says of itself.

    Attributes:
        rate: samples per second.
        frames: samples per channel; a damaged or compressed file may hold others.
        channels: number of channels.
    """

    rate: int
    frames: int
    channels: int


def header(path: Path, channel: int = MEAN) -> Header:
    """Read the header of a wav, flac, ogg or mp3 file.

    Raises:
        AscError: the file is missing, not audio, empty, has no such channel or more than
            ``MAX_CHANNELS``, or a rate that cannot be converted.
    """
    with open_audio(path, compressed=True) as file:
        found = Header(file.samplerate, file.frames, file.channels)
    if found.frames == 0:
        raise AscError(f"{path}: holds no samples")
    if not channel <= found.channels <= MAX_CHANNELS:
        allowed = f"{max(channel, 1)} to {MAX_CHANNELS}"
        raise AscError(f"{path}: {found.channels} channels, allowed: {allowed}")
    if found.rate not in RATES:
        allowed = f"{RATES.start} to {RATES.stop - 1} Hz"
        raise AscError(f"{path}: {found.rate} Hz cannot be converted, allowed: {allowed}")
    return found


def stream(
    path: Path, rate: int, *, channel: int = MEAN, warn: Warn | None = None
) -> Iterator[Samples]:
    """Yield the samples of a recording at ``rate`` Hz, full scale 1, in blocks of any length.

    Args:
        path: wav, flac, ogg or mp3 file.
        rate: samples per second of what is yielded.
        channel: number of the channel from 1 on, or ``MEAN`` for the mean of all.
        warn: called with a line that tells how many samples are beyond full scale, if any are.

    Raises:
        AscError: as ``header``, or the file is damaged, or holds samples that are not finite or
            far above full scale.
    """
    found = header(path, channel)
    over = Over(path)
    yield from resampled(_mono(path, channel, over), found.rate, rate)
    over.tell(warn)


def resampled(blocks: Iterator[Samples], rate: int, wanted: int) -> Iterator[Samples]:
    """Convert a stream of mono samples from ``rate`` to ``wanted`` Hz.

    Each block is converted with as much around it as the filter reaches, from a place that is a
    multiple of the ratio's denominator, where an output falls on an input.
    """
    common = gcd(rate, wanted)
    up, down = wanted // common, rate // common
    if up == down:
        yield from blocks
        return
    from scipy.signal import firwin, resample_poly

    reach = 10 * max(up, down)
    # The default of resample_poly, which would design it anew for each block.
    taps = firwin(2 * reach + 1, 1.0 / max(up, down), window=("kaiser", 5.0))
    margin = down * -(-(reach // up + 1) // down)
    step = down * -(-BLOCK // down)
    held = np.zeros(margin)
    for block in blocks:
        held = np.concatenate([held, block])
        while len(held) >= step + 2 * margin:
            piece = resample_poly(held[: step + 2 * margin], up, down, window=taps)
            first = margin // down * up
            yield piece[first : first + step // down * up]
            held = held[step:]
    rest = -(-(len(held) - margin) * up // down)
    first = margin // down * up
    yield resample_poly(held, up, down, window=taps)[first : first + rest]


def _mono(path: Path, channel: int, over: Over) -> Iterator[Samples]:
    """Yield one channel or the mean; a float64 holds the samples of all integers exactly."""
    with open_audio(path, compressed=True) as file:
        first = 0
        while len(block := _read(path, file)):
            finite = np.isfinite(block).all(axis=1)
            if not finite.all():
                wrong = int(np.argmin(finite))
                value = next(v for v in block[wrong] if not np.isfinite(v))
                raise AscError(f"{path}: sample {first + wrong} is {value}, all must be finite")
            if file.subtype in ("FLOAT", "DOUBLE"):
                over.add(block)
            first += len(block)
            yield block.mean(axis=1) if channel == MEAN else block[:, channel - 1]
        claimed = file.frames
        if not first or (file.format not in ("OGG", "MPEG", "MP3") and first != claimed):
            raise AscError(f"{path}: ends after {first} of {claimed} samples")


def _read(path: Path, file: Any) -> Samples:
    try:
        block: Samples = file.read(BLOCK, dtype="float64", always_2d=True)
    except soundfile.SoundFileError as error:
        raise AscError(f"{path}: not readable as audio: damaged samples") from error
    return block
