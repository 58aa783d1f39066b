"""Training on several devices or machines with ``tf.distribute``.

Every worker draws the same batches from the same seeds and computes its share of each; the
gradients are added up, so that the global batch is the recipe's. Batch-norm takes its statistics
per replica, which makes the result differ from training on one device.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from asc_tiny.train.objective import Objective
from asc_tiny.train.run import Run
from asc_tiny.util import locks, scratch_folders
from asc_tiny.util.errors import AscError
from asc_tiny.util.files import read_bytes, write_bytes

Float32Array = NDArray[np.float32]
Step = Callable[[Float32Array, Float32Array], float]

STRATEGIES = ("none", "mirrored", "multi-worker")


class Distribution:
    """How steps are shared out.

    Args:
        name: one of ``STRATEGIES``. ``mirrored`` takes all accelerators of this machine, or all
            its logical CPU devices; ``multi-worker`` the workers that TF_CONFIG names.
        batch: clips in a global step; each replica needs two of them.

    Raises:
        AscError: the name is unknown, the batch too small to share, or TF_CONFIG not usable.
    """

    def __init__(self, name: str, batch: int) -> None:
        self._strategy = _strategy(name)
        self.replicas = self._strategy.num_replicas_in_sync if self._strategy else 1
        if batch < 2 * self.replicas:
            raise AscError(
                f"schedule.batch = {batch} for {self.replicas} replicas, "
                f"at least {2 * self.replicas} are needed"
            )

    def scope(self) -> AbstractContextManager[Any]:
        """Return the context in which network and optimiser are built."""
        return self._strategy.scope() if self._strategy else nullcontext()

    def compiled_step(self, objective: Objective, optimizer: Any) -> Step:
        """Return a function that makes one step and returns its mean loss.

        Its arguments are a global batch: features (clips, n_mels, columns, channels) and targets
        (clips, classes).
        """

        def step(x: Any, y: Any, share: Any = None) -> Any:
            with tf.GradientTape() as tape:
                loss = objective(x, y)
                if share is not None:
                    loss *= share
                scaled = optimizer.scale_loss(loss)
            variables = objective.trainable_variables
            optimizer.apply(tape.gradient(scaled, variables), variables)
            return loss

        strategy = self._strategy
        if strategy is None:
            compiled = tf.function(step, reduce_retracing=True)
            return lambda x, y: float(compiled(tf.constant(x), tf.constant(y)))

        @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
        def everywhere(x: Any, y: Any, share: Any) -> Any:
            losses = strategy.run(step, args=(x, y, share))
            return strategy.reduce(tf.distribute.ReduceOp.SUM, losses, axis=None)

        def shared(x: Float32Array, y: Float32Array) -> float:
            parts = self._parts(x)
            shares = [np.float32(len(part) / len(x)) for part in parts]
            spread = self._spread
            return float(everywhere(spread(parts), spread(self._parts(y)), spread(shares)))

        return shared

    @contextmanager
    def workspace(self, out: Path, *, resume: bool) -> Iterator[Path]:
        """Yield the folder that this worker writes to: ``out`` for the first of all workers.

        Another worker gets a folder of its own that is removed at the end, with a copy of what
        a resumed run starts from.

        Raises:
            AscError: another run writes to ``out``.
        """
        if self._is_first:
            with locks.exclusive(out):
                yield out
            return
        with scratch_folders.folder() as folder:
            own, shared = Run(folder), Run(out)
            for name in ("recipe_path", "info_path", "history_path", "checkpoint_path"):
                # In a new run these are what the first worker has begun to write.
                if resume and getattr(shared, name).exists():
                    write_bytes(getattr(own, name), read_bytes(getattr(shared, name)))
            yield own.root

    @property
    def _is_first(self) -> bool:
        resolver = self._strategy.cluster_resolver if self._strategy else None
        return not getattr(resolver, "task_id", None)

    def _parts(self, values: Float32Array) -> list[Float32Array]:
        return np.array_split(values, self.replicas)

    def _spread(self, parts: Sequence[Any]) -> Any:
        return self._strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(parts[context.replica_id_in_sync_group])
        )


def _strategy(name: str) -> Any:
    if name not in STRATEGIES:
        raise AscError(f"strategy {name!r} is unknown, allowed: {', '.join(STRATEGIES)}")
    if name == "none":
        return None
    if name == "multi-worker":
        _check_cluster(os.environ.get("TF_CONFIG", ""))
        return tf.distribute.MultiWorkerMirroredStrategy()
    if tf.config.list_logical_devices("GPU"):
        return tf.distribute.MirroredStrategy()
    cpus = [device.name for device in tf.config.list_logical_devices("CPU")]
    return tf.distribute.MirroredStrategy(cpus)


def _check_cluster(text: str) -> None:
    """Check TF_CONFIG before TensorFlow waits for workers that it does not name."""
    try:
        values = json.loads(text)
        known = 0 <= int(values["task"]["index"]) < len(values["cluster"]["worker"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise AscError(
            f"TF_CONFIG = {text!r}, must be JSON with cluster.worker and task.index"
        ) from error
    if not known:
        raise AscError(f"TF_CONFIG = {text!r}: task.index is not one of cluster.worker")
