"""The notebooks: stored as they were written, and run from the first cell to the last."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.paths import ROOT
from support.patience import PATIENCE_S

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def read(path: Path) -> dict[str, Any]:
    document = json.loads(path.read_text(encoding="utf-8"))
    assert isinstance(document, dict)
    return document


def code(path: Path) -> list[dict[str, Any]]:
    return [cell for cell in read(path)["cells"] if cell["cell_type"] == "code"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_stored_without_outputs(path: Path) -> None:
    for cell in code(path):
        assert not cell["outputs"] and cell["execution_count"] is None
    text = path.read_text(encoding="utf-8")
    assert text == json.dumps(read(path), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def test_the_page_about_python_names_each() -> None:
    page = (ROOT / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
    assert NOTEBOOKS
    assert all(f"(../../notebooks/{path.name})" in page for path in NOTEBOOKS)


# What a quick test of the objects cannot show: that the steps of a notebook go together.
@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    if "keras" in path.stem:
        pytest.importorskip("tensorflow")
    # What the notebooks write, and what Jupyter keeps, goes with the test.
    for name in ("TMPDIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(tmp_path))
    notebook = nbformat.read(path, 4)
    nbformat.validate(notebook)
    place = {"metadata": {"path": str(path.parent)}}
    # The kernel is the Python of the test, whichever kernels are installed.
    client = nbclient.NotebookClient(
        notebook, timeout=int(PATIENCE_S), kernel_name="python3", resources=place
    )
    client.execute()
    shown = [
        set(output["data"])
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "data" in output
    ]
    assert {"text/html", "text/plain"} in shown
    assert not [cell for cell in notebook.cells if "Error" in str(cell.get("outputs"))]
