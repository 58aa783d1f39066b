"""Items made ahead: the same in the same order, errors in their place, no thread left."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from asc_tiny.train.prefetch import prefetched


def threads():
    return [each for each in threading.enumerate() if each.name.startswith("prefetch")]


def drawn(count):
    rng = np.random.default_rng(1)
    for _ in range(count):
        yield rng.random(3)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 20])
def test_items_and_their_order_stay(count):
    found = list(prefetched(drawn(count)))
    assert len(found) == count
    for each, expected in zip(found, drawn(count), strict=True):
        np.testing.assert_array_equal(each, expected)
    assert not threads()


def test_items_are_made_while_others_are_used():
    made = [threading.Event() for _ in range(6)]

    def source():
        for event in made:
            event.set()
            yield threading.current_thread()

    for number, maker in enumerate(prefetched(source())):
        # Had nobody made it ahead, this would never come.
        assert made[min(number + 2, 5)].wait(timeout=600)
        assert maker is not threading.current_thread()


def test_an_error_is_raised_in_its_place():
    def source():
        yield from (1, 2, 3)
        raise ValueError("no more")

    found = []
    with pytest.raises(ValueError, match="no more"):
        found.extend(prefetched(source()))
    assert found == [1, 2, 3]
    assert not threads()


def test_closing_ends_the_thread():
    items = prefetched(drawn(1000))
    next(items)
    items.close()
    assert not threads()
