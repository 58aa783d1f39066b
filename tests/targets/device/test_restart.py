"""A board that restarts while it is verified or measured: the board is named, not the clip."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from asc_tiny.api import running
from asc_tiny.frontend import golden
from asc_tiny.targets.build import project
from asc_tiny.targets.device.line import LineLostError
from asc_tiny.util.errors import AscError
from support.device_lines import PipeLine, make, serving, small_model


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> project.Project:
    model = small_model(tmp_path_factory.mktemp("model") / "small.tflite")
    return make(model, tmp_path_factory.mktemp("host") / "firmware", "host")


class RestartingLine:
    """A line whose board starts anew once, when it has been sent a number of bytes.

    Args:
        before, after: the board's two runs; without the second one the line gets lost.
        samples: bytes sent in requests as long as samples are, before it starts anew.
    """

    def __init__(self, before: PipeLine, after: PipeLine | None, samples: int) -> None:
        self.name = "the port"
        self._now: PipeLine | None = before
        self._after = after
        self._left = samples

    def _line(self) -> PipeLine:
        if self._now is None:
            raise LineLostError(f"{self.name}: the line is lost")
        return self._now

    def read(self, timeout_s: float) -> bytes:
        return self._line().read(timeout_s)

    def write(self, data: bytes) -> None:
        self._left -= len(data) if len(data) > 100 else 0
        if self._left < 0:
            # What is on its way then gets lost.
            self._now, self._left = self._after, 1 << 30
        else:
            self._line().write(data)

    def close(self) -> None:
        pass


@contextmanager
def restarting(
    host: project.Project, samples: int, patch: pytest.MonkeyPatch, *, comes_back: bool = True
) -> Iterator[None]:
    with serving(host) as before, serving(host) as after:
        line = RestartingLine(before, after if comes_back else None, samples)
        patch.setattr("asc_tiny.targets.device.client.open_line", lambda *_: line)
        patch.setattr("asc_tiny.targets.device.client.TIMEOUT_S", 0.2)
        yield


# The first column takes 512 bytes, a clip 8,000.
@pytest.mark.parametrize(("samples", "clip"), [(300, 1), (3_000, 1), (7_900, 1), (12_000, 2)])
def test_verify_names_the_board(
    host: project.Project, samples: int, clip: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = len(golden.clips(host.frontend))
    with restarting(host, samples, monkeypatch), pytest.raises(AscError) as error:
        running.verify(host, port="the port")
    expected = f"the port: the board restarted at clip {clip} of {count}: its counters began anew"
    assert str(error.value).startswith(expected)


def test_bench_names_the_board(host: project.Project, monkeypatch: pytest.MonkeyPatch) -> None:
    with restarting(host, 3_000, monkeypatch), pytest.raises(AscError) as error:
        running.bench(host, port="the port")
    assert str(error.value).startswith("the port: the board restarted at the clip of noise")


def test_a_line_that_gets_lost_says_at_which_clip(
    host: project.Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        restarting(host, 3_000, monkeypatch, comes_back=False),
        pytest.raises(LineLostError, match=r"the line is lost, at clip 1 of \d+: did the board"),
    ):
        running.verify(host, port="the port")


def test_a_board_that_runs_on_passes(
    host: project.Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    with restarting(host, 1 << 30, monkeypatch):
        assert running.verify(host, port="the port").passed
        assert running.bench(host, port="the port").costs.arena_bytes > 0
