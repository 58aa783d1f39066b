"""From scores to labels: the Python model against its definition, C against the Python model."""

from __future__ import annotations

import ctypes
import math
import tempfile
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asc_tiny.decision.config import DecisionConfig, read_toml
from asc_tiny.decision.rule import decide
from asc_tiny.decision.windows import Windows
from asc_tiny.firmware import decision as decision_code
from asc_tiny.firmware import labels as labels_code
from asc_tiny.firmware.runtime import runtime_sources
from asc_tiny.frontend.config import FrontEndConfig, Quantization
from asc_tiny.model.score_mixer import SOFTMAX
from asc_tiny.util.errors import AscError
from support.native import compile_for, shared_library, write
from support.paths import ROOT
from support.random_front_ends import repeatable

OUTPUTS = (SOFTMAX, Quantization(scale=0.013, zero_point=17))


@st.composite
def rules(draw: st.DrawFn, output: Quantization) -> DecisionConfig:
    codes = st.integers(-127, 127)
    known = draw(st.none() | codes)
    return DecisionConfig(
        smoothing=draw(st.sampled_from((1, 1, 2, 3, 4, 7, 10, 255))),
        lead=draw(st.sampled_from((0, 1, 5, 40, 255))) * output.scale,
        hold=draw(st.sampled_from((1, 1, 2, 3, 8))),
        threshold=None if known is None else (known - output.zero_point) * output.scale,
    )


@st.composite
def score_rows(draw: st.DrawFn, classes: int) -> np.ndarray:
    """Scores that stay for a while, so that labels change and averages fill, or that do not."""
    generator = np.random.default_rng(draw(st.integers(0, 2**31)))
    count = draw(st.integers(1, 400))
    level = np.repeat(generator.integers(-128, 128, (count, classes)), 5, axis=0)[:count]
    noise = generator.normal(0.0, draw(st.sampled_from((0.0, 1.0, 20.0, 300.0))), level.shape)
    return np.clip(np.rint(level + noise), -128, 127).astype(np.int8)


class CDecision:
    """The C code of a rule, built for this computer."""

    def __init__(
        self, config: DecisionConfig, output: Quantization, classes: int, folder: Path
    ) -> None:
        write_decision(config, output, classes, folder)
        self.library = shared_library(folder)
        self.library.asc_decision_smoothed.restype = ctypes.c_void_p

    def decide(self, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        state = ctypes.create_string_buffer(1 << 14)
        self.library.asc_decision_init(state)
        smoothed, labels = [], []
        for row in np.ascontiguousarray(scores):
            codes = ctypes.c_void_p(row.ctypes.data)
            labels.append(self.library.asc_decision_add(state, codes))
            mean = self.library.asc_decision_smoothed(state, codes)
            smoothed.append(np.frombuffer(ctypes.string_at(mean, len(row)), np.int8))
        return np.stack(smoothed), np.array(labels)


def write_decision(
    config: DecisionConfig, output: Quantization, classes: int, folder: Path
) -> None:
    names = [f"class {i}" for i in range(classes)]
    write(decision_code.generate(config, output, "a test"), folder)
    write(labels_code.generate(names, "a test"), folder)
    write(runtime_sources("decision"), folder)


def check_c(data: st.DataObject) -> None:
    output = data.draw(st.sampled_from(OUTPUTS))
    classes = data.draw(st.integers(1, 12))
    config = data.draw(rules(output))
    with tempfile.TemporaryDirectory(prefix="asc-tiny-") as folder:
        compiled = CDecision(config, output, classes, Path(folder))
        for _ in range(5):
            scores = data.draw(score_rows(classes))
            for found, expected in zip(
                compiled.decide(scores), decide(scores, config, output), strict=True
            ):
                assert np.array_equal(found, expected)


@repeatable(25)
@given(st.data())
def test_c_equals_the_model(data: st.DataObject) -> None:
    check_c(data)


@pytest.mark.exhaustive
@repeatable(300)
@given(st.data())
def test_c_equals_the_model_many_times(data: st.DataObject) -> None:
    check_c(data)


@pytest.mark.parametrize("core", ["cortex-m0plus", "cortex-m4"])
def test_c_compiles_without_warnings(core: str, tmp_path: Path) -> None:
    config = DecisionConfig(smoothing=8, lead=0.1, hold=3, threshold=0.5)
    for number, rule in enumerate((config, DecisionConfig())):
        write_decision(rule, SOFTMAX, 10, tmp_path / str(number))
        compile_for(core, tmp_path / str(number))


@repeatable(50)
@given(st.data())
def test_smoothed_scores_are_rounded_means(data: st.DataObject) -> None:
    scores = data.draw(score_rows(3))
    length = data.draw(st.integers(1, 255))
    smoothed, _ = decide(scores, DecisionConfig(smoothing=length), SOFTMAX)
    for window in range(len(scores)):
        last = scores[max(0, window + 1 - length) : window + 1].astype(int)
        for found, codes in zip(smoothed[window], last.T, strict=True):
            mean = Fraction(int(codes.sum()), len(codes))
            assert found == math.floor(mean + Fraction(1, 2))


@repeatable(50)
@given(st.data())
def test_without_hysteresis_the_highest_score_is_reported(data: st.DataObject) -> None:
    scores = data.draw(score_rows(4))
    _, labels = decide(scores, DecisionConfig(), SOFTMAX)
    assert np.array_equal(labels, scores.argmax(axis=1))
    # Codes 0 and above stand for scores of 0.5 and above.
    _, labels = decide(scores, DecisionConfig(threshold=0.5), SOFTMAX)
    assert np.array_equal(labels, np.where(scores.max(axis=1) >= 0, scores.argmax(axis=1), 4))


def labels_of(rows: list[tuple[int, ...]], **values: object) -> list[int]:
    config = DecisionConfig(**values)  # type: ignore[arg-type]
    return decide(np.array(rows, np.int8), config, SOFTMAX)[1].tolist()


def test_another_label_must_lead_by_enough() -> None:
    rows = [(50, 0), (50, 59), (50, 60), (59, 50), (60, 50)]
    assert labels_of(rows, lead=10 / 256) == [0, 0, 1, 1, 0]
    assert labels_of(rows, lead=9.5 / 256) == [0, 0, 1, 1, 0]
    assert labels_of([(50, 50), (0, 1), (1, 1), (1, 0)], lead=1 / 256) == [0, 1, 1, 0]


def test_another_label_must_lead_for_long_enough() -> None:
    a, b, c = (100, 0, 0), (0, 100, 0), (0, 0, 100)
    assert labels_of([a, b, b, b, b], hold=3) == [0, 0, 0, 1, 1]
    assert labels_of([a, b, b, a, b, b, b], hold=3) == [0, 0, 0, 0, 0, 0, 1]
    assert labels_of([a, b, b, c, b, c, c, c], hold=3) == [0, 0, 0, 0, 0, 0, 0, 2]
    weak = (100, 105, 0)
    assert labels_of([a, b, weak, b, b], hold=2, lead=10 / 256) == [0, 0, 0, 0, 1]


def test_unknown_is_a_class_with_the_score_of_the_threshold() -> None:
    rows = [(0,), (-1,), (-9,), (-10,), (9,), (10,)]
    assert labels_of(rows, threshold=0.5) == [0, 1, 1, 1, 0, 0]
    assert labels_of(rows, threshold=0.5, lead=10 / 256) == [0, 0, 0, 1, 1, 0]
    assert labels_of(rows, threshold=0.5, hold=2) == [0, 0, 1, 1, 1, 0]
    assert labels_of([(-128, -128)], threshold=1 / 256) == [2]


def test_windows_lie_where_the_front_end_says() -> None:
    frontend = FrontEndConfig()
    clips = Windows(frontend, DecisionConfig())
    assert [clips.count(n) for n in (44099, 44100, 88200)] == [0, 1, 2]
    assert (clips.start(3), clips.end(3)) == (3 * 44100, 4 * 44100)
    sliding = Windows(frontend, DecisionConfig(hop_columns=9))
    # The last of 36 columns waits for four more, and half a window of samples.
    assert sliding.end(0) == (35 + 8) * 1024 + 1024
    assert (sliding.start(2), sliding.end(2)) == (2 * 9 * 1024, sliding.end(0) + 2 * 9 * 1024)
    # Centred frames reach half a frame back.
    assert [sliding.first(window) for window in (0, 2)] == [0, 2 * 9 * 1024 - 1024]
    assert clips.first(2) == 2 * 44100
    for window in (0, 1, 7):
        assert sliding.count(sliding.end(window)) == window + 1
        assert sliding.count(sliding.end(window) - 1) == window


GOOD = """
[decision]
hop_seconds = 0.5
smoothing = 4
lead = 0.1
hold = 2
threshold = 0.5
"""


def test_file(tmp_path: Path) -> None:
    path = tmp_path / "decision.toml"
    expected = DecisionConfig(hop_columns=22, smoothing=4, lead=0.1, hold=2, threshold=0.5)
    for text in (GOOD, GOOD.replace("[decision]", ""), GOOD.replace("seconds = 0.5", "columns=22")):
        path.write_text(text)
        found = read_toml(path, FrontEndConfig(), SOFTMAX)
        assert found == expected
        assert DecisionConfig.from_dict(found.to_dict(), source="x") == found
    assert expected.lead_codes(SOFTMAX) == 26
    assert expected.threshold_code(SOFTMAX) == 0


def test_the_documents_example(tmp_path: Path) -> None:
    page = ROOT / "docs" / "explanation" / "decisions.md"
    path = tmp_path / "decision.toml"
    path.write_text(page.read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0])
    found = read_toml(path, FrontEndConfig(), SOFTMAX)
    rule = DecisionConfig(hop_columns=11, smoothing=4, lead=0.1, hold=2, threshold=0.4)
    assert found == rule


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("smoothing", "not TOML"),
        ("decision = 1", "decision = 1, must be a table"),
        ("smooth = 3", "unknown key smooth, allowed: hold, hop_columns, hop_seconds"),
        ("hop_columns = 0", "hop_columns = 0, allowed: whole numbers from 1 to 1000000"),
        ("hop_columns = 1.5", "hop_columns = 1.5, must be a whole number"),
        ("hop_columns = true", "hop_columns = True, must be a whole number"),
        ("hop_seconds = 0.001", "hop_seconds = 0.001, allowed: 0.02322"),
        ("hop_seconds = 1e9", "hop_seconds = 1000000000.0, allowed: 0.02322"),
        ('hop_seconds = "1"', "hop_seconds = '1', must be a finite number"),
        ("hop_seconds = 1\nhop_columns = 1", "exclude each other"),
        ("smoothing = 0", "smoothing = 0, allowed: whole numbers from 1 to 255"),
        ("smoothing = 256", "smoothing = 256, allowed: whole numbers from 1 to 255"),
        ("hold = 1001", "hold = 1001, allowed: whole numbers from 1 to 1000"),
        ("lead = -0.1", "lead = -0.1, allowed: 0 to 0.996094"),
        ("lead = 2", "lead = 2.0, allowed: 0 to 0.996094"),
        ("lead = nan", "lead = nan, must be a finite number"),
        ("threshold = 0", "threshold = 0.0, allowed: above 0, up to 0.996094"),
        ("threshold = 1.0", "threshold = 1.0, allowed: above 0, up to 0.996094"),
        ("threshold = inf", "threshold = inf, must be a finite number"),
    ],
)
def test_bad_values_are_named(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "decision.toml"
    path.write_text(text)
    with pytest.raises(AscError) as error:
        read_toml(path, FrontEndConfig(), SOFTMAX)
    assert str(error.value).startswith(f"{path}: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value) or message == "not TOML"
