"""The hashes by which generated files know what they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from asc_tiny.frontend.config import FrontEndConfig, codes_digest
from asc_tiny.model.ensemble import Model
from asc_tiny.util.files import sha256


@dataclass(frozen=True)
class Fingerprints:
    """What a classifier consists of, as SHA-256 in hexadecimal.

    Attributes:
        model: hash of the .tflite file, or of an ensemble with its members.
        frontend: hash of the front end with its quantisations.
        labels: hash of the class names in output order.
    """

    model: str
    frontend: str
    labels: str


def fingerprints_of(
    model: Model, frontends: Sequence[FrontEndConfig], labels: Sequence[str]
) -> Fingerprints:
    """Return the hashes of a model with its front end, in each quantisation, and its labels."""
    return Fingerprints(model.sha256, codes_digest(frontends), labels_digest(labels))


def labels_digest(labels: Sequence[str]) -> str:
    """Return a SHA-256 over class names in output order."""
    return sha256("".join(f"{label}\0" for label in labels).encode())
