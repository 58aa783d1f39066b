"""The front end's configuration: one description for training, the integer model and the chip."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from asc_tiny.frontend import mel, pcen
from asc_tiny.frontend.arrays import Float64Array
from asc_tiny.util import fields, files
from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError

_T = TypeVar("_T")

WINDOWS = ("hann",)
MEL_SCALES = ("htk", "slaney")
LOGS = {"ln": 1.0, "log10": math.log(10.0), "log2": math.log(2.0)}
"""Natural logarithm of each one's base."""

COMPRESSIONS = ("log", "pcen")
SPECTRA = ("power", "magnitude")
LOG_FLOORS = {"power": (1e-10, 1e-6), "magnitude": (1e-5, 1e-1)}
"""Least and largest floor of the logarithm, by what the mel bands sum."""

FLOORS = ("add", "max")
FRAMINGS = ("centred", "causal")
SAMPLE_BITS = (16, 24)
LEAST_WINDOW = 64
"""Samples of the shortest window."""

DELTA_REACH = 4
"""Frames of log-mel that the second delta needs on each side of a column."""


@dataclass(frozen=True, kw_only=True)
class Quantization:
    """Affine int8 quantisation: ``value = scale * (code - zero_point)`` (TFLite spec)."""

    scale: float
    zero_point: int

    def __post_init__(self) -> None:
        if not 0.0 < self.scale < math.inf:
            raise AscError(f"quantisation: scale {self.scale}, must be above 0")
        if not -128 <= self.zero_point <= 127:
            raise AscError(f"quantisation: zero_point {self.zero_point}, must be -128 to 127")


@dataclass(frozen=True, kw_only=True)
class Normalization:
    """Per-band normalisation of the log-mel: ``(x - mean) / scale``, before the deltas.

    Attributes:
        means, scales: one for each mel band, in units of the logarithm.
    """

    means: tuple[float, ...]
    scales: tuple[float, ...]

    def __post_init__(self) -> None:
        for scale in self.scales:
            if not 0.001 <= scale <= 1000.0:
                raise AscError(f"normalisation: a scale of {scale}, allowed: 0.001 to 1000")


@dataclass(frozen=True, kw_only=True)
class FrontEndConfig:
    """Log-mel features of a clip, by default as Bing et al. (DCASE2023 Task 1) define them.

    Attributes:
        sample_rate: samples per second of the input.
        sample_bits: 16 for int16 samples; 24 for int32 samples of which the upper 24 bits count.
        clip_samples: samples in a clip; a stream is cut into clips of this length and each gives
            one network input.
        n_fft: length of the transform in samples, a power of two.
        win_length: length of the window and of a frame in samples, which zeros make ``n_fft``;
            None for ``n_fft``.
        hop: samples between frames, at most the length of the window.
        framing: ``centred``, on multiples of the hop with zeros beyond the clip's ends, or
            ``causal``, whole frames within the clip only.
        window: ``hann`` (periodic).
        spectrum: what the mel bands sum of each bin of the transform, its ``power`` or its
            ``magnitude``.
        n_mels: triangular mel bands, no area normalisation.
        mel_scale: ``htk`` or ``slaney``.
        f_min, f_max: lower edge of the first and upper edge of the last band in Hz.
        compression: what is made of a band: its ``log`` or ``pcen``, per-channel energy
            normalisation (Wang et al., arXiv:1607.05666).
        log: ``ln``, ``log10`` or ``log2``.
        log_floor: smallest power or magnitude that the logarithm sees, for samples scaled to +-1.
        floor: ``add`` the floor to every band, or take the ``max`` of both.
        pcen_gain, pcen_bias, pcen_power: exponent of the smoothed energy that a band is divided
            by, summand before the root, and its exponent.
        pcen_time_constant: time constant of the smoothed energy in seconds.
        pcen_eps: summand of the smoothed energy, for samples scaled to +-1.
        deltas: add first and second deltas as channels; costs 4 frames at each end.
        normalization: mean and scale of each band's log-mel or PCEN; None to leave it as it is.
        quantization: int8 quantisation of the features, None while in training.
    """

    sample_rate: int = 44100
    sample_bits: int = 16
    clip_samples: int = 44100
    n_fft: int = 2048
    win_length: int | None = None
    hop: int = 1024
    framing: str = "centred"
    window: str = "hann"
    n_mels: int = 256
    mel_scale: str = "htk"
    f_min: float = 0.0
    f_max: float = 22050.0
    compression: str = "log"
    log: str = "ln"
    log_floor: float = 1e-8
    floor: str = "add"
    pcen_gain: float = 0.98
    pcen_bias: float = 2.0
    pcen_power: float = 0.5
    pcen_time_constant: float = 0.4
    pcen_eps: float = 1e-6
    deltas: bool = True
    spectrum: str = "power"
    normalization: Normalization | None = dataclasses.field(
        default=None, metadata=fields.spelled("normalisation")
    )
    quantization: Quantization | None = dataclasses.field(
        default=None, metadata=fields.spelled("quantisation")
    )

    def __post_init__(self) -> None:
        def check(ok: bool, name: str, allowed: str) -> None:
            if not ok:
                raise AscError(f"front end: {name} = {getattr(self, name)}, allowed: {allowed}")

        for name in ("sample_rate", "sample_bits", "clip_samples", "n_fft", "hop", "n_mels"):
            check(type(getattr(self, name)) is int, name, "a whole number")
        check(8000 <= self.sample_rate <= 48000, "sample_rate", "8000 to 48000 Hz")
        check(self.sample_bits in SAMPLE_BITS, "sample_bits", " or ".join(map(str, SAMPLE_BITS)))
        power_of_two = self.n_fft > 0 and self.n_fft & (self.n_fft - 1) == 0
        check(power_of_two and 256 <= self.n_fft <= 8192, "n_fft", "powers of two, 256 to 8192")
        if self.win_length == self.n_fft:
            object.__setattr__(self, "win_length", None)
        if self.win_length is not None:
            allowed = f"{LEAST_WINDOW} to n_fft ({self.n_fft})"
            check(type(self.win_length) is int, "win_length", "a whole number")
            check(LEAST_WINDOW <= self.win_length <= self.n_fft, "win_length", allowed)
        check(1 <= self.hop <= self.frame_length, "hop", f"1 to {self._frame_length_text}")
        check(self.window in WINDOWS, "window", ", ".join(WINDOWS))
        check(16 <= self.n_mels <= 256, "n_mels", "16 to 256")
        check(self.mel_scale in MEL_SCALES, "mel_scale", ", ".join(MEL_SCALES))
        check(0.0 <= self.f_min < self.f_max, "f_min", f"0 to below f_max ({self.f_max})")
        check(self.f_max <= self.sample_rate / 2, "f_max", f"up to {self.sample_rate / 2} Hz")
        check(self.framing in FRAMINGS, "framing", ", ".join(FRAMINGS))
        check(self.compression in COMPRESSIONS, "compression", ", ".join(COMPRESSIONS))
        check(self.log in LOGS, "log", ", ".join(LOGS))
        check(self.floor in FLOORS, "floor", ", ".join(FLOORS))
        check(self.spectrum in SPECTRA, "spectrum", ", ".join(SPECTRA))
        self._check_compression()
        if self.compression == "log":
            low, high = LOG_FLOORS[self.spectrum]
            check(low <= self.log_floor <= high, "log_floor", f"{low:g} to {high:g}")
        else:
            for name, (low, high) in PCEN_RANGES.items():
                check(low <= getattr(self, name) <= high, name, f"{low:g} to {high:g}")
            longest = pcen.MOST_HOPS * self.hop / self.sample_rate
            allowed = f"up to {pcen.MOST_HOPS} hops ({longest:g} s)"
            check(self.pcen_time_constant <= longest, "pcen_time_constant", allowed)
        check(self.clip_samples < 2**31, "clip_samples", "up to 2147483647")
        check(self.columns >= 1, "clip_samples", "enough for at least one feature column")
        if self.normalization is not None:
            self._check_bands(self.normalization)

    def _check_compression(self) -> None:
        """Refuse what the other compression takes."""
        for each in dataclasses.fields(self):
            owner = _owner(each.name)
            if owner not in (None, self.compression):
                value = getattr(self, each.name)
                if value != each.default:
                    raise AscError(
                        f'front end: {each.name} = {value}: compression = "{self.compression}" '
                        f"has none"
                    )

    def _check_bands(self, normalization: Normalization) -> None:
        for name, values in vars(normalization).items():
            if len(values) != self.n_mels:
                raise AscError(
                    f"front end: normalisation has {len(values)} {name}, n_mels = {self.n_mels}"
                )
        low, high = self.value_range
        for mean in normalization.means:
            if not low <= mean <= high:
                allowed = f"{low:.2f} to {high:.2f}"
                raise AscError(f"front end: normalisation: a mean of {mean}, allowed: {allowed}")

    @property
    def largest_band(self) -> float:
        """The most that a band can have, for samples scaled to +-1.

        At most, all the energy of full-scale samples lies in one band (Parseval's theorem). Of
        magnitudes, the sum is largest where it is spread evenly over the bins.
        """
        energy = 0.375 * self.n_fft * self.frame_length
        return math.sqrt(energy * self.n_fft / 2) if self.spectrum == "magnitude" else energy

    @property
    def value_range(self) -> tuple[float, float]:
        """The least and the most that a band's log-mel or PCEN can be before normalisation."""
        if self.pcen is not None:
            root = self.pcen.largest(self.largest_band) ** self.pcen.power
            return 0.0, root - self.pcen.bias**self.pcen.power
        most = self.largest_band + self.log_floor
        return math.log(self.log_floor) / LOGS[self.log], math.log(most) / LOGS[self.log]

    @property
    def pcen(self) -> pcen.Parameters | None:
        """What PCEN is computed with, None with a logarithm."""
        if self.compression == "log":
            return None
        return pcen.Parameters(
            smoothing=pcen.smoothing(self.pcen_time_constant, self.sample_rate, self.hop),
            gain=self.pcen_gain,
            bias=self.pcen_bias,
            power=self.pcen_power,
            eps=self.pcen_eps,
        )

    @property
    def degree(self) -> int:
        """Exponent of a bin's amplitude in what the mel bands sum: 2 of powers, else 1."""
        return 2 if self.spectrum == "power" else 1

    @property
    def sample_type(self) -> type[np.signedinteger[Any]]:
        """NumPy type of a sample, whose range is full scale."""
        return np.int16 if self.sample_bits == 16 else np.int32

    @property
    def frames(self) -> int:
        """Frames in a clip: as many as have their centre in it, or as lie in it if causal."""
        outside = 0 if self.framing == "centred" else self.frame_length
        return 1 + (self.clip_samples - outside) // self.hop

    @property
    def frame_length(self) -> int:
        """Samples in a frame, as many as the window has."""
        return self.n_fft if self.win_length is None else self.win_length

    @property
    def _frame_length_text(self) -> str:
        name = "n_fft" if self.win_length is None else "win_length"
        return f"{name} ({self.frame_length})"

    @property
    def lead(self) -> int:
        """Zeros before a clip's first sample in the first frame."""
        return (self.frame_length + 1) // 2 if self.framing == "centred" else 0

    @property
    def columns(self) -> int:
        """Feature columns that a clip gives; the deltas use up 4 frames at each end."""
        return self.frames - 2 * DELTA_REACH if self.deltas else self.frames

    @property
    def latency(self) -> int:
        """Samples that must follow a column's centre before the column is there.

        Half a window, and with deltas four hops. At a clip's end zeros stand in for them.
        """
        return self.frame_length // 2 + (DELTA_REACH * self.hop if self.deltas else 0)

    @property
    def summary(self) -> str:
        """One line for people."""
        bands, columns, channels = self.shape
        return (
            f"clips of {self.clip_samples / self.sample_rate:g} s at {self.sample_rate:,} Hz, "
            f"{bands} mel bands, {columns} columns, channels: {channels}"
        )

    @property
    def channels(self) -> int:
        """Channels of a column: log-mel, and with deltas its first and second delta."""
        return 3 if self.deltas else 1

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of a clip's features: (n_mels, columns, channels)."""
        return (self.n_mels, self.columns, self.channels)

    @property
    def mel_edges(self) -> Float64Array:
        """Edges of the mel bands in Hz, shape (n_mels + 2); see ``mel.mel_edges``."""
        return mel.mel_edges(self.f_min, self.f_max, self.n_mels, self.mel_scale)

    @property
    def mel_weights(self) -> Float64Array:
        """Weight of each bin of the transform in each band, shape (n_mels, n_fft // 2 + 1)."""
        return mel.mel_weights(self.mel_edges, self.n_fft, self.sample_rate)

    def warnings(self) -> list[str]:
        """Return what is allowed but hardly meant, a line each that says what to change."""
        edges = self.mel_edges
        empty = [band for band, row in enumerate(self.mel_weights) if not row.any()]
        lines = []
        if empty:
            low, high = edges[empty[0]], edges[empty[0] + 2]
            others = f" and {len(empty) - 1} more" if len(empty) > 1 else ""
            spacing = self.sample_rate / self.n_fft
            lines.append(
                f"front end: mel band {empty[0]} ({low:.1f} to {high:.1f} Hz){others} holds no bin "
                f"of the transform, {spacing:.1f} Hz apart, and is always the floor; raise n_fft "
                f"or f_min, lower n_mels, or change mel_scale"
            )
        if self.hop > self.frame_length // 2:
            lines.append(
                f"front end: hop = {self.hop} is more than half of {self._frame_length_text}: "
                f"samples between two frames are hardly heard; lower hop"
            )
        return lines

    def quantized(self, scale: float, zero_point: int) -> FrontEndConfig:
        """Return this configuration with the quantisation of a network's input."""
        quantization = Quantization(scale=scale, zero_point=zero_point)
        return dataclasses.replace(self, quantization=quantization)

    def normalized(self, means: Sequence[float], scales: Sequence[float]) -> FrontEndConfig:
        """Return this configuration with a normalisation of its bands."""
        normalization = Normalization(
            means=tuple(map(float, means)), scales=tuple(map(float, scales))
        )
        return dataclasses.replace(self, normalization=normalization)

    def to_dict(self) -> dict[str, Any]:
        """Return the configuration as plain values for JSON or TOML.

        ``_LATER`` keys are left out where they have their default: files and digests of a front
        end that does not use them stay as they were. So are keys of the other compression.
        """
        by_name = dataclasses.asdict(self)
        values = {fields.key_of(each): by_name[each.name] for each in dataclasses.fields(self)}
        for name, default in _LATER.items():
            if values[name] == default:
                del values[name]
        return {
            key: value for key, value in values.items() if _owner(key) in (None, self.compression)
        }

    @classmethod
    def from_dict(cls, values: object, *, source: str = "front end") -> FrontEndConfig:
        """Build a configuration from plain values; missing keys take their defaults.

        Args:
            values: as ``to_dict`` gives them.
            source: the file named in error messages.

        Raises:
            AscError: no table, an unknown key, or a value of another type or out of range.
        """
        if not isinstance(values, Mapping):
            raise AscError(f"{source} = {shown(values)}, must be a table")
        try:
            arguments = fields.checked(
                cls,
                values,
                special={"normalisation": _normalization, "quantisation": _quantization},
            )
            # A whole number stays one: digests are over the values as the file writes them.
            whole = {name: value for name, value in values.items() if type(value) is int}
            config = cls(**{**arguments, **whole})
            for key in values:
                if _owner(key) not in (None, config.compression):
                    raise AscError(f'{key}: compression = "{config.compression}" has none')
            return config
        except AscError as error:
            raise AscError(f"{source}: {error}") from error

    def digest(self) -> str:
        """Return a SHA-256 over every value that changes the features before quantisation."""
        values = {**self.to_dict(), "quantisation": None}
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def codes_digest(configs: Sequence[FrontEndConfig]) -> str:
    """Return a SHA-256 over every value that changes the int8 codes.

    Args:
        configs: a front end in each quantisation that is computed.
    """
    values = [config.to_dict() for config in configs]
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


_LATER: dict[str, object] = {
    "sample_bits": 16,
    "normalisation": None,
    "spectrum": "power",
    "win_length": None,
    "compression": "log",
}

PCEN_RANGES = {
    "pcen_gain": (0.0, 1.0),
    "pcen_bias": (0.001, 100.0),
    "pcen_power": (0.05, 1.0),
    "pcen_time_constant": (0.01, 1000.0),
    "pcen_eps": (1e-16, 1.0),
}
"""Least and largest of each value, by its key."""


def _owner(key: str) -> str | None:
    """Return the compression that alone has a key, None for keys of all front ends."""
    if key in PCEN_RANGES:
        return "pcen"
    return "log" if key in ("log", "log_floor", "floor") else None


def _normalization(value: object) -> Normalization | None:
    return _table(Normalization, value, "normalisation")


def _quantization(value: object) -> Quantization | None:
    return _table(Quantization, value, "quantisation")


def _table(kind: type[_T], value: object, name: str) -> _T | None:
    if value is None or isinstance(value, kind):
        return value
    return kind(**fields.checked(kind, fields.table(value, name), prefix=f"{name}."))


def read_toml(path: Path) -> FrontEndConfig:
    """Read a configuration from a TOML file, its keys at the top or in a table ``frontend``.

    Raises:
        AscError: the file cannot be read, is not TOML, or holds a bad value.
    """
    values = files.read_toml(path)
    return FrontEndConfig.from_dict(values.get("frontend", values), source=str(path))
