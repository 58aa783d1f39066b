"""The ensemble: a TOML file that names member .tflite files, their weights and a bias.

schema = 1
bias = 0.0               # or a list, one per class

[[member]]
path = "one.tflite"      # relative to this file
weight = 0.5
name = "one"             # optional
sha256 = "..."           # optional; checked where it is given
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from asc_tiny.frontend.config import FrontEndConfig, Quantization
from asc_tiny.model import model_file
from asc_tiny.model.classifier_network import (
    classifier_network,
    quantizations,
    without_conversions,
)
from asc_tiny.model.model_file import ModelFile
from asc_tiny.model.score_mixer import ScoreMixer, score_mixer
from asc_tiny.util import fields
from asc_tiny.util.blocks import Table, text
from asc_tiny.util.console_text import shown
from asc_tiny.util.displayed import Displayed, pairs
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import read_toml, sha256

SCHEMA = 1
SUFFIX = ".toml"
MAX_MEMBERS = 16

_KEYS = {"schema": "int", "bias": "", "member": "", "fit": ""}
_MEMBER_KEYS = {"path": "str", "weight": "float", "name": "str", "sha256": "str"}
"""Keys to the types of their values, empty for what is checked elsewhere."""


@dataclass(frozen=True, eq=False)
class Member:
    """One network of an ensemble.

    Attributes:
        model_file: its file; the graph leaves out conversions at the ends.
        weight: w_n of its scores.
        name: for people.
        frontend: its front end, with the quantisation of the network's input.
        output: quantisation of its scores.
    """

    model_file: ModelFile
    weight: float
    name: str
    frontend: FrontEndConfig
    output: Quantization


@dataclass(frozen=True, eq=False, repr=False)
class Ensemble(Displayed):
    """Networks that hear the same features; their scores are combined linearly.

    Attributes:
        path: the TOML file.
        members: the networks, at least one; they share the front end but for the quantisation.
        bias: b, one per class.
        labels: class names in output order, the same in all members.
    """

    path: Path
    members: tuple[Member, ...]
    bias: tuple[float, ...]
    labels: tuple[str, ...]

    @cached_property
    def frontends(self) -> tuple[FrontEndConfig, ...]:
        """The members' front ends without repetition: one for each input quantisation."""
        return tuple(dict.fromkeys(member.frontend for member in self.members))

    def frontend_of(self, member: int) -> int:
        """Return the index in ``frontends`` of a member's front end."""
        return self.frontends.index(self.members[member].frontend)

    @cached_property
    def score_mixer(self) -> ScoreMixer:
        """The integers that combine the members' codes."""
        weights = [member.weight for member in self.members]
        try:
            return score_mixer(weights, self.bias, [member.output for member in self.members])
        except AscError as error:
            raise AscError(f"{self.path}: {error}") from error

    @cached_property
    def sha256(self) -> str:
        """Hash over the members' hashes, weights and bias, wherever the files lie."""
        members = [(member.model_file.sha256, member.weight) for member in self.members]
        return sha256(json.dumps([members, self.bias]).encode())

    @property
    def summary(self) -> str:
        """One line for people."""
        return f"{self.path.name}: {len(self.members)} members, {len(self.labels)} labels"

    def shown_blocks(self) -> Iterator[Table]:
        """Return the members, and what they share."""
        name = text(self.path.name)
        front_end, labels = self.frontends[0].summary, ", ".join(self.labels)
        yield pairs(name, [("front end", front_end), ("labels", labels)])
        rows = [
            [text(each.name), text(each.model_file.path.name), f"{each.weight:.6g}"]
            for each in self.members
        ]
        yield Table(f"{name}: members", ["member", "file", "weight"], rows, left=(0, 1))


Model = ModelFile | Ensemble


def load_model(path: Path | str, *, is_interpreted: bool = False) -> Model:
    """Read a model with its metadata: a network, or an ensemble of networks.

    Parameters
    ----------
    path
        A ``.tflite`` file, or the ``.toml`` file of an ensemble.
    is_interpreted
        Whether TensorFlow Lite Micro is to run a ``.tflite`` file as it is: then it may also be
        code for an NPU, and sizes that its signature leaves open are those that it states.

    Returns
    -------
    ModelFile or Ensemble
        The model. ``labels`` are the class names in output order, and ``sha256`` is its hash; a
        foreign ``.tflite`` file has no labels and no front end.

    Raises
    ------
    AscError
        A file cannot be read or is damaged, or the members of an ensemble do not go together.

    Examples
    --------
    >>> from asc_tiny import api
    >>> model = api.load_model("models/mobilenet_esc10.tflite")
    >>> len(model.labels), model.network
    (10, 'mobilenet')
    """
    path = Path(path)
    if path.suffix == SUFFIX:
        return load(path)
    return model_file.load(path, is_interpreted=is_interpreted)


def output_quantization(model: Model) -> Quantization:
    """Return the quantisation of a model's scores, before a conversion to another type.

    Raises:
        AscError: the model is no classifier that gives int8 scores inside of conversions.
    """
    if isinstance(model, Ensemble):
        return model.score_mixer.output
    return quantizations(without_conversions(model))[1]


def frontends(model: Model) -> tuple[FrontEndConfig, ...]:
    """Return the front ends of a model.

    Parameters
    ----------
    model
        As ``load_model`` gives it.

    Returns
    -------
    tuple of FrontEndConfig
        One for a network; for an ensemble one for each quantization of its members' inputs.

    Raises
    ------
    AscError
        A ``.tflite`` file that holds no front end.

    Examples
    --------
    >>> from asc_tiny import api
    >>> [frontend] = api.frontends(api.load_model("models/mobilenet_esc10.tflite"))
    >>> frontend.sample_rate, frontend.shape
    (44100, (256, 36, 3))
    """
    if isinstance(model, Ensemble):
        return model.frontends
    if model.frontend is None:
        raise AscError(f"{model.path}: holds no front end (metadata entry asc_tiny)")
    return (model.frontend,)


def load(path: Path) -> Ensemble:
    """Read an ensemble with its members.

    Raises:
        AscError: not such a file; a member is missing, has changed, is not int8 or holds no front
            end and labels; members that do not go together, see ``assemble``.
    """
    document = _table(read_toml(path), _KEYS, required=("schema", "member"), source=str(path))
    if document["schema"] != SCHEMA:
        raise AscError(
            f"{path}: schema {shown(document['schema'])}, this version reads schema {SCHEMA}"
        )
    return assemble(path, _members(path, document["member"]), document.get("bias", 0.0))


def assemble(path: Path, members: Sequence[Member], bias: object) -> Ensemble:
    """Return the ensemble of members after checking that they go together.

    Args:
        path: path of the ensemble's file, for messages.
        members: the networks with their weights, at least one.
        bias: a number, or a list of one per class.

    Raises:
        AscError: members differ in labels or, but for the quantisation, front end; a weight or
            the bias is out of range.
    """
    labels = members[0].model_file.labels or ()
    for member in members[1:]:
        _check_labels(members[0].model_file, member.model_file)
        _check_frontend(members[0], member)
    ensemble = Ensemble(path, tuple(members), _bias(path, bias, labels), labels)
    # Computed now so that a bad weight is found before the ensemble is used.
    _ = ensemble.score_mixer
    return ensemble


def member_of(model: ModelFile, *, weight: float, name: str) -> Member:
    """Return a model as a member of an ensemble.

    Raises:
        AscError: it holds no front end and labels or such that do not fit it, or is not int8
            inside of conversions at its ends.
    """
    if model.frontend is None or model.labels is None:
        missing = "front end" if model.frontend is None else "labels"
        raise AscError(f"{model.path}: holds no {missing} (metadata entry asc_tiny)")
    network = classifier_network(model)
    source, output = quantizations(network)
    outputs = network.graph.tensor(network.graph.outputs[0]).size
    if outputs != len(model.labels):
        raise AscError(f"{model.path}: {outputs} outputs, but {len(model.labels)} labels")
    shape = network.graph.tensor(network.graph.inputs[0]).shape[1:]
    if shape != model.frontend.shape:
        raise AscError(f"{model.path}: input {shape}, its front end gives {model.frontend.shape}")
    frontend = model.frontend.quantized(source.scale, source.zero_point)
    return Member(network, weight, name, frontend, output)


def to_toml(
    members: Sequence[Member],
    bias: Sequence[float],
    paths: Sequence[str],
    *,
    fit: Mapping[str, str | int | float] | None = None,
) -> str:
    """Return the text of an ensemble file.

    Args:
        members: the networks with their weights.
        bias: one per class; written as one number if all are equal.
        paths: paths of the members' files, relative to the ensemble's.
        fit: how the numbers came to be, written as the table ``fit``.
    """
    same = len(set(bias)) == 1
    lines = [f"schema = {SCHEMA}", f"bias = {bias[0]!r}" if same else f"bias = {list(bias)!r}"]
    for member, path in zip(members, paths, strict=True):
        values: dict[str, str | int | float] = {
            "path": path,
            "name": member.name,
            "weight": member.weight,
            "sha256": member.model_file.sha256,
        }
        lines += ["", "[[member]]", *_assignments(values)]
    if fit:
        lines += ["", "[fit]", *_assignments(fit)]
    return "\n".join(lines) + "\n"


def _assignments(values: Mapping[str, str | int | float]) -> list[str]:
    return [f"{key} = {_toml(value)}" for key, value in values.items()]


def _toml(value: str | int | float) -> str:
    # A JSON string is a TOML basic string, but for DEL, which TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _table(
    table: object, keys: Mapping[str, str], *, required: Sequence[str], source: str
) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise AscError(f"{source}: must be a table")
    for key in required:
        if key not in table:
            raise AscError(f"{source}: {key} is missing; an ensemble needs {', '.join(required)}")
    try:
        fields.check_keys(table, keys)
        fields.table(table.get("fit", {}), "fit")
        return {
            key: fields.typed(value, keys[key], key) if keys[key] else value
            for key, value in table.items()
        }
    except AscError as error:
        raise AscError(f"{source}: {error}") from error


def _members(path: Path, value: object) -> tuple[Member, ...]:
    if not isinstance(value, list):
        raise AscError(f"{path}: member must be tables [[member]]")
    if not 1 <= len(value) <= MAX_MEMBERS:
        raise AscError(f"{path}: {len(value)} tables [[member]], allowed: 1 to {MAX_MEMBERS}")
    return tuple(_member(path, number, table) for number, table in enumerate(value))


def _member(path: Path, number: int, table: object) -> Member:
    where = f"{path}: member {number}"
    values = _table(table, _MEMBER_KEYS, required=("path", "weight"), source=where)
    model = model_file.load(path.parent / values["path"])
    if values.get("sha256", model.sha256) != model.sha256:
        raise AscError(
            f"{path}: {values['path']} has sha256 {model.sha256[:12]}..., the ensemble was made "
            f"with {values['sha256'][:12]}..."
        )
    name = values.get("name", model.path.stem)
    return member_of(model, weight=values["weight"], name=name)


def _bias(path: Path, value: object, labels: Sequence[str]) -> tuple[float, ...]:
    values = value if isinstance(value, list) else [value] * len(labels)
    try:
        bias: tuple[float, ...] = fields.typed(values, "tuple[float, ...]", "bias")
    except AscError:
        raise AscError(
            f"{path}: bias = {shown(value)}, must be a number or a list of numbers"
        ) from None
    if len(bias) != len(labels):
        raise AscError(f"{path}: bias has {len(bias)} numbers, there are {len(labels)} classes")
    return bias


def _check_labels(first: ModelFile, other: ModelFile) -> None:
    expected, labels = first.labels or (), other.labels or ()
    if len(labels) != len(expected):
        raise AscError(
            f"{other.path}: {len(labels)} labels, {first.path} has {len(expected)}; members must "
            f"have the same labels"
        )
    for index, (wanted, label) in enumerate(zip(expected, labels, strict=True)):
        if label != wanted:
            raise AscError(
                f"{other.path}: label {index} is {label!r}, in {first.path} it is {wanted!r}; "
                f"members must have the same labels in the same order"
            )


def _check_frontend(first: Member, other: Member) -> None:
    for field in dataclasses.fields(FrontEndConfig):
        wanted = getattr(first.frontend, field.name)
        value = getattr(other.frontend, field.name)
        if field.name == "normalization" and value != wanted:
            raise AscError(
                f"{other.model_file.path}: members must share the front end: its normalisation is "
                f"not that of {first.model_file.path}"
            )
        if field.name != "quantization" and value != wanted:
            raise AscError(
                f"{other.model_file.path}: members must share the front end: {field.name} = "
                f"{value}, in {first.model_file.path} it is {wanted}"
            )
