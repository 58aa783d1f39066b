"""The references of int8 scores that this machine has."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from asc_tiny.firmware.classifier import Classifier
from asc_tiny.firmware.library import Library, render_library
from asc_tiny.frontend import selftest_clip
from asc_tiny.frontend.arrays import Int8Array, Samples
from asc_tiny.targets.build.project import Project
from asc_tiny.targets.image import verify
from asc_tiny.tflm.ensemble_interpreter import kernels
from asc_tiny.util.errors import AscError


def kernel_scores(library: Library) -> tuple[Int8Array | None, str]:
    """Return the self-test's scores by TensorFlow Lite Micro's kernels, shape (labels,).

    Returns:
        The scores and nothing; None and nothing without the package tflite-micro; None and why
        there are none, in one line, where the user's own code has a kernel that they need.

    Raises:
        AscError: TensorFlow Lite Micro refuses the network.
    """
    model = library.model
    if model.tflm.operators:
        return (
            None,
            f"kernels of custom operators are not on this computer ({model.model_file.path})",
        )
    run = kernels(model.model_file)
    return run(selftest_clip.features(model.frontends)) if run else None, ""


def host_scores(library: Library) -> tuple[Int8Array | None, str]:
    """Return the self-test's scores by the C code on this computer, shape (labels,).

    Args:
        library: a classifier, rendered with either runtime; only ``aot`` runs here.

    Returns:
        The scores and nothing, or None and why there are none, in one line.
    """
    try:
        compiled = library if library.networks else render_library(library.model)
        clips = {"self-test": selftest_clip.samples(library.model.frontend)}
        return verify.host_scores(compiled, clips)[0], ""
    except AscError as error:
        return None, str(error).splitlines()[0]


def network(project: Project, clips: Mapping[str, Samples]) -> tuple[str, verify.Network]:
    """Return the name of the reference that a project's scores are compared with, and itself.

    Args:
        project: whose scores are to be compared.
        clips: name to samples of shape (clip_samples,): what the board is given.

    Raises:
        AscError: there is no reference on this machine, or the C code cannot be built for it.
    """
    run = kernels(project.model_file)
    if run is not None:
        return "TensorFlow Lite Micro", lambda features: np.stack([run(clip) for clip in features])
    if not project.board.machine:
        raise AscError(
            f"{project.folder}: on board host the scores have no other reference than "
            "tflite-micro; pip install 'asc-tiny[verify]'"
        )
    model = Classifier(
        model_file=project.model_file, frontend=project.frontend, labels=project.labels
    )
    scores = verify.host_scores(render_library(model), clips)
    return "the C code on this computer", lambda features: scores
