"""What events make of the state."""

from __future__ import annotations

from asc_tiny.frontend.config import FrontEndConfig
from asc_tiny.monitor.state import Loss, Run, Wanted
from support.watched import (
    BANDS,
    COLUMNS,
    LABELS,
    SHA256,
    TIME,
    connected,
    counted,
    decided,
    heard,
    lost,
    state,
)

FRONTEND = FrontEndConfig(n_mels=BANDS).quantized(0.1, 0)


def test_decisions_are_runs_of_a_label() -> None:
    events = [connected(), decided(0, (9, 1)), decided(1, (9, 2)), decided(2, (1, 9))]
    now = state([*events, decided(5, (1, 9), missed=2)]).snapshot()
    assert now.runs == (
        Run("rain", TIME, TIME + 1, 2),
        Run("dog", TIME + 2, TIME + 2, 1),
        # It may have been something else in between.
        Run("dog", TIME + 5, TIME + 5, 1),
    )
    assert now.missed == 2 and now.losses == (Loss("decisions missed", TIME + 5, TIME + 5, 2),)
    assert now.decided is not None and now.decided.result.window == 5
    assert now.number == 5


def test_a_line_goes_and_comes_back() -> None:
    events = [connected(), decided(0, (9, 1)), lost("pulled")]
    now = state(events).snapshot()
    assert now.lost == "pulled" and now.decided is not None
    assert [each.what for each in now.losses] == ["line lost"]
    now = state([*events, connected()]).snapshot()
    assert now.lost is None and now.decided is not None and now.restarts == 0
    now = state([*events, connected(("a", "b", "c"), restart=True)]).snapshot()
    # Scores of the labels before fit no longer.
    assert now.decided is None and now.restarts == 1
    assert [each.what for each in now.losses] == ["line lost", "restart"]


def test_counters_tell_what_got_lost_since() -> None:
    events = [connected(), counted(overruns=5), counted(TIME + 1, overruns=7)]
    events += [counted(TIME + 2, overruns=8, damaged=1), counted(TIME + 60, overruns=9, damaged=1)]
    watched = state(events)
    expected = [
        Loss("audio blocks lost", TIME + 1, TIME + 2, 3),
        Loss("damaged requests", TIME + 2, TIME + 2, 1),
        Loss("audio blocks lost", TIME + 60, TIME + 60, 1),
    ]
    assert list(watched.snapshot().losses) == expected
    watched.take(connected(restart=True))
    assert watched.snapshot().status is None
    watched.take(counted(TIME + 61, overruns=2))
    # It counts from 0 again.
    assert watched.snapshot().losses[-1].count == 2


def test_another_model_is_told() -> None:
    other = Wanted("m.tflite", "ef" * 32, FRONTEND)
    watched = state([connected(), heard(0, 0)], wanted=other)
    now = watched.snapshot()
    assert now.warning == "the device runs another model: abababababab, the file is efefefefefef"
    assert now.scale is not None and now.scale.unit == "int8 code"
    assert watched.title() == "what the board on COM3 computes, model abababababab"
    watched = state([connected(), heard(0, 0)], wanted=Wanted("m.tflite", SHA256, FRONTEND))
    now = watched.snapshot()
    assert now.warning is None
    assert now.scale is not None and now.scale.unit == "dB re full scale"
    assert watched.title() == "what the board on COM3 computes, model m.tflite"


def test_whoever_looks_gets_the_columns_that_came_since() -> None:
    watched = state([connected(), heard(0, 0), heard(0, 2)])
    columns = watched.columns(-1, 0)
    assert [each is None for each in columns.shades] == [False, True, False]
    shades = columns.shades[0]
    assert shades is not None and (shades[0], shades[-1], len(shades)) == (0, 255, BANDS)
    assert watched.columns(columns.begun, columns.end).shades == ()
    watched.take(heard(0, 3))
    later = watched.columns(columns.begun, columns.end)
    assert (later.first, len(later.shades)) == (3, 1)
    assert watched.snapshot().columns_missed == 1
    # Other firmware: all anew, for those who had much, too.
    watched.take(connected(restart=True, columns=COLUMNS + 1))
    watched.take(heard(0, 0, bands=8))
    anew = watched.columns(later.begun, later.end)
    assert anew.begun > later.begun and (anew.first, len(anew.shades)) == (0, 1)


def test_the_picture_has_its_units() -> None:
    codes, scale = state([connected(LABELS)]).picture()
    assert codes.size == 0 and scale.unit == "int8 code"
    codes, scale = state([connected(), heard(0, 0), heard(0, 2)]).picture()
    assert codes.shape == (BANDS, 3) and len(scale.levels) == BANDS
