"""What a picture needs of a stream that has no end: a bounded number of points."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from asc_tiny.frontend.arrays import Samples

MOST_POINTS = 4_000


class Scores:
    """Scores over time, every one or, of long streams, every second, fourth, ... one.

    Attributes:
        points: end of a decision's window in seconds, and its scores.
    """

    def __init__(self) -> None:
        self.points: list[tuple[float, tuple[float, ...]]] = []
        self._every, self._count = 1, 0

    def add(self, end: float, scores: tuple[float, ...]) -> None:
        """Append a decision's scores."""
        if self._count % self._every == 0:
            self.points.append((end, scores))
        self._count += 1
        if len(self.points) > MOST_POINTS:
            del self.points[1::2]
            self._every *= 2


class Waveform:
    """The least and the greatest sample of each piece of a stream.

    Attributes:
        rate: samples per second.
        pieces: end in seconds, least and greatest sample as shares of full scale.
    """

    def __init__(self, rate: int, full_scale: int) -> None:
        self.rate = rate
        self.pieces: list[tuple[float, float, float]] = []
        self._full_scale = full_scale
        self._samples = 0
        self._length = max(rate // 100, 1)

    def heard(self, blocks: Iterable[Samples]) -> Iterator[Samples]:
        """Yield blocks of samples as they come, and keep their extremes."""
        for block in blocks:
            self.add(block)
            yield block

    def add(self, block: Samples) -> None:
        """Keep the extremes of the samples that follow, shape (samples,)."""
        for begin in range(0, len(block), self._length):
            piece = block[begin : begin + self._length]
            end = (self._samples + begin + len(piece)) / self.rate
            low, high = int(piece.min()), int(piece.max())
            self.pieces.append((end, low / self._full_scale, high / self._full_scale))
        self._samples += len(block)
        if len(self.pieces) > MOST_POINTS:
            self._halve()

    def _halve(self) -> None:
        """Join each two neighbours, and make longer pieces from now on."""
        pairs = zip(self.pieces[::2], self.pieces[1::2], strict=False)
        joined = [(b[0], min(a[1], b[1]), max(a[2], b[2])) for a, b in pairs]
        self.pieces = joined + self.pieces[2 * len(joined) :]
        self._length *= 2
