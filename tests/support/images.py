"""Images of firmware that are linked in no time."""

from __future__ import annotations

import subprocess
from pathlib import Path

SIZE = 9_000


def linked(folder: Path, core: str, *, origin: int = 0, size: int = SIZE) -> Path:
    """An ELF image of that many bytes of flash for a core."""
    source, image = folder / f"{core}.s", folder / "firmware.elf"
    values = ", ".join(str(i * i % 251) for i in range(97))
    source.write_text(
        f".thumb\n.section .text\n.global _start\n_start: .byte {values}\n"
        f".space {size - 97}, 0x5a\n"
    )
    command = ["arm-none-eabi-gcc", f"-mcpu={core}", "-mthumb", "-nostdlib", f"-Ttext={origin:#x}"]
    subprocess.run([*command, source, "-o", image], check=True)
    return image
