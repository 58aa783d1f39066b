"""Applications for STM32 boards linked with ST's own HAL and start-up code, where those are.

For a line of chips ``STM32L4_HAL``, ``STM32F4_HAL`` and so on are checkouts of ST's
stm32l4xx-hal-driver and so on, ``STM32L4_DEVICE`` ... of its cmsis-device-l4 and so on;
``CMSIS_CORE`` is the folder of CMSIS's core_cm4.h. The images then run on a core that Unicorn
emulates, among registers of ours (``support.stm32_chip``), if there is the package unicorn.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asc_tiny.boards import catalog
from asc_tiny.pdm import fixed
from asc_tiny.pdm.design import Decimator
from asc_tiny.projects import stm32
from support.bare_networks import convolution
from support.build_records import (
    LINKED,
    OVERFLOWS,
    RAN,
    Build,
    Record,
    memory_use,
    released,
)
from support.commands import asc_tiny
from support.microphones import played, scenes
from support.paths import MODEL, MODELS
from support.pdm import modulated
from support.serial_requests import check_a_port
from support.stm32_chip.chip import Chip
from support.stm32_chip.microphones import I2s, Reader
from support.stm32_chip.tables import WIRINGS

DRIVERS = (
    *("", "_cortex", "_dma", "_dma_ex", "_flash", "_flash_ex", "_gpio", "_pwr", "_pwr_ex"),
    *("_rcc", "_rcc_ex", "_dfsdm", "_i2c", "_i2c_ex", "_i2s", "_i2s_ex", "_sai", "_sai_ex"),
    *("_uart", "_uart_ex"),
)
NO_IT = ("-fno-if-conversion", "-fno-if-conversion2")
"""Unicorn forgets where in an IT block it is if a register is written there."""

STRICT = ("-std=c99", "-Wall", "-Wextra", "-pedantic", "-Wconversion", "-Werror")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(0)]


def folders(family: str) -> tuple[Path, Path, Path]:
    """Return the folders of HAL, device and CMSIS; skip the test where they are not named."""
    names = (f"STM32{family.upper()}_HAL", f"STM32{family.upper()}_DEVICE", "CMSIS_CORE")
    missing = [name for name in names if name not in os.environ]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    hal, device, core = (Path(os.environ[name]) for name in names)
    return hal, device, core


def linked(board: str, folder: Path) -> Path:
    """Generate, compile and link a project with the real HAL and start-up code."""
    image, complaints = link(board, folder)
    assert not complaints, complaints
    return image


def link(
    board: str,
    folder: Path,
    model: Path = MODEL,
    change: Callable[[Path, Path], None] = lambda project, library: None,
) -> tuple[Path, str]:
    """Do that for a model, in a folder that keeps the HAL's objects for the next one.

    Args:
        board: name of the board.
        folder: to work in.
        model: the model.
        change: is called with the project and the folder of its library before it is compiled.

    Returns:
        The image, and what the linker complains of, empty if it made one.
    """
    wiring = WIRINGS[board]
    hal, device, core = folders(wiring.family)
    project, line = folder / "project", f"stm32{wiring.family}xx"
    command = ["generate", model, "--project", "platformio", "--board", board, "--out", project]
    assert asc_tiny(*command) == 0
    (folder / "hal").mkdir(exist_ok=True)
    shutil.copy(hal / f"Inc/{line}_hal_conf_template.h", folder / f"hal/{line}_hal_conf.h")
    target = catalog.get(board)
    (library,) = (project / "lib").glob("*/src")
    change(project, library)
    flags = [*target.compiler_flags, "-mthumb", "-O2", "-ffunction-sections", "-fdata-sections"]
    flags += [f"-D{wiring.chip}", "-DUSE_HAL_DRIVER", f"-DHSE_VALUE={wiring.oscillator_hz}U"]
    flags += [f"-I{library}", f"-I{project / 'src'}"]
    system = [folder / "hal", hal / "Inc", device / "Include", core]
    flags += [f"-isystem{path}" for path in system]
    templates = device / "Source/Templates"
    theirs = [hal / f"Src/{line}_hal{name}.c" for name in DRIVERS]
    theirs = [path for path in theirs if path.is_file()]
    theirs += [templates / f"system_{line}.c", templates / f"gcc/startup_{wiring.chip.lower()}.s"]
    ours = [*sorted(library.glob("*.c")), *sorted((project / "src").glob("*.c"))]
    objects = []
    for sources, options in ((theirs, ("-w", *NO_IT)), (ours, STRICT)):
        for source in sources:
            objects.append(folder / f"{source.stem}.o")
            if sources is theirs and objects[-1].is_file():
                continue
            command = ["arm-none-eabi-gcc", *flags, *options, "-c", source, "-o", objects[-1]]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
    (folder / "memory.ld").write_text(stm32.linker_script(target, "test"))
    image = folder / f"{board}.elf"
    command = ["arm-none-eabi-gcc", *target.compiler_flags, "-mthumb", *objects, "-o", image]
    command += ["-Wl,--gc-sections", f"-T{folder / 'memory.ld'}"]
    command += ["--specs=nano.specs", "--specs=nosys.specs"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return image, "" if done.returncode == 0 else done.stderr


@pytest.fixture(scope="module", params=sorted(WIRINGS))
def image(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return linked(request.param, tmp_path_factory.mktemp("stm32"))


def chip(image: Path) -> Chip:
    if importlib.util.find_spec("unicorn") is None:
        pytest.skip("needs the package unicorn")
    wiring = WIRINGS[image.stem]
    device = folders(wiring.family)[1]
    regions = catalog.get(image.stem).memory
    memory = [(each.origin, each.bytes) for each in regions.values()]
    return Chip(image, wiring, memory, device / f"Include/{wiring.chip.lower()}.h")


BITS = 64
"""Bits of a PDM microphone for a sample at 44.1 kHz."""


@cache
def stream(reader: type[Reader]) -> np.ndarray:
    """Return what a microphone gives of the clips."""
    pcm = played()
    return modulated(np.repeat(pcm / 65536.0, BITS)) if reader is I2s else pcm


def heard(device: Chip, half: int = 0) -> np.ndarray:
    """Return the samples that are heard from a half of the DMA's buffer on."""
    rest = stream(type(device.microphone))[half * device.microphone.half :]
    is_pdm = isinstance(device.microphone, I2s)
    return fixed.decimate(rest, Decimator(BITS)) if is_pdm else rest


def play(device: Chip, **options: Any) -> None:
    device.play(stream(type(device.microphone)), **options)


def release(family: str) -> str:
    """Return the release of ST's HAL, as its sources have it."""
    text = (folders(family)[0] / f"Src/stm32{family}xx_hal.c").read_text(encoding="latin-1")
    numbers = re.findall(r"HAL_VERSION_(?:MAIN|SUB1|SUB2)\s+\(0x(\w\w)", text)
    assert len(numbers) == 3
    return f"STM32{family.upper()} HAL {'.'.join(str(int(each, 16)) for each in numbers)}"


def compiler_release() -> str:
    command = ["arm-none-eabi-gcc", "-dumpfullversion"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return ".".join(text.split(".")[:2])


def test_hears_what_the_peripherals_give(image: Path, record: Record) -> None:
    device = chip(image)
    device.boot()
    device.check(Fraction(44100), catalog.get(image.stem).clock_hz)
    play(device)
    assert device.lines() == ["selftest 0", *scenes(heard(device))]
    board, core = catalog.get(image.stem), "M7" if device.family.has_cache else "M4"
    done = Build(
        board=board.name,
        model=MODEL.stem,
        release=release(device.wiring.family),
        compiler=f"GCC {compiler_release()}",
        without="PlatformIO",
        reached=RAN,
        emulator=f"Unicorn's Cortex-{core}, with registers of ours",
        memory=memory_use(image, board),
    )
    record("platformio", done)


@pytest.mark.parametrize("board", sorted(WIRINGS))
def test_other_released_models_link_or_overflow_a_region(
    board: str, tmp_path: Path, record: Record
) -> None:
    target = catalog.get(board)
    for name in sorted({*released()} - {MODEL.stem}):
        suffix = "toml" if name.startswith("ensemble") else "tflite"
        image, complaints = link(board, tmp_path, MODELS / f"{name}.{suffix}")
        over = re.findall(r"region `(\w+)' overflowed by (\d+) bytes", complaints)
        assert over or not complaints, complaints
        done = Build(
            board=board,
            model=name,
            release=release(WIRINGS[board].family),
            compiler=f"GCC {compiler_release()}",
            without="PlatformIO",
            reached=OVERFLOWS if over else LINKED,
            memory={
                region.lower(): target.memory[region.lower()].bytes + int(size)
                for region, size in over
            }
            or memory_use(image, target),
        )
        record("platformio", done)


WRONG = 40
"""Halves of the DMA's buffer that are heard before something goes wrong."""


def check_recovery(device: Chip, event: Callable[[], None]) -> None:
    """Assert that a clip begins anew behind an event; the half that came meanwhile is lost."""
    device.boot()
    play(device, before=lambda half: event() if half == WRONG else None)
    rest = scenes(heard(device, WRONG + 1))
    assert device.lines() == ["selftest 0", "overruns 0 faults 1", *rest] and rest


def test_starts_again_after_an_error_of_the_dma(image: Path) -> None:
    device = chip(image)

    def fail() -> None:
        device.dma.fail()
        assert not device.is_recording()

    check_recovery(device, fail)


def test_starts_again_after_an_overrun_of_the_microphone(image: Path) -> None:
    device = chip(image)
    if not device.microphone.error_interrupt:
        pytest.skip("has a DFSDM")
    check_recovery(device, device.microphone.overrun)


def test_answers_on_its_uart(image: Path) -> None:
    def talk(pcm: np.ndarray, sent: bytes) -> bytes:
        device = chip(image)
        device.boot()
        device.uart.sent += list(sent)
        play(device)
        return bytes(device.uart.printed)

    check_a_port(talk, heard(chip(image)))


def test_tells_that_the_codec_does_not_answer(image: Path) -> None:
    device = chip(image)
    if device.codec is None:
        pytest.skip("has no codec")
    device.codec.is_there = False
    device.run(2_000_000)
    lines = device.lines()
    assert len(lines) > 1 and set(lines) == {"start-up failed"}


def test_receives_after_an_overrun_of_the_uart(image: Path) -> None:
    device = chip(image)
    device.boot()
    device.step()
    device.uart.overrun()
    device.uart.sent += [0] * 100
    device.step()
    assert not device.uart.sent


@pytest.mark.parametrize("board", ["disco_l475_iot1", "nucleo_f746zg", "nucleo_h743zi"])
def test_a_network_alone_compiles(board: str, tmp_path: Path) -> None:
    wiring = WIRINGS[board]
    hal, device, core = folders(wiring.family)
    line = f"stm32{wiring.family}xx"
    network, project = tmp_path / "network.tflite", tmp_path / "project"
    network.write_bytes(convolution("FLOAT32"))
    command = ["generate", network, "--project", "platformio", "--board", board]
    assert asc_tiny(*command, "--out", project) == 0
    shutil.copy(hal / f"Inc/{line}_hal_conf_template.h", tmp_path / f"{line}_hal_conf.h")
    (library,) = (project / "lib").glob("*/src")
    system = [f"-isystem{path}" for path in (tmp_path, hal / "Inc", device / "Include", core)]
    flags = [*catalog.get(board).compiler_flags, "-mthumb", *STRICT, f"-D{wiring.chip}", *system]
    flags += [f"-I{library}", f"-I{project / 'src'}", "-fsyntax-only"]
    sources = sorted((project / "src").glob("*.c"))
    subprocess.run(["arm-none-eabi-gcc", *flags, *sources], check=True)


def cube_main(project: Path, start_up: str, board: str) -> str:
    """Return main.c as it is once a user has done what the README says.

    Args:
        project: for STM32CubeIDE.
        start_up: main.c of the PlatformIO project, whose settings stand in for what STM32CubeMX
            writes by the README's table.
        board: name of the board.
    """
    readme = (project / "README.md").read_text(encoding="utf-8")
    after = readme.split("write into `main.c`:\n\n")[1]
    lines = [line[4:] for line in itertools.takewhile(lambda line: line.strip(), after.split("\n"))]
    lines = [re.sub(r"\s*/\*.*", "", line) for line in lines]
    includes = "\n".join(line for line in lines if line.startswith("#"))
    *calls, step = (line for line in lines if not line.startswith("#"))
    table = stm32.TABLE.read(catalog.get(board))
    names = {"sai": table.cube_handle, "filter": table.cube_handle, "i2s": table.cube_handle}
    names |= {"uart": table.cube_uart, "i2c": f"h{table.i2c.lower()}"}
    names |= {"clocks": f"hsai_Block{table.other_block[-1]}{table.block[3]}"}
    head = start_up.split("    asc_app_init(")[0]
    head = re.sub(r'#include "asc_\w+.h"\n', "", head).replace(
        '"main.h"\n', f'"main.h"\n{includes}\n'
    )
    for name, cube in names.items():
        head = re.sub(rf"\b{name}\b", cube, head)
    # STM32CubeMX's handles are all of the file.
    bus = f"static I2C_HandleTypeDef {names['i2c']};"
    if bus in head:
        includes_end = head.index("static ")
        head = head[:includes_end] + bus + "\n" + head[includes_end:].replace(f"    {bus}\n", "")
    body = "\n".join(calls)
    return f"{head}{body}\nwhile (1) {{ {step} }}\n}}\n"


@pytest.mark.parametrize("board", sorted(WIRINGS))
def test_a_project_for_stm32cubeide_hears_what_the_peripherals_give(
    board: str, tmp_path: Path, record: Record
) -> None:
    target, project = catalog.get(board), tmp_path / "cube"
    command = ["generate", MODEL, "--project", "stm32cubeide", "--board", board, "--out", project]
    assert asc_tiny(*command) == 0

    def as_cube(platformio: Path, library: Path) -> None:
        """Put the project's folders in the place of the PlatformIO project's sources."""
        start_up = (platformio / "src" / "main.c").read_text(encoding="utf-8")
        shutil.rmtree(library)
        shutil.copytree(project / "asc", library)
        for path in (platformio / "src").glob("asc_*"):
            path.unlink()
        for path in (project / "App").iterdir():
            shutil.copy(path, platformio / "src")
        (platformio / "src" / "main.c").write_text(cube_main(project, start_up, board))

    image, complaints = link(board, tmp_path, change=as_cube)
    assert not complaints, complaints
    device = chip(image)
    device.boot()
    play(device)
    assert device.lines() == ["selftest 0", *scenes(heard(device))]
    core = "M7" if device.family.has_cache else "M4"
    done = Build(
        board=board,
        model=MODEL.stem,
        release=release(WIRINGS[board].family),
        compiler=f"GCC {compiler_release()}",
        without="STM32CubeIDE, with settings of PlatformIO's project in place of STM32CubeMX's",
        reached=RAN,
        emulator=f"Unicorn's Cortex-{core}, with registers of ours",
        memory=memory_use(image, target),
    )
    record("stm32cubeide", done)
