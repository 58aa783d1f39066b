"""Training recipes: TOML files that say everything a training run depends on but the data."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from asc_tiny import nets
from asc_tiny.features.cache import ARITHMETICS
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.util import fields, labels
from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import decode_text, parse_toml, read_bytes, sha256

_MOST_FILTERS = 1 << 16

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Learning rate and batches.

    The defaults are those of Bing et al. (DCASE2023 Task 1), section 3.1.

    Attributes:
        cycles: epochs of each cycle; the rate restarts at ``rate_max`` after each.
        rate_max, rate_min: learning rate at the start and towards the end of a cycle.
        momentum: momentum of stochastic gradient descent, 0 to below 1.
        weight_decay: share of each kernel taken away per step, times the learning rate.
        batch: clips per step at most; an epoch is cut into steps of equal size.
    """

    cycles: tuple[int, ...] = (10, 20, 40, 80, 160)
    rate_max: float = 0.1
    rate_min: float = 1e-5
    momentum: float = 0.9
    weight_decay: float = 0.0
    batch: int = 128

    def __post_init__(self) -> None:
        _check(self, "cycles", len(self.cycles) > 0 and min(self.cycles) >= 1, "epochs, 1 or more")
        _check(self, "rate_max", 0.0 < self.rate_max <= 10.0, "above 0, up to 10")
        _check(self, "rate_min", 0.0 <= self.rate_min <= self.rate_max, "0 to rate_max")
        _check(self, "momentum", 0.0 <= self.momentum < 1.0, "0 to below 1")
        _check(self, "weight_decay", 0.0 <= self.weight_decay < 1.0, "0 to below 1")
        _check(self, "batch", self.batch >= 2, "2 or more")

    @property
    def epochs(self) -> int:
        """Epochs of all cycles together."""
        return sum(self.cycles)


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """Random changes to the training features.

    The defaults are those of the report by Bing et al., section 2.3.

    Attributes:
        mixup_alpha: parameter of the symmetric beta distribution that mixes two clips of a batch; 0
            for no mixing.
        crop_columns: width of the random crop in time; 0 for the whole clip.
        frequency_masks, frequency_mask_bands: masks per clip and their width at most.
        time_masks, time_mask_columns: masks per clip and their width at most.
        gain_db: a clip is made louder or softer by up to this, as a shift of its log-mel.
        quantize_input: round the features to the int8 codes that the chip will see.
    """

    mixup_alpha: float = 0.3
    crop_columns: int = 30
    frequency_masks: int = 2
    frequency_mask_bands: int = 20
    time_masks: int = 1
    time_mask_columns: int = 3
    gain_db: float = 0.0
    quantize_input: bool = field(default=False, metadata=fields.spelled("quantise_input"))

    def __post_init__(self) -> None:
        for name in ("crop_columns", "frequency_masks", "time_masks"):
            _check(self, name, getattr(self, name) >= 0, "0 or more")
        for name in ("frequency_mask_bands", "time_mask_columns"):
            _check(self, name, getattr(self, name) >= 0, "0 or more")
        _check(self, "mixup_alpha", 0.0 <= self.mixup_alpha <= 10.0, "0 to 10")
        _check(self, "gain_db", 0.0 <= self.gain_db <= 40.0, "0 to 40")


@dataclass(frozen=True, kw_only=True)
class MixupNormalisation:
    """Mixing of channel statistics between clips in networks that have such layers (section 2.2).

    Attributes:
        alpha: parameter of the symmetric beta distribution from which the share that a clip keeps
            of its own statistics is drawn.
        share: share of batches that are mixed; 0 leaves plain batch normalisation.
    """

    alpha: float = 0.3
    share: float = 0.1

    def __post_init__(self) -> None:
        _check(self, "alpha", 0.0 < self.alpha <= 10.0, "above 0, up to 10")
        _check(self, "share", 0.0 <= self.share <= 1.0, "0 to 1")


@dataclass(frozen=True, kw_only=True)
class NoiseMask:
    """Noise in the training clips, and a second task: telling it from the clip (section 2.3.2).

    Attributes:
        weight: weight of that task's loss beside the loss of the scenes; 0 leaves out the noise as
            well.
        snr_db: lowest and highest ratio of a clip's power to the power of its noise, in dB.
    """

    weight: float = 0.0
    snr_db: tuple[float, ...] = (0.0, 30.0)

    def __post_init__(self) -> None:
        _check(self, "weight", 0.0 <= self.weight <= 100.0, "0 to 100")
        ordered = len(self.snr_db) == 2 and -40.0 <= self.snr_db[0] <= self.snr_db[1] <= 80.0
        _check(self, "snr_db", ordered, "the lowest and the highest, within -40 to 80")


@dataclass(frozen=True, kw_only=True)
class Devices:
    """Recordings as other devices would have made them.

    Attributes:
        responses: folder of impulse responses, wav or flac at the front end's rate; "" for none.
        share: share of clips that get one of the responses, 0 to 1.
    """

    responses: str = ""
    share: float = 0.5

    def __post_init__(self) -> None:
        _check(self, "share", 0.0 <= self.share <= 1.0, "0 to 1")


@dataclass(frozen=True, kw_only=True)
class Distillation:
    """Trained networks that the one in training learns from.

    Attributes:
        teacher: folders of runs or .keras files; the scores of several are averaged.
        temperature: temperature that softens the scores of teacher and student, 1 to 100.
        weight: weight of the teacher's scores, 0 to 1; the labels have the rest.
    """

    teacher: tuple[str, ...] = ()
    temperature: float = 2.0
    weight: float = 0.5

    def __post_init__(self) -> None:
        _check(self, "teacher", all(self.teacher), "folders of runs or .keras files")
        _check(self, "temperature", 1.0 <= self.temperature <= 100.0, "1 to 100")
        _check(self, "weight", 0.0 <= self.weight <= 1.0, "0 to 1")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What to train and how.

    Attributes:
        name: name of the model.
        network: one of ``asc_tiny.nets.NAMES``.
        seed: seed of the random initial weights, order of clips, augmentation and dropout.
        dropout: share of channels dropped before the classifier.
        filters: number of filters, by name, of the convolutions that have fewer than the network's
            own.
        time_resolution: training features have this many columns for each one at inference, by
            a hop that is as much smaller (the report's ensemble 2 doubles it); 1 for the same.
        normalize_bands: take the mean of each mel band's log-mel over the training clips from it,
            and divide by its deviation.
        features: ``float``, or ``fixed`` for what the integer front end's int8 codes stand for.
        recalibrate: measure the statistics of batch-norm on clips without augmentation at the
            end; otherwise they stay those of training.
        frontend, schedule, augmentation, mixup_normalization, noise_mask, devices, distillation:
            tables of the file.
        source: the file's bytes; they travel with the run.
        folder: folder that the file is in.
    """

    name: str
    network: str = "mobilenet"
    seed: int = 1
    dropout: float = 0.2
    filters: Mapping[str, int] = field(default_factory=dict)
    time_resolution: int = 1
    normalize_bands: bool = field(default=False, metadata=fields.spelled("normalise_bands"))
    features: str = "float"
    recalibrate: bool = True
    frontend: FrontEndConfig = field(default_factory=FrontEndConfig)
    schedule: Schedule = field(default_factory=Schedule)
    augmentation: Augmentation = field(default_factory=Augmentation)
    mixup_normalization: MixupNormalisation = field(
        default_factory=MixupNormalisation, metadata=fields.spelled("mixup_normalisation")
    )
    noise_mask: NoiseMask = field(default_factory=NoiseMask)
    devices: Devices = field(default_factory=Devices)
    distillation: Distillation = field(default_factory=Distillation)
    source: bytes = b""
    folder: Path = field(default=Path(), compare=False)

    def __post_init__(self) -> None:
        _check(self, "name", labels.is_name(self.name), labels.ALLOWED)
        _check(self, "network", self.network in nets.NAMES, ", ".join(nets.NAMES))
        _check(self, "seed", 0 <= self.seed < 2**31, "0 to 2147483647")
        _check(self, "dropout", 0.0 <= self.dropout < 1.0, "0 to below 1")
        _check(self, "features", self.features in ARITHMETICS, ", ".join(ARITHMETICS))
        if any(type(n) is not int or not 1 <= n <= _MOST_FILTERS for n in self.filters.values()):
            counts = shown(dict(self.filters))
            raise AscError(f"filters = {counts}, must be counts of 1 to {_MOST_FILTERS}")
        if self.frontend.quantization is not None:
            raise AscError("frontend.quantisation: comes from the trained model, not the recipe")
        divides = self.time_resolution >= 1 and self.frontend.hop % self.time_resolution == 0
        _check(self, "time_resolution", divides, f"1 or a divisor of hop ({self.frontend.hop})")
        if self.noise_mask.weight and self.features == "fixed":
            raise AscError('noise_mask.weight: noise is added to features = "float" only')
        in_nats = self.augmentation.gain_db or self.noise_mask.weight or self.devices.responses
        if in_nats and self.frontend.log != "ln":
            raise AscError(
                f"frontend.log = {self.frontend.log!r}: gain_db, noise_mask and devices need 'ln'"
            )
        columns, bands = self.train_frontend.columns, self.frontend.n_mels
        if self.noise_mask.weight and columns < 5:
            raise AscError(f"noise_mask.weight: clips have {columns} columns, 5 are needed")
        augmentation = self.augmentation
        _check(
            augmentation, "crop_columns", augmentation.crop_columns <= columns, f"0 to {columns}"
        )
        width = augmentation.crop_columns or columns
        _check(
            augmentation,
            "time_mask_columns",
            augmentation.time_mask_columns <= width,
            f"0 to {width}",
        )
        _check(
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
}
_NOT_KEYS = ("source", "folder")


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
        changed = _with_features(source, str(features))
        return dataclasses.replace(recipe, features=str(features), source=changed)
    except AscError as error:
        raise AscError(f"{path}: {error}") from error


def _with_features(source: bytes, features: str) -> bytes:
    """Return the text of a recipe with another value of ``features``."""
    line = f'features = "{features}"\n'
    # A key before the first table is at the top; no table has one of this name.
    rest = re.sub(
        r"(?m)^[ \t\"']*features[ \t\"']*=.*\n?", "", decode_text(source, source="recipe")
    )
    return (line + rest).encode("utf-8")


def _recipe(values: dict[str, Any], source: bytes, folder: Path) -> Recipe:
    frontend = FrontEndConfig.from_dict(values.get("frontend", {}), source="frontend")
    if frontend.normalization is not None and values.get("normalise_bands"):
        raise AscError("normalise_bands = true, but frontend.normalisation is given")
    if "name" not in values:
        raise AscError("name is missing, a recipe needs one")
    special: dict[str, Callable[[Any], Any]] = {
        "frontend": lambda _: frontend,
        "filters": lambda value: dict(fields.table(value, "filters")),
        **{name: partial(_part, kind, name) for name, kind in _TABLES.items()},
    }
    arguments = fields.checked(Recipe, values, without=_NOT_KEYS, special=special)
    return Recipe(**arguments, source=source, folder=folder)


def _part(kind: type[T], name: str, value: object) -> T:
    return kind(**fields.checked(kind, fields.table(value, name), prefix=f"{name}."))


def _check(owner: object, name: str, ok: bool, allowed: str) -> None:
    if not ok:
        table = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(owner).__name__).lower()
        prefix = "" if isinstance(owner, Recipe) else f"{table}."
        raise AscError(f"{prefix}{name} = {shown(getattr(owner, name))}, allowed: {allowed}")
