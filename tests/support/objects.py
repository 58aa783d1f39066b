"""Compiles C files, each once in a run of the tests for the same text and options."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from subprocess import PIPE

from support import session_cache


def compiled(command: Sequence[str | Path], sources: Iterable[Path]) -> list[Path]:
    """Return an object file for each source.

    Args:
        command: compiler and options; a warning should be an error, since an object that is there
            already is compiled no more.
        sources: C files.

    Raises:
        subprocess.CalledProcessError: one does not compile.
    """
    return [_compiled([str(word) for word in command], source) for source in sources]


def _compiled(command: list[str], source: Path) -> Path:
    # What the compiler reads, with all that is included, without the names of folders.
    text = subprocess.run([*command, "-E", "-P", source], check=True, stdout=PIPE).stdout
    options = [word for word in command if not word.startswith("-I")]
    name = session_cache.key("object", source.name, *options, text) + ".o"
    return session_cache.entry(
        name, lambda path: _run([*command, "-c", str(source), "-o", str(path)])
    )


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True)
