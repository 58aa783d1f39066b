"""Where the tool of each kind of project leaves the image that it builds."""

from __future__ import annotations

from pathlib import Path

from asc_tiny.projects.manifest_reader import Manifest
from asc_tiny.util.errors import AscError

_PLACES = {
    "cmake": ("build/firmware.elf",),
    "cmsis": tuple(
        f"out/{{prefix}}_scenes/*/{build}/{{prefix}}_scenes.elf" for build in ("Release", "Debug")
    ),
    "esp-idf": ("build/{prefix}_scenes.bin",),
    # The second is that of a build with sysbuild.
    "zephyr": ("build/zephyr/zephyr.elf", "build/{folder}/zephyr/zephyr.elf"),
}
"""Patterns by kind, the first that is there counts."""


def find(project: Manifest) -> Path:
    """Return the image that a project's tool has built.

    Raises:
        AscError: there is none, or the tool builds it outside the project.
    """
    if project.kind not in _PLACES:
        raise AscError(
            f"{project.folder}: a project of kind {project.kind} is built elsewhere; give its "
            "image by --image"
        )
    names = {"prefix": project.prefix, "folder": project.folder.name}
    places = [place.format(**names) for place in _PLACES[project.kind]]
    for place in places:
        found = sorted(project.folder.glob(place))
        if found:
            return found[0]
    raise AscError(
        f"{project.folder}: not built, {places[0]} is missing; see README.md, or give --image"
    )
