"""The program of the page about a network alone, run as it stands there."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from asc_tiny import api
from support.bare_networks import write
from support.native import FLAGS
from support.page_blocks import fenced
from support.paths import ROOT

pytest.importorskip("tflite_micro")
PAGE = ROOT / "docs" / "how_to" / "network_alone.md"


def test_the_program_of_the_page(tmp_path: Path) -> None:
    model = write(tmp_path, "one")
    api.generate(model, tmp_path / "c", project="sources")
    (text,) = fenced(PAGE, "c")
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
