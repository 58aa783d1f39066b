"""The training loop: SGD with warm restarts on augmented features, a checkpoint per epoch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from asc_tiny.audio import responses
from asc_tiny.audio.dataset import Dataset
from asc_tiny.nets.mixup_normalization import MixupNormalisation
from asc_tiny.nets.rebuild import filters_of, rebuilt
from asc_tiny.train import (
    distil,
    learning_rate,
    optimizer,
    precision,
    shuffle,
    training_clips,
    transfer,
)
from asc_tiny.train.augmentation import augment, devices, waveform
from asc_tiny.train.augmentation.noise_mask import Noise, RecordedNoise
from asc_tiny.train.averaging import WeightAverage
from asc_tiny.train.distribute import Distribution
from asc_tiny.train.objective import Objective
from asc_tiny.train.prefetch import prefetched
from asc_tiny.train.recipe import Recipe
from asc_tiny.train.run import Run, RunInfo, save_model
from asc_tiny.train.statistics.normalize import with_band_statistics
from asc_tiny.train.statistics.recalibrate import recalibrate
from asc_tiny.train.training_data import TrainingData
from asc_tiny.util import progress, user_cache
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import naming, read_bytes, sha256, write_bytes

Float32Array = NDArray[np.float32]

_RECALIBRATION_CLIPS = 2048


def train(
    recipe: Recipe,
    dataset: Dataset,
    out: Path,
    *,
    epochs: int | None = None,
    resume: bool = False,
    initial: keras.Model | None = None,
    teachers: Sequence[keras.Model] = (),
    cache_folder: Path | None = None,
    strategy: str = "none",
) -> Run:
    """Train a network on the split ``train`` and return its run.

    At the end the batch-norm statistics are measured anew on clips without augmentation, unless
    the recipe says otherwise. The rows of the history are from before that, ``run.json`` has the
    accuracy after it.

    The result depends on the recipe, the data and the installed TensorFlow, not on whether the
    run was interrupted and resumed. The split ``evaluate`` only gives figures for the history:
    nothing is selected on it. The first files are written after the first epoch.

    Args:
        recipe: what to train and how.
        dataset: the clips.
        out: the run's folder.
        epochs: train only the first epochs of the recipe's schedule.
        resume: go on after the last checkpoint in ``out``.
        initial: a network of the recipe's kind and filters whose weights training starts from.
        teachers: networks to learn from beside those that the recipe names.
        cache_folder: folder that keeps the features; None for the user's cache.
        strategy: one of ``distribute.STRATEGIES``; every worker of several calls this function
            with the same arguments, and only the first one writes.

    Raises:
        AscError: ``out`` holds a run and ``resume`` is off, the run there has another recipe,
            data set or other file that the recipe names, the data are not fit for training, the
            loss is not finite (the checkpoint of the epoch before stays), or a file cannot be
            written.
    """
    distribution = Distribution(strategy, recipe.schedule.batch)
    with naming(out), distribution.workspace(out, resume=resume) as folder:
        _train(
            recipe, dataset, folder, epochs, resume, initial, teachers, cache_folder, distribution
        )
    return Run(out)


def _train(
    recipe: Recipe,
    dataset: Dataset,
    out: Path,
    epochs: int | None,
    resume: bool,
    initial: keras.Model | None,
    teachers: Sequence[keras.Model],
    cache_folder: Path | None,
    distribution: Distribution,
) -> None:
    total = recipe.schedule.epochs if epochs is None else min(epochs, recipe.schedule.epochs)
    run = Run(out)
    precision.check(recipe.precision)
    _check_folder(run, recipe, resume)
    _check_splits(dataset)
    # Bands are normalised for all devices alike.
    dataset = training_clips.with_validation(dataset, recipe.validation_share)
    with naming(cache_folder or user_cache.folder()):
        recipe = with_band_statistics(recipe, dataset.split("train"), cache_folder)
        dataset = training_clips.of_device(dataset, recipe.device)
        data = TrainingData.load(dataset, recipe, cache_folder)
    info = RunInfo(
        labels=dataset.labels,
        dataset_fingerprint=dataset.fingerprint(),
        frontend=recipe.frontend.quantized(data.quantization.scale, data.quantization.zero_point),
        network=recipe.network,
        epochs=0,
        evaluate_accuracy=None,
        files=_files(recipe),
        fold=dataset.fold,
    )
    taught = [*distil.load(recipe, dataset.labels), *teachers]
    _check_same_data(run, info, dataset)
    given = bool(data.teacher_scores)
    trainer = Trainer(recipe, len(dataset.labels), initial, taught, distribution, given)
    done = trainer.restore(run)
    rows = run.history()[:done]
    with progress.bar(total, "training", "epoch", done=done, stays=True) as bar:
        for epoch in range(done, total):
            row = {"epoch": str(epoch + 1), **trainer.epoch(epoch, data)}
            rows.append(row)
            if epoch == done:
                _begin(run, recipe, info)
            run.write_history(rows)
            run.write_checkpoint(epoch + 1, trainer.state())
            bar.set_postfix(loss=row["loss"], accuracy=row["evaluate_accuracy"], refresh=False)
            bar.update()
    if recipe.recalibrate:
        clean = data.clean(_RECALIBRATION_CLIPS, recipe)
        recalibrate(trainer.model, clean, without=trainer.frozen)
    save_model(trainer.model, run.model_path)
    _, accuracy = data.evaluate(trainer.model)
    run.write_info(replace(info, epochs=max(done, total), evaluate_accuracy=round(accuracy, 6)))


def _begin(run: Run, recipe: Recipe, info: RunInfo) -> None:
    """Write what a run is of, the recipe first, which says that there is one.

    An epoch is done by then: a start that fails leaves nothing that the next one would run into.
    """
    write_bytes(run.recipe_path, recipe.source)
    recipe.find_network().copy(run.network_folder)
    run.write_info(info)


def build(recipe: Recipe, shape: tuple[int, int, int], classes: int) -> keras.Model:
    """Build a recipe's network for features of ``shape``, untrained.

    Raises:
        AscError: the network cannot be built as the recipe says: its options, a layer that it
            does not have, more filters of one than it has.
    """
    model = recipe.find_network().build(
        shape, classes, dropout=recipe.dropout, **recipe.network_options
    )
    whole = filters_of(model)
    if {**whole, **recipe.filters} != whole:
        model = rebuilt(model, filters=recipe.filters)
    for layer in model.layers:
        if isinstance(layer, MixupNormalisation):
            layer.alpha = recipe.mixup_normalization.alpha
            layer.share = recipe.mixup_normalization.share
    return model


class Trainer:
    """A network in training with its optimiser.

    Attributes:
        model: the network at the full number of columns, with the weights of the last epoch or
            their mean.
    """

    def __init__(
        self,
        recipe: Recipe,
        classes: int,
        initial: keras.Model | None = None,
        teachers: Sequence[keras.Model] = (),
        distribution: Distribution | None = None,
        has_given: bool = False,
    ) -> None:
        tf.config.experimental.enable_op_determinism()
        keras.backend.clear_session()
        keras.utils.set_random_seed(recipe.seed)
        self._recipe = recipe
        self._teacher_count = len(teachers)
        self._disturb = _disturbance(recipe)
        self._distribution = distribution or Distribution("none", recipe.schedule.batch)
        self.model = build(recipe, recipe.frontend.shape, classes)
        with self._distribution.scope():
            self._build(recipe, classes, initial, teachers, has_given)
        self._average = WeightAverage(recipe.averaging, self._trainee.weights)
        self.model.set_weights(self._trainee.get_weights())

    def _build(
        self,
        recipe: Recipe,
        classes: int,
        initial: keras.Model | None,
        teachers: Sequence[keras.Model],
        has_given: bool,
    ) -> None:
        network = build(recipe, recipe.train_shape, classes)
        self._trainee = precision.with_precision(network, recipe.precision)
        if initial is not None:
            self._trainee.set_weights(initial.get_weights())
        elif recipe.init:
            translate = recipe.find_network().translate
            transfer.initialize(self._trainee, transfer.init_path(recipe), translate)
        transfer.freeze(self._trainee, recipe)
        self._objective = Objective(recipe, self._trainee, teachers, has_given)
        variables = self._objective.trainable_variables
        factors = transfer.rate_factors(self._trainee, recipe.rate_factors, variables)
        scales_loss = recipe.precision == "mixed_float16"
        self._optimizer = optimizer.build(
            recipe.schedule, variables, factors, scales_loss=scales_loss
        )
        self._step = self._distribution.compiled_step(self._objective, self._optimizer)

    @property
    def frozen(self) -> frozenset[str]:
        """Names of the layers that do not learn."""
        return frozenset(layer.name for layer in self._trainee.layers if not layer.trainable)

    def epoch(self, epoch: int, data: TrainingData) -> dict[str, str]:
        """Train one epoch, counted from 0, and return its row of the history.

        Raises:
            AscError: the loss or a weight is not finite any more.
        """
        batches = prefetched(self.batches(epoch, data))
        self._objective.begin(epoch)
        steps = augment.step_count(len(data.targets), self._recipe.schedule.batch)
        losses, rate = self.learn(epoch, batches, steps)
        loss, accuracy = data.evaluate(self.model)
        figures = {"loss": np.mean(losses), "evaluate_loss": loss, "evaluate_accuracy": accuracy}
        return {"rate": f"{rate:.6g}", **{name: f"{v:.6f}" for name, v in figures.items()}}

    def batches(
        self, epoch: int, data: TrainingData
    ) -> Iterator[tuple[Float32Array, Float32Array]]:
        """Yield the augmented batches of an epoch, counted from 0: features and targets."""
        recipe = self._recipe
        rng = augment.generator(recipe.seed, epoch)
        clips, schedule = len(data.targets), recipe.schedule
        steps = augment.step_count(clips, schedule.batch)
        return augment.batches(
            lambda indices: data.take(indices, rng),
            self._targets(epoch, data),
            shuffle.order(clips, steps, schedule.shuffle_window, rng, data.read_ahead),
            recipe.augmentation,
            data.quantization,
            rng,
            self._disturb,
            recipe.frontend.normalization,
        )

    def learn(
        self, epoch: int, batches: Iterable[tuple[Float32Array, Float32Array]], steps: int
    ) -> tuple[list[float], float]:
        """Make the steps of an epoch, counted from 0; return their losses and the last rate.

        Args:
            epoch: which of the schedule's epochs it is.
            batches: features and targets, as ``augment.batches`` yields them.
            steps: number of batches.

        Raises:
            AscError: the loss or a weight is not finite any more.
        """
        losses, rate = [], 0.0
        shown = progress.over(batches, f"epoch {epoch + 1}", "step", total=steps)
        for step, (x, y) in enumerate(shown):
            rate = learning_rate.rate(self._recipe.schedule, epoch, step, steps)
            self._optimizer.learning_rate.assign(rate)
            losses.append(self._step(x, y))
            self._average.after_step(epoch)
            if not np.isfinite(losses[-1]):
                raise AscError(_not_finite(epoch, f"the loss is {losses[-1]} at step {step + 1}"))
        if not all(np.isfinite(value).all() for value in self._trainee.get_weights()):
            raise AscError(_not_finite(epoch, "a weight is not finite"))
        self._average.after_epoch(epoch)
        self.model.set_weights(self._average.values())
        return losses, rate

    def _targets(self, epoch: int, data: TrainingData) -> NDArray[np.float32]:
        """Return an epoch's targets, with what files of teachers' scores add behind them."""
        if not data.teacher_scores:
            return data.targets
        recipe, networks = self._recipe, self._teacher_count
        temperature, _ = distil.at_epoch(recipe.distillation, epoch, recipe.schedule.epochs)
        shares = distil.shares(recipe, networks)[1]
        given = distil.given(data.teacher_scores, shares, temperature)
        return np.concatenate([data.targets, given], axis=1)

    def state(self) -> list[NDArray[Any]]:
        """Return every variable of network, dropout, optimizer and mean of the weights."""
        return [variable.numpy() for variable in self._variables()]

    def restore(self, run: Run) -> int:
        """Take the variables of the run's checkpoint, if there is one; return the epochs done.

        Raises:
            AscError: the checkpoint is not of this network.
        """
        checkpoint = run.read_checkpoint()
        if checkpoint is None:
            return 0
        epochs, values = checkpoint
        variables = self._variables()
        if [tuple(v.shape) for v in variables] != [value.shape for value in values]:
            raise AscError(f"{run.checkpoint_path}: is not of network {self._recipe.network}")
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        self.model.set_weights(self._average.values())
        return epochs

    def _variables(self) -> list[Any]:
        return [
            *self._objective.variables,
            *self._optimizer.variables,
            *self._average.variables,
        ]


def _responses(recipe: Recipe) -> Path | str:
    """Return the folder of the recipe's responses, or the name of those that the package makes."""
    name = recipe.devices.responses
    return name if name in responses.MADE else recipe.find(name)


def _noise(recipe: Recipe) -> Noise:
    """Return the noise of the recipe's mask."""
    table = recipe.noise_mask
    if not table.noise:
        return Noise(recipe.train_frontend, table.snr_db)
    paths = responses.files(recipe.find(table.noise))
    return RecordedNoise(recipe.train_frontend, table.snr_db, paths)


def _disturbance(recipe: Recipe) -> augment.Disturbance | None:
    """Return what the recipe does to whole clips: another device, then noise."""
    steps: list[augment.Disturbance] = []
    if recipe.devices.responses:
        gains = devices.gains(_responses(recipe), recipe.frontend)
        share = recipe.devices.share
        if recipe.frontend.normalization is not None:
            gains /= np.array(recipe.frontend.normalization.scales, np.float32)
        steps.append(lambda x, rng: devices.recolor(x, gains, share, rng))
    if recipe.noise_mask.weight:
        steps.append(_noise(recipe))

    def disturb(x: Float32Array, rng: augment.Generator) -> Float32Array:
        for step in steps:
            x = step(x, rng)
        return x

    return disturb if steps else None


def _files(recipe: Recipe) -> dict[str, str]:
    """Return the SHA-256 of what the recipe names, by its name there."""
    files = {**recipe.find_network().digests(), **distil.hashes(recipe)}
    if recipe.devices.responses:
        files[recipe.devices.responses] = devices.digest(_responses(recipe))
    if recipe.noise_mask.weight and recipe.noise_mask.noise:
        files[recipe.noise_mask.noise] = devices.digest(recipe.find(recipe.noise_mask.noise))
    for name, folder in waveform.folders_of(recipe).items():
        files[name] = devices.digest(folder)
    if recipe.init:
        files[recipe.init] = sha256(read_bytes(transfer.init_path(recipe)))
    return files


def _not_finite(epoch: int, what: str) -> str:
    kept = f"the checkpoint of epoch {epoch} is kept" if epoch else "no checkpoint was written"
    return f"epoch {epoch + 1}: {what}, lower schedule.rate_max; {kept}"


def _check_folder(run: Run, recipe: Recipe, resume: bool) -> None:
    if not run.recipe_path.exists():
        return
    if not resume:
        raise AscError(f"{run.root}: holds a run already; use --resume or another folder")
    if run.recipe().sha256 != recipe.sha256:
        raise AscError(f"{run.root}: was trained with another recipe, cannot resume with this one")


def _check_splits(dataset: Dataset) -> None:
    clips, held_out = dataset.split("train"), dataset.split("evaluate")
    if len(clips) < 2 or not held_out:
        raise AscError(
            f"{dataset.root}: {len(clips)} clips to train and {len(held_out)} to evaluate, "
            "at least 2 and 1 are needed"
        )
    missing = sorted({clip.scene for clip in held_out} - {clip.scene for clip in clips})
    if missing:
        raise AscError(
            f"{dataset.root}: split train of fold {dataset.fold} has no clip of scene "
            f"{missing[0]!r}, split evaluate has"
        )


def _check_same_data(run: Run, info: RunInfo, dataset: Dataset) -> None:
    if run.info_path.exists():
        before = run.info()
        if before.dataset_fingerprint != info.dataset_fingerprint:
            raise AscError(
                f"{run.root}: was trained on another data set, cannot resume on this one"
            )
        before.check_fold(run.root, dataset)
        for name, digest in info.files.items():
            if before.files.get(name) != digest:
                raise AscError(f"{run.root}: was trained with another {name}, cannot resume")
