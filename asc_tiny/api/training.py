"""Training, quantization and pruning; all of it needs TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asc_tiny.audio.dataset import Dataset
from asc_tiny.complexity.gate.limits import Limits
from asc_tiny.firmware.attach import attached
from asc_tiny.frontend.config import read_toml as read_frontend
from asc_tiny.model.model_file import ModelFile
from asc_tiny.nets import require_tensorflow
from asc_tiny.tflite.reader import parse_graph
from asc_tiny.train import recipe as recipes
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import replacing, sha256, write_text
from asc_tiny.util.labels import read as read_labels

if TYPE_CHECKING:
    from asc_tiny.compress.keras_process import Quantized
    from asc_tiny.compress.prune.curve import Point
    from asc_tiny.compress.prune.goal import Goal
    from asc_tiny.evaluation.device_models import Choice
    from asc_tiny.train.run import Run

_LOWER = 5
"""Retraining starts with the recipe's learning rate divided by this, if not told otherwise."""


def train(
    recipe: Path | str,
    dataset: Dataset,
    out: Path | str,
    *,
    features: str | None = None,
    init: str | None = None,
    device: str | None = None,
    epochs: int | None = None,
    strategy: str = "none",
    resume: bool = False,
    warn: Callable[[str], None] | None = None,
) -> Run:
    """Train the network of a recipe on the split ``train``.

    Parameters
    ----------
    recipe
        TOML file; docs/reference/recipe.md has its keys.
    dataset
        The clips, as ``load_dataset`` gives them.
    out
        Folder of the run: ``model.keras``, ``history.csv``, a checkpoint, ``run.json`` and the
        recipe.
    features
        ``"float"`` or ``"fixed"`` for features of the float or the integer front end; None for
        what the recipe says.
    init
        Run or file whose weights training starts from; None for what the recipe says.
    device
        Recording device whose clips alone are trained on; None for what the recipe says.
    epochs
        Stop after so many epochs, 1 or more; None for all of the recipe's.
    strategy
        ``"none"``, ``"mirrored"`` to share steps between the devices of this machine, or
        ``"multi-worker"`` for the workers in ``TF_CONFIG``.
    resume
        Go on after the last epoch that is done in ``out``; the weights at the end are the same.
    warn
        Called with a line about each thing that is doubtful; None keeps quiet.

    Returns
    -------
    Run
        ``info()`` has accuracy and data set, ``model_path`` is the Keras model.

    Raises
    ------
    AscError
        The recipe or the data are not fit, ``out`` holds another run, or TensorFlow is missing.
    """
    loaded = recipes.load(Path(recipe), features=features)
    loaded = recipes.fine_tuning(loaded, init=init, device=device)
    if warn:
        for line in loaded.frontend.warnings():
            warn(f"{recipe}: {line}")
    require_tensorflow()
    from asc_tiny.train import loop

    out = Path(out)
    return loop.train(loaded, dataset, out, epochs=epochs, resume=resume, strategy=strategy)


def train_devices(
    recipe: Path | str,
    dataset: Dataset,
    out: Path | str,
    *,
    init: str | None = None,
    devices: str = "each",
    features: str | None = None,
    epochs: int | None = None,
    resume: bool = False,
) -> tuple[Choice, ...]:
    """Fine-tune a general network for each recording device, and choose where that is better.

    The choice is made on recordings of the split ``train`` that neither network has learnt from:
    the recipe and that of the general network have the same ``validation_share``, above 0.

    Parameters
    ----------
    recipe
        TOML file of the fine-tuning, of the general network's network and front end.
    dataset
        The clips that the general network was trained on.
    out
        Folder of a run ``device-NAME`` for each device, ``devices.toml``, which ``evaluate`` takes,
        and ``selection.json``.
    init
        Run of the general network; None for what the recipe says.
    devices
        ``"each"``, or names of devices with commas between them.
    features, epochs
        As for ``train``.
    resume
        Go on with what is not complete in ``out``.

    Returns
    -------
    tuple of Choice
        For each device its name, the clips that were held out, the accuracies of both networks on
        them, and which was chosen.

    Raises
    ------
    AscError
        The general network may have learnt what is to be chosen on, the recipe, the data or a
        device are not fit, or TensorFlow is missing.
    """
    loaded = recipes.load(Path(recipe), features=features)
    require_tensorflow()
    from asc_tiny.evaluation import device_models

    loaded = recipes.fine_tuning(loaded, init=init)
    out = Path(out)
    return device_models.fine_tune(loaded, dataset, out, devices, epochs=epochs, resume=resume)


def train_study(
    recipe: Path | str,
    data: Path | str,
    out: Path | str,
    *,
    seeds: int = 1,
    folds: str = "1",
    jobs: int = 1,
    compare: Path | str | None = None,
    resample: bool = False,
    features: str | None = None,
    epochs: int | None = None,
    resume: bool = False,
    warn: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Train a recipe with several seeds, on several folds, and sum up what they score.

    Processes are spawned: a script needs an ``if __name__ == "__main__":`` around this.

    Parameters
    ----------
    recipe
        TOML file; its seed is that of the first training, each further one has one more.
    data
        Folder of the data set.
    out
        Folder of the study: a run ``foldF-seedS`` for each training, and ``study.json``.
    seeds
        Trainings on each fold, 1 or more.
    folds
        ``"all"``, or numbers of folds with commas between them.
    jobs
        Trainings at the same time, 1 or more.
    compare
        Folder of another study of the same folds; None for none.
    resample
        Convert clips of another sample rate.
    features, epochs, warn
        As for ``train``.
    resume
        Go on with what is not complete in ``out``.

    Returns
    -------
    dict
        What ``study.json`` has: ``runs``, ``folds``, ``all`` with mean, deviation and range of
        accuracy and log loss on the splits ``evaluate``, and ``comparison`` with the differences
        and their intervals by the paired bootstrap.

    Raises
    ------
    AscError
        The recipe, the data or a folder are not fit, or TensorFlow is missing.
    """
    from asc_tiny.evaluation import study, study_run

    loaded = recipes.load(Path(recipe), features=features)
    if warn:
        for line in loaded.frontend.warnings():
            warn(f"{recipe}: {line}")
    require_tensorflow()
    options = study_run.StudyOptions(
        recipe=Path(recipe),
        data=Path(data),
        resample=resample,
        features=features,
        epochs=epochs,
        resume=resume,
    )
    chosen = study.folds_of(Path(data), folds)
    other = None if compare is None else Path(compare)
    return study_run.run(options, Path(out), seeds=seeds, folds=chosen, jobs=jobs, other=other)


def quantize(
    run: Path | str,
    dataset: Dataset,
    out: Path | str,
    *,
    calibration: int | None = 1000,
    finetune: int = 0,
    report: Path | str | None = None,
) -> Path:
    """Turn a trained run into one int8 ``.tflite`` file with front end, labels and provenance.

    Parameters
    ----------
    run
        Folder of a run that ``train`` wrote.
    dataset
        The clips that it was trained on; those of the split ``train`` set the ranges.
    out
        The ``.tflite`` file to write.
    calibration
        Clips that set the ranges, 1 or more; None for all.
    finetune
        Epochs of quantization-aware training before the conversion, 0 for none.
    report
        JSON file to write with the error of each layer; None for none.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    AscError
        The run is not complete or of other clips, or TensorFlow is missing.
    """
    require_tensorflow()
    from asc_tiny.compress import quantize_run
    from asc_tiny.train.run import Run

    source, out = Run(Path(run)), Path(out)
    with replacing(out) as temporary:
        quantized = quantize_run.quantize_run(
            source, dataset, calibration=calibration, finetune_epochs=finetune
        )
        temporary.write_bytes(quantized)
    if report is not None:
        write_text(Path(report), quantize_run.error_report(source, dataset, quantized))
    return out


def quantize_keras(
    model: Path | str,
    out: Path | str,
    calibration: Path | str,
    *,
    io: str = "int8",
    activations: str = "int8",
    frontend: Path | str | None = None,
    labels: Path | str | None = None,
    warn: Callable[[str], None] | None = None,
) -> Quantized:
    """Turn anybody's ``.keras`` file into a ``.tflite`` file of integers, with a batch of 1.

    TensorFlow loads and converts the model in a process of its own; code inside of the file, such
    as a lambda's, is not run. Recurrent layers are unrolled.

    Parameters
    ----------
    model
        A ``.keras`` file of a functional or sequential model with any inputs and outputs.
    out
        The ``.tflite`` file to write.
    calibration
        Inputs that set the ranges: a ``.npy`` file, for several inputs a ``.npz`` file, a folder of
        such files, or with ``frontend`` a folder of recordings. At most 1,000 inferences are used.
    io
        ``"int8"`` for inputs and outputs of codes, ``"float"`` for real values.
    activations
        ``"int8"`` or ``"int16"``; codes at the ends are of that type.
    frontend, labels
        TOML file of the front end and text file of the class names, to put into the file as
        ``attach`` does; None for a network alone.
    warn
        Called with a line about each thing that is doubtful; None keeps quiet.

    Returns
    -------
    Quantized
        ``data``, ``calibration``, the number of inferences that set the ranges, and for each of
        ``outputs`` its ``shape``, ``snr_db`` and ``largest`` error against the float network.

    Raises
    ------
    AscError
        A file cannot be read or does not fit, the model has layers of its maker's own, TensorFlow
        cannot convert it, TensorFlow Lite Micro does not run the result, or one of both is missing.
    """
    from asc_tiny.compress.keras_process import quantize

    if io not in ("int8", "float") or activations not in ("int8", "int16"):
        raise AscError("io must be int8 or float, activations int8 or int16")
    if (frontend is None) != (labels is None):
        raise AscError("--frontend and --labels: give both or none")
    require_tensorflow()
    out = Path(out)
    with replacing(out) as temporary:
        made = quantize(
            Path(model),
            Path(calibration),
            io=io,
            activations=activations,
            frontend=Path(frontend) if frontend else None,
            warn=warn,
        )
        data = made.data
        if frontend and labels:
            graph = parse_graph(data, source=str(model))
            plain = ModelFile(out, sha256(data), data, graph, None, None)
            data = attached(plain, read_frontend(Path(frontend)), read_labels(Path(labels)))
        temporary.write_bytes(data)
    return replace(made, data=data)


def prune(
    run: Path | str,
    dataset: Dataset,
    out: Path | str,
    *,
    rate: float | None = None,
    max_params: int | None = None,
    max_macs: int | None = None,
    max_ram: int | None = None,
    keep: Path | str | None = None,
    steps: int = 5,
    epochs_per_step: int = 20,
    final_epochs: int = 80,
    learning_rate: float | None = None,
    criterion: str = "l1",
    multiple: int = 1,
    distil: bool = False,
    schedule: str = "linear",
    recipe: Path | str | None = None,
    resume: bool = False,
) -> tuple[Point, ...]:
    """Prune a trained network to a smaller one: whole filters go, the layers shrink.

    The goal is ``rate``, or one or more of the limits, or ``keep``.

    Parameters
    ----------
    run
        Folder of a run that ``train`` wrote.
    dataset
        The clips that it was trained on.
    out
        Folder of the pruned run.
    rate
        Share of the filters to remove, above 0 and below 1.
    max_params, max_macs, max_ram
        Most parameters, multiply-accumulates of an inference, and bytes of activations at the
        peak that the pruned network may have.
    keep
        TOML file with the number of filters of each layer.
    steps
        Prunings on the way, 1 or more, each followed by retraining.
    epochs_per_step, final_epochs
        Epochs of retraining after each step but the last, and after the last.
    learning_rate
        Learning rate at the start of each retraining, above 0 and at most 10; None for a fifth of
        the rate that ``recipe`` starts with.
    criterion
        Importance of filters: ``"l1"``, ``"l2"`` or ``"gamma"``.
    multiple
        Filters that each layer keeps are a multiple of this, such as 4 for SIMD kernels.
    distil
        The network before pruning teaches the pruned ones.
    schedule
        ``"linear"`` for steps of equal size, ``"cubic"`` for large ones first and small ones at
        the end.
    recipe
        TOML file of the recipe to retrain by, of the same network and features; its cycles are
        replaced by the epochs above. None for that of ``run``.
    resume
        Go on with the pruning in ``out``.

    Returns
    -------
    tuple of Point
        Accuracy, parameters and multiply-accumulates before pruning and after each step.

    Raises
    ------
    AscError
        There is not one goal or it cannot be met, the run or the data are not fit, or TensorFlow
        is missing.
    """
    require_tensorflow()
    from asc_tiny.compress.prune import run as pruning
    from asc_tiny.train.run import Run

    source = Run(Path(run))
    retraining = None if recipe is None else recipes.load(Path(recipe))
    recipe_rate = (retraining or source.recipe()).schedule.rate_max
    settings = pruning.Settings(
        steps=steps,
        epochs_per_step=epochs_per_step,
        final_epochs=final_epochs,
        rate_max=recipe_rate / _LOWER if learning_rate is None else learning_rate,
        criterion=criterion,
        multiple=multiple,
        distil=distil,
        schedule=schedule,
    )
    limits = Limits(max_params=max_params, max_macs=max_macs, max_ram=max_ram)
    goal = _goal(rate, limits, keep, multiple)
    out = Path(out)
    return pruning.prune(source, dataset, out, goal, settings, retraining=retraining, resume=resume)


def _goal(rate: float | None, limits: Limits, keep: Path | str | None, multiple: int) -> Goal:
    from asc_tiny.compress.prune.goal import Rate, Table, Within, read_table

    within = None if limits == Limits(max_params=None, max_macs=None) else limits
    if sum(value is not None for value in (rate, within, keep)) != 1:
        raise AscError("give one goal: --rate, or --max-params/--max-macs/--max-ram, or --keep")
    if keep is not None:
        if multiple != 1:
            raise AscError("--multiple has no effect on --keep: write multiples into the table")
        return Table(read_table(Path(keep)))
    if rate is not None:
        return Rate(rate)
    assert within is not None
    return Within(within)
