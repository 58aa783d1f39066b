"""Files without the conversions at their ends, by the interpreter and the schema's own objects."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tflite_micro")

from asc_tiny.model import metadata_writer
from asc_tiny.tflite.flatbuffer import DamagedError
from asc_tiny.tflite.inner_file import inner_file
from asc_tiny.tflite.io_conversions import without_conversions
from asc_tiny.tflite.reader import parse_graph
from asc_tiny.tflite.verifier import check_structure
from support.field_mutations import packed, unpacked
from support.network_models import inputs
from support.paths import MODEL
from support.tflite_builder import Builder, schema
from support.tflm_networks import streaming
from support.wrapped_ends import ENDS, interpreted, outer_values, wrapped

PAIRS = [*itertools.product(ENDS, ENDS), ("INT8", "FLOAT32"), ("UINT8", "INT8")]


def inner(data: bytes) -> bytes:
    return inner_file(data, without_conversions(parse_graph(data, source="m.tflite")))


def test_a_file_without_conversions_is_the_same() -> None:
    data = MODEL.read_bytes()
    assert inner(data) is data


@pytest.mark.parametrize("ends", PAIRS, ids="-".join)
def test_what_is_inside_computes_what_it_did(ends: tuple[str, str]) -> None:
    """Before it was wrapped; and the wrapped file does so for values that stand for the codes."""
    plain = MODEL.read_bytes()
    data = wrapped(plain, *ends)
    found = inner(data)
    check_structure(found)
    assert found.endswith(data)
    graph = parse_graph(plain, source="plain")
    source, result = graph.tensor(graph.inputs[0]), graph.tensor(graph.outputs[0])
    for codes in inputs(source.shape, 5):
        scores = interpreted(plain, codes)
        assert np.array_equal(interpreted(found, codes), scores)
        values = outer_values(codes, ends[0], source.scales[0], source.zero_points[0])
        outer = interpreted(data, values)
        wanted = outer_values(scores, ends[1], result.scales[0], result.zero_points[0])
        assert outer.dtype == wanted.dtype and np.array_equal(outer, wanted)


@pytest.mark.parametrize("scale", [1e-6, 0.0123, 0.1, 1 / 3, 1.0, 7.7, 1e6])
@pytest.mark.parametrize("zero_point", [-128, -1, 0, 3, 127])
def test_real_values_of_codes_become_these_codes(scale: float, zero_point: int) -> None:
    """What a front end leaves out: QUANTIZE of ``scale * (code - zero_point)`` gives the code."""
    builder = Builder()
    x = builder.activation((1, 256), scale, 0, "FLOAT32")
    y = builder.activation((1, 256), scale, zero_point)
    builder.operator("QUANTIZE", [x], [y])
    codes = np.arange(-128, 128).astype(np.int8)[None]
    values = outer_values(codes, "FLOAT32", float(np.float32(scale)), zero_point)
    assert np.array_equal(interpreted(builder.finish([x], [y]), values), codes)


def test_only_the_ends_differ() -> None:
    """As the flatbuffers library reads the file, and its parts that nothing uses are small."""
    data = wrapped(MODEL.read_bytes(), "FLOAT32", "UINT8")
    before, after = unpacked(data), unpacked(inner(data))
    plain = unpacked(MODEL.read_bytes())
    graph, old = after.subgraphs[0], before.subgraphs[0]
    assert list(graph.inputs) == list(plain.subgraphs[0].inputs)
    assert list(graph.outputs) == list(plain.subgraphs[0].outputs)
    assert shown(graph.operators) == shown(old.operators[1:-1])
    assert shown(graph.tensors[:-2]) == shown(old.tensors[:-2])
    assert [list(each.shape) for each in graph.tensors[-2:]] == [[], []]
    assert graph.name == old.name
    for name in ("version", "description", "operatorCodes", "buffers", "metadata"):
        assert shown(getattr(after, name)) == shown(getattr(before, name)), name


def shown(value: Any) -> Any:
    if isinstance(value, list):
        return [shown(each) for each in value]
    if isinstance(value, np.ndarray):
        return value.tolist()
    return {k: shown(v) for k, v in vars(value).items()} if hasattr(value, "__dict__") else value


def test_signatures_go_whose_ends_are_no_more() -> None:
    model = unpacked(wrapped(MODEL.read_bytes(), "FLOAT32", "FLOAT32"))
    signature = schema.SignatureDefT()
    signature.signatureKey, signature.inputs, signature.outputs = "serving_default", [], []
    model.signatureDefs = [signature]
    assert unpacked(packed(model)).signatureDefs
    assert not unpacked(inner(packed(model))).signatureDefs


def test_contents_behind_the_flatbuffer_move_with_it() -> None:
    """Large models hold their constants there, by their distance from the start of the file."""
    plain = MODEL.read_bytes()
    model = unpacked(wrapped(plain, "FLOAT32", "FLOAT32"))
    contents = {
        number: bytes(each.data)
        for number, each in enumerate(model.buffers)
        if each.data is not None and len(each.data) > 1000
    }
    for number, content in contents.items():
        each = model.buffers[number]
        each.data, each.offset, each.size = None, 1 << 20, len(content)
    size = len(packed(model))
    behind = b""
    for number, content in contents.items():
        model.buffers[number].offset = size + len(behind)
        behind += content + bytes(-len(content) % 16)
    found = parse_graph(inner(packed(model) + behind), source="m.tflite")
    wanted = parse_graph(plain, source="plain")
    assert contents
    assert [t.content for t in found.tensors[:-2]] == [t.content for t in wanted.tensors]


def test_other_subgraphs_stay() -> None:
    """What gives variables their first values is called by its number."""
    plain = streaming().data
    found = inner(wrapped(plain, "FLOAT32", "FLOAT32"))
    before, after = (parse_graph(each, source="m.tflite") for each in (plain, found))
    assert len(after.others) == len(before.others) > 0
    codes = np.full(before.tensor(before.inputs[0]).shape, 3, np.int8)
    assert np.array_equal(interpreted(found, codes), interpreted(plain, codes))


def test_metadata_goes_in_and_out_as_before(tmp_path: Path) -> None:
    data = wrapped(MODEL.read_bytes(), "FLOAT32", "FLOAT32")
    complete = metadata_writer.embed(data, {"labels": ["x"]})
    assert metadata_writer.original(complete) == data
    assert parse_graph(inner(complete), source="m").metadata.keys() == (
        parse_graph(complete, source="m").metadata.keys()
    )


def test_damaged_files_do_not_come_here() -> None:
    """What reads them first refuses them: only sound files have a graph."""
    data = wrapped(MODEL.read_bytes(), "FLOAT32", "FLOAT32")
    graph = without_conversions(parse_graph(data, source="m.tflite"))
    with pytest.raises(DamagedError):
        inner_file(data[:100], graph)
