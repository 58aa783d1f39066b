"""The way of a model to a project: down the stairs once."""

from __future__ import annotations

from pathlib import Path

import pytest

from asc_tiny import api
from asc_tiny.cli.main import main
from asc_tiny.compiler.report.plan import report
from asc_tiny.firmware.network import compiled
from asc_tiny.tflm import ensemble_interpreter
from support.device_lines import small_model
from support.tflite_builder import Builder


def counted(monkeypatch: pytest.MonkeyPatch, owner: object, name: str) -> list[str]:
    """Make a function of a module note each of its calls."""
    calls: list[str] = []
    original = getattr(owner, name)

    def noting(*arguments: object, **options: object) -> object:
        calls.append(name)
        return original(*arguments, **options)

    monkeypatch.setattr(owner, name, noting)
    return calls


@pytest.mark.parametrize("kernels", [True, False], ids=["with TFLM's kernels", "without"])
def test_a_network_is_compiled_and_rendered_once(
    kernels: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where its plan is told and its C code gives the scores of the self-test."""
    if kernels:
        pytest.importorskip("tflite_micro")
    else:
        monkeypatch.setattr(ensemble_interpreter, "find_spec", lambda name: None)
    compilations = counted(monkeypatch, compiled, "compile_graph")
    renderings = counted(monkeypatch, compiled, "emit")
    model = small_model(tmp_path / "small.tflite")
    plan, out = tmp_path / "plan.txt", tmp_path / "firmware"
    with pytest.raises(SystemExit) as ended:
        main(["generate", str(model), "--plan", str(plan), "--out", str(out), "--schedule", "rows"])
    assert ended.value.code == 0
    assert plan.stat().st_size
    assert len(compilations) == len(renderings) == 1


def test_a_folder_of_another_is_refused_before_anything_is_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compilations = counted(monkeypatch, compiled, "compile_graph")
    model = small_model(tmp_path / "small.tflite")
    with pytest.raises(api.AscError, match="is not empty and holds no generated project"):
        api.generate(model, tmp_path)
    assert not compilations


def test_options_of_the_compiler_are_refused_where_another_runs_the_network(tmp_path: Path) -> None:
    model = small_model(tmp_path / "small.tflite")
    with pytest.raises(api.AscError, match="--schedule: is for --runtime aot"):
        api.generate(model, tmp_path / "x", runtime="tflm", schedule="rows")
    with pytest.raises(api.AscError, match="runtime = other, allowed: aot, tflm"):
        api.generate(model, tmp_path / "x", runtime="other")


def with_a_known_shape() -> bytes:
    """Return a network that reshapes its input to the shape that it has."""
    b = Builder()
    x, y, z = (b.activation((1, 4, 6), 0.1, 3) for _ in range(3))
    shape = b.activation((3,), 1.0, 0, "INT32")
    b.operator("SHAPE", [x], [shape], outType="INT32")
    b.operator("RESHAPE", [x, shape], [y])
    b.operator("RELU", [y], [z])
    return b.finish([x], [z])


def test_the_plan_names_what_was_folded(tmp_path: Path) -> None:
    model = tmp_path / "model.tflite"
    model.write_bytes(with_a_known_shape())
    done = api.generate(model, tmp_path / "sources", project="sources")
    assert done.networks[0].folded == ("0 SHAPE",)
    assert "folded, since their results are known: 0 SHAPE" in report(done.networks[0])
