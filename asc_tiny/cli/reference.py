"""The references of int8 scores that this machine has."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asc_tiny.firmware.classifier import Classifier
    from asc_tiny.frontend.arrays import Int8Array
    from asc_tiny.model.ensemble import Model


def kernels(model: Model) -> Callable[[Int8Array], Int8Array] | None:
    """Return TensorFlow Lite Micro's kernels, from a clip's features to scores; None without."""
    if find_spec("tflite_micro") is None:
        return None
    from asc_tiny.tflm.ensemble_interpreter import interpreter

    return interpreter(model).run


def selftest_scores(model: Classifier) -> tuple[Int8Array | None, str]:
    """Return the self-test's scores, shape (labels,), or None and why there are none.

    They are those of TensorFlow Lite Micro's kernels, else of the C code on this computer.
    """
    from asc_tiny.firmware.selftest import clip
    from asc_tiny.frontend import fixed
    from asc_tiny.targets.image.verify import host_scores
    from asc_tiny.util.errors import AscError

    pcm = clip(model.frontend)
    run = kernels(model.model_file)
    if run is not None:
        return run(fixed.joint_features(pcm, model.frontends)), ""
    try:
        return host_scores(model, {"self-test": pcm})[0], ""
    except AscError as error:
        return None, str(error).splitlines()[0]
