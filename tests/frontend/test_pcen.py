"""PCEN: its definition, the integers beside float64, clips and streams, and what may be set."""

from __future__ import annotations

import dataclasses
import math
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asc_tiny.audio.clips import read_pcm
from asc_tiny.firmware import frontend as frontend_code
from asc_tiny.frontend import fixed, fixed_pcen, golden, pcen, reference, stream
from asc_tiny.frontend import tables as fixed_tables
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.util.errors import AscError
from support.front_ends import DEFAULT, MAGNITUDE, PCEN, SPEECH
from support.native import CFrontEnd
from support.paths import CLIPS
from support.random_front_ends import configs, repeatable, signals


def by_definition(bands: np.ndarray, config: FrontEndConfig) -> np.ndarray:
    """Equations 1 and 2 of the paper, frame by frame, with librosa's weight of a frame."""
    hops = config.pcen_time_constant * config.sample_rate / config.hop
    weight = (math.sqrt(1 + 4 * hops**2) - 1) / (2 * hops**2)
    smoothed, columns = bands[:, 0], []
    for energy in bands.T:
        smoothed = (1 - weight) * smoothed + weight * energy
        gained = energy / (config.pcen_eps + smoothed) ** config.pcen_gain
        root = (gained + config.pcen_bias) ** config.pcen_power
        columns.append(root - config.pcen_bias**config.pcen_power)
    return np.stack(columns, axis=1)


def integer_values(pcm: np.ndarray, config: FrontEndConfig) -> np.ndarray:
    tables = fixed_tables.build(config).pcen
    assert tables is not None
    return fixed.BandValues(config).next(pcm, config) / 2.0**tables.fraction_bits


@pytest.mark.parametrize("hops", [0.01, 0.5, 17.0, 9999.0])
def test_the_weight_of_a_frame_solves_its_equation(hops: float) -> None:
    weight = pcen.smoothing(hops * 0.01, 16000, 160)
    assert (hops * weight) ** 2 + weight - 1.0 == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("name", ["impulses", "fade"])
def test_the_reference_is_the_papers(name: str) -> None:
    pcm = golden.clips(PCEN)[name]
    expected = by_definition(reference.band_power(pcm, PCEN), PCEN)
    assert reference.values(pcm, PCEN) == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert reference.features(pcm, PCEN)[..., 0] == pytest.approx(expected[:, 4:-4], abs=1e-9)


EXTREMES = {
    "defaults": {},
    "no gain": {"pcen_gain": 0.0, "pcen_power": 0.1},
    "all gain, the least bias": {"pcen_gain": 1.0, "pcen_bias": 0.001, "pcen_power": 0.05},
    "slow, the least eps": {"pcen_time_constant": 90.0, "pcen_eps": 1e-16, "pcen_power": 0.25},
    "quick, the largest eps": {"pcen_time_constant": 0.01, "pcen_eps": 1.0, "pcen_bias": 100.0},
    "no root": {"pcen_power": 1.0},
}


@pytest.mark.parametrize("changes", EXTREMES.values(), ids=EXTREMES)
def test_integers_are_within_a_millionth_of_the_range(changes: dict[str, float]) -> None:
    """Of clips at the limits of the arithmetic, silence and squares among them."""
    config = dataclasses.replace(PCEN, **changes)
    config = config.quantized(config.value_range[1] / 250.0, -128)
    most = config.value_range[1] + config.pcen_bias**config.pcen_power
    for name, pcm in golden.clips(config).items():
        error = np.abs(integer_values(pcm, config) - reference.values(pcm, config))
        # Beside a tone the transform's own rounding is heard, as in a log-mel.
        assert error.max() < (2e-4 if name == "chirp" else 1e-6) * most, name
        assert error.mean() < 2e-6 * most, name


def test_real_clips_keep_to_their_bounds() -> None:
    config = dataclasses.replace(DEFAULT, compression="pcen").quantized(0.02, -100)
    errors, others = [], []
    for path in CLIPS[:3]:
        pcm = read_pcm(path, 44100)
        errors.append(np.abs(integer_values(pcm, config) - reference.values(pcm, config)))
        codes = reference.quantize(reference.features(pcm, config), config.quantization)
        others.append(np.abs(fixed.features(pcm, config).astype(int) - codes))
    error, other = np.concatenate(errors), np.concatenate(others)
    assert error.mean() < 1e-6 and np.quantile(error, 0.99) < 2e-5 and error.max() < 2e-4
    assert np.mean(other == 0) >= 0.999 and other.max() <= 1


def test_silence_is_exactly_nothing() -> None:
    pcm = np.zeros(PCEN.clip_samples, np.int16)
    assert not integer_values(pcm, PCEN).any()
    after = golden.clips(PCEN)["noise"].copy()
    after[4000:] = 0
    assert not integer_values(after, PCEN)[:, 30:].any()


def test_logarithms_and_powers_are_within_three_millionths() -> None:
    tables = fixed_tables.build(PCEN).pcen
    assert tables is not None
    generator = np.random.default_rng(4)
    values = (2.0 ** generator.uniform(0.0, 63.9, 20000)).astype(np.uint64)
    log = fixed_pcen._log2(values, tables) / 2.0**20
    assert np.abs(log - np.log2(values.astype(np.float64))).max() < 3e-6
    exponents = generator.integers(-60 * 2**20, 25 * 2**20, 20000)
    mantissa, exponent = fixed_pcen._power_of_two(exponents, tables)
    power = mantissa.astype(np.float64) * 2.0 ** (exponent - 31 - exponents / 2.0**20)
    assert np.abs(power - 1.0).max() < 5e-7


def test_a_clip_knows_nothing_of_the_one_before(tmp_path: Path) -> None:
    loud, quiet = golden.clips(PCEN)["noise"], golden.clips(PCEN)["quiet noise"]
    frontend = CFrontEnd(PCEN, tmp_path)
    alone = fixed.features(quiet, PCEN)
    assert np.array_equal(frontend.features(np.concatenate([loud, quiet]), [777])[1], alone)
    louder = np.concatenate([loud, quiet])
    streamed = stream.features(louder, PCEN)[:, -alone.shape[1] :]
    assert not np.array_equal(streamed, alone)


@pytest.mark.parametrize("skip", [0, 1, 20])
def test_columns_that_are_left_out_are_heard_all_the_same(skip: int, tmp_path: Path) -> None:
    """A stream of more frames than the Python twin computes at once."""
    config = dataclasses.replace(PCEN, hop=64, n_fft=256, n_mels=16)
    generator = np.random.default_rng(5)
    pcm = (generator.normal(0.0, 1.0, 40000) * 2.0 ** generator.uniform(0, 14)).astype(np.int16)
    frontend = CFrontEnd(config, tmp_path, continuous=True)
    expected = stream.features(pcm, config)
    assert expected.shape[1] > 2 * 256
    assert np.array_equal(frontend.columns(pcm, [999, 7], skip), expected[:, :: 1 + skip])


@pytest.mark.exhaustive
@repeatable(60)
@given(st.data())
def test_random_front_ends_keep_to_float64(data: st.DataObject) -> None:
    """Both compressions, whatever the window, hop, bands, parameters and signals."""
    config = data.draw(configs())
    pcm = data.draw(signals(config))[: config.clip_samples]
    expected = reference.quantize(reference.features(pcm, config), config.quantization)
    with tempfile.TemporaryDirectory(prefix="asc-tiny-") as folder:
        codes = CFrontEnd(config, Path(folder)).features(pcm, [999])[0]
    assert np.array_equal(codes, fixed.features(pcm, config))
    level = reference.band_power(pcm, config) / (config.frame_length / 4) ** config.degree
    loud = (level >= 10.0 ** (-4.0 * config.degree)).all()
    assert np.abs(codes.astype(int) - expected).max() <= (1 if loud else 255)


def test_keys_are_written_and_read() -> None:
    values = PCEN.to_dict()
    assert FrontEndConfig.from_dict(values) == PCEN
    assert values["compression"] == "pcen" and values["pcen_gain"] == 0.98
    assert not {"log", "log_floor", "floor"} & values.keys()
    assert not [key for key in DEFAULT.to_dict() if "pcen" in key or key == "compression"]
    slower = dataclasses.replace(PCEN, pcen_time_constant=0.5)
    assert slower.digest() != PCEN.digest() != SPEECH.digest()
    magnitude = {"spectrum": "magnitude", "compression": "pcen"}
    assert FrontEndConfig.from_dict(magnitude).spectrum == "magnitude"


def test_other_front_ends_have_none_of_its_constants() -> None:
    for text in frontend_code.generate(MAGNITUDE, "a test").values():
        assert "PCEN" not in text and "power_of_two" not in text


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"compression": "root"}, "compression = root, allowed: log, pcen"),
        ({"compression": "pcen", "log_floor": 1e-8}, 'log_floor: compression = "pcen" has none'),
        ({"compression": "pcen", "log": "log2"}, 'log = log2: compression = "pcen" has none'),
        ({"pcen_gain": 0.98}, 'pcen_gain: compression = "log" has none'),
        ({"compression": "pcen", "pcen_gain": 1.1}, "pcen_gain = 1.1, allowed: 0 to 1"),
        ({"compression": "pcen", "pcen_bias": 0.0}, "pcen_bias = 0.0, allowed: 0.001 to 100"),
        ({"compression": "pcen", "pcen_power": 2}, "pcen_power = 2, allowed: 0.05 to 1"),
        ({"compression": "pcen", "pcen_eps": 0.0}, "pcen_eps = 0.0, allowed: 1e-16 to 1"),
        (
            {"compression": "pcen", "pcen_time_constant": 300.0, "hop": 160, "sample_rate": 44100},
            r"pcen_time_constant = 300.0, allowed: up to 10000 hops \(36.2812 s\)",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(AscError, match=message):
        FrontEndConfig.from_dict(values)
