"""Whatever the system refuses, every command ends with one line, code 2, and nothing left behind.

The tables name every command and every option that is a path; a new one must be added here.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from support.bare_networks import write
from support.commands import asc_tiny
from support.exit_codes import FULL, RESUMED, TRAINING, all_commands, entries, refused
from support.paths import MODEL, ROOT
from support.small_disks import full_disk, no_file_grows, read_only_disk

CLIP = sorted((ROOT / "models" / "clips").glob("*.flac"))[0]
MAIN = "from asc_tiny.cli.main import main; main()"

OUTPUTS = {"dump", "html", "out", "plan", "plot", "report", "reports", "write_baseline"}
"""Options that name what is written, to be found in ``WRITING`` or ``TRAINING``."""

OTHERS = {
    *(
        "background",
        "baseline_path",
        "baud",
        "benches",
        "board",
        "boards",
        "calibration",
        "chip",
        "classes",
    ),
    *("clock", "columns", "compare", "config", "cpu", "criterion", "data", "decision"),
    *(
        "details",
        "device",
        "devices",
        "errors",
        "evaluations",
        "firmware",
        "folder",
        "folds",
        "frontend",
        "group",
    ),
    *("image", "init", "inputs", "keep", "labels", "layout", "licence", "max_cycles"),
    *("max_flash", "max_growth", "max_instructions", "max_macs", "max_params", "max_ram"),
    *("members", "model", "models", "name", "names", "others", "port", "prefix", "probe"),
    *("ray", "recipe", "run", "schedule", "source", "space", "split", "subset", "target"),
    *("tflm_arena", "tflm_lib", "tflm_operators", "tflm_ops", "tflm_root", "wav", "wavs", "web"),
}


@dataclass(frozen=True)
class Places:
    """What the commands work on.

    Attributes:
        project: built for an emulated board.
        model: that it is of.
        wav: a second that fits it.
        data: a data set.
        network: project of a network alone, built, beside its inputs in ``x.npy``.
    """

    project: Path
    model: Path
    wav: Path
    data: Path
    network: Path


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory, synthetic: Path) -> Places:
    pytest.importorskip("keras")
    import numpy as np

    from asc_tiny.audio.clips import write_wav16
    from asc_tiny.model.model_file import load
    from support.device_lines import make, small_model

    folder = tmp_path_factory.mktemp("places")
    model = small_model(folder / "small.tflite")
    labels = load(model).labels or ()
    model.with_suffix(".txt").write_text("\n".join(labels))
    make(model, folder / "firmware", "mps2-an386")
    noise = np.random.default_rng(0).integers(-9000, 9000, 8000).astype(np.int16)
    write_wav16(folder / "noise.wav", noise, 8000)
    bare = write(folder / "network", "one")
    assert asc_tiny("generate", bare, "--board", "host", "--out", folder / "network" / "one") == 0
    assert asc_tiny("build", folder / "network" / "one") == 0
    np.save(folder / "network" / "x.npy", np.zeros((6, 5, 2), np.int8))
    network = folder / "network" / "one"
    return Places(folder / "firmware", model, folder / "noise.wav", synthetic, network)


Arguments = Callable[[Places, Path], Sequence[object]]
"""Gives a command's arguments, from what there is and a path to write to."""

PRINTING: dict[str, Arguments] = {
    "attach": lambda at, out: [at.model, "--show"],
    "bench": lambda at, out: [at.project],
    "boards": lambda at, out: [],
    "budget": lambda at, out: [at.model],
    "data check": lambda at, out: [at.data],
    "data responses": lambda at, out: ["--out", out],
    "doctor": lambda at, out: ["--json"],
    "flash": lambda at, out: [at.project, "--dry-run"],
    "generate": lambda at, out: [at.model, "--out", out, "--dump"],
    "init": lambda at, out: [out],
    "inspect": lambda at, out: [at.project / "build" / "firmware.elf"],
    "models": lambda at, out: ["ensemble1_esc10", "--out", out],
    "recipes": lambda at, out: ["mobilenet_esc10", "--out", out],
    "run": lambda at, out: [at.project, "--wav", at.wav],
    "simulate": lambda at, out: [at.project, at.wav, "--out", out],
    "verify": lambda at, out: [at.project],
}
"""Commands that print results."""

SILENT: dict[str, Arguments] = {
    "build": lambda at, out: [at.project],
    "data synth": lambda at, out: [out, "--classes", "2", "--clips", "8", "--sample-rate", "8000"],
    "features": lambda at, out: [at.wav, "--model", at.model, "--out", out],
    "report": lambda at, out: [
        *(at.model, "--board", "mps2-an386"),
        *("--out", out.with_suffix(".html")),
    ],
}
"""Commands that print nothing but messages."""

WRITING: dict[str, tuple[str, Arguments]] = {
    "attach --out": (
        ".tflite",
        lambda at, out: [at.model, "--labels", at.model.with_suffix(".txt"), "--out", out],
    ),
    "budget --plan": (".png", lambda at, out: [at.model, "--plan", out]),
    "budget --report": (".json", lambda at, out: [at.model, "--report", f"json={out}"]),
    "budget --write-baseline": (".json", lambda at, out: [at.model, "--write-baseline", out]),
    "data responses --out": ("", PRINTING["data responses"]),
    "data synth": ("", SILENT["data synth"]),
    "features --out": (".npy", SILENT["features"]),
    "features --plot": (
        ".png",
        lambda at, out: [at.wav, "--model", at.model, "--plot", out],
    ),
    "generate --dump": (".txt", lambda at, out: generated(at, out, "--dump")),
    "generate --out": ("", lambda at, out: [at.model, "--out", out]),
    "generate --plan": (".svg", lambda at, out: generated(at, out, "--plan")),
    "init": ("", PRINTING["init"]),
    "models --out": ("", PRINTING["models"]),
    "recipes --out": ("", PRINTING["recipes"]),
    "report --out": (".html", SILENT["report"]),
    "run --out": (
        ".npy",
        lambda at, out: [at.network, "--input", at.network.with_name("x.npy"), "--out", out],
    ),
    "simulate --out": ("", PRINTING["simulate"]),
}
"""Options that name what is written, and their endings; "" is a folder."""


LISTENING = {"monitor"}
"""Commands that need a board: ``test_monitor_ends_with_its_output``."""


def is_picture(name: str) -> bool:
    """Whether an output takes long to draw, and is then written like the others."""
    return WRITING[name][0] in (".png", ".svg")


def generated(at: Places, out: Path, option: str) -> Sequence[object]:
    return [at.model, "--out", at.model.with_name("generated"), option, out]


def test_the_tables_are_complete() -> None:
    found = all_commands()
    assert found.keys() == {*PRINTING, *SILENT, *TRAINING, *RESUMED, *LISTENING}
    named = (click.Path, click.types.StringParamType)
    for name, command in found.items():
        for option in command.params:
            if isinstance(option.type, named) and option.name not in OTHERS:
                assert option.name in OUTPUTS, (name, option.name)
                in_tables = f"{name} {option.opts[0]}" in WRITING or name in WRITING
                assert in_tables or name in TRAINING | RESUMED | LISTENING, (name, option.name)


def executed(arguments: Sequence[object], **options: object) -> subprocess.CompletedProcess[str]:
    """Run the program."""
    command = [sys.executable, "-c", MAIN, *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.run(command, text=True, **pipes)


def broken_pipe() -> int:
    reading, writing = os.pipe()
    os.close(reading)
    return writing


@pytest.mark.parametrize("name", PRINTING)
def test_a_full_standard_output_is_an_error(name: str, places: Places, tmp_path: Path) -> None:
    arguments = [*name.split(), *PRINTING[name](places, tmp_path / "out")]
    with Path("/dev/full").open("w") as stdout:
        done = executed(arguments, stdout=stdout)
    assert done.returncode == 2, done.stderr
    assert done.stderr.splitlines(keepends=True)[-1] == FULL
    assert "Traceback" not in done.stderr and "ignored" not in done.stderr


@pytest.mark.parametrize("name", SILENT)
def test_what_prints_no_results_needs_no_standard_output(
    name: str, places: Places, tmp_path: Path
) -> None:
    arguments = [*name.split(), *SILENT[name](places, tmp_path / "out.npy")]
    with Path("/dev/full").open("w") as stdout:
        done = executed(arguments, stdout=stdout)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("arguments", [["boards"], ["--help"], ["budget", "--help"]])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_an_output_without_a_reader_is_an_error(
    arguments: list[str], unbuffered: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    writing = broken_pipe()
    done = executed(arguments, stdout=writing)
    os.close(writing)
    assert done.returncode == 2
    assert done.stderr == "asc-tiny: standard output: cannot write: Broken pipe\n"


def closed(redirections: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    script = f'exec "$@" {redirections}'
    program = [sys.executable, "-c", MAIN, *map(str, arguments)]
    return subprocess.run(["sh", "-c", script, "sh", *program], capture_output=True, text=True)


def test_closed_streams(tmp_path: Path) -> None:
    done = closed(">&-", "boards")
    assert done.returncode == 2
    assert done.stderr == "asc-tiny: standard output: cannot write: Bad file descriptor\n"
    done = closed("2>&-", "boards")
    assert done.returncode == 0 and "nrf52840dk" in done.stdout
    missing = tmp_path / "none.tflite"
    for redirections in ("2>&-", ">&- 2>&-", "2>/dev/full", ">/dev/full 2>/dev/full", "<&- 2>&-"):
        assert closed(redirections, "budget", missing).returncode == 2
    # What opens a file must not get a standard stream's number.
    out = tmp_path / "x"
    redirections = "<&- >&- 2>&-"
    done = closed(redirections, "data", "synth", out, "--sample-rate", "8000")
    assert done.returncode == 0
    assert len(list((out / "audio").iterdir())) == 48


def test_the_gate_keeps_its_code_where_messages_cannot_be_shown() -> None:
    for redirections in ("2>&-", "2>/dev/full"):
        assert closed(redirections, "budget", MODEL, "--max-params", "1").returncode == 1
    assert closed(">/dev/full", "budget", MODEL, "--max-params", "1").returncode == 2


@pytest.mark.qemu
def test_monitor_ends_with_its_output(places: Places) -> None:
    from asc_tiny.targets.build import project
    from asc_tiny.targets.device.emulator import switched_on

    with switched_on(project.load(places.project)) as line:
        for options in (["--json"], []):
            writing = broken_pipe()
            done = executed(["monitor", "--port", line, *options], stdout=writing)
            os.close(writing)
            assert done.returncode == 2
            assert done.stderr == "asc-tiny: standard output: cannot write: Broken pipe\n"


@dataclass(frozen=True)
class Refusal:
    """A place that cannot be written, and what the line must say besides its name."""

    path: Path
    reason: str
    around: Callable[[], AbstractContextManager[object]] = nullcontext


def refusals(folder: Path, suffix: str) -> Iterator[Refusal]:
    """Yield places for a file with such an ending, or for a folder."""
    name = f"x{suffix}"
    yield Refusal(folder / name, "", no_file_grows)
    (folder / "file").write_text("in the way")
    yield Refusal(folder / "file" / name, "is a file, a folder is needed")
    link = folder / f"link{suffix}"
    link.symlink_to(folder / "nothing" / name)
    yield Refusal(link, "which does not exist")
    pipe = folder / f"pipe{suffix}"
    os.mkfifo(pipe)
    yield Refusal(pipe, "is no regular file" if suffix else "is a file")
    other = folder / f"other{suffix}"
    other.mkdir() if suffix else other.write_text("in the way")
    yield Refusal(other, "is a folder" if suffix else "is a file")


@pytest.fixture
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


@pytest.mark.parametrize("name", [name for name in WRITING if not is_picture(name)])
def test_an_output_that_cannot_be_written(
    name: str,
    places: Places,
    tmp_path: Path,
    own_temporary_folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    suffix, arguments = WRITING[name]
    command = name.partition(" --")[0].split()
    (tmp_path / "out").mkdir()
    for refusal in refusals(tmp_path / "out", suffix):
        before = entries(tmp_path / "out")
        with refusal.around():
            line = refused([*command, *arguments(places, refusal.path)], capsys)
        # With no file growing, what is written beside the output may fail before.
        if refusal.around is nullcontext:
            assert str(refusal.path) in line and refusal.reason in line
        assert entries(tmp_path / "out") == before
        assert list(own_temporary_folder.iterdir()) == []


@pytest.mark.parametrize("name", WRITING)
def test_a_full_disk(
    name: str,
    places: Places,
    tmp_path: Path,
    own_temporary_folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with full_disk(tmp_path / "disk") as folder:
        line = nothing_written(name, places, folder, capsys)
    assert line.endswith("No space left on device")
    assert list(own_temporary_folder.iterdir()) == []


@pytest.mark.parametrize("name", [name for name in WRITING if not is_picture(name)])
def test_a_read_only_disk(
    name: str,
    places: Places,
    tmp_path: Path,
    own_temporary_folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with read_only_disk(tmp_path / "disk") as folder:
        line = nothing_written(name, places, folder, capsys)
    assert line.endswith("Permission denied" if os.geteuid() else "Read-only file system")
    assert list(own_temporary_folder.iterdir()) == []


def nothing_written(
    name: str, places: Places, folder: Path, capsys: pytest.CaptureFixture[str]
) -> str:
    """Run a command that must not be able to write to a folder; return the line it prints."""
    suffix, arguments = WRITING[name]
    before = entries(folder)
    path = folder / "below" / f"x{suffix}"
    line = refused([*name.partition(" --")[0].split(), *arguments(places, path)], capsys)
    assert str(folder) in line
    assert entries(folder) == before
    return line


@pytest.mark.qemu
@pytest.mark.parametrize("name", ["bench", "build", "run", "simulate", "verify"])
def test_no_room_for_temporary_files(
    name: str, places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    arguments = {**PRINTING, **SILENT}[name](places, tmp_path / "out")
    if name == "build":
        shutil.copytree(
            places.project, tmp_path / "firmware", ignore=shutil.ignore_patterns("build")
        )
        arguments = [tmp_path / "firmware"]
    with full_disk(tmp_path / "small", left_bytes=4096) as folder:
        monkeypatch.setenv("TMPDIR", str(folder))
        monkeypatch.setattr(tempfile, "tempdir", None)
        code = asc_tiny(name, *arguments)
        errors = capsys.readouterr().err
        # A stream takes no room, and a compiler may do with that little.
        assert code == 2 or (code == 0 and name in ("build", "simulate")), errors
        assert "Traceback" not in errors
        assert [path.name for path in folder.iterdir()] == ["filled"]
    if code == 2 and name != "build":
        assert "No space left on device" in errors or "bytes for" in errors


def test_a_build_on_a_full_disk(
    places: Places, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, arguments = WRITING["generate --out"]
    with full_disk(tmp_path / "disk", left_bytes=0) as folder:
        subprocess.run(["mount", "-o", "remount,size=16m", str(folder)], check=True)
        assert asc_tiny("generate", *arguments(places, folder / "firmware")) == 0
        with (folder / "more").open("wb", buffering=0) as file, pytest.raises(OSError):
            while True:
                file.write(bytes(4096))
        capsys.readouterr()
        assert asc_tiny("build", folder / "firmware") == 2
        lines = capsys.readouterr().err.splitlines()
    assert lines[-1].startswith(f"asc-tiny: {folder / 'firmware'}: the build failed")
    assert any("No space left" in line for line in lines)


def test_the_summary_of_a_job_that_cannot_be_written(
    places: Places, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "/dev/full")
    line = refused(["budget", places.model, "--format", "github"], capsys)
    assert line == "asc-tiny: /dev/full: cannot write here: No space left on device"


def test_errors_of_other_kinds(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    def raising(error: BaseException) -> Callable[..., None]:
        def command(**options: object) -> None:
            raise error

        return command

    boards = importlib.import_module("asc_tiny.cli.boards").command
    kinds = {
        EOFError(): "ends early",
        MemoryError(): "not enough memory",
        RecursionError("maximum recursion depth exceeded"): "nested too deeply",
        OSError(28, "No space left on device"): "No space left on device",
        OSError("a library's own"): "a library's own",
        PermissionError(13, "Permission denied", "/x"): "/x: Permission denied",
        BrokenPipeError(32, "Broken pipe"): "Broken pipe",
        shutil.Error("not copied"): "not copied",
        subprocess.TimeoutExpired(["cc"], 3): "timed out",
        click.FileError("x", "gone"): "gone",
    }
    for error, text in kinds.items():
        monkeypatch.setattr(boards, "callback", raising(error))
        assert text in refused(["boards"], capsys)
    monkeypatch.setattr(boards, "callback", raising(KeyboardInterrupt()))
    assert asc_tiny("boards") == 130


def test_names_and_letters_that_cannot_be_shown(tmp_path: Path) -> None:
    name = os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xe9.tflite")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    done = executed(["budget", name, "--json"], env=environment)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "cannot read: No such file" in json.loads(done.stdout)["error"]
    shutil.copy(MODEL, name)
    for style in ("table", "markdown", "json"):
        done = executed(["budget", name, "--format", style], env=environment)
        assert done.returncode == 0, done.stderr
    done = executed(["features", CLIP, "--model", name, "--out", f"{name}.npy"], env=environment)
    assert done.returncode == 0, done.stderr


def test_a_fault_of_the_program_is_told_from_a_gate(tmp_path: Path) -> None:
    script = (
        "import asc_tiny.cli.boards as b\n"
        "b.command.callback = lambda **options: {}['missing']\n" + MAIN
    )
    program = [sys.executable, "-c", script, "boards"]
    done = subprocess.run(program, capture_output=True, text=True)
    assert done.returncode == 2
    fault = "asc-tiny: internal error: KeyError: 'missing'; --debug prints where"
    assert done.stderr.startswith(fault) and len(done.stderr.splitlines()) == 1
    done = subprocess.run([*program, "--debug"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "Traceback" in done.stderr and done.stderr.splitlines()[-1].startswith(fault)
