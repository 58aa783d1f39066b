"""Metadata in anybody's model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from asc_tiny.firmware.attach import attached
from asc_tiny.frontend.config import read_toml
from asc_tiny.model import model_file
from asc_tiny.model.model_file import ModelFile
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import write_bytes
from asc_tiny.util.labels import read as read_labels


def attach(
    model: Path | str,
    out: Path | str,
    *,
    frontend: Path | str | None = None,
    labels: Path | str | None = None,
    warn: Callable[[str], None] | None = None,
) -> ModelFile:
    """Write a model's file with front end and labels in it, so that nothing needs them besides.

    Parameters
    ----------
    model
        A ``.tflite`` file by whichever converter. Its operators and constants keep their bytes.
    out
        The file to write, which may be ``model``.
    frontend, labels
        TOML file of the front end and text file of the class names in output order; None for what
        the file already holds.
    warn
        Called with a line about each thing that is doubtful; None keeps quiet.

    Returns
    -------
    ModelFile
        What was written, as ``load_model`` reads it.

    Raises
    ------
    AscError
        Front end or labels are neither given nor in the file, or do not fit its network; or the
        network is no classifier that takes and gives int8 between conversions at its ends.

    Examples
    --------
    >>> from asc_tiny import api
    >>> labels = out / "labels.txt"
    >>> _ = labels.write_text("\\n".join(f"scene {number}" for number in range(10)))
    >>> done = api.attach("models/mobilenet_esc10.tflite", out / "own.tflite", labels=labels)
    >>> done.labels[:2]
    ('scene 0', 'scene 1')
    """
    if frontend is None and labels is None:
        raise AscError(
            f"{model}: nothing to attach; give --frontend FILE.toml, --labels FILE, both"
        )
    config = read_toml(Path(frontend)) if frontend else None
    names = read_labels(Path(labels)) if labels else None
    data = attached(model_file.load(Path(model)), config, names)
    if config and warn:
        for line in config.warnings():
            warn(f"{frontend}: {line}")
    write_bytes(Path(out), data)
    return model_file.load(Path(out))
