"""Networks in Keras: ours, a file each, and those of others; ``build`` finds them by name."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from asc_tiny.util import scratch_folders
from asc_tiny.util.captured_output import captured_output
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import read_bytes

NAMES = (
    "bc_resnet",
    "cp_mobile",
    "dcase2024_baseline",
    "ds_cnn",
    "mini_segnet",
    "mobilenet",
    "tf_sepnet",
    "yamnet",
)
"""Networks of this package."""


def build(
    name: str,
    input_shape: tuple[int, int, int],
    classes: int,
    *,
    folder: Path = Path(),
    filters: Mapping[str, int] | None = None,
    batch_size: int | None = None,
    **options: Any,
) -> Any:
    """Build a network by its name.

    Args:
        name: name as ``network.find`` takes it.
        input_shape: (n_mels, columns, channels) of the features.
        classes: number of outputs.
        folder: folder that a network in a file is relative to.
        filters: number of filters, or units, of layers that have fewer than the whole network.
        batch_size: fixed batch; 1 to convert to TFLite without dynamic shapes.
        options: arguments of the network's own, ``dropout`` among them.

    Returns:
        An untrained ``keras.Model`` from float32 features to class probabilities.

    Raises:
        AscError: there is no such network, it cannot take this input, these options or these
            filters, or TensorFlow is missing.
    """
    from asc_tiny.nets.network import find

    network = find(name, folder)
    require_tensorflow()
    from asc_tiny.nets.rebuild import rebuilt

    model = network.build(input_shape, classes, **options)
    if filters or batch_size:
        return rebuilt(model, filters=filters, batch_size=batch_size)
    return model


def load(path: Path) -> Any:
    """Read a ``keras.Model`` that has layers of these networks.

    Raises:
        AscError: the file is missing or not a Keras model, or TensorFlow is missing.
    """
    register_layers()
    import keras

    read_bytes(path)
    try:
        with scratch_folders.temporary_files():
            return keras.models.load_model(path, compile=False)
    except (ValueError, OSError, TypeError, KeyError, zipfile.BadZipFile) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise AscError(f"{path}: not a Keras model: {first}") from error


def register_layers() -> None:
    """Have Keras find a layer of ours by the name that its module registers.

    Raises:
        AscError: TensorFlow is missing.
    """
    require_tensorflow()
    for name in ("channel_halves", "feature_norms", "mixup_normalization", "strided_depthwise"):
        importlib.import_module(f"asc_tiny.nets.{name}")


@functools.cache
def require_tensorflow() -> None:
    """Import TensorFlow and Keras without their start-up messages.

    Raises:
        AscError: one of them is missing.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    for package in ("tensorflow", "keras"):
        if importlib.util.find_spec(package) is None:
            raise AscError(f"{package} is not installed: pip install 'asc-tiny[train]'")
        with captured_output():
            importlib.import_module(package)
