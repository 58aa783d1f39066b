"""What a user can ask of the compiler."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from asc_tiny.util.errors import AscError
from asc_tiny.util.fields import checked, key_of

STREAMING = "streaming"
"""The schedule that computes while the columns of the input come."""

INT8_CODES, AS_IS = "int8", "as-is"
"""The kinds of ends that the C code can have, as ``--io`` names them."""

MEDIUM, HIGH = "medium", "high"
"""The effort of the planner where the user asks for no other, and the highest."""

EFFORTS = ("low", MEDIUM, HIGH)
"""How long plans can be searched for, as ``--effort`` names it."""

_STREAMING_IN_FILES = "time"
"""What that schedule was called first: manifests keep it, and users may still say it."""


def default_io(*, is_alone: bool) -> str:
    """Return what the code takes and gives where the user does not say.

    Args:
        is_alone: whether the network has neither front end nor labels: it takes and gives what its
            file does, where a front end gives int8 codes.
    """
    return AS_IS if is_alone else INT8_CODES


@dataclass(frozen=True)
class Options:
    """What a user can ask of the compiler.

    Attributes:
        schedule: the order of the runs: ``rows``, ``layers``, ``streaming``, None for the
            one whose arena is smallest, of those that need the whole input.
        max_ram: largest arena that is allowed, in bytes; None for the smallest possible arena.
        optimize: ``speed``, or ``size`` for the smallest flash.
        effort: how long plans are searched for: ``low``, ``medium`` or ``high``.
        io: what the code takes and gives: ``int8`` codes, without the conversions of the file's
            ends from and to other types, or ``as-is`` what the file does.
    """

    schedule: str | None = field(default=None, metadata={"key": "order"})
    max_ram: int | None = None
    optimize: str = "speed"
    effort: str = MEDIUM
    io: str = INT8_CODES

    def __post_init__(self) -> None:
        if self.schedule == _STREAMING_IN_FILES:
            object.__setattr__(self, "schedule", STREAMING)
        if self.schedule not in (None, "rows", "layers", STREAMING):
            raise AscError(f"schedule = {self.schedule}, allowed: rows, layers, {STREAMING}")
        if self.optimize not in ("speed", "size"):
            raise AscError(f"optimize = {self.optimize}, allowed: speed, size")
        if self.effort not in EFFORTS:
            raise AscError(f"effort = {self.effort}, allowed: {', '.join(EFFORTS)}")
        if self.io not in (INT8_CODES, AS_IS):
            raise AscError(f"io = {self.io}, allowed: {INT8_CODES}, {AS_IS}")

    def to_dict(self) -> dict[str, Any]:
        """Return what a project's manifest keeps."""
        values = {key_of(each): getattr(self, each.name) for each in dataclasses.fields(self)}
        if self.schedule == STREAMING:
            values["order"] = _STREAMING_IN_FILES
        # Older versions, which know no other ends and efforts, have no such keys.
        if self.io == INT8_CODES:
            del values["io"]
        if self.effort == MEDIUM:
            del values["effort"]
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Options:
        """Return the options that a project's manifest keeps, those that are absent by default.

        Raises:
            AscError: an unknown key, or a value of another type or range.
        """
        return cls(**checked(cls, values, prefix="plan."))
