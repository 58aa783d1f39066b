"""The constants of a network as data, against those that its C text declares."""

from __future__ import annotations

import re

import pytest

from asc_tiny.compiler.options import Options
from asc_tiny.firmware.network.compiled import compile_network, generate
from asc_tiny.firmware.network.constants import constants
from asc_tiny.model.model_file import load
from support.paths import MODELS

DECLARED = re.compile(
    r"^(ASC_NET_ALIGNED )?ASC_NET_CONST (\w+) (\w+)(?:\[(\w+)(?: \+ [^\]]+)?\])? =", re.MULTILINE
)


# Planning the streaming schedule of mini_segnet takes three times that of mobilenet.
@pytest.mark.parametrize(
    ("name", "schedule", "optimize"),
    [
        ("mini_segnet", None, "speed"),
        ("mini_segnet", None, "size"),
        ("mobilenet", "streaming", "speed"),
        *(
            pytest.param("mini_segnet", "streaming", optimize, marks=pytest.mark.slow)
            for optimize in ("speed", "size")
        ),
    ],
)
def test_constants_are_those_of_the_text(name: str, schedule: str | None, optimize: str) -> None:
    model = load(MODELS / f"{name}_esc10.tflite")
    options = Options(schedule=schedule, optimize=optimize)
    files = generate(model, options=options)
    text = files["asc_net.c"]
    names = dict(re.findall(r"\b(ASC_NET_\w+) = (\d+)", text))
    names |= dict(re.findall(r"#define (ASC_NET_\w+) (\d+)", files["asc_net.h"]))
    declared = [
        (name, c_type, int(names.get(count, count) or 1), bool(aligned))
        for aligned, c_type, name, count in DECLARED.findall(text)
    ]
    found = constants(compile_network(model, options))
    own = [(each.name, each.c_type, each.count, each.aligned) for each in found]
    assert sorted(own) == sorted(declared)
    assert len(own) > 30
