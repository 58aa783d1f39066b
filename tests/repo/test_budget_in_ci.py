"""What CI systems are given: the action, the hook, and the examples in the documents."""

from __future__ import annotations

import importlib.resources
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from asc_tiny.complexity.gate.settings import read
from support.paths import ROOT
from support.tflite_files import convolutions

ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
SCHEMAS = importlib.resources.files("check_jsonschema") / "builtin_schemas" / "vendor"


def validate(document: Any, schema: str) -> None:
    rules = json.loads((SCHEMAS / f"{schema}.json").read_text())
    jsonschema.validators.validator_for(rules)(rules).validate(document)


def workflow(text: str) -> Any:
    # YAML 1.1 takes the key "on" for true.
    return yaml.safe_load(re.sub(r"^on:", "'on':", text, flags=re.MULTILINE))


def example(file: str, comment: str) -> str:
    """A fenced example of a document, without the comment that names its file."""
    blocks = re.findall(r"^```\w+\n(.*?)^```$", (ROOT / file).read_text(), re.MULTILINE | re.DOTALL)
    (block,) = [block for block in blocks if block.startswith(f"# {comment}\n")]
    return str(block).split("\n", 1)[1]


def budget_step() -> dict[str, Any]:
    (step,) = [s for s in ACTION["runs"]["steps"] if "asc-tiny budget" in s.get("run", "")]
    assert isinstance(step, dict)
    return step


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Models with names that a shell takes apart: 372 and 409 parameters."""
    (tmp_path / "nets" / "deep").mkdir(parents=True)
    (tmp_path / "nets" / "with space.tflite").write_bytes(convolutions([4, 8]))
    (tmp_path / "nets" / "deep" / "b.tflite").write_bytes(convolutions([4, 9]))
    return tmp_path


def run_action(folder: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """Run the action's step as GitHub does: bash, with the inputs in the environment."""
    step = budget_step()
    command = Path(sys.executable).parent / "asc-tiny"
    assert command.exists()
    environment = {
        "PATH": f"{command.parent}:{os.environ['PATH']}",
        "PYTHONIOENCODING": "utf-8",
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
    }
    for variable, expression in step["env"].items():
        match = re.fullmatch(r"\$\{\{ inputs\.([a-z-]+) \}\}", expression)
        assert match
        environment[variable] = inputs.get(match[1], ACTION["inputs"][match[1]]["default"])
    assert not set(inputs) - set(ACTION["inputs"])
    script = folder.parent / f"{folder.name}-step.sh"
    script.write_text(step["run"])
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_action_has_the_shape_that_github_asks_for() -> None:
    validate(ACTION, "github-actions")
    used = set(re.findall(r"inputs\.([a-z-]+)", json.dumps(ACTION["runs"])))
    assert used == set(ACTION["inputs"])
    for step in ACTION["runs"]["steps"]:
        # What an input holds must not become part of a script.
        assert "${{" not in step.get("run", "")


def test_action_measures_globs_and_lists(project: Path) -> None:
    done = run_action(project, models="nets/**/*.tflite\n\n  nets/with space.tflite  \n")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line for line in lines if line.startswith("nets")] == [
        "nets/deep/b.tflite",
        "nets/with space.tflite",
        "nets/with space.tflite",
    ]
    assert lines[-1] == "::notice title=asc-tiny budget::2 checks passed"
    assert (project / "summary.md").read_text().startswith("<!-- asc-tiny budget -->\n")


def test_action_passes_every_limit_on(project: Path) -> None:
    limits = {"max-params": "100", "max-macs": "101", "max-ram": "102", "max-flash": "103"}
    done = run_action(project, models="nets/*.tflite", reports="json=a.json\nsarif=b", **limits)
    assert done.returncode == 1
    assert len(re.findall("^::error file=nets/with space.tflite", done.stdout, re.MULTILINE)) == 4
    report = json.loads((project / "a.json").read_text())
    assert list(report["limits"].values()) == [100, 101, 102, 103]
    assert json.loads((project / "b").read_text())["version"] == "2.1.0"


def test_action_compares_with_a_baseline(project: Path) -> None:
    model, settings = "nets/with space.tflite", "config/limits.toml"
    (project / "config").mkdir()
    (project / settings).write_text(f"models = ['../{model}']\n")
    command = [Path(sys.executable).parent / "asc-tiny", "budget", model]
    subprocess.run([*command, "--write-baseline", "b.json"], cwd=project, check=True)
    (project / model).write_bytes(convolutions([4, 9]))
    inputs = {"config": settings, "baseline": "b.json", "convention": "exact"}
    assert run_action(project, **inputs).returncode == 1
    assert run_action(project, **inputs, **{"max-growth": "10%"}).returncode == 0


@pytest.mark.parametrize(
    "inputs",
    [
        {},
        {"models": "nets/*.none"},
        {"models": "nets/with space.tflite\ngone.tflite"},
        {"models": "--help"},
        {"models": "$(touch here).tflite"},
        {"models": "nets/*.tflite", "max-params": "$(touch here)"},
        {"models": "nets/*.tflite", "max-params": "1 --max-params none"},
        {"models": "nets/*.tflite", "baseline": "gone.json"},
    ],
)
def test_action_fails_closed(inputs: dict[str, str], project: Path) -> None:
    done = run_action(project, **inputs)
    assert done.returncode == 2
    assert done.stdout.startswith("::error title=asc-tiny budget::")
    assert not (project / "here").exists()


def test_hook_is_one() -> None:
    clientlib = pytest.importorskip("pre_commit.clientlib")
    (hook,) = clientlib.load_manifest(str(ROOT / ".pre-commit-hooks.yaml"))
    assert hook["pass_filenames"] is False
    for name in ("models/a.tflite", "a.keras", "asc-budget.toml", "sub/pyproject.toml"):
        assert re.search(hook["files"], name)
    assert not re.search(hook["files"], "src/budget.py")
    config = yaml.safe_load(example("docs/how_to/gate_in_ci.md", ".pre-commit-config.yaml"))
    assert config["repos"][0]["hooks"] == [{"id": hook["id"]}]


def test_examples_for_github() -> None:
    text = example("README.md", ".github/workflows/budget.yml")
    assert len(text.splitlines()) <= 10
    for document in (
        workflow(text),
        workflow(example("docs/how_to/gate_in_ci.md", ".github/workflows/budget.yml")),
    ):
        validate(document, "github-workflows")
        (ours,) = [s for s in document["jobs"]["budget"]["steps"] if "asc-tiny" in s["uses"]]
        assert set(ours["with"]) <= set(ACTION["inputs"])


def test_example_for_gitlab(project: Path) -> None:
    document = yaml.safe_load(example("docs/how_to/gate_in_ci.md", ".gitlab-ci.yml"))
    validate(document, "gitlab-ci")
    install, command = document["budget"]["script"]
    assert install.startswith("pip install ")
    (project / "nets").rename(project / "models")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path}
    subprocess.run(["bash", "-ec", command], cwd=project, env=environment, check=True)
    assert (project / document["budget"]["artifacts"]["reports"]["junit"]).exists()


def test_example_of_settings(tmp_path: Path) -> None:
    """The file in the documents is read to the last key."""
    (tmp_path / "models").mkdir()
    for name in ("mobilenet.tflite", "ensemble1.toml"):
        (tmp_path / "models" / name).write_bytes(b"")
    path = tmp_path / "asc-budget.toml"
    path.write_text(example("docs/how_to/gate.md", "asc-budget.toml"))
    settings = read(path)
    assert settings.limits == {"max_params": 128_000, "max_macs": 30_000_000, "max_ram": None}
    assert [each.limits.max_ram for each in settings.model_limits] == [98_304, None]
    assert settings.model_limits[1].limits.max_params == 60_000
    assert settings.baseline == tmp_path / "budget-baseline.json"
    assert settings.max_growth is not None
    assert float(settings.max_growth) == 0.02
