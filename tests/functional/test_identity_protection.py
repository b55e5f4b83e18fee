# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A refused deletion says that the protection was lifted only where it was."""

from __future__ import annotations

import pytest
from functional.harness import run_in_process

from ansible_collections.community.infisical.plugins.modules import infisical_identity
from emulator import running


@pytest.mark.parametrize("protected", [True, False])
def test_a_refused_deletion_says_whether_the_protection_was_lifted(protected: bool) -> None:
    with running() as server:
        identity_id = server.create_identity("kept", delete_protection=protected)
        server.fault("error", method="DELETE", status=403, error="PermissionDenied", message="no")
        options = {"id": identity_id, "state": "absent", "delete_protection": False}
        given = {"url": server.url, "token": server.token, "retries": 0, **options}
        result = run_in_process(infisical_identity.main, given)
    assert result["failed"]
    assert ("protection was lifted" in result["msg"]) == protected
    assert result["changed"] == protected
