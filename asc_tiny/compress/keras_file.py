"""Anybody's .keras file: read without running code that it holds, and checked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import keras

from asc_tiny.nets import register_layers
from asc_tiny.util import scratch_folders
from asc_tiny.util.captured_output import captured_output
from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import read_bytes

_UNKNOWN = re.compile(r"Could not locate (\w+) '([^']*)'|Unknown (\w+): '?([\w>]+)'?")
_CODE = ("Lambda", "lambda", "unsafe", "safe_mode")
_NUMBERS = ("float16", "float32", "bfloat16", "int8", "int16", "int32", "int64", "uint8", "bool")


@dataclass(frozen=True)
class ModelInput:
    """An input of a Keras model.

    Attributes:
        name: name of the input.
        shape: dimensions with a batch of 1.
        dtype: NumPy's name of the type of the elements.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str


def load(path: Path) -> keras.Model:
    """Read a model as Keras saves it; code inside, such as a lambda's, is not run.

    Raises:
        AscError: no .keras file, or one with layers that Keras itself has not.
    """
    if path.suffix != ".keras":
        raise AscError(f"{path}: must be a .keras file, as model.save('model.keras') writes it")
    read_bytes(path)
    register_layers()
    with captured_output(), scratch_folders.temporary_files():
        try:
            model = keras.models.load_model(path, compile=False, safe_mode=True)
        # A hostile file makes Keras raise whatever its layers do.
        except Exception as error:
            raise AscError(f"{path}: {_reason(error)}") from error
    if not isinstance(model, keras.Model) or not getattr(model, "inputs", None):
        raise AscError(
            f"{path}: no functional or sequential model of known inputs; build it by "
            "keras.Model(inputs, outputs), or call it once before it is saved"
        )
    return model


def _reason(error: Exception) -> str:
    said = " ".join(str(error).split())
    unknown = _UNKNOWN.search(said)
    if unknown:
        name = shown(unknown[2] or unknown[4])
        return (
            f"has {name}, which Keras does not have: code of your own is not in the file; put "
            "layers of keras.layers and keras.ops in its place, or convert it where that code is "
            "(docs/how_to/other_models.md)"
        )
    if any(word in said for word in _CODE):
        return (
            "holds Python code, as Lambda layers do, which is not run; put layers of keras.layers "
            "or keras.ops in its place"
        )
    return f"not a Keras model: {said[:200] or type(error).__name__}"


def model_inputs(model: keras.Model, source: Path) -> list[ModelInput]:
    """Return the inputs of a model, in its order.

    Raises:
        AscError: a dimension other than the batch is not known, or elements are no numbers.
    """
    found = []
    for number, tensor in enumerate(model.inputs):
        shape, dtype = tuple(tensor.shape), keras.backend.standardize_dtype(tensor.dtype)
        title = f"{source}: input {number} ({shown(str(tensor.name))})"
        if shape[:1] not in ((None,), (1,)) or any(size is None for size in shape[1:]):
            text = ", ".join("?" if size is None else str(size) for size in shape)
            raise AscError(
                f"{title} has shape ({text}); give keras.Input a shape without None, whose batch "
                "is left out or 1"
            )
        if dtype not in _NUMBERS or getattr(tensor, "sparse", False):
            raise AscError(f"{title} is {dtype}, must be numbers in a dense array")
        found.append(ModelInput(str(tensor.name), (1, *map(int, shape[1:])), dtype))
    return found


def flat(model: keras.Model) -> keras.Model:
    """Return a model whose inputs and outputs are lists, whatever structure they had."""
    return keras.Model(list(model.inputs), list(model.outputs))
