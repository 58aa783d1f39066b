"""``asc-tiny doctor``: what is installed and what is missing."""

from __future__ import annotations

from importlib import metadata

import click

from asc_tiny.cli.help_text import examples
from asc_tiny.cli.main import print_json
from asc_tiny.cli.options import json_option
from asc_tiny.cli.streams import say

PACKAGES = {
    "numpy": "base",
    "scipy": "base",
    "soundfile": "base",
    "tflite": "base",
    "tensorflow-cpu": "train",
    "tflite-micro": "train",
    "esptool": "flash",
    "pyocd": "flash",
    "pyserial": "flash",
    "textual": "flash",
    "websockets": "flash",
}
"""Python packages that commands use, and the extra of asc-tiny that brings them."""


@click.command(
    short_help="Tell which programs and packages are missing.", epilog=examples("doctor")
)
@json_option
def command(as_json: bool) -> None:
    """Report the programs and Python packages that commands need."""
    from asc_tiny.targets.build.project import available_programs
    from asc_tiny.targets.build.tools import PACKAGES as DEBIAN_PACKAGES

    programs = available_programs()
    packages = {name: _version(name) for name in PACKAGES}
    if as_json:
        print_json({"programs": programs, "packages": packages})
        return
    for name, path in programs.items():
        say(f"{name:<24} {path or f'missing: apt-get install {DEBIAN_PACKAGES[name]}'}")
    for name, version in packages.items():
        missing = f"missing: pip install 'asc-tiny[{PACKAGES[name]}]'"
        say(f"{name:<24} {version or missing}")


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
