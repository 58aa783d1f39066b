"""The portable library of a classifier: file names and texts."""

from __future__ import annotations

from asc_tiny.decision.config import UNKNOWN
from asc_tiny.firmware import audio, labels, provenance, selftest
from asc_tiny.firmware import decision as decision_code
from asc_tiny.firmware import frontend as frontend_code
from asc_tiny.firmware import resample as resample_code
from asc_tiny.firmware.c.prefix import rename_prefix
from asc_tiny.firmware.c.templates import banner, template_root
from asc_tiny.firmware.classifier import Classifier, check_order
from asc_tiny.firmware.network import compiled, ensemble, tflm
from asc_tiny.frontend.arrays import Int8Array
from asc_tiny.model.ensemble import Ensemble, output_quantization
from asc_tiny.resample.design import Resampler
from asc_tiny.util.labels import check_distinct

FRONTEND_RUNTIME = (
    "asc_fixed.h",
    "asc_fixed_thumb1.h",
    "asc_frontend.c",
    "asc_frontend.h",
    "asc_frontend_mve.c",
    "asc_frontend_mve.h",
    "asc_spectrum.c",
    "asc_spectrum.h",
    "asc_spectrum_mve.c",
    "asc_spectrum_thumb1.h",
    "asc_spectrum_thumb2.h",
)
NETWORK_RUNTIME = (
    "asc_arithmetic.h",
    "asc_arithmetic_mve.h",
    "asc_columns.h",
    "asc_compact.c",
    "asc_conv.c",
    "asc_conv_dsp.h",
    "asc_conv_mve.c",
    "asc_depthwise_mve.c",
    "asc_elementwise.c",
    "asc_kernels.c",
    "asc_kernels.h",
    "asc_kernels_mve.c",
    "asc_resizing.c",
    "asc_stages.c",
    "asc_stages.h",
    "asc_upsampled.c",
)
_CLASSIFIER_RUNTIME = ("asc_classifier.c", "asc_classifier.h")
PROTOCOL_RUNTIME = ("asc_frame.c", "asc_frame.h", "asc_protocol.c", "asc_protocol.h")
AUDIO_RUNTIME = ("asc_audio.c", "asc_handover.h")
SELFTEST_RUNTIME = ("asc_selftest.c", "asc_selftest.h")
RESAMPLE_RUNTIME = ("asc_resample.c", "asc_resample.h")
_DECISION_RUNTIME = ("asc_decision.c", "asc_decision.h")


def library_sources(model: Classifier, *, runtime: str, prefix: str) -> dict[str, str]:
    """Return the portable sources of a classifier, file name to text.

    The runtimes differ in the network alone: C code with ``aot``; with ``tflm`` the model as an
    array and C++ around TensorFlow Lite Micro's interpreter.

    Raises:
        AscError: the network cannot become C, or not in the order that its options ask for; two
            labels look alike.
    """
    check_order(model)
    line = banner(model.model_file)
    decision = model.decision
    record = provenance.provenance(model.identity, model.labels, runtime=runtime, prefix=prefix)
    unknown = "" if decision.threshold is None else UNKNOWN
    check_distinct(model.labels, source=str(model.model_file.path), unknown=unknown)
    files = {
        **frontend_code.generate(
            model.frontend, line, others=model.frontends[1:], continuous=decision.continuous
        ),
        **labels.generate(model.labels, line, unknown=unknown),
        **decision_code.generate(decision, output_quantization(model.model_file), line),
        **provenance.generate(record, model.identity, line),
        **_runtime(FRONTEND_RUNTIME),
        **_runtime(_DECISION_RUNTIME),
        **_runtime(_CLASSIFIER_RUNTIME),
        **_network(model, runtime),
    }
    return _renamed(files, prefix)


def _network(classifier: Classifier, runtime: str) -> dict[str, str]:
    model, identity, options = classifier.model_file, classifier.identity, classifier.options
    if runtime == "tflm":
        return tflm.generate(model, identity)
    if isinstance(model, Ensemble):
        return {**ensemble.generate(model, identity, options), **_runtime(NETWORK_RUNTIME)}
    return {**compiled.generate(model, identity, options), **_runtime(NETWORK_RUNTIME)}


def audio_sources(
    model: Classifier,
    resampler: Resampler | None,
    *,
    prefix: str,
    blocks: int = audio.LEAST_BLOCKS,
) -> dict[str, str]:
    """Return what brings a microphone's samples to a classifier, like ``library_sources``.

    Args:
        model: the classifier.
        resampler: between the microphone's rate and the model's, None if they are the same.
        prefix: of all names in the C code.
        blocks: of samples that the buffer between interrupt and application has, 2 or more.
    """
    files = {**_runtime(AUDIO_RUNTIME), **audio.generate(blocks)}
    if resampler is not None:
        files.update(resample_code.generate(resampler, banner(model.model_file)))
        files.update(_runtime(RESAMPLE_RUNTIME))
    return _renamed(files, prefix)


def protocol_sources(*, prefix: str) -> dict[str, str]:
    """Return the serial protocol of a classifier, like ``library_sources``."""
    return _renamed(_runtime(PROTOCOL_RUNTIME), prefix)


def selftest_sources(model: Classifier, scores: Int8Array | None, *, prefix: str) -> dict[str, str]:
    """Return the self-test like ``library_sources``; without scores it checks the front end."""
    files = {**_runtime(SELFTEST_RUNTIME), **selftest.generate(model, scores)}
    return _renamed(files, prefix)


def _runtime(names: tuple[str, ...]) -> dict[str, str]:
    folder = template_root() / "runtime"
    return {name: (folder / name).read_text(encoding="utf-8") for name in names}


def _renamed(files: dict[str, str], prefix: str) -> dict[str, str]:
    return {rename_prefix(k, prefix): rename_prefix(v, prefix) for k, v in files.items()}
