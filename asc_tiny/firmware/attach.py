"""Front end and labels put into anybody's model, so that every command needs that file alone."""

from __future__ import annotations

from asc_tiny import __version__
from asc_tiny.firmware.classifier import fitted
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.model import metadata_writer
from asc_tiny.model.classifier_network import classifier_network
from asc_tiny.model.model_file import ModelFile
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
    complete, names = fitted(classifier_network(model_file), frontend, labels)
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
