"""The windows of a stream: each is one input of the network and gives one decision."""

from __future__ import annotations

from dataclasses import dataclass

from asc_tiny.decision.config import DecisionConfig
from asc_tiny.frontend import stream
from asc_tiny.frontend.config import FrontEndConfig


@dataclass(frozen=True)
class Windows:
    """Where windows lie in a stream.

    Without a hop the stream is cut into clips, and each is a window. With a hop of H columns,
    window k holds the columns from k H on of a continuous stream, as many as a clip has.
    """

    frontend: FrontEndConfig
    config: DecisionConfig

    def count(self, samples: int) -> int:
        """Return how many windows the first ``samples`` samples of a stream complete."""
        if self.config.hop_columns is None:
            return samples // self.frontend.clip_samples
        columns = stream.columns_of(self.frontend, samples)
        return max(0, 1 + (columns - self.frontend.columns) // self.config.hop_columns)

    def start(self, window: int) -> int:
        """Return the sample at which a window starts, where its first frame lies."""
        if self.config.hop_columns is None:
            return window * self.frontend.clip_samples
        return window * self.config.hop_columns * self.frontend.hop

    def first(self, window: int) -> int:
        """Return the first sample that a window hears: half a frame before, if it is centred."""
        start = self.start(window)
        return start if self.config.hop_columns is None else max(0, start - self.frontend.lead)

    def end(self, window: int) -> int:
        """Return how many samples of the stream it takes to decide about a window."""
        if self.config.hop_columns is None:
            return (window + 1) * self.frontend.clip_samples
        columns = window * self.config.hop_columns + self.frontend.columns
        return stream.samples_needed(self.frontend, columns)
