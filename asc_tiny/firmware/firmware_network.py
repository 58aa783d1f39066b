"""A network as firmware runs it, which is all of it where there is no front end."""

from __future__ import annotations

from dataclasses import dataclass

from asc_tiny.compiler.options import STREAMING, Options
from asc_tiny.firmware.network import compiled, tflm
from asc_tiny.model.ensemble import Ensemble, Model
from asc_tiny.model.model_file import ModelFile
from asc_tiny.tflite.graph import Graph, Tensor
from asc_tiny.tflm.options import DEFAULT, TflmOptions
from asc_tiny.util.errors import AscError


@dataclass(frozen=True, kw_only=True)
class FirmwareNetwork:
    """A network with the options by which it becomes code.

    Attributes:
        model_file: the model or the ensemble; its graph has the ends of the code, without
            conversions that the code leaves out.
        options: options of the network's planner.
        tflm: how TensorFlow Lite Micro is to run it, with that runtime.
    """

    model_file: Model
    options: Options = compiled.DEFAULT
    tflm: TflmOptions = DEFAULT

    @property
    def graph(self) -> Graph:
        """Operators and tensors of a single network."""
        assert not isinstance(self.model_file, Ensemble)
        return self.model_file.graph

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """The tensors that a single network takes, in the order of the file."""
        return tuple(map(self.graph.tensor, self.graph.inputs))

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """The tensors that a single network gives, in the order of the file."""
        return tuple(map(self.graph.tensor, self.graph.outputs))


def firmware_network(
    model_file: ModelFile,
    *,
    runtime: str,
    options: Options = compiled.DEFAULT,
    tflm_options: TflmOptions = DEFAULT,
) -> FirmwareNetwork:
    """Return a model as a network alone, without front end and labels.

    Raises:
        AscError: the runtime lacks one of its operators or types, or its order needs a front end.
    """
    if options.schedule == STREAMING:
        raise AscError(
            f"{model_file.path}: --schedule streaming is for a classifier, whose front end brings "
            "the columns; give --frontend FILE.toml and --labels FILE"
        )
    if runtime == "aot":
        model_file = compiled.without_conversions(model_file, options.io)
        compiled.check_supported(model_file, options)
    else:
        tflm.check_operators(model_file, tflm_options)
    return FirmwareNetwork(model_file=model_file, options=options, tflm=tflm_options)
