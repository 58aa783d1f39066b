"""What a project says it was made from, and the model it carries for ``asc-tiny verify``."""

from __future__ import annotations

import json

from asc_tiny import __version__
from asc_tiny.firmware.classifier import Classifier
from asc_tiny.firmware.firmware_network import FirmwareNetwork
from asc_tiny.model.ensemble import Ensemble, Model, to_toml
from asc_tiny.model.model_file import ModelFile
from asc_tiny.util.console_text import printable

MANIFEST = "asc-tiny.json"
BOARD_FILE = "board.toml"
"""The user's own description of the board, if it is one that this tool does not bring."""

CLASSIFIER, NETWORK = "classifier", "network"
"""What a project can hold: a classifier, or a network alone."""

MODEL_FILE = "model.tflite"
ENSEMBLE_FILE = "ensemble.toml"


def model_files(model: Model) -> dict[str, str | bytes]:
    """Return the model's file, or an ensemble's with those of its members."""
    if isinstance(model, ModelFile):
        return {MODEL_FILE: model.data}
    names = [f"member{number}.tflite" for number in range(len(model.members))]
    members = zip(names, model.members, strict=True)
    return {
        **{name: member.model_file.data for name, member in members},
        ENSEMBLE_FILE: to_toml(model.members, model.bias, names),
    }


def manifest(model: FirmwareNetwork, *, kind: str, runtime: str, board: str, prefix: str) -> str:
    """Return the text of ``MANIFEST``.

    Args:
        model: a classifier, or a network alone, which has no keys about front end, labels and
            decisions.
        kind: name of the kind of project.
        runtime: ``aot`` or ``tflm``.
        board: name of the board.
        prefix: prefix of all names in the C code.
    """
    content = {
        "schema": 1,
        "tool_version": __version__,
        "project": kind,
        "content": CLASSIFIER if isinstance(model, Classifier) else NETWORK,
        "runtime": runtime,
        "board": board,
        "prefix": prefix,
        "model": {
            "name": printable(model.model_file.path.name),
            "sha256": model.model_file.sha256,
            "file": ENSEMBLE_FILE if isinstance(model.model_file, Ensemble) else MODEL_FILE,
        },
        **(_of_classifier(model) if isinstance(model, Classifier) else {}),
        "plan": model.options.to_dict(),
    }
    return json.dumps(content, indent=2) + "\n"


def _of_classifier(model: Classifier) -> dict[str, object]:
    return {
        "frontend": model.frontend.to_dict(),
        "frontend_sha256": model.fingerprints.frontend,
        "labels": list(model.labels),
        "decision": model.decision.to_dict(),
    }
