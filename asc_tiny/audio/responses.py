"""Impulse responses of devices and rooms: read at any rate, or made here.

Those made here are causal filters of four parts, each with figures of small microphones and their
enclosures:

* the vent of a MEMS capsule, which lets the lowest frequencies pass behind the membrane: a
  high-pass of first order;
* the port in the enclosure with the cavity behind it, a Helmholtz resonator: a low-pass of second
  order at ``c / (2 pi) sqrt(A / (V L))`` for a port of area A and effective length L = l + 1.7 r
  (an end correction of 0.85 r on each side; Kinsler et al., "Fundamentals of Acoustics", ch. 10)
  and a cavity of volume V;
* the resistance of a mesh or a fabric with that cavity: a low-pass of first order;
* early reflections of the housing, a table or a wall: a delay and a gain each.

Analogue parts become digital by the bilinear transform with the corner frequency kept. Rooms are
exponentially decaying noise behind the direct sound (Polack's model).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sqrt, tan
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asc_tiny.audio import decode
from asc_tiny.audio.clips import encoded
from asc_tiny.util.errors import AscError

Samples = NDArray[np.float64]

BUILTIN, BUILTIN_ROOMS = "builtin", "builtin-rooms"
MADE = (BUILTIN, BUILTIN_ROOMS)
"""Names in a recipe of the responses that are made here, those of devices and those of rooms."""

SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".mp3")

RATE = 48000
"""Sample rate in Hz of the responses that are made here."""

_LENGTH = 4096
_SOUND_M_S = 343.0
_HIGHEST_HZ = 0.45 * RATE


@dataclass(frozen=True)
class Microphone:
    """A microphone in its enclosure.

    Attributes:
        name: name of the response's file.
        vent_hz: corner frequency of the capsule's vent.
        radius_mm: radius of the port.
        length_mm: length of the port.
        volume_mm3: volume of the cavity behind the port.
        quality: quality factor of the resonator, which its losses determine.
        mesh_hz: corner frequency of mesh or fabric, 0 without one.
        reflections: delay in milliseconds and gain of each reflection.
    """

    name: str
    vent_hz: float
    radius_mm: float
    length_mm: float
    volume_mm3: float
    quality: float
    mesh_hz: float = 0.0
    reflections: tuple[tuple[float, float], ...] = ()

    @property
    def resonance_hz(self) -> float:
        """Frequency of the Helmholtz resonator."""
        radius, length = self.radius_mm * 1e-3, (self.length_mm + 1.7 * self.radius_mm) * 1e-3
        area, volume = pi * radius * radius, self.volume_mm3 * 1e-9
        return _SOUND_M_S / (2.0 * pi) * sqrt(area / (volume * length))


MICROPHONES = (
    Microphone("bare_capsule", 20.0, 0.50, 0.5, 2.0, 2.0),
    Microphone("gasketed_port", 35.0, 0.50, 1.2, 4.0, 2.5),
    Microphone("long_port", 35.0, 0.40, 3.0, 6.0, 3.5),
    Microphone("wide_cavity", 35.0, 0.50, 2.0, 60.0, 3.0, 0.0, ((0.12, 0.25),)),
    Microphone("phone_bottom", 70.0, 0.45, 2.5, 5.0, 3.0, 11000.0, ((0.25, 0.20),)),
    Microphone("phone_top", 100.0, 0.35, 2.0, 8.0, 2.2, 9000.0, ((0.40, -0.15),)),
    Microphone("mesh_cover", 35.0, 0.60, 1.0, 12.0, 1.2, 5000.0),
    Microphone("fabric_cover", 20.0, 0.80, 1.0, 30.0, 0.9, 3500.0, ((0.30, 0.30),)),
    Microphone("deep_case", 50.0, 0.75, 4.0, 150.0, 2.5, 8000.0, ((0.35, 0.35), (0.80, -0.20))),
    Microphone("on_a_table", 35.0, 0.50, 1.2, 4.0, 2.5, 0.0, ((0.60, 0.50),)),
    Microphone("on_a_wall", 35.0, 0.50, 1.5, 5.0, 2.5, 12000.0, ((0.15, 0.65), (3.5, 0.15))),
    Microphone("in_a_corner", 35.0, 0.50, 1.5, 5.0, 2.5, 0.0, ((0.9, 0.5), (1.3, 0.4), (2.1, 0.3))),
    Microphone("machine_cabinet", 60.0, 0.50, 1.5, 8.0, 2.0, 7000.0,
               ((1.1, 0.55), (1.9, -0.45), (2.7, 0.35), (3.8, 0.25))),
)  # fmt: skip

ROOMS = (
    ("booth", 0.15, 0.5), ("office", 0.35, 0.9), ("kitchen", 0.5, 1.2), ("corridor", 0.7, 1.6),
    ("workshop", 0.9, 2.0), ("hall", 1.4, 3.0),
)  # fmt: skip
"""Name, reverberation time RT60 in seconds, and energy of the reverberation relative to the direct
sound, of each room."""


def microphone(values: Microphone) -> Samples:
    """Return the impulse response of a microphone at ``RATE``, shape (4096,), peak 0.9."""
    from scipy.signal import bilinear, lfilter

    response = np.zeros(_LENGTH)
    response[0] = 1.0
    for delay_ms, gain in values.reflections:
        response[round(delay_ms * 1e-3 * RATE)] += gain
    parts: list[tuple[float, list[float], list[float]]] = [
        (values.vent_hz, [1.0, 0.0], [1.0, 1.0]),
        (values.resonance_hz, [1.0], [1.0, 1.0 / values.quality, 1.0]),
    ]
    if values.mesh_hz:
        parts.append((values.mesh_hz, [1.0], [1.0, 1.0]))
    for corner_hz, above, below in parts:
        # s in units of the corner frequency, which the transform keeps where it is.
        fs = 0.5 / tan(pi * min(corner_hz, _HIGHEST_HZ) / RATE)
        response = lfilter(*bilinear(above, below, fs), response)
    return np.asarray(0.9 * response / np.abs(response).max())


def room(name: str, rt60_s: float, energy: float) -> Samples:
    """Return the impulse response of a room at ``RATE``, as long as its RT60, peak 0.9."""
    random = np.random.default_rng(list(name.encode()))
    times = np.arange(round(rt60_s * RATE)) / RATE
    tail = random.standard_normal(len(times)) * np.exp(-3.0 * np.log(10.0) * times / rt60_s)
    # The direct sound is alone for 2 ms and more, the longer the larger the room.
    tail[: round((0.002 + 0.01 * rt60_s) * RATE)] = 0.0
    tail *= sqrt(energy) / sqrt(float(tail @ tail))
    tail[0] = 1.0
    return np.asarray(0.9 * tail / np.abs(tail).max())


def builtin(kind: str = BUILTIN) -> list[tuple[str, Samples]]:
    """Return name and impulse response of each device, or room, that is made here, at ``RATE``.

    Args:
        kind: one of ``MADE``.
    """
    if kind == BUILTIN_ROOMS:
        return [(name, room(name, rt60, energy)) for name, rt60, energy in ROOMS]
    return [(each.name, microphone(each)) for each in MICROPHONES]


def write(root: Path) -> int:
    """Write the responses that are made here to ``root / "devices"`` and ``root / "rooms"``.

    Returns:
        The number of files.
    """
    kinds = {
        "devices": builtin(),
        "rooms": builtin(BUILTIN_ROOMS),
    }
    for kind, responses in kinds.items():
        (root / kind).mkdir(parents=True)
        for name, samples in responses:
            data = encoded(samples, RATE, bits=24, kind="wav")
            (root / kind / f"{name}.wav").write_bytes(data)
    return sum(map(len, kinds.values()))


def files(folder: Path) -> list[Path]:
    """Return the impulse responses in ``folder`` in alphabetic order.

    Raises:
        AscError: it is not a folder or has none.
    """
    if not folder.is_dir():
        raise AscError(f"{folder}: not a folder of impulse responses")
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if not found:
        raise AscError(f"{folder}: has no impulse responses, allowed: {', '.join(SUFFIXES)}")
    return found


def read(path: Path, rate: int) -> tuple[Samples, float]:
    """Return an impulse response at ``rate`` Hz, and the frequency in Hz up to which it is known.

    One of another rate comes some samples later: see ``_at``.
    A response of a lower rate knows nothing of what lies above 0.45 of that rate.

    Raises:
        AscError: not audio, not mono, silent, or not finite.
    """
    header = decode.header(path)
    if header.channels != 1:
        raise AscError(f"{path}: {header.channels} channels, must be mono; convert it first")
    samples = _at(np.concatenate(list(decode.stream(path, header.rate))), header.rate, rate)
    if not samples.any():
        raise AscError(f"{path}: the impulse response is silent")
    return samples, known_hz(header.rate, rate)


def known_hz(rate: int, wanted: int) -> float:
    """Return up to which frequency in Hz a response of ``rate`` Hz is known at ``wanted`` Hz."""
    return wanted / 2.0 if rate >= wanted else 0.45 * rate


def builtin_at(rate: int, kind: str = BUILTIN) -> list[tuple[Samples, float]]:
    """Return the responses of a kind that are made here as ``read`` returns those of files."""
    return [(_at(samples, RATE, rate), known_hz(RATE, rate)) for _, samples in builtin(kind)]


def _at(samples: Samples, rate: int, wanted: int) -> Samples:
    """Return a response at another sample rate.

    A sample that stands alone becomes a sinc around it. What of it comes before the response's
    begin must not be cut off, so zeros as long as the converter's filter reaches are put there.
    """
    if rate == wanted:
        return samples
    padded = np.pad(samples, (-(-10 * max(rate, wanted) // wanted) + 1, 0))
    return np.concatenate(list(decode.resampled(iter([padded]), rate, wanted)))
