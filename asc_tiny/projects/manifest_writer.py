"""What a project says it was made from, and the model it carries for ``asc-tiny verify``."""

from __future__ import annotations

import json

from asc_tiny import __version__
from asc_tiny.firmware.classifier import Classifier
from asc_tiny.model.ensemble import Ensemble, Model, to_toml
from asc_tiny.model.model_file import ModelFile
from asc_tiny.util.console_text import printable

MANIFEST = "asc-tiny.json"
BOARD_FILE = "board.toml"
"""The user's own description of the board, if it is one that this tool does not bring."""

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


def manifest(model: Classifier, *, kind: str, runtime: str, board: str, prefix: str) -> str:
    """Return the text of ``MANIFEST``; ``kind`` is the project's."""
    content = {
        "schema": 1,
        "tool_version": __version__,
        "project": kind,
        "runtime": runtime,
        "board": board,
        "prefix": prefix,
        "model": {
            "name": printable(model.model_file.path.name),
            "sha256": model.model_file.sha256,
            "file": ENSEMBLE_FILE if isinstance(model.model_file, Ensemble) else MODEL_FILE,
        },
        "frontend": model.frontend.to_dict(),
        "frontend_sha256": model.fingerprints.frontend,
        "labels": list(model.labels),
        "decision": model.decision.to_dict(),
        "plan": model.options.to_dict(),
    }
    return json.dumps(content, indent=2) + "\n"
