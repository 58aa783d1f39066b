"""What came of trying one model."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any


@dataclass(frozen=True)
class Outcome:
    """What is known of a model after the rungs that were reached.

    Attributes:
        operators: names of the operators, with how often each occurs.
        params: number of parameters, None where it cannot be measured.
        macs: multiply-accumulates of one inference, None where they cannot be counted.
        tflm_head_bytes: bytes of activations in the arena of TensorFlow Lite Micro.
        arena_bytes: bytes of the arena of the compiled network.
        instructions: most instructions of an inference on the emulated core, None if none ran.
        refusals: reason by the name of the rung that refused the model, such as ``budget``,
            ``reference``, ``tflm`` or ``aot``.
        equal: comparisons in which all values were equal, each in a few words.
        differs: comparison in which a value differs, empty if there is none.
        rung: name of the last rung that was begun.
        stopped: reason why the trial did not come to its end, empty if it did.
    """

    operators: Mapping[str, int] = field(default_factory=dict)
    params: int | None = None
    macs: int | None = None
    tflm_head_bytes: int | None = None
    arena_bytes: int | None = None
    instructions: int | None = None
    refusals: Mapping[str, str] = field(default_factory=dict)
    equal: tuple[str, ...] = ()
    differs: str = ""
    rung: str = ""
    stopped: str = ""

    @property
    def is_equal(self) -> bool:
        """Whether the compiled network gave TensorFlow Lite Micro's values in every comparison."""
        return bool(self.equal) and not self.differs and not self.stopped

    def to_json(self) -> str:
        """Return the outcome as one line of JSON."""
        return json.dumps(asdict(self), sort_keys=True)


def from_json(text: str) -> Outcome:
    """Return the outcome that ``to_json`` wrote.

    Raises:
        ValueError: no outcome.
    """
    values: Any = json.loads(text)
    if not isinstance(values, dict) or values.keys() != {each.name for each in fields(Outcome)}:
        raise ValueError("no outcome of a trial")
    return Outcome(**{**values, "equal": tuple(values["equal"])})


def last_of(lines: Iterable[str]) -> Outcome:
    """Return the outcome in the last whole line, an empty one if there is none."""
    found = Outcome()
    for line in lines:
        try:
            found = from_json(line)
        except ValueError:
            continue
    return found
