# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sphinx's settings for the documentation site, which `make docs` copies beside generated pages."""

from __future__ import annotations

import os.path
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urldefrag, urlsplit

from docutils import nodes
from sphinx.util import logging

if TYPE_CHECKING:
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

project = "community.infisical"
author = "The community.infisical authors"
project_copyright = f"2026, {author}"

extensions = ["sphinx_antsibull_ext", "sphinx_copybutton"]
# Only the commands are copied from a terminal session, and without their prompts.
copybutton_prompt_text = "$ "
# Every reference that leads nowhere is a warning, and `make docs` makes warnings errors.
nitpicky = True
# The front page lists all pages instead: one that it lacks is a warning, too. The page of
# antsibull-docs on environment variables would be empty, as it leaves out those of modules.
exclude_patterns = ["collection/index.rst", "collection/environment_variables.rst"]
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

LOGGER = logging.getLogger(__name__)

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


# Guides link to files of the repository, so that GitHub shows them as they are. `make docs` runs
# Sphinx in a copy of the repository, and copies the guides to `collection/docsite`.
REPOSITORY = "https://github.com/ansible-collections/community.infisical/blob/main"
GUIDES = "docs/docsite/rst"
PLUGINS = {"plugins/modules": "module", "plugins/filter": "filter", "plugins/lookup": "lookup"}


def page_of(path: Path) -> str | None:
    """Return the page of the site that shows a file of the repository, or None without one."""
    folder, name = str(path.parent), path.stem
    if folder == GUIDES:
        return f"collection/docsite/{name}"
    if folder in PLUGINS:
        return f"collection/{name}_{PLUGINS[folder]}"
    if path.match("roles/*/README.md"):
        return f"collection/{path.parent.name}_role"
    return None


def lead_to_pages(app: Sphinx, doctree: nodes.document, name: str) -> None:
    """Let the links of guides lead to pages of the site, or to files of the repository."""
    if not name.startswith("collection/docsite/"):
        return
    for link in doctree.findall(nodes.reference):
        place, anchor = urldefrag(link.get("refuri", ""))
        if not place or urlsplit(place).scheme:
            continue
        path = Path(os.path.normpath(f"{GUIDES}/{place}"))
        page = page_of(path)
        if not path.exists() or (page and page not in app.env.found_docs):
            LOGGER.warning("%s does not exist", place, location=link)
        elif page:
            uri = app.builder.get_relative_uri(name, page)
            link["refuri"] = f"{uri}#{anchor}" if anchor else uri
            link["classes"] = ["internal"]
        else:
            link["refuri"] = f"{REPOSITORY}/{path}"


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
    app.connect("doctree-resolved", lead_to_pages)
    app.connect("missing-reference", refer_elsewhere)
