"""Splits: no group in two parts, every class in each part, shares as well as groups allow."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asc_tiny.audio.split import Shares, assign, capped
from asc_tiny.util.errors import AscError

THREE = {"train": 70.0, "evaluate": 15.0, "test": 15.0}


def filled(groups, parts):
    """Clips by part and class."""
    counts = {part: Counter() for part in parts.values()}
    for group, part in parts.items():
        counts[part].update(groups[group])
    return counts


@given(
    st.lists(
        st.dictionaries(st.sampled_from("abc"), st.integers(1, 50), min_size=1, max_size=2),
        min_size=3,
        max_size=40,
    ),
    st.integers(2, 5),
    st.integers(0, 3),
)
@settings(max_examples=100, deadline=None)
def test_any_groups(counts, number, seed):
    groups = {f"g{index}": each for index, each in enumerate(counts)}
    shares = Shares({str(part): 1.0 for part in range(number)}, seed)
    classes = {name for each in counts for name in each}
    try:
        parts = assign(groups, shares)
    except AscError as error:
        # Refused only where a class has too few groups, or shares them with others.
        assert "needs one of its own" in str(error) or "needed for other classes" in str(error)
        holders = Counter(name for each in counts for name in each)
        mixed = any(len(each) > 1 for each in counts)
        assert mixed or min(holders.values()) < number
        return
    assert set(parts) == set(groups)  # each group in one part, and none is lost
    assert all(set(each) == classes for each in filled(groups, parts).values())
    shuffled = list(groups)
    random.Random(seed).shuffle(shuffled)
    assert assign({name: groups[name] for name in shuffled}, shares) == parts


def test_shares_and_strata():
    chance = random.Random(4)
    groups = {f"{name}{i}": {name: chance.randint(1, 20)} for name in "abcd" for i in range(100)}
    counts = filled(groups, assign(groups, Shares(THREE)))
    for name in "abcd":
        total = sum(each[name] for each in counts.values())
        for part, share in THREE.items():
            assert counts[part][name] / total == pytest.approx(share / 100.0, abs=0.01)


def test_groups_of_all_classes():
    """Halls in which every machine was recorded."""
    groups = {f"hall{i}": {"fan": 10, "pump": 10} for i in range(10)}
    counts = filled(groups, assign(groups, Shares({"train": 80.0, "test": 20.0})))
    assert counts["train"] == {"fan": 80, "pump": 80}


def test_the_seed_decides_between_equals():
    groups = {f"g{i}": {"a": 1} for i in range(30)}
    one, two = (assign(groups, Shares(THREE, seed)) for seed in (0, 1))
    assert one != two
    assert assign(groups, Shares(THREE, 0)) == one


def test_too_few_groups():
    groups = {"x": {"a": 5}, "y": {"a": 5, "b": 5}, "z": {"a": 1}}
    with pytest.raises(AscError, match="class 'b' has 1 group for the 2 parts train, test"):
        assign(groups, Shares({"train": 1.0, "test": 1.0}))


def test_a_cap_takes_a_clip_of_each_recording_in_turn():
    clips = [(f"long{i:03d}", "fan", "long") for i in range(100)]
    clips += [(f"short{i}{j}", "fan", f"short{i}") for i in range(5) for j in range(2)]
    clips += [("only", "pump", "p")]
    stay = capped(clips, 12)
    assert len(stay) == 13 and "only" in stay
    assert sum(name.startswith("short") for name in stay) == 10
    assert capped(list(reversed(clips)), 12) == stay
    assert len(capped(clips, 1000)) == len(clips)
