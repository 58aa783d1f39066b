"""Fixtures that several test modules share."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from asc_tiny.audio.synth import write_synthetic
from asc_tiny.targets.build import tools
from asc_tiny.targets.device import client, emulator
from support import objects, session_cache
from support.kept_plans import kept_plans
from support.patience import PATIENCE_S

# How fast a machine makes examples is no property of the code.
settings.register_profile("any speed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any speed")


def pytest_configure() -> None:
    """Have one cache for all processes of this run, and a clean start for programs."""
    # The first process makes the folder; those that share its work inherit where it is.
    session_cache.folder()
    undo_what_a_shell_leaves()


def undo_what_a_shell_leaves() -> None:
    """Undo for programs that the tests start what they would inherit from a shell.

    Signals that are ignored stay so in every program that is started; handlers do not. A program
    that a test interrupts would go on for ever.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
    # What a terminal can do is what the tests say of theirs.
    os.environ["TERM"] = "xterm"
    for name in ("COLUMNS", "FORCE_COLOR", "LINES", "NO_COLOR"):
        os.environ.pop(name, None)


@pytest.fixture(scope="session", autouse=True)
def patient() -> Iterator[None]:
    """Commands wait for an emulated board as long as it may take on a busy machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "ATTEMPTS", int(PATIENCE_S / client.TIMEOUT_S))
        patch.setattr(emulator, "START_S", PATIENCE_S)
        yield


@pytest.fixture(scope="session", autouse=True)
def kept_objects() -> Iterator[None]:
    """What the package compiles file by file, it compiles once in a run of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tools, "execute", objects.keeping(tools.execute))
        yield


@pytest.fixture(scope="module")
def shared_plans() -> Iterator[None]:
    """Have tests that plan one network with the same options share its plan."""
    with kept_plans():
        yield


@pytest.fixture(scope="session")
def esc10() -> Path:
    """Folder of the ESC-10 recordings in the TAU layout; skips the test where they are absent."""
    default = Path(__file__).parents[2] / "shared" / "data" / "esc10"
    folder = Path(os.environ.get("ASC_TINY_ESC10", default))
    if not (folder / "meta.csv").is_file():
        pytest.skip("no ESC-10 recordings: set ASC_TINY_ESC10 to their folder")
    return folder


@pytest.fixture(scope="session")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic dataset of 3 scenes with 8 clips each; tests must not change it."""
    folder = tmp_path_factory.mktemp("synthetic")
    write_synthetic(folder, seed=1, clips_per_class=8)
    return folder
