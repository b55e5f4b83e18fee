# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Warnings, which a terminal shows, have no control characters of an identity's name."""

from __future__ import annotations

from functional.harness import run_in_process, warning_texts

from ansible_collections.community.infisical.plugins.modules import infisical_identity
from emulator import running


def test_a_warning_has_no_control_characters_of_a_name() -> None:
    with running(lacks=["/v2/identities/search"]) as server:
        identity_id = server.create_identity("evil\x1b[31mred")
        given = {"url": server.url, "token": server.token, "id": identity_id, "role": "member"}
        result = run_in_process(infisical_identity.main, given, check=True)
    (warning,) = [text for text in warning_texts(result) if "may have others" in text]
    assert warning.endswith("evil [31mred")
    assert warning.isprintable()
