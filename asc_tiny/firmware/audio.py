"""Emits the buffer between a microphone's interrupt and the application as C."""

from __future__ import annotations

from asc_tiny.firmware.c.templates import render_files

LEAST_BLOCKS = 2
"""Blocks of samples that the buffer has at least: one is filled while another is read."""


def generate(blocks: int) -> dict[str, str]:
    """Return the buffer's generated files, file name to text, with the prefix ``asc``.

    Args:
        blocks: number of blocks of ``ASC_AUDIO_BLOCK`` samples in the buffer, at least
            ``LEAST_BLOCKS``.
    """
    return render_files({"blocks": blocks}, "audio/asc_audio.h")
