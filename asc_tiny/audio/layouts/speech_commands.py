"""Speech Commands (Warden, "Speech Commands: A Dataset for Limited-Vocabulary Speech Recognition",
2018): a folder per word, lists of what validates and tests, and long recordings of noise.

A file is ``word/SPEAKER_nohash_N.wav``; all recordings of a speaker are on one side.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from asc_tiny.audio.layouts.listing import Options, Recording, Section, device_of
from asc_tiny.audio.layouts.tree import audio_files
from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import read_text

LISTS = {"validation_list.txt": "evaluate", "testing_list.txt": "test"}
BACKGROUND = "_background_noise_"
LICENCE = "CC BY 4.0"


def read(source: Path, options: Options) -> Iterator[Recording]:
    """Yield words and background noise; a list's words are ``evaluate`` or ``test``, others train.

    The few recordings of noise are of the class ``options.background``, ``silence`` if that is
    empty; each is used for training, since the lists name none of them.

    Raises:
        AscError: a list names a file that is not there, or a recording lies in no word's folder.
    """
    parts = _lists(source)
    for name in audio_files(source):
        if len(name.parts) != 2:
            raise AscError(f"{source / name}: must lie in the folder of its word")
        word, speaker = name.parts[0], name.stem.split("_nohash_")[0]
        device = device_of(str(name), options)
        part = parts.pop(str(name), ("train", ""))[0]
        kind, label = "speaker", word
        if word == BACKGROUND:
            kind, label = "noise", options.background or "silence"
        yield Recording(
            str(name), source / name, (Section(label),), kind, speaker, device, part,
            f"Speech Commands {name}", LICENCE,
        )  # fmt: skip
    for name_, (_, place) in parts.items():
        raise AscError(f"{place}: {shown(name_, 200)}: file is missing")


def _lists(source: Path) -> dict[str, tuple[str, str]]:
    """Return part and place in its list by the name of a file."""
    found: dict[str, tuple[str, str]] = {}
    for file, part in LISTS.items():
        for number, line in enumerate(read_text(source / file).split("\n"), start=1):
            if not line.strip():
                continue
            place, name = f"{source / file}:{number}", str(PurePosixPath(line.strip()))
            if name in found:
                raise AscError(f"{place}: {shown(name, 200)}: also in {found[name][1]}")
            found[name] = part, place
    return found
