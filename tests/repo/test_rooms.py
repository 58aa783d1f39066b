"""The rooms of the package stand above each other: imports run down, never back up."""

from __future__ import annotations

import ast
from pathlib import Path

import asc_tiny

PACKAGE = Path(asc_tiny.__file__).parent

ROOMS = (
    *("util", "starter", "audio", "resample", "pdm", "boards"),
    *("tflite", "frontend", "model", "tflm"),
    *("compiler", "nets", "complexity", "decision", "firmware", "features"),
    *(
        "train",
        "compress",
        "projects",
        "costs",
        "evaluation",
        "targets",
        "conformance",
        "monitor",
        "search",
        "report",
        "api",
        "cli",
    ),
)
"""From the ground up: each imports only from itself and from those before it."""

FLOORS = {
    "compiler": (
        *("options", "diagnostics", "weight_packing", "kernel_params", "ir", "stage_costs"),
        *("lower", "supported", "passes", "planner", "verify", "pipeline", "report"),
    ),
    "frontend": ("arrays", "mel", "config"),
    "monitor": (
        *("spectrogram", "scale", "colors", "picture", "state", "rows", "lines", "reader"),
        *("terminal", "web"),
    ),
    "targets": ("build", "image", "cycles", "emulator", "device", "flashing"),
}
"""The same within a room whose parts build on each other."""


def imported(path: Path) -> set[str]:
    """Return the modules of this package that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{path}: relative import"
            if node.module.split(".")[0] == "asc_tiny":
                found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {a.name for a in node.names if a.name.split(".")[0] == "asc_tiny"}
    return found


def climbs(folder: Path, prefix: str, order: tuple[str, ...]) -> list[str]:
    """Return the imports from a part of ``folder`` of one that stands above it."""
    wrong = []
    for path in sorted(folder.rglob("*.py")):
        part = path.relative_to(folder).with_suffix("").parts[0]
        if part not in order:
            continue
        for module in sorted(imported(path)):
            target = module.removeprefix(prefix).split(".")[0]
            inside = module.startswith(prefix) and target in order
            if inside and order.index(target) > order.index(part):
                wrong.append(f"{path.relative_to(folder)} imports {module}")
    return wrong


def test_every_room_is_in_the_order() -> None:
    assert sorted(ROOMS) == sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))


def test_imports_run_one_way() -> None:
    assert not climbs(PACKAGE, "asc_tiny.", ROOMS)
    for room, order in FLOORS.items():
        assert not climbs(PACKAGE / room, f"asc_tiny.{room}.", order)


def test_an_import_of_a_room_above_is_found(tmp_path: Path) -> None:
    (tmp_path / "low").mkdir()
    (tmp_path / "low" / "a.py").write_text("def f():\n    from asc_tiny.high import b\n")
    (tmp_path / "high").mkdir()
    (tmp_path / "high" / "b.py").write_text("from asc_tiny.low import a\n")
    found = climbs(tmp_path, "asc_tiny.", ("low", "high"))
    assert found == ["low/a.py imports asc_tiny.high.b"]
