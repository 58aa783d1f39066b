"""Emits the front end's configuration and tables as C."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from asc_tiny.firmware.c.literals import value_lines
from asc_tiny.firmware.c.templates import render_files
from asc_tiny.frontend import tables as fixed_tables
from asc_tiny.frontend.config import DELTA_REACH, FrontEndConfig, codes_digest
from asc_tiny.frontend.tables import Tables
from asc_tiny.util.errors import AscError

_VECTOR = 32
"""Samples that loops over a frame take at once, at most."""

TABLES_VERSION = 2
"""Must be what asc_frontend.h and asc_spectrum.h ask for; the C compiler checks it."""


def generate(
    config: FrontEndConfig,
    banner: str,
    *,
    others: Sequence[FrontEndConfig] = (),
    continuous: bool = False,
) -> dict[str, str]:
    """Return the front end's generated files, file name to text, with the prefix ``asc``.

    Args:
        config: a front end with quantisation.
        banner: the line that says which tool made the file from which model.
        others: the same front end with other quantisations, for networks that share it: a column
            holds the channels in each quantisation, one after the other.
        continuous: columns of a stream (``frontend.stream``) instead of clips.

    Raises:
        AscError: the configuration has no quantisation.
    """
    if config.quantization is None:
        raise AscError("front end: firmware needs a quantisation (scale and zero_point)")
    configs = (config, *others)
    tables = fixed_tables.build(config)
    values = {
        "banner": banner,
        "config": config,
        "continuous": continuous,
        "hash": codes_digest((config, *others)),
        "tables_version": TABLES_VERSION,
        "lines": value_lines,
        "history": 2 * DELTA_REACH + 1 if config.deltas else 1,
        "requantizations": [fixed_tables.build(each).requantizations for each in configs],
        "tables": tables,
        "pcen": tables.pcen,
        "windows": _windows(config, tables),
        "log2_fraction_bits": fixed_tables.LOG2_FRACTION_BITS,
        "twentieth": fixed_tables.TWENTIETH,
        "twiddles": [(tables.turn(4 * j), tables.turn(2 * j)) for j in range(config.n_fft // 8)],
        "ramps": list(zip(tables.segment_start, tables.segment_step, strict=True)),
        "chords": list(zip(tables.log2_base, tables.log2_slope, strict=True)),
    }
    return render_files(values, "frontend/asc_frontend_tables.h", "frontend/asc_frontend_tables.c")


def _windows(config: FrontEndConfig, tables: Tables) -> NDArray[np.int64] | None:
    """Return the table of a window that is shorter than the transform, as whole vectors."""
    if tables.window is None:
        return None
    return np.pad(tables.window, (0, -config.frame_length % _VECTOR))
