"""The parameters of kernels against the structures in C, as a parser of C reads them."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import cffi
import numpy as np
import pytest

from asc_tiny.compiler.kernel_params import (
    ELEMENTS,
    KERNELS,
    TWICE_KERNELS,
    Array,
    Axis,
    KernelParams,
    Struct,
)

TEMPLATES = Path(__file__).parents[2] / "firmware_templates"
KERNEL = re.compile(r"^void (asc_\w+)\(const void \*", re.MULTILINE)
# Types come first: other headers include that of all kernels.
HEADERS = sorted(
    (each for each in TEMPLATES.rglob("*.h") if KERNEL.search(each.read_text())),
    key=lambda each: (each.name != "asc_kernels.h", each.name),
)


def declarations() -> str:
    """Return the headers without lines of the preprocessor, and what only C++ sees."""
    text = "".join(each.read_text() for each in HEADERS)
    text = re.sub(r"#ifdef __cplusplus.*?#endif", "", text, flags=re.DOTALL)
    return re.sub(r"^#.*?(?<!\\)$", "", text, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def ffi() -> cffi.FFI:
    parser = cffi.FFI()
    parser.cdef(declarations())
    return parser


def structs(kind: type[Struct] = Struct) -> set[type[Struct]]:
    """Return the dataclasses that stand for a structure."""
    found = {each for below in kind.__subclasses__() for each in structs(below)}
    return found | ({kind} if "c_type" in vars(kind) else set())


def in_c(kind: Any) -> str:
    """Return the type in C of a type in Python."""
    if kind is int:
        return "int32_t"
    if get_origin(kind) in (Union, UnionType):
        (kind,) = (each for each in get_args(kind) if each is not type(None))
        return in_c(kind)
    if get_origin(kind) is tuple:
        return f"{in_c(get_args(kind)[0])}[{len(get_args(kind))}]"
    if get_origin(kind) is Annotated:
        python, c_type = get_args(kind)
        return f"{c_type} *" if python is Array else c_type
    assert issubclass(kind, Struct)
    return kind.c_type


@pytest.mark.parametrize("kind", sorted(structs(), key=lambda each: each.c_type))
def test_members_are_those_of_c(kind: type[Struct], ffi: cffi.FFI) -> None:
    hints = get_type_hints(kind, include_extras=True)
    own = [(each.name, in_c(hints[each.name])) for each in fields(kind)]
    assert own == [(name, field.type.cname) for name, field in ffi.typeof(kind.c_type).fields]


def test_every_structure_and_kernel_has_its_parameters(ffi: cffi.FFI) -> None:
    named = {each.c_type for each in structs()} | {ELEMENTS[each] for each in ELEMENTS}
    others = {name for name in ffi.list_types()[0] if ffi.typeof(name).kind == "struct"} - named
    # What a kernel is called with, not a constant of a layer.
    assert len(others) == 1
    functions = KERNEL.findall(declarations())
    forms = {f"{kernel}_twice" for kernel in TWICE_KERNELS}
    assert set(functions) == set(KERNELS) | forms
    assert set(KERNELS) >= TWICE_KERNELS
    assert set(KERNELS.values()) == {each for each in structs() if issubclass(each, KernelParams)}


@pytest.mark.parametrize("dtype", ELEMENTS, ids=str)
def test_elements_have_the_sizes_of_c(dtype: np.dtype[Any], ffi: cffi.FFI) -> None:
    assert dtype.itemsize == ffi.sizeof(ELEMENTS[dtype])
    for name, (kind, offset, *_) in (dtype.fields or {}).items():
        field = dict(ffi.typeof(ELEMENTS[dtype]).fields)[name]
        assert (field.offset, field.type.cname) == (offset, ELEMENTS[kind])
    if dtype.fields:
        assert list(dtype.fields) == [name for name, _ in ffi.typeof(ELEMENTS[dtype]).fields]


def test_a_wrong_member_is_found() -> None:
    """The comparison tells members of another order or type."""
    changed = declarations().replace("int32_t factor;\n    int32_t offset", "int16_t offset")
    assert changed != declarations()
    parser = cffi.FFI()
    parser.cdef(changed)
    with pytest.raises(AssertionError):
        test_members_are_those_of_c(Axis, parser)
