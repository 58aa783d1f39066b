"""A model completed with what firmware needs: front end, labels, decisions."""

from __future__ import annotations

from dataclasses import dataclass, field

from asc_tiny.compiler.options import STREAMING
from asc_tiny.decision.config import DecisionConfig
from asc_tiny.firmware.fingerprints import Fingerprints, fingerprints_of
from asc_tiny.firmware.firmware_network import FirmwareNetwork
from asc_tiny.firmware.network import compiled, tflm
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.model.classifier_network import classifier_network
from asc_tiny.model.ensemble import Ensemble, Model
from asc_tiny.model.model_file import ModelFile
from asc_tiny.tflm.options import DEFAULT, TflmOptions
from asc_tiny.util.errors import AscError


@dataclass(frozen=True, kw_only=True)
class Classifier(FirmwareNetwork):
    """A network with everything that firmware needs besides to name what it hears.

    Attributes:
        frontend: its front end, with the quantisation of the (first) network's input.
        labels: class names in output order.
        decision: windows, smoothing, hysteresis and threshold.
    """

    frontend: FrontEndConfig
    labels: tuple[str, ...]
    decision: DecisionConfig = field(default_factory=DecisionConfig)

    @property
    def frontends(self) -> tuple[FrontEndConfig, ...]:
        """The front end in each quantisation that the members need, one for one network."""
        if isinstance(self.model_file, Ensemble):
            return self.model_file.frontends
        return (self.frontend,)

    @property
    def fingerprints(self) -> Fingerprints:
        """The hashes of model, front end and labels."""
        return fingerprints_of(self.model_file, self.frontends, self.labels)


def classifier(
    model_file: Model,
    *,
    runtime: str,
    frontend: FrontEndConfig | None = None,
    labels: tuple[str, ...] | None = None,
    tflm_options: TflmOptions = DEFAULT,
) -> Classifier:
    """Complete a model with a front end and labels, from its metadata unless given.

    Raises:
        AscError: they are neither in the file nor given, or do not fit the network; the model
            is not int8 inside of conversions at its ends, or has an operator that the runtime
            lacks.
    """
    if isinstance(model_file, Ensemble):
        given = frontend is not None or labels is not None
        return _of_ensemble(model_file, runtime, tflm_options, given=given)
    model_file = classifier_network(model_file)
    if runtime == "aot":
        compiled.check_supported(model_file)
    else:
        tflm.check_operators(model_file, tflm_options)
    frontend, labels = fitted(model_file, frontend, labels)
    return Classifier(model_file=model_file, frontend=frontend, labels=labels, tflm=tflm_options)


def fitted(
    model_file: ModelFile, frontend: FrontEndConfig | None, labels: tuple[str, ...] | None
) -> tuple[FrontEndConfig, tuple[str, ...]]:
    """Return front end and labels, from a model's metadata unless given, if they fit its network.

    Args:
        model_file: a model whose graph is the network of a classifier.
        frontend: the front end; None for that of the model.
        labels: class names in output order; None for those of the model.

    Returns:
        The front end with the quantisation of the network's input, and the labels.

    Raises:
        AscError: one of them is neither in the file nor given, or does not fit the network.
    """
    frontend = frontend or model_file.frontend
    labels = labels or model_file.labels
    if frontend is None or labels is None:
        missing = "front end" if frontend is None else "labels"
        option = "--frontend FILE.toml" if frontend is None else "--labels FILE"
        raise AscError(
            f"{model_file.path}: holds no {missing}; give {option} for a classifier, whose front "
            "end and labels go together; without both the network stands alone"
        )
    graph = model_file.graph
    source, result = graph.tensor(graph.inputs[0]), graph.tensor(graph.outputs[0])
    if source.shape[1:] != frontend.shape:
        raise AscError(
            f"{model_file.path}: input shape {source.shape[1:]}, the front end gives "
            f"{frontend.shape}"
        )
    if result.size != len(labels):
        raise AscError(f"{model_file.path}: {result.size} outputs, but {len(labels)} labels")
    return frontend.quantized(source.scales[0], source.zero_points[0]), labels


def check_order(model: Classifier) -> None:
    """Check that a streaming network can serve a model's decisions.

    Raises:
        AscError: the model is an ensemble, or its windows share columns.
    """
    if model.options.schedule != STREAMING:
        return
    if isinstance(model.model_file, Ensemble):
        raise AscError(
            f"{model.model_file.path}: --schedule streaming is for a single network: the members "
            "of an ensemble share their memory in turns, and each would have to keep its state "
            "while the others compute"
        )
    hop, columns = model.decision.hop_columns, model.frontend.columns
    if hop is not None and hop < columns:
        raise AscError(
            f"{model.model_file.path}: --schedule streaming gives each column to one window, but "
            f"with hop_columns = {hop} windows share columns; allowed: {columns} (the window) or "
            f"more"
        )


def _of_ensemble(
    model: Ensemble, runtime: str, tflm_options: TflmOptions, *, given: bool
) -> Classifier:
    if given:
        raise AscError(f"{model.path}: members hold front end and labels; none can be given")
    members = [
        classifier(
            member.model_file,
            runtime=runtime,
            tflm_options=tflm.options_of(member.model_file, tflm_options),
        )
        for member in model.members
    ]
    return Classifier(
        model_file=model, frontend=members[0].frontend, labels=model.labels, tflm=tflm_options
    )
