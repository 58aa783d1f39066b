"""Sizes of the firmware's parts: estimated on the core, or measured by ``bench``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asc_tiny.report.blocks import Block, Section
from asc_tiny.report.subject import Network, Subject
from asc_tiny.util.blocks import Paragraph, Table, text

_ROWS = {
    "model_bytes": "model file",
    "aot_arena_bytes": "compiled ahead of time: arena (RAM)",
    "aot_code_bytes": "compiled ahead of time: code of the kernels (flash)",
    "aot_constant_bytes": "compiled ahead of time: weights and tables (flash)",
    "tflm_head_bytes": "TensorFlow Lite Micro: activations and scratch memory (RAM)",
    "tflm_arena_bytes": "TensorFlow Lite Micro: whole arena, reference kernels (RAM)",
    "tflm_cmsis_nn_arena_bytes": "TensorFlow Lite Micro: whole arena, CMSIS-NN (RAM)",
}


def section(subject: Subject) -> Section:
    """Return the bytes of each part of the network, and what was measured of an image."""
    blocks: list[Block] = [
        Paragraph(
            f"Bytes on {subject.cpu}. Arenas are exact; code is an estimate from what each kernel "
            "took when it was compiled, the C library apart."
        )
    ]
    blocks += [_table(network) for network in subject.networks]
    if subject.is_ensemble and subject.verdict.ensembles:
        shared = subject.verdict.ensembles[0]
        keys = [key for key in _ROWS if shared.get(key) is not None]
        rows = [[_ROWS[key], f"{shared[key]:,}"] for key in keys]
        caption = f"{subject.name}: arenas that the members share"
        blocks.append(Table(caption, ["part", "bytes"], rows))
    if subject.bench is not None:
        blocks.append(_measured(subject.bench))
    return Section("firmware", "Firmware", blocks)


def _table(network: Network) -> Table:
    footprint = network.footprint
    rows = []
    for key, title in _ROWS.items():
        value = getattr(footprint, key)
        why = text(footprint.absent.get(key, "not known"), 300)
        rows.append(
            [title, "" if value is None else f"{value:,}", "" if value is not None else why]
        )
    head = ["part", "bytes", "why there is none"]
    if not any(row[2] for row in rows):
        return Table(f"{network.name}: sizes", head[:2], [row[:2] for row in rows])
    return Table(f"{network.name}: sizes", head, rows, left=(0, 2))


def _measured(bench: Mapping[str, Any]) -> Table:
    rows = [
        [text(key.replace("_", " ")), f"{value:,}"]
        for key, value in bench.items()
        if isinstance(value, int) and key != "schema"
    ]
    caption = f"Measured by bench on {text(bench['board'])}, runtime {text(bench['runtime'])}"
    return Table(caption, ["figure", "value"], rows)
