"""Renders what ``asc-tiny generate`` writes: drop-in sources, or a project around them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from asc_tiny import __version__
from asc_tiny.codegen import decision as decision_code
from asc_tiny.codegen import ensemble, labels, network, provenance, tflm
from asc_tiny.codegen import frontend as frontend_code
from asc_tiny.codegen import resample as resample_code
from asc_tiny.codegen.compiler.choose import Options
from asc_tiny.codegen.golden import golden_files
from asc_tiny.codegen.identity import Identity, identify
from asc_tiny.codegen.prefix import rename_prefix
from asc_tiny.codegen.templates import banner, environment, template_root
from asc_tiny.complexity.artefact import Artefact
from asc_tiny.complexity.ensemble import Ensemble, Model, output_quantisation, to_toml
from asc_tiny.decision.config import UNKNOWN, DecisionConfig
from asc_tiny.errors import AscError
from asc_tiny.files import replacing_folder, write_bytes, write_text
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.resample.design import Resampler

MANIFEST = "asc-tiny.json"
MODEL_FILE = "model.tflite"
ENSEMBLE_FILE = "ensemble.toml"
RUNTIMES = ("aot", "tflm")
STACK_BYTES = 8192

FRONTEND_RUNTIME = (
    "asc_fixed.h",
    "asc_frontend.c",
    "asc_frontend.h",
    "asc_frontend_mve.c",
    "asc_frontend_mve.h",
    "asc_spectrum.c",
    "asc_spectrum.h",
    "asc_spectrum_dsp.h",
    "asc_spectrum_mve.c",
)
NETWORK_RUNTIME = (
    "asc_arithmetic.h",
    "asc_compact.c",
    "asc_conv.c",
    "asc_conv_dsp.h",
    "asc_kernels.c",
    "asc_kernels.h",
    "asc_stages.c",
    "asc_stages.h",
)
_CLASSIFIER_RUNTIME = ("asc_classifier.c", "asc_classifier.h")
AUDIO_RUNTIME = ("asc_audio.c", "asc_audio.h")
RESAMPLE_RUNTIME = ("asc_resample.c", "asc_resample.h")
_DECISION_RUNTIME = ("asc_decision.c", "asc_decision.h")
_EMULATED = ("emulated.c", "emulated.h", "link.ld.j2", "toolchain.cmake.j2")
PLATFORM_FILES = {
    "host": ("host.c",),
    "cortex_m": ("cortex_m.c", "board.h.j2", *_EMULATED),
    "riscv": ("riscv.c", *_EMULATED),
}
"""What a board's kind of processor adds to a project."""

_TFLM_PLATFORMS = ("cortex_m", "host")


class BoardLike(Protocol):
    """What the templates need of a board; see ``targets.boards.Board``."""

    @property
    def name(self) -> str:
        """Name as given to ``--board``."""

    @property
    def machine(self) -> str:
        """QEMU's machine name, empty for a native build."""

    @property
    def platform(self) -> str:
        """One of ``PLATFORM_FILES``; empty if there is no CMake project for it."""


@dataclass(frozen=True)
class Classifier:
    """A model with everything that firmware needs besides the network.

    Attributes:
        artefact: the model or the ensemble.
        frontend: its front end, with the quantisation of the (first) network's input.
        labels: class names in output order.
        decision: windows, smoothing, hysteresis and threshold.
        options: of the network's planner.
    """

    artefact: Model
    frontend: FrontEndConfig
    labels: tuple[str, ...]
    decision: DecisionConfig = field(default_factory=DecisionConfig)
    options: Options = network.DEFAULT

    @property
    def frontends(self) -> tuple[FrontEndConfig, ...]:
        """The front end in each quantisation that the members need, one for one network."""
        if isinstance(self.artefact, Ensemble):
            return self.artefact.frontends
        return (self.frontend,)

    @property
    def identity(self) -> Identity:
        """The hashes of model, front end and labels."""
        return identify(self.artefact, self.frontends, self.labels)


def classifier(
    artefact: Model,
    *,
    runtime: str,
    frontend: FrontEndConfig | None = None,
    labels: tuple[str, ...] | None = None,
) -> Classifier:
    """Complete a model with a front end and labels, from its metadata unless given.

    Raises:
        AscError: they are neither in the file nor given, or do not fit the network; the model
            is not full int8, or has an operator that the runtime lacks.
    """
    if isinstance(artefact, Ensemble):
        return _of_ensemble(artefact, runtime, given=frontend is not None or labels is not None)
    network.check_supported_types(artefact)
    if runtime == "aot":
        network.check_supported_operators(artefact)
    else:
        tflm.check_operators(artefact)
    frontend = frontend or artefact.frontend
    labels = labels or artefact.labels
    if frontend is None or labels is None:
        missing = "front end" if frontend is None else "labels"
        option = "--frontend FILE.toml" if frontend is None else "--labels FILE"
        raise AscError(f"{artefact.path}: holds no {missing}; give {option}")
    graph = artefact.graph
    source, result = graph.tensor(graph.inputs[0]), graph.tensor(graph.outputs[0])
    if source.shape[1:] != frontend.shape:
        raise AscError(
            f"{artefact.path}: input shape {source.shape[1:]}, the front end gives {frontend.shape}"
        )
    if result.size != len(labels):
        raise AscError(f"{artefact.path}: {result.size} outputs, but {len(labels)} labels")
    quantised = frontend.quantised(source.scales[0], source.zero_points[0])
    return Classifier(artefact, quantised, labels)


def _of_ensemble(model: Ensemble, runtime: str, *, given: bool) -> Classifier:
    if given:
        raise AscError(f"{model.path}: members hold front end and labels; none can be given")
    members = [classifier(member.artefact, runtime=runtime) for member in model.members]
    return Classifier(model, members[0].frontend, model.labels)


def library_sources(model: Classifier, *, runtime: str, prefix: str) -> dict[str, str]:
    """Return the portable sources of a classifier, file name to text.

    The runtimes differ in the network alone: C code with ``aot``; with ``tflm`` the model as an
    array and C++ around TensorFlow Lite Micro's interpreter.
    """
    line = banner(model.artefact)
    decision = model.decision
    record = provenance.provenance(model.identity, model.labels, runtime=runtime, prefix=prefix)
    unknown = "" if decision.threshold is None else UNKNOWN
    files = {
        **frontend_code.generate(
            model.frontend, line, others=model.frontends[1:], continuous=decision.continuous
        ),
        **labels.generate(model.labels, line, unknown=unknown),
        **decision_code.generate(decision, output_quantisation(model.artefact), line),
        **provenance.generate(record, model.identity, line),
        **_runtime(FRONTEND_RUNTIME),
        **_runtime(_DECISION_RUNTIME),
        **_runtime(_CLASSIFIER_RUNTIME),
        **_network(model, runtime),
    }
    return _renamed(files, prefix)


def _network(classifier: Classifier, runtime: str) -> dict[str, str]:
    model, identity, options = classifier.artefact, classifier.identity, classifier.options
    if runtime == "tflm":
        return tflm.generate(model, identity)
    if isinstance(model, Ensemble):
        return {**ensemble.generate(model, identity, options), **_runtime(NETWORK_RUNTIME)}
    return {**network.generate(model, identity, options), **_runtime(NETWORK_RUNTIME)}


def audio_sources(model: Classifier, resampler: Resampler | None, *, prefix: str) -> dict[str, str]:
    """Return what brings a microphone's samples to a classifier, like ``library_sources``."""
    files = _runtime(AUDIO_RUNTIME)
    if resampler is not None:
        files.update(resample_code.generate(resampler, banner(model.artefact)))
        files.update(_runtime(RESAMPLE_RUNTIME))
    return _renamed(files, prefix)


def write_sources(
    model: Classifier,
    out: Path,
    *,
    runtime: str,
    prefix: str,
    resampler: Resampler | None = None,
) -> None:
    """Write the sources alone into the folder ``out``, beside what is there."""
    audio = audio_sources(model, resampler, prefix=prefix)
    for name, text in {**library_sources(model, runtime=runtime, prefix=prefix), **audio}.items():
        write_text(out / name, text)


def write_cmake(
    model: Classifier, out: Path, *, runtime: str, board: BoardLike, prefix: str
) -> None:
    """Write a CMake project for ``board`` to the folder ``out``.

    Raises:
        AscError: ``out`` holds something else than a generated project, or cannot be written.
    """
    if not board.platform:
        raise AscError(f"board {board.name}: --project cmake is for emulated boards and the host")
    if runtime == "tflm" and board.platform not in _TFLM_PLATFORMS:
        raise AscError(
            f"board {board.name}: --runtime tflm with --project cmake is for Cortex-M boards and "
            "the host; --project sources writes files for any"
        )
    if out.is_dir() and any(out.iterdir()) and not (out / MANIFEST).is_file():
        raise AscError(f"{out}: is not empty and holds no generated project; give another folder")
    library = library_sources(model, runtime=runtime, prefix=prefix)
    files = _project_files(board, runtime)
    values = {
        "application_sources": [name for name in files if name.endswith(".c")],
        "banner": banner(model.artefact),
        "board": board,
        "labels": model.labels,
        "library_sources": sorted(
            f"{prefix}/{name}" for name in library if name.endswith((".c", ".cc"))
        ),
        "prefix": prefix,
        "runtime": runtime,
        "optimisation": "-Os" if model.options.optimize == "size" else "-O2",
        "stack_bytes": STACK_BYTES,
    }
    with replacing_folder(out) as folder:
        for name, text in library.items():
            write_text(folder / prefix / name, text)
        for name in files:
            write_text(folder / name.removesuffix(".j2"), _project_file(name, values, prefix))
        _write_model(model.artefact, folder)
        for name, data in golden_files(model.frontends).items():
            write_bytes(folder / name, data)
        write_text(folder / MANIFEST, _manifest(model, runtime, board, prefix))


def _model_file(model: Model) -> str:
    return ENSEMBLE_FILE if isinstance(model, Ensemble) else MODEL_FILE


def _write_model(model: Model, folder: Path) -> None:
    if isinstance(model, Artefact):
        (folder / MODEL_FILE).write_bytes(model.data)
        return
    names = [f"member{number}.tflite" for number in range(len(model.members))]
    for name, member in zip(names, model.members, strict=True):
        (folder / name).write_bytes(member.artefact.data)
    write_text(folder / ENSEMBLE_FILE, to_toml(model.members, model.bias, names))


def _runtime(names: tuple[str, ...]) -> dict[str, str]:
    folder = template_root() / "runtime"
    return {name: (folder / name).read_text(encoding="utf-8") for name in names}


def _renamed(files: dict[str, str], prefix: str) -> dict[str, str]:
    return {rename_prefix(k, prefix): rename_prefix(v, prefix) for k, v in files.items()}


def _project_files(board: BoardLike, runtime: str) -> list[str]:
    linked = ("tflm.cmake", "tflm_support.c") if runtime == "tflm" else ()
    return [
        *("CMakeLists.txt.j2", "README.md.j2", "src/main.c", "src/platform.h"),
        *(f"platform/{name}" for name in (*PLATFORM_FILES[board.platform], *linked)),
    ]


def _project_file(name: str, values: dict[str, object], prefix: str) -> str:
    if name.endswith(".j2"):
        # Templates take the prefix from the values.
        return environment().get_template(f"projects/cmake/{name}").render(values)
    text = (template_root() / "projects/cmake" / name).read_text(encoding="utf-8")
    return rename_prefix(text, prefix)


def _manifest(model: Classifier, runtime: str, board: BoardLike, prefix: str) -> str:
    manifest = {
        "schema": 1,
        "tool_version": __version__,
        "project": "cmake",
        "runtime": runtime,
        "board": board.name,
        "prefix": prefix,
        "model": {
            "name": model.artefact.path.name,
            "sha256": model.artefact.sha256,
            "file": _model_file(model.artefact),
        },
        "frontend": model.frontend.to_dict(),
        "frontend_sha256": model.identity.frontend,
        "labels": list(model.labels),
        "decision": model.decision.to_dict(),
        "plan": model.options.to_dict(),
    }
    return json.dumps(manifest, indent=2) + "\n"


PROJECTS: dict[str, Callable[..., None]] = {"cmake": write_cmake, "sources": write_sources}
