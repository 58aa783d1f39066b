"""The page on failing flashes: each message that it quotes is one that the code can say."""

from __future__ import annotations

import re

import pytest

from support.paths import ROOT

PAGE = (ROOT / "docs" / "how_to" / "flashing_fails.md").read_text(encoding="utf-8")
NOT_OURS = ("Failed to connect to ESP32-S3", "(insufficient permissions)")
"""Words of esptool and pyOCD."""

PLACES = ("RPI-RP2", "0xe48bff59", "0xe48bff56", "rpi_pico", "stm32f746zgtx", "ESP32-C3", "esp32s3")
PLACES += ("dialout", "USER", "DIR", "PORT", "west", "wlink", "INFO_UF2.TXT", "0x", "A1", "code 1")
PLACES += ("nrf52840dk", "Cortex-M33", "Cortex-M4F")


def messages() -> list[str]:
    cells = re.findall(r"^\| (`.+?`(?:, `.+?`)*) \| ", PAGE, re.MULTILINE)
    return [each for cell in cells for each in re.findall(r"`(.+?)`", cell)]


@pytest.fixture(scope="module")
def said() -> str:
    """The texts of the code, joined where a literal goes on, with a mark for what is put in."""
    folders = ("targets/flashing", "targets/device", "projects")
    paths = [path for name in folders for path in (ROOT / "asc_tiny" / name).rglob("*.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(paths))
    joined = re.sub(r'"\s*\n\s*f?"', "", text)
    constants = dict(re.findall(r'^(_[A-Z]+) = "(.+)"$', joined, re.MULTILINE))
    for name, value in constants.items():
        joined = joined.replace(f"{{{name}}}", value)
    return re.sub(r"\{[^{}]*\}", "@", joined)


@pytest.mark.parametrize("message", messages())
def test_the_code_says_it(message: str, said: str) -> None:
    for words in (*NOT_OURS, *PLACES):
        message = message.replace(words, "code @" if words == "code 1" else "@")
    parts = [part.strip(" ;:,()") for part in re.split(r"@|\.\.\.", message)]
    wanted = [part for part in parts if len(part) > 3]
    missing = [part for part in wanted if part not in said]
    assert not missing, missing


def test_the_page_has_messages() -> None:
    assert len(messages()) > 20
