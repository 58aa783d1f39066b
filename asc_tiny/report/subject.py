"""All that the page tells of one model, gathered before any of it is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from asc_tiny.boards.catalog import Board
from asc_tiny.complexity.gate.gate import Verdict
from asc_tiny.costs.board_fit import Fit
from asc_tiny.costs.footprint import Footprint
from asc_tiny.costs.instructions import Estimate
from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.model.ensemble import Ensemble, Model
from asc_tiny.model.model_file import ModelFile
from asc_tiny.util.blocks import text
from asc_tiny.util.memory_map import MemoryMap


@dataclass(frozen=True)
class Network:
    """One network: the model, or a member of an ensemble.

    Attributes:
        model_file: the file.
        footprint: bytes of memory and flash on the core.
        estimate: instructions on the core, None where they cannot be had.
        memory: where activations lie by each runtime whose plan is known.
        holders: why a piece of memory exists, by the name of the block, for each of ``memory``.
        absent: why something is missing, a line each.
    """

    model_file: ModelFile
    footprint: Footprint
    estimate: Estimate | None
    memory: Sequence[MemoryMap]
    holders: Sequence[Mapping[str, str]]
    absent: Sequence[str] = ()

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return text(self.model_file.path.name)


@dataclass(frozen=True)
class Subject:
    """A model and what is known of it.

    Attributes:
        number: 0 for the first model of the page, 1 for the one beside it.
        path: the file as it was given.
        model: the model.
        networks: the network, or the members of the ensemble.
        cpu: core that instructions and code are told for.
        verdict: figures and what the gate says of them.
        boards: boards that were asked about.
        fits: what the model takes of each board with RAM of its own, by name.
        unfit: why nothing is known of boards, empty if it is.
        frontend: front end, None for a network alone.
        labels: class names in output order, empty for a network alone.
        evaluation: system of the document that ``evaluate --json`` prints, None without it.
        split: name of the split that was evaluated.
        errors: document of ``quantize --report``, None without it.
        bench: document of ``bench --json``, None without it.
    """

    number: int
    path: Path
    model: Model
    networks: Sequence[Network]
    cpu: str
    verdict: Verdict
    boards: Sequence[Board]
    fits: Mapping[str, Fit] = field(default_factory=dict)
    unfit: str = ""
    frontend: FrontEndConfig | None = None
    labels: Sequence[str] = ()
    evaluation: Mapping[str, Any] | None = None
    split: str = ""
    errors: Mapping[str, Any] | None = None
    bench: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return text(self.path.name)

    @property
    def is_ensemble(self) -> bool:
        """Whether it is an ensemble of networks."""
        return isinstance(self.model, Ensemble)

    @cached_property
    def arena_bytes(self) -> int | None:
        """Bytes of the arena by the compiler, shared by members; None where there is none."""
        if self.is_ensemble:
            shared = self.verdict.ensembles
            return shared[0]["aot_arena_bytes"] if shared else None
        return self.networks[0].footprint.aot_arena_bytes

    @property
    def instructions(self) -> int | None:
        """Instructions of an inference of all networks; None where one is not known."""
        known = [each.estimate.instructions for each in self.networks if each.estimate]
        return sum(known) if len(known) == len(self.networks) else None
