"""Comparing an image on its board with the references on this machine, bit by bit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asc_tiny.boards import catalog
from asc_tiny.firmware.library import Library
from asc_tiny.frontend.arrays import Samples
from asc_tiny.projects import cmake, generator
from asc_tiny.targets.build import project as projects
from asc_tiny.targets.build.project import Project
from asc_tiny.targets.image import image
from asc_tiny.util import scratch_folders

Int8Array = NDArray[np.int8]
Computation = Callable[[Project, Sequence[Samples]], tuple[Int8Array, Int8Array]]
"""Returns features and scores of clips, as ``image.features_and_codes`` does."""

Network = Callable[[Int8Array], Int8Array]
"""Runs the network on features, shape (clips, n_mels, columns, channels) to (clips, labels)."""


@dataclass(frozen=True)
class ClipResult:
    """How many int8 values of a clip differ between board and reference."""

    name: str
    feature_mismatches: int
    score_mismatches: int

    @property
    def passed(self) -> bool:
        """Whether every value is the same."""
        return self.feature_mismatches == 0 and self.score_mismatches == 0

    @property
    def differing(self) -> str:
        """How much differs, in words."""
        return f"{self.feature_mismatches:,} features, {self.score_mismatches:,} scores"


def verify(
    project: Project,
    clips: Mapping[str, Samples],
    network: Network,
    golden: Mapping[str, Int8Array],
    compute: Computation = image.features_and_codes,
) -> list[ClipResult]:
    """Compare features and scores with what they must be, per clip.

    Args:
        project: a built project.
        clips: name to samples of shape (clip_samples,).
        network: the reference of the scores; it gets the board's own features.
        golden: name to features for clips whose features are known; the others must have the
            model's.
        compute: what runs the clips on the board.

    Raises:
        AscError: the image fails.
    """
    features, scores = compute(project, list(clips.values()))
    expected_scores = network(features)

    def expected_features(name: str) -> Int8Array:
        return golden[name] if name in golden else project.features(clips[name])

    return [
        ClipResult(
            name,
            int(np.count_nonzero(features[i] != expected_features(name))),
            int(np.count_nonzero(scores[i] != expected_scores[i])),
        )
        for i, name in enumerate(clips)
    ]


def host_scores(library: Library, clips: Mapping[str, Samples]) -> Int8Array:
    """Return the scores of the network's C code on this computer, shape (clips, labels).

    Args:
        library: a classifier, compiled ahead of time and rendered.
        clips: name to samples of shape (clip_samples,).

    Raises:
        AscError: no C compiler, or the build fails.
    """
    with scratch_folders.folder() as temporary:
        folder = temporary / "host"
        board = catalog.get(catalog.HOST)
        request = generator.GenerationRequest(library=library, board=board)
        generator.write(cmake.CMakeGenerator(), request, folder)
        model = library.model
        host = Project(
            folder=folder,
            board=board,
            runtime=library.runtime,
            model_file=model.model_file,
            frontend=model.frontend,
            labels=model.labels,
            decision=model.decision,
            options=model.options,
            prefix=library.prefix,
        )
        projects.build(host)
        return image.features_and_codes(host, list(clips.values()))[1]
