"""The front end in vectors (Helium): the integer model's bits on an emulated Cortex-M55."""

from __future__ import annotations

import dataclasses
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.firmware import frontend as frontend_code
from asc_tiny.frontend import fixed, golden
from support.emulated import EmulatedFrontEnd
from support.front_end_cores import assert_same, clips, needs_tools
from support.front_ends import CONFIGS, DEFAULT

pytestmark = [needs_tools, pytest.mark.qemu]

M55 = "mps3-an547"
WITHOUT_VECTORS = ("-mcpu=cortex-m55+nomve", "-mthumb", "-mfloat-abi=hard")

# Lengths with an even and an odd number of layers, numbers of bands that fill no whole vectors,
# segments from none to hundreds of bins, hops that are no multiple of a vector.
OTHERS = {
    "256, hop 101": dataclasses.replace(DEFAULT, n_fft=256, hop=101, n_mels=17),
    "256, more bands than bins": dataclasses.replace(DEFAULT, n_fft=256, hop=256, n_mels=255),
    "512, hop 3": dataclasses.replace(
        DEFAULT, clip_samples=999, n_fft=512, hop=3, n_mels=41, f_min=300.0
    ),
    "1024, no deltas": dataclasses.replace(
        DEFAULT, n_fft=1024, hop=517, n_mels=66, deltas=False, f_max=15000.0
    ),
    "floor as a maximum": dataclasses.replace(DEFAULT, n_mels=90, floor="max", log_floor=1e-6),
    "4096, wide segments": dataclasses.replace(DEFAULT, n_fft=4096, hop=999, n_mels=16),
    "4096, no deltas": dataclasses.replace(
        DEFAULT, n_fft=4096, hop=4096, n_mels=254, mel_scale="slaney", deltas=False
    ),
}


@pytest.mark.parametrize(
    "name", [*OTHERS, *(pytest.param(name, marks=pytest.mark.slow) for name in CONFIGS)]
)
def test_vectors_give_the_models_bits(name: str, tmp_path: Path) -> None:
    config = {**CONFIGS, **OTHERS}[name]
    assert_same(EmulatedFrontEnd(config, M55, tmp_path), clips(config))


@pytest.mark.parametrize("optimization", ["-O0", "-O1", "-Os", "-O3"])
def test_no_optimization_changes_the_bits(optimization: str, tmp_path: Path) -> None:
    frontend = EmulatedFrontEnd(DEFAULT, M55, tmp_path, optimization=optimization)
    assert_same(frontend, clips(DEFAULT)[3:6])


@pytest.mark.parametrize("deltas", [True, False])
def test_several_quantizations_of_a_column(
    deltas: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configs = [
        dataclasses.replace(DEFAULT, n_mels=30, deltas=deltas).quantized(scale, zero_point)
        for scale, zero_point in ((0.11, 40), (0.02, -128), (3.0, 0))
    ]
    generate = partial(frontend_code.generate, others=configs[1:])
    monkeypatch.setattr(frontend_code, "generate", generate)
    frontend = EmulatedFrontEnd(configs[0], M55, tmp_path)
    pcm = clips(DEFAULT)[4]
    frontend.run(pcm)
    codes = np.fromfile(tmp_path / "out.bin", np.int8)
    n_mels, columns, channels = configs[0].shape
    codes = codes.reshape(columns, n_mels, len(configs), channels)
    for index, config in enumerate(configs):
        expected = fixed.features(pcm, config).transpose(1, 0, 2)
        assert np.array_equal(codes[:, :, index], expected), index


def test_a_hop_takes_at_most_60_000_instructions(tmp_path: Path) -> None:
    spent = EmulatedFrontEnd(DEFAULT, M55, tmp_path).run(golden.noise(DEFAULT), "hops")[1]
    assert spent <= 60_000


def test_a_core_without_vectors_gives_the_models_bits(tmp_path: Path) -> None:
    frontend = EmulatedFrontEnd(DEFAULT, M55, tmp_path, flags=WITHOUT_VECTORS)
    assert_same(frontend, clips(DEFAULT)[3:6])
