"""Audio files: reading them as the mono samples that a microphone driver would give."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from asc_tiny.util.errors import AscError
from asc_tiny.util.files import write_bytes

FORMATS = ("WAV", "WAVEX", "RF64", "FLAC")
COMPRESSED = ("OGG", "MPEG", "MP3")
"""Formats that are read for preparing data sets alone: their samples are never the recorder's."""
_SIZES_OF_32_BITS = ("WAV", "WAVEX")
_BYTES = {"PCM_16": 2, "PCM_24": 3, "PCM_32": 4, "FLOAT": 4, "DOUBLE": 8}
"""Bytes of a sample in these encodings; 1 in the others."""

# How each stored encoding is read: without loss, never rounded by the audio library.
READ_AS = {
    "PCM_U8": "int16",
    "PCM_S8": "int16",
    "PCM_16": "int16",
    "ULAW": "int16",
    "ALAW": "int16",
    "PCM_24": "int32",
    "PCM_32": "int32",
    "FLOAT": "float64",
    "DOUBLE": "float64",
}


HIGHEST = 4.0
"""Highest sample, in full scales: a resampler overshoots by less, other units give more."""

RATES = range(1000, 1_000_001)
"""Sample rates in Hz that can be converted."""

_BLOCK = 1 << 22
"""Samples that are decoded at once."""

Warn = Callable[[str], None]


class BeyondFullScaleError(AscError):
    """Floating-point samples that cannot have -1 to 1 as their full scale."""


@dataclass(frozen=True)
class ClipInfo:
    """What the header of an audio file says.

    Attributes:
        rate: samples per second.
        frames: samples per channel.
        channels: number of channels.
        subtype: encoding of a sample, such as ``PCM_24``.
    """

    rate: int
    frames: int
    channels: int
    subtype: str


def clip_info(path: Path) -> ClipInfo:
    """Read the header of the audio file ``path``; no sample is decoded.

    Raises:
        AscError: the file is missing, not audio, or neither wav nor flac.
    """
    with open_audio(path) as file:
        return ClipInfo(file.samplerate, file.frames, file.channels, file.subtype)


def read_pcm(
    path: Path | str,
    sample_rate: int,
    *,
    bits: int = 16,
    resample: bool = False,
    warn: Warn | None = None,
) -> NDArray[Any]:
    """Read a mono wav or flac file as samples of 16 or 24 bits.

    Deeper integers and floats (full scale +-1) are rounded to the nearest value of ``bits``,
    halves up. Floats up to ``HIGHEST`` times full scale saturate.

    Parameters
    ----------
    path
        The file.
    sample_rate
        Samples per second that the caller needs.
    bits
        Bits of a sample: 16 or 24.
    resample
        Convert a file with another rate instead of refusing it.
    warn
        Called with a line that tells how many samples are beyond full scale, if any are; None
        keeps quiet.

    Returns
    -------
    ndarray
        Samples at ``sample_rate``, shape (samples,): int16, or int32 with values of 24 bits. Full
        scale is the full range.

    Raises
    ------
    AscError
        The file is missing, not audio, empty, damaged, not mono, has another rate (without
        ``resample``), or holds samples that are not finite or far above full scale.
    """
    path = Path(path)
    over = Over(path)
    with open_audio(path) as file:
        rate, frames = file.samplerate, file.frames
        _check_mono(path, file)
        if rate != sample_rate and not resample:
            raise AscError(
                f"{path}: {rate} Hz, the model needs {sample_rate} Hz; use --resample to convert"
            )
        if rate != sample_rate and rate not in RATES:
            allowed = f"{RATES.start} to {RATES.stop - 1} Hz"
            raise AscError(f"{path}: {rate} Hz cannot be converted, allowed: {allowed}")
        samples = _decode(path, file, 0, frames)
    over.add(samples)
    over.tell(warn)
    if rate != sample_rate:
        return _round(_resample(_scale(samples, bits), rate, sample_rate), bits)
    return _as_pcm(samples, bits)


def stream_pcm(
    path: Path,
    sample_rate: int,
    *,
    block: int,
    bits: int = 16,
    resample: bool = False,
    warn: Warn | None = None,
) -> Iterator[NDArray[Any]]:
    """Yield what ``read_pcm`` returns in blocks of ``block`` samples, the last one shorter.

    The file is read block by block unless it has another rate, which is converted as a whole.

    Raises:
        AscError: as ``read_pcm``.
    """
    if clip_info(path).rate != sample_rate:
        pcm = read_pcm(path, sample_rate, bits=bits, resample=resample, warn=warn)
        yield from (pcm[start : start + block] for start in range(0, len(pcm), block))
        return
    with open_audio(path) as file:
        _check_mono(path, file)
        over = Over(path)
        for start in range(0, file.frames, block):
            samples = _decode(path, file, start, min(block, file.frames - start))
            over.add(samples)
            yield _as_pcm(samples, bits)
        over.tell(warn)


def resampled_length(samples: int, rate: int, wanted: int) -> int:
    """Return how many samples at ``wanted`` Hz ``read_pcm`` makes of those at ``rate`` Hz."""
    common = gcd(rate, wanted)
    return -(-samples * (wanted // common) // (rate // common))


def write_wav16(path: Path, pcm: NDArray[np.int16], rate: int) -> None:
    """Write ``pcm``, shape (samples,), int16, as a mono 16-bit wav file in one step.

    Raises:
        AscError: the samples are not a one-dimensional int16 array, or ``path`` cannot be written.
    """
    if pcm.dtype != np.int16 or pcm.ndim != 1:
        raise AscError(f"{path}: {pcm.dtype} of shape {pcm.shape}, must be int16 (samples,)")
    write_bytes(path, _encoded(pcm, rate, "WAV", "PCM_16"))


def encoded(samples: NDArray[np.float64], rate: int, *, bits: int, kind: str) -> bytes:
    """Return a mono audio file of samples of full scale 1, rounded as ``read_pcm`` rounds.

    Args:
        samples: shape (samples,); what is beyond full scale saturates.
        rate: samples per second.
        bits: bits of a sample: 16 or 24.
        kind: ``wav`` or ``flac``.
    """
    pcm = _round(samples * 2.0 ** (bits - 1), bits)
    return _encoded(pcm, rate, kind.upper(), f"PCM_{bits}")


def stereo_wav16(samples: NDArray[np.float64], rate: int) -> bytes:
    """Return a 16-bit wav file of samples of full scale 1, shape (samples, channels)."""
    return _encoded(_round(samples * 2.0**15, 16), rate, "WAV", "PCM_16")


def _encoded(pcm: NDArray[Any], rate: int, kind: str, subtype: str) -> bytes:
    # Written by Python: the library takes a full disk for a fault of its own.
    audio = io.BytesIO()
    soundfile.write(audio, pcm, rate, format=kind, subtype=subtype)
    return audio.getvalue()


def open_audio(path: Path, *, compressed: bool = False) -> Any:
    """Open an audio file, which the caller closes.

    Args:
        path: audio file.
        compressed: allow ogg and mp3 besides wav and flac.

    Raises:
        AscError: the file is missing, not audio, or in another format or encoding.
    """
    allowed = "wav, flac, ogg or mp3" if compressed else "wav or flac"
    if not path.exists():
        raise AscError(f"{path}: file is missing")
    try:
        file = soundfile.SoundFile(path)
    except (soundfile.SoundFileError, OSError, TypeError) as error:
        # A file without header and with extension .raw is a TypeError to soundfile.
        raise AscError(f"{path}: not readable as audio, must be a {allowed} file") from error
    if compressed and file.format in COMPRESSED:
        return file
    if file.format not in FORMATS:
        file.close()
        raise AscError(f"{path}: {file.format} audio, must be a {allowed} file")
    if file.subtype not in READ_AS:
        file.close()
        raise AscError(f"{path}: {file.subtype} samples, allowed: {', '.join(READ_AS)}")
    if file.format in _SIZES_OF_32_BITS:
        _check_size(path, file)
    return file


def _check_size(path: Path, file: Any) -> None:
    """Check that a WAV file has no whole 4 GiB more samples than its header can say."""
    bytes_per_frame = file.channels * _BYTES.get(file.subtype, 1)
    if path.stat().st_size - file.frames * bytes_per_frame >= 1 << 32:
        file.close()
        raise AscError(
            f"{path}: {file.frames} samples by its header, which cannot say more than 4 GiB, but "
            "the file holds more; convert it to flac, or cut it"
        )


def _check_mono(path: Path, file: Any) -> None:
    if file.channels != 1:
        raise AscError(f"{path}: {file.channels} channels, must be mono; convert it first")
    if file.frames == 0:
        raise AscError(f"{path}: holds no samples")


class Over:
    """Counts samples of a file beyond full scale, which only floats can be.

    Args:
        path: audio file, for messages.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self.peak = 0.0

    def add(self, samples: NDArray[Any]) -> None:
        """Count some samples; raise ``BeyondFullScaleError`` if they are in other units."""
        if samples.dtype.kind != "f" or not samples.size:
            return
        levels = np.abs(samples)
        self.count += int(np.count_nonzero(levels > 1.0))
        self.peak = max(self.peak, float(levels.max()))
        if self.peak > HIGHEST:
            raise BeyondFullScaleError(
                f"{self.path}: floating-point samples of up to {self.peak:g}, full scale is 1; "
                f"divide them by {_likely_scale(self.peak)}, or store them as integers"
            )

    def tell(self, warn: Warn | None) -> None:
        """Say in a line how many samples there were."""
        if self.count and warn is not None:
            warn(
                f"{self.path}: {self.count} samples beyond full scale saturate, "
                f"the highest is {self.peak:.3g}"
            )


def _likely_scale(peak: float) -> int:
    """Return the full scale of the integers that samples of such a peak come from."""
    return next((2**bits for bits in (7, 15, 23) if peak <= 2**bits), 2**31)


def _decode(path: Path, file: Any, start: int, count: int) -> NDArray[Any]:
    """Return the next ``count`` samples, which are those from ``start`` on."""
    blocks: list[NDArray[Any]] = []
    left = count
    try:
        # Block by block: a header may claim more samples than there is memory for.
        while left > 0:
            blocks.append(file.read(min(left, _BLOCK), dtype=READ_AS[file.subtype]))
            left -= len(blocks[-1])
            if not len(blocks[-1]):
                break
    except soundfile.SoundFileError as error:
        raise AscError(f"{path}: not readable as audio: damaged samples") from error
    samples = blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
    if len(samples) != count:
        raise AscError(f"{path}: ends after {start + len(samples)} of {file.frames} samples")
    finite = np.isfinite(samples)
    if not finite.all():
        first = int(np.argmin(finite))
        raise AscError(f"{path}: sample {start + first} is {samples[first]}, all must be finite")
    return samples


def _as_pcm(samples: NDArray[Any], bits: int) -> NDArray[Any]:
    exact = bits == 16 and samples.dtype == np.int16
    return samples if exact else _round(_scale(samples, bits), bits)


def _scale(samples: NDArray[Any], bits: int) -> NDArray[np.float64]:
    """Return the samples in steps of ``bits``; exact for every integer encoding."""
    stored = {"int16": 16, "int32": 32, "float64": 1}[samples.dtype.name]
    return samples.astype(np.float64) * 2.0 ** (bits - stored)


def _resample(samples: NDArray[np.float64], rate: int, wanted: int) -> NDArray[np.float64]:
    from scipy.signal import resample_poly

    common = gcd(rate, wanted)
    resampled: NDArray[np.float64] = resample_poly(samples, wanted // common, rate // common)
    return resampled


def _round(samples: NDArray[np.float64], bits: int) -> NDArray[Any]:
    most = 2 ** (bits - 1)
    rounded = np.clip(np.floor(samples + 0.5), -most, most - 1)
    return rounded.astype(np.int16) if bits == 16 else rounded.astype(np.int32) << (32 - bits)
