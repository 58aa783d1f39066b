"""What the guides for developers show, run as it stands there."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from asc_tiny import nets
from asc_tiny.train import recipe as recipes

GUIDES = Path(__file__).parents[2] / "docs" / "developer"


def block(page: str, language: str, number: int = 0) -> str:
    """Return a block of code of a guide."""
    text = (GUIDES / page).read_text(encoding="utf-8")
    return text.split(f"```{language}\n")[number + 1].split("```")[0]


def test_a_network_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tensorflow")
    (tmp_path / "ds_cnn.py").write_text(block("add_a_network.md", "python"))
    (tmp_path / "ds_cnn.toml").write_text(block("add_a_network.md", "toml"))
    spec = importlib.util.spec_from_file_location(f"{nets.__name__}.ds_cnn", tmp_path / "ds_cnn.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, spec.name, module)
    scope: dict[str, tuple[str, ...]] = {}
    exec(block("add_a_network.md", "python", 1), scope)
    monkeypatch.setattr(nets, "NAMES", scope["NAMES"])
    recipe = recipes.load(tmp_path / "ds_cnn.toml")
    network = nets.build(recipe.network, recipe.frontend.shape, 3)
    assert network.output_shape == (None, 3)
    norms = 4 * (32 + 32 + 32 + 32 + 32 + 32 + 48)
    weights = 3 * 10 * 4 * 32 + 3 * 9 * 32 + 2 * 32 * 32 + 32 * 48 + 48 * 3
    biases = 32 + 3 * 32 + 2 * 32 + 48 + 3
    assert network.count_params() == weights + biases + norms
    fewer = {name: count // 2 for name, count in nets.filters("ds_cnn").items()}
    smaller = nets.build("ds_cnn", recipe.frontend.shape, 3, filters=fewer)
    assert smaller.get_layer("point3").filters == 24
