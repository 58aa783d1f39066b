"""The portable library of a network or a classifier: file names and texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from asc_tiny.compiler.planner.compiled import Compiled
from asc_tiny.decision.config import UNKNOWN
from asc_tiny.firmware import audio, ends, golden_check, labels, provenance, selftest
from asc_tiny.firmware import decision as decision_code
from asc_tiny.firmware import frontend as frontend_code
from asc_tiny.firmware import pdm as pdm_code
from asc_tiny.firmware import resample as resample_code
from asc_tiny.firmware.c.prefix import rename_prefix
from asc_tiny.firmware.c.templates import banner
from asc_tiny.firmware.classifier import Classifier, check_order
from asc_tiny.firmware.fingerprints import Fingerprints
from asc_tiny.firmware.firmware_network import FirmwareNetwork
from asc_tiny.firmware.network import compiled, ensemble, tflm
from asc_tiny.firmware.runtime import needed_sources, runtime_sources
from asc_tiny.frontend.arrays import Int8Array
from asc_tiny.model.ensemble import Ensemble, output_quantization
from asc_tiny.pdm.design import Decimator
from asc_tiny.resample.design import Resampler
from asc_tiny.util.labels import check_distinct


@dataclass(frozen=True, eq=False, kw_only=True)
class NetworkLibrary:
    """A network as C: what all kinds of project are made around.

    Attributes:
        model: the network.
        runtime: ``aot`` or ``tflm``.
        prefix: prefix of all names in the C code.
        networks: the compiled network, one for each member of an ensemble; none with ``tflm``.
        sources: the portable sources, file name to text.
    """

    model: FirmwareNetwork
    runtime: str
    prefix: str
    networks: tuple[Compiled, ...]
    sources: Mapping[str, str]


@dataclass(frozen=True, eq=False, kw_only=True)
class Library(NetworkLibrary):
    """A classifier as C.

    Attributes:
        model: the classifier.
    """

    model: Classifier


def render_network(
    network: FirmwareNetwork, *, runtime: str = "aot", prefix: str = "asc"
) -> NetworkLibrary:
    """Compile a network and render its portable sources, without front end, labels and decisions.

    Raises:
        AscError: the network cannot become C, or not in the order that its options ask for.
    """
    line = banner(network.model_file)
    record = provenance.of_network(network.model_file, runtime=runtime, prefix=prefix)
    networks = _compiled(network) if runtime == "aot" else ()
    files = {
        **ends.generate(network, line),
        **provenance.generate(record, None, line),
        **_network(network, networks, None),
    }
    return NetworkLibrary(
        model=network,
        runtime=runtime,
        prefix=prefix,
        networks=networks,
        sources=_renamed(files, prefix),
    )


def render_library(model: Classifier, *, runtime: str = "aot", prefix: str = "asc") -> Library:
    """Compile the networks of a classifier and render its portable sources.

    The runtimes differ in the network alone: C code with ``aot``; with ``tflm`` the model as an
    array and C++ around TensorFlow Lite Micro's interpreter.

    Raises:
        AscError: the network cannot become C, or not in the order that its options ask for; two
            labels look alike.
    """
    check_order(model)
    line = banner(model.model_file)
    decision = model.decision
    record = provenance.provenance(model.fingerprints, model.labels, runtime=runtime, prefix=prefix)
    unknown = "" if decision.threshold is None else UNKNOWN
    check_distinct(model.labels, source=str(model.model_file.path), unknown=unknown)
    networks = _compiled(model) if runtime == "aot" else ()
    files = {
        **frontend_code.generate(
            model.frontend, line, others=model.frontends[1:], continuous=decision.continuous
        ),
        **labels.generate(model.labels, line, unknown=unknown),
        **decision_code.generate(decision, output_quantization(model.model_file), line),
        **provenance.generate(record, model.fingerprints, line),
        **runtime_sources("fixed_point", "frontend", "decision", "classifier"),
        **_network(model, networks, model.fingerprints),
    }
    return Library(
        model=model,
        runtime=runtime,
        prefix=prefix,
        networks=networks,
        sources=_renamed(files, prefix),
    )


def _compiled(network: FirmwareNetwork) -> tuple[Compiled, ...]:
    model, options = network.model_file, network.options
    if isinstance(model, Ensemble):
        return ensemble.compile_members(model, options)
    return (compiled.compile_network(model, options),)


def _network(
    network: FirmwareNetwork, networks: tuple[Compiled, ...], fingerprints: Fingerprints | None
) -> dict[str, str]:
    """Return the files of a network; fingerprints are those of its classifier, if it has one."""
    model = network.model_file
    if not networks:
        return tflm.generate(model, fingerprints, network.tflm)
    if isinstance(model, Ensemble):
        assert fingerprints is not None
        max_ram = network.options.max_ram
        files = ensemble.emit(model, networks, fingerprints, max_ram=max_ram)
    else:
        files = compiled.emit(model, networks[0], fingerprints)
    return {**files, **needed_sources("nn", files.values())}


def audio_sources(
    model: Classifier,
    resampler: Resampler | None,
    *,
    prefix: str,
    blocks: int = audio.LEAST_BLOCKS,
) -> dict[str, str]:
    """Return what brings a microphone's samples to a classifier, file name to text.

    Args:
        model: the classifier.
        resampler: resampler from the microphone's rate to the model's; None if they are the same.
        prefix: prefix of all names in the C code.
        blocks: number of blocks of samples in the buffer between interrupt and application, 2 or
            more.
    """
    files = {**runtime_sources("audio"), **audio.generate(blocks)}
    if resampler is not None:
        files.update(resample_code.generate(resampler, banner(model.model_file)))
        files.update(runtime_sources("resample"))
    return _renamed(files, prefix)


def pdm_sources(
    model: Classifier, decimator: Decimator, *, prefix: str, msb_first: int = 0
) -> dict[str, str]:
    """Return what makes samples of a PDM microphone's bits, file name to text.

    Args:
        model: the classifier.
        decimator: decimator of the microphone.
        prefix: prefix of all names in the C code.
        msb_first: order of the bits in memory, as ``pdm.generate`` tells.
    """
    tables = pdm_code.generate(decimator, banner(model.model_file), msb_first=msb_first)
    return _renamed({**tables, **runtime_sources("pdm")}, prefix)


def protocol_sources(*, prefix: str) -> dict[str, str]:
    """Return the serial protocol of a classifier, file name to text."""
    return _renamed(runtime_sources("protocol"), prefix)


def selftest_sources(model: Classifier, scores: Int8Array | None, *, prefix: str) -> dict[str, str]:
    """Return the self-test, file name to text; without scores it checks the front end."""
    files = {**runtime_sources("selftest"), **selftest.generate(model, scores)}
    return _renamed(files, prefix)


def golden_sources(
    network: FirmwareNetwork, checksums: Sequence[int] | None, *, prefix: str
) -> dict[str, str]:
    """Return the golden inputs of a network alone with what they must lead to, file name to text.

    Args:
        network: the network.
        checksums: those of the outputs for each golden input, by a reference other than the
            firmware; None leaves them unchecked.
        prefix: prefix of all names in the C code.
    """
    files = {**runtime_sources("golden"), **golden_check.generate(network, checksums)}
    return _renamed(files, prefix)


def _renamed(files: dict[str, str], prefix: str) -> dict[str, str]:
    return {rename_prefix(k, prefix): rename_prefix(v, prefix) for k, v in files.items()}
