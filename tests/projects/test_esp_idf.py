"""The ESP-IDF project: its files by their tools, its code against a double of ESP-IDF."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from support import own_boards
from support.commands import asc_tiny, refused
from support.microphones import lines_of, played, scenes
from support.paths import DOUBLES, MODEL
from support.project_files import assert_prefix, compile_for_cortex_m4
from support.serial_requests import check_a_conversation

DOUBLE = DOUBLES / "esp_idf"


IDF_OPTIONS = """\
#define CONFIG_ESP_CONSOLE_UART 1
#define CONFIG_ESP_CONSOLE_UART_NUM 0
#define CONFIG_ESP_DEFAULT_CPU_FREQ_MHZ 240
"""
"""What ESP-IDF's own options give."""


def generate(out: Path, *options: object) -> Path:
    assert asc_tiny("generate", MODEL, "--project", "esp-idf", "--out", out, *options) == 0
    return out


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chip with two cores, by the page's file."""
    folder = tmp_path_factory.mktemp("esp_idf")
    return generate(folder / "project", "--board", own_boards.esp32s3(folder))


def configure(project: Path, folder: Path, prefix: str = "asc", **settings: str) -> Path:
    """Write what ESP-IDF makes of a project's options: sdkconfig.h and sdkconfig.cmake."""
    kconfiglib = pytest.importorskip("kconfiglib")
    folder.mkdir()
    root = folder / "Kconfig"
    files = [project / "main/Kconfig.projbuild", project / f"components/{prefix}/Kconfig"]
    root.write_text("".join(f'source "{file}"\n' for file in files))
    kconfig = kconfiglib.Kconfig(str(root), warn_to_stderr=False)
    for name, value in settings.items():
        assert kconfig.syms[name].set_value(value)
    assert not kconfig.warnings
    kconfig.write_autoconf(str(folder / "sdkconfig.h"), header=IDF_OPTIONS)
    lines = [
        f'set(CONFIG_{symbol.name} "{"" if symbol.str_value == "n" else symbol.str_value}")\n'
        for symbol in kconfig.unique_defined_syms
    ]
    (folder / "sdkconfig.cmake").write_text("".join(lines))
    return folder


def build(project: Path, folder: Path, *options: str, **settings: str) -> Path:
    """Build an application by its CMake lists with the double of ESP-IDF's build system."""
    sdkconfig = configure(project, folder / "sdkconfig", **settings)
    flags = "-Wall -Wextra -Wconversion -Werror -O2"
    command = ["cmake", "-G", "Ninja", "-S", project, "-B", folder / "build", *options]
    command += [f"-DSDKCONFIG={sdkconfig}", f"-DCMAKE_C_FLAGS={flags}"]
    environment = {**os.environ, "IDF_PATH": str(DOUBLE)}
    subprocess.run(command, check=True, capture_output=True, env=environment)
    subprocess.run(["cmake", "--build", folder / "build"], check=True, env=environment)
    return folder / "build" / "app"


def run(app: Path, **environment: str) -> list[str]:
    (app.parent / "in.pcm").write_bytes(played().astype("<i2").tobytes())
    return lines_of(app, **environment)


@pytest.fixture(scope="module")
def app(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(project, tmp_path_factory.mktemp("app"))


def test_prints_the_scenes_of_a_microphone(app: Path) -> None:
    microphone = "microphone 44100 Hz, SCK 4 WS 5 SD 6"
    assert run(app) == ["selftest 0", microphone, *scenes(played())]


@pytest.mark.parametrize(
    ("board", "pins"),
    [("esp32c3_devkitm", "SCK 0 WS 1 SD 10"), ("esp32c6_devkitc", "SCK 18 WS 19 SD 20")],
)
def test_chips_with_one_core_have_the_same_application(
    board: str, pins: str, tmp_path: Path
) -> None:
    project = generate(tmp_path / "project", "--board", board)
    settings = (project / "sdkconfig.defaults").read_text()
    assert f'CONFIG_IDF_TARGET="{board.split("_")[0]}"' in settings
    assert "CONFIG_ESP_DEFAULT_CPU_FREQ_MHZ_160=y" in settings
    assert "AFFINITY" not in settings
    lines = run(build(project, tmp_path))
    assert lines == ["selftest 0", f"microphone 44100 Hz, {pins}", *scenes(played())]


def test_prints_the_same_scenes_while_listening(tmp_path: Path) -> None:
    app = build(generate(tmp_path / "project", "--schedule", "time"), tmp_path)
    assert run(app)[2:] == scenes(played())


def test_tells_what_the_driver_lost(app: Path) -> None:
    lines = run(app, OVERFLOWING_READ="100")
    assert "overruns 0 overflows 1" in lines


def test_counts_what_it_loses(app: Path) -> None:
    losses = [line for line in run(app, FLOODING_READ="100") if line.startswith("overruns ")]
    assert losses
    assert all(line.endswith(" overflows 0") for line in losses)


def test_answers_on_its_uart(app: Path, tmp_path: Path) -> None:
    alone = Path(shutil.copy(app, tmp_path))
    (tmp_path / "in.pcm").symlink_to("/dev/zero")
    check_a_conversation(alone)


def test_options_are_followed(project: Path, tmp_path: Path) -> None:
    app = build(project, tmp_path, ASC_SELFTEST="n", ASC_PROTOCOL="n", MICROPHONE_WS_GPIO="17")
    assert b"asc_protocol_receive" not in app.read_bytes()
    assert run(app)[0] == "microphone 44100 Hz, SCK 4 WS 17 SD 6"


def test_runs_tensorflow_lite_micro(tmp_path: Path) -> None:
    """The self-test tells that a double of TensorFlow Lite Micro, which computes nothing, runs."""
    project = generate(tmp_path / "project", "--runtime", "tflm")
    (tmp_path / "fault.c").write_text("extern int fault;\nint fault = 0;\n")
    double = [f"-DTFLM_DOUBLE={DOUBLES / 'tflm'}", f"-DDOUBLE_SOURCES={tmp_path / 'fault.c'}"]
    assert run(build(project, tmp_path, *double)) == ["selftest 2", "stopped 2"]


def test_compiles_for_a_32_bit_core(tmp_path: Path) -> None:
    project = generate(tmp_path / "project", "--prefix", "near")
    for name in ("main", "components"):
        assert (project / name).is_dir()
    assert_prefix(project / "components", "near")
    assert_prefix(project, "main")
    sdkconfig = configure(project, tmp_path / "sdkconfig", "near")
    folders = [DOUBLE, project / "components/near", project / "main", sdkconfig]
    compile_for_cortex_m4(sorted((project / "main").glob("*.c")), folders, tmp_path)


@pytest.mark.parametrize("runtime", ["aot", "tflm"])
def test_manifests_are_as_the_component_manager_wants_them(runtime: str, tmp_path: Path) -> None:
    manager = pytest.importorskip("idf_component_tools.manager")
    project = generate(tmp_path, "--runtime", runtime)
    component = manager.ManifestManager(str(project / "components/asc"), "asc").validate()
    assert component.is_valid, component.validation_errors
    dependencies = component.load().dependencies
    assert ("espressif/esp-tflite-micro" in dependencies) == (runtime == "tflm")
    main = manager.ManifestManager(str(project / "main"), "main").validate()
    assert main.is_valid, main.validation_errors


def test_boards_that_it_does_not_serve(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--project", "esp-idf", "--out", tmp_path / "x", "--board", "nrf52840dk"]
    message = refused(capsys, "generate", MODEL, *options)
    assert message == (
        "asc-tiny: board nrf52840dk: --project esp-idf is for esp32c3_devkitm, esp32c6_devkitc"
    )
    assert not (tmp_path / "x").exists()
