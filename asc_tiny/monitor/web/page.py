"""The page: one document with its style and script, which asks for nothing else."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

from markupsafe import Markup

from asc_tiny.monitor.colors import viridis
from asc_tiny.monitor.web.messages import MOST_COLUMNS
from asc_tiny.util import html_templates

LIVE = "/live"
"""Path of the WebSocket."""

_FOLDER = Path(__file__).parent / "files"


@cache
def html() -> str:
    """Return the page."""
    template = html_templates.environment(_FOLDER).get_template("page.html.j2")
    return template.render(
        style=Markup(_text("page.css")),
        script=Markup(_text("page.js")),
        colors=" ".join(viridis()),
        columns=MOST_COLUMNS,
        live=LIVE,
    )


def headers(host: str) -> dict[str, str]:
    """Return headers of the page: what it may load, and that nobody may put it into theirs.

    Args:
        host: header Host of the request, which was checked.
    """
    style, script = (_hash(_text(name)) for name in ("page.css", "page.js"))
    policy = (
        "default-src 'none'",
        f"style-src '{style}'",
        f"script-src '{script}'",
        f"connect-src 'self' ws://{host}",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": "; ".join(policy),
        "Cache-Control": "no-store",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


@cache
def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """Return what names a piece of the page in its policy."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
