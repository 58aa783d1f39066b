"""Training recipes: TOML files that say everything a training run depends on but the data."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from asc_tiny.features.cache import ARITHMETICS, STORAGES
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.nets import network as networks
from asc_tiny.train.recipe_tables import (
    Augmentation,
    Averaging,
    Devices,
    Distillation,
    Loss,
    MixupNormalisation,
    NoiseMask,
    QuantizationAware,
    Schedule,
    Waveform,
    check,
)
from asc_tiny.util import fields, labels
from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import decode_text, parse_toml, read_bytes, sha256

PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")

_MOST_FILTERS = 1 << 16

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What to train and how.

    Attributes:
        name: name of the model.
        network: one of ``asc_tiny.nets.NAMES``, ``FILE.py:FUNCTION`` or ``FILE.keras`` beside the
            recipe, or the name of an entry point in the group ``asc_tiny.networks``.
        network_options: arguments of the network's own, such as a width.
        seed: seed of the random initial weights, order of clips, augmentation and dropout.
        dropout: share of channels dropped before the classifier.
        filters: number of filters, by name, of the convolutions that have fewer than the network's
            own.
        time_resolution: training features have this many columns for each one at inference, by
            a hop that is as much smaller (the report's ensemble 2 doubles it); 1 for the same.
        normalize_bands: take the mean of each mel band's log-mel over the training clips from it,
            and divide by its deviation.
        features: ``float``, or ``fixed`` for what the integer front end's int8 codes stand for.
        feature_storage: how the cache holds float features of the training clips, ``float32`` or
            ``float16``.
        precision: one of ``PRECISIONS``, in which layers compute while training; weights, losses
            and the network that is kept are float32.
        recalibrate: measure the statistics of batch-norm on clips without augmentation at the
            end; otherwise they stay those of training.
        init: file or run whose weights training starts from, layer by layer; "" for none.
        freeze: layers whose weights stay as they are, by name or pattern.
        linear_probe: whether only the last layer with weights learns.
        rate_factors: factors of the learning rate of layers, by name or pattern.
        device: recording device whose clips it trains on; "" for all.
        validation_share: share of the recordings of the split ``train`` that are held out, to
            choose between networks on; 0 to 0.5.
        frontend, schedule, augmentation, mixup_normalization, noise_mask, devices, distillation,
            loss, averaging, waveform, quantization_aware: tables of the file.
        source: the file's bytes; they travel with the run.
        folder: folder that the file is in.
        network_folder: folder that the network's file is in; None for ``folder``.
    """

    name: str
    network: str = "mobilenet"
    seed: int = 1
    dropout: float = 0.2
    filters: Mapping[str, int] = field(default_factory=dict)
    network_options: Mapping[str, Any] = field(default_factory=dict)
    time_resolution: int = 1
    normalize_bands: bool = field(default=False, metadata=fields.spelled("normalise_bands"))
    features: str = "float"
    feature_storage: str = "float32"
    precision: str = "float32"
    recalibrate: bool = True
    init: str = ""
    freeze: tuple[str, ...] = ()
    linear_probe: bool = False
    rate_factors: Mapping[str, float] = field(default_factory=dict)
    device: str = ""
    validation_share: float = 0.0
    frontend: FrontEndConfig = field(default_factory=FrontEndConfig)
    schedule: Schedule = field(default_factory=Schedule)
    augmentation: Augmentation = field(default_factory=Augmentation)
    mixup_normalization: MixupNormalisation = field(
        default_factory=MixupNormalisation, metadata=fields.spelled("mixup_normalisation")
    )
    noise_mask: NoiseMask = field(default_factory=NoiseMask)
    devices: Devices = field(default_factory=Devices)
    distillation: Distillation = field(default_factory=Distillation)
    loss: Loss = field(default_factory=Loss)
    averaging: Averaging = field(default_factory=Averaging)
    waveform: Waveform = field(default_factory=Waveform)
    quantization_aware: QuantizationAware = field(default_factory=QuantizationAware)
    source: bytes = b""
    folder: Path = field(default=Path(), compare=False)
    network_folder: Path | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        check(self, "name", labels.is_name(self.name), labels.ALLOWED)
        check(self, "network", networks.is_name(self.network), networks.allowed())
        check(self, "seed", 0 <= self.seed < 2**31, "0 to 2147483647")
        check(self, "validation_share", 0.0 <= self.validation_share <= 0.5, "0 to 0.5")
        check(self, "dropout", 0.0 <= self.dropout < 1.0, "0 to below 1")
        check(self, "features", self.features in ARITHMETICS, ", ".join(ARITHMETICS))
        stored = self.feature_storage in STORAGES
        check(self, "feature_storage", stored, ", ".join(STORAGES))
        check(self, "precision", self.precision in PRECISIONS, ", ".join(PRECISIONS))
        if any(type(n) is not int or not 1 <= n <= _MOST_FILTERS for n in self.filters.values()):
            counts = shown(dict(self.filters))
            raise AscError(f"filters = {counts}, must be counts of 1 to {_MOST_FILTERS}")
        for layer, factor in self.rate_factors.items():
            if not 0.0 < factor <= 100.0:
                raise AscError(
                    f"rate_factors.{shown(layer)[1:-1]} = {factor:g}, allowed: above 0, up to 100"
                )
        if self.frontend.quantization is not None:
            raise AscError("frontend.quantisation: comes from the trained model, not the recipe")
        divides = self.time_resolution >= 1 and self.frontend.hop % self.time_resolution == 0
        check(self, "time_resolution", divides, f"1 or a divisor of hop ({self.frontend.hop})")
        if self.noise_mask.weight and self.features == "fixed":
            raise AscError('noise_mask.weight: noise is added to features = "float" only')
        if self.quantization_aware.enabled and self.precision != "float32":
            raise AscError(
                f"precision = {self.precision!r}: rounding to int8 codes (quantization_aware."
                "enabled) needs float32"
            )
        if self.quantization_aware.enabled and not self.augmentation.quantize_input:
            raise AscError(
                "quantization_aware.enabled: also give augmentation.quantise_input = true, so that "
                "the input is rounded, too"
            )
        in_nats = self.augmentation.gain_db or self.noise_mask.weight or self.devices.responses
        for key, needed in (("compression", "log"), ("log", "ln"), ("spectrum", "power")):
            if in_nats and getattr(self.frontend, key) != needed:
                raise AscError(
                    f"frontend.{key} = {getattr(self.frontend, key)!r}: gain_db, noise_mask and "
                    f"devices need {needed!r}"
                )
        columns, bands = self.train_frontend.columns, self.frontend.n_mels
        if self.noise_mask.weight and columns < 5:
            raise AscError(f"noise_mask.weight: clips have {columns} columns, 5 are needed")
        augmentation = self.augmentation
        check(augmentation, "crop_columns", augmentation.crop_columns <= columns, f"0 to {columns}")
        width = augmentation.crop_columns or columns
        check(
            augmentation,
            "time_mask_columns",
            augmentation.time_mask_columns <= width,
            f"0 to {width}",
        )
        check(
            augmentation,
            "frequency_mask_bands",
            augmentation.frequency_mask_bands <= bands,
            f"0 to {bands}",
        )

    @property
    def sha256(self) -> str:
        """SHA-256 of the file."""
        return sha256(self.source)

    @property
    def content(self) -> dict[str, Any]:
        """The file's content as plain values."""
        return parse_toml(self.source, source=self.name)

    @property
    def train_frontend(self) -> FrontEndConfig:
        """The front end of the training features."""
        return dataclasses.replace(self.frontend, hop=self.frontend.hop // self.time_resolution)

    @property
    def train_shape(self) -> tuple[int, int, int]:
        """Shape of a training input after cropping: (n_mels, columns, channels)."""
        bands, columns, channels = self.train_frontend.shape
        return (bands, self.augmentation.crop_columns or columns, channels)

    def find_network(self) -> networks.Network:
        """Return the network that the recipe names.

        Raises:
            AscError: its file is not beside the recipe.
        """
        return networks.find(self.network, self.network_folder or self.folder)

    def find(self, name: str) -> Path:
        """Return the path of a file that the recipe names, beside it or in the working folder.

        Raises:
            AscError: it is at neither place.
        """
        for path in (self.folder / name, Path(name)):
            if path.exists():
                return path
        raise AscError(f"{name}: is neither in {self.folder} nor in the working folder")


_TABLES = {
    "schedule": Schedule,
    "augmentation": Augmentation,
    "mixup_normalisation": MixupNormalisation,
    "noise_mask": NoiseMask,
    "devices": Devices,
    "distillation": Distillation,
    "loss": Loss,
    "averaging": Averaging,
    "waveform": Waveform,
    "quantization_aware": QuantizationAware,
}
_NOT_KEYS = ("source", "folder", "network_folder")


def load(path: Path, *, features: str | None = None) -> Recipe:
    """Read a recipe.

    Args:
        path: the file.
        features: takes the place of the file's value, also in ``source``; None leaves it.

    Raises:
        AscError: the file is missing, not TOML, or has an unknown key or a value out of range.
    """
    source = read_bytes(path)
    values = parse_toml(source, source=str(path))
    try:
        recipe = _recipe(values, source, path.parent)
        if features in (None, recipe.features):
            return recipe
        changed = _with_value(source, "features", f'"{features}"')
        return dataclasses.replace(recipe, features=str(features), source=changed)
    except AscError as error:
        raise AscError(f"{path}: {error}") from error


def with_seed(recipe: Recipe, seed: int) -> Recipe:
    """Return a recipe with another seed, also in ``source``; the bytes stay where it is the same.

    Raises:
        AscError: no seed may be this.
    """
    if seed == recipe.seed:
        return recipe
    source = _with_value(recipe.source, "seed", str(seed))
    return dataclasses.replace(recipe, seed=seed, source=source)


def fine_tuning(recipe: Recipe, *, init: str | None = None, device: str | None = None) -> Recipe:
    """Return a recipe that starts from another network, or trains on a device, also in ``source``.

    Args:
        recipe: the recipe; None of the others leaves its value.
        init: file or run whose weights training starts from.
        device: recording device whose clips it trains on.
    """
    chosen: dict[str, Any] = {"init": init, "device": device}
    for key, value in chosen.items():
        if value is not None and value != getattr(recipe, key):
            source = _with_value(recipe.source, key, json.dumps(value, ensure_ascii=False))
            changed: dict[str, Any] = {key: value, "source": source}
            recipe = dataclasses.replace(recipe, **changed)
    return recipe


def parse(source: bytes, *, folder: Path) -> Recipe:
    """Return the recipe of a text, such as another recipe's with other values.

    Args:
        source: TOML in UTF-8.
        folder: folder in which the recipe finds the files that it names.

    Raises:
        AscError: not TOML, or an unknown key or a value out of range.
    """
    return _recipe(parse_toml(source, source="recipe"), source, folder)


def _with_value(source: bytes, key: str, value: str) -> bytes:
    """Return the text of a recipe with another value of a key before the first table."""
    top, *rest = re.split(r"(?m)^(?=[ \t]*\[)", decode_text(source, source="recipe"), maxsplit=1)
    kept = re.sub(rf"(?m)^[ \t\"']*{key}[ \t\"']*=.*\n?", "", top)
    return "".join([f"{key} = {value}\n", kept, *rest]).encode("utf-8")


def _recipe(values: dict[str, Any], source: bytes, folder: Path) -> Recipe:
    frontend = FrontEndConfig.from_dict(values.get("frontend", {}), source="frontend")
    if frontend.normalization is not None and values.get("normalise_bands"):
        raise AscError("normalise_bands = true, but frontend.normalisation is given")
    if "name" not in values:
        raise AscError("name is missing, a recipe needs one")
    special: dict[str, Callable[[Any], Any]] = {
        "frontend": lambda _: frontend,
        "filters": lambda value: dict(fields.table(value, "filters")),
        "network_options": lambda value: dict(fields.table(value, "network_options")),
        "rate_factors": _factors,
        **{name: partial(_part, kind, name) for name, kind in _TABLES.items()},
    }
    arguments = fields.checked(Recipe, values, without=_NOT_KEYS, special=special)
    return Recipe(**arguments, source=source, folder=folder)


def _factors(value: object) -> dict[str, float]:
    factors = fields.table(value, "rate_factors")
    names = {name: f"rate_factors.{shown(name)[1:-1]}" for name in factors}
    return {name: fields.typed(factor, "float", names[name]) for name, factor in factors.items()}


def _part(kind: type[T], name: str, value: object) -> T:
    return kind(**fields.checked(kind, fields.table(value, name), prefix=f"{name}."))
