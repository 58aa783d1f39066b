"""Candidates: recipes that a search makes of values that it chose."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

import tomli_w

from asc_tiny.compress.prune.channels import FIXED, trace
from asc_tiny.train import recipe as recipes
from asc_tiny.train.loop import build
from asc_tiny.train.recipe import Recipe
from asc_tiny.util.errors import AscError

_FILTERS = "filters."


def candidate(base: Recipe, values: Mapping[str, Any], classes: int) -> Recipe:
    """Return the recipe that has other values for some keys.

    A key ``filters.PATTERN``, whose pattern has a ``*`` or a ``?``, has the share of the filters
    that all layers of such names keep, above 0 and up to 1: what structured pruning at the rate
    of 1 less that share would leave.

    Args:
        base: recipe that has all other values.
        values: value of each key, its table's name and a dot before it.
        classes: number of classes, 2 or more.

    Raises:
        AscError: the recipe has no such key, a value is out of range, or the network cannot be
            built.
    """
    content = base.content
    shares = {key: value for key, value in values.items() if _is_share(key)}
    for key in values.keys() - shares.keys():
        _put(content, key, values[key])
    recipe = _parsed(content, base)
    if not shares:
        return recipe
    whole = _prunable(recipe, classes)
    kept = [_kept(recipe.network, key, share, whole) for key, share in shares.items()]
    content["filters"] = {**recipe.filters, **{k: v for each in kept for k, v in each.items()}}
    return _parsed(content, base)


def _is_share(key: str) -> bool:
    return key.startswith(_FILTERS) and bool(set(key) & set("*?"))


def _parsed(content: Mapping[str, Any], base: Recipe) -> Recipe:
    return recipes.parse(tomli_w.dumps(content).encode("utf-8"), folder=base.folder)


def _put(content: dict[str, Any], key: str, value: Any) -> None:
    *tables, name = key.split(".")
    table = content
    for part in tables:
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            raise AscError(f'space."{key}": {part} is no table of the recipe')
    table[name] = value


def _prunable(recipe: Recipe, classes: int) -> dict[str, int]:
    """Return the filters of the layers that may have fewer, by name."""
    producers = trace(build(recipe, recipe.frontend.shape, classes)).producers
    return {name: len(ids) for name, ids in producers.items() if not (ids == FIXED).any()}


def _kept(network: str, key: str, share: Any, whole: Mapping[str, int]) -> dict[str, int]:
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 1:
        raise AscError(f'space."{key}" = {share}, allowed: a share above 0, up to 1')
    pattern = key.removeprefix(_FILTERS)
    matching = {name: count for name, count in whole.items() if fnmatchcase(name, pattern)}
    if not matching:
        raise AscError(
            f'space."{key}": matches no layer of {network} that can have fewer filters; these '
            f"are {', '.join(whole)}"
        )
    return {name: max(round(share * count), 1) for name, count in matching.items()}
