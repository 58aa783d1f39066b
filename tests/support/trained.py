"""A run of a small network on the synthetic data set, trained once in a run of the tests."""

from __future__ import annotations

import shutil
from pathlib import Path

from asc_tiny.audio.dataset import Dataset
from asc_tiny.train import recipe as recipes
from support import session_cache
from support.recipes import RECIPE

RECIPE_FILE, RUN, CACHE = "small.toml", "run", "cache"


def copied(synthetic: Path, folder: Path) -> Path:
    """Write the run after its first epoch to a folder that may not exist yet.

    Args:
        synthetic: the data set.
        folder: folder for the recipe, the run and a cache with the features that it took.

    Returns:
        The folder.
    """

    def train(path: Path) -> None:
        from asc_tiny.train import loop

        path.mkdir()
        recipe = path / RECIPE_FILE
        recipe.write_text(RECIPE, encoding="utf-8")
        data = Dataset.load(synthetic)
        loop.train(recipes.load(recipe), data, path / RUN, epochs=1, cache_folder=path / CACHE)

    made = session_cache.entry(session_cache.key("trained", RECIPE), train)
    shutil.copytree(made, folder, dirs_exist_ok=True)
    return folder
