"""Networks that are too large to be planned are refused at once, by what is too large."""

from __future__ import annotations

import pytest

from asc_tiny.compiler.options import STREAMING, Options
from asc_tiny.firmware.network import compiled
from asc_tiny.util.errors import AscError

pytest.importorskip("tflite_micro")

from support.budget_fuzz import deadline
from support.graph_batch import model_file
from support.hand_made_files import ONE, image, rectifiers, transposed
from support.tflite_builder import Builder


@pytest.mark.parametrize("options", [Options(), Options(schedule=STREAMING)])
@pytest.mark.parametrize(
    ("count", "layers", "reason"),
    [
        (2**15, 1, "32,768 rows of a tensor, at most 32,767 are supported"),
        (2**22, 1, "4,194,304 rows of a tensor"),
        (2**14, 5, r"81,92\d rows in all, at most 65,536 are supported"),
    ],
)
def test_more_rows_than_an_order_can_be_found_for(
    count: int, layers: int, reason: str, options: Options
) -> None:
    by_column = options.schedule == STREAMING
    shape = (2, count, 1) if by_column else (count, 1, 2)
    with deadline(5.0), pytest.raises(AscError, match=reason):
        compiled.generate(
            model_file(rectifiers((1, *shape), layers), "model.tflite"), options=options
        )


def test_rows_of_an_output_that_comes_column_by_column() -> None:
    """The output is transposed back at the end, into rows of its own."""
    model = model_file(rectifiers((1, 2**20, 2, 1), 1), "model.tflite")
    with deadline(5.0), pytest.raises(AscError, match="1,048,576 rows of a tensor"):
        compiled.generate(model, options=Options(schedule=STREAMING))


def test_a_window_of_more_rows_than_can_be_looked_at() -> None:
    builder = Builder()
    x, y = image(builder, 1, 300, 3, 1), image(builder, 1, 300, 3, 1)
    window = {"filterHeight": 2**16 - 1, "filterWidth": 3, **ONE}
    builder.operator("MAX_POOL_2D", [x], [y], **window)
    model = model_file(builder.finish([x], [y]), "model.tflite")
    with deadline(5.0), pytest.raises(AscError, match="19,660,500 rows under all windows"):
        compiled.generate(model)


def test_phases_for_every_pixel() -> None:
    """Each would have a bias and a multiplier of its own."""
    model = model_file(transposed((200, 300), (200, 300)), "model.tflite")
    with deadline(5.0), pytest.raises(AscError, match="3 filters for 200 x 300 phases"):
        compiled.generate(model)


def test_many_rows_take_no_minutes() -> None:
    """Seconds of computing; the search for the best order took minutes."""
    with deadline(15.0):
        compiled.generate(model_file(rectifiers((1, 1000, 1, 2), 17), "model.tflite"))


def test_weights_that_a_stride_multiplies() -> None:
    """Every pixel of the output would have weights of its own."""
    model = model_file(transposed((1000, 2000), (1000, 2000)), "model.tflite")
    with pytest.raises(
        AscError, match=r"operator 0 \(TRANSPOSE_CONV, layer t1\): becomes 12,000,000"
    ):
        compiled.generate(model)
