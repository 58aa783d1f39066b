"""Outputs of networks, part by part; a run that is killed leaves them for the next one.

They lie in the user's cache until the evaluation is complete, under names that say all that they
depend on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asc_tiny import __version__
from asc_tiny.util import parallel, user_cache
from asc_tiny.util.array_files import read_arrays
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import replacing, sha256
from asc_tiny.util.progress import Bar

Int8Array = NDArray[np.int8]
Outputs = dict[str, Int8Array]
"""Outputs of networks, shape (rows, labels) each, by any name."""

PART = 128
"""Rows in a part: what a killed run may lose for each process."""


class KeptOutputs:
    """Parts of an evaluation that are done.

    Args:
        folder: folder that has them.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._paths: set[Path] = set()

    def computed(
        self,
        function: Callable[..., Outputs],
        parts: Sequence[tuple[Any, ...]],
        keys: Sequence[str],
        pool: Executor | None,
        bar: Bar,
    ) -> Outputs:
        """Return the outputs of all parts, one after the other.

        Args:
            function: gives the outputs of a part; without a pool it takes, besides the part, a
                function to call after each row.
            parts: arguments of the function, one part or more.
            keys: text for each part that says all that its outputs depend on.
            pool: what ``parallel.executor`` has yielded.
            bar: is moved on by the rows that are done.

        Raises:
            AscError: the function has raised it, a process was killed, or a part cannot be kept.
        """
        paths = [self._path(key) for key in keys]
        found = {index: outputs for index, path in enumerate(paths) if (outputs := _read(path))}
        for outputs in found.values():
            bar.update(len(next(iter(outputs.values()))))
        missing = [index for index in range(len(parts)) if index not in found]
        here = () if pool else (bar.update,)
        work = [(*parts[index], *here) for index in missing]
        for number, outputs in parallel.completed(pool, function, work, what="evaluate"):
            index = missing[number]
            found[index] = outputs
            _write(paths[index], outputs)
            if pool:
                bar.update(len(next(iter(outputs.values()))))
        rows = [found[index] for index in range(len(parts))]
        return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}

    def _path(self, key: str) -> Path:
        text = "\n".join([__version__, _kernels(), key])
        path = self._folder / f"{sha256(text.encode())}.npz"
        self._paths.add(path)
        return path

    def forget(self) -> None:
        """Remove the parts."""
        for path in self._paths:
            path.unlink(missing_ok=True)


@contextmanager
def until_complete() -> Iterator[KeptOutputs]:
    """Yield what keeps parts if the block fails or is killed, and no longer than that."""
    kept = KeptOutputs(user_cache.folder() / "evaluation")
    yield kept
    kept.forget()


@cache
def _kernels() -> str:
    """Return the version of TensorFlow Lite Micro's kernels; empty if there are none."""
    try:
        return metadata.version("tflite-micro")
    except metadata.PackageNotFoundError:
        return ""


def _read(path: Path) -> Outputs | None:
    try:
        return read_arrays(path) if path.exists() else None
    except AscError:
        # It is computed again.
        return None


def _write(path: Path, outputs: Outputs) -> None:
    # Two runs may compute the same part: the second one writes the same bytes again.
    with replacing(path, wait=True) as temporary:
        np.savez(temporary, **outputs)  # type: ignore[arg-type]
