"""Settings of Sphinx for the site, which tools/docs builds."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

import asc_tiny  # noqa: E402
from site_pages.links import urls  # noqa: E402

project = "asc-tiny"
version = release = asc_tiny.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "site_pages"]

# Links to headings of any page are checked, by the anchors that GitHub gives them.
myst_heading_anchors = 4
# Blocks say their language, or have none.
highlight_language = "none"

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"

html_theme = "furo"
html_title = "asc-tiny"
html_baseurl = f"{urls()['Documentation']}/"
html_show_copyright = html_show_sphinx = False
html_theme_options = {
    "source_repository": urls()["Repository"],
    "source_branch": "main",
    "source_directory": "docs/",
}
linkcheck_timeout = 20
