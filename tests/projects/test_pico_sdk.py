"""The project for the Pico SDK: its programs cycle by cycle, its code against a double."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.pdm import fixed
from asc_tiny.pdm.design import Decimator
from support.commands import asc_tiny, refused
from support.microphones import lines_of, played, scenes
from support.paths import DOUBLES, MODEL
from support.pdm import packed
from support.pio import assembled
from support.pio import run as run_program
from support.project_files import assert_prefix, compile_for_cortex_m4
from support.serial_requests import check_a_conversation

DOUBLE = DOUBLES / "pico_sdk"
PINS = ["pins 10 to 11 out", "pins 12 to 12 in"]
I2S = "microphone i2s, 5644800 cycles per second"  # 128 for each sample
PDM_BOARD = (
    'like = "rpi_pico"\ncore = "Cortex-M0+"\nclock_hz = 125_000_000\nmicrophone = "pio_pdm"\n'
)


def generate(out: Path, *options: object) -> Path:
    assert asc_tiny("generate", MODEL, "--project", "pico-sdk", "--out", out, *options) == 0
    return out


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(tmp_path_factory.mktemp("pico_sdk") / "project")


def build(project: Path, folder: Path, *options: str) -> Path:
    """Build an application by its CMake lists with the double of the SDK's build system."""
    flags = "-Wall -Wextra -Wconversion -Werror -O2"
    command = ["cmake", "-G", "Ninja", "-S", project, "-B", folder, *options]
    command += [f"-DPICO_SDK_PATH={DOUBLE}", f"-DCMAKE_C_FLAGS={flags}"]
    subprocess.run(command, check=True, capture_output=True)
    subprocess.run(["cmake", "--build", folder], check=True, capture_output=True)
    return folder / f"{project_name(project)}"


def project_name(project: Path) -> str:
    lines = (project / "CMakeLists.txt").read_text().splitlines()
    return next(line for line in lines if line.startswith("project(")).split("(")[1].split()[0]


@pytest.fixture(scope="module")
def app(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(project, tmp_path_factory.mktemp("app") / "build")


def run(app: Path, data: bytes | None = None, **environment: str) -> list[str]:
    heard = played().astype("<i2").tobytes() if data is None else data
    (app.parent / "in.pcm").write_bytes(heard)
    return lines_of(app, **environment)


def test_prints_the_scenes_of_an_i2s_microphone(app: Path) -> None:
    assert run(app) == ["selftest 0", *PINS, I2S, *scenes(played())]


def test_one_core_prints_the_same(project: Path, tmp_path: Path) -> None:
    app = build(project, tmp_path / "build", "-DAPPLICATION_CORE=0")
    assert run(app) == ["selftest 0", *PINS, I2S, *scenes(played())]


def test_prints_the_scenes_of_a_pdm_microphone(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(PDM_BOARD)
    app = build(generate(tmp_path / "p", "--board", tmp_path / "mine.toml"), tmp_path / "build")
    pcm = played()[: 6 * 44100 // 1024 * 1024] / 32768.0
    generator = np.random.default_rng(4)
    bits = (generator.random(64 * len(pcm)) < np.repeat(0.5 + 0.5 * pcm, 64)).astype(np.uint8)
    cycles = "microphone pdm, 5644800 cycles per second"  # two for each of 64 bits
    expected = scenes(fixed.decimate(bits, Decimator(64)))
    assert expected
    lines = run(app, packed(bits).tobytes())
    assert lines == ["selftest 0", "pins 10 to 10 out", PINS[1], cycles, *expected]


def test_tells_the_verdict_to_who_opens_the_port_late(app: Path) -> None:
    assert run(app, OPENED_LATE="1") == [
        "selftest 0",
        *PINS,
        I2S,
        "selftest 0",
        *scenes(played()),
    ]


@pytest.mark.parametrize("loss", ["LATE_CHUNK", "STALLED_CHUNK"])
def test_a_chunk_that_is_lost_begins_a_new_clip(app: Path, loss: str) -> None:
    """The clip after the gap begins with the next chunk but for blocks that were not complete."""
    lines = run(app, **{loss: "100"})
    assert "overruns 0 gaps 1" in lines
    found = [line for line in lines if line.startswith("scene ")]
    # Behind the chunk that was lost; with both complete, the interrupt takes neither.
    behind = played()[(102 if loss == "LATE_CHUNK" else 101) * 256 :]
    assert found == scenes(behind)


def test_counts_what_the_application_loses(app: Path) -> None:
    losses = [line for line in run(app, FLOODING_READ="100") if line.startswith("overruns ")]
    assert losses
    assert all(line.endswith(" gaps 0") for line in losses)


def test_says_that_no_machine_is_free(app: Path) -> None:
    assert run(app, NO_MACHINE="1") == ["selftest 0", "selftest 0", "stopped -9"]


def test_answers_on_its_port(app: Path, tmp_path: Path) -> None:
    alone = Path(shutil.copy(app, tmp_path))
    (tmp_path / "in.pcm").symlink_to("/dev/zero")
    check_a_conversation(alone)


def test_options_are_followed(project: Path, tmp_path: Path) -> None:
    options = ["-DASC_SELFTEST=OFF", "-DASC_PROTOCOL=OFF", "-DMICROPHONE_CLOCK_PIN=3"]
    app = build(project, tmp_path / "build", *options, "-DMICROPHONE_DATA_PIN=7")
    assert b"asc_protocol_receive" not in app.read_bytes()
    assert run(app)[:2] == ["pins 3 to 4 out", "pins 7 to 7 in"]


def test_without_the_sdk_it_says_what_is_missing(project: Path, tmp_path: Path) -> None:
    command = ["cmake", "-S", project, "-B", tmp_path, f"-DPICO_SDK_PATH={tmp_path}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "PICO_SDK_PATH must be the folder of the Pico SDK" in done.stderr


def test_the_i2s_program_reads_the_left_slot(project: Path) -> None:
    """Against a microphone as its data sheet has it: bits change behind falling edges.

    The most significant one comes one period of the clock after the word select falls.
    """
    program = assembled(project / "src/microphone_input.pio")
    assert (program.name, program.side_bits) == ("i2s", 2)
    frames = np.random.default_rng(1).integers(0, 2, (32, 2, 32))  # left and right slot
    clock = select = level = 0
    period = frame = 0
    clocks = []

    def pin(cycle: int, side: int) -> int:
        nonlocal clock, select, level, period, frame
        before = level
        if clock and not side & 1:
            period = (period + 1) % 64
            frame += period == 0
            assert side >> 1 == (period >= 32), "word select"
            slot, bit = divmod((period - 1) % 64, 32)
            level = int(frames[frame - (period == 0), slot, bit])
        else:
            assert side >> 1 == select, "the word select changes when the clock falls"
        clocks.append(side & 1)
        clock, select = side & 1, side >> 1
        return before

    words = run_program(program, 30 * 128, pin)
    assert clocks == [1, 0] * (30 * 64), "two cycles for each period, 64 periods for each sample"
    assert np.array_equal(words, frames[:30, 0])


def test_the_pdm_program_reads_what_comes_before_the_clock_rises(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(PDM_BOARD)
    project = generate(tmp_path / "p", "--board", tmp_path / "mine.toml")
    program = assembled(project / "src/microphone_input.pio")
    assert (program.name, program.side_bits) == ("pdm", 1)
    bits = np.random.default_rng(2).integers(0, 2, 400)
    clock, falls, level = 0, -1, 0

    def pin(cycle: int, side: int) -> int:
        nonlocal clock, falls, level
        before = level
        if clock and not side:
            falls += 1
            level = int(bits[falls])
        clock = side
        return before

    words = np.ravel(run_program(program, 640, pin))
    assert len(words) == 320 and np.array_equal(words[1:], bits[:319])


def test_compiles_for_a_32_bit_core(tmp_path: Path) -> None:
    project = generate(tmp_path / "project", "--prefix", "near")
    assert_prefix(project, "near")
    build(project, tmp_path / "build")
    (tmp_path / "m4").mkdir()
    folders = [DOUBLE, project / "near", project / "src", tmp_path / "build" / "generated"]
    pins = ("MICROPHONE_CLOCK_PIN=10", "MICROPHONE_DATA_PIN=12")
    sources = sorted((project / "src").glob("*.c"))
    compile_for_cortex_m4(sources, folders, tmp_path / "m4", defined=pins)


def test_runs_tensorflow_lite_micro(tmp_path: Path) -> None:
    """The self-test tells that a double of TensorFlow Lite Micro, which computes nothing, runs."""
    project = generate(tmp_path / "project", "--runtime", "tflm")
    double = tmp_path / "tflmicro"
    double.mkdir()
    (double / "fault.c").write_text("extern int fault;\nint fault = 0;\n")
    (double / "CMakeLists.txt").write_text(
        "add_library(pico-tflmicro STATIC fault.c)\n"
        f"target_include_directories(pico-tflmicro PUBLIC {DOUBLES / 'tflm'})\n"
    )
    app = build(project, tmp_path / "build", f"-DPICO_TFLMICRO_PATH={double}")
    assert run(app) == ["selftest 2", "selftest 2", "stopped 2"]


def test_flash_finds_the_uf2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = generate(tmp_path / "project")
    message = refused(capsys, "flash", project)
    assert "build/asc_scenes.uf2" in message


def test_what_it_does_not_serve(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--project", "pico-sdk", "--out", tmp_path / "x"]
    message = refused(capsys, "generate", MODEL, *options, "--board", "nrf52840dk")
    assert message == "asc-tiny: board nrf52840dk: --project pico-sdk is for rpi_pico, rpi_pico2"
    (tmp_path / "mine.toml").write_text('like = "rpi_pico"\ncore = "Cortex-M0+"\n')
    message = refused(capsys, "generate", MODEL, *options, "--board", tmp_path / "mine.toml")
    assert "reads microphones of the kinds i2s, pdm" in message
    text = PDM_BOARD + '[pico-sdk]\nboard = "pico"\nclock_pin = 12\n'
    (tmp_path / "mine.toml").write_text(text)
    message = refused(capsys, "generate", MODEL, *options, "--board", tmp_path / "mine.toml")
    assert "data_pin = 12: pins 12 and 13 are the microphone's clock and word select" in message
    assert not (tmp_path / "x").exists()
