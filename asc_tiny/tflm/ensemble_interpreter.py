"""An ensemble clip by clip: TensorFlow Lite Micro's kernels, then the integer combination."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from asc_tiny.model.classifier_network import classifier_network, network_file
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
        self._interpreters = [_network(member.model_file) for member in ensemble.members]
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
    """Return what runs a classifier clip by clip, without conversions at a network's ends.

    Raises:
        AscError: a network that TensorFlow Lite Micro does not run, or that is not int8 inside of
            conversions.
    """
    if isinstance(model, ModelFile):
        return _network(model)
    return EnsembleInterpreter(model)


def _network(model_file: ModelFile) -> Interpreter:
    return Interpreter(network_file(classifier_network(model_file)), model_file.path)


def kernels(model: Model) -> Callable[[Int8Array], Int8Array] | None:
    """Return TensorFlow Lite Micro's kernels as a function, None without the package.

    Conversions at the ends of a single network are run, and the codes between them are read from
    within.

    Args:
        model: an int8 network, with conversions at its ends or without, or an ensemble.

    Returns:
        A function from a clip's features in every quantisation, shape (n_mels, columns, channels
        of all), to its scores, shape (labels,), both int8.

    Raises:
        AscError: a network that TensorFlow Lite Micro does not run.
    """
    if not find_spec("tflite_micro"):
        return None
    network = classifier_network(model) if isinstance(model, ModelFile) else None
    if network is not None and network_reference.is_inside(network):
        run = network_reference.kernels(network)
        assert run is not None
        return lambda codes: np.asarray(run([[codes[None]]])[0][0], np.int8).reshape(-1)
    return interpreter(model).run
