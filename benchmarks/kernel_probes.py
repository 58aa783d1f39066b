"""Small networks of every kernel in several sizes, whose stages ``network_costs.py`` measures.

The operators of random graphs lie side by side on one input, so that few networks have all kernels.
What random graphs do not have is added by hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from asc_tiny.compiler.options import AS_IS, Options
from asc_tiny.model.model_file import ModelFile
from support.graph_batch import model_file
from support.random_graphs import Maker, seeded
from support.random_int16 import Int16Maker
from support.random_tensors import Value, _value
from support.recurrent_networks import lstm, svdf

SHAPES = ((1, 1, 9, 8), (1, 3, 4, 6), (1, 8, 8, 4), (1, 12, 9, 10), (1, 10, 14, 20))
"""Shapes of the input: few and many elements, short and long rows."""

_SIDE_BY_SIDE = 12
"""Operators side by side in a network, so that planning it takes no long time."""

_SEVERAL = {
    "binary": 4,
    "choice": 4,
    "chosen": 6,
    "depth_to_space": 6,
    "extreme": 4,
    "mean": 5,
    "resize": 3,
    "transposed": 5,
}
"""Times of the methods that choose between several kernels."""

INT16 = "_int16"
"""Ending of the names of networks of 16-bit activations."""

_DEFAULT = Options()


def probes() -> Iterator[tuple[str, ModelFile, Options]]:
    """Return networks with their names and the options that they are compiled with."""
    for suffix, maker in (("", Maker), (INT16, Int16Maker)):
        names = sorted({*maker.any, *maker.image})
        count = -(-len(names) // _SIDE_BY_SIDE)
        for group in range(count):
            some = names[group::count]
            for seed, shape in enumerate(SHAPES):
                name = f"probe{group}_{seed}{suffix}"
                yield name, model_file(_beside(maker, seed, shape, some), name), _DEFAULT
    for seed, shape in enumerate(SHAPES):
        data = _beside(Maker, seed, shape, ["dense"] * 3)
        yield f"packed{seed}", model_file(data, "packed"), Options(optimize="size")
        yield f"rare{seed}", model_file(_rare(seed, shape), "rare"), _DEFAULT
        yield f"unsigned{seed}", model_file(_unsigned(seed, shape), "unsigned"), Options(io=AS_IS)
    for seed, (units, steps) in enumerate(((4, 3), (9, 8), (16, 5), (24, 12), (32, 7))):
        data = _recurrent(seed, units, steps)
        yield f"recurrent{seed}", model_file(data, "recurrent"), _DEFAULT


def _beside(kind: type[Maker], seed: int, shape: tuple[int, ...], names: Sequence[str]) -> bytes:
    """Return a file whose operators all read one tensor."""
    maker = kind(seeded(seed))
    source = maker.activation(shape, 0.05, maker.zero_point())
    # What reads the input itself might be merged with conversions at the file's end.
    x = maker.relu(source)
    outputs = []
    for name in names:
        # A method gives nothing where its choices do not fit.
        made = (getattr(maker, name)(x) for _ in range(20))
        fitting = (each for each in made if each not in (None, x, source))
        outputs += islice(fitting, _SEVERAL.get(name, 1))
    return maker.builder.finish([source], outputs)


def _rare(seed: int, shape: tuple[int, ...]) -> bytes:
    """Return a file with operators that random graphs have not, or hardly ever."""
    maker = Maker(seeded(seed))
    source = maker.activation(shape, 0.05, 0)
    x = maker.relu(source)
    # More classes than 32 bits sum up
    classes = 512 + 100 * seed
    wide = maker.activation((1, classes), 0.05, 0)
    maker.emit("TILE", [_flat(maker, x, 1), maker.numbers(1, classes)], wide)
    scores = maker.emit("SOFTMAX", [wide], maker.activation(wide.shape, 2.0**-8, -128), beta=1.0)
    # Places that are computed
    rows, columns = (
        maker.emit(name, [x, maker.numbers(3)], maker.plain(shape[:3], "INT32"), outputType="INT32")
        for name in ("ARG_MAX", "ARG_MIN")
    )
    places = maker.plain((*shape[:3], 2), "INT32")
    maker.emit("PACK", [rows, columns], places, valuesCount=2, axis=3)
    depth = shape[3]
    table = maker.constant([depth, depth, 2 + seed], 0.05, 0)
    chosen = maker.emit(
        "GATHER_ND", [table, places], maker.activation((*shape[:3], 2 + seed), 0.05, 0)
    )
    # Numbers without a scale
    whole = maker.emit("CAST", [x], maker.plain(shape, "INT32"))
    numbers = maker.emit("CAST", [whole], maker.plain(shape, "FLOAT32"))
    cast = maker.emit("CAST", [numbers], maker.activation(shape, 0.05, 0))
    return maker.builder.finish([source], [scores, chosen, cast])


def _flat(maker: Maker, x: Value, size: int) -> Value:
    """Return the first elements of a tensor as a row."""
    begin, sizes = maker.numbers(0, 0, 0, 0), maker.numbers(1, 1, 1, size)
    y = maker.emit("SLICE", [x, begin, sizes], maker.activation((1, 1, 1, size), x.scale, 0))
    row = maker.activation((1, size), x.scale, 0)
    return maker.emit("RESHAPE", [y, maker.numbers(1, size)], row)


def _unsigned(seed: int, shape: tuple[int, ...]) -> bytes:
    """Return a file that takes and gives unsigned codes."""
    maker = Maker(seeded(seed))
    ends = [_value(maker.builder.activation(shape, 0.05, 128, "UINT8"), 0, 1) for _ in range(2)]
    x = maker.emit("QUANTIZE", [ends[0]], maker.activation(shape, 0.05, 0))
    maker.emit("QUANTIZE", [maker.relu(x)], ends[1])
    return maker.builder.finish(ends[:1], ends[1:])


def _recurrent(seed: int, units: int, steps: int) -> bytes:
    """Return a file with an LSTM, and SVDFs with states of 8 and of 16 bits on its last output."""
    maker, rng = Maker(seeded(seed)), np.random.default_rng(seed)
    source = maker.activation((1, steps, units + 3), 0.05, 0)
    hidden = lstm(maker.builder, rng, source, units=units)
    size = steps * units
    flat = maker.activation((1, size), hidden.scale, hidden.zero_point)
    maker.emit("RESHAPE", [hidden, maker.numbers(1, size)], flat)
    filtered = [
        svdf(maker.builder, rng, flat, units=units, rank=2, memory=steps, dtype=dtype)
        for dtype in ("INT8", "INT16")
    ]
    return maker.builder.finish([source], [hidden, *filtered])
