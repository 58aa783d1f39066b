"""Effect of each training technique alone and of many together, as a Markdown table.

``python benchmarks/techniques.py DATASET OUT [TECHNIQUE ...]`` trains MobileNet on 64 mel bands for
20 epochs with 5 seeds, once plain and once with each technique. DATASET is ESC-10 in the TAU
layout, whose locations begin with the fold. Networks learn from folds 1 and 2 and are compared on
fold 3, so that folds 4 and 5 say nothing about what to choose. What OUT has of an earlier run is
kept; the table shows what is there.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path
from statistics import mean, stdev

Table = Mapping[str, object]

SEEDS = 5
TESTED, LEARNED = "3", ("1", "2")

PLAIN: dict[str, Table] = {
    "": {"network": "mobilenet", "dropout": 0.3},
    "frontend": {"n_mels": 64, "deltas": False},
    "schedule": {"cycles": [20], "rate_max": 0.1, "weight_decay": 1e-3, "batch": 32},
    "augmentation": {
        "mixup_alpha": 0.0,
        "crop_columns": 0,
        "frequency_masks": 0,
        "time_masks": 0,
    },
}

ALONE: dict[str, dict[str, Table]] = {
    "mixup": {"augmentation": {"mixup_alpha": 0.3}},
    "masks": {
        "augmentation": {
            "frequency_masks": 2,
            "frequency_mask_bands": 5,
            "time_masks": 1,
            "time_mask_columns": 3,
        }
    },
    "waveform": {
        "waveform": {
            "copies": 4,
            "responses": "builtin",
            "noise": "pink",
            "gain_db": 6.0,
            "pitch_semitones": 2.0,
        }
    },
    "mixstyle": {"augmentation": {"freq_mixstyle_share": 0.7}},
    "smoothing": {"loss": {"label_smoothing": 0.1}},
    "swa": {"averaging": {"kind": "swa", "start_epoch": 13}},
    "adamw": {
        "schedule": {
            "optimizer": "adamw",
            "rate_max": 0.003,
            "warmup_epochs": 2,
            "weight_decay": 0.05,
        }
    },
    "bands": {"": {"normalise_bands": True}},
    "roll": {"augmentation": {"roll_columns": 22}},
    "shift": {"augmentation": {"shift_bands": 3}},
    "restarts": {"schedule": {"cycles": [3, 6, 11]}},
    "crop": {"augmentation": {"crop_columns": 30}},
    "ema": {"averaging": {"kind": "ema", "decay": 0.99}},
    "devices": {"devices": {"responses": "builtin"}},
}

ALL = (
    "mixup",
    "masks",
    "roll",
    "shift",
    "mixstyle",
    "smoothing",
    "ema",
    "adamw",
    "waveform",
)

NAMES = ("plain", *ALONE, "teacher", "chosen", "all")

# What gained alone, on the fold that is there to choose on.
CHOSEN = ("mixup", "masks", "smoothing", "roll", "shift", "restarts")


def teacher() -> dict[str, Table]:
    """Return the technique of learning from the mean of the plain networks' scores."""
    runs = [f"plain/fold1-seed{seed}" for seed in range(1, SEEDS + 1)]
    return {"distillation": {"teacher": runs, "weight": 0.7, "temperature": 2.0}}


def recipe(name: str) -> str:
    """Return the recipe of ``plain``, of a technique alone, or of several together."""
    several = {"all": ALL, "chosen": CHOSEN}
    parts = {**ALONE, "plain": {}, "teacher": teacher()}
    chosen = [ALONE[each] for each in several[name]] if name in several else [parts[name]]
    tables: dict[str, dict[str, object]] = {"": {"name": name}}
    for title, values in chain.from_iterable(part.items() for part in (PLAIN, *chosen)):
        tables.setdefault(title, {}).update(values)
    lines: list[str] = []
    for title, values in tables.items():
        lines += [f"[{title}]"] if title else []
        lines += [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    return "\n".join([*lines, ""])


def split(dataset: Path, out: Path) -> Path:
    """Write a data set whose only split tests one fold; return its folder."""
    folder = out / "data"
    tables = folder / "evaluation_setup"
    tables.mkdir(parents=True, exist_ok=True)
    if not (folder / "audio").exists():
        (folder / "audio").symlink_to((dataset / "audio").resolve())
    (folder / "meta.csv").write_bytes((dataset / "meta.csv").read_bytes())
    with (dataset / "meta.csv").open(encoding="utf-8", newline="") as file:
        clips = list(csv.DictReader(file, delimiter="\t"))
    of_fold = {
        fold: [
            f"{c['filename']}\t{c['scene_label']}"
            for c in clips
            if f"-fold{fold}-" in c["filename"]
        ]
        for fold in (*LEARNED, TESTED)
    }
    learned = list(chain.from_iterable(of_fold[fold] for fold in LEARNED))
    _write(tables / "fold1_train.csv", ["filename\tscene_label", *learned])
    _write(tables / "fold1_evaluate.csv", ["filename\tscene_label", *of_fold[TESTED]])
    names = [line.split("\t")[0] for line in of_fold[TESTED]]
    _write(tables / "fold1_test.csv", ["filename", *names])
    return folder


def _write(path: Path, lines: Iterable[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def train(name: str, data: Path, out: Path) -> None:
    """Train with all seeds; go on with what has been begun."""
    path = out / f"{name}.toml"
    path.write_text(recipe(name), encoding="utf-8")
    command = [sys.executable, "-m", "asc_tiny.cli.main", "train", str(path), "--data", str(data)]
    command += ["--seeds", str(SEEDS), "--out", str(out / name)]
    command += ["--resume"] if (out / name).exists() else []
    subprocess.run(command, check=True)


def figures(folder: Path, key: str) -> list[float]:
    """Return a figure of each seed's network; none of trainings that are not over."""
    path = folder / "study.json"
    runs = json.loads(path.read_text()).get("runs", []) if path.exists() else []
    return [run[key] for run in runs] if len(runs) == SEEDS else []


def table(out: Path) -> str:
    """Return the table of what has been trained; differences are those of equal seeds."""
    lines = [
        "| technique | accuracy | log loss | accuracy against plain |",
        "|---|---|---|---|",
    ]
    plain = figures(out / "plain", "accuracy")
    for name in NAMES:
        accuracies, losses = (figures(out / name, key) for key in ("accuracy", "log_loss"))
        if not accuracies:
            continue
        gains = [a - b for a, b in zip(accuracies, plain, strict=False)]
        lines.append(
            f"| {name} | {_spread(accuracies)} | {_spread(losses)} | "
            f"{'' if name == 'plain' else _spread(gains, '+')} |"
        )
    return "\n".join(lines)


def _spread(values: list[float], sign: str = "") -> str:
    return f"{mean(values):{sign}.3f} ± {stdev(values):.3f}"


def main() -> None:
    """Train what is asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("technique", nargs="*", default=NAMES)
    arguments = parser.parse_args()
    data = split(arguments.dataset, arguments.out)
    for name in arguments.technique:
        train(name, data, arguments.out)
    print(table(arguments.out))


if __name__ == "__main__":
    main()
