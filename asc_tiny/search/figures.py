"""What a candidate costs on a chip, before it is trained: the compiler's own figures."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from asc_tiny.boards.catalog import Board
from asc_tiny.complexity.keras import measure_model
from asc_tiny.compress.quantize import quantize, with_metadata
from asc_tiny.costs.board_fit import fit
from asc_tiny.costs.instructions import estimate
from asc_tiny.firmware.classifier import classifier
from asc_tiny.firmware.network.compiled import compile_network
from asc_tiny.model import model_file
from asc_tiny.model.model_file import ModelFile
from asc_tiny.train.loop import build
from asc_tiny.train.recipe import Recipe
from asc_tiny.util import scratch_folders

_SEED = 1
_CALIBRATION_CLIPS = 4


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Figures of a candidate; None where nothing asked for them.

    Attributes:
        params: parameters as the budget counts them.
        macs: multiply-accumulates of an inference.
        arena_bytes: bytes of the network's arena, as the compiler lays it out.
        instructions: instructions of an inference on the core, estimated from its stages.
        cycles: cycles of an inference on an emulated Cortex-M4, as ``bench --cycles`` estimates
            them.
    """

    params: int
    macs: int
    arena_bytes: int | None = None
    instructions: int | None = None
    cycles: int | None = None


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The largest figures that a candidate may have; None for no limit.

    Attributes:
        params, macs, arena_bytes, instructions, cycles: limits of the figures of these names.
        board: board that the whole classifier has to fit, by the rule of ``boards --model``.
    """

    params: int | None = None
    macs: int | None = None
    arena_bytes: int | None = None
    instructions: int | None = None
    cycles: int | None = None
    board: Board | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the limits as plain values."""
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return {**values, "board": self.board.name if self.board else None}


OPTIONS = {
    "params": "--max-params",
    "macs": "--max-macs",
    "arena_bytes": "--max-ram",
    "instructions": "--max-instructions",
    "cycles": "--max-cycles",
}
"""The option that limits each figure."""


@dataclass
class Measure:
    """Measures candidates, each structure of a network once.

    Attributes:
        classes: number of classes.
        cpu: core that instructions are estimated for, such as ``cortex-m4``.
        limits: what a candidate may have.
        count_cycles: function that returns the cycles of an inference of a ``.tflite`` file.
    """

    classes: int
    cpu: str
    limits: Limits
    count_cycles: Callable[[Path], int]

    def __post_init__(self) -> None:
        self._known: dict[str, tuple[Figures, str | None]] = {}

    def of(self, recipe: Recipe) -> tuple[Figures, str | None]:
        """Return a candidate's figures, and in words what is over a limit, None if nothing is.

        What costs most to find out comes last, and is left out where a limit is exceeded before.

        Raises:
            AscError: the network cannot be built, converted or compiled.
        """
        keras.backend.clear_session()
        model = build(recipe, recipe.frontend.shape, self.classes)
        structure = f"{recipe.frontend.to_dict()} {model.to_json()}"
        key = hashlib.sha256(structure.encode("utf-8")).hexdigest()
        if key not in self._known:
            self._known[key] = self._measured(recipe, model)
        return self._known[key]

    def _measured(self, recipe: Recipe, model: keras.Model) -> tuple[Figures, str | None]:
        layers = measure_model(model, source=recipe.name).layers
        figures = Figures(params=sum(x.params for x in layers), macs=sum(x.macs for x in layers))
        if over := _over(figures, self.limits):
            return figures, over
        with scratch_folders.folder() as folder:
            path = folder / "candidate.tflite"
            path.write_bytes(self._untrained(recipe, model))
            return self._compiled(figures, path)

    def _compiled(self, figures: Figures, path: Path) -> tuple[Figures, str | None]:
        file = model_file.load(path)
        figures = dataclasses.replace(
            figures,
            arena_bytes=compile_network(file).arena.size,
            instructions=estimate(file, self.cpu).instructions,
        )
        over = _over(figures, self.limits) or self._shortage(file)
        if over is None and self.limits.cycles is not None:
            figures = dataclasses.replace(figures, cycles=self.count_cycles(path))
            over = _over(figures, self.limits)
        return figures, over

    def _shortage(self, file: ModelFile) -> str | None:
        """Return in words what the board has too little of, None if nothing is asked or missing."""
        board = self.limits.board
        if board is None:
            return None
        return next(fit(classifier(file, runtime="aot"), board).shortages(board), None)

    def _untrained(self, recipe: Recipe, model: keras.Model) -> bytes:
        """Return the int8 file of a network whose weights and ranges are random."""
        rng = np.random.default_rng(_SEED)
        clips = rng.normal(size=(_CALIBRATION_CLIPS, *recipe.frontend.shape)).astype(np.float32)
        labels = [f"class_{number}" for number in range(self.classes)]
        data = quantize(model, clips)
        frontend = recipe.frontend
        return with_metadata(
            data, config=frontend, labels=labels, network=recipe.network, provenance={}
        )


def _over(figures: Figures, limits: Limits) -> str | None:
    """Return in words what is over a limit, None if nothing that is known is."""
    for name, option in OPTIONS.items():
        value, limit = getattr(figures, name), getattr(limits, name)
        if value is not None and limit is not None and value > limit:
            return f"{value:,} {name.replace('_', ' ')}, {option} {limit:,}"
    return None
