"""The face of the package: what programs call, some forty names with their documentation.

    from asc_tiny import api

    verdict = api.check_budget(["model.tflite"])

A name is imported from its module when it is first used: a program that measures a model loads
neither TensorFlow nor an emulator's tools. Nothing else in the package is promised to stay.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asc_tiny.api.attaching import attach as attach
    from asc_tiny.api.board_catalog import boards as boards
    from asc_tiny.api.board_catalog import load_board as load_board
    from asc_tiny.api.generation import compile_network as compile_network
    from asc_tiny.api.generation import fit_boards as fit_boards
    from asc_tiny.api.generation import generate as generate
    from asc_tiny.api.listening import check_dataset as check_dataset
    from asc_tiny.api.listening import evaluate as evaluate
    from asc_tiny.api.listening import evaluate_stream as evaluate_stream
    from asc_tiny.api.listening import features as features
    from asc_tiny.api.listening import fit_ensemble as fit_ensemble
    from asc_tiny.api.listening import load_dataset as load_dataset
    from asc_tiny.api.listening import recording_features as recording_features
    from asc_tiny.api.listening import scores as scores
    from asc_tiny.api.measuring import check_budget as check_budget
    from asc_tiny.api.measuring import measure as measure
    from asc_tiny.api.measuring import write_baseline as write_baseline
    from asc_tiny.api.plotting import plot_decisions as plot_decisions
    from asc_tiny.api.plotting import plot_features as plot_features
    from asc_tiny.api.preparing import prepare_dataset as prepare_dataset
    from asc_tiny.api.reporting import report as report
    from asc_tiny.api.running import bench as bench
    from asc_tiny.api.running import build as build
    from asc_tiny.api.running import infer as infer
    from asc_tiny.api.running import inspect_firmware as inspect_firmware
    from asc_tiny.api.running import load_project as load_project
    from asc_tiny.api.running import read_inputs as read_inputs
    from asc_tiny.api.running import run as run
    from asc_tiny.api.running import verify as verify
    from asc_tiny.api.searching import search as search
    from asc_tiny.api.training import prune as prune
    from asc_tiny.api.training import quantize as quantize
    from asc_tiny.api.training import quantize_keras as quantize_keras
    from asc_tiny.api.training import train as train
    from asc_tiny.api.training import train_devices as train_devices
    from asc_tiny.api.training import train_study as train_study
    from asc_tiny.api.verifying import verify_model as verify_model
    from asc_tiny.audio.clips import read_pcm as read_pcm
    from asc_tiny.audio.dataset import Dataset as Dataset
    from asc_tiny.costs.estimates import estimate_costs as estimate_costs
    from asc_tiny.frontend.config import FrontEndConfig as FrontEndConfig
    from asc_tiny.model.ensemble import Ensemble as Ensemble
    from asc_tiny.model.ensemble import frontends as frontends
    from asc_tiny.model.ensemble import load_model as load_model
    from asc_tiny.model.model_file import ModelFile as ModelFile
    from asc_tiny.targets.build.project import NetworkProject as NetworkProject
    from asc_tiny.targets.build.project import Project as Project
    from asc_tiny.targets.emulator.simulate import simulate as simulate
    from asc_tiny.util.errors import AscError as AscError

_MODULES = {
    "AscError": "asc_tiny.util.errors",
    "Dataset": "asc_tiny.audio.dataset",
    "Ensemble": "asc_tiny.model.ensemble",
    "FrontEndConfig": "asc_tiny.frontend.config",
    "ModelFile": "asc_tiny.model.model_file",
    "NetworkProject": "asc_tiny.targets.build.project",
    "Project": "asc_tiny.targets.build.project",
    "attach": "asc_tiny.api.attaching",
    "bench": "asc_tiny.api.running",
    "boards": "asc_tiny.api.board_catalog",
    "build": "asc_tiny.api.running",
    "check_budget": "asc_tiny.api.measuring",
    "check_dataset": "asc_tiny.api.listening",
    "compile_network": "asc_tiny.api.generation",
    "estimate_costs": "asc_tiny.costs.estimates",
    "evaluate": "asc_tiny.api.listening",
    "evaluate_stream": "asc_tiny.api.listening",
    "features": "asc_tiny.api.listening",
    "fit_boards": "asc_tiny.api.generation",
    "fit_ensemble": "asc_tiny.api.listening",
    "frontends": "asc_tiny.model.ensemble",
    "generate": "asc_tiny.api.generation",
    "infer": "asc_tiny.api.running",
    "inspect_firmware": "asc_tiny.api.running",
    "load_board": "asc_tiny.api.board_catalog",
    "load_dataset": "asc_tiny.api.listening",
    "load_model": "asc_tiny.model.ensemble",
    "load_project": "asc_tiny.api.running",
    "measure": "asc_tiny.api.measuring",
    "plot_decisions": "asc_tiny.api.plotting",
    "plot_features": "asc_tiny.api.plotting",
    "prepare_dataset": "asc_tiny.api.preparing",
    "prune": "asc_tiny.api.training",
    "quantize": "asc_tiny.api.training",
    "quantize_keras": "asc_tiny.api.training",
    "read_inputs": "asc_tiny.api.running",
    "read_pcm": "asc_tiny.audio.clips",
    "recording_features": "asc_tiny.api.listening",
    "report": "asc_tiny.api.reporting",
    "run": "asc_tiny.api.running",
    "scores": "asc_tiny.api.listening",
    "search": "asc_tiny.api.searching",
    "simulate": "asc_tiny.targets.emulator.simulate",
    "train": "asc_tiny.api.training",
    "train_devices": "asc_tiny.api.training",
    "train_study": "asc_tiny.api.training",
    "verify": "asc_tiny.api.running",
    "verify_model": "asc_tiny.api.verifying",
    "write_baseline": "asc_tiny.api.measuring",
}
"""Module of each name; the imports above tell type checkers the same."""

__all__ = sorted(_MODULES)


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return __all__
