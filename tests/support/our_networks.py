"""Sizes of our networks that tests share."""

from __future__ import annotations

FILTERS = {
    "mini_segnet": {
        "encoder1": 48,
        "encoder2": 48,
        "encoder3": 224,
        "decoder1": 96,
        "decoder2": 48,
        "decoder3": 16,
    },
    "mobilenet": {
        "low_conv1": 8,
        "low_conv2": 16,
        "high_conv1": 8,
        "high_conv2": 16,
        "point1": 16,
        "expand": 96,
        "project": 16,
        "point3": 64,
    },
}
"""Filters of the convolutions that pruning may cut, by network."""
