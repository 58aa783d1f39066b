"""Sources for STM32CubeIDE: compiled against a stand-in for ST's HAL, run on an emulated core."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.boards import catalog
from asc_tiny.boards.microphones import STM32L4_DFSDM
from asc_tiny.projects import dfsdm
from asc_tiny.targets.image.bench import memory
from support.commands import asc_tiny, refused
from support.emulated import LINK, emulate_bytes, write_platform
from support.microphones import BLOCK, played, scenes
from support.native import FLAGS
from support.objects import compiled
from support.paths import DOUBLES, MODEL
from support.serial_requests import check_a_port, check_the_host_as_source
from support.stm32 import STAND_IN, filtered

BOARD = catalog.get("mps2-an386")
HALF = 256
SECTIONS = ("-ffunction-sections", "-fdata-sections")

MAX_PLL_HZ, MIN_PLL_HZ = 344e6, 64e6
"""Of PLLSAI1's oscillator, from the STM32L4's reference manual."""

MICROPHONE_HZ = (1e6, 3.25e6)
"""Clock that the MP34DT01-M takes, from its data sheet."""


def generate(out: Path, *options: object) -> Path:
    assert asc_tiny("generate", MODEL, "--project", "stm32cubeide", "--out", out, *options) == 0
    return out


class Application:
    """A generated project with a main function and a HAL of ours."""

    def __init__(self, project: Path, folder: Path, *options: str) -> None:
        folder.mkdir()
        self.folder = folder
        for source in (*project.glob("*/*.[ch]"), *STAND_IN.rglob("*.[ch]")):
            shutil.copy(source, folder)
        write_platform(BOARD, folder, stack_bytes=8192)
        core = ["arm-none-eabi-gcc", *BOARD.compiler_flags, *FLAGS, *SECTIONS, *options]
        link = [*LINK, f"-T{folder / 'link.ld'}", "-o", folder / "firmware.elf"]
        objects = compiled(core, sorted(folder.glob("*.c")))
        subprocess.run([*core, *objects, *link], check=True)

    def play(self, words: np.ndarray, *, burst: int = 0, errors: int = 0) -> list[str]:
        """Have the DMA write words and return the lines that the application prints.

        Args:
            words: int32, as the DFSDM gives them.
            burst: halves of the DMA's buffer that come before the application's first step.
            errors: of the DMA, likewise.
        """
        text = self.talk(words, b"", burst=burst, errors=errors).decode()
        return text.replace("\r\n", "\n").splitlines()

    def talk(self, words: np.ndarray, received: bytes, *, burst: int = 0, errors: int = 0) -> bytes:
        """Have the DMA write words, send bytes to the UART and return those that come from it."""
        (self.folder / "microphone.bin").write_bytes(words.astype("<i4").tobytes())
        (self.folder / "serial.bin").write_bytes(received)
        return emulate_bytes(BOARD, self.folder / "firmware.elf", [str(burst), str(errors)])


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(tmp_path_factory.mktemp("stm32") / "project")


@pytest.fixture(scope="module")
def application(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Application:
    return Application(project, tmp_path_factory.mktemp("build") / "stm32")


@pytest.mark.qemu
def test_application_prints_the_scenes(application: Application) -> None:
    pcm = played()
    assert application.play(filtered(pcm)) == ["selftest 0", *scenes(pcm)]


@pytest.mark.qemu
def test_loud_samples_are_limited(application: Application) -> None:
    pcm = played()[: 44 * BLOCK]
    assert np.abs(pcm).max() > 4096
    loud = np.clip(pcm.astype(np.int32) * 8, -32768, 32767).astype(np.int16)
    words = (pcm.astype(np.int32) * 8 << (3 + 8)) | 2
    assert application.play(words) == ["selftest 0", *scenes(loud)]


@pytest.mark.qemu
def test_application_tells_overruns_and_faults(application: Application, project: Path) -> None:
    header = (project / "asc/asc_audio.h").read_text(encoding="utf-8")
    (blocks,) = map(int, re.findall(r"ASC_AUDIO_BLOCKS (\d+)u", header))
    pcm, burst = played(), 25
    halves = burst * BLOCK // HALF
    lines = application.play(filtered(pcm), burst=halves, errors=1)
    decisions = scenes(pcm[burst * BLOCK :])
    assert len(decisions) == 1
    told = ["selftest 0", f"overruns {burst - (blocks - 1)} faults 1"]
    assert lines == [*told, *decisions]


@pytest.mark.qemu
def test_a_self_test_that_failed_is_told_again(project: Path, tmp_path: Path) -> None:
    """To who opens a terminal later; the stand-in's clock goes on by a second at each look."""
    broken = Path(shutil.copytree(project, tmp_path / "project"))
    (source,) = broken.glob("asc/asc_selftest.c")
    text = source.read_text(encoding="utf-8")
    start = "int asc_selftest(asc_t *classifier) {\n"
    assert start in text
    source.write_text(text.replace(start, f"{start}    if (classifier != NULL) {{ return 2; }}\n"))
    lines = Application(broken, tmp_path / "broken").play(filtered(played()[:BLOCK]))
    assert lines[:2] == ["selftest 2", "stopped 2"]
    assert len(lines) > 3 and set(lines[1:]) == {"stopped 2"}


@pytest.mark.qemu
def test_application_answers_on_its_uart(application: Application) -> None:
    check_a_port(lambda pcm, sent: application.talk(filtered(pcm), sent), played())


@pytest.mark.qemu
def test_host_takes_the_microphones_place(application: Application) -> None:
    check_the_host_as_source(lambda pcm, sent: application.talk(filtered(pcm), sent), played())


@pytest.mark.qemu
def test_an_application_without_a_port_has_none_of_the_protocol(
    application: Application, project: Path, tmp_path: Path
) -> None:
    """By one macro, and by the linker where the application gives no port."""
    flash, ram = memory(application.folder / "firmware.elf")
    left_out = Application(project, tmp_path / "left_out", "-DASC_PROTOCOL=0")
    silent = Path(shutil.copytree(project, tmp_path / "project"))
    source = silent / "App/asc_app.c"
    source.write_text(source.read_text().replace("asc_listen_serial(&port);", "(void)port;"))
    for each in (left_out, Application(silent, tmp_path / "silent")):
        image = each.folder / "firmware.elf"
        names = subprocess.run(["arm-none-eabi-nm", image], capture_output=True, check=True).stdout
        assert b"asc_listen_init" in names
        assert b"asc_protocol_" not in names
        smaller = memory(image)
        assert 2600 < flash - smaller[0] < 3400
        assert 550 < ram - smaller[1] < 1350


def test_settings_give_the_rates_of_the_microphone() -> None:
    for rate in STM32L4_DFSDM.rates:
        found = dfsdm.nearest(rate)
        assert abs(found.rate / rate - 1) < 500e-6
        assert MIN_PLL_HZ <= found.audio_clock * found.pll_p <= MAX_PLL_HZ
        assert found.pll_p in (7, 17)
        assert 2 <= found.divider <= 256
        assert MICROPHONE_HZ[0] <= found.microphone_clock <= MICROPHONE_HZ[1]
        # The sinc filter's largest result, and what the shifts leave of it.
        largest = found.oversampling**3
        assert largest >> found.hardware_shift <= 2**23
        assert largest >> found.hardware_shift >> found.software_shift == 2**15


@pytest.mark.parametrize(("rate", "oversampling", "shift"), [(16000, 128, 6), (11025, 256, 8)])
def test_settings_of_another_rate(rate: int, oversampling: int, shift: int, tmp_path: Path) -> None:
    frontend = tmp_path / "frontend.toml"
    size = {16000: ("16000", "372"), 11025: ("11025", "256")}[rate]
    frontend.write_text(
        f"sample_rate = {rate}\nclip_samples = {size[0]}\nhop = {size[1]}\nf_max = {rate / 2}\n"
    )
    out = generate(tmp_path / "out", "--frontend", frontend, "--prefix", "scene")
    readme = (out / "README.md").read_text(encoding="utf-8")
    assert f"oversampling {oversampling}," in readme
    assert f"right bit shift {max(0, 3 * oversampling.bit_length() - 26)} |" in readme
    source = (out / "App/scene_app.c").read_text(encoding="utf-8")
    assert f"#define SCENE_APP_SHIFT (8u + {shift}u)" in source


@pytest.mark.slow
@pytest.mark.parametrize("board", ["disco_l475_iot1", "stm32l496g_disco"])
def test_tensorflow_lite_micro_compiles(board: str, tmp_path: Path) -> None:
    out = generate(tmp_path / "out", "--runtime", "tflm", "--board", board)
    double = f"-isystem{DOUBLES / 'tflm'}"
    command = ["arm-none-eabi-g++", *BOARD.compiler_flags, "-std=c++17", double, "-fsyntax-only"]
    subprocess.run([*command, f"-I{out / 'asc'}", out / "asc/asc_net.cc"], check=True)
    readme = (out / "README.md").read_text(encoding="utf-8")
    assert "TF_LITE_STATIC_MEMORY" in readme


def test_board_of_another_maker_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--project", "stm32cubeide", "--board", "rpi_pico", "--out", tmp_path / "out"]
    line = refused(capsys, "generate", MODEL, *options)
    assert "disco_l475_iot1, nucleo_f746zg, nucleo_h743zi, nucleo_l496zg" in line
    assert not (tmp_path / "out").exists()
