"""``--project zephyr``: an application that reads a microphone by Zephyr's DMIC interface."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from asc_tiny.boards.catalog import Board
from asc_tiny.projects import microphone_app
from asc_tiny.projects.generator import (
    TEMPLATES,
    Files,
    GenerationRequest,
    ProjectGenerator,
    ToolCommand,
    check_board,
)
from asc_tiny.projects.manifest_reader import Manifest
from asc_tiny.util.errors import AscError

EMULATED = "mps2/an385"
"""Zephyr's board that QEMU runs, with room for every model."""


@dataclass(frozen=True)
class _Board:
    """What Zephyr calls a board.

    Attributes:
        target: as given to ``west build -b``.
        overlay: name of its devicetree template, empty without a microphone.
        modules: of Zephyr's manifest that it needs.
        revision: of Zephyr that has what it needs.
    """

    target: str
    overlay: str = ""
    modules: tuple[str, ...] = ()
    revision: str = "v4.2.0"


_NORDIC = ("hal_nordic",)

BOARDS = {
    "disco_l475_iot1": _Board("disco_l475_iot1", "stm32_dfsdm", ("hal_stm32",), "main"),
    "mps2-an385": _Board(EMULATED),
    "mps2-an386": _Board("mps2/an386"),
    "nrf52840dk": _Board("nrf52840dk/nrf52840", "nrf_pdm", _NORDIC),
    "nrf5340dk": _Board("nrf5340dk/nrf5340/cpuapp", "nrf_pdm", _NORDIC),
}

_NRF_PINS = {
    "nrf52840dk": {"clock_pin": "0, 30", "data_pin": "0, 31"},
    "nrf5340dk": {"clock_pin": "0, 25", "data_pin": "0, 26"},
}
"""Free pins of the boards' headers, those of Zephyr's own DMIC sample."""


@dataclass(frozen=True)
class _Clock:
    """How an STM32L475 comes to a microphone's clock: PLLSAI1 on 16 MHz, then a divider.

    Attributes:
        pll_n, pll_p: of PLLSAI1.
        divider: from the audio clock to the microphone's.
        rates: in Hz, that a whole oversampling gives, nominal.
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

    def check(self, board: Board, runtime: str) -> None:
        """Check that Zephyr has the board."""
        check_board(self.name, board, BOARDS)

    def files(self, request: GenerationRequest) -> Files:
        """Return the application, and the library as a module."""
        prefix, board = request.prefix, BOARDS[request.board.design]
        library = microphone_app.sources(request)
        values: dict[str, object] = {
            **microphone_app.values(request),
            **_microphone(request),
            "board": board,
            "emulated": EMULATED,
            "library_sources": sorted(name for name in library if name.endswith((".c", ".cc"))),
        }
        names = {f"{prefix}/zephyr/{name}": f"library/{name}" for name in _MODULE}
        names.update({name: name for name in _APPLICATION})
        if board.overlay:
            path = f"boards/{board.target.replace('/', '_')}"
            names[f"{path}.overlay"] = f"boards/{board.overlay}.overlay.j2"
            names[f"{path}.conf"] = "boards/microphone.conf.j2"
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


def _microphone(request: GenerationRequest) -> Mapping[str, object]:
    """Return the clocks and pins of a board's microphone."""
    name = request.board.design
    if name in _NRF_PINS:
        return {**_NRF_PINS[name], "lowest_clock": 1_000_000, "highest_clock": 1_400_000}
    if name == "disco_l475_iot1":
        clock = _dfsdm_clock(round(request.microphone_rate))
        return {"clock": clock, "lowest_clock": 1_000_000, "highest_clock": clock.highest}
    return {"lowest_clock": 1_000_000, "highest_clock": 3_250_000}


def _dfsdm_clock(rate: int) -> _Clock:
    for clock in _DFSDM_CLOCKS:
        if rate in clock.rates:
            return clock
    raise AscError(f"no clock of the DFSDM gives {rate} Hz")
