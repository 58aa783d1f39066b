"""A board of the user's own, like none of this tool: each kind of project serves its table."""

from __future__ import annotations

import configparser
import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from asc_tiny.boards import catalog
from asc_tiny.boards.board_table import BoardTable
from asc_tiny.projects import registry
from asc_tiny.util import files
from asc_tiny.util.errors import AscError
from support.commands import asc_tiny, refused
from support.hostile_models import FRONTEND, with_metadata
from support.paths import ROOT
from support.project_files import compile_for_cortex_m4
from support.stm32 import STAND_IN

GENERATORS = registry.load()[0]
TABLES: dict[str, BoardTable[Any]] = {t.name: t for each in GENERATORS for t in each.tables}

BOARD = """
title = "My *board*"
core = "Cortex-M4F"
core_flags = ["-mcpu=cortex-m4"]
clock_hz = 48_000_000
ram_bytes = 0x40000
microphone = "stm32l4_dfsdm"
"""

OWN = {
    "arduino": """
        architectures = ["my_core"]
        core = "My Core_s (new)"
        package = "me:my_core"
        rates = [16000]
    """,
    "platformio": """
        platform = "me/my-platform@1.2.3"
        board = "my.board"
        framework = "stm32cube"
    """,
    "stm32cube": """
        uart = "USART1"
        uart_pins = ["PB6", "PD7"]
        channel = 5
        clock_pin = "PA9"
        data_pin = "PE7"
        supply_pin = "PH1"
    """,
    "zephyr": """
        target = "my_board@2/stm32l475xx"
        modules = ["hal_stm32", "my-module"]
        revision = "v9.9.9"
        microphone = "stm32_dfsdm"
        channel = 5
        clock_pin = "PA9"
        data_pin = "PE7"
    """,
    "cmsis": """
        target = "Mine"
        board = "Me::My-Board"
        device = "Me::CHIP1"
        packs = ["Me::Pack@>=1.2.3"]
        has_audio = true
    """,
    "esp-idf": """
        target = "esp32c3"
        cores = 1
        bit_clock_pin = 1
        word_select_pin = 2
        data_pin = 3
    """,
    "pico-sdk": """
        board = "my_board"
        clock_pin = 1
        data_pin = 3
    """,
}


def write_board(folder: Path, **changes: str) -> Path:
    """Write a board's file with all tables, some of them changed (``_`` stands for ``-``)."""
    tables = {**OWN, **{name.replace("_", "-"): text for name, text in changes.items()}}
    text = "".join(f"[{name}]\n{values}\n" for name, values in tables.items())
    path = folder / "mine.toml"
    path.write_text(BOARD + text)
    return path


def generate(folder: Path, kind: str) -> Path:
    model, out = folder / "model.tflite", folder / kind
    model.write_bytes(with_metadata('{"schema": 1, "labels": ["a", "b", "c"]}'))
    options = ["--frontend", FRONTEND, "--project", kind, "--board", write_board(folder)]
    assert asc_tiny("generate", model, "--out", out, "--resample", *options) == 0
    if kind != "sources":
        assert (out / "board.toml").read_text() == (folder / "mine.toml").read_text()
    return out


def test_which_kinds_serve_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert asc_tiny("boards", write_board(tmp_path), "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)["boards"]
    assert row["projects"] == [name for name in registry.NAMES if name != "cmake"]
    path = tmp_path / "mine.toml"
    path.write_text(f"{BOARD}[cmsis]{OWN['cmsis']}[zephyr]{OWN['zephyr']}")
    assert asc_tiny("boards", path) == 0
    row = capsys.readouterr().out.splitlines()[1]
    assert row.endswith("cmsis, sources, zephyr")


def test_zephyr(tmp_path: Path) -> None:
    out = generate(tmp_path, "zephyr")
    (zephyr,) = yaml.safe_load((out / "west.yml").read_text())["manifest"]["projects"]
    assert zephyr["revision"] == "v9.9.9"
    assert {"hal_stm32", "my-module"} < set(zephyr["import"]["name-allowlist"])
    overlay = (out / "boards" / "my_board@2_stm32l475xx.overlay").read_text()
    assert "<&dfsdm1_ckout_pa9 &dfsdm1_datin5_pe7>" in overlay
    assert "channel@5 {\n\t\t\treg = <5>" in overlay
    tests = yaml.safe_load((out / "sample.yaml").read_text())["tests"]
    assert tests["asc.scenes.microphone"]["platform_allow"] == ["my_board@2/stm32l475xx"]


def test_esp_idf(tmp_path: Path) -> None:
    out = generate(tmp_path, "esp-idf")
    lines = (out / "sdkconfig.defaults").read_text().splitlines()
    assert 'CONFIG_IDF_TARGET="esp32c3"' in lines
    assert "CONFIG_ESP_DEFAULT_CPU_FREQ_MHZ_48=y" in lines
    # A chip with one core has none to pin the application to.
    assert not any("AFFINITY" in line for line in lines)
    kconfig = (out / "main" / "Kconfig.projbuild").read_text().split()
    assert [kconfig[i + 1] for i, word in enumerate(kconfig) if word == "default"] == list("123")


def test_cmsis(tmp_path: Path) -> None:
    out = generate(tmp_path, "cmsis")
    solution = yaml.safe_load((out / "asc_scenes.csolution.yml").read_text())["solution"]
    wanted = {"type": "Mine", "board": "Me::My-Board", "device": "Me::CHIP1"}
    assert solution["target-types"] == [wanted]
    assert {"pack": "Me::Pack@>=1.2.3"} in solution["packs"]
    assert not (out / "synthetic").exists()


def test_arduino(tmp_path: Path) -> None:
    out = generate(tmp_path, "arduino")
    assert "architectures=my_core\n" in (out / "library.properties").read_text()
    assert "kMicrophoneRate = 16000;" in (out / "examples/asc_scenes/microphone.h").read_text()
    readme = (out / "README.md").read_text()
    assert "My \\*board\\*" in readme and "*My Core_s (new)* (`me:my_core`)" in readme


def test_platformio_with_stm32cube(tmp_path: Path) -> None:
    out = generate(tmp_path, "platformio")
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(out / "platformio.ini")
    environment = parser["env:my.board"]
    assert environment["platform"] == "me/my-platform@1.2.3"
    assert environment["framework"] == "stm32cube"
    main = (out / "src" / "main.c").read_text()
    assert "connect(GPIOA, GPIO_PIN_9, GPIO_AF6_DFSDM1);" in main
    assert "connect(GPIOE, GPIO_PIN_7, GPIO_AF6_DFSDM1);" in main
    assert "PLL.PLLN = 24;" in main
    assert "DFSDM1_Channel5" in main and "DFSDM_CHANNEL_5" in main


@pytest.mark.skipif(not shutil.which("arm-none-eabi-gcc"), reason="needs arm-none-eabi-gcc")
def test_what_stm32cube_starts_compiles(tmp_path: Path) -> None:
    channel = OWN["stm32cube"].replace("5", "2")  # of the stand-in
    board = write_board(tmp_path, stm32cube=channel)
    model, out = tmp_path / "model.tflite", tmp_path / "out"
    model.write_bytes(with_metadata('{"schema": 1, "labels": ["a", "b", "c"]}'))
    options = ["--frontend", FRONTEND, "--project", "platformio", "--board", board, "--resample"]
    assert asc_tiny("generate", model, "--out", out, *options) == 0
    folders = [STAND_IN, out / "lib/asc_scenes/src", out / "src"]
    compile_for_cortex_m4(sorted((out / "src").glob("*.c")), folders, tmp_path)


def test_stm32cubeide(tmp_path: Path) -> None:
    readme = (generate(tmp_path, "stm32cubeide") / "README.md").read_text()
    assert "(CKOUT PA9, DATIN5 PE7)" in readme and "pins PB6, PD7" in readme
    assert "SYSCLK 48 MHz" in readme and "My \\*board\\*" in readme


def test_the_board_that_the_documentation_shows(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "how_to" / "own_board.md").read_text(encoding="utf-8")
    path, model, out = tmp_path / "my_sensor.toml", tmp_path / "model.tflite", tmp_path / "out"
    path.write_text(page.split("```toml\n")[1].split("```")[0])
    model.write_bytes(with_metadata('{"schema": 1, "labels": ["a", "b", "c"]}'))
    command = ["generate", model, "--frontend", FRONTEND, "--project", "zephyr", "--resample"]
    assert asc_tiny(*command, "--board", path, "--out", out) == 0
    overlay = (out / "boards" / "my_sensor_nrf52840.overlay").read_text()
    assert "NRF_PSEL(PDM_CLK, 0, 13)" in overlay and "NRF_PSEL(PDM_DIN, 1, 2)" in overlay


WRONG = {
    "zephyr.sped = 1": "unknown key zephyr.sped, allowed: channel, clock_pin, data_pin",
    "zephyr.target = 1": "zephyr.target = 1, must be a text",
    'zephyr.target = "../x"': "zephyr.target = '../x', allowed: BOARD or BOARD/CHIP",
    'zephyr.microphone = "i2s"': "zephyr.microphone = 'i2s', allowed: nrf_pdm, stm32_dfsdm",
    'zephyr.clock_pin = "P0.32"': "zephyr.clock_pin = 'P0.32', allowed: PA0 to PI15",
    'zephyr.modules = ["a", "b c"]': "zephyr.modules = 'b c', allowed: names",
    "zephyr.channel = 8": "zephyr.channel = 8, allowed: 0 to 7",
    'esp-idf.target = "avr"': "esp-idf.target = 'avr', allowed: a chip such as esp32c3",
    "esp-idf.cores = true": "esp-idf.cores = True, must be a whole number",
    'pico-sdk.board = "$(x)"': "pico-sdk.board = '$(x)', allowed: a board such as pico2",
    "pico-sdk.clock_pin = 29": "pico-sdk.clock_pin = 29, allowed: 0 to 28",
    "esp-idf.data_pin = -1": "esp-idf.data_pin = -1, allowed: 0 to 63",
    'platformio.framework = "idf"': "platformio.framework = 'idf', allowed: arduino, stm32cube",
    'stm32cube.uart = "UART4"': "stm32cube.uart = 'UART4', allowed: USART1 to USART3",
    'stm32cube.family = "f1"': "stm32cube.family = 'f1', allowed: l4, f4, f7, h7",
    'stm32cube.reader = "i2s"': "stm32cube.reader = 'i2s': allowed with family = f4, not 'l4'",
    'stm32cube.spi = "SPI4"': "stm32cube.spi = 'SPI4', allowed: SPI1 to SPI3",
    'stm32cube.reader = "sai"': "stm32cube.word_select_pin is missing, reader = 'sai' needs it",
    'stm32cube.dma = "DMA3"': "stm32cube.dma = 'DMA3', allowed: a name such as DMA1_Channel4",
    "stm32cube.dma_buffer = 40": "stm32cube.dma_buffer: must be a multiple of 32",
    'stm32cube.codec = "wm8994"': "stm32cube.codec: needs family = 'f7' and reader = 'sai'",
    'stm32cube.uart_pins = ["PA1"]': "stm32cube.uart_pins: 1 pins, must be 2",
    'cmsis.packs = ["Me::Pack@latest"]': "cmsis.packs = 'Me::Pack@latest', allowed: VENDOR::NAME",
    "cmsis.has_audio = 1": "cmsis.has_audio = 1, must be true or false",
    "arduino.rates = []": "arduino: one architecture and one rate are needed at least",
    "arduino.rates = [0]": "arduino.rates = 0, allowed: 1 to 1000000",
    'arduino.reader = "i2s"': "arduino.rates: is for reader = 'pdm', not 'i2s'",
    'arduino.fqbn = "me:core"': "arduino.fqbn = 'me:core', allowed: VENDOR:CORE:BOARD",
}


def changed(table: str, key: str, value: str) -> str:
    lines = [line for line in OWN[table].splitlines() if line.split(" = ")[0].strip() != key]
    return "\n".join([*lines, f"{key} = {value}"])


@pytest.mark.parametrize(("line", "message"), WRONG.items(), ids=list(WRONG))
def test_a_wrong_value_is_one_clear_line(
    line: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wherever the file is used: by a kind that reads the table, another one, and the list."""
    name, _, value = line.partition(" = ")
    table, key = name.split(".")
    path = write_board(tmp_path, **{table.replace("-", "_"): changed(table, key, value)})
    model = tmp_path / "model.tflite"
    model.write_bytes(with_metadata('{"schema": 1, "labels": ["a", "b", "c"]}'))
    generating = ["generate", model, "--frontend", FRONTEND, "--board", path]
    for command in (
        [*generating, "--project", "sources", "--out", tmp_path / "out"],
        ["boards", path, "nrf52840dk"],
    ):
        assert refused(capsys, *command).startswith(f"asc-tiny: {path}: {message}")
    assert not (tmp_path / "out").exists()


def test_a_missing_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_board(tmp_path, esp_idf="cores = 1")
    assert refused(capsys, "boards", path) == f"asc-tiny: {path}: esp-idf.target is missing"


def test_a_table_that_no_kind_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_board(tmp_path, zefyr='target = "x"')
    message = refused(capsys, "boards", path)
    assert message == (
        f"asc-tiny: {path}: unknown table zefyr, allowed: arduino, cmsis, esp-idf, flash, memory, "
        "microphone, pico-sdk, platformio, stm32cube, zephyr"
    )


def test_what_tables_need_of_each_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, path = tmp_path / "model.tflite", tmp_path / "mine.toml"
    model.write_bytes(with_metadata('{"schema": 1, "labels": ["a", "b", "c"]}'))
    command = ["generate", model, "--frontend", FRONTEND, "--board", path, "--resample"]
    command += ["--project", "platformio", "--out", tmp_path / "out"]
    path.write_text(f"{BOARD}[platformio]{OWN['platformio']}")
    needed = "platformio.framework = 'stm32cube' needs a table [stm32cube]"
    assert refused(capsys, *command) == f"asc-tiny: {path}: {needed}"
    tables = f"[platformio]{OWN['platformio']}[stm32cube]{OWN['stm32cube']}"
    path.write_text(BOARD.replace("48_000_000", "81_000_000") + tables)
    assert "clock_hz = 81000000, allowed with a table [stm32cube]" in refused(capsys, *command)


def test_a_table_of_its_own_goes_before_that_of_the_board_it_is_like(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('like = "disco_l475_iot1"\ncore = "x"\n[zephyr]\ntarget = "mine"\n')
    board = catalog.get(str(path))
    assert TABLES["zephyr"].read(board).target == "mine"
    assert TABLES["zephyr"].read(board).microphone == ""
    assert TABLES["cmsis"].read(board).target == "B-L475E-IOT01A"


OLD = """
like = "{like}"
core = "x"
clock_hz = {clock}
flash_bytes = 0x100000
ram_bytes = {ram}
microphone = "{microphone}"
"""

MADE_LIKE = [
    ("arduino", "nano33ble_sense", "nano_33_ble_sense"),
    ("platformio", "nano33ble_sense", "nano_33_ble_sense"),
    ("platformio", "disco_l475_iot1", "stm32l4_dfsdm"),
    ("stm32cubeide", "stm32l496g_disco", "stm32l4_dfsdm"),
    ("cmsis", "disco_l475_iot1", "stm32l4_dfsdm"),
    ("zephyr", "disco_l475_iot1", "stm32l4_dfsdm"),
    ("zephyr", "nrf5340dk", "nrf_pdm"),
    ("esp-idf", "esp32c6_devkitc", "i2s_inmp441"),
    ("pico-sdk", "rpi_pico2", "i2s_inmp441"),
]


@pytest.mark.parametrize(("kind", "like", "microphone"), MADE_LIKE)
def test_a_file_from_before_there_were_tables(
    kind: str, like: str, microphone: str, tmp_path: Path
) -> None:
    """It names a board that it is like, and is served as that board is."""
    model, path = tmp_path / "model.tflite", tmp_path / "mine.toml"
    model.write_bytes(with_metadata('{"schema": 1, "labels": ["a", "b", "c"]}'))
    board = catalog.get(like)
    text = OLD.format(like=like, microphone=microphone, clock=board.clock_hz, ram=board.ram_bytes)
    path.write_text(text)
    command = ["generate", model, "--frontend", FRONTEND, "--project", kind, "--resample"]
    assert asc_tiny(*command, "--board", path, "--out", tmp_path / "mine") == 0
    assert asc_tiny(*command, "--board", like, "--out", tmp_path / "like") == 0
    written = [file for file in (tmp_path / "like").rglob("*") if file.is_file()]
    for file in written:
        name = file.relative_to(tmp_path / "like")
        # What is for people has the board's own name; the manifest names the board. PlatformIO's
        # own script links where the file does not say where memory is.
        own = ("README.md", "asc-tiny.json", "memory.ld", "platformio.ini")
        if name.name not in own:
            assert (tmp_path / "mine" / name).read_bytes() == file.read_bytes(), name
    assert len(written) > 20


HOSTILE = (
    *("a\nb", "a: b", "a #b", "$(id)", "`id`", "${x}", '"', "'", "\\", "a;b", "{{ 1 }}", "*/"),
    *("../x", "-Dx", "<img>", "a\u2028b", "", "x" * 200),
)
_EMPTY = (
    *("title", "supply_pin", "uart_function", "word_select_pin"),
    *("codec", "master_clock_pin"),
)
MAY_BE_EMPTY = {
    *(("stm32cube", name) for name in _EMPTY),
    ("zephyr", "microphone"),
    ("arduino", "fqbn"),
}


@pytest.mark.parametrize("name", TABLES)
def test_no_text_of_a_table_can_end_where_it_is_printed(name: str, tmp_path: Path) -> None:
    """Texts reach build files, sources and paths as they are: others than names are refused."""
    content = files.parse_toml(f"[{name}]{OWN[name]}".encode(), source="")[name]
    board = dataclasses.replace(catalog.get("host"), name="x")
    texts = 0
    for field in dataclasses.fields(TABLES[name].kind):
        value = content.get(field.name, "")
        if not isinstance(value, str | list):
            continue
        for text in HOSTILE:
            if text == "" and (name, field.name) in MAY_BE_EMPTY:
                continue
            changed = [text] if isinstance(value, list) else text
            tables = {name: {**content, field.name: changed}}
            with pytest.raises(AscError):
                TABLES[name].read(dataclasses.replace(board, own_tables=tables))
            texts += 1
    assert texts >= len(HOSTILE)


def test_the_tables_of_this_tool_s_boards_are_right() -> None:
    for board in catalog.BOARDS.values():
        registry.check_tables(board, GENERATORS)
    used = {name for board in catalog.BOARDS.values() for name in board.own_tables}
    assert used == set(TABLES)
