# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a purge cannot reach is told once, also where max_changes has it counted before."""

from __future__ import annotations

import pytest
from functional.harness import run_in_process

from ansible_collections.community.infisical.plugins.modules import infisical_identities
from emulator import running


@pytest.mark.parametrize("check", [True, False])
def test_what_a_purge_cannot_reach_is_told_once(check: bool) -> None:
    with running() as server:
        options = {"identities": [], "purge_azure_auth_except": ["payments"], "max_changes": 10}
        given = {"url": server.url, "token": server.token, **options}
        result = run_in_process(infisical_identities.main, given, check=check)
    assert not result["failed"], result["msg"]
    (sentence,) = result["not_visible"]
    assert "are left out (1)" in sentence
