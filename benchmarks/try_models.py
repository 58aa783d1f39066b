"""Every .tflite file of a folder: measured, compiled, compared with TensorFlow Lite Micro.

    tools/try_models FOLDER [--emulated 2] [--write]

Each file goes through the budget, both runtimes and the comparisons, in a process of its own with
limits of time and memory, and becomes a row of a table in Markdown. What was found is kept in
build/try_models until the file, the code or the settings change, so that a run which was stopped
goes on where it was. The exit code is 1 if values differ anywhere.

The arena is that of the compiled network, with its state; beside it are the activations in that of
TensorFlow Lite Micro. Instructions are the most of an inference on the emulated Cortex-M4. With
``--write`` the table goes into docs/reference/public_models.md.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from model_trials.kept import KeptOutcomes, state_of_the_code
from model_trials.limited import Limits, run_limited
from model_trials.outcome import Outcome, last_of
from model_trials.table import kind, report
from model_trials.trial import Settings, print_trial
from tqdm import tqdm

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference" / "public_models.md"
KEPT = ROOT / "build" / "try_models"


def main(argv: Sequence[str] | None = None) -> int:
    """Try the models and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="with .tflite files, also in folders below")
    parser.add_argument("--emulated", type=int, default=0, help="inputs on the emulated core")
    parser.add_argument("--seconds", type=float, default=600, help="limit of time for a file")
    parser.add_argument("--mebibytes", type=int, default=6144, help="limit of memory for a file")
    parser.add_argument("--kept", type=Path, default=KEPT, help="folder of what is known")
    parser.add_argument("--write", action="store_true", help=f"into {PAGE.relative_to(ROOT)}")
    parser.add_argument("--trial", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(argv)
    settings = Settings(given.emulated)
    if given.trial:
        print_trial(given.folder, settings)
        return 0
    paths = list(files_below(given.folder))
    if not paths:
        parser.error(f"{given.folder}: has no .tflite file")
    limits = Limits(given.seconds, given.mebibytes << 20)
    kept = KeptOutcomes(given.kept, f"{state_of_the_code()} {settings} {limits}")
    outcomes = {}
    for path in tqdm(paths, unit="file", disable=None, leave=False):
        name = path.relative_to(given.folder).as_posix()
        outcomes[name] = outcome_of(path, settings, limits, kept)
    if given.write:
        put(report(outcomes))
    else:
        print(report(outcomes))
    return int(any(kind(each) == "DIFFERENT" for each in outcomes.values()))


def files_below(folder: Path) -> Iterator[Path]:
    """Yield the .tflite files below a folder in the order of their names; links are left out."""
    for path in sorted(folder.iterdir()):
        if path.is_symlink():
            continue
        if path.is_dir():
            yield from files_below(path)
        elif path.suffix == ".tflite":
            yield path


def outcome_of(path: Path, settings: Settings, limits: Limits, kept: KeptOutcomes) -> Outcome:
    """Return what comes of a model, from an earlier run if it is kept."""
    model = path.read_bytes()
    found = kept.get(model)
    if found is None:
        command = [sys.executable, __file__, "--trial", str(path)]
        command += ["--emulated", str(settings.emulated)]
        text, stopped = run_limited(command, limits)
        found = replace(last_of(text.splitlines()), stopped=stopped)
        kept.put(model, found)
    return found


def put(text: str) -> None:
    """Write a report into its place in the page."""
    page = PAGE.read_text(encoding="utf-8")
    place = re.compile(r"(<!-- models -->\n).*?(<!-- end -->)", re.DOTALL)
    page = place.sub(lambda found: f"{found[1]}\n{text}\n\n{found[2]}", page)
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
