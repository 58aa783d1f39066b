"""The front end: its filters, what a tone gives, and the integer model against float64."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from asc_tiny.frontend import fixed, reference, selftest_clip
from asc_tiny.frontend.arrays import Float64Array
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.report.blocks import Block, Chart, Section
from asc_tiny.report.subject import Subject
from asc_tiny.util.blocks import Paragraph, Table, text

_MOST_BANDS = 64
"""Bands that are drawn; of more, every second, third, ... one."""
_TONES = 400
_SHOWN_RESPONSES = 6
_OVERSAMPLING = 32
_FLOOR_DB = -80.0
_LONGEST = 5_000_000
"""Samples of a clip that is computed with to find the error."""
_CHANNELS = ("log-mel or PCEN", "first delta", "second delta")


def section(subject: Subject) -> Section | None:
    """Return configuration, filter bank, response and error; None for a network alone."""
    config = subject.frontend
    if config is None:
        return None
    rows = [[text(key), text(value, 80)] for key, value in config.to_dict().items()]
    blocks: list[Block] = [
        Paragraph(
            f"{config.clip_samples / config.sample_rate:g} s of audio at {config.sample_rate:,} Hz "
            f"become {config.n_mels} mel bands x {config.columns} columns x {config.channels} "
            "channels."
        ),
        *(Paragraph(line, is_bad=True) for line in config.warnings()),
        _filters(subject, config),
        _response(subject, config),
        *_error(subject, config),
        Table(
            "Configuration of the front end", ["key", "value"], rows, left=(0, 1), is_folded=True
        ),
    ]
    return Section("front-end", "Front end", blocks)


def _filters(subject: Subject, config: FrontEndConfig) -> Chart:
    weights = config.mel_weights
    spacing = config.sample_rate / config.n_fft
    every = -(-config.n_mels // _MOST_BANDS)
    values = []
    for band in range(0, config.n_mels, every):
        used = np.flatnonzero(weights[band])
        if not used.size:
            continue
        bins = range(max(used[0] - 1, 0), min(used[-1] + 2, weights.shape[1]))
        values += [
            {
                "band": band,
                "hue": (band // every) % 4,
                "frequency": round(number * spacing, 3),
                "weight": round(float(weights[band, number]), 9),
            }
            for number in bins
        ]
    shown = "all bands" if every == 1 else f"one band of {every}"
    return Chart(
        f"{subject.name}: filter bank, {shown} of {config.n_mels}",
        f"Triangles from {config.f_min:,g} to {config.f_max:,g} Hz, scale {config.mel_scale}.",
        {
            "height": 180,
            "data": {"values": values},
            "mark": {"type": "line", "strokeWidth": 1},
            "encoding": {
                "x": _frequency(config),
                "y": {"field": "weight", "type": "quantitative", "title": "weight of a bin"},
                "detail": {"field": "band"},
                "color": {"field": "hue", "type": "nominal", "legend": None},
                "tooltip": [
                    {"field": "band"},
                    {"field": "frequency", "title": "Hz", "type": "quantitative", "format": ",.1f"},
                    {"field": "weight", "type": "quantitative", "format": ".4f"},
                ],
            },
        },
        is_half=True,
    )


def _frequency(config: FrontEndConfig) -> dict[str, Any]:
    return {
        "field": "frequency",
        "type": "quantitative",
        "title": "frequency (Hz)",
        "scale": {"domain": [0, config.sample_rate / 2], "nice": False},
    }


def response(config: FrontEndConfig, bands: list[int], tones: Float64Array) -> Float64Array:
    """Return what a tone gives in mel bands, by the window's spectrum.

    Args:
        config: the front end.
        bands: numbers of the bands.
        tones: frequencies in Hz, shape (tones,).

    Returns:
        Shape (bands, tones): energy of the band in dB, 0 at its loudest tone, at least -80.
    """
    length = config.n_fft * _OVERSAMPLING
    spectrum = np.abs(np.fft.fft(reference.window(config), length))
    bins = np.arange(config.n_fft // 2 + 1) * _OVERSAMPLING
    places = np.rint(tones / config.sample_rate * length).astype(np.int64)
    # A tone of frequency f moves the window's spectrum there; bin k sees its value at f_k - f.
    seen = spectrum[(bins[:, None] - places[None, :]) % length] ** config.degree
    energy = config.mel_weights[bands] @ seen
    most = np.maximum(energy.max(axis=1, keepdims=True), np.finfo(np.float64).tiny)
    decibel = (20.0 / config.degree) * np.log10(np.maximum(energy / most, 1e-12))
    return np.asarray(np.maximum(decibel, _FLOOR_DB))


def _response(subject: Subject, config: FrontEndConfig) -> Chart:
    count = min(_SHOWN_RESPONSES, config.n_mels)
    bands = [round(each) for each in np.linspace(0, config.n_mels - 1, count + 2)[1:-1]]
    tones = np.linspace(0.0, config.sample_rate / 2, _TONES)
    edges = config.mel_edges
    levels = response(config, bands, tones)
    values = [
        {
            "band": f"{band}, {edges[band + 1]:,.0f} Hz",
            "frequency": round(float(tone), 1),
            "level": round(float(level), 2),
        }
        for band, row in zip(bands, levels, strict=True)
        for tone, level in zip(tones, row, strict=True)
    ]
    return Chart(
        f"{subject.name}: response of {count} bands to a tone",
        "Energy of a band in dB while a tone sweeps over all frequencies, by the window's "
        "spectrum; beside its triangle a band hears what the window leaks.",
        {
            "height": 180,
            "data": {"values": values},
            "mark": {"type": "line", "strokeWidth": 1.2},
            "encoding": {
                "x": _frequency(config),
                "y": {"field": "level", "type": "quantitative", "title": "response (dB)"},
                "color": {
                    "field": "band",
                    "type": "nominal",
                    "sort": None,
                    "legend": {"orient": "bottom", "columns": 3},
                },
                "tooltip": [
                    {"field": "band"},
                    {"field": "frequency", "title": "Hz", "type": "quantitative", "format": ",.0f"},
                    {"field": "level", "title": "dB"},
                ],
            },
        },
        is_half=True,
    )


def _error(subject: Subject, config: FrontEndConfig) -> Iterator[Block]:
    """Yield how far the integer codes are from float64, band by band."""
    quantization = config.quantization
    if quantization is None or config.clip_samples > _LONGEST:
        why = "its codes have no quantisation" if quantization is None else "a clip is too long"
        yield Paragraph(f"The integer front end was not compared with float64: {why}.")
        return
    clip = selftest_clip.samples(config)
    exact = reference.features(clip, config) / quantization.scale + quantization.zero_point
    codes = fixed.features(clip, config)
    error = codes - np.clip(exact, -128.0, 127.0)
    within = float(np.mean(np.abs(error) <= 0.5 + 1e-9))
    yield Paragraph(
        "The integer front end, which gives the same codes as the firmware, against float64, on "
        "the clip of the self-test (noise that fades by 6 dB sixteen times). Rounding alone keeps "
        f"within half a code; {within:.2%} of the values are, the largest error is "
        f"{np.abs(error).max():.3f} codes. A code is {quantization.scale:.4g}."
    )
    channels = _CHANNELS[: config.channels]
    values = [
        {
            "channel": channel,
            "band": band,
            "rms": round(float(np.sqrt(np.mean(error[band, :, number] ** 2))), 5),
            "largest": round(float(np.abs(error[band, :, number]).max()), 5),
        }
        for number, channel in enumerate(channels)
        for band in range(config.n_mels)
    ]
    yield _error_chart(subject, values)
    rows = []
    for number, channel in enumerate(channels):
        found = error[:, :, number]
        worst = int(np.abs(found).max(axis=1).argmax())
        rms = f"{np.sqrt(np.mean(found**2)):.4f}"
        rows.append([channel, rms, f"{np.abs(found).max():.4f}", str(worst)])
    head = ["channel", "root mean square (codes)", "largest (codes)", "in mel band"]
    yield Table(f"{subject.name}: error of the integer front end", head, rows)


def _error_chart(subject: Subject, values: list[dict[str, Any]]) -> Chart:
    return Chart(
        f"{subject.name}: largest error of each band",
        "A line for each channel; the dashed line is half a code, which rounding alone gives.",
        {
            "height": 160,
            "layer": [
                {
                    "data": {"values": values},
                    "mark": {"type": "line", "strokeWidth": 1.2},
                    "encoding": {
                        "x": {"field": "band", "type": "quantitative", "title": "mel band"},
                        "y": {
                            "field": "largest",
                            "type": "quantitative",
                            "title": "largest error (codes)",
                        },
                        "color": {
                            "field": "channel",
                            "type": "nominal",
                            "sort": None,
                            "title": None,
                            "legend": {"orient": "bottom"},
                        },
                        "tooltip": [
                            {"field": each} for each in ("channel", "band", "rms", "largest")
                        ],
                    },
                },
                {
                    "data": {"values": [{"half": 0.5}]},
                    "mark": {"type": "rule", "strokeDash": [4, 3]},
                    "encoding": {"y": {"field": "half", "type": "quantitative"}},
                },
            ],
        },
    )
