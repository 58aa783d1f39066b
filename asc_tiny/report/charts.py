"""Charts as SVG, which needs no script, and as what a browser draws anew with Vega.

Both come from one specification. Text takes the page's color (``currentColor``), so that a page in
dark mode needs no other charts.
"""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from functools import cache
from typing import Any

from asc_tiny.util.errors import AscError

COLORS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#999999", "#ee8866")
"""Paul Tol's bright scheme, which color-blind readers can tell apart, and one more."""

_WIDTH = 700
_HALF_WIDTH = 360
_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_TEXT = {
    "labelColor": "currentColor",
    "titleColor": "currentColor",
    "labelFontSize": 11,
    "titleFontSize": 11,
    "titleFontWeight": "normal",
}
_LINES = {"domainColor": "#888", "tickColor": "#888", "gridColor": "#888", "gridOpacity": 0.25}
_CONFIG: Mapping[str, Any] = {
    "background": None,
    # Of the width of Liberation Sans, by which text is laid out where there is no Arial.
    "font": "Arial, Liberation Sans, Helvetica, sans-serif",
    "axis": {**_TEXT, **_LINES},
    "legend": _TEXT,
    "title": {"color": "currentColor"},
    "view": {"stroke": None},
    "range": {"category": list(COLORS)},
    "text": {"color": "currentColor"},
    "rule": {"color": "currentColor"},
}


def specification(chart: Mapping[str, Any]) -> dict[str, Any]:
    """Return a chart with its looks, as wide as the element that it is put into."""
    return {
        "$schema": f"https://vega.github.io/schema/vega-lite/v{_version().split('.')[0]}.json",
        "config": _CONFIG,
        "width": "container",
        "autosize": {"type": "fit-x", "contains": "padding"},
        **chart,
    }


def svg(chart: Mapping[str, Any], name: str, *, is_half: bool = False) -> str:
    """Return a chart as an SVG element to put into a page.

    Args:
        chart: the specification as of ``Chart.spec``.
        name: prefix of the identifiers within it, unlike that of other charts of the page.
        is_half: whether another chart stands beside it.

    Raises:
        AscError: the library is not installed.
    """
    width = _HALF_WIDTH if is_half else _WIDTH
    spec = {**specification(chart), "width": width}
    # Parsed, so that nothing goes into the page that is not well-formed.
    drawn = _library().vegalite_to_svg(spec, vl_version=_version(), allowed_base_urls=[])
    root = ET.fromstring(drawn)
    # The library counts up over all charts that a process draws.
    named = [each for each in root.iter() if "id" in each.attrib]
    names = {each.attrib["id"]: f"{name}-{number}" for number, each in enumerate(named)}
    for element in root.iter():
        for key, value in list(element.attrib.items()):
            if key == "id":
                element.set(key, names[value])
            elif value.startswith("url(#"):
                element.set(key, f"url(#{names[value[5:-1]]})")
    ET.register_namespace("", _SVG)
    ET.register_namespace("xlink", _XLINK)
    return ET.tostring(root, encoding="unicode")


@cache
def script() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as the text of one script.

    Raises:
        AscError: the library is not installed, or holds what would end the script's element.
    """
    snippet = "window.vegaEmbed = vegaEmbed;"
    bundle: str = _library().javascript_bundle(snippet, vl_version=_version())
    # In a string or a regular expression, the only places where it can stand, it means the same.
    return re.sub(r"</(script)", r"<\\/\1", bundle, flags=re.IGNORECASE)


def as_json(value: object) -> str:
    """Return JSON that can stand in a script element of a page."""
    text = json.dumps(value, sort_keys=True, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


@cache
def _version() -> str:
    """Return the newest version of Vega-Lite that the library has, such as ``6.1``."""
    versions: list[str] = _library().get_vegalite_versions()
    return versions[-1]


@cache
def _library() -> Any:
    try:
        import vl_convert
    except ImportError as error:
        missing = "vl-convert-python is not installed: pip install 'asc-tiny[report]'"
        raise AscError(missing) from error
    return vl_convert
