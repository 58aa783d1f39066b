"""Front end and labels put into anybody's model, so that every command needs that file alone."""

from __future__ import annotations

from asc_tiny import __version__
from asc_tiny.firmware.classifier import check_scores, fitted
from asc_tiny.firmware.network.compiled import without_conversions
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.model import metadata_writer
from asc_tiny.model.model_file import ModelFile
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import sha256


def attached(
    model_file: ModelFile, frontend: FrontEndConfig | None, labels: tuple[str, ...] | None
) -> bytes:
    """Return a model's file with front end and labels in its metadata.

    Operators and constants stay the bytes that they are. What the metadata says besides, such as
    the network's recipe, stays too.

    Args:
        model_file: the model, with conversions to and from int8 at its ends or without.
        frontend: the front end, which gets the quantisation of the network's input; None for the
            one that the file holds.
        labels: class names in output order; None for those that the file holds.

    Raises:
        AscError: one of them is neither in the file nor given, or does not fit the network; or
            the network is no classifier that takes and gives int8.
    """
    network = without_conversions(model_file)
    _check_ends(network)
    complete, names = fitted(network, frontend, labels)
    document = {
        "frontend": complete.to_dict(),
        "labels": list(names),
        "network": model_file.network,
        "provenance": {
            **model_file.provenance,
            "attached_by": __version__,
            "attached_to_sha256": sha256(metadata_writer.original(model_file.data)),
        },
    }
    given = {name: value for name, value in document.items() if value is not None}
    return metadata_writer.embed(model_file.data, given)


def _check_ends(model_file: ModelFile) -> None:
    graph = model_file.graph
    for kind, indices in (("input", graph.inputs), ("output", graph.outputs)):
        if len(indices) != 1:
            raise AscError(
                f"{model_file.path}: has {len(indices)} {kind}s, a classifier has one; "
                "asc-tiny generate makes code of the network alone"
            )
    source = graph.tensor(graph.inputs[0])
    if source.dtype != "INT8" or len(source.scales) != 1 or len(source.zero_points) != 1:
        raise AscError(
            f"{model_file.path}: the input is {source.dtype}, a front end gives int8 with one "
            "scale; asc-tiny quantize makes an int8 model"
        )
    check_scores(model_file)
