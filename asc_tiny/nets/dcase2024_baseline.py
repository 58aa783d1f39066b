"""The baseline of DCASE2024 and DCASE2025 Task 1, a CP-Mobile without response normalisation."""

from __future__ import annotations

import keras

from asc_tiny.nets.cp_mobile import inverted_residuals

_STRIDES = {3: (1, 2), 4: (2, 1)}


def build(
    input_shape: tuple[int, int, int],
    classes: int,
    *,
    dropout: float = 0.0,
    base_channels: int = 32,
    channels_multiplier: float = 1.8,
    expansion_rate: float = 2.1,
    blocks: tuple[int, ...] = (3, 2, 1),
) -> keras.Model:
    """Build the baseline: 61,148 parameters and, with batch-norm's, 29,419,156 MACs.

    Public code and figures: CPJKU/dcase2024_task1_baseline, for 256 mel bands, 65 columns and 10
    classes; Schmid et al., arXiv:2405.10018. Padding is as in ``cp_mobile``.

    Args:
        input_shape: (n_mels, columns, channels).
        classes: number of outputs.
        dropout: share of channels dropped before the classifier in training; the source has none.
        base_channels: channels of the first stage, a multiple of 8 or rounded to one.
        channels_multiplier: factor on the channels from a stage to the next, 1 or more.
        expansion_rate: factor on the channels inside of a block, 1 or more.
        blocks: number of blocks of each stage.

    Returns:
        Model from float32 features (batch, n_mels, columns, channels) to probabilities
        (batch, classes).

    Raises:
        AscError: an option is out of range.
    """
    return inverted_residuals(
        input_shape,
        classes,
        dropout=dropout,
        base_channels=base_channels,
        channels_multiplier=channels_multiplier,
        expansion_rate=expansion_rate,
        blocks=blocks,
        response_norm=False,
        strides=_STRIDES,
        name="dcase2024_baseline",
    )
