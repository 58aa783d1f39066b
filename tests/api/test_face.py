"""The face of the package: what it promises is there, documented, and works as its page says."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from asc_tiny import api
from support.paths import ROOT

USER_PAGES = [
    ROOT / "README.md",
    *(ROOT / "docs").glob("[!ad]*/*.md"),
    *(ROOT / "models").glob("*.md"),
]
FUNCTIONS = [name for name in api.__all__ if inspect.isfunction(getattr(api, name))]
CLASSES = [name for name in api.__all__ if inspect.isclass(getattr(api, name))]
SECTIONS = ("Parameters", "Returns", "Yields", "Raises", "Examples")


def sections(name: str) -> dict[str, str]:
    """The sections of a function's docstring, in their order."""
    text = inspect.cleandoc(getattr(api, name).__doc__ or "")
    found = re.split(r"^(\w+)\n-+\n", text, flags=re.MULTILINE)
    return dict(zip(found[1::2], found[2::2], strict=True))


def imported(module: str) -> set[tuple[str, str]]:
    """The names that a file imports under ``if TYPE_CHECKING``, with their modules."""
    tree = ast.parse(Path(importlib.import_module(module).__file__ or "").read_text())
    guards = [node for node in tree.body if isinstance(node, ast.If)]
    return {
        (node.module or "", alias.name)
        for guard in guards
        for node in guard.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def test_type_checkers_see_what_is_there() -> None:
    assert imported("asc_tiny.api") == {(module, name) for name, module in api._MODULES.items()}
    assert sorted(FUNCTIONS + CLASSES) == dir(api) == sorted(api.__all__)
    with pytest.raises(AttributeError, match="no attribute 'numpy'"):
        _ = api.numpy


def test_names_are_imported_when_they_are_used() -> None:
    code = (
        "import sys\n"
        "import asc_tiny.api as api\n"
        "first = {n for n in sys.modules if n.startswith('asc_tiny.')}\n"
        "assert first == {'asc_tiny.api'}, first\n"
        "api.check_budget([sys.argv[1]])\n"
        "print(*({'numpy', 'tensorflow', 'keras', 'scipy', 'jinja2'} & set(sys.modules)))\n"
    )
    model = ROOT / "models" / "mobilenet_esc10.tflite"
    command = [sys.executable, "-c", code, str(model)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "\n"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_documented_as_a_reader_expects(name: str) -> None:
    found = sections(name)
    assert [each for each in SECTIONS if each in found] == list(found)
    assert {"Returns", "Yields"} & set(found) or name == "write_baseline"
    names = re.findall(r"^(\w.*)$", found.get("Parameters", ""), flags=re.MULTILINE)
    listed = [each for line in names for each in line.split(", ")]
    parameters = inspect.signature(getattr(api, name)).parameters
    assert sorted(listed) == sorted(parameters)
    assert "Raises" in found or not parameters


@pytest.mark.parametrize("name", FUNCTIONS)
def test_examples_are_true(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if name == "scores":
        pytest.importorskip("tflite_micro")
    monkeypatch.chdir(ROOT)
    value = getattr(api, name)
    text = inspect.cleandoc(value.__doc__ or "")
    example = doctest.DocTestParser().get_doctest(text, {"out": tmp_path}, name, None, None)
    printed: list[str] = []
    runner = doctest.DocTestRunner(verbose=False)
    assert runner.run(example, out=printed.append).failed == 0, "".join(printed)


def test_most_functions_that_need_no_tools_have_an_example() -> None:
    without = {name for name in FUNCTIONS if "Examples" not in sections(name)}
    need_tools = {"build", "infer", "read_inputs", "run", "verify", "bench", "simulate"} | {
        *("inspect_firmware", "plot_decisions")
    }
    need_clips = {
        "check_dataset",
        "evaluate",
        "evaluate_stream",
        "fit_ensemble",
        "load_dataset",
        "prepare_dataset",
        "read_pcm",
    }
    training = {
        "train",
        "train_devices",
        "train_study",
        "search",
        "quantize",
        "quantize_keras",
        "prune",
        "write_baseline",
    }
    assert without <= need_tools | need_clips | training


DOING = {"features", "frontend", "model", "nets", "resample", "tflite", "tflm", "train"} | {
    *("compress", "compiler", "firmware")
}
"""Rooms whose work commands get from the face."""

TEXTS = ("asc_tiny.compiler.report.", "asc_tiny.tflm.interpreter.Interpreter")
"""What they print by themselves: reports of the compiler, the size of the arena on this machine."""


def used(path: Path) -> Iterator[str]:
    """Yield what a module imports from the package when it runs, wherever in it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        node
        for guard in ast.walk(tree)
        if isinstance(guard, ast.If) and "TYPE_CHECKING" in ast.unparse(guard.test)
        for node in ast.walk(guard)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node not in for_types:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_commands_let_the_face_do_the_work() -> None:
    names = {
        f"{path.name}: {name}"
        for path in (ROOT / "asc_tiny" / "cli").glob("*.py")
        for name in used(path)
        if name.split(".")[1] in DOING and not name.startswith(TEXTS)
    }
    assert not names
    assert "asc_tiny.api" in set(used(ROOT / "asc_tiny" / "cli" / "generate.py"))


def deep_names(text: str) -> Iterator[str]:
    """The modules and names inside the package that a page tells of."""
    names = r"(?<!python -m )asc_tiny(?:\.\w+)+|from asc_tiny(?:\.\w+)* import \w+"
    for found in re.finditer(names, text):
        if not re.fullmatch(r"asc_tiny\.api(\.\w+)?|from asc_tiny import api", found[0]):
            yield found[0]


@pytest.mark.parametrize("page", USER_PAGES, ids=lambda page: page.name)
def test_pages_for_users_promise_the_face_alone(page: Path) -> None:
    assert list(deep_names(page.read_text(encoding="utf-8"))) == []


def test_a_deep_name_on_a_page_is_found() -> None:
    text = "`asc_tiny.tflm.arena`; from asc_tiny import api; from asc_tiny.model import ensemble"
    assert list(deep_names(text)) == ["asc_tiny.tflm.arena", "from asc_tiny.model import ensemble"]


def test_listening_needs_no_package_of_training() -> None:
    """Features and checks of data sets belong to the wheel without extras."""
    without = ("tomli_w", "keras", "tensorflow", "matplotlib", "tflite_micro")
    text = (
        f"import sys; sys.modules.update(dict.fromkeys({without})); import asc_tiny.api.listening"
    )
    subprocess.run([sys.executable, "-c", text], check=True)
