"""Class names of others: data in every language, refused where people could not tell them apart."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asc_tiny.firmware.c import escape
from asc_tiny.util import labels
from asc_tiny.util.errors import AscError
from support.commands import asc_tiny
from support.hostile_models import FRONTEND, MODEL, with_metadata

C_COMPILERS = [
    [*compiler, *standard]
    for compiler in (["gcc", "-x", "c"], ["arm-none-eabi-gcc", "-x", "c"])
    for standard in (["-std=c99"], ["-std=gnu99"], ["-std=c99", "-trigraphs"], ["-std=gnu11"])
]
CXX_COMPILERS = [
    ["g++", "-x", "c++", *standard]
    for standard in (["-std=c++11"], ["-std=gnu++14"], ["-std=c++17"], ["-std=c++20", "-trigraphs"])
]
EVERY_CHARACTER = "".join(map(chr, [*range(1, 0x180), 0x2028, 0x202E, 0x20AC, 0xFFFF, 0x1F600]))
TRICKY = ["??/", '??/"};', "??!0123", "\\", '\\"', "a\0017", "\x7f9", "%s%n", "*/ /*", "é1", "//\\"]


def compiled(compiler: list[str], source: str, folder: Path) -> bytes:
    """Return the read-only data of a translation unit, compiled without a warning."""
    target = folder / "out.o"
    command = [*compiler, "-Wall", "-Wextra", "-Werror", "-pedantic", "-c", "-", "-o", str(target)]
    subprocess.run(command, input=source.encode(), check=True, capture_output=True)
    return target.read_bytes()


@pytest.mark.parametrize("compiler", [*C_COMPILERS, *CXX_COMPILERS], ids=" ".join)
def test_every_compiler_reads_the_same_bytes(compiler: list[str], tmp_path: Path) -> None:
    texts = [EVERY_CHARACTER, *TRICKY, "x" * 200 + "?" * labels.MAX_BYTES]
    strings = "".join(f"    {escape.c_string(text)},\n" for text in texts)
    source = f"extern const char *const names[];\nconst char *const names[] = {{\n{strings}}};\n"
    data = compiled(compiler, source, tmp_path)
    for text in texts:
        assert text.encode() + b"\0" in data, text


@settings(max_examples=25, deadline=None)
@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=40, max_size=80))
def test_c_strings_hold_any_text(
    texts: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("strings")
    texts = [text.replace("\0", "") for text in texts]
    strings = "".join(f"    {escape.c_string(text)} {escape.c_string('|')},\n" for text in texts)
    source = f"extern const char *const names[];\nconst char *const names[] = {{\n{strings}}};\n"
    data = compiled(["gcc", "-x", "c", "-std=c99"], source, folder)
    for text in texts:
        assert f"{text}|\0".encode() in data


@pytest.mark.parametrize("text", ["*/ int x; /*", "*\\ int x;", "\\*", "x??/", "x\\", "a\nint x;"])
def test_comments_hold_any_text(text: str, tmp_path: Path) -> None:
    line = escape.comment(text)
    source = f"/* {line} */\nint one;\n"
    compiled(["gcc", "-x", "c", "-std=c99"], source, tmp_path)
    compiled(["gcc", "-x", "c", "-std=gnu99"], f"// {line}\nint one;\n", tmp_path)
    assert "\n" not in line


@pytest.mark.parametrize(
    "text", ['"', "\\", "${HOME}", "a;b", "$ENV{HOME}", "@x@", "]]", "# a", "é"]
)
def test_cmake_reads_any_text(text: str, tmp_path: Path) -> None:
    script = tmp_path / "script.cmake"
    script.write_text(f"file(WRITE out.txt {escape.cmake_string(text)})\n", encoding="utf-8")
    subprocess.run(["cmake", "-P", script], cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "out.txt").read_text(encoding="utf-8") == text


def test_markdown_shows_any_text() -> None:
    shown = escape.markdown("street_traffic [x](y) <b> *c* `d`")
    assert shown == "street_traffic \\[x\\](y) &lt;b&gt; \\*c\\* \\`d\\`"


NAMES = {
    "rain": True,
    "Straßenbahn, 電車": True,
    "می‌روم": True,
    "x" * 255: True,
    "é" * 127: True,
    "": False,
    " rain": False,
    "rain ": False,
    "rain\xa0": False,
    "a\nb": False,
    "a\x1b[2J": False,
    "a\u2028b": False,
    "a\u202eb": False,
    "a\ud800": False,
    "\ufeffrain": False,
    "x" * 256: False,
    "é" * 128: False,
    "x" * 100_000_000: False,
}


@pytest.mark.parametrize(("name", "allowed"), NAMES.items(), ids=[ascii(n)[:20] for n in NAMES])
def test_names(name: str, allowed: bool) -> None:
    assert labels.is_name(name) is allowed
    if not allowed:
        with pytest.raises(AscError, match=r"^f: class name .{,70}, allowed: 1 to 255 bytes"):
            labels.check(["bus", name], source="f")


@pytest.mark.parametrize(
    "names",
    [
        ["rain", "Rain"],
        ["a b", "a  b"],
        ["STRASSE", "straße"],
        ["é", "e\u0301"],
        ["ab", "a\u200db"],
    ],
)
def test_names_that_look_alike(names: list[str]) -> None:
    with pytest.raises(AscError, match="differ in case or blanks alone"):
        labels.check_distinct(["bus", *names], source="f")


def test_a_class_named_like_the_unknown_label() -> None:
    labels.check_distinct(["bus", "Unknown"], source="f")
    with pytest.raises(AscError, match="named like the label of scores below the threshold"):
        labels.check_distinct(["bus", "Unknown"], source="f", unknown="unknown")


def generate(tmp_path: Path, content: bytes, *more: str | Path) -> int:
    """Run ``generate`` with a file of labels."""
    file = tmp_path / "labels.txt"
    file.write_bytes(content)
    options = ["--frontend", FRONTEND, "--labels", file, "--out", tmp_path / "out"]
    return asc_tiny("generate", MODEL, *options, "--project", "sources", *more)


ACCEPTED = {
    b"\xef\xbb\xbfairport\nbus\nmetro\n": ("airport", "bus", "metro"),
    b"airport\r\nbus\r\nmetro": ("airport", "bus", "metro"),
    b"airport\rbus\rmetro\r": ("airport", "bus", "metro"),
    b"\n airport \nbus\t\n\nmetro\n\n": ("airport", "bus", "metro"),
    b"what??/\nno??!\nmetro\n": ("what??/", "no??!", "metro"),
}


@pytest.mark.parametrize(("content", "names"), ACCEPTED.items())
def test_files_of_labels(content: bytes, names: tuple[str, ...], tmp_path: Path) -> None:
    assert generate(tmp_path, content) == 0
    text = (tmp_path / "out" / "asc_labels.c").read_text(encoding="ascii")
    assert "".join(f"    {escape.c_string(name)},\n" for name in names) in text
    for standard in ("-std=c99", "-std=gnu99"):
        command = ["gcc", standard, "-Wall", "-Wextra", "-pedantic", "-Werror", "-c", "-o"]
        source = tmp_path / "out" / "asc_labels.c"
        subprocess.run([*command, tmp_path / "labels.o", source], check=True)
        data = (tmp_path / "labels.o").read_bytes()
        assert all(name.encode() + b"\0" in data for name in names)


REFUSED = {
    b"a\x01b\nc\nd\n": r"labels.txt: class name 'a\x01b', allowed",
    b"a\na\nb\n": "labels.txt names a class twice: 'a'",
    b"rain\nRain\nbus\n": "classes 'rain' and 'Rain' differ in case or blanks alone",
    b"a\nb\n\xff\n": "labels.txt:3: not UTF-8 text; save the file as UTF-8",
    b"\n \n": "labels.txt: no class names, at least one is needed",
    b"a\0\nb\nc\n": r"class name 'a\x00', allowed",
}


@pytest.mark.parametrize(("content", "message"), REFUSED.items())
def test_files_of_labels_that_are_refused(
    content: bytes, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert generate(tmp_path, content) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_the_unknown_label_is_one_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    decision = tmp_path / "decision.toml"
    decision.write_text("threshold = 0.5\n")
    content = b"a\nunknown\nb\n"
    assert generate(tmp_path, content) == 0
    assert generate(tmp_path, content, "--decision", decision) == 2
    assert "class 'unknown' is named like the label of scores" in capsys.readouterr().err


INJECTION = (
    'rain??/"}; extern int puts(const char *); __attribute__((constructor)) static void evil(void) '
    '{ puts("PWNED"); } const char *const asc_rest[] = { //'
)


@pytest.mark.parametrize("project", ["sources", "cmake", "arduino", "zephyr", "platformio"])
def test_a_label_is_never_code(project: str, tmp_path: Path) -> None:
    model, out = tmp_path / "x*\\ y.tflite", tmp_path / "out"
    model.write_bytes(with_metadata(json.dumps({"schema": 1, "labels": [INJECTION, "*/", "%s"]})))
    options = ["--frontend", FRONTEND, "--out", out, "--project", project]
    assert asc_tiny("generate", model, *options) == 0
    (source,) = out.rglob("asc_labels.c")
    for standard in ("-std=c99", "-std=gnu99", "-std=c++11", "-std=c++20"):
        compiler = "g++" if "++" in standard else "gcc"
        language = "c++" if compiler == "g++" else "c"
        data = compiled(
            [compiler, standard, "-x", language, f"-I{source.parent}"],
            source.read_text(encoding="ascii"),
            tmp_path,
        )
        assert INJECTION.encode() + b"\0" in data
        assert b"PWNED\0" not in data
    for path in out.rglob("*.properties"):
        assert [line.split("=")[0] for line in path.read_text().splitlines()] == [
            "name",
            "version",
            "author",
            "maintainer",
            "sentence",
            "paragraph",
            "category",
            "url",
            "architectures",
            "includes",
        ][: len(path.read_text().splitlines())]


METADATA = {
    r'"labels": ["a\u0001b", "c", "d"]': "class name 'a\\x01b', allowed",
    r'"labels": ["\ud800", "c", "d"]': "is not JSON: a text holds half of a surrogate pair",
    r'"labels": ["a", "b ", "d"]': "class name 'b ', allowed",
    r'"labels": ["a", "A", "d"]': "differ in case or blanks alone",
    r'"labels": ["a", "a", "d"]': "names a class twice",
    r'"labels": {"a": 1}': "metadata labels must be a list of class names",
    r'"labels": []': "no class names",
}


@pytest.mark.parametrize(("entry", "message"), METADATA.items())
def test_labels_in_metadata_that_are_refused(
    entry: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "model.tflite"
    model.write_bytes(with_metadata(f'{{"schema": 1, {entry}}}'))
    options = ["--frontend", FRONTEND, "--out", tmp_path / "out", "--project", "sources"]
    assert asc_tiny("generate", model, *options) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()
