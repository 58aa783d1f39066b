"""Search spaces: TOML files that say which keys of a recipe vary, and between which values."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asc_tiny.util import fields
from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import parse_toml, read_bytes, sha256

_MOST_CHOICES = 1000
_RESERVED = ("name", "seed")


@dataclass(frozen=True, kw_only=True)
class Range:
    """Numbers between two others: whole ones if both are whole.

    Attributes:
        low, high: smallest and largest value, both allowed.
        step: distance between the values that are tried; None for 1, or for any number.
        log: whether each decade has the same chance; needs ``low`` above 0 and no step.
    """

    low: float
    high: float
    step: float | None = None
    log: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether the values are whole numbers."""
        return all(float(n).is_integer() for n in (self.low, self.high, self.step or 1))


@dataclass(frozen=True)
class Choice:
    """Some values of any type.

    Attributes:
        values: the values, at least one.
    """

    values: tuple[Any, ...]

    @property
    def texts(self) -> list[str]:
        """The values as JSON, which tells them apart whatever their types are."""
        return [json.dumps(value) for value in self.values]


Parameter = Range | Choice


@dataclass(frozen=True, kw_only=True)
class Halving:
    """When candidates are compared, and how many of them are trained further.

    Attributes:
        epochs: numbers of epochs after which a candidate is compared with those before it; the
            last one ends its training. None at all for the ends of the recipe's cycles.
        keep_one_in: number of candidates of which one is trained further, 2 or more.
    """

    epochs: tuple[int, ...] = ()
    keep_one_in: int = fields.between(2, 100, default=3)

    def __post_init__(self) -> None:
        rising = all(a < b for a, b in zip((0, *self.epochs), self.epochs, strict=False))
        if not rising:
            raise AscError(
                f"halving.epochs = {shown(list(self.epochs))}, allowed: rising numbers from 1 on"
            )


@dataclass(frozen=True, kw_only=True)
class Space:
    """What a search varies.

    Attributes:
        recipe: the recipe file that has all other values, beside the space or in the working
            folder.
        parameters: what varies, by the key in the recipe, its table's name and a dot before it.
        halving: when candidates are compared.
        source: the bytes of the file.
    """

    recipe: Path
    parameters: Mapping[str, Parameter]
    halving: Halving = field(default_factory=Halving)
    source: bytes = b""

    @property
    def sha256(self) -> str:
        """SHA-256 of the file."""
        return sha256(self.source)


def load(path: Path) -> Space:
    """Read a search space.

    Raises:
        AscError: the file is missing, not TOML, or has an unknown key or a value out of range.
    """
    source = read_bytes(path)
    values = parse_toml(source, source=str(path))
    try:
        return _space(values, source, path.parent)
    except AscError as error:
        raise AscError(f"{path}: {error}") from error


def _space(values: dict[str, Any], source: bytes, folder: Path) -> Space:
    fields.check_keys(values, ("halving", "recipe", "space"))
    name = values.get("recipe")
    if not isinstance(name, str) or not name:
        raise AscError(f"recipe = {shown(name)}, must name the recipe that the search varies")
    halving = Halving(**fields.checked(Halving, _table(values, "halving"), prefix="halving."))
    parameters = _table(values, "space")
    if not parameters:
        raise AscError("space: must have at least one key of the recipe that varies")
    return Space(
        recipe=_find(folder, name),
        parameters={key: _parameter(key, parameters[key]) for key in sorted(parameters)},
        halving=halving,
        source=source,
    )


def _table(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return fields.table(values.get(name, {}), name)


def _find(folder: Path, name: str) -> Path:
    for path in (folder / name, Path(name)):
        if path.exists():
            return path
    raise AscError(f"recipe = {shown(name)}: is neither in {folder} nor in the working folder")


def _parameter(key: str, value: object) -> Parameter:
    if key.split(".")[0] in _RESERVED:
        raise AscError(f"space.{key}: the search chooses it itself")
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _choice(key, value)
    if isinstance(value, Mapping) and {"low", "high"} <= set(value):
        return _range(key, value)
    raise AscError(
        f'space."{key}" = {shown(value)}, allowed: a list of values, or a table such as '
        "{ low = 0.01, high = 0.1, log = true }"
    )


def _choice(key: str, values: Sequence[Any]) -> Choice:
    choice = Choice(tuple(values))
    different = len(set(choice.texts)) == len(choice.texts)
    if not 1 <= len(values) <= _MOST_CHOICES or not different:
        raise AscError(f'space."{key}": allowed are 1 to {_MOST_CHOICES} different values')
    return choice


def _range(key: str, value: Mapping[str, Any]) -> Range:
    prefix = f'space."{key}".'
    fields.check_keys(value, ("low", "high", "step", "log"), prefix)
    numbers = {name: n for name, n in value.items() if name != "log"}
    for name, number in numbers.items():
        is_number = isinstance(number, int | float) and not isinstance(number, bool)
        if not is_number or not math.isfinite(number):
            raise AscError(f'space."{key}".{name} = {shown(number)}, must be a number')
    found = Range(**fields.checked(Range, value, prefix=prefix))
    if not found.low < found.high:
        raise AscError(f'space."{key}": low = {found.low:g} must be below high = {found.high:g}')
    if found.step is not None and not 0 < found.step <= found.high - found.low:
        raise AscError(f'space."{key}".step = {found.step:g}, allowed: above 0, up to high - low')
    if found.log and (found.low <= 0 or found.step is not None):
        raise AscError(f'space."{key}".log: needs low above 0 and no step')
    return found
