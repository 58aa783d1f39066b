"""``asc-tiny build``: compile a generated project."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from asc_tiny.cli.options import PATH, project_argument
from asc_tiny.cli.streams import say
from asc_tiny.util.errors import AscError

if TYPE_CHECKING:
    from asc_tiny.targets.build.project import BuildError

_LOG = "build.log"


@click.command()
@project_argument
@click.option(
    "--tflm-root", type=PATH, envvar="TFLM_ROOT", help="Sources of TensorFlow Lite Micro."
)
@click.option(
    "--tflm-lib",
    type=PATH,
    envvar="TFLM_LIB",
    help="The library libtensorflow-microlite.a that its makefile built for the board's core.",
)
def command(folder: Path, tflm_root: Path | None, tflm_lib: Path | None) -> None:
    """Build the CMake project in DIR; the image goes to DIR/build.

    A build that fails leaves all that the compiler says in DIR/build/build.log.

    A project of runtime tflm needs TensorFlow Lite Micro: its README.md tells how to build it.
    """
    from asc_tiny.targets.build import project

    tflm = project.Tflm(tflm_root, tflm_lib) if tflm_root and tflm_lib else None
    target = project.load(folder)
    log = target.image.with_name(_LOG)
    try:
        image = project.build(target, tflm)
    except project.BuildError as error:
        raise _with_log(error, log) from None
    log.unlink(missing_ok=True)
    say(f"built {image}", err=True)


def _with_log(error: BuildError, log: Path) -> AscError:
    """Keep the whole log, and return the error with where it is."""
    from asc_tiny.util.files import write_text

    try:
        write_text(log, error.log)
    except AscError as unkept:
        return AscError(f"{error} (no log is kept: {unkept})", details=error.details)
    return AscError(f"{error}; the whole log is {log}", details=error.details)
