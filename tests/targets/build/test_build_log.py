"""What ``build`` tells of a failure: the tools' own lines, and where the rest is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from asc_tiny.cli import endings
from asc_tiny.cli.main import main
from asc_tiny.targets.build import project as projects
from asc_tiny.targets.build.build_log import MOST_LINES, error_lines
from support.paths import MODEL


def build(folder: Path, *options: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(["build", str(folder), *options])
    assert isinstance(stop.value.code, int)
    return stop.value.code


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project for this computer that is built."""
    folder = tmp_path_factory.mktemp("project") / "host"
    with pytest.raises(SystemExit) as stop:
        main(["generate", str(MODEL), "--out", str(folder), "--board", "host"])
    assert stop.value.code == 0
    assert build(folder) == 0
    return folder


def test_errors_of_the_compiler_stand_on_their_own_lines(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = project / "src" / "main.c"
    good, log = source.read_text(), project / "build" / "build.log"
    source.write_text('#error "first \x1b[31m"\nint main(void) { return missing; }\n')
    capsys.readouterr()
    assert build(project) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert "main.c:1:2: error: " in lines[0] and "first" in lines[0]
    assert "\x1b" not in lines[0]
    assert "main.c:2:" in lines[1] and "missing" in lines[1]
    assert lines[2] == f"asc-tiny: {project}: the build failed; the whole log is {log}"
    assert "FAILED: " in log.read_text()
    source.write_text(good)
    assert build(project) == 0
    assert not log.exists()


def test_errors_of_the_linker(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = project / "src" / "main.c"
    good = source.read_text()
    source.write_text("extern int nowhere(void);\nint main(void) { return nowhere(); }\n")
    capsys.readouterr()
    assert build(project) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert "undefined reference to `nowhere'" in lines[0]
    source.write_text(good)


def test_errors_of_cmake_come_with_their_text(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = project / "CMakeLists.txt"
    good = script.read_text()
    script.write_text(good + 'message(FATAL_ERROR "no such board")\n')
    capsys.readouterr()
    assert build(project) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("CMake Error at CMakeLists.txt:")
    assert lines[1].strip() == "no such board"
    assert "the whole log is" in lines[-1]
    script.write_text(good)


def test_what_a_failed_image_printed_stands_on_its_own_lines(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = projects.stopped(projects.load(project), 7, "first\nsecond\nlast\n")
    reason = f"{project}/build/firmware: stopped with code 7 on host: last"
    ending = endings.of(error)
    assert ending == endings.Ending(2, reason, ("first", "second"))
    endings.report(ending, ["run", "--json"])
    captured = capsys.readouterr()
    assert captured.err.splitlines() == ["first", "second", f"asc-tiny: {reason}"]
    details = ["first", "second"]
    assert json.loads(captured.out) == {"schema": 1, "error": reason, "details": details}
    assert str(projects.stopped(projects.load(project), 1, " \n")).endswith("host: no output")


def test_many_errors_are_counted_and_unknown_ones_shown_from_the_end() -> None:
    log = "".join(f"a.c:{n}:1: error: e{n}\n  {n} | code\n" for n in range(30))
    found = error_lines(log)
    assert found[:2] == ["a.c:0:1: error: e0", "a.c:1:1: error: e1"]
    assert len(found) == MOST_LINES + 1
    assert found[-1] == "and 20 lines more"
    flags = "cc -Werror -pedantic-errors -c a.c\nKilled\n"
    assert error_lines(flags) == flags.splitlines()
    assert error_lines("") == []


def test_the_memory_of_a_chip_that_is_too_small() -> None:
    log = (
        "/usr/bin/ld: firmware.elf section `.bss' will not fit in region `RAM'\n"
        "/usr/bin/ld: region `RAM' overflowed by 91236 bytes\n"
        "collect2: error: ld returned 1 exit status\n"
        "ninja: build stopped: subcommand failed.\n"
    )
    assert error_lines(log) == log.splitlines()[:2]


def test_measuring_over_a_port_says_that_there_is_no_image(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["generate", str(MODEL), "--out", str(tmp_path / "firmware")])
    for port in ([], ["--port", "socket://127.0.0.1:1"]):
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main(["bench", str(tmp_path / "firmware"), *port, "--json"])
        assert stop.value.code == 2
        captured = capsys.readouterr()
        assert "not built; run asc-tiny build" in captured.err
        assert "not built" in json.loads(captured.out)["error"]


def test_errors_of_a_command_that_prints_events_are_a_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for arguments in (["--port", "socket://127.0.0.1:1"], ["--port", "/dev/null"], []):
        with pytest.raises(SystemExit) as stop:
            main(["monitor", *arguments, "--json"])
        assert stop.value.code == 2
        captured = capsys.readouterr()
        (line,) = captured.out.splitlines()
        event = json.loads(line)
        assert list(event) == ["schema", "event", "error"]
        assert event["event"] == "error"
        assert len(captured.err.splitlines()) == 1
