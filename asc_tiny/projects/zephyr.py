"""``--project zephyr``: an application that reads a microphone by Zephyr's DMIC interface."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from asc_tiny.boards.board_table import BoardTable
from asc_tiny.projects import microphone_app, network_app
from asc_tiny.projects.generator import (
    TEMPLATES,
    Application,
    Files,
    GenerationRequest,
    NetworkRequest,
    ProjectGenerator,
    ToolCommand,
)
from asc_tiny.projects.manifest_reader import Manifest
from asc_tiny.util import fields
from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError

EMULATED = "mps2/an385"
"""Zephyr's board that QEMU runs, with room for every model."""


_DRIVERS = {
    "": (r"", "none"),
    "nrf_pdm": (r"P([01])\.(\d|[12]\d|3[01])", "P0.0 to P1.31"),
    "stm32_dfsdm": (r"P([A-I])(\d|1[0-5])", "PA0 to PI15"),
}
"""What reads a microphone, each with its overlay in ``boards``: which pins it has."""

_WORD = r"[a-z0-9_]{1,64}"


@dataclass(frozen=True, kw_only=True)
class ZephyrBoard:
    """What Zephyr calls a board: its table ``[zephyr]``.

    Attributes:
        target: as given to ``west build -b``.
        microphone: what reads the microphone, one of ``_DRIVERS``; empty for noise in its place.
        clock_pin, data_pin: pins of the microphone.
        channel: channel of the DFSDM that the data pin belongs to.
        modules: modules of Zephyr's manifest that the board needs.
        revision: revision of Zephyr that has what the board needs.
    """

    target: str = fields.matching(
        rf"{_WORD}(@[A-Za-z0-9]{{1,16}})?(/{_WORD}){{0,3}}", "BOARD or BOARD/CHIP"
    )
    microphone: str = fields.one_of(*_DRIVERS, default="")
    clock_pin: str = ""
    data_pin: str = ""
    channel: int = fields.between(0, 7, default=0)
    modules: tuple[str, ...] = fields.matching(r"[a-z0-9][a-z0-9_-]{0,63}", "names", default=())
    revision: str = fields.matching(
        r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", "a tag, branch or commit", default="v4.2.0"
    )

    def __post_init__(self) -> None:
        """Check that the pins are the driver's."""
        pattern, allowed = _DRIVERS[self.microphone]
        for name, pin in (("clock_pin", self.clock_pin), ("data_pin", self.data_pin)):
            if not re.fullmatch(pattern, pin):
                raise AscError(f"zephyr.{name} = {shown(pin)}, allowed: {allowed}")


TABLE = BoardTable("zephyr", ZephyrBoard)


@dataclass(frozen=True)
class _Clock:
    """How an STM32L475 comes to a microphone's clock: PLLSAI1 on 16 MHz, then a divider.

    Attributes:
        pll_n, pll_p: factor and divisor of PLLSAI1.
        divider: divisor from the audio clock to the microphone's.
        rates: nominal sample rates in Hz that a whole oversampling gives.
    """

    pll_n: int
    pll_p: int
    divider: int
    rates: tuple[int, ...] = field(default=())

    @property
    def highest(self) -> int:
        """The microphone's clock in Hz, rounded up: the driver takes the fastest below it."""
        return -(-16_000_000 * self.pll_n // self.pll_p // self.divider)


_DFSDM_CLOCKS = (
    _Clock(12, 17, 4, (11025, 22050, 44100)),
    _Clock(21, 7, 20, (8000, 16000, 32000, 48000)),
)


_APPLICATION = (
    "CMakeLists.txt.j2",
    "README.md.j2",
    "prj.conf.j2",
    "sample.yaml.j2",
    "src/main.c",
    "src/microphone.h.j2",
    "src/microphone_dmic.c",
    "src/microphone_synthetic.c",
    "src/serial.c",
    "src/serial.h",
    "west.yml.j2",
)
_MODULE = ("CMakeLists.txt.j2", "Kconfig.j2", "module.yml.j2")


class ZephyrGenerator(ProjectGenerator):
    """An application for boards whose microphone Zephyr reads, and emulated ones."""

    name = "zephyr"
    default_board = "nrf52840dk"
    templates = TEMPLATES / "zephyr"
    # The second is that of a build with sysbuild.
    image_patterns = ("build/zephyr/zephyr.elf", "build/{folder}/zephyr/zephyr.elf")
    tables = (TABLE,)
    # With the driver of a microphone; without one a third less.
    listening = Application(20 * 1024, 57 * 1024)
    # A link by Zephyr 4.2.99 for the nRF52840 DK: 9,744 and 35,871 bytes.
    network_alone = Application(10 * 1024, 36 * 1024)

    def files(self, request: GenerationRequest) -> Files:
        """Return the application, and the library as a module."""
        prefix, board = request.prefix, TABLE.read(request.board)
        library = microphone_app.sources(request)
        values: dict[str, object] = {
            **microphone_app.values(request),
            **_microphone(board, request),
            "board": board,
            "emulated": EMULATED,
            "library_sources": sorted(name for name in library if name.endswith((".c", ".cc"))),
        }
        names = {f"{prefix}/zephyr/{name}": f"library/{name}" for name in _MODULE}
        names.update({name: name for name in _APPLICATION})
        if board.microphone:
            path = f"boards/{board.target.replace('/', '_')}"
            names[f"{path}.overlay"] = f"boards/{board.microphone}.overlay.j2"
            names[f"{path}.conf"] = "boards/microphone.conf.j2"
        return {
            **{f"{prefix}/{name}": text for name, text in library.items()},
            **{
                path.removesuffix(".j2"): self.render(name, values, prefix)
                for path, name in names.items()
            },
        }

    def network_files(self, request: NetworkRequest) -> Files:
        """Return the application that checks the network, and the network as a module."""
        prefix = request.prefix
        library = network_app.sources(request)
        values: dict[str, object] = {
            **network_app.values(request),
            "board": TABLE.read(request.board),
            "emulated": EMULATED,
            "library_sources": sorted(name for name in library if name.endswith((".c", ".cc"))),
        }
        names = {f"{prefix}/zephyr/{name}": f"library/{name}" for name in _MODULE}
        names |= {name: name for name in ("CMakeLists.txt.j2", "prj.conf.j2", "west.yml.j2")}
        names |= {
            "README.md": "network.md.j2",
            "sample.yaml": "network_sample.yaml.j2",
            "src/main.c": "network/main.c",
        }
        return {
            **{f"{prefix}/{name}": text for name, text in library.items()},
            **{
                path.removesuffix(".j2"): self.render(name, values, prefix)
                for path, name in names.items()
            },
        }

    def flash(self, project: Manifest, *, probe: str | None, port: str | None) -> ToolCommand:
        """Flash what ``west build`` has built."""
        runner = ("--", "--dev-id", probe) if probe else ()
        return ToolCommand(("west", "flash", *runner), "pip install west")


def _microphone(board: ZephyrBoard, request: GenerationRequest) -> Mapping[str, object]:
    """Return the clocks and pins of a board's microphone, clocks in Hz."""
    if board.microphone == "nrf_pdm":
        return {
            "clock_pin": board.clock_pin.removeprefix("P").replace(".", ", "),
            "data_pin": board.data_pin.removeprefix("P").replace(".", ", "),
            "lowest_clock": 1_000_000,
            "highest_clock": 1_400_000,
        }
    if board.microphone == "stm32_dfsdm":
        clock = _dfsdm_clock(round(request.microphone_rate))
        microphone = request.board.microphone
        return {
            "clock": clock,
            "lowest_clock": 1_000_000,
            "highest_clock": clock.highest,
            "part": microphone.part if microphone else "microphones",
        }
    return {"lowest_clock": 1_000_000, "highest_clock": 3_250_000}


def _dfsdm_clock(rate: int) -> _Clock:
    for clock in _DFSDM_CLOCKS:
        if rate in clock.rates:
            return clock
    raise AscError(f"no clock of the DFSDM gives {rate} Hz")
