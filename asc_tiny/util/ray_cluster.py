"""Functions that run on the computers of a Ray cluster, as processes run them on this one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import Any

from asc_tiny.util.errors import AscError

_RETRIES = 2
"""How often a call is made again whose process or computer is lost."""


@contextmanager
def connected(address: str) -> Iterator[Executor]:
    """Yield what runs functions on a cluster, a core for each call.

    Functions must be importable there; files that they read have the same paths. A call whose
    computer is lost is made again on another one. Futures raise ``AscError`` if the function does,
    or if the call is lost for good.

    Args:
        address: address of the cluster, such as ``127.0.0.1:6379``; ``auto`` for the one of this
            computer.

    Raises:
        AscError: Ray is not installed, or the cluster does not answer.
    """
    try:
        import ray as library
    except ImportError as error:
        raise AscError("ray is not installed: pip install 'asc-tiny[search]'") from error
    try:
        library.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, ValueError, RuntimeError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise AscError(f"--ray {address}: the cluster does not answer: {first}") from error
    try:
        yield _Cluster(library)
    finally:
        library.shutdown()


class _Cluster(Executor):
    def __init__(self, library: Any) -> None:
        self._errors = library.exceptions.RayError
        self._call = library.remote(num_cpus=1, max_retries=_RETRIES)(_answered)

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()

        def done(source: Future[Any]) -> None:
            try:
                error, value = source.result()
            except self._errors as lost:
                lines = str(lost).strip().splitlines() or [type(lost).__name__]
                error, value = f"ray: {lines[-1]}", None
            if error is None:
                future.set_result(value)
            else:
                future.set_exception(AscError(error))

        self._call.remote(function, args, kwargs).future().add_done_callback(done)
        return future


def _answered(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[str | None, Any]:
    """Return why a function has no result, else None and the result."""
    try:
        return None, function(*args, **kwargs)
    except AscError as error:
        return str(error), None
