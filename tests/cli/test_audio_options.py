"""All commands that read audio take the same options, and say the same of the same file."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pytest
import soundfile

from asc_tiny.cli.main import COMMANDS, cli
from asc_tiny.util.files import read_toml
from support.commands import asc_tiny
from support.hostile_models import FRONTEND, with_metadata

AUDIO = {"data", "wav", "wavs"}
"""Names of parameters that are audio."""


def commands() -> Iterator[tuple[str, click.Command]]:
    """Yield all commands by name, those of groups too."""
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {each}", sub) for each, sub in command.commands.items())


def test_every_command_that_reads_audio_can_resample() -> None:
    reading = set()
    for name, command in commands():
        names = {parameter.name for parameter in command.params if parameter.expose_value}
        if names & AUDIO:
            reading.add(name)
            assert "resample" in names, name
            assert command.callback is not None
            taken = inspect.signature(command.callback).parameters
            named = {each for each, one in taken.items() if one.kind is not one.VAR_KEYWORD}
            assert named - {"ctx"} == names or len(named) < len(taken), name
    assert reading >= {"train", "evaluate", "quantize", "prune", "features", "run", "simulate"}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    document = {"schema": 1, "labels": ["a", "b", "c"], "frontend": read_toml(FRONTEND)}
    path = tmp_path / "model.tflite"
    path.write_bytes(with_metadata(json.dumps(document)))
    return path


def features(model: Path, wav: Path, *options: str) -> int:
    out = model.with_name("features.npy")
    return asc_tiny(
        "features", wav, "--model", model, "--arithmetic", "float", "--out", out, *options
    )


def test_advice_names_an_option_that_is_there(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wav = tmp_path / "x.wav"
    soundfile.write(wav, np.zeros(44100, np.int16), 44100)
    assert features(model, wav) == 2
    assert "use --resample to convert" in capsys.readouterr().err
    assert features(model, wav, "--resample") == 0


def test_audio_beyond_full_scale(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wav = tmp_path / "x.wav"
    noise = np.random.default_rng(1).normal(size=16000)
    soundfile.write(wav, noise * 8000, 16000, subtype="FLOAT")
    assert features(model, wav) == 2
    error = capsys.readouterr().err
    assert "full scale is 1; divide them by 32768, or store them as integers" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "features.npy").exists()
    soundfile.write(wav, noise / 3, 16000, subtype="FLOAT")
    assert features(model, wav) == 0
    assert "samples beyond full scale saturate" in capsys.readouterr().err
