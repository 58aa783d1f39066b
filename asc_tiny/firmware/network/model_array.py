"""Emits the model file itself as a C array, for TensorFlow Lite Micro."""

from __future__ import annotations

import numpy as np

from asc_tiny.firmware.c.literals import value_lines
from asc_tiny.firmware.c.templates import banner, render_files
from asc_tiny.model.classifier_network import network_file
from asc_tiny.model.model_file import ModelFile


def generate(model_file: ModelFile) -> dict[str, str]:
    """Return ``asc_model.h`` and ``asc_model.c``, file name to text.

    The array holds the file's bytes in read-only memory, aligned to 16 bytes as TensorFlow Lite
    Micro reads int32 values in place. Any .tflite will do, int8 or not. Conversions that the
    model's graph leaves out are not in it.
    """
    data = network_file(model_file)
    values = {
        "banner": banner(model_file),
        "hash": model_file.sha256,
        "is_inner": data != model_file.data,
        "lines": value_lines(np.frombuffer(data, dtype=np.uint8)),
        "size": len(data),
    }
    return render_files(values, "network/asc_model.h", "network/asc_model.c")
