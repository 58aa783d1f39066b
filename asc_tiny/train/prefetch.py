"""Batches made by a thread while the network learns from the ones before."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")

_DEPTH = 2
_END: Any = object()


def prefetched(items: Iterable[T]) -> Iterator[T]:
    """Yield items in their order; one thread makes up to two of them ahead.

    What they are does not depend on timing: one thread makes all, one after another. An error in
    making an item is raised where the item would have been. Once this ends, or is closed, the
    thread has ended.
    """
    source = iter(items)
    with ThreadPoolExecutor(1, thread_name_prefix="prefetch") as thread:
        ahead: deque[Future[T]] = deque()
        try:
            while True:
                while len(ahead) <= _DEPTH:
                    ahead.append(thread.submit(next, source, _END))
                item = ahead.popleft().result()
                if item is _END:
                    return
                yield item
        finally:
            thread.shutdown(wait=False, cancel_futures=True)
