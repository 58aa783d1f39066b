"""``asc-tiny build``: compile a generated project."""

from __future__ import annotations

from pathlib import Path

import click

from asc_tiny.cli.options import project_argument


@click.command()
@project_argument
def command(folder: Path) -> None:
    """Build the CMake project in DIR; the image goes to DIR/build."""
    from asc_tiny.targets import project

    click.echo(f"built {project.build(project.load(folder))}", err=True)
