"""What transfer from YAMNet's first layers reaches and costs, as a Markdown table.

``python benchmarks/transfer.py DATASET WEIGHTS OUT [RECIPE ...]`` trains ``yamnet_probe`` and
``yamnet_small`` of ``models/recipes`` with 5 seeds and prunes their networks as the recipes say. It
makes the first seed's network int8 and counts its instructions on an emulated Cortex-M4. DATASET is
ESC-10 in the TAU layout, WEIGHTS the public ``yamnet_256_f32.h5``. What OUT has of an earlier run
is kept; the table shows what is there. Needs TensorFlow, a compiler and an emulator (tools/setup.sh
test).
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import mean, stdev

from asc_tiny.model.model_file import load

ROOT = Path(__file__).resolve().parents[1]
RECIPES = ROOT / "models" / "recipes"
RELEASED = ROOT / "models" / "mobilenet_esc10.tflite"
SEEDS = 5
PRUNING: dict[str, tuple[object, ...]] = {
    "yamnet_probe": ("--steps", 1, "--epochs-per-step", 2, "--final-epochs", 15),
    "yamnet_small": (
        *("--recipe", RECIPES / "yamnet_small_pruning.toml", "--learning-rate", 0.005),
        *("--steps", 2, "--epochs-per-step", 10, "--final-epochs", 40),
    ),
}
BOARD = "mps2-an386"
HEAD = (
    "| network | accuracy, float | log loss, float | int8, integer front end | parameters | MACs | "
    "instructions a second | arena |\n|---|---|---|---|---:|---:|---:|---:|"
)


def asc_tiny(*arguments: object) -> str:
    """Run a command; return what it prints to standard output."""
    command = [sys.executable, "-m", "asc_tiny.cli.main", *map(str, arguments)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def train(name: str, dataset: Path, weights: Path, out: Path) -> None:
    """Train with all seeds, the weights beside the recipe; go on with what has been begun."""
    recipe, beside = out / f"{name}.toml", out / "yamnet_256_f32.h5"
    shutil.copyfile(RECIPES / recipe.name, recipe)
    if not beside.exists():
        beside.symlink_to(weights.resolve())
    options = ["--resume"] if (out / name).exists() else []
    common = ("--data", dataset, "--resample", "--seeds", SEEDS)
    asc_tiny("train", recipe, *common, "--out", out / name, *options)


def prune(name: str, dataset: Path, out: Path) -> None:
    """Prune each seed's network, which teaches the smaller one; go on with what has been begun."""
    for run in sorted((out / name).glob("fold1-seed*")):
        pruned = out / f"{name}_pruned" / run.name
        options = [*PRUNING[name], *(["--resume"] if pruned.exists() else [])]
        goal = ("--keep", RECIPES / f"{name}_filters.toml", "--distil")
        asc_tiny("prune", run, "--data", dataset, "--resample", "--out", pruned, *goal, *options)


def accuracies(folder: Path, dataset: Path) -> tuple[str, str, str]:
    """Return accuracy and log loss over the seeds, and accuracy with the integer front end."""
    runs = sorted(folder.glob("fold1-seed*"))
    found = [_figures(run / "model.keras", dataset)["float"] for run in runs]
    model = folder.with_suffix(".tflite")
    if not model.exists():
        asc_tiny("quantize", runs[0], "--data", dataset, "--resample", "--out", model)
    accuracy, loss = ([each[key] for each in found] for key in ("accuracy", "log_loss"))
    return _spread(accuracy), _spread(loss), _on_chip(model, dataset)


def _on_chip(model: Path, dataset: Path) -> str:
    return f"{_figures(model, dataset)['int8_integer_frontend']['accuracy']:.3f}"


def _figures(model: Path, dataset: Path) -> dict[str, dict[str, float]]:
    said = asc_tiny("evaluate", model, "--data", dataset, "--resample", "--json")
    found: dict[str, dict[str, float]] = json.loads(said)["results"]
    return found


def costs(model: Path, firmware: Path) -> list[str]:
    """Return parameters, MACs, instructions a second and arena in bytes."""
    (found,) = json.loads(asc_tiny("budget", model, "--json"))["models"]
    if not firmware.exists():
        asc_tiny("generate", model, "--board", BOARD, "--out", firmware)
        asc_tiny("build", firmware)
    bench = json.loads(asc_tiny("bench", firmware, "--json"))
    frontend = load(model).frontend
    assert frontend is not None
    clips = frontend.sample_rate / frontend.clip_samples
    hops = frontend.sample_rate / frontend.hop
    instructions = (
        clips * bench["instructions_per_inference"] + hops * bench["instructions_per_hop"]
    )
    counts = (found["params"], found["macs"], round(instructions), bench["arena_bytes"])
    return [f"{count:,}" for count in counts]


def table(dataset: Path, out: Path) -> str:
    """Return the table of what has been trained, and of the released MobileNet."""
    lines = [HEAD]
    for folder in (out / f"{name}_pruned" for name in PRUNING):
        if folder.exists():
            cells = [folder.name, *accuracies(folder, dataset)]
            cells += costs(folder.with_suffix(".tflite"), out / f"{folder.name}_firmware")
            lines.append(f"| {' | '.join(cells)} |")
    cells = [RELEASED.stem, "", "", _on_chip(RELEASED, dataset)]
    cells += costs(RELEASED, out / "released_firmware")
    return "\n".join([*lines, f"| {' | '.join(cells)} |"])


def _spread(values: list[float]) -> str:
    return f"{mean(values):.3f} ± {stdev(values):.3f}"


def main() -> None:
    """Train what is asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("recipe", nargs="*", default=[*PRUNING])
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name in arguments.recipe:
        train(name, arguments.dataset, arguments.weights, arguments.out)
        prune(name, arguments.dataset, arguments.out)
    print(table(arguments.dataset, arguments.out))


if __name__ == "__main__":
    main()
