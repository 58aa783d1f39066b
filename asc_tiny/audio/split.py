"""Parts of a data set that share no group: the same shares of each class, as well as groups allow.

A group (a recording, place or speaker) goes whole to one part. Groups are taken the largest first
and each goes where it brings the counts of clips by class closest to what the shares ask for, as
scikit-learn's ``StratifiedGroupKFold`` does it; before that, each part gets a group of each class.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError

Counts = Mapping[str, int]
"""Clips by class."""


@dataclass(frozen=True)
class Shares:
    """Sizes of the parts in relation to each other.

    Attributes:
        of: weight by the name of a part, each above 0, in the order in which parts are served.
        seed: number that decides between groups that are alike.
    """

    of: Mapping[str, float]
    seed: int = 0


def assign(groups: Mapping[str, Counts], shares: Shares) -> dict[str, str]:
    """Return the part of each group. Equal arguments give equal parts, in any order of ``groups``.

    Args:
        groups: clips by class by the name of the group.
        shares: the parts.

    Raises:
        AscError: a class has fewer groups than there are parts, or is missing in a part all the
            same since its groups are needed for other classes.
    """
    state = _State(groups, shares)
    for name in _rarest_first(groups):
        holders = [group for group, counts in groups.items() if counts.get(name)]
        if len(holders) < len(shares.of):
            raise AscError(
                f"class {shown(name)} has {len(holders)} {_groups(len(holders))} for the "
                f"{len(shares.of)} parts {', '.join(shares.of)}, each needs one of its own; record "
                "more, or give fewer parts by --split or --folds"
            )
        for part in shares.of:
            if not state.filled[part][name]:
                free = [group for group in holders if group not in state.parts]
                if not free:
                    raise AscError(
                        f"class {shown(name)} is missing in part {part}: its groups are needed "
                        "for other classes; give fewer parts by --split or --folds"
                    )
                state.put(min(free, key=lambda each: (groups[each][name], state.rank(each))), part)
    for group in sorted(groups, key=lambda each: (-_size(groups[each]), state.rank(each))):
        if group not in state.parts:
            state.put(group, min(shares.of, key=lambda part: state.error_with(group, part)))
    return {group: state.parts[group] for group in sorted(state.parts)}


def _groups(number: int) -> str:
    return "group" if number == 1 else "groups"


def _size(counts: Counts) -> int:
    return sum(counts.values())


def _rarest_first(groups: Mapping[str, Counts]) -> list[str]:
    """Return the classes, those with the fewest groups first."""
    holders = Counter(name for counts in groups.values() for name, count in counts.items() if count)
    return sorted(holders, key=lambda name: (holders[name], name))


class _State:
    """What has been assigned so far."""

    def __init__(self, groups: Mapping[str, Counts], shares: Shares) -> None:
        self.groups = groups
        self.seed = shares.seed
        self.parts: dict[str, str] = {}
        self.filled: dict[str, Counter[str]] = {part: Counter() for part in shares.of}
        self.total: Counter[str] = Counter()
        for counts in groups.values():
            self.total.update(counts)
        whole = sum(shares.of.values())
        self.share = {part: weight / whole for part, weight in shares.of.items()}

    def rank(self, group: str) -> str:
        """Return where a group stands among those alike, by chance and yet the same each time."""
        return hashlib.sha256(f"{self.seed}\0{group}".encode()).hexdigest()

    def put(self, group: str, part: str) -> None:
        """Assign a group."""
        self.parts[group] = part
        self.filled[part].update(self.groups[group])

    def error_with(self, group: str, part: str) -> float:
        """Return by how much a group changes the squared error of a part's shares of the classes.

        The error of a class in a part is what it misses or has too much of its share, in units of
        that share, so that a small part is filled as exactly as a large one.
        """
        error = 0.0
        for name, count in self.groups[group].items():
            goal = self.share[part] * self.total[name]
            if goal:
                before = self.filled[part][name] / goal - 1.0
                after = (self.filled[part][name] + count) / goal - 1.0
                error += (after * after - before * before) * self.share[part]
        return error


def capped(clips: Sequence[tuple[str, str, str]], most: int) -> list[str]:
    """Return at most ``most`` clips of each class, spread over its recordings.

    Each recording gives a clip in turn, so that a long one does not push out the short ones.

    Args:
        clips: name of the clip, its class, its recording, in any order.
        most: clips of a class that stay.
    """
    by_class: dict[str, dict[str, list[str]]] = {}
    for clip, name, recording in sorted(clips):
        by_class.setdefault(name, {}).setdefault(recording, []).append(clip)
    chosen = []
    for recordings in by_class.values():
        turns = sorted(
            (turn, _hash(recording), clip)
            for recording, members in recordings.items()
            for turn, clip in enumerate(sorted(members, key=_hash))
        )
        chosen += [clip for _, _, clip in turns[:most]]
    return sorted(chosen)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
