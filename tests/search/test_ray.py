"""A Ray cluster of two nodes here: the same bytes as in this process, whole after a lost node."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from asc_tiny.search import workers
from asc_tiny.search.workers import Training
from asc_tiny.util import ray_cluster
from asc_tiny.util.errors import AscError
from support.recipes import WITHOUT_NETWORK

pytest.importorskip("ray.cluster_utils", reason="Ray, of the extra search, is not installed here")
pytest.importorskip("tensorflow")

from ray import cloudpickle
from ray.cluster_utils import Cluster

# The cluster's processes cannot import the tests.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

NETWORK = """
import keras
from keras import layers

def build(shape, classes, dropout):
    inputs = keras.Input(shape, name="features")
    x = layers.GlobalAveragePooling2D(name="mean")(layers.Conv2D(4, 3, strides=2, name="c")(inputs))
    return keras.Model(inputs, layers.Dense(classes, activation="softmax", name="scores")(x))
"""


@pytest.fixture(scope="module")
def cluster():
    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    yield nodes
    nodes.shutdown()


def training(synthetic, folder: Path, name: str) -> Training:
    (folder / "net.py").write_text(NETWORK)
    return Training(
        recipe='network = "net.py:build"\n' + WITHOUT_NETWORK,
        recipe_folder=str(folder),
        data=str(synthetic),
        fold=1,
        resample=False,
        out=str(folder / name),
        epochs=2,
    )


def refused(text):
    raise AscError(text)


def lost_once(marker: Path):
    """End the process at the first call, as a computer that fails does."""
    if not marker.exists():
        marker.write_text("")
        os._exit(1)
    return "made again"


def test_trainings_on_a_cluster_are_those_of_this_process(cluster, synthetic, tmp_path):
    cluster.add_node(num_cpus=1)
    here = workers.perform(training(synthetic, tmp_path, "here"))
    with workers.ray(cluster.address) as there:
        names = ("first", "second")
        futures = [there.submit(training(synthetic, tmp_path, name)) for name in names]
        assert [future.result() for future in futures] == [here, here]
    expected = (tmp_path / "here" / "model.keras").read_bytes()
    for name in names:
        assert (tmp_path / name / "model.keras").read_bytes() == expected


def test_a_lost_call_is_made_again_and_an_error_is_told(cluster, tmp_path):
    with ray_cluster.connected(cluster.address) as computers:
        assert computers.submit(lost_once, tmp_path / "marker").result() == "made again"
        with pytest.raises(AscError, match="no such clip"):
            computers.submit(refused, "no such clip").result()
