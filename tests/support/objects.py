"""Compiles C files, each once in a run of the tests for the same text and options."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from subprocess import PIPE, CompletedProcess
from typing import Any

from support import session_cache

_INCLUDE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*(?:"([^"\n]+)"|<([^>\n]+)>|.*)', re.MULTILINE)
_OTHER_PLACES = ("-include", "-imacros", "-isystem", "-iquote", "-idirafter", "@")


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
    return session_cache.entry(
        _name(command, source, Path()),
        lambda path: _run([*command, "-c", str(source), "-o", str(path)]),
    )


def keeping(execute: Callable[..., CompletedProcess[str]]) -> Callable[..., CompletedProcess[str]]:
    """Return ``asc_tiny.targets.build.tools.execute`` as it is, but that it compiles a file once.

    What does not compile, or with a warning, is compiled each time.
    """

    def executed(arguments: Sequence[str], *, folder: Path, **rest: Any) -> CompletedProcess[str]:
        match arguments:
            case [*command, "-c", source, "-o", made]:
                pass
            case _:
                return execute(arguments, folder=folder, **rest)
        kept = session_cache.folder() / _name(command, folder / source, folder)
        if kept.exists():
            shutil.copyfile(kept, folder / made)
            return CompletedProcess(list(arguments), 0, "", "")
        done = execute(arguments, folder=folder, **rest)
        if not (done.returncode or done.stdout or done.stderr):
            session_cache.entry(kept.name, lambda path: _copy(folder / made, path))
        return done

    return executed


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)


def _name(command: list[str], source: Path, folder: Path) -> str:
    """Return the name of what a compiler that runs in a folder makes of a source."""
    # What the compiler reads, with all that is included, without the names of folders.
    texts = _included(command, source, folder) or [_preprocessed(command, source, folder)]
    options = [word for word in command if not word.startswith("-I")]
    return session_cache.key("object", source.name, *options, *texts) + ".o"


def _included(command: list[str], source: Path, folder: Path) -> list[str | bytes]:
    """Return the text of a source, then names and texts of all files that it may include.

    A preprocessor for each of the kernels of each network would take longer than all else. This
    asks for no condition, so that it may find more than a compiler reads, but never less. The
    system's headers are the same during a run.

    Returns:
        The texts; none where only a preprocessor knows what is included.
    """
    folders = [folder / word[2:] for word in command if word.startswith("-I")]
    if "-I" in command or any(word.startswith(_OTHER_PLACES) for word in command):
        return []
    parts: list[str | bytes] = [source.read_bytes()]
    ahead, seen = [source], {source}
    for path in ahead:
        for found in _INCLUDE.finditer(path.read_bytes()):
            quoted, system = found.groups()
            if quoted is None and system is None:
                return []
            name = (quoted or system).decode()
            near = [path.parent] if quoted else []
            file = next((at / name for at in (*near, *folders) if (at / name).is_file()), None)
            if file is not None and file not in seen:
                seen.add(file)
                ahead.append(file)
                parts += [name, file.read_bytes()]
    return parts


def _preprocessed(command: list[str], source: Path, folder: Path) -> bytes:
    whole = [*command, "-E", "-P", str(source.resolve())]
    return subprocess.run(whole, check=True, stdout=PIPE, cwd=folder).stdout


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True)
