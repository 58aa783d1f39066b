"""Applications of the user's own in a generated project: told at once, and never a success."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.audio.clips import write_wav16
from asc_tiny.targets.build import project as targets
from asc_tiny.targets.build import watchdog
from support.commands import asc_tiny
from support.device_lines import FRONTEND, LABELS, make, small_model

OWN = "runs an application of your own, which does not take the commands of run"
CLIP = FRONTEND.clip_samples
SCORES = " 1" * (2 * len(LABELS))
LABEL = LABELS[0]

# A program that takes the commands, for its usage says so, and then does what it wants.
SPEAKS = """
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
static const char usage[] = "usage: run FILE | verify FILE OUT | bench FILE | serve [FILE]";
static long drain(const char *name) {
    char data[4096];
    long total = 0;
    const int file = open(name, O_RDONLY);
    for (long count; (count = read(file, data, sizeof data)) > 0; total += count) {
    }
    return total;
}
int main(int argc, char **argv) {
    setbuf(stdout, NULL);
    if (argc < 3) return puts(usage);
    %s
}
"""
LOOP = "for (volatile int on = 1; on;) { }"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("keras")
    return small_model(tmp_path_factory.mktemp("model") / "small.tflite")


@pytest.fixture(scope="module")
def generated(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project for this computer without an image."""
    folder = tmp_path_factory.mktemp("host") / "firmware"
    assert asc_tiny("generate", model, "--board", "host", "--out", folder) == 0
    return folder


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A recording of two clips."""
    path = tmp_path / "two.wav"
    write_wav16(path, np.arange(2 * CLIP).astype(np.int16), FRONTEND.sample_rate)
    return path


def with_program(generated: Path, text: str, tmp_path: Path) -> Path:
    """The project with a program as its image, which needs nothing of it."""
    folder = tmp_path / "own"
    shutil.copytree(generated, folder)
    (folder / "build").mkdir()
    (folder / "main.c").write_text(text)
    command = ["cc", "-O1", "-w", folder / "main.c", "-o", folder / "build" / "firmware"]
    subprocess.run(command, check=True)
    return folder


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    capsys.readouterr()
    assert asc_tiny(*arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and len(printed.err.splitlines()) == 1, printed.err
    return printed.err


def all_refused(
    capsys: pytest.CaptureFixture[str], folder: Path, clip: Path, tmp_path: Path
) -> list[str]:
    """What run, verify and simulate say; nothing is left of them."""
    out = tmp_path / "timelines"
    said = [
        refused(capsys, "run", folder, "--wav", clip),
        refused(capsys, "verify", folder),
        refused(capsys, "simulate", folder, clip, "--out", out),
    ]
    assert not out.exists() or not list(out.iterdir())
    return said


@pytest.mark.parametrize(
    "body",
    [
        "int main(void) { return 0; }",
        "int main(void) { return 3; }",
        "int main(void) { for (volatile int on = 1; on;) { } }",
        '#include <stdio.h>\nint main(void) { for (;;) puts("hello"); }',
    ],
)
def test_one_that_does_not_take_the_commands_is_not_started(
    generated: Path, clip: Path, tmp_path: Path, capsys, body: str
) -> None:
    folder = with_program(generated, body, tmp_path)
    for said in all_refused(capsys, folder, clip, tmp_path):
        assert said.startswith(f"asc-tiny: {folder}/build/firmware: {OWN}")


@pytest.mark.parametrize(
    ("body", "run", "verify", "simulate"),
    [
        ("return 0;", "0 decisions on host, 2 were due", "did not write out.bin", "code 0"),
        ("return 3;", "code 3", "code 3", "code 3"),
        ("abort();", "code -6", "code -6", "code -6"),
        (
            'drain(argv[2]); puts("hello");',
            "0 decisions on host, 2 were due for 8000 samples; it printed 'hello'",
            "did not write out.bin",
            "0 decisions on host, 2 were due for 8000 samples; it printed 'hello'",
        ),
        (
            f'drain(argv[2]); printf("decision 0 {LABEL}{SCORES[:-2]}");',
            "0 decisions on host, 2 were due",
            "did not write out.bin",
            "0 decisions on host, 2 were due",
        ),
        (
            f'drain(argv[2]); printf("decision 0 {LABEL}{SCORES}\\ndecision 1 {LABEL}{SCORES}");',
            "1 decisions on host, 2 were due",
            "did not write out.bin",
            "1 decisions on host, 2 were due",
        ),
        (
            f'drain(argv[2]); puts("decision 1 {LABEL}{SCORES}");',
            "for window 0 on host, expected: decision 0 LABEL and 6 int8 scores",
            "did not write out.bin",
            "for window 0 on host",
        ),
        (
            f'drain(argv[2]); puts("decision 0 nobody{SCORES}");',
            "for window 0 on host",
            "did not write out.bin",
            "for window 0 on host",
        ),
        (
            f'drain(argv[2]); puts("decision 0 {LABEL}{SCORES[:-1]}999");',
            "for window 0 on host",
            "did not write out.bin",
            "for window 0 on host",
        ),
        (
            "drain(argv[2]); if (argc > 3) close(open(argv[3], O_CREAT | O_WRONLY, 0644));",
            "it printed nothing",
            "returned 0 bytes for",
            "it printed nothing",
        ),
    ],
)
def test_one_that_answers_wrongly_is_an_error(
    generated: Path, clip: Path, tmp_path: Path, capsys, body: str, run, verify, simulate
) -> None:
    folder = with_program(generated, "#include <stdlib.h>" + SPEAKS % body, tmp_path)
    said = all_refused(capsys, folder, clip, tmp_path)
    for text, expected in zip(said, (run, verify, simulate), strict=True):
        assert expected in text


@pytest.mark.parametrize(
    "body",
    [
        LOOP,
        f"drain(argv[2]); {LOOP}",
        f'drain(argv[2]); printf("decision 0 {LABEL}"); {LOOP}',
        "for (;;) pause();",
    ],
)
def test_one_that_never_ends_is_stopped(
    generated: Path, clip: Path, tmp_path: Path, capsys, body: str, monkeypatch
) -> None:
    monkeypatch.setattr(watchdog, "WORK_S", 0.2)
    monkeypatch.setattr(watchdog, "IDLE_S", 0.5)
    folder = with_program(generated, SPEAKS % body, tmp_path)
    for said in all_refused(capsys, folder, clip, tmp_path):
        assert "ran on and on without a result on host and was stopped" in said


def test_one_that_prints_without_end_is_stopped(
    generated: Path, clip: Path, tmp_path: Path, capsys, monkeypatch
) -> None:
    monkeypatch.setattr(targets, "_MOST_WRITTEN", 1 << 20)
    folder = with_program(generated, SPEAKS % 'for (;;) printf("hello\\n");', tmp_path)
    run, verify, simulate = all_refused(capsys, folder, clip, tmp_path)
    assert "was stopped" in run and "was stopped" in verify
    assert "prints other than decisions on host: 'hello'" in simulate


def test_other_lines_between_decisions_are_no_error(
    generated: Path, clip: Path, tmp_path: Path, capsys
) -> None:
    lines = "".join(f'puts("note"); puts("decision {n} {LABEL}{SCORES}");' for n in range(2))
    folder = with_program(generated, SPEAKS % f"drain(argv[2]); {lines}", tmp_path)
    capsys.readouterr()
    assert asc_tiny("run", folder, "--wav", clip) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert asc_tiny("simulate", folder, clip, "--out", tmp_path / "out") == 0


def test_a_program_that_works_is_not_stopped(tmp_path: Path, monkeypatch) -> None:
    """Neither one that works much and gets on, nor one that waits for this computer."""
    monkeypatch.setattr(watchdog, "WORK_S", 0.3)
    monkeypatch.setattr(watchdog, "IDLE_S", 60.0)
    script = "import sys, time\nbegun = time.process_time()\n"
    script += "while time.process_time() < begun + 1.0: print(flush=True)\n"
    with (tmp_path / "out").open("wb") as out:
        process = subprocess.Popen(["python3", "-c", script], stdout=out)
        size = (tmp_path / "out").stat
        with watchdog.Watch(process, lambda: size().st_size) as watched:
            assert process.wait() == 0 and not watched.stuck


@pytest.mark.qemu
def test_an_emulated_one_without_the_commands(
    model: Path, clip: Path, tmp_path: Path, capsys
) -> None:
    folder = make(model, tmp_path / "firmware", "mps2-an386").folder
    (folder / "src" / "main.c").write_text("int main(void) { return 0; }\n")
    assert asc_tiny("build", folder) == 0
    for said in (*all_refused(capsys, folder, clip, tmp_path), refused(capsys, "bench", folder)):
        assert said.startswith(f"asc-tiny: {folder}/build/firmware.elf: {OWN}")
    # Any application may be switched on; nobody waits for one that has ended.
    assert asc_tiny("flash", folder) == 2
    assert "stopped with code 0 on mps2-an386: no output" in capsys.readouterr().err
    text = 'int main(int argc, char **argv) { platform_print("usage: run FILE | verify FILE OUT"\n'
    text += '" | bench FILE\\nstack_bytes many\\n"); return argc < 0 && argv; }\n'
    (folder / "src" / "main.c").write_text('#include "platform.h"\n' + text)
    assert asc_tiny("build", folder) == 0
    said = refused(capsys, "bench", folder)
    assert "printed no figure instructions_per_hop on mps2-an386" in said
    assert "it printed 'stack_bytes many'" in said
