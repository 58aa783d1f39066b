"""Whether a model fits a board: RAM, flash and share of the core's time, estimated without a board.

The network's arena is what its compiler lays out, exactly; its code, constants and instructions
come from the tables of ``costs.instructions``. The rest scales what tests hold on emulated cores
(docs/reference/front_end_costs.md, docs/explanation/resampling.md). What application, drivers and
operating system take stands at the kind of project, as links by the real systems had it
(docs/reference/builds.md).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from asc_tiny.boards.catalog import Board
from asc_tiny.compiler.options import Options
from asc_tiny.compiler.planner.compiled import Compiled
from asc_tiny.costs.decimator import decimator_cost
from asc_tiny.costs.footprint import footprint, shared_arena_bytes
from asc_tiny.costs.instructions import estimate
from asc_tiny.costs.waiting import Waiting, waiting
from asc_tiny.firmware.classifier import Classifier
from asc_tiny.firmware.firmware_network import FirmwareNetwork
from asc_tiny.firmware.network.compiled import compile_network
from asc_tiny.firmware.network.tflm_arena import arena_size
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.model.ensemble import Ensemble
from asc_tiny.model.model_file import ModelFile
from asc_tiny.projects.audio_buffering import BLOCK, Pace, pace
from asc_tiny.projects.audio_path import audio_path
from asc_tiny.projects.cmake import STACK_BYTES
from asc_tiny.projects.generator import Application, ProjectGenerator
from asc_tiny.resample.design import Resampler
from asc_tiny.util.blocks import Table
from asc_tiny.util.displayed import Displayed
from asc_tiny.util.errors import AscError

_N_FFT = 2048
"""The transform of the measured front end."""

_FRONT_END = {
    "cortex-m0plus": (511_400, 13_150),
    "cortex-m3": (147_640, 13_310),
    "cortex-m4": (105_600, 12_760),
    "cortex-m7": (105_600, 12_760),
    "cortex-m33": (105_600, 12_780),
    "cortex-m55": (59_410, 12_690),
    "rv32imc": (335_690, 12_870),
}
"""Instructions a frame and bytes of flash. A Cortex-M7 runs a Cortex-M4's code, a RISC-V core that
of one with fewer extensions; with atomic ones no kernel changes."""

PCEN_BAND = {
    "cortex-m0plus": 666,
    "cortex-m3": 197,
    "cortex-m4": 207,
    "cortex-m7": 207,
    "cortex-m33": 207,
    "cortex-m55": 203,
    "rv32imc": 317,
}
"""Instructions that PCEN takes for a band and frame more than a logarithm."""

_PCEN_FLASH, _PCEN_BAND_BYTES = 1_900, 5

_STATE_BYTES = 528
_TAP_INSTRUCTIONS, _OUTPUT_INSTRUCTIONS = 2.85, 26.0
"""Instructions of the resampler for a tap and an output on a Cortex-M4, by a line through the four
that were measured, within 3 %."""


@dataclass(frozen=True, repr=False)
class Fit(Displayed):
    """What a model takes of a board.

    Attributes:
        ram_bytes: bytes of RAM by part: network, front end, audio, decimator, stack.
        flash_bytes: bytes of flash by part: network's code, its constants, front end, resampler,
            decimator.
        instructions_per_s: instructions a second by part: network, front end, resampler, decimator.
        cpu_share: share of the core's time at one instruction per cycle; None without a clock, and
            for a network alone, of which nothing says how often it runs.
        inference_s: seconds of an inference at one instruction per cycle; None without a clock.
        waiting: how long samples wait while the network runs; None without a clock, and for a
            network alone.
        absent: why a figure is missing, by name.
        applications: what comes with a kind of project, by the kind's name; in place of the stack,
            for theirs are in it. Kinds that were not measured are not there.
        gap_remedy: the option of ``generate`` with which no samples are lost where ``gap`` says
            that some can be; empty where none was found.
        remedies: the option of ``generate`` with which a kind of project fits that does not fit
            without it, by the kind's name; kinds for which none was found are not there.
    """

    ram_bytes: Mapping[str, int]
    flash_bytes: Mapping[str, int] = field(default_factory=dict)
    instructions_per_s: Mapping[str, int] = field(default_factory=dict)
    cpu_share: float | None = None
    inference_s: float | None = None
    waiting: Waiting | None = None
    absent: Mapping[str, str] = field(default_factory=dict)
    applications: Mapping[str, Application] = field(default_factory=dict)
    remedies: Mapping[str, str] = field(default_factory=dict)
    gap_remedy: str = ""

    @property
    def summary(self) -> str:
        """One line for people."""
        ram, flash = sum(self.ram_bytes.values()), sum(self.flash_bytes.values())
        share = "" if self.cpu_share is None else f", {self.cpu_share:.0%} of the core's time"
        return f"{ram:,} bytes of RAM, {flash:,} of flash{share}"

    def shown_blocks(self) -> Iterator[Table]:
        """Return what each part takes, the library without an application."""
        parts = dict.fromkeys([*self.ram_bytes, *self.flash_bytes, *self.instructions_per_s])
        columns = (self.ram_bytes, self.flash_bytes, self.instructions_per_s)
        rows = [
            [part, *(f"{column[part]:,}" if part in column else "-" for column in columns)]
            for part in parts
        ]
        head = ["part", "RAM (bytes)", "flash (bytes)", "instructions a second"]
        yield Table("What a model takes of a board", head, rows)

    def fits(self, board: Board, kind: str | None = None) -> bool:
        """Return whether nothing that is known is more than the board has.

        Args:
            board: the board.
            kind: name of a kind of project; None for the library alone.
        """
        return not list(self.shortages(board, kind))

    @property
    def gap(self) -> str:
        """What says that samples can be lost while the network runs, empty if none are."""
        return self.waiting.gap() if self.waiting else ""

    def needs(self, kind: str | None = None) -> tuple[dict[str, int], dict[str, int]]:
        """Return the bytes by part of RAM and of flash, the latter empty if they are not known.

        Args:
            kind: name of a kind of project, whose application is added if it was measured; None
                for the library alone.
        """
        application = self.applications.get(kind or "")
        ram, flash = dict(self.ram_bytes), dict(self.flash_bytes)
        if application:
            ram.pop("stack", None)
            ram["application"] = application.ram_bytes
        if application and flash:
            flash["application"] = application.flash_bytes
        return ram, flash

    def shortages(self, board: Board, kind: str | None = None) -> Iterator[str]:
        """Yield what the board has too little of, as linkers see it: region by region.

        Args:
            board: the board.
            kind: name of a kind of project; None for the library alone.
        """
        ram, flash = self.needs(kind)
        # Variables lie in one region, whatever RAM there is elsewhere.
        yield from _shortage("RAM", ram, board.ram_region.bytes, len(board.rams) > 1)
        yield from _shortage("flash", flash, board.flash_bytes)
        if self.cpu_share is not None and self.cpu_share > 1.0:
            yield f"needs {self.cpu_share:.0%} of the core's time"


def _shortage(
    name: str, parts: Mapping[str, int], there: int, has_more: bool = False
) -> Iterator[str]:
    """Yield what says that parts, in bytes by name, need more than is there, 0 if not known."""
    need = sum(parts.values())
    if there and need > there:
        listed = ", ".join(f"{part} {size:,}" for part, size in parts.items())
        where = " in the region of its variables" if has_more else ""
        yield f"needs {need:,} bytes of {name} ({listed}), has {there:,}{where}"


def fit(
    model: FirmwareNetwork,
    board: Board,
    runtime: str = "aot",
    kinds: Iterable[ProjectGenerator] = (),
) -> Fit:
    """Estimate what a model takes of a board with its microphone.

    Args:
        model: a classifier, or a network alone, which has no front end and hears no microphone.
        board: the board.
        runtime: ``aot`` or ``tflm``, whose code and instructions were not measured.
        kinds: kinds of project whose applications are to be known.

    Raises:
        AscError: the board has no memory of its own, or the network cannot be compiled.
    """
    if not board.ram_bytes:
        raise AscError(f"board {board.name}: takes what the computer has")
    listener = model if isinstance(model, Classifier) else None
    has_microphone = board.microphone is not None
    path = audio_path(listener, board, resample=has_microphone) if listener else None
    resampler = path.resampler if path else None
    cpu = _cpu(board)
    decimator = decimator_cost(board, cpu, path.microphone_rate) if path else None
    networks = _networks(model) if runtime == "aot" and listener else ()
    buffer = _buffer(listener, board, runtime, resampler, networks) if listener else None
    ram = {
        "network": _arena(model, runtime),
        **(_audio_ram(listener, buffer, resampler) if listener and buffer else {}),
        **({"decimator": decimator.ram_bytes} if decimator else {}),
        "stack": STACK_BYTES,
    }
    measured = ((kind.name, kind.application(board, listener is not None)) for kind in kinds)
    applications = {name: each for name, each in measured if each}
    absent: dict[str, str] = {}
    if runtime != "aot" or cpu not in _FRONT_END:
        where = f"on {board.core}" if runtime == "aot" else "of TensorFlow Lite Micro"
        absent = dict.fromkeys(("flash_bytes", "cpu_share"), f"no code was measured {where}")
        waits = waiting(listener, board, buffer, networks) if listener and buffer else None
        return Fit(ram, waiting=waits, absent=absent, applications=applications)
    flash: dict[str, int] = {}
    inference = 0
    try:
        audio = _audio_flash(listener.frontend, cpu, resampler) if listener else {}
        flash = _flash(model, cpu) | audio
        flash |= {"decimator": decimator.flash_bytes} if decimator else {}
    except AscError as error:
        absent["flash_bytes"] = str(error)
    try:
        options = _options(model)
        inference = sum(estimate(each, cpu, options).instructions for each in _members(model))
    except AscError as error:
        absent["cpu_share"] = str(error)
    per_s = _per_s(listener, cpu, resampler, inference) if listener and inference else {}
    per_s |= {"decimator": decimator.instructions_per_s} if per_s and decimator else {}
    share = sum(per_s.values()) / board.clock_hz if board.clock_hz else None
    if not board.clock_hz:
        absent["cpu_share"] = "an emulated board has no clock"
    elif not listener:
        absent.setdefault("cpu_share", "nothing says how often a network alone runs")
    seconds = inference / board.clock_hz if inference and board.clock_hz else None
    waits = waiting(listener, board, buffer, networks, seconds) if listener and buffer else None
    return Fit(ram, flash, per_s, share if per_s else None, seconds, waits, absent, applications)


def _cpu(board: Board) -> str:
    """Return the core of the tables whose code runs on a board's core, empty if none does."""
    march = [flag for flag in board.core_flags if flag.startswith("-march=")]
    return board.cpu or (_measured_riscv(march[0].removeprefix("-march=")) if march else "")


def _measured_riscv(march: str) -> str:
    """Return the measured RISC-V core all of whose instructions a core has, empty if none.

    Args:
        march: the core as the compiler is told of it, such as ``rv32imac`` or ``rv32imc_zba``.
    """
    base, extensions = march[:4], set(march[4:].split("_")[0].replace("g", "imafd"))
    measured = (cpu for cpu in _FRONT_END if cpu[:4] == base)
    return next((cpu for cpu in measured if set(cpu[4:]) <= extensions), "")


def _members(model: FirmwareNetwork) -> Sequence[ModelFile]:
    if isinstance(model.model_file, Ensemble):
        return [member.model_file for member in model.model_file.members]
    return [model.model_file]


def _options(model: FirmwareNetwork) -> Options:
    """Return the options by which the networks are compiled, one by one."""
    is_ensemble = isinstance(model.model_file, Ensemble)
    return replace(model.options, max_ram=None) if is_ensemble else model.options


def _arena(model: FirmwareNetwork, runtime: str) -> int:
    if runtime != "aot":
        return arena_size(model.model_file, model.tflm).size
    if isinstance(model.model_file, Ensemble):
        return shared_arena_bytes(model.model_file, _options(model))
    return compile_network(model.model_file, model.options).arena_bytes


def _networks(model: FirmwareNetwork) -> list[Compiled]:
    return [compile_network(each, _options(model)) for each in _members(model)]


def _buffer(
    model: Classifier,
    board: Board,
    runtime: str,
    resampler: Resampler | None,
    networks: Sequence[Compiled],
) -> Pace:
    rate = resampler.source_rate if resampler else Fraction(model.frontend.sample_rate)
    return pace(model, board, runtime=runtime, rate=rate, networks=networks)


def _audio_ram(model: Classifier, buffer: Pace, resampler: Resampler | None) -> dict[str, int]:
    config = model.frontend
    sample = config.sample_bits // 8 if config.sample_bits == 16 else 4
    return {
        "front end": _frontend_ram(config, sample),
        "audio": buffer.blocks * BLOCK * sample + (4 * resampler.taps if resampler else 0),
    }


def _flash(model: FirmwareNetwork, cpu: str) -> dict[str, int]:
    code, constants = 0, 0
    for model_file in _members(model):
        found = footprint(model_file, cpu, _options(model))
        if found.aot_code_bytes is None or found.aot_constant_bytes is None:
            reasons = [found.absent.get(f"aot_{part}_bytes") for part in ("code", "constant")]
            raise AscError("; ".join(filter(None, reasons)))
        # Members share the code.
        code = max(code, found.aot_code_bytes)
        constants += found.aot_constant_bytes
    return {"code": code, "constants": constants}


def _audio_flash(config: FrontEndConfig, cpu: str, resampler: Resampler | None) -> dict[str, int]:
    flash = {"front end": _frontend_flash(config, cpu)}
    return flash | ({"resampler": resampler.table_bytes} if resampler else {})


def _per_s(
    model: Classifier, cpu: str, resampler: Resampler | None, inference: int
) -> dict[str, int]:
    """Return the instructions a second by part, for those of an inference."""
    config = model.frontend
    hop = model.decision.hop_columns
    window = config.clip_samples if hop is None else hop * config.hop
    per_s = {
        "network": round(inference * config.sample_rate / window),
        "front end": round(_frame(config, cpu) * config.sample_rate / config.hop),
    }
    if resampler is None:
        return per_s
    # Its loop, like the front end's, is products of coefficients and samples.
    core = _FRONT_END[cpu][0] / _FRONT_END["cortex-m4"][0]
    output = _TAP_INSTRUCTIONS * resampler.taps + _OUTPUT_INSTRUCTIONS
    return per_s | {"resampler": round(core * output * config.sample_rate)}


def _frontend_flash(config: FrontEndConfig, cpu: str) -> int:
    """Return the bytes of a front end's code and constants."""
    window = 4 * (config.win_length or 0)
    return _FRONT_END[cpu][1] + window + (0 if config.pcen is None else _PCEN_FLASH)


def _frontend_ram(config: FrontEndConfig, sample: int) -> int:
    """Return the bytes of a front end's state, for samples of some bytes."""
    smoothed = 0 if config.pcen is None else _PCEN_BAND_BYTES * config.n_mels
    return 6 * config.n_fft + sample * config.frame_length + _STATE_BYTES + smoothed


def _frame(config: FrontEndConfig, cpu: str) -> float:
    """Return the instructions of a frame: its transform's butterflies, and PCEN of its bands."""
    work = config.n_fft * math.log2(config.n_fft)
    pcen = 0 if config.pcen is None else PCEN_BAND[cpu] * config.n_mels
    return _FRONT_END[cpu][0] * work / (_N_FFT * math.log2(_N_FFT)) + pcen
