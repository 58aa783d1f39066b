"""A network's inputs and outputs by number, for C programs that run any network."""

from __future__ import annotations

from asc_tiny.firmware.c.templates import render_files
from asc_tiny.firmware.firmware_network import FirmwareNetwork


def generate(network: FirmwareNetwork, banner: str) -> dict[str, str]:
    """Return ``asc_ends.h`` and ``asc_ends.c``, file name to text."""
    inputs, outputs = network.inputs, network.outputs
    values = {
        "banner": banner,
        "has_float": any(end.dtype == "FLOAT32" for end in inputs),
        "hash": network.model_file.sha256,
        "inputs": inputs,
        # As asc_net.h names them.
        "is_numbered": not len(inputs) == len(outputs) == 1,
        "outputs": outputs,
    }
    return render_files(values, "ends/asc_ends.h", "ends/asc_ends.c")
