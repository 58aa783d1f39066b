"""Hostile files for the network compiler: refused in a line, or the results of another interpreter.

tools/fuzz_generate runs as many cases as wanted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tflite_micro")

from asc_tiny.firmware.network import compiled
from support import generate_fuzz
from support.field_mutations import packed, unpacked
from support.generate_fuzz import Accepted, Case, Cases, FindError, Judge, accepted
from support.network_models import inputs
from support.random_graphs import random_graph, seeded
from support.tflite_builder import Builder
from support.tflm_worker import Failure, Worker


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    judge = Judge(tmp_path_factory.mktemp("fuzz"))
    yield judge
    judge.close()


@pytest.mark.parametrize(
    "cases",
    [
        range(120),
        pytest.param(range(120, 400), marks=pytest.mark.exhaustive),
        pytest.param(range(400, 1000), marks=pytest.mark.exhaustive),
    ],
)
def test_mutated_files(cases: range, judge: Judge) -> None:
    source = Cases()
    group = [made for number in cases if (made := accepted(source.case(number)))]
    # Most changes make a file that nothing can compute, but not all: else nothing is compared.
    assert 0.1 * len(cases) < len(group) < 0.5 * len(cases)
    before = judge.compared
    assert not list(judge.finds(group))
    assert judge.compared - before > 0.9 * len(group)


def test_cases_follow_from_their_number() -> None:
    assert [Cases().case(n) for n in range(40, 50)] == [Cases().case(n) for n in range(40, 50)]


def intact(number: int = 0, options: str = "default") -> Accepted:
    made = accepted(Case(number, random_graph(seeded(number)), options))
    assert made
    return made


DOCTORED = {
    "does not compile": (r"\.size = \d+,", ".size = 2147483648,"),
    "AddressSanitizer": (r"\.size = \d+,", ".size = 120000,"),
    "codes differ": (r"\.maximum = 127,", ".maximum = -80,"),
}
"""What the judge says of the C code of a graph with a text in place of the first that matches."""


def has_all_texts(made: Accepted) -> bool:
    return all(re.search(old, made.network.files["asc_net.c"]) for old, _ in DOCTORED.values())


def test_the_judge_sees_what_is_wrong(judge: Judge) -> None:
    """A judge that lets everything pass would find nothing."""
    right = next(each for each in map(intact, range(100)) if has_all_texts(each))
    group = [right]
    for reason, (old, new) in DOCTORED.items():
        code = right.network.files["asc_net.c"]
        files = {**right.network.files, "asc_net.c": re.sub(old, new, code, count=1)}
        case = Case(len(group), right.case.data, reason)
        group.append(replace(right, case=case, network=replace(right.network, files=files)))
    found = {case.options: said for case, said in judge.finds(group)}
    assert set(found) == set(DOCTORED)
    assert all(reason in said for reason, said in found.items())


def test_crashes_hangs_and_messages_of_several_lines_are_finds(monkeypatch: Any) -> None:
    def failing(error: Exception) -> Any:
        def compile_network(*_: Any) -> Any:
            raise error

        return compile_network

    for error in (ValueError("no"), MemoryError(), TimeoutError("more than 10 s")):
        monkeypatch.setattr(compiled, "compile_network", failing(error))
        with pytest.raises(FindError, match=type(error).__name__):
            intact()
    for message in ("file.tflite: two\nlines", "of no file"):
        monkeypatch.setattr(compiled, "compile_network", failing(generate_fuzz.AscError(message)))
        with pytest.raises(FindError, match="no line"):
            intact()


def test_memory_is_limited(monkeypatch: Any) -> None:
    monkeypatch.setattr(compiled, "compile_network", lambda *_, **__: bytearray(2**31))
    with pytest.raises(FindError, match="MemoryError"):
        intact()


def test_worker_survives_what_the_interpreter_does_not() -> None:
    """It trusts the numbers of a file."""
    net = Builder()
    source, target = net.activation((1, 8), 0.1, 0), net.activation((1, 8), 0.1, 0)
    net.operator("ADD", [source, source], [target])
    good = net.finish([source], [target])
    samples = [[each] for each in inputs((1, 8), 2)]
    worker = Worker()
    try:
        first = worker.run(good, samples)
        assert not isinstance(first, Failure)
        model = unpacked(good)
        model.subgraphs[0].operators[0].customOptions = [1]
        refused = worker.run(packed(model), samples)
        assert isinstance(refused, Failure)
        assert "custom options" in refused.reason
        model = unpacked(good)
        model.subgraphs[0].operators[0].inputs = [2**27]
        crashed = worker.run(packed(model), samples)
        assert crashed == Failure("file: TensorFlow Lite Micro crashes on it")
        again = worker.run(good, samples)
        assert not isinstance(again, Failure)
        assert np.array_equal(again, first)
    finally:
        worker.close()
