from __future__ import annotations

import numpy as np

from asc_tiny.search.pareto import front


def test_the_front_is_what_brute_force_finds() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        count = int(rng.integers(1, 9))
        gain, one, two = (rng.integers(0, 4, count) for _ in range(3))
        expected = {
            i
            for i in range(count)
            if not any(
                (gain[j] >= gain[i] and one[j] <= one[i] and two[j] <= two[i])
                and ((gain[j], one[j], two[j]) != (gain[i], one[i], two[i]) or j < i)
                for j in range(count)
            )
        }
        found = front(gain, [one, two])
        assert set(found) == expected
        assert list(gain[found]) == sorted(gain[found], reverse=True)


def test_of_equal_candidates_the_first_one_is_on_it() -> None:
    assert front([1.0, 1.0], [[2, 2]]) == [0]
