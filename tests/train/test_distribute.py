"""Training shared between devices: the same step as one device makes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from support.patience import PATIENCE_S

pytest.importorskip("tensorflow")

from asc_tiny.train.distribute import Distribution
from asc_tiny.train.run import Run
from asc_tiny.util.errors import AscError

RECIPE = """
name = "small"
network = "ds_cnn"
dropout = 0.0
[network_options]
depth = 2
channels = 16
[frontend]
n_mels = 16
n_fft = 1024
[schedule]
cycles = [2]
batch = 6
[augmentation]
frequency_mask_bands = 4
"""

MIRRORED = """
import sys
import numpy as np, tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from pathlib import Path
from asc_tiny.audio.dataset import Dataset
from asc_tiny.train import loop, recipe as recipes
from asc_tiny.train.distribute import Distribution

folder = Path(sys.argv[1])
recipe = recipes.load(folder / "small.toml")
assert Distribution("mirrored", 6).replicas == 2

# The same clips on both replicas: their statistics are equal and so are those of one device.
rng = np.random.default_rng(0)
half = rng.normal(size=(3, 16, 30, 3)).astype(np.float32)
x, y = np.concatenate([half, half]), np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1, 2]]
weights = []
for name in ("none", "mirrored"):
    trainer = loop.Trainer(recipe, 3, distribution=Distribution(name, 6))
    losses = [trainer._step(x, y) for _ in range(3)]
    weights.append((losses, trainer._trainee.get_weights()))
np.testing.assert_allclose(weights[0][0], weights[1][0], rtol=1e-4)
for one, two in zip(weights[0][1], weights[1][1], strict=True):
    np.testing.assert_allclose(one, two, atol=1e-4)

dataset = Dataset.load(Path(sys.argv[2]))
options = {"cache_folder": folder / "cache", "strategy": "mirrored"}
whole = loop.train(recipe, dataset, folder / "whole", **options)
loop.train(recipe, dataset, folder / "cut", epochs=1, **options)
cut = loop.train(recipe, dataset, folder / "cut", resume=True, **options)
assert cut.history() == whole.history()
assert cut.info() == whole.info()
"""


def environment(folder: Path, **more: str) -> dict[str, str]:
    return {
        **os.environ,
        "XDG_CACHE_HOME": str(folder / "xdg"),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        **more,
    }


def test_unknown_strategies_and_small_batches_are_named():
    with pytest.raises(AscError, match="strategy 'tpu' is unknown, allowed: none, mirrored"):
        Distribution("tpu", 8)
    with pytest.raises(AscError, match=r"schedule.batch = 1 for 1 replicas, at least 2"):
        Distribution("none", 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"TF_CONFIG = '', must be JSON with cluster.worker and task.index"),
        ('{"task": {}}', "must be JSON with cluster.worker"),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"index": 1}}', "task.index is not one of"),
    ],
)
def test_a_cluster_that_is_not_described_is_named(text, message, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(AscError, match=message):
        Distribution("multi-worker", 8)


@pytest.mark.exhaustive
def test_two_mirrored_devices_make_the_step_of_one(synthetic, tmp_path):
    (tmp_path / "small.toml").write_text(RECIPE)
    script = [sys.executable, "-c", MIRRORED, str(tmp_path), str(synthetic)]
    done = subprocess.run(
        script, env=environment(tmp_path), capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert done.returncode == 0, done.stderr[-3000:]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.mark.exhaustive
def test_two_workers_train_one_run(synthetic, tmp_path):
    """The command of each worker is the same; the first one writes, a resume goes on."""
    (tmp_path / "small.toml").write_text(RECIPE)
    command = [sys.executable, "-m", "asc_tiny.cli.main", "train", str(tmp_path / "small.toml")]
    command += ["--data", str(synthetic), "--out", str(tmp_path / "run")]
    command += ["--strategy", "multi-worker"]
    for more in (["--epochs", "1"], ["--resume"]):
        hosts = [f"127.0.0.1:{free_port()}" for _ in range(2)]
        workers = []
        for index in range(2):
            task = {"cluster": {"worker": hosts}, "task": {"type": "worker", "index": index}}
            workers.append(
                subprocess.Popen(
                    [*command, *more],
                    env=environment(tmp_path, TF_CONFIG=json.dumps(task)),
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
        try:
            results = [worker.communicate(timeout=PATIENCE_S) for worker in workers]
        finally:
            for worker in workers:
                worker.kill()
        for worker, (_, errors) in zip(workers, results, strict=True):
            assert worker.returncode == 0, errors[-3000:]
    info = json.loads((tmp_path / "run" / "run.json").read_text())
    assert info["epochs"] == 2
    assert (tmp_path / "run" / "model.keras").exists()


@pytest.mark.parametrize("resume", [False, True])
def test_other_workers_start_from_a_copy_only_to_resume(tmp_path, monkeypatch, resume):
    """In a new run the first worker may have begun to write before another one looks."""
    run = Run(tmp_path / "run")
    run.root.mkdir()
    run.recipe_path.write_text(RECIPE)
    monkeypatch.setattr(Distribution, "_is_first", False)
    with Distribution("none", 8).workspace(run.root, resume=resume) as folder:
        assert folder != run.root
        assert Run(folder).recipe_path.exists() == resume
    assert not folder.exists()
    assert run.recipe_path.read_text() == RECIPE
