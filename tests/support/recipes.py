"""Recipes of short trainings."""

from __future__ import annotations

WITHOUT_NETWORK = """
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

NETWORK = """
[network_options]
depth = 2
channels = 16
"""

RECIPE = f'network = "ds_cnn"\n{WITHOUT_NETWORK}{NETWORK}'
"""Of a small network: to build and trace MobileNet takes longer than a test trains it."""
