"""Outcomes that an earlier run found, by all that they follow from."""

from __future__ import annotations

import hashlib
from importlib import metadata
from pathlib import Path

from asc_tiny.util.files import write_text
from model_trials.outcome import Outcome, from_json

ROOT = Path(__file__).resolve().parents[2]
_SOURCES = ("asc_tiny", "firmware_templates", "benchmarks/model_trials")
_REFERENCE = "tflite-micro"


def state_of_the_code() -> str:
    """Return a hash of the package, of its C code and of the version of the reference."""
    whole = hashlib.sha256()
    paths = (path for folder in _SOURCES for path in (ROOT / folder).rglob("*"))
    for path in sorted(path for path in paths if path.is_file() and path.suffix != ".pyc"):
        for part in (str(path.relative_to(ROOT)).encode(), path.read_bytes()):
            whole.update(hashlib.sha256(part).digest())
    try:
        whole.update(metadata.version(_REFERENCE).encode())
    except metadata.PackageNotFoundError:
        whole.update(b"none")
    return whole.hexdigest()


class KeptOutcomes:
    """A folder of outcomes.

    Args:
        folder: folder to keep them in.
        state: text of all that an outcome follows from besides the model: code and settings.
    """

    def __init__(self, folder: Path, state: str) -> None:
        self._folder, self._state = folder, state

    def get(self, model: bytes) -> Outcome | None:
        """Return the outcome of a model, None if it is not kept."""
        try:
            return from_json(self._path(model).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def put(self, model: bytes, outcome: Outcome) -> None:
        """Keep the outcome of a model."""
        self._folder.mkdir(parents=True, exist_ok=True)
        write_text(self._path(model), outcome.to_json() + "\n")

    def _path(self, model: bytes) -> Path:
        digest = hashlib.sha256(hashlib.sha256(model).digest() + self._state.encode())
        return self._folder / f"{digest.hexdigest()}.json"
