"""What a package needs that brings a kind of project; docs/developer/add_a_project_kind.md.

The package names its subclass of ``ProjectGenerator`` in the group of entry points that is called
like this module.
"""

from __future__ import annotations

from asc_tiny.boards.board_table import BoardTable
from asc_tiny.boards.catalog import Board
from asc_tiny.projects.generator import Files, GenerationRequest, ProjectGenerator, ToolCommand
from asc_tiny.projects.manifest_reader import Manifest
from asc_tiny.projects.microphone_app import sources as microphone_sources
from asc_tiny.projects.microphone_app import values as microphone_values
from asc_tiny.util.errors import AscError
from asc_tiny.util.fields import between, matching, one_of

__all__ = [
    "AscError",
    "Board",
    "BoardTable",
    "Files",
    "GenerationRequest",
    "Manifest",
    "ProjectGenerator",
    "ToolCommand",
    "between",
    "matching",
    "microphone_sources",
    "microphone_values",
    "one_of",
]
