"""What a search was started with: a search goes on with the same settings only."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from asc_tiny.util import claims
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import parse_json, read_bytes

SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What decides which candidates there are and how they are compared.

    Attributes:
        space_sha256, recipe_sha256: hashes of the space's and the recipe's file, in hexadecimal.
        dataset_fingerprint: hash of the dataset, in hexadecimal.
        limits: the limits, by name.
        cpu: core that instructions are estimated for.
        seed: seed of the choices.
    """

    space_sha256: str
    recipe_sha256: str
    dataset_fingerprint: str
    limits: dict[str, Any]
    cpu: str
    seed: int


_NAMES = {
    "space_sha256": "another search space",
    "recipe_sha256": "another recipe",
    "dataset_fingerprint": "another dataset",
    "limits": "other limits",
    "cpu": "another --cpu",
    "seed": "another --seed",
}


@contextmanager
def claimed(
    root: Path, settings: Settings, *, resume: bool, also: Sequence[str] = ()
) -> Iterator[None]:
    """Write the settings of a new search, or compare those of one that goes on.

    If nothing is trained in the block, the folder is as before.

    Args:
        root: folder of the search.
        settings: its settings.
        resume: whether a search that is there goes on.
        also: files of a search that are worth nothing without a training.

    Raises:
        AscError: the folder holds a search and ``resume`` is off, or one with other settings.
    """
    path = root / "search.json"
    values = {"schema": SCHEMA, **asdict(settings)}
    if path.exists():
        if not resume:
            raise AscError(f"{root}: holds a search already; use --resume or another folder")
        before = parse_json(read_bytes(path), source=str(path))
        if not isinstance(before, dict) or before.get("schema") != SCHEMA:
            raise AscError(f"{path}: is not what a search was started with")
        for name, text in _NAMES.items():
            if before.get(name) != values[name]:
                raise AscError(f"{root}: was started with {text}, cannot resume")
    with claims.claimed(path, json.dumps(values, indent=2) + "\n", also=also):
        yield
