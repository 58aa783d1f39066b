"""Emits the resampler's coefficients as C."""

from __future__ import annotations

from asc_tiny.firmware.c.literals import value_lines
from asc_tiny.firmware.c.templates import render_files
from asc_tiny.resample.design import FRACTION_BITS, Resampler
from asc_tiny.resample.fixed import RESULT_SHIFT


def generate(resampler: Resampler, banner: str) -> dict[str, str]:
    """Return the resampler's generated files, file name to text, with the prefix ``asc``.

    Args:
        resampler: between the microphone's rate and the model's.
        banner: the line that says which tool made the file from which model.
    """
    values = {
        "banner": banner,
        "error": f"{resampler.clock_error * 1e6:.0f}",
        "fraction_bits": FRACTION_BITS,
        "lines": value_lines,
        "resampler": resampler,
        "result_shift": RESULT_SHIFT,
        "source": round(float(resampler.source_rate), 2),
    }
    return render_files(values, "resample/asc_resample_tables.h", "resample/asc_resample_tables.c")
