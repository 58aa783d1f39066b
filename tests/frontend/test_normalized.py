"""Normalised bands: the definition, codes against float64, and what it costs."""

from __future__ import annotations

import dataclasses
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.audio.clips import read_pcm
from asc_tiny.firmware import frontend as frontend_code
from asc_tiny.frontend import fixed, golden, reference
from asc_tiny.frontend import tables as fixed_tables
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.util.errors import AscError
from support import compilers
from support.front_ends import CONFIGS, DEFAULT, normalized
from support.paths import CLIPS

CONFIG = CONFIGS["normalised"]
BANDS = np.arange(256)
# As of the training clips of ESC-10: an empty band, then 0 to -12 nats, spread by 5 to 2.5.
REAL = DEFAULT.normalized(
    np.where(BANDS == 0, -18.42, -12.0 * (BANDS / 255.0) ** 3).round(3),
    np.where(BANDS == 0, 0.5, 5.0 - 2.5 * (BANDS / 255.0) ** 8).round(4),
).quantized(0.044, -36)


def test_log_mel_less_its_mean_by_its_scale_then_deltas() -> None:
    pcm = read_pcm(CLIPS[0], 44100)
    plain = reference.features(pcm, DEFAULT)
    values = reference.features(pcm, CONFIG)
    for band in (0, 1, 100, 255):
        mean, scale = CONFIG.normalization.means[band], CONFIG.normalization.scales[band]
        np.testing.assert_allclose(
            values[band, :, 0], (plain[band, :, 0] - mean) / scale, atol=1e-12
        )
        np.testing.assert_allclose(values[band, :, 1:], plain[band, :, 1:] / scale, atol=1e-12)


@pytest.mark.parametrize("config", [CONFIG, REAL], ids=["hard", "real"])
def test_codes_are_those_of_float64(config: FrontEndConfig) -> None:
    for path in CLIPS:
        pcm = read_pcm(path, 44100)
        codes = fixed.features(pcm, config)
        expected = reference.quantize(reference.features(pcm, config), config.quantization)
        assert np.abs(codes.astype(int) - expected).max() <= 1
        assert (codes == expected).mean() >= 0.999


EXTREME = DEFAULT.normalized(np.linspace(-18.4, 14.2, 256), np.geomspace(0.05, 1000.0, 256))


@pytest.mark.parametrize(
    "config",
    [CONFIG, CONFIGS["24 bits, normalised speech"], EXTREME.quantized(0.1, 9)],
    ids=["hard", "speech", "extreme"],
)
def test_units_hold_all_that_a_logarithm_can_be(config: FrontEndConfig) -> None:
    """And a first delta, 0.6 of it, without the saturation that is there to be safe."""
    tables = fixed_tables.build(config)
    low, high = (round(log / np.log(2.0) * 2**20) for log in config.value_range)
    for to in tables.requantizations:
        units = [((log - to.origin) * to.multiplier + 2**31) >> 32 for log in (low, high)]
        assert max(map(abs, units)) < 2**15
        assert 0.6 * (units[1] - units[0]) < 2**15
        assert max(abs(log - to.origin) for log in (low, high)) < 2**26
        assert to.multiplier < 2**31
        assert abs(to.center) < 2**15
        assert round(2.0**32 / to.reciprocal) % 2 == 1


def test_a_plain_front_end_has_no_tables_of_bands() -> None:
    plain = "".join(frontend_code.generate(DEFAULT, "a test").values())
    assert "asc_frontend_requantizations" not in plain
    files = frontend_code.generate(CONFIG, "a test")
    assert "asc_frontend_requantizations" in files["asc_frontend_tables.c"]


def test_dictionary_and_digest() -> None:
    assert FrontEndConfig.from_dict(CONFIG.to_dict()) == CONFIG
    assert CONFIG.digest() != DEFAULT.digest()
    means = CONFIG.normalization.means
    moved = CONFIG.normalized([means[0] + 0.001, *means[1:]], CONFIG.normalization.scales)
    assert moved.digest() != CONFIG.digest()
    assert not {"normalisation", "sample_bits"} & set(DEFAULT.to_dict())
    deeper = dataclasses.replace(DEFAULT, sample_bits=24)
    assert deeper.digest() != DEFAULT.digest()
    assert FrontEndConfig.from_dict(deeper.to_dict()) == deeper


@pytest.mark.parametrize(
    ("means", "scales", "allowed"),
    [
        ([0.0] * 15, [1.0] * 16, "normalisation has 15 means, n_mels = 16"),
        ([0.0] * 16, [1.0] * 17, "normalisation has 17 scales, n_mels = 16"),
        ([0.0] * 16, [0.0] * 16, "a scale of 0.0, allowed: 0.001 to 1000"),
        ([0.0] * 16, [float("nan")] * 16, "scales = .* must be a list of finite numbers"),
        ([-19.0] * 16, [1.0] * 16, "a mean of -19.0, allowed: -18.42 to 14.27"),
        ([0.0] * 16, ["x"] * 16, "scales = .* must be a list of finite numbers"),
        (1.0, [1.0] * 16, "means = 1.0, must be a list of finite numbers"),
    ],
)
def test_bad_values_are_named(means: object, scales: object, allowed: str) -> None:
    values = {"n_mels": 16, "normalisation": {"means": means, "scales": scales}}
    with pytest.raises(AscError, match=allowed) as error:
        FrontEndConfig.from_dict(values, source="x.toml")
    assert str(error.value).startswith("x.toml: ")
    assert "\n" not in str(error.value)


def test_a_code_that_is_too_fine_is_refused() -> None:
    config = FrontEndConfig(n_mels=16).normalized([0.0] * 16, [1.0] * 15 + [0.001])
    with pytest.raises(AscError, match=r"scale = 0.1 for the scale of a band, allowed: 1\.9 or mo"):
        fixed_tables.build(config.quantized(0.1, 0))


needs_tools = pytest.mark.skipif(
    not (shutil.which("arm-none-eabi-gcc") and shutil.which("qemu-system-arm")),
    reason="needs arm-none-eabi-gcc and qemu-system-arm",
)


@needs_tools
@pytest.mark.parametrize("board", ["mps2-an386", "mps3-an547"])
def test_several_quantizations_of_a_column(board: str, tmp_path: Path, monkeypatch) -> None:
    from support.emulated import EmulatedFrontEnd

    plain = dataclasses.replace(DEFAULT, n_mels=30)
    configs = [normalized(plain, scale, zero) for scale, zero in ((0.05, 4), (0.3, -100))]
    generate = partial(frontend_code.generate, others=configs[1:])
    monkeypatch.setattr(frontend_code, "generate", generate)
    pcm = golden.clips(plain)["noise"]
    EmulatedFrontEnd(configs[0], board, tmp_path).run(pcm)
    codes = np.fromfile(tmp_path / "out.bin", np.int8).reshape(36, 30, 2, 3)
    for index, config in enumerate(configs):
        expected = fixed.features(pcm, config).transpose(1, 0, 2)
        assert np.array_equal(codes[:, :, index], expected), index


# Instructions of a hop, bytes of code and constants, bytes of state.
COSTS = {
    ("normalised", "mps2-an386"): (115_160, 17_680, 16_912),
    ("normalised", "mps3-an547"): (60_500, 17_820, 16_912),
    ("24 bits", "mps2-an386"): (119_560, 12_750, 21_008),
    ("24 bits", "mps3-an547"): (66_720, 12_820, 21_008),
}
MARGIN = compilers.margin()


@needs_tools
@pytest.mark.parametrize(("name", "board"), list(COSTS))
def test_costs_do_not_grow(name: str, board: str, tmp_path: Path) -> None:
    from support.emulated import EmulatedFrontEnd

    instructions, flash, ram = COSTS[name, board]
    frontend = EmulatedFrontEnd(CONFIGS[name], board, tmp_path)
    _, spent, state = frontend.run(golden.noise(CONFIGS[name]), "hops")
    assert instructions / MARGIN <= spent <= instructions * MARGIN
    assert frontend.flash_bytes() <= flash * MARGIN
    assert state <= ram
