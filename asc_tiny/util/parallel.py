"""Parts of a long piece of work, done here, in processes, or on the computers of a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from asc_tiny.util import process_pool, ray_cluster
from asc_tiny.util.errors import AscError


@contextmanager
def executor(jobs: int, ray: str | None = None) -> Iterator[Executor | None]:
    """Yield what does parts of the work side by side; None if this process does all of it.

    Processes are spawned: a script needs an ``if __name__ == "__main__":`` around this.

    Args:
        jobs: processes of this computer, 1 or more.
        ray: address of a Ray cluster whose cores work instead; None for this computer.

    Raises:
        AscError: Ray is not installed, or the cluster does not answer.
    """
    if ray is not None:
        with ray_cluster.connected(ray) as cluster:
            yield cluster
    elif jobs > 1:
        with process_pool.pool(jobs) as pool:
            yield pool
    else:
        yield None


def completed(
    pool: Executor | None,
    function: Callable[..., Any],
    parts: Sequence[tuple[Any, ...]],
    *,
    what: str,
) -> Iterator[tuple[int, Any]]:
    """Yield index and result of each part, as they are done.

    Args:
        pool: what ``executor`` has yielded.
        function: what is done to a part; with a pool it can be imported by its name.
        parts: arguments of the function, part by part; with a pool they can be pickled.
        what: what is worked at, for messages.

    Raises:
        AscError: the function has raised it, or a process was killed.
    """
    if pool is None:
        for index, part in enumerate(parts):
            yield index, function(*part)
        return
    with process_pool.interrupts_blocked():
        futures = {pool.submit(function, *part): index for index, part in enumerate(parts)}
    try:
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BrokenProcessPool as error:
        raise AscError(f"{what}: a process was killed, is there enough memory?") from error
