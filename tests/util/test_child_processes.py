"""Programs that end with the process that started them, and temporary folders that go with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from asc_tiny.util import child_processes, scratch_folders

pytestmark = pytest.mark.skipif(os.name != "posix", reason="process groups are of POSIX")

TREE = "sleep 1000 & echo $!; sleep 1001 & echo $!; echo $$; exec sleep 1002"


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended may wait for its new parent to notice."""
    if Path("/proc").is_dir():
        try:
            return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
        except OSError:
            return False
    return subprocess.run(["ps", "-p", str(pid)], capture_output=True).returncode == 0


def assert_ended(pids: list[int]) -> None:
    """The kernel ends processes soon, which is not at once."""
    deadline = time.monotonic() + 60.0
    while any(map(alive, pids)):
        assert time.monotonic() < deadline, "processes have been left behind"
        time.sleep(0.01)


def run_script(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


KILLED = """
import os, signal, sys
from asc_tiny.util import child_processes
with child_processes.running(["sh", "-c", sys.argv[1]]) as process:
    for _ in range(3):
        print(process.stdout.readline().decode().strip(), flush=True)
    os.kill(os.getpid(), int(sys.argv[2]))
    signal.pause()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_a_whole_tree_of_processes_ends_with_this_one(number: signal.Signals) -> None:
    ended = run_script(KILLED, TREE, int(number))
    pids = [int(line) for line in ended.stdout.split()]
    assert ended.returncode != 0 and len(pids) == 3
    assert_ended(pids)


def test_the_tree_ends_with_the_block() -> None:
    with child_processes.running(["sh", "-c", TREE]) as process:
        assert process.stdout is not None
        pids = [int(process.stdout.readline()) for _ in range(3)]
        assert all(map(alive, pids))
    assert process.returncode == -signal.SIGKILL
    assert_ended(pids)


def test_the_tree_ends_when_time_is_up() -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        child_processes.run(["sh", "-c", "sleep 1000 & sleep 1001"], timeout_s=0.1)


def test_output_and_code_are_the_programs(tmp_path: Path) -> None:
    script = 'read line || pwd; echo "$X" >&2; printf "\\377"; exit 200'
    done = child_processes.run(["sh", "-c", script], folder=tmp_path, environment={"X": "set"})
    assert (done.returncode, done.stderr) == (200, "set\n")
    assert done.stdout == f"{tmp_path.resolve()}\n\N{REPLACEMENT CHARACTER}"


def test_a_program_that_is_missing_is_an_error_of_the_system() -> None:
    with pytest.raises(FileNotFoundError):
        child_processes.run(["/nowhere/program"])


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


HELD = """
import os, pathlib, sys
from asc_tiny.util import scratch_folders
with scratch_folders.folder() as folder:
    (folder / "rubbish").write_text("x")
    print(folder, flush=True)
    {end}
"""


def test_the_next_run_removes_what_a_killed_one_has_left(place: Path) -> None:
    run_script(HELD.format(end="os.kill(os.getpid(), 9)"))
    (left,) = place.iterdir()
    (place / "asc-tiny-run-of-mine").mkdir()
    (place / "other").mkdir()
    with scratch_folders.folder() as folder:
        assert not left.exists() and list(folder.iterdir()) == []
        with scratch_folders.folder() as second:
            assert folder.exists() and second != folder, "of a living run"
    assert {path.name for path in place.iterdir()} == {"asc-tiny-run-of-mine", "other"}


def test_a_link_is_not_followed(place: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    valuable = tmp_path_factory.mktemp("valuable")
    (valuable / "work").write_text("mine")
    (place / "asc-tiny-run-abcdefgh").symlink_to(valuable)
    with scratch_folders.folder():
        pass
    assert (valuable / "work").read_text() == "mine"


def test_what_another_run_uses_is_left(place: Path) -> None:
    command = [sys.executable, "-c", HELD.format(end="sys.stdin.read()")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        used = Path(other.stdout.readline().strip())
        with scratch_folders.folder():
            assert (used / "rubbish").exists()
        other.communicate("")
    assert list(place.iterdir()) == []


def test_temporary_files_of_libraries_go_with_the_block(place: Path) -> None:
    with scratch_folders.temporary_files():
        left = Path(tempfile.mkdtemp())
        inner = child_processes.run(["sh", "-c", 'echo "$TMPDIR"']).stdout.strip()
        assert left.parent == Path(inner) and left.parent.parent == place
    assert list(place.iterdir()) == []
    assert tempfile.gettempdir() == str(place) == os.environ["TMPDIR"]
