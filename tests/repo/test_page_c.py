"""The C on the pages: compiled among generated files as what it is, a function or a part of one.

The pages are docs/explanation/{audio,firmware,resampling,streaming}.md and
docs/reference/protocol.md.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from support.bare_networks import with_state
from support.commands import asc_tiny
from support.native import FLAGS
from support.page_blocks import fenced
from support.page_givens import small_classifier
from support.paths import MODEL, ROOT
from support.tflite_builder import Builder

pytestmark = pytest.mark.usefixtures("shared_plans")


def place_of_largest() -> bytes:
    """Return a network that gives the number of a class."""
    builder = Builder()
    x, y = builder.activation((1, 6), 0.1, 3), builder.activation((1,), 0.0, 0, "INT32")
    builder.graph.tensors[y.index].quantization = None
    axis = builder.constant(np.array([1], np.int32))
    builder.operator("ARG_MAX", [x, axis], [y], outputType="INT32")
    return builder.finish([x], [y])


@dataclass(frozen=True)
class Part:
    """A block of C and where it belongs.

    Attributes:
        page: the page, below ``docs``.
        number: of the page's blocks of C.
        options: of ``generate``, for the files beside it.
        before: what the page leaves to the reader, in front of the block.
        network: the model, a small classifier if it is None.
        inside: whether the block is the body of a function.
    """

    page: str
    number: int
    options: str
    before: str = ""
    network: bytes | None = None
    inside: bool = False


PARTS = [
    Part(
        "explanation/audio.md",
        0,
        "sources --board nrf52840dk --resample",
        '#include "asc_audio.h"\n#include "asc_classifier.h"\n#include "asc_resample.h"\n'
        "void dma_complete(void);\nvoid listen(void);\nvoid wait_for_interrupt(void);\n"
        "void start_dma(int16_t *block, size_t count);\n"
        "void classify(const int16_t *pcm, size_t count);\n",
        # At 44.1 kHz, which the board's microphone does not have.
        network=MODEL.read_bytes(),
    ),
    Part(
        "explanation/firmware.md",
        0,
        "sources --board host",
        '#include "asc_classifier.h"\n#include "asc_labels.h"\nvoid stop(void);\n'
        "void use(const char *label, const int8_t *scores);\n"
        "void part(const int16_t *pcm, size_t count);\n"
        "void part(const int16_t *pcm, size_t count)",
        inside=True,
    ),
    Part(
        "explanation/firmware.md",
        1,
        "sources --board host",
        '#include "asc_net.h"\nvoid part(int8_t *arena);\nvoid part(int8_t *arena)',
        network=with_state(),
        inside=True,
    ),
    Part(
        "explanation/firmware.md",
        2,
        "sources --board host",
        '#include "asc_net.h"\n',
        network=place_of_largest(),
    ),
    Part(
        "explanation/resampling.md",
        0,
        "stm32cubeide --board stm32f4_disco",
        '#include "asc_listen.h"\n#include "asc_pdm.h"\nenum { DMA_BYTES = 256 };\n'
        "extern uint8_t dma_buffer[DMA_BYTES];\nvoid dma_complete(void);\n",
    ),
    Part(
        "explanation/streaming.md",
        0,
        "sources --board host --schedule streaming",
        '#include <string.h>\n#include "asc_net.h"\nvoid stop(void);\n'
        "void use(const int8_t *output);\n"
        "extern int8_t features[ASC_NET_INPUT_WIDTH][ASC_NET_COLUMN_SIZE];\n"
        "void part(int8_t *arena);\nvoid part(int8_t *arena)",
        inside=True,
    ),
    Part("reference/protocol.md", 0, "sources --board host"),
]


@pytest.mark.parametrize("part", PARTS, ids=lambda part: f"{part.page}-{part.number}")
def test_c_of_a_page_compiles(part: Part, tmp_path: Path) -> None:
    model = small_classifier()
    if part.network is not None:
        model = tmp_path / "model.tflite"
        model.write_bytes(part.network)
    made = tmp_path / "made"
    assert asc_tiny("generate", model, "--out", made, "--project", *part.options.split()) == 0
    text = fenced(ROOT / "docs" / part.page, "c")[part.number]
    source = tmp_path / "part.c"
    source.write_text(part.before + (f"{{\n{text}}}\n" if part.inside else text))
    folders = {header.parent for header in made.rglob("asc_*.h")}
    including = [f"-I{folder}" for folder in sorted(folders)]
    subprocess.run(["cc", *FLAGS, *including, "-fsyntax-only", source], check=True)


def test_all_c_of_these_pages_is_compiled() -> None:
    for page in {part.page for part in PARTS}:
        numbers = [part.number for part in PARTS if part.page == page]
        assert numbers == [*range(len(fenced(ROOT / "docs" / page, "c")))]
