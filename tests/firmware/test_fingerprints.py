"""Files of two generations mixed: the compiler says which do not belong together."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from asc_tiny.model import model_file
from support.commands import asc_tiny
from support.ensemble_models import perturbed, write_ensemble
from support.native import FLAGS
from support.paths import MODEL

TABLES, LABELS, NET, RECORD = "asc_frontend_tables", "asc_labels", "asc_net", "asc_provenance"


def sources(model: Path, folder: Path, *options: object) -> Path:
    arguments = ["--project", "sources", "--out", folder, *options]
    assert asc_tiny("generate", model, *arguments) == 0
    return folder


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sources(MODEL, tmp_path_factory.mktemp("ours"))


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Generations that differ in one thing, all of the same shapes."""
    folder = tmp_path_factory.mktemp("others")
    config = model_file.load(MODEL).frontend
    assert config
    values = dataclasses.replace(config, f_max=20000.0, quantization=None).to_dict()
    del values["quantisation"]
    frontend = folder / "frontend.toml"
    text = (
        f"{k} = {str(v).lower() if isinstance(v, bool) else repr(v)}" for k, v in values.items()
    )
    frontend.write_text("\n".join(text))
    labels = folder / "labels.txt"
    labels.write_text("\n".join(reversed(model_file.load(MODEL).labels or ())))
    return {
        "front end": sources(MODEL, folder / "frontend", "--frontend", frontend),
        "labels": sources(MODEL, folder / "labels", "--labels", labels),
        "model": sources(perturbed(folder / "other.tflite"), folder / "model"),
    }


def errors(folder: Path) -> str:
    """Return what the compiler says about all files of a folder, each by itself."""
    command = ["cc", *FLAGS, "-fsyntax-only", *sorted(folder.glob("*.c"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == ("error:" not in done.stderr), done.stderr
    return done.stderr


def mixed(ours: Path, theirs: Path, names: list[str], folder: Path) -> str:
    shutil.copytree(ours, folder, dirs_exist_ok=True)
    for name in names:
        assert (theirs / name).read_text() != (ours / name).read_text()
        shutil.copy(theirs / name, folder)
    return errors(folder)


@pytest.mark.parametrize(
    ("difference", "names", "message"),
    [
        ("front end", [f"{TABLES}.h"], f"{TABLES}.h and {TABLES}.c are of different front ends"),
        ("front end", [f"{TABLES}.c"], f"{TABLES}.h and {TABLES}.c are of different front ends"),
        ("front end", [f"{TABLES}.h", f"{TABLES}.c"], f"needs another front end than {TABLES}.h"),
        ("front end", [f"{NET}.h"], f"needs another front end than {TABLES}.h"),
        ("front end", [f"{RECORD}.c"], f"{TABLES}.h is not of the model that this file tells of"),
        ("labels", [f"{LABELS}.h"], f"{LABELS}.h and {LABELS}.c hold different labels"),
        ("labels", [f"{LABELS}.c"], f"{LABELS}.h and {LABELS}.c hold different labels"),
        ("labels", [f"{LABELS}.h", f"{LABELS}.c"], f"needs other labels than {LABELS}.h"),
        ("labels", [f"{NET}.h"], f"needs other labels than {LABELS}.h"),
        ("labels", [f"{RECORD}.c"], f"{LABELS}.h is not of the model that this file tells of"),
        ("model", [f"{NET}.h"], f"{NET}.h and {NET}.c are of different models"),
        ("model", [f"{NET}.c"], f"{NET}.h and {NET}.c are of different models"),
        ("model", [f"{NET}.h", f"{NET}.c"], f"{NET}.h is not of the model that this file tells of"),
        ("model", [f"{RECORD}.c"], f"{NET}.h is not of the model that this file tells of"),
    ],
)
def test_mixture_is_refused(
    difference: str,
    names: list[str],
    message: str,
    ours: Path,
    others: dict[str, Path],
    tmp_path: Path,
) -> None:
    text = mixed(ours, others[difference], names, tmp_path / "mixed")
    assert message in text
    assert "generate both anew" in text


def test_generations_compile(ours: Path, others: dict[str, Path]) -> None:
    for folder in (ours, *others.values()):
        assert errors(folder) == ""


@pytest.mark.parametrize(
    ("header", "macro"), [(TABLES, "FRONTEND_TABLES"), (NET, "NET"), ("asc_kernels", "KERNELS")]
)
def test_other_version_is_refused(header: str, macro: str, ours: Path, tmp_path: Path) -> None:
    folder = tmp_path / "newer"
    shutil.copytree(ours, folder)
    path = folder / f"{header}.h"
    text = path.read_text()
    (define,) = re.findall(rf"#define ASC_{macro}_VERSION \d+", text)
    path.write_text(text.replace(define, f"{define}0"))
    assert f"{header}.h is of another version than this file" in errors(folder)
    path.write_text(text.replace(define, "#define ASC_OLD"))
    assert f"{header}.h is of another version than this file" in errors(folder)


def test_members_of_an_ensemble(tmp_path: Path) -> None:
    other = perturbed(tmp_path / "other.tflite")
    first = write_ensemble(tmp_path / "first.toml", [MODEL, other], [0.5, 0.5])
    second = write_ensemble(tmp_path / "second.toml", [other, MODEL], [0.5, 0.5])
    weights = write_ensemble(tmp_path / "weights.toml", [MODEL, other], [0.6, 0.4])
    prefix = ["--prefix", "far"]
    folders = [sources(path, path.with_suffix(""), *prefix) for path in (first, second, weights)]
    assert errors(folders[0]) == ""
    member = ["far_net1.h", "far_net1.c"]
    text = mixed(folders[0], folders[1], member, tmp_path / "member")
    assert "far_net1.h is of another model than member 1 of far_net.c" in text
    text = mixed(folders[0], folders[2], ["far_net.c"], tmp_path / "weight")
    assert "far_net.h and far_net.c are of different models" in text


def test_array_for_tflm(ours: Path, others: dict[str, Path], tmp_path: Path) -> None:
    first = sources(MODEL, tmp_path / "first", "--runtime", "tflm")
    other = perturbed(tmp_path / "other.tflite")
    second = sources(other, tmp_path / "second", "--runtime", "tflm")
    assert errors(first) == ""
    for name, message in (
        ("asc_model.h", "asc_model.h and asc_model.c are of different models"),
        ("asc_provenance.c", "asc_net.h is not of the model that this file tells of"),
    ):
        assert message in mixed(first, second, [name], tmp_path / name)
    tables = mixed(first, others["front end"], [f"{TABLES}.h", f"{TABLES}.c"], tmp_path / "tables")
    assert f"{TABLES}.h is not of the model that this file tells of" in tables
