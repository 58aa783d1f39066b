"""Files of arrays: numbers come back as they were, anything else is a line."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.util import array_files
from asc_tiny.util.array_files import read_arrays
from asc_tiny.util.errors import AscError


@pytest.mark.parametrize("dtype", ["i1", "<i4", ">i4", "<f4", "<f8", "?", "u2"])
def test_numbers_come_back(dtype: str, tmp_path: Path) -> None:
    values = np.arange(24).reshape(2, 3, 4).astype(dtype)
    np.save(tmp_path / "x.npy", values)
    np.save(tmp_path / "f.npy", np.asfortranarray(values))
    np.savez(tmp_path / "x.npz", a=values, b=values[0])
    np.savez_compressed(tmp_path / "c.npz", a=values)
    for name in ("x.npy", "f.npy"):
        (found,) = read_arrays(tmp_path / name).values()
        assert np.array_equal(found, values) and found.dtype == values.dtype
    found = read_arrays(tmp_path / "x.npz")
    assert list(found) == ["a", "b"] and np.array_equal(found["b"], values[0])
    assert np.array_equal(read_arrays(tmp_path / "c.npz")["a"], values)


def npy(header: str, data: bytes = b"") -> bytes:
    text = header.encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


HOSTILE = {
    "empty": (b"", "not a .npy file"),
    "text": (b"1,2,3\n", "not a .npy file"),
    "cut": (npy("{'descr': '<f4', 'fortran_order': False, 'shape': (9,)}", b"1234"), "must be 36"),
    "huge": (
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 9)}"),
        "0 bytes of elements",
    ),
    "negative": (npy("{'descr': '|i1', 'fortran_order': False, 'shape': (-1,)}", b"1"), "bytes of"),
    "no header": (npy("{'descr': '<f4'"), "not a .npy file"),
    "code": (npy("__import__('os').system('true')"), "not a .npy file"),
    "deep": (npy("(" * 9000), "not a .npy file"),
    "objects": (npy("{'descr': '|O', 'fortran_order': False, 'shape': ()}"), "must be numbers"),
    "text elements": (
        npy("{'descr': '<U1', 'fortran_order': False, 'shape': (1,)}", b"1234"),
        "must be numbers",
    ),
    "pickle": (pickle.dumps([1, 2]), "not a .npy file"),
    "no archive": (b"PK\x03\x04 and no more", "not a .npz file"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_anything_else_is_a_line(name: str, tmp_path: Path) -> None:
    data, said = HOSTILE[name]
    path = tmp_path / "x.npy"
    path.write_bytes(data)
    with pytest.raises(AscError) as caught:
        read_arrays(path)
    assert str(caught.value).startswith(f"{path}: ") and said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_archives_are_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", b"no array")
    with pytest.raises(AscError, match=r"not a \.npy file"):
        read_arrays(path)
    with zipfile.ZipFile(path, "w"):
        pass
    with pytest.raises(AscError, match="holds no arrays"):
        read_arrays(path)
    stream = io.BytesIO()
    np.save(stream, np.zeros(1000))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", stream.getvalue())
    monkeypatch.setattr(array_files, "MOST_BYTES", 1000)
    with pytest.raises(AscError, match="more than 1000 bytes"):
        read_arrays(path)
    damaged = bytearray(path.read_bytes())
    damaged[60] ^= 255
    path.write_bytes(damaged)
    monkeypatch.setattr(array_files, "MOST_BYTES", 1 << 31)
    with pytest.raises(AscError, match=r"not a \.npz file"):
        read_arrays(path)
