"""The C runtime: files written by hand that go into projects as they are, a folder for each part.

=============== =================================================================================
folder          contents
=============== =================================================================================
``nn``          network kernels and the executor that runs them row by row
``fixed_point`` products of 32 bits, which the front end and the resampler share
``frontend``    samples to feature columns
``decision``    scores to a label
``classifier``  front end, network and decision in one
``audio``       blocks of samples from an interrupt to the application
``resample``    from the microphone's sample rate to that of the model
``protocol``    requests and replies on a serial port
``selftest``    the check of an image against expected features and scores
=============== =================================================================================
"""

from __future__ import annotations

from asc_tiny.firmware.c.templates import template_root


def runtime_sources(*folders: str) -> dict[str, str]:
    """Return the C files of folders of the runtime, file name to text, sorted within a folder.

    Args:
        folders: names of folders of ``firmware_templates/runtime``; no two have a file of one
            name, since a generated project is one flat folder.
    """
    root = template_root() / "runtime"
    paths = [path for folder in folders for path in sorted((root / folder).glob("*.[ch]"))]
    return {path.name: path.read_text(encoding="utf-8") for path in paths}
