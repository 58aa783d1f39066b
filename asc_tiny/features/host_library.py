"""The integer front end at the speed of C: the firmware's own sources, compiled for this computer.

A library is built once per configuration, for clips and for streams, and kept in the user's
cache. Where there is no C compiler, or the library cannot be built or kept, the NumPy model gives
the same codes.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import cffi  # type: ignore[import-untyped]
import numpy as np

from asc_tiny.firmware import frontend as frontend_code
from asc_tiny.firmware.runtime import runtime_sources
from asc_tiny.frontend import fixed, stream
from asc_tiny.frontend.arrays import Int8Array, Samples
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.util import child_processes, scratch_folders, user_cache
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import sha256, write_bytes, write_text

FLAGS = ("-std=c99", "-O3", "-shared", "-fPIC")

_COMPILERS = ("cc", "gcc", "clang")

_DECLARATION = """size_t asc_host_features(
    const void *pcm, size_t samples, int8_t *features, size_t columns, size_t channels)"""

_HOST = f"""#include "asc_frontend.h"

{_DECLARATION};

/* Writes `columns` columns, shape (mel bands, columns, channels); returns how many there were. */
{_DECLARATION}
{{
    asc_frontend_t frontend;
    const asc_sample_t *sample = pcm;
    size_t done = 0u;

    asc_frontend_init(&frontend);
    while (samples > 0u) {{
        const size_t taken = asc_frontend_push(&frontend, sample, samples);

        sample += taken;
        samples -= taken;
        while (done < columns &&
               asc_frontend_pop(&frontend, features + done * channels, columns * channels)) {{
            ++done;
        }}
    }}
    return done;
}}
"""

_ffi = cffi.FFI()
_ffi.cdef(f"{_DECLARATION};")


def features(pcm: Samples, config: FrontEndConfig) -> Int8Array:
    """Return a clip's int8 feature codes, bit for bit those of ``fixed.features``.

    Args:
        pcm: samples of the front end's type, shape (clip_samples,).
        config: a front end with quantisation.

    Returns:
        Shape (n_mels, columns, channels): log-mel, first delta, second delta.

    Raises:
        AscError: the configuration has no quantisation, or the clip is too short.
    """
    fits = pcm.dtype == config.sample_type and pcm.shape == (config.clip_samples,)
    library = _library(config) if fits and config.quantization else None
    return _computed(library, pcm, config.shape) if library else fixed.features(pcm, config)


def stream_features(pcm: Samples, config: FrontEndConfig) -> Int8Array:
    """Return the int8 codes of a stream's columns, bit for bit those of ``stream.features``.

    Args:
        pcm: int16 samples from the start of the stream, shape (samples,).
        config: a front end with quantisation.

    Returns:
        Shape (n_mels, columns, channels).

    Raises:
        AscError: the configuration has no quantisation.
    """
    fits = pcm.dtype == config.sample_type and pcm.ndim == 1
    library = _library(config, continuous=True) if fits and config.quantization else None
    if library is None:
        return stream.features(pcm, config)
    shape = (config.n_mels, stream.columns_of(config, len(pcm)), config.channels)
    return _computed(library, pcm, shape)


def _computed(library: Any, pcm: Samples, shape: tuple[int, int, int]) -> Int8Array:
    _, columns, channels = shape
    codes = np.empty(shape, np.int8)
    samples = _ffi.from_buffer(np.ascontiguousarray(pcm))
    target = _ffi.from_buffer("int8_t[]", codes)
    done = library.asc_host_features(samples, len(pcm), target, columns, channels)
    assert done == columns
    return codes


@cache
def digest(config: FrontEndConfig) -> str:
    """Return a SHA-256 over the C text of a front end, and so over all that makes its codes.

    Raises:
        AscError: the configuration has no quantisation, or one that is too fine.
    """
    return _digest(_sources(config))


def _digest(sources: dict[str, str]) -> str:
    return sha256("\0".join([*sources, *sources.values()]).encode("utf-8"))


@cache
def _library(config: FrontEndConfig, *, continuous: bool = False) -> Any:
    """Return the compiled front end, None where it cannot be had."""
    sources = _sources(config, continuous=continuous)
    try:
        compiler = _compiler()
        if compiler is None:
            return None
        program, version = compiler
        named = "\0".join([platform.machine(), version, *FLAGS, _digest(sources)])
        folder, key = user_cache.folder() / "frontend", sha256(named.encode("utf-8"))
        return _ffi.dlopen(str(_kept(folder, key) or _build(program, sources, folder, key)))
    except (AscError, OSError, subprocess.CalledProcessError):
        return None


@cache
def _compiler() -> tuple[str, str] | None:
    """Return the path of the system's C compiler and the first line of its version."""
    for name in _COMPILERS:
        program = shutil.which(name)
        if program is not None:
            answer = child_processes.run([program, "--version"])
            return program, answer.stdout.partition("\n")[0]
    return None


def _sources(config: FrontEndConfig, *, continuous: bool = False) -> dict[str, str]:
    return {
        **runtime_sources("fixed_point", "frontend"),
        **frontend_code.generate(config, "for this computer", continuous=continuous),
        "asc_host.c": _HOST,
    }


def _kept(folder: Path, key: str) -> Path | None:
    """Return the library of the cache if it has a whole one; damaged ones are removed."""
    for path in folder.glob(f"{key}-*.so"):
        if path.name == _name(key, path.read_bytes()):
            return path
        path.unlink(missing_ok=True)
    return None


def _name(key: str, library: bytes) -> str:
    """Return the file name of a library, which tells whether its contents are whole."""
    return f"{key}-{sha256(library)[:16]}.so"


def _build(program: str, sources: dict[str, str], cache_folder: Path, key: str) -> Path:
    with scratch_folders.folder() as folder:
        for source, text in sources.items():
            write_text(folder / source, text)
        files = [source for source in sources if source.endswith(".c")]
        command = [program, *FLAGS, *files, "-o", "library.so"]
        child_processes.run(
            command, folder=folder, environment={"TMPDIR": str(folder)}
        ).check_returncode()
        library = (folder / "library.so").read_bytes()
    path = cache_folder / _name(key, library)
    write_bytes(path, library, wait=True)
    return path
