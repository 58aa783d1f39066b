"""An ensemble clip by clip: TensorFlow Lite Micro's kernels, then the integer combination."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from asc_tiny.model.ensemble import Ensemble, Model
from asc_tiny.model.model_file import ModelFile
from asc_tiny.tflm import network_reference
from asc_tiny.tflm.interpreter import Interpreter

Int8Array = NDArray[np.int8]


class EnsembleInterpreter:
    """Runs an ensemble as ``Interpreter`` runs one network.

    Attributes:
        output_quantization: scale and zero point of the combined scores.

    Raises:
        AscError: a member that TensorFlow Lite Micro does not run.
    """

    def __init__(self, ensemble: Ensemble) -> None:
        files = [member.model_file for member in ensemble.members]
        self._interpreters = [Interpreter(file.data, file.path) for file in files]
        self._ensemble = ensemble
        self.output_quantization = ensemble.score_mixer.output

    def member_codes(self, codes: Int8Array) -> Int8Array:
        """Return the members' int8 outputs, shape (members, labels).

        Args:
            codes: a clip's features in every quantisation of ``ensemble.frontends``, one after
                the other along the channels, shape (n_mels, columns, channels of all).
        """
        groups = np.split(codes, len(self._ensemble.frontends), axis=-1)
        return np.stack(
            [
                interpreter.run(groups[self._ensemble.frontend_of(number)])
                for number, interpreter in enumerate(self._interpreters)
            ]
        )

    def run(self, codes: Int8Array) -> Int8Array:
        """Return the combined int8 scores, shape (labels,), for a clip's features."""
        return self._ensemble.score_mixer.codes(self.member_codes(codes))


def interpreter(model: Model) -> Interpreter | EnsembleInterpreter:
    """Return what runs a model or an ensemble clip by clip.

    Raises:
        AscError: a network that TensorFlow Lite Micro does not run.
    """
    if isinstance(model, ModelFile):
        return Interpreter(model.data, model.path)
    return EnsembleInterpreter(model)


def kernels(model: Model) -> Callable[[Int8Array], Int8Array] | None:
    """Return TensorFlow Lite Micro's kernels as a function, None without the package.

    Args:
        model: an int8 network, which may lie inside of conversions that its graph leaves out, or an
            ensemble.

    Returns:
        A function from a clip's features in every quantisation, shape (n_mels, columns, channels
        of all), to its scores, shape (labels,), both int8.

    Raises:
        AscError: a network that TensorFlow Lite Micro does not run.
    """
    if not find_spec("tflite_micro"):
        return None
    if isinstance(model, ModelFile) and network_reference.is_inside(model):
        run = network_reference.kernels(model)
        assert run is not None
        return lambda codes: np.asarray(run([[codes[None]]])[0][0], np.int8).reshape(-1)
    return interpreter(model).run
