"""Augmentation of training features, from rolling in time to rounding to int8 codes.

Everything random comes from one generator per (seed, epoch), so an epoch can be repeated alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from asc_tiny.frontend.config import Normalization, Quantization
from asc_tiny.frontend.reference import rounded_codes
from asc_tiny.train.recipe_tables import Augmentation

Float32Array = NDArray[np.float32]
Int64Array = NDArray[np.int64]
Generator = np.random.Generator
Disturbance = Callable[[Float32Array, Generator], Float32Array]

_NATS_PER_DB = np.log(10.0) / 10.0
_LEAST_VARIANCE = np.float32(1e-6)
"""Added to the variance of a band that may be constant."""


def generator(seed: int, epoch: int) -> Generator:
    """Return the random generator of an epoch."""
    return np.random.default_rng([seed, epoch])


def step_count(clips: int, batch: int) -> int:
    """Return the number of steps in an epoch: every clip once, steps of nearly equal size."""
    return -(-clips // batch)


def batches(
    take: Callable[[Int64Array], Float32Array],
    targets: Float32Array,
    order: Iterable[Int64Array],
    augmentation: Augmentation,
    quantization: Quantization | None,
    rng: Generator,
    disturb: Disturbance | None = None,
    normalization: Normalization | None = None,
) -> Iterator[tuple[Float32Array, Float32Array]]:
    """Yield an epoch's batches of features and targets.

    Args:
        take: returns features (clips, n_mels, columns, channels) for indices.
        targets: one-hot, shape (clips, classes).
        order: clips of each batch, as ``shuffle.order`` yields them.
        augmentation: the recipe's table of random changes.
        quantization: scale and zero point of the network's input, which ``quantize_input`` needs.
        rng: as ``generator`` gives it.
        disturb: changes the whole clips before everything else; channels that it adds are
            targets over time and frequency, which are cropped and mixed with the features.
        normalization: mean and scale of each band's log-mel; None where features are not
            normalised.
    """
    for indices in order:
        x = take(indices)
        channels = x.shape[-1]
        if disturb is not None:
            x = disturb(x, rng)
        yield augment(x, targets[indices], augmentation, quantization, rng, channels, normalization)


def augment(
    x: Float32Array,
    y: Float32Array,
    augmentation: Augmentation,
    quantization: Quantization | None,
    rng: Generator,
    channels: int | None = None,
    normalization: Normalization | None = None,
) -> tuple[Float32Array, Float32Array]:
    """Return augmented copies of a batch: features (clips, n_mels, columns, channels), targets.

    Channels of ``x`` after the first ``channels`` are targets: neither masked nor rounded.
    """
    x = roll(x, augmentation.roll_columns, rng)
    x = crop(x, augmentation.crop_columns, rng)
    x = gain(x, augmentation.gain_db, rng, normalization)
    x = shift_bands(x, augmentation.shift_bands, rng, channels, normalization)
    x = freq_mixstyle(
        x, augmentation.freq_mixstyle_alpha, augmentation.freq_mixstyle_share, rng, channels
    )
    x, y = mixup(x, y, augmentation.mixup_alpha, rng)
    x, carried = x[..., :channels], x[..., x.shape[-1] if channels is None else channels :]
    x = mask(x, 1, augmentation.frequency_masks, augmentation.frequency_mask_bands, rng)
    x = mask(x, 2, augmentation.time_masks, augmentation.time_mask_columns, rng)
    if augmentation.quantize_input and quantization is not None:
        x = rounded(x, quantization)
    return (np.concatenate([x, carried], axis=-1) if carried.size else x), y


def crop(x: Float32Array, columns: int, rng: Generator) -> Float32Array:
    """Cut ``columns`` columns out of each clip at a random place; 0 keeps all (section 2.1)."""
    if columns in (0, x.shape[2]):
        return x.copy()
    starts = rng.integers(0, x.shape[2] - columns + 1, len(x))
    return np.stack(
        [clip[:, start : start + columns] for clip, start in zip(x, starts, strict=True)]
    )


def roll(x: Float32Array, most: int, rng: Generator) -> Float32Array:
    """Turn each clip round in time by up to ``most`` columns either way.

    What leaves at one end comes back at the other, as the time rolling of waveforms does (Schmid
    et al., "CP-JKU Submission to DCASE22", DCASE2022 Challenge technical report, section 4). The
    deltas at the seam stay those of the clip as it was.
    """
    if most == 0:
        return x
    places = np.arange(x.shape[2]) - rng.integers(-most, most + 1, len(x))[:, None]
    return np.take_along_axis(x, (places % x.shape[2])[:, None, :, None], axis=2)


def shift_bands(
    x: Float32Array,
    most: int,
    rng: Generator,
    channels: int | None = None,
    normalization: Normalization | None = None,
) -> Float32Array:
    """Move each clip's log-mel and deltas by up to ``most`` bands; the outermost one is repeated.

    Frequency jitter: on the mel scale it is what a small change of the filter bank's lowest and
    highest frequency does (Koutini et al., "Efficient Training of Audio Transformers with
    Patchout", arXiv:2110.05069, and Schmid et al. 2022 change these). A normalised band takes
    the value of its neighbour in decibels, not in deviations.
    """
    if most == 0:
        return x
    bands = x.shape[1]
    places = np.arange(bands) + rng.integers(-most, most + 1, len(x))[:, None]
    places = np.clip(places, 0, bands - 1)
    moved = np.take_along_axis(x, places[:, :, None, None], axis=1)
    if normalization is not None:
        means, scales = (np.array(v)[:, None] for v in (normalization.means, normalization.scales))
        moved[..., :channels] *= (scales[places] / scales).astype(np.float32)[..., None]
        moved[..., 0] += ((means[places] - means) / scales).astype(np.float32)
    return moved


def freq_mixstyle(
    x: Float32Array, alpha: float, share: float, rng: Generator, channels: int | None = None
) -> Float32Array:
    """Mix each band's mean and deviation over time with those of another clip of the batch.

    Freq-MixStyle (Kim et al., "Domain Generalization with Relaxed Instance Frequency-wise
    Normalization", arXiv:2206.12513, and Schmid et al., DCASE2022): MixStyle (Zhou et al.,
    arXiv:2104.02008) per frequency, for recordings of many devices. With a clip's mean m and
    deviation s in a band, and another's m' and s', the log-mel becomes
    (x - m) / s (l s + (1 - l) s') + l m + (1 - l) m', l from Beta(alpha, alpha) for each clip. The
    deltas, which see no mean, take the same factor.

    Args:
        x: features, shape (clips, n_mels, columns, channels).
        alpha: parameter of the beta distribution, above 0.
        share: share of batches that are mixed, 0 to 1.
        rng: source of choices.
        channels: channels before those that are no features.
    """
    if share == 0.0 or rng.random() >= share:
        return x
    kept = rng.beta(alpha, alpha, (len(x), 1, 1)).astype(np.float32)
    partner = rng.permutation(len(x))
    mean = x[..., 0].mean(axis=2, keepdims=True)
    deviation = np.sqrt(x[..., 0].var(axis=2, keepdims=True) + _LEAST_VARIANCE)
    factor = kept + (1 - kept) * deviation[partner] / deviation
    mixed = x.copy()
    mixed[..., 0] -= mean
    mixed[..., :channels] *= factor[..., None]
    mixed[..., 0] += kept * mean + (1 - kept) * mean[partner]
    return mixed


def gain(
    x: Float32Array, limit_db: float, rng: Generator, normalization: Normalization | None = None
) -> Float32Array:
    """Change each clip's level by up to ``limit_db`` either way: a shift of its log-mel channel.

    A normalised band is shifted by as much less as its scale says.
    """
    if limit_db == 0.0:
        return x
    shift = rng.uniform(-limit_db, limit_db, len(x)) * _NATS_PER_DB
    changed = x.copy()
    shifts = shift[:, None, None]
    if normalization is not None:
        shifts = shifts / np.array(normalization.scales)[:, None]
    changed[..., 0] += shifts.astype(np.float32)
    return changed


def mixup(
    x: Float32Array, y: Float32Array, alpha: float, rng: Generator
) -> tuple[Float32Array, Float32Array]:
    """Mix each clip and its target with another one of the batch (Zhang et al., arXiv:1710.09412).

    lambda * first + (1 - lambda) * second, lambda from Beta(alpha, alpha) for each pair.
    """
    if alpha == 0.0:
        return x, y
    share = rng.beta(alpha, alpha, len(x)).astype(np.float32)
    partner = rng.permutation(len(x))
    in_x, in_y = share[:, None, None, None], share[:, None]
    mixed, other = in_x * x, x[partner]
    other *= 1 - in_x
    mixed += other
    return mixed, in_y * y + (1 - in_y) * y[partner]


def mask(x: Float32Array, axis: int, count: int, width: int, rng: Generator) -> Float32Array:
    """Mask bands or columns of each clip by its channels' means (SpecAugment, arXiv:1904.08779).

    Args:
        x: features, shape (clips, n_mels, columns, channels).
        axis: 1 for bands, 2 for columns.
        count: number of masks in a clip.
        width: most bands or columns that a mask covers; the least is 0.
        rng: source of widths and places.
    """
    covered = x.copy()
    if count == 0:
        return covered
    for clip, mean in zip(covered, channel_means(x), strict=True):
        stripes = clip if axis == 1 else clip.swapaxes(0, 1)
        for _ in range(count):
            size = int(rng.integers(0, width + 1))
            start = int(rng.integers(0, len(stripes) - size + 1))
            stripes[start : start + size] = mean
    return covered


def channel_means(x: Float32Array) -> Float32Array:
    """Return each clip's mean over bands and columns, shape (clips, channels).

    To the bit what ``mean(axis=(1, 2))`` gives, which adds up the values of three channels in their
    order, three at a time: here those of all clips are side by side.
    """
    clips, bands, columns, channels = x.shape
    if channels == 1:
        return np.asarray(x.mean(axis=(1, 2)))
    beside = np.ascontiguousarray(x.reshape(clips, -1).T)
    means: Float32Array = beside.reshape(bands * columns, channels, clips).mean(axis=0).T
    return means


def rounded(x: Float32Array, quantization: Quantization) -> Float32Array:
    """Return features as the int8 network sees them: rounded to codes, back in their own unit."""
    values = np.empty(x.shape, np.float32)
    # One clip at a time stays in the processor's cache, a batch does not.
    for clip, wide in zip(values, x, strict=True):
        codes = rounded_codes(wide.astype(np.float64), quantization)
        codes -= quantization.zero_point
        np.multiply(codes, quantization.scale, out=clip, casting="same_kind")
    return values
