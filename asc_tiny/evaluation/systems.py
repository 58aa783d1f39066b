"""Systems to evaluate: a network, or an ensemble of them, from whatever files it is given in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny.complexity.report import ModelComplexity, Total, measure, total
from asc_tiny.evaluation import device_map
from asc_tiny.frontend.config import FrontEndConfig, Quantization
from asc_tiny.model.ensemble import Ensemble, Member, load_model, member_of
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import read_bytes, sha256

Float64Array = NDArray[np.float64]
Int8Array = NDArray[np.int8]

KINDS = {".keras": "float network", ".tflite": "int8 network", ".toml": "ensemble"}


@dataclass(frozen=True, eq=False)
class FloatNetwork:
    """A Keras model in the folder of its run.

    Attributes:
        path, sha256: path of the .keras file, and the SHA-256 of its bytes in hexadecimal digits.
        model: ``keras.Model`` from features to probabilities.
        config, labels: its front end and its outputs, from ``run.json``.
        complexity: complexity of the network before batch norms are folded.
        provenance: what ``run.json`` says of its training.
    """

    path: Path
    sha256: str
    model: Any
    config: FrontEndConfig
    labels: tuple[str, ...]
    complexity: ModelComplexity
    provenance: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class System:
    """A classifier: one network, or several whose scores are combined linearly.

    Attributes:
        path: the file that stands for it.
        labels: scenes in output order.
        members: its int8 networks, without conversions at their ends; empty for a .keras file
            alone.
        floats: the Keras model that each member was made from, empty if not all were given.
        ensemble: what combines the members, None for one network.
        by_device: the systems that stand for devices, if this is a map of them; then the members
            and floats are theirs alone.
        other: the system for all other devices, if this is a map.
    """

    path: Path
    labels: tuple[str, ...]
    members: tuple[Member, ...] = ()
    floats: tuple[FloatNetwork, ...] = ()
    ensemble: Ensemble | None = None
    by_device: Mapping[str, System] = field(default_factory=dict)
    other: System | None = None

    @property
    def parts(self) -> tuple[System, ...]:
        """The different systems of a map of devices, else this one."""
        if self.other is None:
            return (self,)
        return tuple({part.path: part for part in (self.other, *self.by_device.values())}.values())

    def of_device(self, device: str) -> System:
        """Return the system that clips of a device are for."""
        return self if self.other is None else self.by_device.get(device, self.other)

    @property
    def complexity(self) -> Total:
        """Sums over the int8 networks, or before folding for a .keras file alone.

        Of a map of devices, those of the largest: a device has one of its systems.
        """
        if self.other is not None:
            return max((part.complexity for part in self.parts), key=lambda c: (c.macs, c.params))
        measured = [measure(member.model_file.graph) for member in self.members]
        return total(measured or [network.complexity for network in self.floats])

    @property
    def unfolded_params(self) -> int | None:
        """Parameters before batch-norm folds into convolutions, None without .keras files."""
        if self.other is not None:
            return max((part.unfolded_params or 0 for part in self.parts), default=0) or None
        return sum(network.complexity.params for network in self.floats) or None

    @property
    def output(self) -> Quantization:
        """Quantisation of the int8 scores."""
        return self.ensemble.score_mixer.output if self.ensemble else self.members[0].output

    def float_scores(self, members: Sequence[Float64Array]) -> Float64Array:
        """Return the scores, shape (clips, labels), from those of the float networks."""
        if self.ensemble is None:
            return members[0]
        weights = [member.weight for member in self.members]
        scores: Float64Array = np.tensordot(weights, np.stack(members), axes=1)
        scores += np.array(self.ensemble.bias)
        return scores

    def int8_scores(self, members: Sequence[Int8Array]) -> Float64Array:
        """Return the scores, shape (clips, labels), from the codes of the int8 networks.

        An ensemble's codes are combined in the integers of the firmware.
        """
        codes = members[0]
        if self.ensemble is not None:
            codes = self.ensemble.score_mixer.codes(np.stack(members))
        return (codes.astype(np.float64) - self.output.zero_point) * self.output.scale

    def to_json(self) -> dict[str, Any]:
        """Return what the system is as plain values."""
        return {
            "model": str(self.path),
            "labels": list(self.labels),
            "params": self.complexity.params if self.has_int8 else None,
            "params_before_folding": self.unfolded_params,
            "macs": self.complexity.macs,
            "ensemble": self._ensemble_json(),
            "files": self.files(),
            **({"devices": self._devices_json()} if self.other else {}),
        }

    @property
    def has_int8(self) -> bool:
        """Whether it has int8 networks, in each part if it is a map of devices."""
        return all(part.members for part in self.parts)

    def _devices_json(self) -> dict[str, str]:
        assert self.other is not None
        named = {name: str(part.path) for name, part in self.by_device.items()}
        return {**named, "other": str(self.other.path)}

    def files(self) -> list[dict[str, Any]]:
        """Return path, hash and provenance of every network's file."""
        if self.other is not None:
            return [each for part in self.parts for each in part.files()]
        models = [member.model_file for member in self.members]
        quantized = [(m.path, m.sha256, {"network": m.network, **m.provenance}) for m in models]
        networks = [(n.path, n.sha256, dict(n.provenance)) for n in self.floats]
        return [
            {"path": str(path), "sha256": digest, "provenance": provenance}
            for path, digest, provenance in (*quantized, *networks)
        ]

    def _ensemble_json(self) -> dict[str, Any] | None:
        if self.ensemble is None:
            return None
        weights = [member.weight for member in self.members]
        return {"weights": weights, "bias": list(self.ensemble.bias)}


def load(paths: Sequence[Path]) -> list[System]:
    """Read model files and put those together that are one system.

    A .keras file that a quantised model was made from, by the hash in that model's provenance,
    is that system's float side; any other one is a system of its own.

    Args:
        paths: .tflite, .keras (in the folder of its run), .toml files of ensembles and of maps
            from devices to such files; beside a map no two files make one system.

    Returns:
        The systems in the order of their files.

    Raises:
        AscError: another kind of file, or one that cannot be used.
    """
    for path in paths:
        if path.suffix not in KINDS:
            kinds = ", ".join(f"{suffix} ({kind})" for suffix, kind in KINDS.items())
            raise AscError(f"{path}: unknown kind of model, allowed: {kinds}")
    maps = {path: device_map.read(path) for path in paths if device_map.is_one(path)}
    if maps:
        return [_map(path, maps[path]) if path in maps else load([path])[0] for path in paths]
    unique = tuple(dict.fromkeys(paths))
    floats = {path: _float_network(path) for path in unique if path.suffix == ".keras"}
    parents = {network.sha256: network for network in floats.values()}
    systems = {path: _quantized(path, parents) for path in unique if path not in floats}
    used = {network.sha256 for system in systems.values() for network in system.floats}
    for path, network in floats.items():
        if network.sha256 not in used:
            systems[path] = System(path, network.labels, floats=(network,))
    return [systems[path] for path in unique if path in systems]


def _map(path: Path, models: device_map.DeviceMap) -> System:
    """Return a map of devices as a system.

    Raises:
        AscError: a model cannot be used, or two of them do not have the same labels.
    """
    files = tuple(dict.fromkeys((models.other, *models.by_device.values())))
    found = {file: load([file])[0] for file in files}
    labels = found[models.other].labels
    for file, system in found.items():
        if system.other is not None:
            raise AscError(f"{path}: {file} is a map of devices itself")
        if system.labels != labels:
            raise AscError(f"{path}: {file} has other labels than {models.other}")
    by_device = {device: found[file] for device, file in models.by_device.items()}
    return System(path, labels, by_device=by_device, other=found[models.other])


def _quantized(path: Path, parents: Mapping[str, FloatNetwork]) -> System:
    model = load_model(path)
    ensemble = model if isinstance(model, Ensemble) else None
    members = (
        model.members
        if isinstance(model, Ensemble)
        else (member_of(model, weight=1.0, name=path.stem),)
    )
    for member in members:
        shape = member.model_file.graph.tensor(member.model_file.graph.inputs[0]).shape[1:]
        _check_input(member.model_file.path, shape, member.frontend)
    origins = [
        parents.get(str(member.model_file.provenance.get("parent_sha256"))) for member in members
    ]
    floats = tuple(network for network in origins if network is not None)
    complete = len(floats) == len(members)
    labels = members[0].model_file.labels or ()
    return System(path, labels, members, floats if complete else (), ensemble)


def _float_network(path: Path) -> FloatNetwork:
    from asc_tiny import nets

    nets.require_tensorflow()
    from asc_tiny.complexity.keras import measure_model
    from asc_tiny.train.run import Run

    run = Run(path.parent)
    model, info = run.model(), run.info()
    complexity = measure_model(model, source=str(path))
    _check_input(path, tuple(model.input_shape[1:]), info.frontend)
    if model.output_shape[-1] != len(info.labels):
        raise AscError(f"{path}: {model.output_shape[-1]} outputs for {len(info.labels)} labels")
    return FloatNetwork(
        path=path,
        sha256=sha256(read_bytes(path)),
        model=model,
        config=info.frontend,
        labels=info.labels,
        complexity=complexity,
        provenance={
            "network": info.network,
            "epochs": info.epochs,
            "dataset_fingerprint": info.dataset_fingerprint,
        },
    )


def _check_input(path: Path, shape: tuple[int, ...], config: FrontEndConfig) -> None:
    if shape != config.shape:
        raise AscError(f"{path}: input {shape}, its front end gives {config.shape}")
