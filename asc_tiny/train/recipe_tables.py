"""Tables of a training recipe, a class each; a key left out has the value of the report.

"The report" is that of Bing et al. (DCASE2023 Task 1).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from asc_tiny.audio.responses import MADE
from asc_tiny.util import fields
from asc_tiny.util.console_text import shown
from asc_tiny.util.errors import AscError

OPTIMIZERS = ("sgd", "adamw")
AVERAGES = ("none", "ema", "swa")


def check(owner: object, name: str, ok: bool, allowed: str) -> None:
    """Check a value of the recipe or of a table of it.

    Args:
        owner: what has the value; the name of a table is that of its class.
        name: attribute of ``owner``.
        ok: whether the value is allowed.
        allowed: what is, for people.

    Raises:
        AscError: the value is not allowed.
    """
    if not ok:
        table = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(owner).__name__).lower()
        prefix = "" if table == "recipe" else f"{table}."
        raise AscError(f"{prefix}{name} = {shown(getattr(owner, name))}, allowed: {allowed}")


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Learning rate and batches.

    The defaults are those of Bing et al. (DCASE2023 Task 1), section 3.1.

    Attributes:
        optimizer: one of ``OPTIMIZERS``.
        cycles: epochs of each cycle; the rate restarts at ``rate_max`` after each.
        warmup_epochs: epochs of the first cycle in which the rate rises to ``rate_max``, fewer
            than the cycle has.
        rate_max, rate_min: learning rate at the start and towards the end of a cycle.
        momentum: momentum of stochastic gradient descent, the decay of AdamW's mean gradient, 0
            to below 1.
        weight_decay: share of each kernel taken away per step, times the learning rate.
        batch: clips per step at most; an epoch is cut into steps of equal size.
        shuffle_window: clips that are mixed, of whole files of the cache in random order, for sets
            that exceed the memory; 0 for all clips of the set.
    """

    optimizer: str = "sgd"
    cycles: tuple[int, ...] = (10, 20, 40, 80, 160)
    warmup_epochs: int = 0
    rate_max: float = 0.1
    rate_min: float = 1e-5
    momentum: float = 0.9
    weight_decay: float = 0.0
    batch: int = 128
    shuffle_window: int = 0

    def __post_init__(self) -> None:
        check(self, "optimizer", self.optimizer in OPTIMIZERS, ", ".join(OPTIMIZERS))
        check(self, "cycles", len(self.cycles) > 0 and min(self.cycles) >= 1, "epochs, 1 or more")
        most = self.cycles[0] - 1
        check(self, "warmup_epochs", 0 <= self.warmup_epochs <= most, f"0 to {most}")
        check(self, "rate_max", 0.0 < self.rate_max <= 10.0, "above 0, up to 10")
        check(self, "rate_min", 0.0 <= self.rate_min <= self.rate_max, "0 to rate_max")
        check(self, "momentum", 0.0 <= self.momentum < 1.0, "0 to below 1")
        check(self, "weight_decay", 0.0 <= self.weight_decay < 1.0, "0 to below 1")
        check(self, "batch", self.batch >= 2, "2 or more")
        mixes = self.shuffle_window == 0 or self.shuffle_window >= self.batch
        check(self, "shuffle_window", mixes, f"0, or batch ({self.batch}) and more")

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
        roll_columns: a clip is turned round in time by up to this either way.
        shift_bands: a clip's log-mel is moved by up to so many bands either way.
        freq_mixstyle_alpha: parameter of the symmetric beta distribution from which the share is
            drawn that a clip keeps of its own mean and deviation in each band.
        freq_mixstyle_share: share of batches in which clips mix these; 0 for none.
        gain_db: a clip is made louder or softer by up to this, as a shift of its log-mel.
        quantize_input: round the features to the int8 codes that the chip will see.
    """

    mixup_alpha: float = 0.3
    crop_columns: int = 30
    frequency_masks: int = 2
    frequency_mask_bands: int = 20
    time_masks: int = 1
    time_mask_columns: int = 3
    roll_columns: int = 0
    shift_bands: int = 0
    freq_mixstyle_alpha: float = 0.4
    freq_mixstyle_share: float = 0.0
    gain_db: float = 0.0
    quantize_input: bool = field(default=False, metadata=fields.spelled("quantise_input"))

    def __post_init__(self) -> None:
        counts = ("crop_columns", "frequency_masks", "frequency_mask_bands", "time_masks")
        for name in (*counts, "time_mask_columns", "roll_columns", "shift_bands"):
            check(self, name, getattr(self, name) >= 0, "0 or more")
        alpha, share = self.freq_mixstyle_alpha, self.freq_mixstyle_share
        check(self, "freq_mixstyle_alpha", 0.0 < alpha <= 10.0, "above 0, up to 10")
        check(self, "freq_mixstyle_share", 0.0 <= share <= 1.0, "0 to 1")
        check(self, "mixup_alpha", 0.0 <= self.mixup_alpha <= 10.0, "0 to 10")
        check(self, "gain_db", 0.0 <= self.gain_db <= 40.0, "0 to 40")


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
        check(self, "alpha", 0.0 < self.alpha <= 10.0, "above 0, up to 10")
        check(self, "share", 0.0 <= self.share <= 1.0, "0 to 1")


@dataclass(frozen=True, kw_only=True)
class NoiseMask:
    """Noise in the training clips, and a second task: telling it from the clip (section 2.3.2).

    Attributes:
        weight: weight of that task's loss beside the loss of the scenes; 0 leaves out the noise as
            well.
        noise: folder of recordings of noise of any sample rate; "" for white and pink noise.
        snr_db: lowest and highest ratio of a clip's power to the power of its noise, in dB.
    """

    weight: float = 0.0
    noise: str = ""
    snr_db: tuple[float, ...] = (0.0, 30.0)

    def __post_init__(self) -> None:
        check(self, "weight", 0.0 <= self.weight <= 100.0, "0 to 100")
        ordered = len(self.snr_db) == 2 and -40.0 <= self.snr_db[0] <= self.snr_db[1] <= 80.0
        check(self, "snr_db", ordered, "the lowest and the highest, within -40 to 80")


@dataclass(frozen=True, kw_only=True)
class Devices:
    """Recordings as other devices would have made them.

    Attributes:
        responses: folder of impulse responses of any sample rate (wav, flac, ogg, mp3), "builtin"
            or "builtin-rooms" for those that the package makes, "" for none.
        share: share of clips that get one of the responses, 0 to 1.
    """

    responses: str = ""
    share: float = 0.5

    def __post_init__(self) -> None:
        check(self, "share", 0.0 <= self.share <= 1.0, "0 to 1")


@dataclass(frozen=True, kw_only=True)
class Waveform:
    """Changed copies of the training clips, made of their samples.

    Attributes:
        copies: changed copies of each clip, whose features are computed once; each time that a
            clip is taken, it or one of them is. 0 for none.
        responses, response_share: folder of impulse responses of devices or rooms, wav or flac of
            any rate, ``builtin`` or ``builtin-rooms`` for those that the package makes, "" for
            none; share of copies that are convolved with one.
        noise, noise_share: ``white``, ``pink`` or a folder of wav or flac files of any rate, "" for
            none; share of copies that noise is added to.
        snr_db: lowest and highest ratio of a clip's power to its noise's, in dB.
        gain_db: copies are louder or softer by up to this; what is too loud is clipped.
        pitch_semitones: copies are higher or lower by up to this, at the same pace.
    """

    copies: int = 0
    responses: str = ""
    response_share: float = 0.5
    noise: str = ""
    noise_share: float = 0.5
    snr_db: tuple[float, ...] = (10.0, 40.0)
    gain_db: float = 0.0
    pitch_semitones: float = 0.0

    def __post_init__(self) -> None:
        check(self, "copies", 0 <= self.copies <= 100, "0 to 100")
        check(self, "noise", self.noise not in MADE, "white, pink or a folder")
        for name in ("response_share", "noise_share"):
            check(self, name, 0.0 <= getattr(self, name) <= 1.0, "0 to 1")
        ordered = len(self.snr_db) == 2 and -40.0 <= self.snr_db[0] <= self.snr_db[1] <= 80.0
        check(self, "snr_db", ordered, "the lowest and the highest, within -40 to 80")
        check(self, "gain_db", 0.0 <= self.gain_db <= 40.0, "0 to 40")
        check(self, "pitch_semitones", 0.0 <= self.pitch_semitones <= 12.0, "0 to 12")


@dataclass(frozen=True, kw_only=True)
class Distillation:
    """Trained networks that the one in training learns from.

    Attributes:
        teacher: folders of runs, .keras files, or files of scores per clip (.csv, .npz); the scores
            of several are averaged.
        teacher_weights: weight of each teacher in the mean, above 0; none for equal ones.
        temperature: temperature that softens the scores of teacher and student, 1 to 100.
        final_temperature_factor: factor of the temperature in the last epoch; it changes linearly.
        weight: weight of the teacher's scores, 0 to 1; the labels have the rest.
        final_weight_factor: factor of the weight in the last epoch; it changes linearly.
    """

    teacher: tuple[str, ...] = ()
    teacher_weights: tuple[float, ...] = ()
    temperature: float = 2.0
    final_temperature_factor: float = 1.0
    weight: float = 0.5
    final_weight_factor: float = 1.0

    def __post_init__(self) -> None:
        check(self, "teacher", all(self.teacher), "folders of runs, .keras files, files of scores")
        given = len(self.teacher_weights) in (0, len(self.teacher))
        positive = all(0.0 < weight <= 1000.0 for weight in self.teacher_weights)
        check(self, "teacher_weights", given and positive, "one above 0 for each teacher, or none")
        check(self, "temperature", 1.0 <= self.temperature <= 100.0, "1 to 100")
        last = self.temperature * self.final_temperature_factor
        check(self, "final_temperature_factor", 1.0 <= last <= 100.0, "what ends within 1 to 100")
        check(self, "weight", 0.0 <= self.weight <= 1.0, "0 to 1")
        last = self.weight * self.final_weight_factor
        check(self, "final_weight_factor", 0.0 <= last <= 1.0, "what ends within 0 to 1")


@dataclass(frozen=True, kw_only=True)
class Loss:
    """What scores are compared with.

    Attributes:
        label_smoothing: part of each target that is spread over all classes (Szegedy et al.,
            "Rethinking the Inception Architecture for Computer Vision", arXiv:1512.00567,
            section 7), 0 to below 1.
    """

    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        check(self, "label_smoothing", 0.0 <= self.label_smoothing < 1.0, "0 to below 1")


@dataclass(frozen=True, kw_only=True)
class Averaging:
    """Mean of the weights along the training, which is the network that is kept.

    Attributes:
        kind: one of ``AVERAGES``.
        decay: share of the exponential mean that a step keeps, 0 to below 1.
        start_epoch: epochs before the mean begins.
    """

    kind: str = "none"
    decay: float = 0.999
    start_epoch: int = 0

    def __post_init__(self) -> None:
        check(self, "kind", self.kind in AVERAGES, ", ".join(AVERAGES))
        check(self, "decay", 0.0 <= self.decay < 1.0, "0 to below 1")
        check(self, "start_epoch", self.start_epoch >= 0, "0 or more")


@dataclass(frozen=True, kw_only=True)
class QuantizationAware:
    """Training with weights and activations rounded to int8 codes.

    Attributes:
        enabled: whether they are rounded.
        start_epoch: epochs before they are.
        range_decay: share that a step keeps of the ranges of activations, 0 to below 1.
    """

    enabled: bool = False
    start_epoch: int = 0
    range_decay: float = 0.99

    def __post_init__(self) -> None:
        check(self, "start_epoch", self.start_epoch >= 0, "0 or more")
        check(self, "range_decay", 0.0 <= self.range_decay < 1.0, "0 to below 1")
