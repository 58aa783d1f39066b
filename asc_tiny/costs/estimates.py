"""What a network costs on a microcontroller, as plain values for reports and JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from asc_tiny.costs.footprint import footprint
from asc_tiny.costs.instructions import Chip, chip, estimate
from asc_tiny.firmware.network.compiled import compile_network
from asc_tiny.model.model_file import ModelFile, load
from asc_tiny.tflm import memory_map as tflm
from asc_tiny.util.errors import AscError
from asc_tiny.util.memory_map import MemoryMap


def core_of(cpu: str | None, chip_name: str | None) -> tuple[str | None, Chip | None]:
    """Return the core and the chip that two names stand for.

    Args:
        cpu: name of a core, such as ``cortex-m4``; None for the core of the chip.
        chip_name: name of a chip, such as ``stm32l412``; None if no energy is asked for.

    Raises:
        AscError: the chip is not known, or has another core.
    """
    if chip_name is None:
        return cpu, None
    found = chip(chip_name)
    if cpu and cpu != found.cpu:
        raise AscError(f"--chip {chip_name}: has a {found.cpu}, --cpu is {cpu}")
    return found.cpu, found


def estimate_costs(
    path: Path | str,
    *,
    cpu: str | None = None,
    chip: str | None = None,
    clock_hz: int | None = None,
) -> dict[str, Any]:
    """Estimate memory, code, instructions, time and energy of a network on a microcontroller.

    Parameters
    ----------
    path
        A ``.tflite`` file. Of a file of another kind no costs are known.
    cpu
        Core that code and instructions are for, such as ``"cortex-m4"``. Without core and chip
        the arenas alone are told.
    chip
        Chip that energy is estimated on, such as ``"stm32l412"``. It has a core of its own.
    clock_hz
        Clock of the core in Hz, above 0, for an estimate of the time.

    Returns
    -------
    dict
        ``model_bytes``, ``tflm_head_bytes``, ``tflm_arena_bytes``, ``tflm_cmsis_nn_arena_bytes``,
        ``aot_arena_bytes``, ``aot_code_bytes`` and ``aot_constant_bytes``: bytes, None where they
        cannot be had. ``absent``: the reason for each figure that is missing. With a core also
        ``cpu`` and ``estimate``: instructions of one inference, in total and for each layer, with
        the error of the estimate, and with ``clock_hz`` and ``chip`` seconds and joules at one
        instruction per cycle.

    Raises
    ------
    AscError
        The file cannot be read, the core or the chip is not known, or the chip has another core.

    Examples
    --------
    >>> from asc_tiny import api
    >>> costs = api.estimate_costs("models/mobilenet_esc10.tflite", cpu="cortex-m4")
    >>> costs["model_bytes"]
    33568
    >>> costs["estimate"]["is_estimate"]
    True
    """
    path = Path(path)
    if path.suffix != ".tflite":
        return {"absent": {"costs": f"{path}: only of .tflite files"}}
    model = load(path)
    core, found = core_of(cpu, chip)
    costs: dict[str, Any] = asdict(footprint(model, core))
    if core is not None:
        costs.update(cpu=core, estimate=None)
        try:
            reason = costs["absent"].get("aot_arena_bytes")
            costs["estimate"] = None if reason else _estimate(model, core, found, clock_hz)
        except AscError as error:
            reason = str(error)
        if reason:
            costs["absent"]["estimate"] = reason
    return costs


def _estimate(
    model: ModelFile, cpu: str, chip: Chip | None, clock_hz: int | None
) -> dict[str, Any]:
    found = estimate(model, cpu)
    document: dict[str, Any] = {
        "is_estimate": True,
        "instructions": found.instructions,
        "instructions_per_layer": list(found.layers),
        "source": "instructions counted on an emulated core, benchmarks/network_costs.py",
        "error_released": found.error_released,
        "error_mean": found.error_mean,
        "error_largest": found.error_largest,
    }
    if clock_hz:
        document.update(clock_hz=clock_hz, seconds_at_one_cycle=found.seconds(clock_hz))
    if chip:
        document.update(
            chip=chip.name,
            joules_at_one_cycle=found.joules(chip),
            microamps_per_mhz=chip.microamps_per_mhz,
            volts=chip.volts,
            energy_source=chip.source,
        )
    return document


def memory_maps(path: Path, warn: Callable[[str], None]) -> Iterator[MemoryMap]:
    """Yield where the activations of a .tflite file lie with each runtime, as far as it is known.

    Args:
        path: the file.
        warn: is told, in one line, why there is no plan of a runtime.
    """
    if path.suffix != ".tflite":
        warn(f"{path}: no memory plan, only of .tflite files")
        return
    model = load(path)
    plans: list[tuple[str, Callable[[], MemoryMap]]] = [
        ("TensorFlow Lite Micro", lambda: tflm.memory_map(model.graph)),
        ("ahead of time", lambda: compile_network(model).memory_plan),
    ]
    for runtime, make in plans:
        try:
            yield make()
        except AscError as error:
            warn(f"no memory plan, {runtime}: {error}")
