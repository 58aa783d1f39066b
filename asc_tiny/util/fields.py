"""Values from files and boards, checked against the types that dataclasses give their fields."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

from asc_tiny.util.console_text import printable, shown
from asc_tiny.util.errors import AscError

T = TypeVar("T")


def spelled(key: str) -> Mapping[str, str]:
    """Return the metadata of a dataclass field that files call ``key``.

    Files keep the spelling that they were published with; identifiers follow TensorFlow's.
    """
    return {"key": key}


def key_of(field: dataclasses.Field[Any]) -> str:
    """Return the key that stands for a dataclass field in files."""
    return str(field.metadata.get("key", field.name))


def matching(pattern: str, allowed: str, **options: Any) -> Any:
    """Return a dataclass field of a text, or of a list of texts, that files may give.

    Args:
        pattern: regular expression that a whole text matches.
        allowed: what that is, for people.
        options: options of ``dataclasses.field``, such as ``default``.
    """
    return _restricted(re.compile(pattern).fullmatch, allowed, options)


def between(lowest: int, highest: int, **options: Any) -> Any:
    """Return a dataclass field of a number from ``lowest`` to ``highest``, or of a list of them."""
    return _restricted(lambda n: lowest <= n <= highest, f"{lowest} to {highest}", options)


def one_of(*choices: str, **options: Any) -> Any:
    """Return a dataclass field of one of some texts."""
    return _restricted(choices.__contains__, ", ".join(filter(None, choices)), options)


_MOST_TEXT = 1000


def line(**options: Any) -> Any:
    """Return a dataclass field of a text for people, which is shown on one line."""

    def is_line(text: str) -> bool:
        return len(text) <= _MOST_TEXT and printable(text) == text

    return _restricted(is_line, f"a line of up to {_MOST_TEXT} visible characters", options)


def _restricted(is_allowed: Callable[[Any], object], allowed: str, options: Any) -> Any:
    metadata = {"is_allowed": is_allowed, "allowed": allowed}
    return dataclasses.field(metadata=metadata, **options)


def _check_allowed(field: dataclasses.Field[Any], value: Any, name: str) -> None:
    is_allowed = field.metadata.get("is_allowed", lambda each: True)
    for each in value if isinstance(value, tuple) else (value,):
        if not is_allowed(each):
            raise AscError(f"{name} = {shown(each)}, allowed: {field.metadata['allowed']}")


def table(value: object, name: str) -> Mapping[str, Any]:
    """Return ``value`` if it is a table, a JSON object in other words.

    Raises:
        AscError: it is none.
    """
    if not isinstance(value, Mapping):
        raise AscError(f"{name} = {shown(value)}, must be a table")
    return value


def check_keys(values: Mapping[str, Any], known: Collection[str], prefix: str = "") -> None:
    """Check that a table has only keys that are known.

    Raises:
        AscError: it has another, which the message names behind ``prefix``.
    """
    for name in values:
        if name not in known:
            raise AscError(f"unknown key {prefix}{shown(name)[1:-1]}, allowed: {', '.join(known)}")


def checked(
    kind: type[Any],
    values: Mapping[str, Any],
    *,
    prefix: str = "",
    without: Collection[str] = (),
    special: Mapping[str, Callable[[Any], Any]] | None = None,
) -> dict[str, Any]:
    """Return the arguments of a dataclass from a table of a file.

    Args:
        kind: the dataclass.
        values: the table.
        prefix: text before the keys in messages, such as ``frontend.``.
        without: fields that no file gives.
        special: functions by key, for fields whose annotation ``typed`` does not know; they
            raise ``AscError``.

    Raises:
        AscError: an unknown key, a value of another type or one that its field does not allow
            (``matching``, ``between``, ``one_of``); a key is missing.
    """
    fields = {key_of(f): f for f in dataclasses.fields(kind) if f.name not in without}
    check_keys(values, sorted(fields), prefix)
    special = special or {}
    arguments = {
        fields[key].name: special[key](value)
        if key in special
        else typed(value, _annotation(fields[key]), f"{prefix}{key}")
        for key, value in values.items()
    }
    for key in values:
        _check_allowed(fields[key], arguments[fields[key].name], f"{prefix}{key}")
    for key, field in fields.items():
        missing = dataclasses.MISSING
        if field.default is missing and field.default_factory is missing and key not in values:
            raise AscError(f"{prefix}{key} is missing")
    return arguments


def _annotation(field: dataclasses.Field[Any]) -> str:
    """Return a field's annotation as text, also of a module that does not postpone them."""
    names: dict[Any, str] = {kind: name for name, kind in _PLAIN.items()}
    return names.get(field.type, str(field.type))


def typed(value: object, annotation: str, name: str) -> Any:
    """Return ``value`` as an annotation asks; lists become tuples, whole numbers fine floats.

    Args:
        value: as TOML and JSON give it.
        annotation: ``int``, ``float``, ``str``, ``bool``, ``tuple[<one of them>, ...]``, or one
            of these ``| None``.
        name: name of the value, for messages.

    Raises:
        AscError: it has another type, is a number that is not finite, or holds a zero character.
    """
    if annotation.endswith(" | None"):
        return None if value is None else typed(value, annotation.removesuffix(" | None"), name)
    if annotation.startswith("tuple["):
        item = annotation.removeprefix("tuple[").removesuffix(", ...]")
        items = [value] if item == "str" and isinstance(value, str) else value
        if not isinstance(items, list | tuple) or not all(_is(each, item) for each in items):
            raise AscError(f"{name} = {shown(value)}, must be a list of {_PLURALS[item]}")
        return tuple(_PLAIN[item](each) for each in items)
    if not _is(value, annotation):
        raise AscError(f"{name} = {shown(value)}, must be {_SINGULARS[annotation]}")
    return _PLAIN[annotation](value)


_PLAIN: dict[str, type[Any]] = {"int": int, "float": float, "str": str, "bool": bool}
_SINGULARS = {
    "int": "a whole number",
    "float": "a finite number",
    "str": "a text",
    "bool": "true or false",
}
_PLURALS = {
    "int": "whole numbers",
    "float": "finite numbers",
    "str": "texts",
    "bool": "true or false",
}


def _is(value: object, kind: str) -> bool:
    """Return whether a value has a plain type; a bool is no number, a whole number is a float."""
    if kind == "float":
        return type(value) in (int, float) and _is_finite(value)
    if kind == "str":
        return isinstance(value, str) and "\0" not in value
    return type(value) is _PLAIN[kind]


def _is_finite(value: Any) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        # An integer beyond the range of floats.
        return False
