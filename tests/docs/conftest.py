# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures: each document's story, told once for all tests of its blocks."""

from __future__ import annotations

import typing as t

import pytest
from tools.paths import link_collection

from docs.documents import BLOCKS
from docs.logins import logins
from docs.stories import Story
from emulator import running

Tell = t.Callable[[str], Story]


@pytest.fixture(scope="session")
def tell(tmp_path_factory: pytest.TempPathFactory) -> Tell:
    """Return a function that runs a document's blocks and returns what came of them."""
    link_collection()
    told: dict[str, Story] = {}

    def tell_once(document: str) -> Story:
        if document not in told:
            folder = tmp_path_factory.mktemp("story")
            with running() as emulator, logins(emulator, folder) as given:
                told[document] = Story(BLOCKS[document], emulator, given, folder)
        return told[document]

    return tell_once
