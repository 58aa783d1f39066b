"""Where the tool of a project leaves the image that it builds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from asc_tiny.projects.manifest_reader import Manifest
from asc_tiny.util.errors import AscError


def find(project: Manifest, patterns: Sequence[str]) -> Path:
    """Return the image that a project's tool has built, the newest if there are several.

    Args:
        project: what ``generate`` wrote.
        patterns: ``image_patterns`` of its kind.

    Raises:
        AscError: there is none, or the tool builds it outside the project.
    """
    if not patterns:
        raise AscError(
            f"{project.folder}: a project of kind {project.kind} is built elsewhere; give its "
            "image by --image"
        )
    names = {"name": project.name, "prefix": project.prefix, "folder": project.folder.name}
    places = [pattern.format(**names) for pattern in patterns]
    found = [path for place in places for path in sorted(project.folder.glob(place))]
    if found:
        # A debug build beside a release build that is older is what the user has built last.
        return max(found, key=lambda path: path.stat().st_mtime_ns)
    raise AscError(
        f"{project.folder}: not built, {places[0]} is missing; see README.md, or give --image"
    )
