"""Where a recipe's network comes from: this package, a file beside the recipe, or a package."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import Any

from asc_tiny.util import fields
from asc_tiny.util.console_text import printable, shown
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import read_bytes, sha256, write_bytes

GROUP = "asc_tiny.networks"
"""Group of the entry points by which packages bring networks."""

DROPOUT = 0.2
"""Dropout that is asked for where a recipe says nothing."""

Shape = tuple[int, int, int]
"""(n_mels, columns, channels) of features."""

StoredWeights = dict[str, list[Any]]
"""Arrays of each layer by its name, in the order of ``keras.Layer.get_weights``."""

_PYTHON = re.compile(r"(?P<file>[^:]+\.py):(?P<function>[A-Za-z_]\w*)")
_NAME = re.compile(r"[A-Za-z][\w.-]*")


@dataclass(frozen=True)
class Network:
    """A network that a recipe names.

    Attributes:
        name: name in the recipe.
        files: files that the network is built from and that travel with a run, by their path
            relative to the recipe.
    """

    name: str
    files: Mapping[str, Path]

    def build(self, shape: Shape, classes: int, *, dropout: float = DROPOUT, **options: Any) -> Any:
        """Build the whole network.

        Args:
            shape: shape of the features.
            classes: number of outputs.
            dropout: share of channels dropped before the classifier, 0 to below 1.
            options: values of the recipe's table ``network_options``.

        Returns:
            ``keras.Model`` from float32 features to probabilities.

        Raises:
            AscError: the network does not take this shape or these options, or is no network
                as docs/developer/network_contract.md describes it.
        """
        raise NotImplementedError

    def register(self) -> None:
        """Have Keras know the layers of the network, as loading a saved one needs."""

    @property
    def unpruned(self) -> tuple[str, ...]:
        """Names of layers that pruning leaves as they are."""
        return ()

    def translate(self, stored: StoredWeights) -> StoredWeights:
        """Return weights of a file under the names, and with the axes, that the layers here have.

        Args:
            stored: weights of the file's layers by their names, as ``stored_weights`` reads them.
        """
        return stored

    def digests(self) -> dict[str, str]:
        """Return the SHA-256 of what the network is built from, by its name."""
        return {name: sha256(read_bytes(path)) for name, path in self.files.items()}

    def copy(self, folder: Path) -> None:
        """Write the files to another folder, where ``find`` finds the network again."""
        for name, path in self.files.items():
            if (folder / name).resolve() != path.resolve():
                write_bytes(folder / name, read_bytes(path))


class Function(Network):
    """A network that a function of a module builds."""

    def _function(self) -> Callable[..., Any]:
        raise NotImplementedError

    def build(self, shape: Shape, classes: int, *, dropout: float = DROPOUT, **options: Any) -> Any:
        """Call the function with those arguments that it takes."""
        function = self._function()
        arguments = self._arguments(function, dropout, options)
        try:
            model = function(shape, classes, **arguments)
        except AscError:
            raise
        except (Exception, SystemExit) as error:
            # A function of a user's can fail in any way.
            reason = printable(" ".join(f"{type(error).__name__}: {error}".split()))[:300]
            raise AscError(f"network {self.name}: cannot be built: {reason}") from error
        return self._checked(model, shape, classes)

    def _checked(self, model: Any, shape: Shape, classes: int) -> Any:
        return checked(model, self.name, shape, classes)

    def register(self) -> None:
        """Import the module."""
        self._function()

    @property
    def unpruned(self) -> tuple[str, ...]:
        """Value of ``UNPRUNED`` in the function's module."""
        return tuple(getattr(self._module(), "UNPRUNED", ()))

    def translate(self, stored: StoredWeights) -> StoredWeights:
        """Return what ``translate_weights`` of the function's module returns, if it has one."""
        function = getattr(self._module(), "translate_weights", None)
        if function is None:
            return stored
        try:
            translated: StoredWeights = function(stored)
        except Exception as error:
            # A function of a user's can fail in any way.
            reason = printable(" ".join(f"{type(error).__name__}: {error}".split()))[:300]
            raise AscError(f"network {self.name}: translate_weights: {reason}") from error
        return translated

    def _module(self) -> Any:
        return sys.modules.get(self._function().__module__)

    def _arguments(
        self, function: Callable[..., Any], dropout: float, options: Mapping[str, Any]
    ) -> dict[str, Any]:
        parameters = inspect.signature(function).parameters
        known = {
            name: parameter
            for name, parameter in list(parameters.items())[2:]
            if parameter.kind in (parameter.KEYWORD_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        }
        takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
        arguments = {}
        for name, value in options.items():
            if name not in known and not takes_any:
                allowed = ", ".join(n for n in known if n != "dropout") or "none"
                raise AscError(f"network_options.{name}: unknown, {self.name} has {allowed}")
            kind = (
                str(getattr(known[name].annotation, "__name__", known[name].annotation))
                if (name in known)
                else ""
            )
            simple = re.fullmatch(r"(int|float|str|bool|tuple\[\w+, \.\.\.\])( \| None)?", kind)
            label = f"network_options.{name}"
            arguments[name] = fields.typed(value, kind, label) if simple else value
        if "dropout" in known:
            arguments["dropout"] = dropout
        elif dropout != DROPOUT:
            raise AscError(f"dropout = {dropout:g}: network {self.name} has no dropout")
        return arguments


class BuiltIn(Function):
    """A network of this package."""

    def _checked(self, model: Any, shape: Shape, classes: int) -> Any:
        # Tests have checked it, and a forward pass takes longer than building it.
        return model

    def _function(self) -> Callable[..., Any]:
        from asc_tiny import nets

        nets.require_tensorflow()
        function: Callable[..., Any] = importlib.import_module(f"asc_tiny.nets.{self.name}").build
        return function


class PythonFile(Function):
    """A function in a file of Python, ``my_nets.py:build``."""

    def _function(self) -> Callable[..., Any]:
        from asc_tiny import nets

        nets.require_tensorflow()
        (file,), path = self.files, *self.files.values()
        data = read_bytes(path)
        # A name by content: the same file is loaded once, so its layers have one class.
        title = f"asc_tiny_network_{sha256(data)[:16]}"
        module = sys.modules.get(title) or _executed(title, path, file)
        name = self.name.rpartition(":")[2]
        function = getattr(module, name, None)
        if not callable(function):
            raise AscError(f"{path}: has no function {name}")
        return function  # type: ignore[no-any-return]


class Package(Function):
    """A function that a package names as an entry point."""

    def _function(self) -> Callable[..., Any]:
        from asc_tiny import nets

        nets.require_tensorflow()
        (entry,) = _entries(self.name)
        try:
            function = entry.load()
        except Exception as error:
            # A package can fail in any way.
            reason = printable(f"{type(error).__name__}: {error}")
            raise AscError(f"network {self.name}: {entry.value}: {reason}") from error
        if not callable(function):
            raise AscError(f"network {self.name}: {entry.value} is no function")
        return function  # type: ignore[no-any-return]

    def digests(self) -> dict[str, str]:
        """Return the SHA-256 of the module that has the function."""
        source = inspect.getsourcefile(self._function())
        return {self.name: sha256(read_bytes(Path(source)))} if source else {}


class KerasFile(Network):
    """A network that Keras saved, with its weights; it gets a classifier if it has none."""

    def build(self, shape: Shape, classes: int, *, dropout: float = DROPOUT, **options: Any) -> Any:
        """Return the network for features of this shape, with the file's weights."""
        from asc_tiny import nets

        if options:
            raise AscError(f"network_options.{next(iter(options))}: {self.name} has no options")
        (path,) = self.files.values()
        model = nets.load(path)
        from asc_tiny.nets.keras_backbone import classifier

        return checked(
            classifier(model, shape, classes, dropout, source=str(path)), self.name, shape, classes
        )


def is_name(name: str) -> bool:
    """Return whether a text can name a network: of ours, in a file, or of a package."""
    from asc_tiny import nets

    return name in nets.NAMES or _file(name) is not None or bool(_entries(name))


def allowed() -> str:
    """Return what a recipe may say, for messages."""
    from asc_tiny import nets

    return (
        f"{', '.join(nets.NAMES)}, a function in a file such as 'my_nets.py:build', a file such "
        f"as 'backbone.keras', or an entry point of a package in the group {GROUP}"
    )


def find(name: str, folder: Path = Path()) -> Network:
    """Return the network that a recipe names.

    Args:
        name: name of one of ``nets.NAMES``, ``FILE.py:FUNCTION``, ``FILE.keras``, or the name of
            an entry point in ``GROUP``.
        folder: folder that files are relative to.

    Raises:
        AscError: there is none, or several packages bring one of this name.
    """
    from asc_tiny import nets

    if name in nets.NAMES:
        return BuiltIn(name, {})
    file = _file(name)
    if file is not None:
        path = folder / file
        if not path.is_file():
            raise AscError(f"network {shown(name)}: {file} is not in {folder}")
        return (KerasFile if file.endswith(".keras") else PythonFile)(name, {file: path})
    found = _entries(name)
    if len(found) > 1:
        names = ", ".join(printable(entry.dist.name) for entry in found if entry.dist)
        raise AscError(f"network {shown(name)}: several packages bring it: {names}")
    if not found:
        raise AscError(f"network {shown(name)} is unknown, allowed: {allowed()}")
    return Package(name, {})


def checked(model: Any, name: str, shape: Shape, classes: int) -> Any:
    """Return a network as one functional model if it is what the other rooms rely on.

    Raises:
        AscError: it is no functional Keras model, or takes or gives something else.
    """
    import keras
    import numpy as np

    from asc_tiny.nets.rebuild import functional

    if not isinstance(model, keras.Model):
        raise AscError(f"network {name}: {shown(type(model).__name__)} is no keras.Model")
    model = functional(model)
    if tuple(model.input_shape[1:]) != tuple(shape):
        raise AscError(f"network {name}: takes {model.input_shape[1:]}, the features are {shape}")
    if tuple(model.output_shape[1:]) != (classes,):
        raise AscError(
            f"network {name}: gives {model.output_shape[1:]}, the data has {classes} classes"
        )
    scores = np.asarray(model(np.zeros((1, *shape), np.float32), training=False))
    if not np.allclose(scores.sum(), 1.0, atol=1e-3) or scores.min() < 0.0:
        raise AscError(f"network {name}: must end in probabilities, a softmax layer")
    return model


def _file(name: str) -> str | None:
    """Return the relative path of the file that a name has, if it is one beside a recipe."""
    match = _PYTHON.fullmatch(name)
    file = match["file"] if match else name if name.endswith(".keras") else None
    if file is None or "\\" in file or "\0" in file:
        return None
    path = PurePosixPath(file)
    outside = path.is_absolute() or ".." in path.parts or str(path) != file
    return None if outside else file


def _entries(name: str) -> tuple[metadata.EntryPoint, ...]:
    if not _NAME.fullmatch(name):
        return ()
    try:
        return tuple(metadata.entry_points(group=GROUP, name=name))
    except Exception:
        # Metadata of some package that cannot be read brings no network.
        return ()


def _executed(title: str, path: Path, file: str) -> Any:
    spec = importlib.util.spec_from_file_location(title, path)
    assert spec and spec.loader, "a .py file has a loader"
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and pickles find a module by its name.
    sys.modules[title] = module
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[title]
        if not isinstance(error, Exception | SystemExit):
            raise
        reason = printable(" ".join(f"{type(error).__name__}: {error}".split()))[:300]
        raise AscError(f"{path}: cannot be run: {reason}") from error
    return module
