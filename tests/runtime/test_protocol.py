"""The serial protocol: requests to sanitised firmware here, over clean and bad lines."""

from __future__ import annotations

import os
import random
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.firmware.golden import read_golden
from asc_tiny.targets.build import project
from asc_tiny.targets.device import frame, messages, monitor
from asc_tiny.targets.device.client import Device
from asc_tiny.targets.device.line import LineLostError
from asc_tiny.targets.device.messages import Kind, Message, Region, Source
from asc_tiny.targets.image import image
from asc_tiny.targets.image.bench import memory
from asc_tiny.util.errors import AscError
from support.device_lines import FRONTEND, LABELS, PipeLine, make, serving, small_model
from support.patience import PATIENCE_S

SANITISERS = "-fsanitize=address,undefined -fno-sanitize-recover=all -O1"
SCHEDULES = {"whole": (), "time": ("--schedule", "time")}
FUZZED_BYTES = 10_000_000


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("keras")
    return small_model(tmp_path_factory.mktemp("model") / "small.tflite")


@pytest.fixture(scope="module", params=SCHEDULES)
def host(
    request: pytest.FixtureRequest, model: Path, tmp_path_factory: pytest.TempPathFactory
) -> project.Project:
    """Firmware that any wrong step of its memory or arithmetic ends."""
    options = SCHEDULES[request.param]
    before = os.environ.get("CFLAGS")
    os.environ["CFLAGS"] = SANITISERS
    try:
        return make(model, tmp_path_factory.mktemp("host") / "firmware", "host", *options)
    finally:
        os.environ.pop("CFLAGS")
        if before is not None:
            os.environ["CFLAGS"] = before


def golden(target: project.Project) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    return read_golden(target.folder, target.frontend, target.feature_shape)


def test_what_the_firmware_is(host: project.Project) -> None:
    with serving(host) as line:
        device = Device(line)
        info, found = device.info(), device.provenance()
    assert (info.bands, info.columns, info.channels) == host.feature_shape
    assert info.streams == (host.options.schedule == "streaming")
    assert (info.labels, info.sample_bytes, info.sample_rate) == (len(LABELS), 2, 8000)
    assert (info.output_scale, info.output_zero_point) == (1 / 256, -128)
    assert found.model_sha256 == host.model_file.sha256
    assert found.labels == LABELS


def test_decisions_are_those_of_run(host: project.Project) -> None:
    pcm = np.concatenate(list(golden(host)[0].values()))
    expected = image.classify(host, pcm)
    with serving(host) as line:
        device = Device(line)
        device.reset(Source.HOST)
        results = list(device.push(pcm))
        assert device.status().windows == len(expected)
    assert [r.window for r in results] == list(range(len(expected)))
    for result, decision in zip(results, expected, strict=True):
        assert LABELS[result.label] == decision.label
        assert np.array_equal(result.scores, decision.codes)
        assert np.array_equal(result.smoothed, decision.smoothed_codes)


def test_features_are_the_golden_ones_on_a_bad_line(host: project.Project) -> None:
    """One byte in a hundred is changed: frames get lost, none is accepted wrong."""
    clips, features = golden(host)
    expected = image.features_and_codes(host, [clips["noise"]])[1][0]
    with serving(host, error_rate=0.01) as line:
        device = Device(line, timeout_s=0.02, attempts=int(PATIENCE_S / 0.02), body_bytes=48)
        codes, scores = device.features_and_codes(clips["noise"])
        assert line.changed > 100
        assert device.damaged > 10
        assert device.status().damaged > 10
    assert np.array_equal(codes.reshape(host.feature_shape), features["noise"])
    assert np.array_equal(scores, expected)


def exchange(line: PipeLine, *requests: Message) -> list[Message]:
    """Send requests and return what comes back in the time that replies take."""
    line.write(b"".join(frame.encode(request.pack()) for request in requests))
    reader, replies = frame.FrameReader(), []
    while len(replies) < len(requests):
        data = line.read(PATIENCE_S)
        assert data, "no reply"
        replies += [messages.unpack(payload) for payload in reader.take(data)]
    return [reply for reply in replies if reply is not None]


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        (99, b"", 2),
        (99, b"of another version", 2),
        (Kind.RESULT, b"", 2),
        (Kind.INFO, b"x", 3),
        (Kind.RESET, b"", 3),
        (Kind.READ, bytes(11), 3),
        (Kind.PCM, b"", 0),
        (Kind.PCM, b"abc", 3),
        (Kind.FEED, b"", 0),
        (Kind.READ, struct.pack("<3I", Region.PROVENANCE, 0xFFFFFFFF, 1), 4),
        (Kind.READ, struct.pack("<3I", Region.PROVENANCE, 1, 0xFFFFFFFF), 4),
        (Kind.READ, struct.pack("<3I", Region.PROVENANCE, 0, 252), 4),
        (Kind.READ, struct.pack("<3I", Region.COLUMN, 0, 1), 4),
        (Kind.READ, struct.pack("<3I", 2, 0, 0), 4),
        (Kind.READ, struct.pack("<3I", Region.PROVENANCE, 100, 0), 0),
    ],
)
def test_a_bad_request_is_refused_by_a_code(
    host: project.Project, kind: int, body: bytes, status: int
) -> None:
    with serving(host) as line:
        (reply,) = exchange(line, Message(messages.VERSION, kind, 77, body))
    assert (reply.kind, reply.sequence, reply.body[0]) == (kind | 0x80, 77, status)


def test_another_version_is_told(host: project.Project) -> None:
    with serving(host) as line:
        (reply,) = exchange(line, Message(9, Kind.INFO, 1, b""))
        assert (reply.version, reply.body) == (messages.VERSION, b"\x01")


def test_a_repeated_request_is_done_once(host: project.Project) -> None:
    clips, features = golden(host)
    again = Message(messages.VERSION, Kind.FEED, 5, clips["noise"][:100].tobytes())
    with serving(host) as line:
        first, second = exchange(line, again, again)
        assert first == second
        device = Device(line)
        # Samples taken twice would shift the rest of the clip.
        *columns, result = device.feed(clips["noise"][100:])
    assert np.array_equal(np.stack(columns, axis=1), features["noise"])
    assert np.array_equal(result.scores, image.classify(host, clips["noise"])[0].codes)


def test_a_column_can_be_read_until_it_is_added(host: project.Project) -> None:
    clips, features = golden(host)
    size = FRONTEND.n_mels * FRONTEND.channels
    with serving(host) as line:
        device = Device(line)
        column = next(device.feed(clips["noise"]))
        assert isinstance(column, np.ndarray)
        assert np.array_equal(column, features["noise"][:, 0])
        assert device.read(Region.COLUMN, size)[-2:] == column.tobytes()[-2:]
        wrong = [(0, size + 1), (size + 1, 0), (size, 1), (0xFFFFFFFF, 1), (1, 0xFFFFFFFF)]
        for offset, count in [*wrong, (size, 0), (size - 1, 1)]:
            body = messages.pack_read(Region.COLUMN, offset, count)
            (reply,) = exchange(line, Message(messages.VERSION, Kind.READ, 1 + count % 99, body))
            assert reply.body[0] == (4 if (offset, count) in wrong else 0)
        device.request(Kind.FEED)
        with pytest.raises(AscError, match="finds a read out of range"):
            device.read(Region.COLUMN, size)


def test_no_reply_is_one_clear_line(host: project.Project) -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as echo:
        device = Device(PipeLine(echo), timeout_s=0.01, attempts=3)
        with pytest.raises(AscError, match="no reply to info after 3 attempts; is this the board"):
            device.info()


class _Asked(PipeLine):
    """A line that is lost when the device is asked for its status."""

    def write(self, data: bytes) -> None:
        if frame.decode(data.strip(b"\0"))[1] == Kind.STATUS:
            raise LineLostError("asked")
        super().write(data)


def test_a_silent_board_is_asked(host: project.Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have started anew behind a line that stayed, and wait for a request."""
    monkeypatch.setattr(monitor, "_SILENCE_S", 0.1)
    with subprocess.Popen(
        [host.image, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        events = monitor.watch(lambda: _Asked(process), unknown="unknown")
        assert isinstance(next(events), monitor.Connected)
        lost = next(events)
        assert isinstance(lost, monitor.Lost)
        assert lost.reason == "asked"
        events.close()
        process.kill()


def fuzzed(seed: int, size: int) -> bytes:
    """Requests with sound frames and hostile contents, damaged frames, and noise."""
    generator = random.Random(seed)
    out = bytearray()
    while len(out) < size:
        body = generator.randbytes(generator.choice((0, 1, 2, 11, 12, 13, 40, 252)))
        kind = generator.choice((1, 2, 3, 3, 3, 4, 5, 7, 8, 10, 0, 200))
        piece = bytearray(
            frame.encode(Message(messages.VERSION, kind, generator.randrange(65536), body).pack())
        )
        if generator.random() < 0.5:
            piece[generator.randrange(len(piece))] = generator.randrange(256)
        out += piece
        if generator.random() < 0.2:
            out += generator.randbytes(generator.randint(1, 900))
    return bytes(out)


@pytest.mark.parametrize(
    "size", [200_000, pytest.param(FUZZED_BYTES, marks=pytest.mark.slow)], ids=["some", "10M"]
)
def test_hostile_bytes_do_no_harm(host: project.Project, tmp_path: Path, size: int) -> None:
    line = fuzzed(3, size) + frame.encode(Message(messages.VERSION, Kind.INFO, 4711, b"").pack())
    done = subprocess.run([host.image, "serve"], input=line, capture_output=True, check=True)
    assert not done.stderr
    payloads = list(frame.FrameReader().take(done.stdout))
    replies = [m for m in map(messages.unpack, payloads) if m]
    assert len(replies) > size / 2000
    assert (replies[-1].kind, replies[-1].sequence) == (Kind.INFO | 0x80, 4711)


@pytest.mark.qemu
def test_the_protocol_is_small_and_one_macro_removes_it(model: Path, tmp_path: Path) -> None:
    target = make(model, tmp_path / "firmware", "mps2-an386")
    flash, ram = memory(target.image)
    project.build(target, definitions=["ASC_PROTOCOL=0"])
    without = memory(target.image)
    assert 2000 < flash - without[0] < 3600
    assert 500 < ram - without[1] < 700
    with target.image.open("rb") as stream:
        assert b"asc_frame_take" not in stream.read()
