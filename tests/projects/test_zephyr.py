"""The Zephyr project: its files by their tools, its code against a double of Zephyr."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
import tty
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.boards import catalog
from asc_tiny.projects.zephyr import TABLE
from support.commands import asc_tiny, refused
from support.microphones import lines_of, played, scenes
from support.paths import DOUBLES, MODEL
from support.project_files import assert_prefix, compile_for_cortex_m4
from support.serial_requests import check_a_conversation

DOUBLE = DOUBLES / "zephyr"
CHUNK = 256
"""Samples that the application reads at once."""

NRF_RATE = Fraction(1_333_333 + Fraction(1, 3)) / 64
WITH_MICROPHONE = [name for name in TABLE.boards if TABLE.read(catalog.get(name)).microphone]

# Of Zephyr's schema of twister (scripts/schemas/twister/testsuite-schema.yaml), as far as used.
SCENARIO = {
    "build_only": bool,
    "harness": str,
    "harness_config": dict,
    "integration_platforms": list,
    "platform_allow": list,
    "tags": str,
}
HARNESS_CONFIG = {"ordered": bool, "regex": list, "type": str}


def generate(out: Path, board: str, *options: object) -> Path:
    command = ["generate", MODEL, "--project", "zephyr", "--board", board, "--out", out]
    assert asc_tiny(*command, *options) == 0
    return out


@pytest.fixture(scope="module")
def nrf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(tmp_path_factory.mktemp("zephyr") / "nrf", "nrf52840dk", "--resample")


@pytest.fixture(scope="module")
def app(nrf: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The application on this computer, beside the samples that it hears."""
    folder = tmp_path_factory.mktemp("app")
    (folder / "in.pcm").write_bytes(played().astype("<i2").tobytes())
    return build(nrf, folder)


@pytest.fixture(scope="module")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(tmp_path_factory.mktemp("zephyr") / "emulated", "mps2-an385")


def build(project: Path, folder: Path, *options: str) -> Path:
    """Build an application by its CMake lists with the double of Zephyr's package."""
    board_conf = next(iter(project.glob("boards/*.conf")), project / "prj.conf")
    flags = "-Wall -Wextra -Wconversion -Werror -O2"
    configure = ["cmake", "-G", "Ninja", "-S", project, "-B", folder, *options]
    configure += [f"-DZephyr_DIR={DOUBLE / 'cmake'}", f"-DZEPHYR_DOUBLE={DOUBLE}"]
    configure += [f"-DBOARD_CONF={board_conf}", f"-DCMAKE_C_FLAGS={flags}"]
    subprocess.run(configure, check=True, capture_output=True)
    subprocess.run(["cmake", "--build", folder], check=True)
    return folder / "app"


def run(app: Path, **environment: str) -> list[str]:
    return lines_of(app, **environment)


def test_prints_the_scenes_of_a_microphone(app: Path) -> None:
    expected = scenes(played(), NRF_RATE)
    assert len(expected) == 4
    assert run(app) == ["selftest 0", "microphone 20833 Hz, clock 1000000 to 1400000", *expected]


def test_starts_a_microphone_again_that_has_stopped(app: Path) -> None:
    """The gap ends the clip that was begun: a new one starts with the first sample behind it."""
    lines = run(app, FAILING_READ="100")
    assert "overruns 0 restarts 1" in lines
    before, after = np.split(played(), [100 * CHUNK])
    expected = [*scenes(before, NRF_RATE), *scenes(after, NRF_RATE)]
    assert expected != scenes(played(), NRF_RATE)
    assert [line for line in lines if line.startswith("scene ")] == expected


def test_counts_what_it_loses(app: Path) -> None:
    losses = [line for line in run(app, FLOODING_READ="100") if line.startswith("overruns ")]
    assert losses
    assert all(line.endswith(" restarts 0") for line in losses)


def test_tells_a_failed_self_test(nrf: Path, tmp_path: Path) -> None:
    project = Path(shutil.copytree(nrf, tmp_path / "project"))
    expected = project / "asc" / "asc_selftest_expected.h"
    text = re.sub(r"(CHECKSUM 0x)(\w+)u", r"\g<1>12345678u", expected.read_text())
    expected.write_text(text)
    assert run(build(project, tmp_path / "build")) == ["selftest 1", "stopped 1"]


@pytest.mark.parametrize(
    "options", [[], ["-DNO_SELFTEST=1", "-DNO_PROTOCOL=1"]], ids=["with", "without"]
)
def test_emulated_board_classifies_noise(
    options: list[str], emulated: Path, tmp_path: Path
) -> None:
    app = build(emulated, tmp_path, *options)
    with subprocess.Popen([app], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        lines = [process.stdout.readline().split() for _ in range(2)]
        process.kill()
    assert (b"asc_protocol_receive" in app.read_bytes()) == (not options)
    tested = [] if options else [["selftest", "0"]]
    assert lines[: len(tested)] == tested
    assert all(line[0] == "scene" for line in lines[len(tested) :])


@pytest.fixture(scope="module")
def endless(emulated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(emulated, tmp_path_factory.mktemp("endless"))


def test_answers_on_the_console(endless: Path) -> None:
    check_a_conversation(endless)


def test_commands_on_its_port(
    endless: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A terminal in place of the serial port; references from a project for this computer."""
    pytest.importorskip("serial")
    host = tmp_path / "host"
    assert asc_tiny("generate", MODEL, "--board", "host", "--out", host) == 0
    assert asc_tiny("build", host) == 0
    board, computer = pty.openpty()
    tty.setraw(board)
    tty.setraw(computer)
    with subprocess.Popen([endless], stdin=board, stdout=board) as process:
        port = os.ttyname(computer)
        capsys.readouterr()
        assert asc_tiny("verify", host, "--port", port, "--json") == 0
        assert json.loads(capsys.readouterr().out)["selftest"] == "passed"
        assert asc_tiny("bench", host, "--port", port, "--json") == 0
        assert json.loads(capsys.readouterr().out)["tick_rate"] == 1_000_000
        monitor = ["monitor", "--model", MODEL, "--port", port, "--count", "3", "--json"]
        assert asc_tiny(*monitor) == 0
        captured = capsys.readouterr()
        process.kill()
    events = [json.loads(line)["event"] for line in captured.out.splitlines()]
    assert events == ["connected", "decision", "decision", "decision"]
    assert "another model" not in captured.err
    os.close(board)
    os.close(computer)


@pytest.mark.parametrize("board", TABLE.boards)
def test_compiles_for_cortex_m4(board: str, tmp_path: Path) -> None:
    options = ["--resample"] if board.startswith("nrf") else []
    project = generate(tmp_path / "project", board, "--prefix", "near", *options)
    assert_prefix(project, "near")
    folders = [DOUBLE, project / "near", project / "src"]
    compile_for_cortex_m4(sorted((project / "src").glob("*.c")), folders, tmp_path)


def test_runs_tensorflow_lite_micro(tmp_path: Path) -> None:
    """The self-test tells that a double of TensorFlow Lite Micro, which computes nothing, runs."""
    options = ["--runtime", "tflm", "--resample"]
    project = generate(tmp_path / "project", "nrf52840dk", *options)
    config = (project / "prj.conf").read_text().splitlines()
    assert {"CONFIG_CPP=y", "CONFIG_TENSORFLOW_LITE_MICRO=y"} <= set(config)
    (tmp_path / "fault.c").write_text("extern int fault;\nint fault = 0;\n")
    double = [f"-DTFLM_DOUBLE={DOUBLES / 'tflm'}", f"-DDOUBLE_SOURCES={tmp_path / 'fault.c'}"]
    assert run(build(project, tmp_path / "build", *double)) == ["selftest 2", "stopped 2"]


@pytest.mark.parametrize("board", TABLE.boards)
def test_manifest_is_as_west_wants_it(board: str, tmp_path: Path) -> None:
    west = pytest.importorskip("west.manifest")
    options = ["--resample"] if board.startswith("nrf") else []
    project = generate(tmp_path, board, "--runtime", "tflm", *options)
    manifest = west.Manifest.from_data(
        (project / "west.yml").read_text(), import_flags=west.ImportFlag.IGNORE
    )
    assert [each.name for each in manifest.projects] == ["manifest", "zephyr", "tflite-micro"]
    assert manifest.projects[1].revision == TABLE.read(catalog.get(board)).revision
    assert "cmsis-dsp" in (project / "west.yml").read_text()


def check_keys(section: dict[str, object], allowed: dict[str, type]) -> None:
    for key, value in section.items():
        assert isinstance(value, allowed[key]), key


def test_sample_and_module_are_as_zephyr_wants_them(nrf: Path, emulated: Path) -> None:
    yaml = pytest.importorskip("yaml")
    for project in (nrf, emulated):
        sample = yaml.safe_load((project / "sample.yaml").read_text())
        assert set(sample) == {"sample", "common", "tests"}
        assert set(sample["sample"]) == {"name", "description"}
        for scenario in (sample["common"], *sample["tests"].values()):
            check_keys(scenario, SCENARIO)
            check_keys(scenario.get("harness_config", {}), HARNESS_CONFIG)
        module = yaml.safe_load((project / "asc/zephyr/module.yml").read_text())
        assert module == {"name": "asc", "build": {"cmake": "zephyr", "kconfig": "zephyr/Kconfig"}}
        assert (project / "asc/zephyr/CMakeLists.txt").is_file()
    tests = yaml.safe_load((nrf / "sample.yaml").read_text())["tests"]
    assert tests["asc.scenes.microphone"]["platform_allow"] == ["nrf52840dk/nrf52840"]
    assert tests["asc.scenes.emulated"]["platform_allow"] == ["mps2/an385"]


def test_configuration_is_of_known_options(nrf: Path, tmp_path: Path) -> None:
    """Kconfig reads the module's options and the application's settings."""
    kconfiglib = pytest.importorskip("kconfiglib")
    zephyrs = [
        "PRINTK",
        "LOG",
        "LOG_MODE_DEFERRED",
        "LOG_PRINTK",
        "LOG_PROCESS_THREAD",
        "TIMING_FUNCTIONS",
        "SERIAL",
        "UART_INTERRUPT_DRIVEN",
        "SPEED_OPTIMIZATIONS",
    ]
    zephyrs += ["AUDIO", "AUDIO_DMIC"]
    options = [f'config {name}\n\tbool "{name}"\n' for name in zephyrs]
    options += [
        f'config {name}\n\tint "{name}"\n' for name in ("MAIN_STACK_SIZE", "LOG_DEFAULT_LEVEL")
    ]
    root = tmp_path / "Kconfig"
    root.write_text("".join(options) + f'source "{nrf / "asc/zephyr/Kconfig"}"\n')
    kconfig = kconfiglib.Kconfig(str(root), warn_to_stderr=False)
    kconfig.warn_assign_undef = True
    for path in (nrf / "prj.conf", nrf / "boards/nrf52840dk_nrf52840.conf"):
        kconfig.load_config(str(path), replace=False)
    assert not kconfig.warnings
    assert kconfig.syms["ASC_CLASSIFIER"].str_value == kconfig.syms["ASC_SELFTEST"].str_value == "y"


@pytest.mark.parametrize("board", WITH_MICROPHONE)
def test_overlay_is_a_devicetree(board: str, tmp_path: Path) -> None:
    """The overlay on a stand-in of the board's tree, whose labels are those of Zephyr's."""
    dtlib = pytest.importorskip("devicetree.dtlib")
    options = ["--resample"] if board.startswith("nrf") else []
    project = generate(tmp_path / "project", board, *options)
    name = TABLE.read(catalog.get(board)).target.replace("/", "_")
    tree = (
        "/dts-v1/;\n/ { pinctrl: pinctrl {}; pdm0: pdm {}; clk_hsi: hsi {}; pllsai1: pll {};\n"
        "dfsdm1_ckout_pe9: pe9 {}; dfsdm1_datin2_pe7: pe7 {};\n"
        "dfsdm: dfsdm { #address-cells = <1>; #size-cells = <0>;\n"
        "filter@0 { reg = <0>; #address-cells = <1>; #size-cells = <0>; }; }; };\n"
        "#define NRF_PSEL(signal, port, pin) ((port * 32) + pin)\n"
    )
    source = tmp_path / "board.dts"
    source.write_text(tree + (project / "boards" / f"{name}.overlay").read_text())
    text = subprocess.run(
        ["cpp", "-nostdinc", "-undef", "-x", "assembler-with-cpp", "-P", source],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    source.write_text(text)
    found = dtlib.DT(str(source)).label2node["dmic_dev"]
    assert found.props["status"].to_string() == "okay"


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 32000, 44100, 48000])
def test_dfsdm_gives_its_rates(rate: int) -> None:
    """As Zephyr's driver chooses: the fastest clock allowed, the nearest oversampling."""
    from asc_tiny.projects.zephyr import _dfsdm_clock

    clock = _dfsdm_clock(rate)
    audio = 16_000_000 * clock.pll_n // clock.pll_p
    assert 64_000_000 <= 16_000_000 * clock.pll_n <= 344_000_000  # of the PLL's oscillator
    divider = max(2, -(-audio // clock.highest))
    microphone = audio // divider
    assert divider == clock.divider
    assert 1_000_000 <= microphone <= 3_250_000
    oversampling = round(microphone / rate)
    assert abs(microphone / oversampling / rate - 1) < 500e-6


def test_boards_that_it_does_not_serve(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--project", "zephyr", "--out", tmp_path / "x", "--board", "rpi_pico"]
    message = refused(capsys, "generate", MODEL, *options)
    assert message.startswith("asc-tiny: board rpi_pico: --project zephyr is for disco_l475_iot1, ")
    assert not (tmp_path / "x").exists()
