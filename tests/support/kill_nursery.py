"""Runs a command of asc-tiny again and again, killed at other moments each time.

This process has imported what the command needs and forks for every run. A moment is a step of the
command's progress, which does not depend on how busy the computer is: an event of the file system,
the start of a program, a call of a function that is named, a compiler that is started by a build;
or it is a share of the processor's time.

Reads a JSON document on standard input and prints one; see ``Plan`` and ``main``.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EVENTS = {
    *("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.truncate"),
    *("os.scandir", "os.listdir", "fcntl.flock", "subprocess.Popen", "shutil.rmtree"),
    *("tempfile.mkdtemp", "tempfile.mkstemp"),
}


@dataclass(frozen=True)
class Plan:
    """What to do.

    Attributes:
        argv: of the command.
        root: folder that the command writes to, its caches and temporary files included.
        start: folder whose copy ``root`` is before the first run, if there is one.
        modules: to import.
        functions: ``module:name`` whose calls are steps.
        ignored: endings of files whose bytes may differ, such as a build's logs.
        kills: of the command.
        together: kills one after the other, before the command runs undisturbed.
        by_time: of the kills, those at a share of the processor's time.
    """

    argv: list[str]
    root: Path
    start: Path | None
    modules: list[str]
    functions: list[str]
    ignored: tuple[str, ...]
    kills: int
    together: int
    by_time: int

    @property
    def counter(self) -> Path:
        """A byte for every compiler that a build has started."""
        return self.root.parent / "compilers"


def state(plan: Plan) -> dict[str, str]:
    """Return what lies below the root: hashes of files by their path."""
    found = {}
    for path in sorted(plan.root.rglob("*")):
        name = str(path.relative_to(plan.root))
        if path.is_file() and not name.endswith(plan.ignored):
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        else:
            found[name] = ""
    return found


def reset(plan: Plan) -> None:
    shutil.rmtree(plan.root, ignore_errors=True)
    if plan.start is not None:
        shutil.copytree(plan.start, plan.root, symlinks=True)
    (plan.root / "tmp").mkdir(parents=True)


def counting(function: Callable[..., Any], step: Callable[[], None]) -> Callable[..., Any]:
    def counted(*arguments: Any, **options: Any) -> Any:
        step()
        return function(*arguments, **options)

    return counted


def run_command(plan: Plan, kill_at: int, compilers: int, work_s: float, report: Path) -> None:
    """Run the command in this process, which has been forked for it, and end the process."""
    from asc_tiny.cli.main import main

    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1
        if steps == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    os.environ["KILL_AT"], os.environ["KILL_PID"] = str(compilers), str(os.getpid())
    output = os.open(plan.root / "printed", os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    for name in plan.functions:
        module, _, path = name.partition(":")
        holder: Any = importlib.import_module(module)
        *above, last = path.split(".")
        for each in above:
            holder = getattr(holder, each)
        setattr(holder, last, counting(getattr(holder, last), step))
    sys.addaudithook(lambda event, arguments: step() if event in EVENTS else None)
    if work_s:
        signal.setitimer(signal.ITIMER_PROF, work_s)
    code = 99
    try:
        main(plan.argv)
    except SystemExit as stop:
        code = int(stop.code or 0)
    finally:
        kill_at = 0
        report.write_text(json.dumps({"steps": steps, "code": code}))
        os._exit(code)


def run(plan: Plan, *, kill_at: int = 0, compilers: int = 0, work_s: float = 0.0) -> dict[str, Any]:
    """Run the command in a process of its own, which ends at a moment if one is given."""
    report = plan.root.parent / "report"
    report.unlink(missing_ok=True)
    plan.counter.unlink(missing_ok=True)
    process = os.fork()
    if not process:
        run_command(plan, kill_at, compilers, work_s, report)
    _, status, usage = os.wait4(process, 0)
    ended = {
        "steps": 0,
        "code": None,
        **(json.loads(report.read_text()) if report.exists() else {}),
    }
    killed = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    started = plan.counter.stat().st_size if plan.counter.exists() else 0
    work = usage.ru_utime + usage.ru_stime
    return {**ended, "killed": killed, "compilers": started, "work_s": work}


def processes() -> list[str]:
    """Return the command lines of other processes that have been started from here."""
    mark = f"KILL_NURSERY={os.getpid()}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (path / "environ").read_bytes().split(b"\0"):
                found.append((path / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


def remaining() -> list[str]:
    """Return ``processes`` once the kernel has had time to end them."""
    deadline = time.monotonic() + 60.0
    while processes() and time.monotonic() < deadline:
        time.sleep(0.01)
    return processes()


def moments(plan: Plan, whole: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the moments to kill at, spread over the progress of an undisturbed run."""
    chance = random.Random(20)
    found: list[dict[str, Any]] = []
    count = plan.kills - plan.by_time
    total = whole["steps"] + whole["compilers"]
    for part in range(count):
        at = 1 + int((part + chance.random()) / count * total)
        if at <= whole["steps"]:
            found.append({"kill_at": at})
        else:
            found.append({"compilers": at - whole["steps"]})
    for part in range(plan.by_time):
        share = 0.9 * (part + chance.random()) / plan.by_time
        found.append({"work_s": max(0.001, share * whole["work_s"])})
    chance.shuffle(found)
    return found


def main() -> None:
    document = json.load(sys.stdin)
    start = document.pop("start")
    plan = Plan(
        **{**document, "root": Path(document["root"]), "ignored": tuple(document["ignored"])},
        start=Path(start) if start else None,
    )
    os.environ.update(
        TMPDIR=str(plan.root / "tmp"),
        XDG_CACHE_HOME=str(plan.root / "cache"),
        KILL_NURSERY=str(os.getpid()),
        KILL_COUNTER=str(plan.counter),
    )
    # Python asks once by a file of its own whether it can write there, and a kill would leave that.
    tempfile.tempdir = os.environ["TMPDIR"]
    for name in plan.modules:
        importlib.import_module(name)
    reset(plan)
    whole = run(plan)
    expected = state(plan)
    kills, wrong = [], []
    for number, moment in enumerate(moments(plan, whole)):
        if number % plan.together == 0:
            reset(plan)
        ended = run(plan, **moment)
        if not ended["killed"]:
            # It found more done than the undisturbed run, and was through before its moment.
            reset(plan)
            ended = run(plan, **moment)
        kills.append({**moment, **ended})
        if (number + 1) % plan.together == 0 or number + 1 == plan.kills:
            again, found = run(plan), state(plan)
            if again["code"] != whole["code"] or found != expected:
                names = sorted(n for n in {*found, *expected} if found.get(n) != expected.get(n))
                printed = (plan.root / "printed").read_text(errors="replace")[-500:]
                wrong.append({"code": again["code"], "files": names, "printed": printed})
    left = remaining()
    print(json.dumps({"whole": whole, "kills": kills, "wrong": wrong, "processes": left}))


if __name__ == "__main__":
    main()
