"""What networks cost on a microcontroller, as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from asc_tiny.complexity.report import ModelComplexity
from asc_tiny.util.console_text import printable

NEEDS_CPU = "needs --cpu"
"""The reason for which figures of a core are absent without one."""

_LABELS = {
    "model_bytes": "model file",
    "tflm_head_bytes": "TensorFlow Lite Micro: head of the arena",
    "tflm_arena_bytes": "TensorFlow Lite Micro: arena, reference kernels",
    "tflm_cmsis_nn_arena_bytes": "TensorFlow Lite Micro: arena, CMSIS-NN",
    "aot_arena_bytes": "ahead of time: arena",
    "aot_code_bytes": "ahead of time: code in flash",
    "aot_constant_bytes": "ahead of time: constants in flash",
}


def costs_text(
    models: Sequence[ModelComplexity], ensembles: Sequence[Mapping[str, Any]] = ()
) -> str:
    """Return the costs as text, empty if none were asked for."""
    lines = [line for model in models if model.costs for line in _lines(model.path, model.costs)]
    lines += [line for each in ensembles for line in _lines(each["path"], each)]
    return "\n".join(map(printable, lines))


def _lines(path: str, costs: Mapping[str, Any]) -> Iterator[str]:
    absent = costs["absent"]
    yield ""
    yield f"{path}: bytes on a microcontroller"
    for name, label in _LABELS.items():
        value = costs.get(name)
        if value is not None:
            yield f"  {label:<50}{value:>12,}"
        elif name in absent and absent[name] != NEEDS_CPU:
            yield f"  {label:<50}{'absent':>12}  {absent[name]}"
    if costs.get("estimate"):
        yield from _estimate_lines(costs["cpu"], costs["estimate"])
    for name in ("costs", "estimate"):
        if name in absent:
            yield f"  {name}: absent, {absent[name]}"


def _estimate_lines(cpu: str, values: Mapping[str, Any]) -> Iterator[str]:
    yield f"  ESTIMATE for {cpu}, network alone: {values['instructions']:,} instructions"
    yield (
        f"    from {values['source']}; error: {values['error_released']:.1%} at most on the "
        f"released networks, {values['error_mean']:.1%} on average and "
        f"{values['error_largest']:.1%} at most on small ones that the fit had not seen"
    )
    if "clock_hz" in values:
        yield (
            f"    {1e3 * values['seconds_at_one_cycle']:,.1f} ms at {values['clock_hz']:,} Hz and "
            f"one instruction per cycle; instructions are not cycles: loads, branches and flash "
            f"wait states take more"
        )
    if "chip" in values:
        yield (
            f"    {1e3 * values['joules_at_one_cycle']:,.3f} mJ on {values['chip']}, likewise, at "
            f"{values['microamps_per_mhz']:g} uA/MHz and {values['volts']:g} V ("
            f"{values['energy_source']})"
        )
