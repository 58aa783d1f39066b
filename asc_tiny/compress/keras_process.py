"""Quantising a .keras file in a process of its own, which the file or TensorFlow may crash.

The process runs this module as a program: it finds a request in a folder, and leaves the .tflite
file and a report there.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asc_tiny.frontend.config import read_toml
from asc_tiny.nets import require_tensorflow
from asc_tiny.util import child_processes, scratch_folders
from asc_tiny.util.errors import AscError

if TYPE_CHECKING:
    from asc_tiny.compress.quantize_keras import OutputError

_REQUEST, _REPORT, _MODEL = "request.json", "report.json", "model.tflite"


@dataclass(frozen=True)
class Quantized:
    """A Keras model as integers.

    Attributes:
        data: bytes of the .tflite file.
        calibration: number of inferences that set the ranges.
        outputs: what quantisation does to each output: ``shape``, ``snr_db`` and ``largest``.
    """

    data: bytes
    calibration: int
    outputs: tuple[Mapping[str, Any], ...]


def quantize(
    model: Path,
    calibration: Path,
    *,
    io: str,
    activations: str,
    frontend: Path | None = None,
    warn: Callable[[str], None] | None = None,
) -> Quantized:
    """Return a .keras file as a .tflite file.

    Args:
        model: the .keras file.
        calibration: file or folder of inputs that set the ranges.
        io, activations: as ``converter.convert`` takes them.
        frontend: TOML file of the front end, for a folder of recordings.
        warn: function that is told about each thing that is doubtful.

    Raises:
        AscError: one of the files does not fit, or TensorFlow cannot convert the model.
    """
    request = {
        "model": str(model),
        "calibration": str(calibration),
        "io": io,
        "activations": activations,
        "frontend": None if frontend is None else str(frontend),
    }
    with scratch_folders.folder() as folder:
        (folder / _REQUEST).write_text(json.dumps(request), encoding="utf-8")
        command = [sys.executable, "-m", __name__, str(folder)]
        done = child_processes.run(command, environment={"TMPDIR": str(folder)})
        try:
            report = json.loads((folder / _REPORT).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise AscError(f"{model}: {_ended(done.returncode, done.stderr)}") from None
        for line in report["warnings"]:
            if warn:
                warn(line)
        if report["error"]:
            raise AscError(report["error"])
        data = (folder / _MODEL).read_bytes()
    return Quantized(data, report["calibration"], tuple(report["outputs"]))


def _ended(code: int, said: str) -> str:
    """Return how the process ended that should have left a report."""
    if code < 0:
        return f"TensorFlow ends with {signal.Signals(-code).name} when it converts it"
    lines = [line for line in said.splitlines() if line.strip()]
    return f"TensorFlow ends when it converts it: {(lines or ['no word'])[-1].strip()[:200]}"


def _work(folder: Path) -> None:
    """Do what the request in a folder asks for."""
    request = json.loads((folder / _REQUEST).read_text(encoding="utf-8"))
    warnings: list[str] = []
    report: dict[str, Any] = {"error": "", "warnings": warnings}
    try:
        data, count, outputs = _converted(request, warnings.append)
    except AscError as error:
        report["error"] = str(error)
    except MemoryError:
        report["error"] = f"{request['model']}: too little memory"
    else:
        (folder / _MODEL).write_bytes(data)
        report.update(calibration=count, outputs=[asdict(each) for each in outputs])
    (folder / _REPORT).write_text(json.dumps(report), encoding="utf-8")


def _converted(
    request: Mapping[str, Any], warn: Callable[[str], None]
) -> tuple[bytes, int, list[OutputError]]:
    require_tensorflow()
    from asc_tiny.compress import calibration, keras_file, quantize_keras

    path = Path(request["model"])
    frontend = read_toml(Path(request["frontend"])) if request["frontend"] else None
    model = keras_file.load(path)
    inputs = keras_file.model_inputs(model, path)
    samples = calibration.read(Path(request["calibration"]), inputs, frontend, warn)
    options = {name: request[name] for name in ("io", "activations")}
    data = quantize_keras.quantize(model, inputs, samples, path, **options)
    return data, len(samples), quantize_keras.output_errors(model, samples, data)


if __name__ == "__main__":
    _work(Path(sys.argv[1]))
