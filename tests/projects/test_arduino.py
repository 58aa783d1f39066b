"""The Arduino library: built by Arduino's builder, its sketch run on an emulated core."""

from __future__ import annotations

import re
import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from support.arduino_builder import Sketch
from support.commands import asc_tiny, refused
from support.microphones import BLOCK, played, scenes
from support.paths import DOUBLES, MODEL
from support.selftests import EXPECTED, SPOILED, spoil
from support.serial_requests import check_a_port, check_the_host_as_source

NANO_RATE = Fraction(125_000, 3)
CHUNK = 128
"""Samples that Arduino-Pico's I2S library brings at once."""

UNTIL_LOSS = 22050
"""Samples that the stand-in of that library plays before it loses some."""

# Of Arduino's library specification.
CATEGORIES = {"Signal Input/Output", "Sensors", "Data Processing", "Other"}
NAME = r"[A-Za-z0-9][A-Za-z0-9 _.-]{0,62}"
VERSION = r"\d+\.\d+\.\d+"


PICO = """like = "rpi_pico"
core = "Cortex-M4F"
core_flags = ["-mcpu=cortex-m4"]
clock_hz = 125_000_000
microphone = "i2s_inmp441"
[arduino]
architectures = ["mbed_nano"]
core = "A stand-in"
package = "stand_in:mbed_nano"
reader = "i2s"
"""
"""A board on which the core of ours stands for Arduino-Pico."""

OWN = """core = "Cortex-M4F"
core_flags = ["-mcpu=cortex-m4"]
ram_bytes = 131072
clock_hz = 168_000_000
[arduino]
architectures = ["stm32"]
core = "STM32 MCU based boards"
package = "STMicroelectronics:stm32"
fqbn = "STMicroelectronics:stm32:GenF4:pnum=FEATHER_F405"
reader = "own"
"""


def generate(out: Path, *options: object) -> Path:
    assert asc_tiny("generate", MODEL, "--project", "arduino", "--out", out, *options) == 0
    return out


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(tmp_path_factory.mktemp("arduino") / "asc_scenes", "--resample")


@pytest.fixture(scope="module")
def sketch(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Sketch:
    return Sketch(library, tmp_path_factory.mktemp("sketch"))


@pytest.fixture(scope="module")
def spoiled(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Sketch:
    """Return a sketch whose self-test finds other scores than are expected."""
    folder = tmp_path_factory.mktemp("spoiled")
    other = Path(shutil.copytree(library, folder / library.name))
    macro, code = SPOILED[1]
    assert code == 2
    spoil(other / "src" / EXPECTED, macro)
    return Sketch(other, folder / "sketch")


def properties(library: Path) -> dict[str, str]:
    lines = (library / "library.properties").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_library_is_as_arduino_specifies(library: Path) -> None:
    fields = properties(library)
    required = "name version author maintainer sentence paragraph category url architectures"
    assert set(fields) >= set(required.split())
    assert all(fields.values())
    assert re.fullmatch(NAME, fields["name"]) and not fields["name"].startswith("Arduino")
    assert re.fullmatch(VERSION, fields["version"])
    assert fields["category"] in CATEGORIES
    assert (library / "src" / fields["includes"]).is_file()
    for path in library.rglob("*"):
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}", path.name), path
    assert {path.suffix for path in (library / "src").iterdir()} == {".c", ".h"}
    # A sketch lies in a folder of its name, and nowhere but in the examples.
    assert [p.relative_to(library).parts for p in library.rglob("*.ino")] == [
        ("examples", "asc_scenes", "asc_scenes.ino")
    ]


@pytest.mark.qemu
def test_sketch_prints_the_scenes(sketch: Sketch) -> None:
    pcm = played()
    assert sketch.play(pcm) == ["selftest 0", *scenes(pcm, NANO_RATE)]


@pytest.mark.qemu
@pytest.mark.parametrize("closed", [1, 100])
def test_who_opens_the_port_later_is_told_of_the_self_test(sketch: Sketch, closed: int) -> None:
    """Arduino's core drops what is written before."""
    pcm = played()
    assert sketch.play(pcm, closed=closed) == ["selftest 0", *scenes(pcm, NANO_RATE)]


@pytest.mark.qemu
@pytest.mark.parametrize("closed", [0, 1])
def test_a_self_test_that_failed_is_told_again(spoiled: Sketch, closed: int) -> None:
    first = [] if closed else ["selftest 2"]
    assert spoiled.play(played(), closed=closed) == [*first, "selftest 2", "stopped 2"]


@pytest.mark.qemu
def test_sketch_tells_overruns_and_goes_on_behind_the_gap(sketch: Sketch, library: Path) -> None:
    header = (library / "src/asc_audio.h").read_text(encoding="utf-8")
    (blocks,) = map(int, re.findall(r"ASC_AUDIO_BLOCKS (\d+)u", header))
    pcm = played()
    burst = 25
    lines = sketch.play(pcm, burst=burst * BLOCK)
    # The last block of a burst is being filled when no other is free.
    decisions = scenes(pcm[burst * BLOCK :], NANO_RATE)
    assert len(decisions) == 1
    assert lines == ["selftest 0", f"overruns {burst - (blocks - 1)}", *decisions]


@pytest.mark.qemu
def test_sketch_answers_on_its_serial_port(sketch: Sketch) -> None:
    check_a_port(sketch.talk, played(), NANO_RATE)
    assert asc_tiny("inspect", sketch.image, "--model", MODEL) == 0


@pytest.mark.qemu
def test_host_takes_the_microphones_place(sketch: Sketch) -> None:
    check_the_host_as_source(sketch.talk, played(), NANO_RATE)


@pytest.mark.slow
@pytest.mark.parametrize(
    "lines", [("sample_rate = 16000",), ("sample_rate = 16000", "sample_bits = 24")]
)
def test_models_of_the_microphones_own_rate(lines: tuple[str, ...], tmp_path: Path) -> None:
    frontend = tmp_path / "frontend.toml"
    settings = ("clip_samples = 16000", "hop = 372", "f_max = 8000.0", *lines)
    frontend.write_text("\n".join(("[frontend]", *settings)) + "\n")
    library = generate(tmp_path / "scenes", "--frontend", frontend, "--prefix", "scene")
    assert "kMicrophoneRate = 16000;" in next(library.rglob("microphone.h")).read_text()
    Sketch(library, tmp_path / "build")


@pytest.mark.slow
def test_tensorflow_lite_micro_runs_the_network(tmp_path: Path) -> None:
    """With a double of its library for Arduino, which is on no registry."""
    library = generate(tmp_path / "asc_scenes", "--resample", "--runtime", "tflm")
    assert (library / "src/asc_net.cpp").is_file()
    assert not list(library.rglob("*.cc"))
    double = tmp_path / "Arduino_TensorFlowLite"
    shutil.copytree(DOUBLES / "tflm", double / "src")
    (double / "src/TensorFlowLite.h").write_text("/* finds the library */\n")
    (double / "src/fault.c").write_text("int fault;\n")
    (double / "library.properties").write_text(
        "name=Arduino_TensorFlowLite\nversion=1.0.0\nauthor=a\nmaintainer=a\nsentence=s\n"
        "paragraph=p\ncategory=Other\nurl=u\narchitectures=*\n"
    )
    Sketch(library, tmp_path / "build", [double])


def test_board_without_a_library_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--project", "arduino", "--board", "nrf5340dk", "--out", tmp_path / "out"]
    line = refused(capsys, "generate", MODEL, *options)
    assert "board nrf5340dk" in line
    assert "nano33ble_sense" in line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("board", ["rpi_pico", "rpi_pico2"])
def test_an_i2s_microphone_on_a_pico(board: str, tmp_path: Path) -> None:
    """The library is the same; the I2S library of Arduino-Pico is in one file of the example."""
    library = generate(tmp_path / "asc_scenes", "--board", board)
    example = library / "examples" / "asc_scenes"
    reader = (example / "microphone.cpp").read_text(encoding="utf-8")
    assert "#include <I2S.h>" in reader
    assert "setBCLK(10)" in reader and "setDATA(12)" in reader
    assert "kMicrophoneRate = 44100;" in (example / "microphone.h").read_text(encoding="utf-8")
    assert "I2S" not in (example / "asc_scenes.ino").read_text(encoding="utf-8")
    assert properties(library)["architectures"] == "rp2040"
    readme = (library / "README.md").read_text(encoding="utf-8")
    assert "SCK GPIO 10, WS GPIO 11, SD GPIO 12" in readme


@pytest.mark.qemu
def test_an_i2s_microphone_is_heard_and_a_gap_begins_a_new_clip(tmp_path: Path) -> None:
    (tmp_path / "pico.toml").write_text(PICO)
    library = generate(tmp_path / "asc_scenes", "--board", tmp_path / "pico.toml")
    sketch = Sketch(library, tmp_path / "sketch")
    pcm = played()
    # As the real library gives them: nothing, twice the first sample, and the others.
    heard = np.concatenate([np.array([0, 2 * pcm[0]], np.int16), pcm[1:]])
    heard = heard[: len(heard) // CHUNK * CHUNK]
    assert sketch.play(pcm) == ["selftest 0", *scenes(heard)]
    # The chunk that comes with the news of the loss is dropped with those before.
    until = -(-UNTIL_LOSS // CHUNK) * CHUNK
    lines = sketch.play(pcm, burst=-4 * CHUNK)
    assert lines == ["selftest 0", *scenes(heard[until + 5 * CHUNK :])]


def test_a_microphone_of_ones_own(tmp_path: Path) -> None:
    board = tmp_path / "mine.toml"
    board.write_text(OWN)
    library = generate(tmp_path / "asc_scenes", "--board", board)
    reader = (library / "examples/asc_scenes/microphone.cpp").read_text(encoding="utf-8")
    assert "return false;" in reader and "PDM" not in reader
    assert "is where yours is started" in (library / "README.md").read_text(encoding="utf-8")


def test_rate_that_the_microphone_lacks_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = refused(capsys, "generate", MODEL, "--project", "arduino", "--out", tmp_path / "out")
    assert "16000 or 41667 Hz" in line
    assert not (tmp_path / "out").exists()
