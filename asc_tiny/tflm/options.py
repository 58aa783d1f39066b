"""What a user says of TensorFlow Lite Micro: the arena's size, and kernels of custom operators."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError

_HEADER = re.compile(r"[\w./+-]+")
_FUNCTION = re.compile(r"(?:::)?[A-Za-z_]\w*(?:::[A-Za-z_]\w*)*")
_NAME = re.compile(r"[!-~]+(?: [!-~]+)*")


@dataclass(frozen=True)
class CustomOperator:
    """A custom operator, and the function that returns its kernel.

    Attributes:
        name: name of the operator in the file.
        header: header that declares the function, as ``#include`` names it.
        function: name in C++ of a function without arguments that returns a ``TFLMRegistration``,
            or a pointer or a reference to one.
    """

    name: str
    header: str
    function: str

    @classmethod
    def parse(cls, text: str, *, option: str = "--tflm-op") -> CustomOperator:
        """Return what a text of the form ``NAME=HEADER:FUNCTION`` says.

        Without ``:FUNCTION`` it is ``Register_NAME``.

        Args:
            text: the text.
            option: the option that it was given to, for messages.

        Raises:
            AscError: it is not of this form.
        """
        name, _, place = text.rpartition("=")
        header, colon, function = place.partition(":")
        function = function if colon else f"Register_{name}"
        if not (_NAME.fullmatch(name) and _HEADER.fullmatch(header)):
            raise AscError(
                f"{option} {shown(text)}: must be NAME=HEADER:FUNCTION, such as "
                f"MyOp=my_op.h:Register_MyOp"
            )
        if not _FUNCTION.fullmatch(function):
            raise AscError(
                f"{option} {shown(text)}: {shown(function)} is no name of a function in C++; give "
                f"NAME=HEADER:FUNCTION"
            )
        return cls(name, header, function)


@dataclass(frozen=True)
class TflmOptions:
    """How TensorFlow Lite Micro is to run a network.

    Attributes:
        arena_bytes: bytes of the arena; None computes or measures them.
        operators: custom operators whose kernels the user's own code has.
    """

    arena_bytes: int | None = None
    operators: tuple[CustomOperator, ...] = ()

    def __post_init__(self) -> None:
        names = [each.name for each in self.operators]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise AscError(f"--tflm-op {twice}: is given twice")

    @property
    def headers(self) -> Sequence[str]:
        """The headers of all custom operators, each once."""
        return tuple(dict.fromkeys(each.header for each in self.operators))


DEFAULT = TflmOptions()
"""An arena that is computed or measured, and no kernels but those of TensorFlow Lite Micro."""
