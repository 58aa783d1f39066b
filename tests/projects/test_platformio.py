"""PlatformIO projects: built by PlatformIO with a platform of our own, run on an emulated core."""

from __future__ import annotations

import configparser
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.boards import catalog
from support.arduino_builder import STAND_IN as ARDUINO
from support.commands import asc_tiny, refused
from support.emulated import emulate, write_platform
from support.microphones import played, scenes
from support.paths import DOUBLES, MODEL
from support.stm32 import STAND_IN as STM32
from support.stm32 import filtered

CORE = ARDUINO / "stand_in/mbed_nano"
EMULATED = catalog.get("mps2-an386")


def require() -> None:
    """Skip the test where there is no PlatformIO; in CI there must be one."""
    missing = [name for name in ("platformio", "SCons") if importlib.util.find_spec(name) is None]
    if missing:
        assert os.environ.get("CI") != "true", f"tools/setup.sh did not install {missing}"
        pytest.skip(f"{', '.join(missing)} not installed: pip install '.[dev]'")


def generate(out: Path, board: str, *options: object) -> Path:
    command = ["generate", MODEL, "--project", "platformio", "--board", board, "--out", out]
    assert asc_tiny(*command, *options) == 0
    return out


def configuration(project: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(project / "platformio.ini")
    return parser


class PlatformIO:
    """PlatformIO with nothing installed but our platform under the names of those it stands for.

    Args:
        folder: of what it installs.
        world: files of the core's start-up code, of the framework and of its libraries.
    """

    def __init__(self, folder: Path, world: Sequence[Path]) -> None:
        require()
        self.folder = folder
        self._install_scons()
        self._install("nordicnrf52", ["nano33ble"], "arduino", world)
        self._install("ststm32", ["disco_l475vg_iot01a", "disco_l496ag"], "stm32cube", world)

    def _install_scons(self) -> None:
        """SCons is on PyPI, PlatformIO's package of it is not."""
        from platformio.dependencies import get_core_dependencies

        version = get_core_dependencies()["tool-scons"].lstrip("~^")
        package = self.folder / "packages" / "tool-scons"
        package.mkdir(parents=True)
        manifest = {"name": "tool-scons", "version": version}
        (package / "package.json").write_text(json.dumps(manifest))
        self._register(package, "tool", "tool-scons", version)
        (package / "scons.py").write_text("from SCons.Script.Main import main\nmain()\n")

    def _install(
        self, platform: str, boards: Sequence[str], framework: str, world: Sequence[Path]
    ) -> None:
        package = self.folder / "platforms" / platform
        shutil.copytree(DOUBLES / "platformio", package)
        (package / "boards").mkdir()
        script = {"script": "builder/frameworks/stand_in.py"}
        manifest = {"name": platform, "title": platform, "version": "1.0.0"}
        manifest |= {"description": "a stand-in", "frameworks": {framework: script}}
        (package / "platform.json").write_text(json.dumps(manifest))
        description = {"build": {"mcu": "none", "cpu": "cortex-m4"}, "frameworks": [framework]}
        description |= {"name": "board", "url": "none", "vendor": "none"}
        description["upload"] = {"maximum_ram_size": 1 << 22, "maximum_size": 1 << 22}
        for board in boards:
            (package / "boards" / f"{board}.json").write_text(json.dumps(description))
        self._register(package, "platform", platform, "1.0.0")
        (package / "world").mkdir()
        write_platform(EMULATED, package / "world", stack_bytes=8192)
        for file in world:
            shutil.copy(file, package / "world")

    @staticmethod
    def _register(package: Path, kind: str, name: str, version: str) -> None:
        spec = {"owner": "platformio", "id": None, "name": name, "requirements": None, "uri": None}
        record = {"type": kind, "name": name, "version": version, "spec": spec}
        (package / ".piopm").write_text(json.dumps(record))

    def run(self, *arguments: object) -> str:
        environment = {
            **os.environ,
            "PLATFORMIO_CORE_DIR": str(self.folder),
            "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "no",
            "PLATFORMIO_SETTING_CHECK_PLATFORMIO_INTERVAL": "9999",
        }
        command = [sys.executable, "-m", "platformio", "--no-ansi", *map(str, arguments)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def build(self, project: Path) -> Path:
        self.run("run", "--project-dir", project)
        (image,) = (project / ".pio/build").glob("*/firmware.elf")
        return image


def print_of(image: Path, name: str, samples: np.ndarray) -> list[str]:
    (image.parent / name).write_bytes(samples.tobytes())
    return emulate(EMULATED, image, []).replace("\r\n", "\n").splitlines()


def files(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.suffix in (".c", ".cpp", ".h")]


@pytest.mark.qemu
@pytest.mark.slow
def test_arduino_framework_prints_the_scenes(tmp_path: Path) -> None:
    project = generate(tmp_path / "project", "nano33ble_sense", "--resample")
    world = [*files(CORE / "cores/arduino"), *files(CORE / "libraries/PDM/src")]
    image = PlatformIO(tmp_path / "pio", world).build(project)
    pcm = played()
    lines = print_of(image, "microphone.pcm", pcm.astype("<i2"))
    assert lines == ["selftest 0", *scenes(pcm, Fraction(125_000, 3))]
    assert asc_tiny("inspect", image, "--model", MODEL) == 0


@pytest.mark.qemu
@pytest.mark.slow
@pytest.mark.parametrize("board", ["disco_l475_iot1", "stm32l496g_disco"])
def test_stm32cube_prints_the_scenes(board: str, tmp_path: Path) -> None:
    """The stand-in hears only by the pins, and with the supply, that ST's BSP of a board has."""
    project = generate(tmp_path / "project", board, "--prefix", "scene")
    image = PlatformIO(tmp_path / "pio", files(STM32)).build(project)
    pcm = played()
    lines = print_of(image, "microphone.bin", filtered(pcm).astype("<i4"))
    assert lines == ["selftest 0", *scenes(pcm)]


def test_manifests_are_valid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require()
    from platformio.package.manifest.parser import ManifestParserFactory
    from platformio.package.manifest.schema import ManifestSchema

    # The list of licences is on the web.
    licenses = {"licenses": [{"licenseId": "Apache-2.0"}]}
    monkeypatch.setattr(ManifestSchema, "load_spdx_licenses", staticmethod(lambda: licenses))
    project = generate(tmp_path / "project", "stm32l496g_disco", "--prefix", "scene")
    library = project / "lib" / "scene_scenes"
    manifest = ManifestParserFactory.new_from_file(str(library / "library.json")).as_dict()
    loaded = ManifestSchema().load_manifest(manifest)
    assert loaded["headers"] == ["scene_listen.h"]
    assert (library / "src" / "scene_listen.h").is_file()
    text = PlatformIO(tmp_path / "pio", []).run("project", "config", "-d", project, "--json-output")
    settings = {name: dict(values) for name, values in json.loads(text)}
    assert settings["env:disco_l496ag"]["framework"] == ["stm32cube"]
    assert settings["env:disco_l496ag"]["board"] == "disco_l496ag"


def test_tensorflow_lite_micro_is_a_dependency(tmp_path: Path) -> None:
    project = generate(tmp_path / "out", "nano33ble_sense", "--resample", "--runtime", "tflm")
    section = configuration(project)["env:nano33ble"]
    assert "tflite-micro-arduino-examples" in section["lib_deps"]
    assert "#include <TensorFlowLite.h>" in (project / "src/main.cpp").read_text()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--board", "rpi_pico"], "nano33ble_sense, nano33ble_sense_rev2, nucleo_f746zg"),
        (["--board", "disco_l475_iot1", "--runtime", "tflm"], "Arduino's framework"),
    ],
)
def test_what_is_not_served_is_refused(
    options: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--project", "platformio", "--out", tmp_path / "out"]
    assert words in refused(capsys, "generate", MODEL, *out, *options)
    assert not (tmp_path / "out").exists()
