"""``asc-tiny build``: compile a generated project."""

from __future__ import annotations

from pathlib import Path

import click

from asc_tiny import api
from asc_tiny.cli.help_text import examples
from asc_tiny.cli.options import PATH, project_argument
from asc_tiny.cli.step_line import StepLine
from asc_tiny.cli.streams import note


@click.command(short_help="Build a project that CMake builds.", epilog=examples("build firmware"))
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
@click.option(
    "--tflm-ops",
    type=PATH,
    envvar="TFLM_OPS",
    help="Folder with headers and sources of custom operators, for generate --tflm-op.",
)
def command(
    folder: Path, tflm_root: Path | None, tflm_lib: Path | None, tflm_ops: Path | None
) -> None:
    """Build the CMake project in DIR; the image goes to DIR/build.

    A build that fails leaves all that the compiler says in DIR/build/build.log.

    A project of runtime tflm needs TensorFlow Lite Micro: its README.md tells how to build it.
    """
    project = api.load_project(folder)
    with StepLine() as steps:
        steps.show(f"building for {project.board.name}")
        image = api.build(project, tflm_root=tflm_root, tflm_lib=tflm_lib, tflm_ops=tflm_ops)
    note(f"built {image}")
