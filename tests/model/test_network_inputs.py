"""Inputs of networks from files: shapes with and without a batch, codes and real values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from asc_tiny.model.network_inputs import read_inputs
from asc_tiny.tflite.graph import Tensor
from asc_tiny.util.errors import AscError

CODES = Tensor(0, "codes", (1, 2, 3), "INT8", (0.5,), (-3,))
VALUES = Tensor(1, "values", (1, 4), "FLOAT32")
PLACES = Tensor(2, "places", (5,), "INT32")


def saved(path: Path, *arrays: np.ndarray, **named: np.ndarray) -> Path:
    if path.suffix == ".npy":
        np.save(path, arrays[0])
    else:
        np.savez(path, *arrays, **named)
    return path


@pytest.mark.parametrize(
    ("shape", "count"), [((1, 2, 3), 1), ((2, 3), 1), ((7, 2, 3), 7), ((7, 1, 2, 3), 7)]
)
def test_shapes(shape: tuple[int, ...], count: int, tmp_path: Path) -> None:
    values = np.arange(np.prod(shape)).reshape(shape).astype(np.int8)
    found = read_inputs(saved(tmp_path / "x.npy", values), [CODES])
    assert len(found) == count
    assert all(each.shape == (1, 2, 3) and each.dtype == np.int8 for (each,) in found)
    assert np.array_equal(np.stack([each for (each,) in found]).ravel(), values.ravel())


def test_real_values_become_codes(tmp_path: Path) -> None:
    values = np.array([[0.0, 0.5, 0.74], [-1.0, 1e9, -1e9]])
    ((found,),) = read_inputs(saved(tmp_path / "x.npy", values), [CODES])
    assert found.tolist() == [[[-3, -2, -2], [-5, 127, -128]]]
    ((found,),) = read_inputs(saved(tmp_path / "y.npy", np.arange(4)), [VALUES])
    assert found.dtype == np.float32 and found.tolist() == [[0, 1, 2, 3]]


def test_several_inputs_by_name_or_number(tmp_path: Path) -> None:
    codes, values = np.ones((3, 2, 3), np.int8), np.ones((3, 4), np.float32)
    files = [
        saved(tmp_path / "a.npz", codes=codes, values=values),
        saved(tmp_path / "b.npz", input1=values, input0=codes),
        saved(tmp_path / "c.npz", codes, values),
    ]
    for path in files:
        found = read_inputs(path, [CODES, VALUES])
        assert [[each.shape for each in inputs] for inputs in found] == [[(1, 2, 3), (1, 4)]] * 3


REFUSED = {
    "shape": ([np.zeros((2, 4), np.int8)], [CODES], "must be (1, 2, 3) or (N, 2, 3)"),
    "range": ([np.full((2, 3), 128)], [CODES], "values 128 to 128, must be -128 to 127"),
    "not finite": ([np.full((2, 3), np.nan)], [CODES], "not finite"),
    "no scale": ([np.full(5, 0.5)], [PLACES], "of no scale"),
    "none": ([np.zeros((0, 2, 3), np.int8)], [CODES], "holds no inputs"),
    "too few": (
        [np.zeros((2, 3), np.int8)],
        [CODES, VALUES],
        "1 array, the network has 2 inputs; a .npz file",
    ),
    "counts": (
        [np.zeros((2, 2, 3), np.int8), np.zeros((3, 4))],
        [CODES, VALUES],
        "inputs for 2, 3 inferences",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_a_line(name: str, tmp_path: Path) -> None:
    arrays, tensors, said = REFUSED[name]
    path = saved(tmp_path / ("x.npy" if len(arrays) == 1 else "x.npz"), *arrays)
    with pytest.raises(AscError) as caught:
        read_inputs(path, tensors)
    assert str(caught.value).startswith(str(path)) and said in str(caught.value)


def test_other_names_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "x.npz", one=np.zeros((2, 3), np.int8), two=np.zeros(4))
    with pytest.raises(AscError, match=r"arrays .*one.*two.*, must be .*codes.*values"):
        read_inputs(path, [CODES, VALUES])
