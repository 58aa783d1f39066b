"""The csolution: its files by their schema, its code against a double of CMSIS."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from asc_tiny.boards import catalog
from asc_tiny.projects.cmsis import TABLE
from support.commands import asc_tiny, refused
from support.microphones import lines_of, played, scenes
from support.native import FLAGS
from support.objects import compiled
from support.paths import DOUBLES, MODEL
from support.project_files import assert_prefix, compile_for_cortex_m4
from support.serial_requests import check_a_conversation

DOUBLE = DOUBLES / "cmsis"

# What the generated files use of CMSIS-Toolbox's schemas (tools/projmgr/schemas in
# Open-CMSIS-Pack/devtools), in our words: the schemas themselves are in no package of PyPI.
STRINGS = {"type": "array", "items": {"type": "string"}, "uniqueItems": True, "minItems": 1}


def mapping(required: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name.replace("_", "-"): value for name, value in properties.items()},
        "required": required.split(),
        "additionalProperties": False,
    }


def listing(required: str, **properties: Any) -> dict[str, Any]:
    items = mapping(required, **properties)
    return {"type": "array", "items": items, "uniqueItems": True, "minItems": 1}


TEXT = {"type": "string"}
PACK = {"type": "string", "pattern": r"^[^:]+::[^:@]+(@(>=)?\d+\.\d+\.\d+)?$"}
COMPONENT = {"type": "string", "pattern": r"^[^:]+::[^:]+(:[^:@]+)+(@(>=)?\d+\.\d+\.\d+)?$"}
SHARED = {
    "description": TEXT,
    "define": STRINGS,
    "add_path": STRINGS,
    "language_CPP": {"enum": ["c++17"]},
    "misc": listing("for-compiler CPP", for_compiler={"enum": ["GCC"]}, CPP=STRINGS),
    "packs": listing("pack", pack=PACK),
    "components": listing("component", component=COMPONENT),
    "groups": listing("group files", group=TEXT, files=listing("file", file=TEXT)),
    "connections": listing("connect", connect=TEXT, provides=STRINGS, consumes=STRINGS),
}
SCHEMAS = {
    "clayer": mapping("layer", layer=mapping("type groups", type=TEXT, **SHARED)),
    "cproject": mapping(
        "project",
        project=mapping(
            "groups layers",
            layers=listing("layer type", layer=TEXT, type=TEXT),
            output=mapping("type", type={"type": "array", "items": {"enum": ["elf", "hex"]}}),
            **SHARED,
        ),
    ),
    "csolution": mapping(
        "solution",
        solution=mapping(
            "target-types projects",
            created_for={"type": "string", "pattern": r"^CMSIS-Toolbox@\d+\.\d+\.\d+$"},
            description=TEXT,
            cdefault={"type": "null"},
            compiler={"enum": ["GCC"]},
            select_compiler=listing("compiler", compiler={"enum": ["GCC"]}),
            packs=SHARED["packs"],
            target_types=listing(
                "type board device",
                type={"type": "string", "pattern": "^[a-zA-Z0-9_-]{1,32}$"},
                board={"type": "string", "pattern": "^[^:]+::[^:]+$"},
                device={"type": "string", "pattern": "^[^:]+::[^:]+$"},
            ),
            build_types=listing(
                "type",
                type=TEXT,
                optimize={"enum": ["speed", "debug"]},
                debug={"enum": ["on", "off"]},
            ),
            projects=listing("project", project=TEXT),
        ),
    ),
}


def generate(out: Path, board: str, *options: object) -> Path:
    command = ["generate", MODEL, "--project", "cmsis", "--board", board, "--out", out]
    assert asc_tiny(*command, *options) == 0
    return out


def read(path: Path) -> Any:
    return pytest.importorskip("yaml").safe_load(path.read_text(encoding="utf-8"))


def files_of(project: Path, name: str = "asc") -> tuple[list[Path], list[Path], list[str]]:
    """Return sources, include folders and macros of a project with its layers."""
    path = project / f"{name}_scenes.cproject.yml"
    nodes = [(project, read(path)["project"])]
    for layer in nodes[0][1]["layers"]:
        if layer["layer"] != "$Board-Layer$":
            path = project / layer["layer"]
            nodes.append((path.parent, read(path)["layer"]))
            assert nodes[-1][1]["type"] == layer["type"]
    sources, folders, macros = [], [], []
    for folder, node in nodes:
        for group in node["groups"]:
            sources += [folder / file["file"] for file in group["files"]]
        folders += [folder / each for each in node.get("add-path", [])]
        macros += node.get("define", [])
    assert all(source.is_file() for source in sources)
    return sources, folders, macros


def build(project: Path, folder: Path, *options: str) -> Path:
    """Build what the project lists for this computer, with a double of a board layer."""
    sources, folders, macros = files_of(project)
    include = [f"-I{each}" for each in (DOUBLE, DOUBLES / "played", *folders)]
    objects: list[Path] = []
    board = [DOUBLE / "board_host.c", DOUBLE / "usart_host.c", DOUBLES / "played/console.c"]
    for source in [*sources, *board, *folder.glob("*.c")]:
        language = ["cc", *FLAGS] if source.suffix == ".c" else ["c++", "-std=c++17", "-O1"]
        command = [*language, *include, *(f"-D{macro}" for macro in macros), *options]
        objects += compiled(command, [source])
    subprocess.run(["c++", *objects, "-pthread", "-o", folder / "app"], check=True)
    return folder / "app"


def run(app: Path, **environment: str) -> list[str]:
    (app.parent / "in.pcm").write_bytes(played().astype("<i2").tobytes())
    return lines_of(app, check=False, **environment)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generate(tmp_path_factory.mktemp("cmsis") / "project", "disco_l475_iot1")


@pytest.mark.parametrize("macro", ["-DCMSIS_VSTREAM_AUDIO_IN_MONO", "-DSTEREO"])
def test_prints_the_scenes_of_a_microphone(macro: str, project: Path, tmp_path: Path) -> None:
    app = build(project, tmp_path, macro)
    assert run(app) == ["selftest 0", *scenes(played())]
    assert "overruns 0 overflows 1" in run(app, OVERFLOWING_CALL="100")
    assert any(line.endswith(" overflows 0") for line in run(app, FLOODING_CALL="100"))


@pytest.mark.parametrize("options", [(), ("--schedule", "time")], ids=["whole", "time"])
def test_simulated_board_classifies_noise(options: tuple[str, ...], tmp_path: Path) -> None:
    app = build(generate(tmp_path / "project", "mps3-an547", *options), tmp_path, "-DSYNTHETIC")
    with subprocess.Popen([app], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        lines = [process.stdout.readline().split() for _ in range(2)]
        process.kill()
    assert lines[0] == ["selftest", "0"]
    assert lines[1][0] == "scene"


@pytest.mark.parametrize("options", [[], ["-DASC_PROTOCOL=0"]], ids=["with", "without"])
def test_answers_on_the_uart_of_stdout(options: list[str], tmp_path: Path) -> None:
    """If the board layer's header names it."""
    header = '-DCMSIS_target_header="board.h"'
    project = generate(tmp_path / "project", "mps3-an547")
    app = build(project, tmp_path, "-DSYNTHETIC", header, *options)
    if options:
        assert b"asc_protocol_receive" not in app.read_bytes()
    else:
        check_a_conversation(app)


def test_runs_tensorflow_lite_micro(tmp_path: Path) -> None:
    """The self-test tells that a double of TensorFlow Lite Micro, which computes nothing, runs."""
    project = generate(tmp_path / "project", "disco_l475_iot1", "--runtime", "tflm")
    layer = read(project / "asc/asc.clayer.yml")["layer"]
    components = [each["component"] for each in layer["components"]]
    assert "tensorflow::Machine Learning:TensorFlow:Kernel&CMSIS-NN" in components
    (tmp_path / "fault.c").write_text("extern int fault;\nint fault = 0;\n")
    app = build(project, tmp_path, f"-isystem{DOUBLES / 'tflm'}")
    assert run(app) == ["selftest 2", "stopped 2"]


@pytest.mark.parametrize("board", TABLE.boards)
def test_compiles_for_cortex_m4(board: str, tmp_path: Path) -> None:
    project = generate(tmp_path / "project", board, "--prefix", "near")
    assert_prefix(project, "near")
    sources, folders, _ = files_of(project, "near")
    applications = [source for source in sources if source.parent != project / "near"]
    compile_for_cortex_m4(applications, [DOUBLE, *folders], tmp_path)


@pytest.mark.parametrize("runtime", ["aot", "tflm"])
@pytest.mark.parametrize("board", TABLE.boards)
def test_files_are_as_the_toolbox_wants_them(board: str, runtime: str, tmp_path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    project = generate(tmp_path, board, "--runtime", runtime)
    files = sorted(project.rglob("*.yml"))
    assert len(files) == (3 if TABLE.read(catalog.get(board)).has_audio else 4)
    for path in files:
        schema = SCHEMAS[path.name.split(".")[-2]]
        jsonschema.validate(read(path), schema)
    solution = read(project / "asc_scenes.csolution.yml")["solution"]
    assert (project / solution["projects"][0]["project"]).is_file()
    assert solution["target-types"][0]["board"] == TABLE.read(catalog.get(board)).board
    consumed = read(project / "asc_scenes.cproject.yml")["project"]["connections"][0]["consumes"]
    assert "CMSIS_VSTREAM_AUDIO_IN" in consumed


def test_boards_that_it_does_not_serve(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--project", "cmsis", "--out", tmp_path / "x", "--board", "rpi_pico"]
    message = refused(capsys, "generate", MODEL, *options)
    assert message == "asc-tiny: board rpi_pico: --project cmsis is for disco_l475_iot1, mps3-an547"
    assert not (tmp_path / "x").exists()
