"""The reference of the C interface, from the comments of the headers that applications include.

A comment belongs to what is declared right below it. Its first paragraphs describe, a last one of
lines ``name: text`` tells the parameters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import jinja2

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "firmware_templates"
HEADERS = {
    "The classifier": "runtime/classifier/asc_classifier.h",
    "The front end": "runtime/frontend/asc_frontend.h",
    "Decisions": "runtime/decision/asc_decision.h",
    "The network": "generated/network/asc_net.h.j2",
    "A network alone, by numbers": "generated/ends/asc_ends.h.j2",
    "Golden inputs": "runtime/golden/asc_golden.h",
    "Samples from an interrupt": "app/asc_listen.h",
    "The ring between interrupt and classifier": "generated/audio/asc_audio.h.j2",
    "The resampler": "runtime/resample/asc_resample.h",
    "PDM microphones": "runtime/pdm/asc_pdm.h",
    "The self-test": "runtime/selftest/asc_selftest.h",
    "Provenance": "generated/provenance/asc_provenance.h.j2",
    "The serial protocol": "runtime/protocol/asc_protocol.h",
    "Frames of the protocol": "runtime/protocol/asc_frame.h",
}
"""Headers that applications include, by the title of their section."""

VARIANTS: dict[str, dict[str, object]] = {
    "ASC_NET_STREAMS": {"frame_steps": True},
    "ASC_NET_STATE_SIZE > 0": {"states": True},
}
"""What a network's header has beside the usual, by the condition that a program can ask."""

COMMENT = r"/\*(?P<comment>(?:[^*]|\*(?!/))*)\*/\n"
STRUCT = r"typedef (?:(?:struct|union|enum)[^;{]*\{.*?\n\} *\w+|\w+ \w+);"
FUNCTION = r"(?:(?!typedef|static|#|/\*)[A-Za-z_][^;{}#/]*\([^;{}#]*\)[^;{}#()]*;)"
DECLARED = re.compile(rf"^(?:{COMMENT})?(?P<code>{STRUCT}|{FUNCTION})", re.DOTALL | re.MULTILINE)
FUNCTION_NAME = re.compile(r"(\w+)\(")
CONDITION = re.compile(r"#(if|ifdef|ifndef|elif|else|endif)\b *(.*)")
PARAMETER = re.compile(r"^(\w+(?:, \w+)*): (.*)", re.DOTALL)


@dataclass(frozen=True)
class Declared:
    """A function or type of a header.

    Attributes:
        name: its name.
        code: its declaration as it stands there.
        comment: the text above it, without marks of the comment.
        condition: the preprocessor's condition around it, "" for none.
    """

    name: str
    code: str
    comment: str
    condition: str


def text_of(header: str, **more: object) -> str:
    """Return a header; one that is generated, as it is for a network of one input and output.

    Args:
        header: the header's path below firmware_templates.
        more: what its template asks beside that.
    """
    text = (TEMPLATES / header).read_text(encoding="utf-8")
    if not header.endswith(".j2"):
        return text
    environment = jinja2.Environment(undefined=jinja2.ChainableUndefined, trim_blocks=True)
    environment.filters["hash_literal"] = str
    sizes = dict.fromkeys(("height", "width", "channels", "size", "bytes", "scale"), 1)
    end = {"number": "", "c_type": "int8_t", "shape": "1", **sizes}
    names = {"inputs": [end], "outputs": [end], "input": end, "output": end, "has_float": False}
    return environment.from_string(text).render(names | more)


def declared(header: str) -> Iterator[Declared]:
    """Yield the functions and types that a header declares, in its order."""
    yield from _declared(text_of(header))
    if header.endswith("asc_net.h.j2"):
        known = {each.name for each in _declared(text_of(header))}
        for condition, more in VARIANTS.items():
            for each in _declared(text_of(header, **more)):
                if each.name not in known:
                    yield replace(each, condition=condition)


def _declared(text: str) -> Iterator[Declared]:
    """Yield what a text declares; of what it declares in two ways, the first."""
    known: set[str] = set()
    for found in DECLARED.finditer(text):
        comment = re.sub(r"^ \* ?", "", (found["comment"] or "").strip(), flags=re.MULTILINE)
        code = found["code"]
        last = re.findall(r"\w+", code)[-1]
        name = last if code.startswith("typedef") else FUNCTION_NAME.findall(code)[-1]
        if not code.startswith("typedef"):
            name = next(each for each in FUNCTION_NAME.findall(code) if not each.isupper())
        if name in known:
            continue
        known.add(name)
        yield Declared(name, code, comment, _condition(text[: found.start("code")]))


def _condition(before: str) -> str:
    """Return the innermost condition that is open at the end of a text, guards left out."""
    stack: list[str] = []
    for word, rest in CONDITION.findall(before):
        if word.startswith("if"):
            stack.append(rest if word == "if" else f"{'!' * (word == 'ifndef')}defined({rest})")
        elif word == "endif":
            stack.pop()
        else:
            stack[-1] = rest or f"not {stack[-1]}"
    own = [each for each in stack if "__cplusplus" not in each and "_H)" not in each]
    return own[-1] if own else ""


def markdown() -> str:
    """Return a section for each header, and in it one for each function and type."""
    lines: list[str] = []
    for title, header in HEADERS.items():
        name = Path(header).name.removesuffix(".j2")
        lines += [f"## {title}", "", f'`#include "{name}"`', "", _about(text_of(header)), ""]
        for each in declared(header):
            lines += _section(each)
    return "\n".join(lines)


def _about(text: str) -> str:
    """Return the comment at the top of a header as Markdown, with its program as a block."""
    inside = text.split("*/")[0].split("\n *\n", 1)[-1]
    return re.sub(r"^ \*(?: |$)", "", inside, flags=re.MULTILINE).strip()


def _section(each: Declared) -> Iterator[str]:
    yield from (f"### {each.name}", "", "```c", each.code, "```", "")
    if each.condition:
        yield from (f"Only where `{each.condition}`.", "")
    for paragraph in each.comment.split("\n\n"):
        if PARAMETER.match(paragraph):
            for entry in re.split(r"\n(?=\w[\w, ]*: )", paragraph):
                names, text = PARAMETER.findall(entry)[0]
                yield f"* `{names}`: {_code_words(' '.join(text.split()))}"
        else:
            yield _code_words(paragraph)
        yield ""


def _code_words(text: str) -> str:
    """Return prose whose C names are code, so that their underscores stay."""
    parts = re.split(r"(`[^`]*`|\w*_\w*(?:\[[^\]]*\])?)", text)
    code = (part if part.startswith("`") else f"`{part}`" for part in parts[1::2])
    prose = [re.sub(r"([*<>])", r"\\\1", part) for part in parts[::2]]
    return "".join(chain.from_iterable(zip(prose, [*code, ""], strict=True)))
