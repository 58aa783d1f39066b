"""What a long run has done so far, a line of JSON for each step, so that the next run goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from asc_tiny.util.files import append_text

Record = dict[str, Any]


class Journal:
    """Records by key; the first line says what the run does, and another run starts anew.

    Args:
        path: file of the journal; there may be none, or one whose last line was cut off.
        run: digest of all that the records depend on, but what their keys say.
    """

    def __init__(self, path: Path, run: str) -> None:
        self.path = path
        self.records: dict[str, Record] = {}
        head = json.dumps({"run": run}) + "\n"
        text = path.read_bytes().decode("utf-8", "replace") if path.is_file() else ""
        if not text.startswith(head):
            path.write_bytes(head.encode())
            return
        # What is behind the last line end was being written when the run was killed.
        whole = text[: text.rindex("\n") + 1]
        path.write_bytes(whole.encode())
        for line in whole.splitlines()[1:]:
            record = json.loads(line)
            self.records[record["key"]] = record

    def add(self, key: str, record: Record) -> None:
        """Keep a record."""
        self.records[key] = {"key": key, **record}
        append_text(self.path, json.dumps(self.records[key]) + "\n")
