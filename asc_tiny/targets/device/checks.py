"""Verifying and measuring firmware over its serial line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asc_tiny.firmware.provenance import Provenance
from asc_tiny.frontend import golden
from asc_tiny.frontend.arrays import Samples
from asc_tiny.targets.build.project import Project
from asc_tiny.targets.device.client import Device, NoReplyError
from asc_tiny.targets.device.line import LineLostError
from asc_tiny.targets.image.bench import memory
from asc_tiny.util import progress
from asc_tiny.util.errors import AscError, VerificationError

Int8Array = NDArray[np.int8]


@dataclass(frozen=True)
class DeviceCosts:
    """Costs of firmware on its board.

    Attributes:
        unit: unit of the ticks: ``instructions``, or ``cycles`` of the board's clock.
        ticks_per_hop: front end, deltas and int8 codes included, costliest hop of full-scale
            noise.
        ticks_per_inference: the network on one window, all of its columns.
        ticks_worst_hop: largest part of these that one column takes; all of them where the
            network is not streaming.
        ticks_last_hop: part of these that the last column takes.
        tick_rate: ticks per second, 0 for instructions.
        flash_bytes, ram_bytes: bytes of flash and RAM of the project's image, by the linker.
        stack_bytes: the most used so far, 0 where the board does not measure it.
        arena_bytes: bytes of the RAM that the network is given.
        overruns: blocks of the microphone that were lost so far.
    """

    unit: str
    ticks_per_hop: int
    ticks_per_inference: int
    ticks_worst_hop: int
    ticks_last_hop: int
    tick_rate: int
    flash_bytes: int
    ram_bytes: int
    stack_bytes: int
    arena_bytes: int
    overruns: int


def mismatch(found: Provenance, project: Project) -> str | None:
    """Return what says that a device runs other firmware than a project's, None if nothing does."""
    if found.model_sha256 != project.model_file.sha256:
        return (
            f"the device runs model {found.model_sha256[:12]}, "
            f"{project.folder} holds {project.model_file.sha256[:12]}"
        )
    if found.labels != project.labels:
        return f"the device has labels {', '.join(found.labels)}; {project.folder} has others"
    return None


def check_identity(device: Device, project: Project) -> None:
    """Make sure that a device runs a project's model.

    Raises:
        VerificationError: it runs another one.
    """
    found = mismatch(device.provenance(), project)
    if found:
        raise VerificationError(found)


def computation(device: Device) -> Callable[..., tuple[Int8Array, Int8Array]]:
    """Return what runs clips on a device, in place of ``image.features_and_codes``."""

    def compute(project: Project, clips: Sequence[Samples]) -> tuple[Int8Array, Int8Array]:
        device.mark_run()
        bar = progress.over(clips, "clips", "clip")
        rows = [
            _in_one_run(device, clip, f"clip {number} of {len(clips)}")
            for number, clip in enumerate(bar, start=1)
        ]
        return np.stack([row[0] for row in rows]), np.stack([row[1] for row in rows])

    return compute


def _in_one_run(device: Device, clip: Samples, name: str) -> tuple[Int8Array, Int8Array]:
    """Run a clip through a device that does not start anew meanwhile.

    Args:
        device: the device, after ``mark_run``.
        clip: samples, shape (clip_samples,).
        name: the clip, for messages.

    Raises:
        AscError: the device restarted or its line got lost, or as ``Device.features_and_codes``.
    """
    try:
        answer = device.features_and_codes(clip)
    except LineLostError as error:
        raise LineLostError(f"{error}, at {name}: did the board restart?") from error
    except NoReplyError:
        raise
    except AscError:
        if not device.has_restarted():
            raise
    else:
        if not device.has_restarted():
            return answer
    raise AscError(
        f"{device.name}: the board restarted at {name}: its counters began anew; look at its power "
        "supply and at what it prints when it starts"
    )


def measure(device: Device, project: Project) -> DeviceCosts:
    """Run a clip of full-scale noise through a device and read its counters.

    Raises:
        AscError: as ``Device.request``.
    """
    device.mark_run()
    _in_one_run(device, golden.noise(project.frontend), "the clip of noise")
    status, rate = device.status(), device.info().tick_rate
    flash, ram = memory(project.image)
    return DeviceCosts(
        unit="cycles" if rate else "instructions",
        ticks_per_hop=status.hop_ticks,
        ticks_per_inference=status.network_ticks,
        ticks_worst_hop=status.network_hop_ticks,
        ticks_last_hop=status.network_last_ticks,
        tick_rate=rate,
        flash_bytes=flash,
        ram_bytes=ram,
        stack_bytes=status.stack_bytes,
        arena_bytes=status.arena_bytes,
        overruns=status.overruns,
    )
