"""Requests to an application with a microphone over its serial port, and what must come back."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from asc_tiny.audio.clips import read_pcm
from asc_tiny.firmware.classifier import classifier
from asc_tiny.firmware.provenance import pack, provenance
from asc_tiny.model.model_file import load
from asc_tiny.targets.device import frame, messages
from asc_tiny.targets.device.client import Device
from asc_tiny.targets.device.messages import Kind, Message, Pushed, Region, Result, Source
from support.device_lines import PipeLine
from support.microphones import BLOCK, scenes
from support.paths import CLIPS, MODEL
from support.patience import PATIENCE_S

MOST = 200
"""Bytes of a body."""


def record() -> bytes:
    """The released model's record of provenance."""
    model = classifier(load(MODEL), runtime="aot")
    return pack(provenance(model.fingerprints, model.labels, runtime="aot", prefix="asc"))


def reads(size: int) -> list[tuple[Kind, bytes]]:
    """Requests for a record of ``size`` bytes."""
    starts = range(0, size, MOST)
    return [
        (Kind.READ, messages.pack_read(Region.PROVENANCE, start, min(MOST, size - start)))
        for start in starts
    ]


def on_the_line(requests: Sequence[tuple[Kind, bytes]]) -> bytes:
    """What a host sends for requests, numbered from 1."""
    numbered = enumerate(requests, 1)
    return b"".join(
        frame.encode(Message(messages.VERSION, kind, i, body).pack())
        for i, (kind, body) in numbered
    )


def told_apart(received: bytes) -> tuple[list[str], list[Message]]:
    """Return the lines of text and the messages on a line that they share."""
    found = list(frame.FrameReader().take(received))
    parts = [part for part in received.split(b"\0") if frame.decode(part) is None]
    text = b"".join(parts).decode()
    unpacked = [message for message in map(messages.unpack, found) if message is not None]
    return text.replace("\r\n", "\n").splitlines(), unpacked


def results_of(events: Sequence[Message]) -> list[Result]:
    """Decisions that came unasked."""
    assert all(event.kind == Kind.RESULT | messages.REPLY for event in events)
    return [messages.unpack_result(event.body) for event in events]


def check_results(results: Sequence[Result], lines: Sequence[str]) -> None:
    """Assert that decisions are those that lines of text tell."""
    labels = classifier(load(MODEL), runtime="aot").labels
    found = [f"scene {labels[r.label]} {' '.join(map(str, r.smoothed))}" for r in results]
    assert found == list(lines)
    assert [r.window for r in results] == list(range(len(results)))


def check_a_port(
    talk: Callable[[np.ndarray, bytes], bytes],
    pcm: np.ndarray,
    rate: Fraction | None = None,
    *,
    selftest: bool = True,
) -> None:
    """Assert that an application answers, prints text beside, and tells each decision by both.

    Args:
        talk: plays samples, sends bytes to the port and returns those that come from it.
        pcm: int16 samples.
        rate: samples a second, the model's own without.
        selftest: whether to ask for the self-test, for which samples do not wait in real time.
    """
    known = record()
    tested = [(Kind.SELFTEST, b"")] if selftest else []
    requests = [(Kind.INFO, b""), *reads(len(known)), *tested, (Kind.STATUS, b"")]
    lines, found = told_apart(talk(pcm, on_the_line(requests)))
    replies, events = found[: len(requests)], found[len(requests) :]
    assert [m.sequence for m in replies] == list(range(1, len(requests) + 1))
    assert all(
        m.kind == kind | messages.REPLY for m, (kind, _) in zip(replies, requests, strict=True)
    )
    assert all(m.body[0] == 0 for m in replies)
    assert messages.unpack_info(replies[0].body[1:]).provenance_bytes == len(known)
    pieces = [m.body[1:] for m in replies if m.kind == Kind.READ | messages.REPLY]
    assert b"".join(pieces) == known
    if selftest:
        assert replies[-2].body[2:] == bytes(4)  # it has passed
    assert messages.unpack_status(replies[-1].body[1:]).damaged == 0
    expected = scenes(pcm, rate)
    assert lines == ["selftest 0", *expected]
    check_results(results_of(events), expected)


def check_the_host_as_source(
    talk: Callable[[np.ndarray, bytes], bytes], pcm: np.ndarray, rate: Fraction | None = None
) -> None:
    """Assert that samples of the host come instead of the microphone's, until it gives back."""
    silence = np.zeros(MOST // 2, "<i2").tobytes()
    fed = 40
    requests = [(Kind.RESET, bytes([Source.HOST])), *[(Kind.PCM, silence)] * fed]
    requests += [(Kind.RESET, bytes([Source.MICROPHONE]))]
    lines, found = told_apart(talk(pcm, on_the_line(requests)))
    for reply in found[1 : fed + 1]:
        assert messages.unpack_pushed(reply.body[1:]) == Pushed(MOST // 2, False, None)
    check_results(results_of(found[len(requests) :]), lines[1:])
    # Whole blocks of the microphone's were left out.
    assert lines[1:] in [scenes(pcm[lost * BLOCK :], rate) for lost in range(5, 40)]


def check_a_conversation(app: Path) -> None:
    """Assert that a program with an endless microphone serves a host, on a line it shares."""
    clip = read_pcm(CLIPS[0], 44100)
    with subprocess.Popen(
        [app], cwd=app.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        device = Device(PipeLine(process))
        try:
            assert pack(device.provenance()) == record()
            assert device.selftest() == "passed"
            device.reset(Source.HOST)
            check_results(list(device.push(clip)), scenes(clip))
            status = device.status()
            assert (status.windows, status.damaged) == (len(scenes(clip)), 0)
            device.reset(Source.MICROPHONE)
            device.wait(PATIENCE_S)
            assert device.results
            device.wait(0)
            assert device.damaged > 0  # lines of text
        finally:
            process.kill()
