"""Clips of one length from a recording: where they begin, and which are silent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from math import ceil, floor

import numpy as np

from asc_tiny.audio.decode import Samples
from asc_tiny.audio.layouts.listing import Section
from asc_tiny.util.errors import AscError

_ROUNDING_S = 1e-3
"""Seconds that a region may end behind its recording: tables round."""


@dataclass(frozen=True)
class Cut:
    """How recordings are cut.

    Attributes:
        rate: samples per second of the clips.
        samples: length of a clip in samples.
        hop: samples from the begin of a clip to that of the next one.
        pad: fill a part shorter than a clip with zeros at its end; else it gives no clip.
        silence_dbfs: level in dBFS below which a clip is left out; None keeps all.
        quieter_db: level in dB below the recording's loudest clip, from which on a clip is left
            out; None keeps all.
    """

    rate: int
    samples: int
    hop: int
    pad: bool = True
    silence_dbfs: float | None = None
    quieter_db: float | None = None


@dataclass(frozen=True)
class Piece:
    """A clip of a recording.

    Attributes:
        section: number of the section that it is from.
        start: its first sample in the recording, at the clips' rate.
        length: samples that the recording gives; fewer than a clip's where it is filled up.
        samples: samples of the clip, float64, shape (samples,), full scale 1.
    """

    section: int
    start: int
    length: int
    samples: Samples

    @property
    def level_dbfs(self) -> float:
        """Level of what the recording gives, as ``level_dbfs`` defines it."""
        return level_dbfs(self.samples[: self.length])


def level_dbfs(samples: Samples) -> float:
    """Return 20 log10 of the root mean square of samples of full scale 1, less their mean.

    A sine of full scale has -3.01 dBFS by this definition, a constant has -inf.
    """
    power = float(np.var(samples)) if len(samples) else 0.0
    # What float64 leaves of a constant's variance is below the step of 24 bits.
    return 10.0 * np.log10(power) if power > 1e-18 else float("-inf")


def pieces(blocks: Iterator[Samples], sections: Sequence[Section], cut: Cut) -> Iterator[Piece]:
    """Yield the clips of a recording, section by section as they begin.

    A section begins with the first sample at or after its begin and ends before its end; clips
    begin at its first sample and every ``cut.hop`` samples, as long as they end within it.

    Where sections of one label give a clip with the same begin, it is there once, the longest.

    Args:
        blocks: recording at the clips' rate.
        sections: labelled parts; one alone may end with the recording.
        cut: lengths in samples.

    Raises:
        AscError: a section begins or ends behind the recording's end.
    """
    window = _Window(blocks)
    wanted = sorted(
        (start, number, end)
        for number, section in enumerate(sections)
        for start, end in [bounds(section, cut.rate)]
        if end is not None
    )
    if len(wanted) < len(sections):
        yield from _open_ended(window, sections, cut)
        return
    starts = sorted(
        (first, -min(cut.samples, end - start), number)
        for start, number, end in wanted
        for first in _starts(start, end, cut)
    )
    seen = set()
    for first, shortness, number in starts:
        if (key := (first, sections[number].label)) not in seen:
            seen.add(key)
            yield _filled(number, first, window.take(first, -shortness), cut)
    total = window.length()
    for section in sections:
        if section.end_s is not None and section.end_s * cut.rate > total + _ROUNDING_S * cut.rate:
            raise AscError(
                f"{section.place}: ends at {section.end_s:g} s, the recording at "
                f"{total / cut.rate:g} s"
            )


def bounds(section: Section, rate: int) -> tuple[int, int | None]:
    """Return the first sample of a section and the one behind its last, None for the recording's.

    Times are rounded to a millionth of a sample first, since a float64 holds few of them exactly.
    """
    start = ceil(round(section.start_s * rate, 6))
    if section.end_s is None:
        return start, None
    return start, floor(round(section.end_s * rate, 6))


def _open_ended(window: _Window, sections: Sequence[Section], cut: Cut) -> Iterator[Piece]:
    """Yield the clips of one section that ends with the recording."""
    if len(sections) != 1:
        raise AscError(f"{sections[0].place}: has no end, but is one of several of a recording")
    start, _ = bounds(sections[0], cut.rate)
    for first in count(start, cut.hop):
        samples = window.take(first, cut.samples)
        if len(samples) == cut.samples or (first == start and cut.pad and len(samples)):
            yield _filled(0, first, samples, cut)
        if len(samples) < cut.samples:
            break
    if window.length() <= start:
        raise AscError(
            f"{sections[0].place}: begins at {sections[0].start_s:g} s, the recording ends at "
            f"{window.length() / cut.rate:g} s"
        )


def _starts(start: int, end: int, cut: Cut) -> range:
    if end - start < cut.samples:
        return range(start, start + 1) if cut.pad and end > start else range(0)
    return range(start, end - cut.samples + 1, cut.hop)


def _filled(number: int, start: int, samples: Samples, cut: Cut) -> Piece:
    length = len(samples)
    padded = np.pad(samples, (0, cut.samples - length)) if length < cut.samples else samples
    return Piece(number, start, length, padded)


class _Window:
    """What of a stream may still be asked for; each call asks at or behind the one before."""

    def __init__(self, blocks: Iterator[Samples]) -> None:
        self.blocks = blocks
        self.held: Samples = np.zeros(0)
        self.first = 0
        self.ended = False

    def take(self, start: int, length: int) -> Samples:
        """Return the samples from ``start`` on, fewer than ``length`` at the stream's end."""
        while not self.ended and self.first + len(self.held) < start + length:
            self._more(start)
        begin = max(0, start - self.first)
        return self.held[begin : begin + length]

    def length(self) -> int:
        """Return the number of samples of the whole stream, which is read to its end."""
        while not self.ended:
            self._more(self.first + len(self.held))
        return self.first + len(self.held)

    def _more(self, start: int) -> None:
        drop = min(len(self.held), max(0, start - self.first))
        self.first += drop
        block = next(self.blocks, None)
        if block is None:
            self.ended = True
            block = np.zeros(0)
        self.held = np.concatenate([self.held[drop:], block])


def kept(found: Sequence[float], cut: Cut) -> list[bool]:
    """Return which clips of a recording are loud enough, by their levels in dBFS."""
    floor_db = float("-inf") if cut.silence_dbfs is None else cut.silence_dbfs
    if cut.quieter_db is not None and found:
        floor_db = max(floor_db, max(found) - cut.quieter_db)
    return [level >= floor_db for level in found]
