"""Signals that end a command: all that it has started ends, and nothing is left behind."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import termios
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.audio.clips import write_wav16
from asc_tiny.targets.build import project
from asc_tiny.targets.device.emulator import free_port, switched_on
from asc_tiny.util import interrupts
from support.device_lines import make, small_model
from support.paths import MODEL
from support.patience import PATIENCE_S

pytestmark = [
    pytest.mark.qemu,
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for children there"),
]
MAIN = "from asc_tiny.cli.main import main; main()"
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
MARK = "ASC_TINY_TEST"


@pytest.fixture(scope="module")
def firmware(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that is built for an emulated board."""
    pytest.importorskip("keras")
    folder = tmp_path_factory.mktemp("firmware")
    return make(small_model(folder / "small.tflite"), folder / "m4", "mps2-an386").folder


@pytest.fixture(scope="module")
def hour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording that takes long."""
    path = tmp_path_factory.mktemp("hour") / "hour.wav"
    write_wav16(path, np.zeros(3600 * 8000, np.int16), 8000)
    return path


@dataclass
class Started:
    """The program, and the mark by which its children are known."""

    process: subprocess.Popen[str]
    mark: str

    def others(self) -> dict[int, str]:
        """Return the names of all processes it has started, and those that these have."""
        found = {}
        for path in Path("/proc").glob("[0-9]*"):
            if int(path.name) == self.process.pid:
                continue
            try:
                if f"{MARK}={self.mark}".encode() in (path / "environ").read_bytes().split(b"\0"):
                    found[int(path.name)] = (path / "comm").read_text().strip()
            except OSError:
                continue
        return found

    def wait_for(self, program: str) -> None:
        """Wait until a program runs whose name begins so."""
        deadline = time.monotonic() + PATIENCE_S
        while not any(name.startswith(program) for name in self.others().values()):
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def end(self, number: signal.Signals) -> str:
        """Send a signal to the program alone; return what it printed on standard error."""
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=PATIENCE_S)
        assert self.process.returncode == CODES[number], errors
        deadline = time.monotonic() + PATIENCE_S
        # The kernel ends processes soon, which is not at once.
        while self.others():
            assert time.monotonic() < deadline, self.others()
            time.sleep(0.005)
        return errors


@contextmanager
def started(
    arguments: Sequence[object], temporary: Path, *, program: str = MAIN, **options: object
) -> Iterator[Started]:
    temporary.mkdir(exist_ok=True)
    mark = uuid.uuid4().hex
    cache = temporary.with_name("cache")
    environment = {MARK: mark, "TMPDIR": str(temporary), "XDG_CACHE_HOME": str(cache)}
    process = subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        env={**os.environ, **environment},
        text=True,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
    )
    try:
        yield Started(process, mark)
    finally:
        process.kill()
        process.wait()


def left(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("number", CODES)
def test_a_stream_ends_with_its_emulator(
    number: signal.Signals, firmware: Path, hour: Path, tmp_path: Path
) -> None:
    arguments = ["simulate", firmware, hour, "--out", tmp_path / "out", "--real-time"]
    with started(arguments, tmp_path / "temporary") as run:
        run.wait_for("qemu")
        errors = run.end(number)
    name = "interrupted" if number == signal.SIGINT else f"ended by {number.name}"
    assert errors.splitlines()[-1] == f"asc-tiny: {name}"
    assert "Traceback" not in errors
    assert left(tmp_path) == ["temporary"]


@pytest.mark.parametrize("command", ["run", "flash", "flash --wav"])
def test_boards_that_run_are_switched_off(
    command: str, firmware: Path, hour: Path, tmp_path: Path
) -> None:
    options = {
        "run": ["--wav", hour],
        "flash": ["--tcp", free_port()],
        "flash --wav": ["--wav", hour],
    }
    with started([command.split()[0], firmware, *options[command]], tmp_path / "temporary") as run:
        run.wait_for("qemu")
        run.end(signal.SIGTERM)
    assert left(tmp_path) == ["temporary"]


def test_a_build_ends_with_its_compilers(tmp_path: Path) -> None:
    from support.commands import asc_tiny

    assert asc_tiny("generate", MODEL, "--out", tmp_path / "firmware") == 0
    before = left(tmp_path / "firmware")
    with started(["build", tmp_path / "firmware"], tmp_path / "temporary") as run:
        run.wait_for("cc1")
        run.end(signal.SIGTERM)
    assert left(tmp_path / "temporary") == []
    shutil.rmtree(tmp_path / "firmware" / "build")
    assert left(tmp_path / "firmware") == before


def test_a_front_end_that_is_compiled_leaves_nothing(tmp_path: Path) -> None:
    clip = sorted((MODEL.parent / "clips").glob("*.flac"))[0]
    arguments = ["features", clip, "--model", MODEL, "--out", tmp_path / "x.npy"]
    with started(arguments, tmp_path / "temporary") as run:
        run.wait_for("cc1")
        run.end(signal.SIGTERM)
    assert not [name for name in left(tmp_path) if name.startswith(("temporary/", "x"))]
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_hangup_that_is_ignored_stays_so(firmware: Path, tmp_path: Path) -> None:
    def ignore() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    arguments = ["flash", firmware]
    with started(arguments, tmp_path / "temporary", preexec_fn=ignore) as run:
        assert run.process.stdout is not None
        assert "is on" in run.process.stdout.readline()
        run.process.send_signal(signal.SIGHUP)
        with pytest.raises(subprocess.TimeoutExpired):
            run.process.wait(0.5)
        run.end(signal.SIGTERM)


class Terminal:
    """A terminal with a program in it, which shows what that writes."""

    def __init__(self) -> None:
        self.ours, self.its = pty.openpty()
        self.before = termios.tcgetattr(self.its)
        self.text = b""
        # A program that draws must not wait for who looks.
        self._closed = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with suppress(OSError):
            while not self._closed.is_set():
                if select.select([self.ours], [], [], 0.05)[0]:
                    self.text += os.read(self.ours, 4096)

    def take(self) -> None:
        """Make it the terminal of the session, as that of a shell is."""
        os.setsid()
        fcntl.ioctl(1, termios.TIOCSCTTY, 0)

    @property
    def options(self) -> dict[str, object]:
        """How a program is started in it."""
        streams = dict.fromkeys(("stdin", "stdout", "stderr"), self.its)
        return {**streams, "preexec_fn": self.take}

    def read_until(self, text: bytes) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while text not in self.text:
            assert time.monotonic() < deadline, self.text
            time.sleep(0.005)

    def rest(self) -> bytes:
        os.close(self.its)
        # The other end says that it is gone once all is read.
        self._reader.join(PATIENCE_S)
        return self.text

    def close(self) -> None:
        self._closed.set()
        self._reader.join(PATIENCE_S)
        os.close(self.its)
        os.close(self.ours)


@pytest.mark.parametrize("number", CODES)
def test_a_terminal_is_given_back(
    number: signal.Signals, firmware: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("textual")
    monkeypatch.setenv("TERM", "xterm-256color")
    terminal = Terminal()
    with (
        switched_on(project.load(firmware)) as line,
        started(["monitor", "--port", line], tmp_path / "temporary", **terminal.options) as run,
    ):
        terminal.read_until(b"Spectrogram")
        run.end(number)
    assert termios.tcgetattr(terminal.its) == terminal.before
    # The cursor, the other screen, and the pointer.
    _, end = terminal.rest().rsplit(b"Spectrogram", 1)
    assert all(end.rindex(code) for code in (b"\x1b[?25h", b"\x1b[?1049l", b"\x1b[?1000l"))
    name = "interrupted" if number == signal.SIGINT else f"ended by {number.name}"
    assert end.endswith(f"asc-tiny: {name}\r\n".encode())


def test_a_terminal_that_is_closed_ends_the_command(
    firmware: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("textual")
    monkeypatch.setenv("TERM", "xterm-256color")
    terminal = Terminal()
    with (
        switched_on(project.load(firmware)) as line,
        started(["monitor", "--port", line], tmp_path / "temporary", **terminal.options) as run,
    ):
        terminal.read_until(b"Spectrogram")
        terminal.close()
        assert run.process.wait(PATIENCE_S) == 129


FLASHES = """
import pathlib, sys
from asc_tiny.util import child_processes, interrupts
interrupts.install()
script = 'trap "echo in order; exit" TERM; sleep 1000 & echo flashes; wait'
try:
    child_processes.call(["sh", "-c", script], folder=pathlib.Path.cwd())
except interrupts.Interrupt as error:
    sys.exit(128 + error.number)
"""


def test_a_program_that_flashes_may_leave_the_board_in_order(tmp_path: Path) -> None:
    with started([], tmp_path / "temporary", program=FLASHES) as run:
        assert run.process.stdout is not None
        assert run.process.stdout.readline() == "flashes\n"
        run.process.send_signal(signal.SIGTERM)
        assert run.process.stdout.readline() == "in order\n"
        assert run.process.wait(PATIENCE_S) == 143
        deadline = time.monotonic() + PATIENCE_S
        while run.others():
            assert time.monotonic() < deadline, run.others()
            time.sleep(0.005)


AT_ITS_START = """
import os, pathlib, signal, subprocess, sys, time
from asc_tiny.util import child_processes, interrupts
interrupts.install()
ready = pathlib.Path(sys.argv[1])

class Popen(subprocess.Popen):
    def __init__(self, arguments, **options):
        super().__init__(arguments, **options)
        while arguments[0] == "sh" and not ready.exists():
            time.sleep(0.01)
        if ready.exists():
            os.kill(os.getpid(), signal.SIGTERM)

subprocess.Popen = Popen
script = 'trap "echo in order; exit" TERM; sleep 1000 & touch "$0"; wait'
try:
    child_processes.call(["sh", "-c", script, str(ready)], folder=pathlib.Path.cwd())
except interrupts.Interrupt as error:
    sys.exit(128 + error.number)
"""


def test_a_program_that_has_just_started_may_end_in_order_too(tmp_path: Path) -> None:
    with started([tmp_path / "ready"], tmp_path / "temporary", program=AT_ITS_START) as run:
        out, _ = run.process.communicate(timeout=PATIENCE_S)
        assert (out, run.process.returncode) == ("in order\n", 143)


def test_signals_wait_while_they_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    handlers = {number: signal.getsignal(number) for number in CODES}
    monkeypatch.setattr(interrupts._State, "raised_s", -10.0)
    done = []
    try:
        interrupts.install()
        with pytest.raises(interrupts.Interrupt, match="SIGTERM"), interrupts.held():
            with interrupts.held():
                os.kill(os.getpid(), signal.SIGTERM)
                done.append("inner")
            done.append("outer")
        assert done == ["inner", "outer"]
        # The second of two that come together does not disturb the cleaning up.
        os.kill(os.getpid(), signal.SIGHUP)
        monkeypatch.setattr(interrupts._State, "raised_s", -10.0)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
            signal.pause()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def test_cleaning_up_that_fails_does_not_hide_the_signal() -> None:
    from asc_tiny.cli import endings

    try:
        try:
            raise interrupts.Interrupt(signal.SIGHUP)
        finally:
            raise OSError("the terminal has gone")
    except OSError as error:
        assert endings.of(error) == endings.Ending(129, "ended by SIGHUP")
