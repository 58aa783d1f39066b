"""What the guides for developers show, run as it stands there."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from asc_tiny.boards import catalog
from asc_tiny.train import recipe as recipes
from asc_tiny.util.files import read_toml
from support.page_blocks import fenced
from support.page_givens import small_classifier

GUIDES = Path(__file__).parents[2] / "docs" / "developer"


def block(page: str, language: str, number: int = 0) -> str:
    """Return a block of code of a guide."""
    text = (GUIDES / page).read_text(encoding="utf-8")
    return text.split(f"```{language}\n")[number + 1].split("```")[0]


def test_a_network_of_ones_own(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    from asc_tiny.train import loop

    (tmp_path / "my_nets.py").write_text(block("add_a_network.md", "python"))
    (tmp_path / "my_net.toml").write_text(block("add_a_network.md", "toml"))
    recipe = recipes.load(tmp_path / "my_net.toml")
    network = loop.build(recipe, recipe.frontend.shape, 3)
    assert network.output_shape == (None, 3)
    norms = 4 * (32 + 32 + 32 + 32 + 32 + 32 + 48)
    weights = 3 * 10 * 4 * 32 + 3 * 9 * 32 + 2 * 32 * 32 + 32 * 48 + 48 * 3
    biases = 32 + 3 * 32 + 2 * 32 + 48 + 3
    assert network.count_params() == weights + biases + norms
    smaller = loop.build(
        dataclasses.replace(recipe, filters={"first": 16, "point3": 24}), recipe.frontend.shape, 3
    )
    assert smaller.get_layer("point3").filters == 24


def test_the_board_of_the_guide_is_that_of_the_tool() -> None:
    path = Path(catalog.__file__).with_name("board_files") / "nrf52833dk.toml"
    assert block("add_a_board.md", "toml") == path.read_text(encoding="utf-8")


OPERATOR = {
    "python": (
        "asc_tiny/tflite/ops.py",
        "asc_tiny/tflm/kernel_scratch.py",
        "asc_tiny/compiler/kernel_params/reduction.py",
        "asc_tiny/compiler/lower/reduce.py",
        "asc_tiny/compiler/lower/reduce.py",
        "asc_tiny/tflm/kernel_memory.py",
        "tests/support/random_graphs.py",
    ),
    "c": (
        "firmware_templates/runtime/nn/asc_kernels.h",
        "firmware_templates/runtime/nn/asc_arg_max.c",
    ),
}
"""The file that each block of the guide is from, in its order."""


@pytest.mark.parametrize("language", OPERATOR)
def test_the_operator_of_the_guide_is_that_of_the_package(language: str) -> None:
    pages = ("add_an_operator.md", "add_an_operator_lowering.md")
    shown = [text for page in pages for text in fenced(GUIDES / page, language)]
    for name, text in zip(OPERATOR[language], shown, strict=True):
        lines = (GUIDES.parents[1] / name).read_text(encoding="utf-8").splitlines()
        # The guide shows methods without their indentation.
        source = "\n".join(line.strip() for line in lines)
        assert "\n".join(line.strip() for line in text.splitlines()) in source, name


PROJECT_KIND = {
    "pyproject.toml": ("toml", 0),
    "my_kinds/__init__.py": ("python", 0),
    "my_kinds/templates/Makefile.j2": ("make", 0),
    "my_kinds/templates/main.c": ("c", 0),
    "my_kinds/this_computer.toml": ("toml", 1),
}


@pytest.mark.skipif(not shutil.which("make"), reason="needs make")
def test_a_project_kind_in_a_package(tmp_path: Path) -> None:
    package, model = tmp_path / "my-kinds", tmp_path / "models" / "mobilenet_esc10.tflite"
    for name, (language, number) in PROJECT_KIND.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block("add_a_project_kind.md", language, number))
    # What pip makes of the package's entry points.
    info = package / "my_kinds-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-kinds\nVersion: 1.0\n")
    points = read_toml(package / "pyproject.toml")["project"]["entry-points"]
    lines = [
        f"[{group}]\n{name} = {value}\n"
        for group in points
        for name, value in points[group].items()
    ]
    (info / "entry_points.txt").write_text("".join(lines))
    model.parent.mkdir()
    model.write_bytes(small_classifier().read_bytes())
    environment = {**os.environ, "PYTHONPATH": str(package)}
    _, generate, make, listen = block("add_a_project_kind.md", "sh", 0).splitlines()
    command = [sys.executable, "-m", "asc_tiny.cli.main", *generate.split()[1:]]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    subprocess.run(make.split(), check=True, stdout=subprocess.DEVNULL, cwd=tmp_path)
    noise = bytes(range(256)) * 2000
    program = tmp_path / listen.split(" | ")[1]
    printed = subprocess.run([program], input=noise, check=True, capture_output=True).stdout.split()
    assert printed[:2] == [b"selftest", b"0"]
    assert set(printed[2::2]) == {b"scene"} and set(printed[3::2]) <= {b"wind", b"rain", b"birds"}
