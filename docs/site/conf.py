"""How Sphinx makes the site of what docs/site/build.py has laid out around this file."""

project = "cnnatomy"
author = "The cnnatomy developers"
copyright = "the cnnatomy developers, under the MIT licence"
extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["beside"]
myst_heading_anchors = 4  # as GitHub gives them
highlight_language = "none"  # of a block that names none
default_role = "literal"  # docstrings mark code by one back quote
autodoc_member_order = "bysource"
autodoc_typehints = "description"
add_module_names = False

html_theme = "furo"
html_title = "cnnatomy"
html_static_path = ["_static"]
html_css_files = ["look.css"]
html_extra_path = ["beside"]
html_copy_source = False
html_theme_options = {"top_of_page_buttons": []}


def setup(app):
    app.connect("autodoc-process-docstring", lambda app, kind, name, what, how, lines: plain(lines))


def plain(lines):
    """Docstrings are text in which only back quotes mean something."""
    lines[:] = [line.replace("*", "\\*") for line in lines]
