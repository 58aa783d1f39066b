"""The methods by which ``MicroMutableOpResolver`` adds operators: what TensorFlow Lite Micro runs.

As in its sources of July 2026 (commit 90b983c2). An older library may lack some: then the compiler
names the method that is not there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from asc_tiny.tflite.ops import VELA, Family, custom_name, row

_WORDS: Mapping[str, str] = {"CUMSUM": "CumSum", "LSTM": "LSTM", "MATMUL": "MatMul"}
"""Words of operators that methods do not write as ``Word``."""

CUSTOM: Mapping[str, str] = {
    "CIRCULAR_BUFFER": "AddCircularBuffer",
    "SignalDelay": "AddDelay",
    "SignalEnergy": "AddEnergy",
    "SignalFftAutoScale": "AddFftAutoScale",
    "SignalFilterBank": "AddFilterBank",
    "SignalFilterBankLog": "AddFilterBankLog",
    "SignalFilterBankSpectralSubtraction": "AddFilterBankSpectralSubtraction",
    "SignalFilterBankSquareRoot": "AddFilterBankSquareRoot",
    "SignalFramer": "AddFramer",
    "SignalIrfft": "AddIrfft",
    "SignalOverlapAdd": "AddOverlapAdd",
    "SignalPCAN": "AddPCAN",
    "SignalRfft": "AddRfft",
    "SignalStacker": "AddStacker",
    "SignalWindow": "AddWindow",
    "TFLM_DECODE": "AddDecode",
    "TFLite_Detection_PostProcess": "AddDetectionPostprocess",
    VELA: "AddEthosU",
}
"""Custom operators that TensorFlow Lite Micro has itself, by their names in files."""


def method(operator: str) -> str | None:
    """Return the method that adds an operator; None where TensorFlow Lite Micro has no kernel.

    Args:
        operator: name in the schema, or ``CUSTOM`` and the name of a custom operator.
    """
    custom = custom_name(operator)
    if custom is not None:
        return CUSTOM.get(custom)
    if not row(operator).micro:
        return None
    words = re.findall(r"[A-Z]+\d*|\d+[A-Z]", operator.replace("V2", "_V2"))
    return "Add" + "".join(_in_a_method(word) for word in words)


def reads_absent_bias(operator: str) -> bool:
    """Whether a kernel reads its bias even where it is absent: those of all convolutions do.

    Args:
        operator: name in the schema, or ``CUSTOM`` and the name of a custom operator.
    """
    is_dense = operator in ("BATCH_MATMUL", "FULLY_CONNECTED")
    return row(operator).family is Family.WEIGHTED and not is_dense


def _in_a_method(word: str) -> str:
    return word if word[0].isdigit() else _WORDS.get(word, word.capitalize())
