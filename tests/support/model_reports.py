"""Documents as ``evaluate``, ``quantize`` and ``bench`` write them, for pages about models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def evaluation(sha256: str, labels: Sequence[str]) -> dict[str, Any]:
    """Return an evaluation of a model's file, three clips of four right."""
    figures = {
        "clips": 4,
        "recordings": 2,
        "accuracy": 0.75,
        "accuracy_interval": [0.5, 1.0],
        "log_loss": 0.6,
        "log_loss_interval": [0.5, 0.7],
    }
    rows = [[0] * len(labels) for _ in labels]
    rows[0][0], rows[1][0], rows[1][1] = 2, 1, 1
    result = {
        **figures,
        "macro_accuracy": 0.75,
        "macro_accuracy_interval": [0.5, 1.0],
        "macro_log_loss": 0.6,
        "macro_log_loss_interval": [0.5, 0.7],
        "classes": dict.fromkeys(labels[:2], figures),
        "devices": {"a": figures},
        "cities": {"here": figures},
        "confusion": rows,
    }
    return {
        "schema": 1,
        "split": "test",
        "model": "model.tflite",
        "labels": list(labels),
        "ensemble": None,
        "files": [{"path": "model.tflite", "sha256": sha256, "provenance": {}}],
        "results": {"int8": result, "int8_integer_frontend": result},
    }


def errors(name: str) -> dict[str, Any]:
    """Return the quantisation error of two layers."""
    layers = [
        {"layer": name, "op": "Conv2D", "snr_db": 23.4, "scale": 0.1, "saturated": 0.2},
        {"layer": "last", "op": "Dense", "snr_db": None, "scale": 0.1, "saturated": 0.0},
    ]
    return {"schema": 1, "clips": 3, "layers": layers}


def bench(board: str) -> dict[str, Any]:
    """Return what a project of two stages costs."""
    segment = {"instructions": 100, "cycles": 150, "stalls": 20}
    stages = [
        {"layer": f"{number}: CONV_2D", "kernel": "f", "runs": 4, "macs": 10, "instructions": 100}
        for number in range(2)
    ]
    return {
        "schema": 1,
        "board": board,
        "runtime": "aot",
        "instructions_per_inference": 123_456,
        "flash_bytes": 50_000,
        "layers": stages,
        "cycles": {
            "wait_states": 5,
            "inference": segment,
            "hop": segment,
            "layers": [{"layer": each["layer"], "segment": segment} for each in stages],
            "is_bound": False,
        },
    }
