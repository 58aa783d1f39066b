"""The double buffer between interrupt and application: no torn block, exact counts."""

from __future__ import annotations

import ctypes
import itertools
import shutil
import subprocess
from collections import deque
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asc_tiny.firmware import audio
from asc_tiny.firmware.runtime import runtime_sources
from support.native import CORES, FLAGS, compile_for, shared_library, write
from support.paths import C
from support.patience import PATIENCE_S
from support.random_front_ends import repeatable

THREADS = C / "audio_threads.c"
BLOCK = 16
Small = tuple[int, ...]


def copy_sources(folder: Path, *, blocks: int = 2) -> None:
    """Copy the sources, small blocks set in the header so that all files agree."""
    write(runtime_sources("audio"), folder)
    (text,) = audio.generate(blocks).values()
    assert text.count("#define ASC_AUDIO_BLOCK 1024u") == 1
    text = text.replace("#define ASC_AUDIO_BLOCK 1024u", f"#define ASC_AUDIO_BLOCK {BLOCK}u")
    (folder / "asc_audio.h").write_text(text)


class Buffer:
    """The C buffer."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self.library = library
        self.state = ctypes.create_string_buffer(4096)
        library.asc_audio_init(self.state)

    def fill(self, samples: Small) -> None:
        """Write a block, or its first samples, to where the next one goes."""
        target = self.library.asc_audio_fill(self.state)
        assert target
        for i, sample in enumerate(samples):
            target[i] = sample

    def filled(self) -> None:
        self.library.asc_audio_filled(self.state)

    def write(self, samples: Small) -> None:
        pcm = (ctypes.c_int16 * len(samples))(*samples)
        self.library.asc_audio_write(self.state, pcm, ctypes.c_size_t(len(samples)))

    def take(self) -> Small | None:
        block = self.library.asc_audio_take(self.state)
        return tuple(block[:BLOCK]) if block else None

    def release(self) -> None:
        self.library.asc_audio_release(self.state)

    @property
    def overruns(self) -> int:
        return int(self.library.asc_audio_overruns(self.state))


class Model:
    """What the buffer must do: a queue of blocks - 1, the newest block lost when it is full."""

    def __init__(self, blocks: int) -> None:
        self.queue: deque[Small] = deque()
        self.room = blocks - 1
        self.taken: Small | None = None
        self.overruns = 0

    def filled(self, samples: Small) -> None:
        if len(self.queue) == self.room:
            self.overruns += 1
        else:
            self.queue.append(samples)

    def take(self) -> Small | None:
        self.taken = self.queue[0] if self.queue else None
        return self.taken

    def release(self) -> None:
        if self.taken is not None:
            self.queue.popleft()
            self.taken = None


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> dict[int, ctypes.CDLL]:
    """Number of blocks to library."""
    found = {}
    for blocks in (2, 3, 5):
        folder = tmp_path_factory.mktemp(f"blocks{blocks}")
        copy_sources(folder, blocks=blocks)
        library = shared_library(folder)
        library.asc_audio_fill.restype = ctypes.POINTER(ctypes.c_int16)
        library.asc_audio_take.restype = ctypes.POINTER(ctypes.c_int16)
        library.asc_audio_overruns.restype = ctypes.c_uint32
        found[blocks] = library
    return found


def play(library: ctypes.CDLL, blocks: int, calls: tuple[str, ...]) -> Model:
    """Make calls in this order on the buffer and the model, and compare after each."""
    buffer, model = Buffer(library), Model(blocks)
    number = 0
    held = None
    for call in calls:
        samples = tuple(range(number % 1000, number % 1000 + BLOCK))
        if call == "start":
            buffer.fill(samples[: BLOCK // 2])
        elif call == "filled":
            buffer.fill(samples)
            buffer.filled()
            model.filled(samples)
            number += BLOCK
        elif call == "take":
            held = model.take()
            assert buffer.take() == held
        else:
            buffer.release()
            model.release()
            held = None
        assert buffer.overruns == model.overruns
        if held is not None:
            assert buffer.take() == held, f"{call}: the block being read changed"
    return model


@pytest.mark.parametrize("blocks", [2, 3])
def test_all_interleavings_of_seven_calls(libraries: dict[int, ctypes.CDLL], blocks: int) -> None:
    overruns = 0
    for calls in itertools.product(("start", "filled", "take", "release"), repeat=7):
        overruns += play(libraries[blocks], blocks, calls).overruns
    assert overruns > 0


@repeatable(300)
@given(
    st.sampled_from([2, 3, 5]),
    st.lists(st.sampled_from(["start", "filled", "take", "release"]), max_size=200),
)
def test_long_interleavings(
    libraries: dict[int, ctypes.CDLL], blocks: int, calls: list[str]
) -> None:
    play(libraries[blocks], blocks, tuple(calls))


@repeatable(200)
@given(
    st.sampled_from([2, 3, 5]),
    st.lists(st.one_of(st.integers(0, 3 * BLOCK), st.just(-1)), max_size=60),
)
def test_write_in_any_chunks_is_fill_and_filled(
    libraries: dict[int, ctypes.CDLL], blocks: int, steps: list[int]
) -> None:
    """A step writes so many samples, or lets the application take a block."""
    buffer, model = Buffer(libraries[blocks]), Model(blocks)
    pending: list[int] = []
    position = 0
    for step in steps:
        if step < 0:
            assert buffer.take() == model.take()
            buffer.release()
            model.release()
            continue
        samples = tuple(range(position, position + step))
        position += step
        buffer.write(samples)
        pending += samples
        while len(pending) >= BLOCK:
            model.filled(tuple(pending[:BLOCK]))
            del pending[:BLOCK]
        assert buffer.overruns == model.overruns


def test_the_newest_block_is_lost(libraries: dict[int, ctypes.CDLL]) -> None:
    buffer = Buffer(libraries[2])
    for value in range(4):
        buffer.write((value,) * BLOCK)
    assert buffer.overruns == 3
    assert buffer.take() == (0,) * BLOCK
    buffer.release()
    assert buffer.take() is None
    buffer.write((9,) * BLOCK)
    assert buffer.take() == (9,) * BLOCK


def test_a_release_without_a_block_loses_nothing(libraries: dict[int, ctypes.CDLL]) -> None:
    buffer = Buffer(libraries[2])
    buffer.release()
    buffer.write((1,) * BLOCK)
    buffer.release()
    assert buffer.take() == (1,) * BLOCK


def build_threads(folder: Path, *options: str, blocks: int = 2) -> Path:
    copy_sources(folder, blocks=blocks)
    shutil.copy(THREADS, folder)
    program = folder / "threads"
    sources = [folder / "audio_threads.c", folder / "asc_audio.c"]
    subprocess.run(["cc", *FLAGS, *options, "-pthread", *sources, "-o", program], check=True)
    return program


def run_threads(
    program: Path, blocks: int, idles: tuple[int, int]
) -> subprocess.CompletedProcess[str]:
    arguments = [str(program), *map(str, (blocks, *idles))]
    return subprocess.run(arguments, capture_output=True, text=True, timeout=PATIENCE_S)


VARIANTS = {
    "atomics": (),
    "barriers": ("-DASC_AUDIO_BARRIER()=__sync_synchronize()",),
}
# The most turns that interrupt and application idle per block.
PACES = {"both race": (0, 0), "interrupt slower": (2000, 100), "interrupt faster": (100, 2000)}
all_paces = pytest.mark.parametrize("pace", list(PACES))


@pytest.mark.parametrize("blocks", [2, pytest.param(4, marks=pytest.mark.slow)])
@pytest.mark.parametrize("variant", list(VARIANTS))
@all_paces
def test_a_thread_as_the_interrupt(variant: str, blocks: int, pace: str, tmp_path: Path) -> None:
    program = build_threads(tmp_path, *VARIANTS[variant], blocks=blocks)
    done = run_threads(program, 20_000, PACES[pace])
    assert done.returncode == 0, done.stdout
    received, lost, _ = (int(word) for word in done.stdout.split() if word.isdigit())
    assert received >= 20_000
    assert lost > 0 or pace != "interrupt faster"


def thread_sanitizer(folder: Path) -> tuple[str, ...]:
    """Flags of the sanitiser; skips the test where the compiler or the machine has none."""
    (folder / "empty.c").write_text("int main(void) { return 0; }\n")
    flags = ("-fsanitize=thread", "-g")
    command = ["cc", *flags, folder / "empty.c", "-o", folder / "empty"]
    if subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("the compiler has no ThreadSanitizer")
    if subprocess.run([folder / "empty"], capture_output=True).returncode != 0:
        pytest.skip("ThreadSanitizer does not run here")
    return flags


@all_paces
def test_thread_sanitizer_finds_no_race(pace: str, tmp_path: Path) -> None:
    program = build_threads(tmp_path, *thread_sanitizer(tmp_path))
    done = run_threads(program, 5_000, PACES[pace])
    assert done.returncode == 0, done.stdout + done.stderr


def test_thread_sanitizer_finds_the_race_of_a_buffer_that_overwrites(tmp_path: Path) -> None:
    """The test above can fail: without the check for a full buffer, it does."""
    flags = thread_sanitizer(tmp_path)
    build_threads(tmp_path, *flags)
    source = tmp_path / "asc_audio.c"
    check = "following == asc_atomic_load(&audio->oldest)"
    assert source.read_text().count(check) == 1
    source.write_text(source.read_text().replace(check, "following == ASC_AUDIO_BLOCKS"))
    sources = [tmp_path / "audio_threads.c", source]
    command = ["cc", *FLAGS, *flags, "-pthread", *sources, "-o", tmp_path / "threads"]
    subprocess.run(command, check=True)
    assert run_threads(tmp_path / "threads", 5_000, (100, 2000)).returncode != 0


@pytest.mark.skipif(not shutil.which("arm-none-eabi-gcc"), reason="needs arm-none-eabi-gcc")
@pytest.mark.parametrize("core", CORES)
def test_compiles_for_arm(core: str, tmp_path: Path) -> None:
    copy_sources(tmp_path)
    compile_for(core, tmp_path)


def test_compiles_as_part_of_cpp(tmp_path: Path) -> None:
    copy_sources(tmp_path)
    (tmp_path / "user.cc").write_text('#include "asc_audio.h"\nasc_audio_t audio;\n')
    subprocess.run(
        ["c++", "-Wall", "-Werror", "-c", tmp_path / "user.cc", "-o", "/dev/null"], check=True
    )


def test_too_few_blocks_do_not_compile(tmp_path: Path) -> None:
    copy_sources(tmp_path, blocks=1)
    command = ["cc", *FLAGS, "-c", tmp_path / "asc_audio.c", "-o", "/dev/null"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode != 0
    assert "ASC_AUDIO_BLOCKS of 2 or more" in done.stderr
