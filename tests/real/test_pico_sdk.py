"""Generated projects built by the Pico SDK itself, where it is (``PICO_SDK_PATH``).

``PICO_TINYUSB_PATH`` names TinyUSB where the SDK's submodule is empty, ``PICOTOOL`` the folder of
picotool's CMake package where it is not installed. Images run on rp2040js, an emulator of one core
of an RP2040, where ``RP2040JS`` names the folder of that npm package, and ``RP2040_BOOTROM`` a text
with the words of the chip's boot ROM, such as bootrom.ts of its repository.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.audio.clips import read_pcm
from asc_tiny.boards import catalog
from asc_tiny.pdm import fixed
from asc_tiny.pdm.design import Decimator
from asc_tiny.projects.pico_sdk import TABLE
from support import bare_networks, build_records
from support.build_records import LINKED, RAN, Build, Record
from support.commands import asc_tiny
from support.microphones import scenes
from support.paths import CLIPS, MODEL, MODELS
from support.pdm import packed

NEEDED = ("PICO_SDK_PATH",)
EMULATOR = ("RP2040JS", "RP2040_BOOTROM")
BOARDS = ["rpi_pico", "rpi_pico2"]
FLAGS = ["-Wall", "-Wextra", "-pedantic", "-Wconversion", "-Werror"]
PDM = 'like = "rpi_pico"\ncore = "Cortex-M0+"\nclock_hz = 125_000_000\nmicrophone = "pio_pdm"\n'
CLOCK_HZ = 125_000_000

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(0),
    pytest.mark.skipif(
        not all(name in os.environ for name in NEEDED), reason=f"needs {', '.join(NEEDED)}"
    ),
]

needs_the_emulator = pytest.mark.skipif(
    not (shutil.which("node") and all(name in os.environ for name in EMULATOR)),
    reason=f"needs node, {', '.join(EMULATOR)}",
)


def release() -> str:
    """Return the release of the SDK that is there."""
    path = Path(os.environ["PICO_SDK_PATH"]) / "pico_sdk_version.cmake"
    numbers = re.findall(r"set\(PICO_SDK_VERSION_\w+ (\d+)\)", path.read_text(encoding="utf-8"))
    return f"Pico SDK {'.'.join(numbers[:3])}"


def compiler() -> str:
    command = ["arm-none-eabi-gcc", "-dumpfullversion"]
    version = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return f"GCC {'.'.join(version.split('.')[:2])}"


def build(project: Path, *options: str) -> Path:
    """Build a project as its README says; return the build's folder."""
    folder = project / "build"
    given = [f"-Dpicotool_DIR={os.environ['PICOTOOL']}"] if "PICOTOOL" in os.environ else []
    configure = ["cmake", "-G", "Ninja", "-S", project, "-B", folder, *given, *options]
    for command in (
        [*configure, "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON"],
        ["cmake", "--build", folder],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        text = done.stdout + done.stderr
        assert done.returncode == 0, text[-8000:]
        assert ": warning:" not in text
    return folder


def compile_strictly(project: Path) -> int:
    """Compile the project's own C files once more, with our flags; return how many there are."""
    text = (project / "build" / "compile_commands.json").read_text(encoding="utf-8")
    own = [each for each in json.loads(text) if Path(each["file"]).is_relative_to(project)]
    own = [each for each in own if each["file"].endswith(".c") and "/build/" not in each["file"]]
    for each in own:
        # The SDK's headers are not ours.
        words = [re.sub("^-I(?!.*/project)", "-isystem", w) for w in shlex.split(each["command"])]
        words[words.index("-o") + 1] = os.devnull
        done = subprocess.run(
            [*words, *FLAGS], cwd=each["directory"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    return len(own)


def generate(folder: Path, board: object, model: Path = MODEL, *options: str) -> Path:
    command = ["generate", model, "--project", "pico-sdk", "--board", board, "--out", folder]
    assert asc_tiny(*command, *options) == 0
    return folder


def built(board: str, model: Path, folder: Path, record: Record) -> Build:
    """Generate and build a model for a board; return and record what became of it."""
    made = build(generate(folder / "project", board, model))
    done = Build(
        board=board,
        model=model.stem,
        release=release(),
        compiler=compiler(),
        reached=LINKED,
        memory=build_records.memory_use(made / "asc_scenes.elf", catalog.BOARDS[board]),
    )
    record("pico-sdk", done)
    return done


@pytest.mark.parametrize("board", BOARDS)
def test_released_models_link_without_a_warning(board: str, tmp_path: Path, record: Record) -> None:
    """In one build folder, so that the SDK itself is compiled once for all models."""
    for path in [MODELS / f"{name}.toml" for name in build_records.released()]:
        model = path if path.stem.startswith("ensemble") else path.with_suffix(".tflite")
        built(board, model, tmp_path, record)
    project = tmp_path / "project"
    assert compile_strictly(project) > 20
    image = project / "build" / "asc_scenes.uf2"
    volume = tmp_path / "volume"
    volume.mkdir()
    (volume / "INFO_UF2.TXT").write_text("Model: a folder\n")
    assert asc_tiny("flash", project, "--probe", volume) == 0
    assert next(volume.glob("*.uf2")).read_bytes() == image.read_bytes()
    disassembly = subprocess.run(
        ["arm-none-eabi-objdump", "-d", image.with_suffix(".elf")],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert ("smlad" in disassembly) == (TABLE.read(catalog.BOARDS[board]).board == "pico2")


def test_a_pdm_microphone_and_a_network_alone_link(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(PDM)
    project = generate(tmp_path / "project", tmp_path / "mine.toml")
    build(project)
    assert compile_strictly(project) > 20
    network = bare_networks.write(tmp_path, "one")
    project = generate(tmp_path / "network" / "project", "rpi_pico2", network)
    image = build(project) / "asc_network.elf"
    assert compile_strictly(project) > 5
    assert image.with_suffix(".uf2").is_file()


def played(project: Path, microphone: str, heard: bytes, *, pace: int = 1) -> list[str]:
    """Return the lines that an image prints on USB while the emulated microphone plays."""
    (project / "heard").write_bytes(heard)
    script = Path(__file__).with_name("rp2040.mjs")
    emulator, bootrom = (os.environ[name] for name in EMULATOR)
    image = project / "build" / "asc_scenes.uf2"
    command = ["node", script, emulator, bootrom, image, microphone, project / "heard"]
    command += [str(12 * pace), str(pace)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@needs_the_emulator
def test_an_i2s_microphone_is_heard_on_the_emulated_chip(tmp_path: Path, record: Record) -> None:
    """By the real SDK: PIO, DMA, their interrupt and USB; one core, for the emulator has no other.

    The first decision is that of the clip.
    """
    done = built("rpi_pico", MODEL, tmp_path, record)
    build(tmp_path / "project", "-DAPPLICATION_CORE=0")
    clip = read_pcm(CLIPS[0], 44100)
    lines = played(tmp_path / "project", "i2s:10,11,12", clip.astype("<i2").tobytes())
    assert lines[0] == "selftest 0"
    found = [line for line in lines if line.startswith("scene ")]
    assert found[:1] == scenes(clip)[:1]
    record("pico-sdk", replace(done, reached=RAN, emulator="rp2040js, built for one core"))


@needs_the_emulator
def test_a_pdm_microphone_is_heard_on_the_emulated_chip(tmp_path: Path) -> None:
    """At half of its pace: decimator, front end and network are too much for one core."""
    (tmp_path / "mine.toml").write_text(PDM)
    project = generate(tmp_path / "project", tmp_path / "mine.toml")
    build(project, "-DAPPLICATION_CORE=0")
    pcm = read_pcm(CLIPS[0], 44100) / 32768.0
    generator = np.random.default_rng(4)
    bits = (generator.random(64 * len(pcm)) < np.repeat(0.5 + 0.5 * pcm, 64)).astype(np.uint8)
    expected = scenes(fixed.decimate(bits, Decimator(64)))
    lines = played(project, "pdm:10,12", packed(bits).tobytes(), pace=2)
    assert lines[0] == "selftest 0"
    assert [line for line in lines if line.startswith("scene ")][:1] == expected[:1]
