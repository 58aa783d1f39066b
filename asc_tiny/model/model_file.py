"""The model file: a .tflite file with front end, labels and provenance in one metadata entry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.tflite.graph import Graph
from asc_tiny.tflite.reader import parse_graph
from asc_tiny.util import labels
from asc_tiny.util.blocks import Table, text
from asc_tiny.util.console_text import shape, shown
from asc_tiny.util.displayed import Displayed, pairs
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import parse_json, read_bytes, sha256

METADATA_NAME = "asc_tiny"
METADATA_SCHEMA = 1
_MOST_METADATA = 1 << 20
"""Bytes of the entry; those of this tool take a hundredth."""


@dataclass(frozen=True, eq=False, repr=False)
class ModelFile(Displayed):
    """A model file and what its metadata entry ``asc_tiny`` says.

    Attributes:
        path: the file.
        sha256: hexadecimal hash of the file's bytes.
        data: the file's bytes.
        graph: its operators and tensors.
        frontend: the features it expects, None in a foreign file.
        labels: class names in output order, None in a foreign file.
        network: name of the network's recipe, None in a foreign file.
        provenance: how it came to be, empty in a foreign file.
    """

    path: Path
    sha256: str
    data: bytes
    graph: Graph
    frontend: FrontEndConfig | None
    labels: tuple[str, ...] | None
    network: str | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_alone(self) -> bool:
        """Whether the file holds a network with neither front end nor labels."""
        return self.frontend is None and self.labels is None

    @property
    def summary(self) -> str:
        """One line for people."""
        what = f"{len(self.labels)} labels" if self.labels else "no labels"
        operators = len(self.graph.operators)
        return f"{self.path.name}: {operators} operators, {len(self.data):,} bytes, {what}"

    def shown_blocks(self) -> Iterator[Table]:
        """Return what the file holds."""
        kinds = Counter(operator.name for operator in self.graph.operators)
        yield pairs(
            text(self.path.name),
            [
                ("file (bytes)", len(self.data)),
                ("SHA-256", self.sha256),
                ("network", self.network),
                ("inputs", self._ends(self.graph.inputs)),
                ("outputs", self._ends(self.graph.outputs)),
                ("operators", ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())),
                ("front end", self.frontend and self.frontend.summary),
                ("labels", self.labels and ", ".join(self.labels)),
            ],
        )

    def _ends(self, indices: Sequence[int]) -> str:
        tensors = [self.graph.tensor(index) for index in indices]
        return ", ".join(f"{each.dtype} {shape(each.shape)}" for each in tensors)


def load(path: Path, *, is_interpreted: bool = False) -> ModelFile:
    """Read a .tflite file with its metadata; a foreign file without it works too.

    Args:
        path: the file.
        is_interpreted: whether an interpreter runs it as it is; see ``parse_graph``.

    Raises:
        AscError: no readable .tflite file, or a metadata entry that this version does not know.
    """
    data = read_bytes(path)
    graph = parse_graph(data, source=str(path), is_interpreted=is_interpreted)
    entry = _metadata(path, graph.metadata.get(METADATA_NAME))
    return ModelFile(
        path=path,
        sha256=sha256(data),
        data=data,
        graph=graph,
        frontend=_frontend(path, entry.get("frontend")),
        labels=_labels(path, entry.get("labels")),
        network=_network(path, entry.get("network")),
        provenance=_provenance(path, entry.get("provenance")),
    )


def _metadata(path: Path, content: bytes | None) -> dict[str, Any]:
    if content is None:
        return {}
    source = f"{path}: metadata {METADATA_NAME}"
    if len(content) > _MOST_METADATA:
        raise AscError(f"{source} has {len(content)} bytes, allowed: {_MOST_METADATA}")
    # Metadata buffers may be padded with zero bytes.
    entry = parse_json(content.rstrip(b"\0"), source=source)
    if not isinstance(entry, dict):
        raise AscError(f"{path}: metadata {METADATA_NAME} must be a JSON object")
    if entry.get("schema") != METADATA_SCHEMA:
        raise AscError(
            f"{path}: metadata {METADATA_NAME} has schema {shown(entry.get('schema'))}, "
            f"this version reads {METADATA_SCHEMA}"
        )
    return entry


def _frontend(path: Path, value: object) -> FrontEndConfig | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise AscError(f"{path}: metadata frontend must be a JSON object")
    return FrontEndConfig.from_dict(value, source=f"{path}: metadata frontend")


def _labels(path: Path, value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    return labels.check(value, source=f"{path}: metadata labels")


def _network(path: Path, value: object) -> str | None:
    if value is not None and not (isinstance(value, str) and labels.is_name(value)):
        raise AscError(f"{path}: metadata network = {shown(value)}, must be a name")
    return value


def _provenance(path: Path, value: object) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise AscError(f"{path}: metadata provenance must be a JSON object")
    return value
