"""A TOML file that says which model stands for which recording device.

    schema = 1
    other = "general/model.keras"

    [devices]
    a = "device-a/model.keras"

Paths are relative to the file. Models are what ``evaluate`` takes; ``other`` is for devices that
the table does not name.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from asc_tiny.util import fields
from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import read_toml, write_text

SCHEMA = 1
FILE = "devices.toml"
_KEYS = {"schema", "other", "devices"}


@dataclass(frozen=True)
class DeviceMap:
    """Models by recording device.

    Attributes:
        other: file of the model of all other devices.
        by_device: file of the model by the name of the device.
    """

    other: Path
    by_device: Mapping[str, Path]


def is_one(path: Path) -> bool:
    """Return whether a file is a map of devices: TOML with a table ``devices``.

    Raises:
        AscError: a ``.toml`` file that cannot be read.
    """
    return path.suffix == ".toml" and "devices" in read_toml(path)


def read(path: Path) -> DeviceMap:
    """Read a map.

    Raises:
        AscError: not a map of this schema.
    """
    document = read_toml(path)
    if document.get("schema") != SCHEMA:
        found = shown(document.get("schema"))
        raise AscError(f"{path}: schema {found}, this version reads schema {SCHEMA}")
    if unknown := sorted(set(document) - _KEYS):
        raise AscError(f"{path}: unknown key {shown(unknown[0])}, allowed: other, devices")
    if "other" not in document:
        raise AscError(f"{path}: other is missing, the model of all other devices")

    def file(value: object, name: str) -> Path:
        return path.parent / str(fields.typed(value, "str", f"{path}: {name}"))

    named = fields.table(document["devices"], f"{path}: devices")
    by_device = {device: file(value, f"devices.{device}") for device, value in named.items()}
    return DeviceMap(file(document["other"], "other"), by_device)


def write(path: Path, models: DeviceMap) -> None:
    """Write a map with paths relative to it.

    Raises:
        AscError: the file cannot be written.
    """

    def relative(file: Path) -> str:
        return Path(os.path.relpath(file, path.parent)).as_posix()

    named = {device: relative(file) for device, file in sorted(models.by_device.items())}
    document = {"schema": SCHEMA, "other": relative(models.other), "devices": named}
    # Reading and evaluating do without the extra that has it.
    import tomli_w

    write_text(path, tomli_w.dumps(document))
