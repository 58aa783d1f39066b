"""Recipes of short trainings."""

from __future__ import annotations

RECIPE = """
name = "small"
[frontend]
n_mels = 16
n_fft = 1024
[schedule]
cycles = [3]
batch = 6
[augmentation]
frequency_mask_bands = 4
"""
