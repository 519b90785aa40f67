"""The documentation site: `python -m sphinx -W notebooks site` builds it, without a network."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "site"), str(HERE.parent)]

from opeai_nb import __version__  # noqa: E402  of this checkout, not of an installed package

project = "opeai_nb"
author = "the opeai_nb authors"
copyright = "the opeai_nb authors, Apache-2.0"  # noqa: A001  Sphinx's own name
version = release = __version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx_copybutton", "tables"]
exclude_patterns = ["site", "_build", "imagine", "**/.ipynb_checkpoints"]

# The tutorials are shown as they were saved: nothing runs, so nothing is painted for a page.
nb_execution_mode = "off"
nb_ipywidgets_js = {}  # it would be fetched from elsewhere; the panel is shown as a picture
nb_mime_priority_overrides = [("html", "text/html", 0), ("html", "image/jpeg", 1)]
nb_merge_streams = True
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
# A picture's text is no loss beside the picture; our errors are no tracebacks to be coloured.
suppress_warnings = ["mystnb.mime_priority", "misc.highlighting_failure"]

# Docstrings use single backticks for code, as the whole package does.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_default_options = {
    "members": True,
    "inherited-members": "BaseException, tuple, dict",
}

python_maximum_signature_line_length = 80

html_theme = "pydata_sphinx_theme"
html_title = "opeai_nb"
html_static_path = ["site/static"]
html_css_files = ["site.css"]
html_sidebars = {page: [] for page in ("index", "install", "platform", "changelog")}  # no siblings
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "navbar_start": ["navbar-logo"],
    "navbar_end": ["theme-switcher"],
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
# A copied line of IPython or a shell runs as it is.
copybutton_prompt_text = r">>> |\$ "
copybutton_prompt_is_regexp = True
