"""The page for whoever has a .tflite file, run as it stands there."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import numpy as np
import pytest

from asc_tiny import api
from support.bare_networks import write
from support.commands import asc_tiny, refused
from support.native import FLAGS
from support.paths import ROOT

pytest.importorskip("tflite_micro")
PAGE = (ROOT / "docs" / "tutorial" / "own_model.md").read_text(encoding="utf-8")


def commands() -> list[list[str]]:
    """The page's commands in their order, without the comments behind them."""
    lines = [line.strip().split("  #")[0] for line in PAGE.splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith("asc-tiny ")]


@pytest.mark.qemu
def test_every_command_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "one").rename("model.tflite")
    np.save("inputs.npy", np.linspace(-9, 9, 180).reshape(3, 6, 5, 2))
    Path("labels.txt").write_text("wind\nrain\n")
    Path("frontend.toml").write_text("n_mels = 16\n")
    found = commands()
    five = [each[0] for each in found[:5]]
    assert five == ["verify", "generate", "build", "verify", "flash"]
    own = [command[0] for command in found].index("attach")
    for command in found[:own]:
        # There is no board on a port here.
        dry = ["--dry-run"] if "--port" in command else []
        assert asc_tiny(*command, *dry) == 0, command
    assert np.load("outputs.npy").shape == (3, 4, 3, 4)
    # The model is no classifier; tests of attach have those that are.
    assert "the front end gives" in refused(capsys, *found[own])


def test_the_program_of_the_page(tmp_path: Path) -> None:
    model = write(tmp_path, "one")
    api.generate(model, tmp_path / "c", project="sources")
    text = PAGE.split("```c\n")[1].split("```")[0]
    main = """
#include <stdio.h>
int main(void) {
    static int8_t codes[ASC_NET_INPUT_SIZE];
    static int8_t scores[ASC_NET_OUTPUT_SIZE];
    const int status = start() ? 1 : classify(codes, scores);
    printf("%d %d\\n", status, scores[0]);
    return status;
}
"""
    declared = "int start(void);\nint classify(const int8_t *codes, int8_t *scores);\n"
    body = text.replace('#include "asc_net.h"\n', f'#include "asc_net.h"\n\n{declared}')
    (tmp_path / "c" / "main.c").write_text(body + main)
    sources = sorted((tmp_path / "c").glob("*.c"))
    command = ["cc", *FLAGS, *sources, "-o", tmp_path / "app"]
    subprocess.run(command, check=True, cwd=tmp_path / "c")
    done = subprocess.run([tmp_path / "app"], capture_output=True, text=True, check=True)
    from tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(model.read_bytes())
    interpreter.set_input(np.zeros((1, 6, 5, 2), np.int8), 0)
    interpreter.invoke()
    assert done.stdout == f"0 {interpreter.get_output(0).reshape(-1)[0]}\n"
