# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sphinx's settings for the documentation site, which `make docs` copies beside generated pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docutils import nodes

if TYPE_CHECKING:
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

project = "community.infisical"
author = "The community.infisical authors"
project_copyright = f"2026, {author}"

extensions = ["sphinx_antsibull_ext"]
# Every reference that leads nowhere is a warning, and `make docs` makes warnings errors.
nitpicky = True
# The front page lists all pages instead: one that it lacks is a warning, too.
exclude_patterns = ["collection/index.rst"]
highlight_language = "yaml+jinja"
pygments_style = "friendly"
pygments_dark_style = "github-dark"

html_theme = "furo"
html_title = project
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_use_index = False
# Colours come from the theme, so that they follow its switch for the dark mode.
antsibull_ext_color_scheme = "none"

# What generated pages refer to in Ansible's own documentation. A downloaded inventory would make
# the build depend on the network.
ANSIBLE = "https://docs.ansible.com/projects/ansible/latest"
APPENDICES = f"{ANSIBLE}/reference_appendices"
ELSEWHERE = {
    "action_plugins": f"{ANSIBLE}/plugins/action.html#action-plugins",
    "ansible_configuration_settings": f"{APPENDICES}/config.html#ansible-configuration-settings",
    "common_return_values": f"{APPENDICES}/common_return_values.html#common-return-values",
}


def refer_elsewhere(
    _app: Sphinx, _environment: BuildEnvironment, node: pending_xref, content: nodes.TextElement
) -> nodes.reference | None:
    """Resolve a reference that Sphinx could not, or leave it to be reported."""
    address = ELSEWHERE.get(node["reftarget"])
    return nodes.reference("", "", content, refuri=address) if address else None


def drop_contents(_app: Sphinx, doctree: nodes.document) -> None:
    """Remove tables of contents from pages, and links to them: the theme has them at the side."""
    for topic in list(doctree.findall(nodes.topic)):
        if "contents" in topic["classes"]:
            topic.parent.remove(topic)
    for title in doctree.findall(nodes.title):
        title.attributes.pop("refid", None)


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("doctree-read", drop_contents)
    app.connect("missing-reference", refer_elsewhere)
