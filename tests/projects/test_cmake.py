"""Generated projects: built with the real toolchain, run on emulated cores, held to references."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.audio.clips import read_pcm, write_wav16
from asc_tiny.audio.dataset import Dataset
from asc_tiny.boards import catalog
from asc_tiny.firmware.classifier import classifier
from asc_tiny.frontend import fixed
from asc_tiny.model import model_file
from asc_tiny.targets.build import project as targets
from asc_tiny.targets.image import image
from asc_tiny.targets.image.bench import measure
from support import compilers
from support.commands import asc_tiny, refused
from support.native import CORES, FLAGS, compile_for
from support.paths import CLIPS, MODEL
from support.references import tflm_scores

EMULATED = [name for name, board in catalog.BOARDS.items() if board.machine]
QUICK = ("mps2-an386", "virt-rv32")

# Measured on mps2-an386; a figure above its limit is a regression.
MARGIN = compilers.margin()
INSTRUCTIONS_PER_HOP = 104_000
INSTRUCTIONS_PER_INFERENCE = 6_679_800
FLASH_BYTES = 53_272
RAM_BYTES = 51_012
STACK_BYTES = 832


def make(folder: Path, board: str) -> targets.Project:
    assert asc_tiny("generate", MODEL, "--out", folder, "--board", board) == 0
    assert asc_tiny("build", folder) == 0
    return targets.load(folder)


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> targets.Project:
    return make(tmp_path_factory.mktemp("host") / "firmware", "host")


@pytest.fixture(scope="session")
def cortex_m4(tmp_path_factory: pytest.TempPathFactory) -> targets.Project:
    return make(tmp_path_factory.mktemp("m4") / "firmware", "mps2-an386")


def check_against_python(project: targets.Project, clips: list[np.ndarray]) -> np.ndarray:
    """Assert that features and scores equal the references; return the scores."""
    features, scores = image.features_and_codes(project, clips)
    expected = np.stack([fixed.features(clip, project.frontend) for clip in clips])
    assert np.array_equal(features, expected)
    assert np.array_equal(scores, tflm_scores(expected))
    return scores


@pytest.mark.qemu
def test_real_clips_on_cortex_m4(cortex_m4: targets.Project) -> None:
    clips = [read_pcm(path, 44100) for path in CLIPS]
    scores = check_against_python(cortex_m4, clips)
    decisions = image.classify(cortex_m4, np.concatenate(clips))
    assert [decision.start for decision in decisions] == list(range(len(clips)))
    assert np.array_equal(np.stack([decision.codes for decision in decisions]), scores)
    labels = [cortex_m4.labels[i] for i in scores.argmax(axis=1)]
    assert [decision.label for decision in decisions] == labels


def test_real_clips_on_host(host: targets.Project) -> None:
    check_against_python(host, [read_pcm(path, 44100) for path in CLIPS])


@pytest.mark.slow
def test_every_test_clip_on_host_and_cortex_m4(
    esc10: Path, host: targets.Project, cortex_m4: targets.Project
) -> None:
    split = Dataset.load(esc10).split("test")
    clips = [read_pcm(clip.path, 44100) for clip in split]
    assert len(clips) == 330
    scores = check_against_python(host, clips)
    features, emulated = image.features_and_codes(cortex_m4, clips)
    assert np.array_equal(emulated, scores)
    assert np.array_equal(features, image.features_and_codes(host, clips)[0])


@pytest.mark.qemu
@pytest.mark.parametrize(
    "board",
    [
        each if each in QUICK else pytest.param(each, marks=pytest.mark.exhaustive)
        for each in EMULATED
    ],
)
def test_verify_on_every_emulated_board(
    board: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = make(tmp_path / "firmware", board)
    capsys.readouterr()
    assert asc_tiny("verify", project.folder, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["passed"] is True
    assert report["board"] == board
    assert len(report["clips"]) == 8


@pytest.mark.qemu
def test_verify_notices_another_model(
    cortex_m4: targets.Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "firmware"
    shutil.copytree(cortex_m4.folder, folder)
    graph = cortex_m4.model_file.graph
    largest = max((t for t in graph.tensors if t.is_constant), key=lambda t: t.byte_count)
    assert largest.data is not None
    weights = largest.data.tobytes()
    data = (folder / "model.tflite").read_bytes()
    assert data.count(weights) == 1
    (folder / "model.tflite").write_bytes(data.replace(weights, weights[::-1]))
    capsys.readouterr()
    assert asc_tiny("verify", folder) == 3
    assert "DIFFERENT" in capsys.readouterr().out


@pytest.mark.qemu
def test_costs_on_cortex_m4(cortex_m4: targets.Project) -> None:
    costs = measure(cortex_m4)
    assert 0 < costs.instructions_per_hop <= MARGIN * INSTRUCTIONS_PER_HOP
    assert 0 < costs.instructions_per_inference <= MARGIN * INSTRUCTIONS_PER_INFERENCE
    assert costs.instructions_worst_hop == costs.instructions_per_inference
    assert costs.instructions_last_hop == costs.instructions_per_inference
    expected = costs.instructions_per_hop + costs.instructions_per_inference
    assert costs.instructions_after_last_sample == pytest.approx(expected, rel=0.002)
    assert 0 < costs.flash_bytes <= MARGIN * FLASH_BYTES
    assert 0 < costs.ram_bytes <= MARGIN * RAM_BYTES
    assert 0 < costs.stack_bytes <= MARGIN * STACK_BYTES


@pytest.mark.qemu
def test_memory_equals_what_the_linker_says(cortex_m4: targets.Project) -> None:
    sizes = subprocess.run(
        ["arm-none-eabi-size", "-A", str(cortex_m4.image)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    rows = [line.split() for line in sizes.splitlines()]
    section = {row[0]: int(row[1]) for row in rows if len(row) == 3 and row[0].startswith(".")}
    costs = measure(cortex_m4)
    assert costs.flash_bytes == section[".text"] + section[".data"] + section.get(".ARM.exidx", 0)
    assert costs.ram_bytes == section[".data"] + section[".bss"]


def test_image_has_no_heap_and_no_libm(cortex_m4: targets.Project) -> None:
    symbols = subprocess.run(
        ["arm-none-eabi-nm", str(cortex_m4.image)], check=True, capture_output=True, text=True
    ).stdout.split()
    allowed = {"memcpy", "memset", "memmove", "strlen", "strcmp", "strspn", "strcspn"}
    library = {"malloc", "free", "_sbrk", "calloc", "printf", "exp", "log", "pow", "__aeabi_fmul"}
    assert allowed & set(symbols)
    assert not library & set(symbols)


def test_generating_twice_gives_equal_bytes(tmp_path: Path) -> None:
    folders = [tmp_path / "a" / "firmware", tmp_path / "b" / "firmware"]
    for folder in folders:
        assert asc_tiny("generate", MODEL, "--out", folder) == 0
    names = [
        sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
        for folder in folders
    ]
    assert names[0] == names[1]
    assert "asc/asc_net.c" in names[0]
    for name in names[0]:
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes(), name


@pytest.mark.parametrize("core", CORES)
def test_sources_compile_without_warnings(core: str, tmp_path: Path) -> None:
    assert asc_tiny("generate", MODEL, "--project", "sources", "--out", tmp_path) == 0
    compile_for(core, tmp_path)


def test_two_models_fit_in_one_image(tmp_path: Path) -> None:
    for prefix in ("near", "far"):
        code = asc_tiny(
            "generate", MODEL, "--project", "sources", "--prefix", prefix, "--out", tmp_path
        )
        assert code == 0
    (tmp_path / "main.c").write_text(
        '#include "far_classifier.h"\n#include "near_classifier.h"\n'
        "static far_t far;\nstatic near_t near;\n"
        "int main(void) { return far_init(&far) != 0 || near_init(&near) != 0; }\n"
    )
    sources = sorted(tmp_path.glob("*.c"))
    subprocess.run(["cc", *FLAGS, *sources, "-o", tmp_path / "both"], check=True)
    subprocess.run([tmp_path / "both"], check=True)
    assert not list(tmp_path.glob("asc*"))


def test_model_array_for_tflm(tmp_path: Path) -> None:
    code = asc_tiny(
        "generate", MODEL, "--runtime", "tflm", "--project", "sources", "--out", tmp_path
    )
    assert code == 0
    (tmp_path / "main.c").write_text(
        '#include <stdint.h>\n#include <stdio.h>\n#include "asc_model.h"\n'
        "int main(void) {\n"
        "    if ((uintptr_t)asc_model_data % 16 != 0) return 1;\n"
        "    return fwrite(asc_model_data, 1, asc_model_size, stdout) != asc_model_size;\n}\n"
    )
    command = ["cc", *FLAGS, tmp_path / "main.c", tmp_path / "asc_model.c", "-o", tmp_path / "x"]
    subprocess.run(command, check=True)
    done = subprocess.run([tmp_path / "x"], check=True, capture_output=True)
    assert done.stdout == MODEL.read_bytes()


def test_run_prints_a_decision_per_second(
    host: targets.Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wav = tmp_path / "long.wav"
    pcm = np.concatenate([read_pcm(path, 44100) for path in CLIPS[:3]] + [np.zeros(9, np.int16)])
    write_wav16(wav, pcm, 44100)
    capsys.readouterr()
    assert asc_tiny("run", host.folder, "--wav", wav, "--json") == 0
    captured = capsys.readouterr()
    results = json.loads(captured.out)["results"]
    assert "the last 9 samples fill no window" in captured.err
    assert [result["start"] for result in results] == [0.0, 1.0, 2.0]
    for result in results:
        assert list(result["scores"]) == list(host.labels)
        assert result["label"] == max(result["scores"], key=result["scores"].__getitem__)
        assert sum(result["scores"].values()) == pytest.approx(1.0, abs=0.05)


def test_manifest_carries_the_models_front_end() -> None:
    model = classifier(model_file.load(MODEL), runtime="aot")
    tensor = model.model_file.graph.tensor(model.model_file.graph.inputs[0])
    assert model.frontend.quantization
    assert model.frontend.quantization.scale == pytest.approx(tensor.scales[0])
    assert model.frontend == model.model_file.frontend


@pytest.mark.parametrize("compiler", ["cc", "c++"])
def test_usage_in_the_header_compiles_and_runs(compiler: str, tmp_path: Path) -> None:
    options = ["--project", "sources", "--prefix", "near", "--out", tmp_path]
    assert asc_tiny("generate", MODEL, *options) == 0
    comment = (tmp_path / "near_classifier.h").read_text().split("*/")[0]
    usage = [line[7:] for line in comment.splitlines() if line.startswith(" *     ")]
    assert usage[0] == "#include <stdio.h>"
    main = [
        "int main(void) {",
        "    static near_sample_t second[44100];",
        "    return near_init(&classifier) != NEAR_NET_OK || classify(second, 44100) < 0;",
        "}",
    ]
    (tmp_path / "main.c").write_text("\n".join([*usage, *main, ""]))
    language = [compiler, "-x", "c++", "-std=c++17"] if compiler == "c++" else ["cc", *FLAGS]
    command = [*language, "-Wall", "-Wextra", "-Werror", "-c", "main.c", "-o", "main.o"]
    subprocess.run(command, cwd=tmp_path, check=True)
    sources = sorted(tmp_path.glob("near_*.c"))
    subprocess.run(["cc", "-O1", "main.o", *sources, "-o", "x"], cwd=tmp_path, check=True)
    done = subprocess.run([tmp_path / "x"], check=True, capture_output=True, text=True)
    labels = model_file.load(MODEL).labels
    assert labels and done.stdout.strip() in labels


def test_a_board_on_the_desk_is_sent_to_the_list_of_kinds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    board = "disco_l475_iot1"
    line = refused(capsys, "generate", MODEL, "--board", board, "--out", tmp_path / "out")
    assert "--project cmake is for emulated boards and the host" in line
    assert line.endswith(f"give a --project that `asc-tiny boards {board}` lists")
    assert not (tmp_path / "out").exists()
