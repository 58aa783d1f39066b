"""Serial ports, by pseudo terminals of this computer."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator

import pytest

from asc_tiny.targets.device import line
from asc_tiny.targets.device.line import SerialLine, Settings, open_line
from asc_tiny.util.errors import AscError

serial = pytest.importorskip("serial")
if os.name != "posix":
    pytest.skip("no pseudo terminals here", allow_module_level=True)


@pytest.fixture
def terminal() -> Iterator[tuple[int, str]]:
    """Return a number to read from and write to, and the name of the port at the other end."""
    ours, theirs = os.openpty()
    yield ours, os.ttyname(theirs)
    os.close(ours)
    os.close(theirs)


def test_bytes_go_both_ways(terminal: tuple[int, str]) -> None:
    ours, port = terminal
    opened = open_line(port)
    opened.write(b"asked")
    assert os.read(ours, 16) == b"asked"
    os.write(ours, b"told\n")
    assert opened.read(5.0).startswith(b"t")
    opened.close()


def test_a_port_is_open_once(terminal: tuple[int, str]) -> None:
    _, port = terminal
    first = open_line(port)
    with pytest.raises(AscError, match=r"cannot be opened .*; another program has it open"):
        open_line(port)
    first.close()
    open_line(port).close()


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.EACCES, "; sudo usermod -aG"),
        (errno.EBUSY, "; another program has it open"),
        (errno.ENOENT, "; is the board connected"),
        (errno.EIO, ""),
        (errno.EPROTO, ""),
    ],
)
def test_errors_of_the_system_are_one_line(
    number: int, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(serial.Serial, "open", fails)
    with pytest.raises(AscError, match=r"^/dev/ttyACM0: cannot be opened \(") as error:
        open_line("/dev/ttyACM0")
    assert advice in str(error.value)


def test_errors_of_terminal_settings_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are no OSError."""
    import termios

    def fails(self: object) -> None:
        raise termios.error(errno.EIO, "Input/output error")

    monkeypatch.setattr(serial.Serial, "open", fails)
    with pytest.raises(AscError, match=r"/dev/ttyACM0: cannot be opened"):
        open_line("/dev/ttyACM0")


@pytest.mark.parametrize(
    ("signals", "dtr", "rts"),
    [("both", 1, 1), ("dtr", 1, 0), ("rts", 0, 1), ("none", 0, 0)],
)
def test_modem_signals_are_set_before_the_port_opens(
    signals: str, dtr: bool, rts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    monkeypatch.setattr(serial.Serial, "open", lambda self: seen.append((self.dtr, self.rts)))
    SerialLine("/dev/ttyACM0", Settings(signals=signals))
    assert seen == [(bool(dtr), bool(rts))]


def test_settings_of_the_command_are_these() -> None:
    from asc_tiny.cli.options import signals_option

    @signals_option
    def command(signals: str) -> None:
        pass

    (option,) = command.__click_params__  # type: ignore[attr-defined]
    assert tuple(option.type.choices) == line.SIGNALS
