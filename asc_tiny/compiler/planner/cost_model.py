"""Instructions of a stage as far as plans differ in them, on cores with the DSP extension."""

from __future__ import annotations

from asc_tiny.compiler.ir import Stage

# Of asc_stage_run and the prologue of a kernel, measured on a Cortex-M4
_RUN = 250
# Of the inner loop, which multiplies by 8 weights, with two windows and with one
_PAIR, _SINGLE = 17, 12


def instructions(stage: Stage) -> int:
    """Return an estimate of the instructions of a stage for calls and multiplications.

    What else a kernel does is the same in all plans.
    """
    windows = stage.params.windows
    pairs, single = divmod(windows, 2)
    multiplying = stage.macs * (pairs * _PAIR + single * _SINGLE) // (8 * max(windows, 1))
    return stage.runs * _RUN + multiplying
