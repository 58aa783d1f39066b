"""Firmware whose network computes while the columns come: the same bits, the work spread out."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from asc_tiny.audio.clips import read_pcm
from asc_tiny.firmware.classifier import classifier
from asc_tiny.frontend import fixed
from asc_tiny.model import model_file
from asc_tiny.targets.build import project as targets
from asc_tiny.targets.image import image
from asc_tiny.targets.image.bench import measure
from asc_tiny.targets.image.stages import measure_stages
from support.commands import asc_tiny, refused
from support.native import CORES, FLAGS, compile_for
from support.paths import CLIPS, MODEL, MODELS, C
from support.references import tflm_scores
from support.selftests import EXPECTED, SPOILED, generate_sources, run_on_host, spoil
from support.sliding_windows import check, make, stream_of

TIME = ("--schedule", "time")
SANITISERS = ("-fsanitize=undefined,address", "-fno-sanitize-recover=all", "-g")


def built(folder: Path, network: str, board: str, *options: str) -> targets.Project:
    """Generate and build a project of a released network."""
    model = MODELS / f"{network}.tflite"
    assert asc_tiny("generate", model, "--out", folder, "--board", board, *options) == 0
    assert asc_tiny("build", folder) == 0
    return targets.load(folder)


@pytest.fixture(scope="module", params=["mobilenet_esc10", "mini_segnet_esc10"])
def network(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def project(network: str, tmp_path_factory: pytest.TempPathFactory) -> targets.Project:
    folder = tmp_path_factory.mktemp(network) / "firmware"
    return built(folder, network, "mps2-an386", *TIME)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources of MobileNet's classifier with a self-test."""
    return generate_sources(tmp_path_factory.mktemp("sources"), MODEL, *TIME)


def check_verify(folder: Path, capsys: pytest.CaptureFixture[str], *options: object) -> None:
    """Features equal golden vectors and the integer model's, scores TensorFlow Lite Micro's."""
    pytest.importorskip("tflite_micro")
    capsys.readouterr()
    assert asc_tiny("verify", folder, *options, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["reference"] == "TensorFlow Lite Micro"
    assert len(report["clips"]) == 8 + options.count("--wav")


@pytest.mark.qemu
def test_golden_vectors_and_real_clips(project: targets.Project, capsys) -> None:
    check_verify(project.folder, capsys, "--wav", CLIPS[0], "--wav", CLIPS[1])


@pytest.mark.qemu
@pytest.mark.slow
@pytest.mark.parametrize(
    "board",
    [
        "mps3-an547",
        *(pytest.param(name, marks=pytest.mark.exhaustive) for name in ("mps2-an385", "virt-rv32")),
    ],
)
def test_golden_vectors_on_other_cores(network: str, board: str, tmp_path: Path, capsys) -> None:
    check_verify(built(tmp_path / "firmware", network, board, *TIME).folder, capsys)


@pytest.mark.qemu
def test_decisions_are_those_of_whole_windows(
    network: str, project: targets.Project, tmp_path: Path
) -> None:
    """On a stream with a clip at its end that is not complete."""
    whole = built(tmp_path / "whole", network, "host")
    assert (whole.options.schedule, project.options.schedule) == (None, "streaming")
    pcm = np.concatenate([stream_of(3), stream_of(1)[:1000]])
    mine, wanted = image.classify(project, pcm), image.classify(whole, pcm)
    assert len(mine) == len(wanted) == 3
    for one, other in zip(mine, wanted, strict=True):
        assert np.array_equal(one.codes, other.codes)
        assert (one.start, one.label, one.smoothed) == (other.start, other.label, other.smoothed)


@pytest.mark.qemu
def test_costs(project: targets.Project) -> None:
    costs = measure(project)
    mean = costs.instructions_per_inference / project.frontend.columns
    assert mean < costs.instructions_worst_hop < costs.instructions_per_inference
    assert costs.instructions_last_hop <= costs.instructions_worst_hop
    expected = costs.instructions_per_hop + costs.instructions_last_hop
    assert costs.instructions_after_last_sample == pytest.approx(expected, rel=0.01)
    assert costs.network_stack_bound_bytes is not None
    assert costs.stack_bound_bytes is not None
    assert 0 < costs.network_stack_bound_bytes < costs.stack_bound_bytes
    assert 0 < costs.stack_bytes <= costs.stack_bound_bytes
    assert costs.network_flash_bytes is not None
    assert 0 < costs.network_flash_bytes < costs.flash_bytes


@pytest.mark.qemu
def test_stages_make_up_the_network(project: targets.Project) -> None:
    total = measure(project).instructions_per_inference
    stages = measure_stages(project, total)
    assert abs(sum(stage.instructions for stage in stages) - total) < 100
    assert all(stage.kernel and stage.runs > 0 for stage in stages)


@pytest.mark.parametrize("rule", ["side by side", "gaps"])
def test_windows_of_a_continuous_stream(rule: str, tmp_path: Path, capsys) -> None:
    check(make(tmp_path, rule, "host", MODEL, *TIME), stream_of(4), tmp_path, capsys)


@pytest.mark.qemu
def test_continuous_front_end_on_cortex_m4(tmp_path: Path, capsys) -> None:
    project = make(tmp_path, "gaps", "mps2-an386", MODEL, *TIME)
    check_verify(project.folder, capsys)
    costs = measure(project)
    expected = costs.instructions_per_hop + costs.instructions_last_hop
    assert costs.instructions_after_last_sample == pytest.approx(expected, rel=0.01)


def test_columns_one_by_one(sources: Path, tmp_path: Path) -> None:
    """The network alone, as asc_net.h says: clips in turns, mistakes between the columns."""
    config = classifier(model_file.load(MODEL), runtime="aot").frontend
    clips = [read_pcm(path, 44100) for path in CLIPS[:4]]
    features = np.stack([fixed.features(clip, config) for clip in clips])
    library = [path for path in sorted(sources.glob("*.c")) if path.name != "main.c"]
    main = C / "columns_main.c"
    command = ["cc", *FLAGS, *SANITISERS, f"-I{sources}", *library, main, "-o", tmp_path / "x"]
    subprocess.run(command, check=True)
    columns = np.ascontiguousarray(features.transpose(0, 2, 1, 3)).tobytes()
    done = subprocess.run([tmp_path / "x"], input=columns, check=True, capture_output=True)
    scores = np.frombuffer(done.stdout, np.int8).reshape(len(clips), -1)
    assert np.array_equal(scores, tflm_scores(features))


def test_selftest_passes_and_fails(sources: Path) -> None:
    assert run_on_host(sources) == 0
    expected = sources / EXPECTED
    right = expected.read_text()
    for macro, result in SPOILED:
        spoil(expected, macro)
        assert run_on_host(sources) == result
        expected.write_text(right)


@pytest.mark.parametrize(
    "core",
    ["cortex-m4", *(pytest.param(c, marks=pytest.mark.slow) for c in CORES if c != "cortex-m4")],
)
def test_sources_compile_without_warnings(core: str, sources: Path) -> None:
    compile_for(core, sources)


def test_beside_another_model_in_one_image(tmp_path: Path) -> None:
    for prefix, options in (("near", TIME), ("far", ())):
        options = ("--project", "sources", "--prefix", prefix, "--out", tmp_path, *options)
        assert asc_tiny("generate", MODEL, *options) == 0
    (tmp_path / "main.c").write_text(
        '#include "far_classifier.h"\n#include "near_classifier.h"\n'
        "static far_t far;\nstatic near_t near;\n"
        "int main(void) { return far_init(&far) != 0 || near_init(&near) != 0; }\n"
    )
    command = ["cc", *FLAGS, *sorted(tmp_path.glob("*.c")), "-o", tmp_path / "both"]
    subprocess.run(command, check=True)
    subprocess.run([tmp_path / "both"], check=True)
    assert not list(tmp_path.glob("asc*"))


@pytest.mark.slow
def test_plan_and_dump(tmp_path: Path, capsys) -> None:
    options = ["--project", "sources", "--optimize", "size", *TIME, "--plan"]
    dump = tmp_path / "dump.txt"
    capsys.readouterr()
    assert asc_tiny("generate", MODEL, "--out", tmp_path / "x", *options, "--dump", dump) == 0
    plan = capsys.readouterr().out
    assert "order by streamed columns" in plan
    assert "input: columns, 36 of 768 bytes" in plan
    assert "columns and runs so far" in plan
    assert "steps with which columns of the input come: 0 1 " in dump.read_text()


@pytest.mark.parametrize(
    ("model", "options", "words"),
    [
        (MODEL, ("--runtime", "tflm"), "--schedule: is for --runtime aot"),
        (MODELS / "ensemble2_esc10.toml", (), "--schedule streaming is for a single network"),
        (MODEL, ("--decision",), "hop_columns = 35 windows share columns; allowed: 36"),
    ],
)
def test_what_cannot_be_is_refused(
    model: Path, options: tuple[str, ...], words: str, tmp_path: Path, capsys
) -> None:
    decision = tmp_path / "decision.toml"
    decision.write_text("hop_columns = 35\n")
    given = (*options, decision) if options == ("--decision",) else options
    out = tmp_path / "out"
    for kind in ("cmake", "sources"):
        command = ("generate", model, *TIME, "--project", kind, "--out", out, *given)
        assert words in refused(capsys, *command)
        assert not out.exists()
