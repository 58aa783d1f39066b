"""How closely figures must come to the stated ones: as closely as the compiler allows."""

from __future__ import annotations

import shutil
import subprocess

MEASURED_WITH = "12"
"""GCC's release that stated instructions, flash and stack are of."""

CLOSE, ANOTHER = 1.02, 1.10


def margin() -> float:
    """Return the factor by which figures may exceed stated ones with this machine's compiler."""
    compiler = shutil.which("arm-none-eabi-gcc")
    if compiler is None:
        return CLOSE
    command = [compiler, "-dumpversion"]
    version = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return CLOSE if version.split(".")[0] == MEASURED_WITH else ANOTHER
