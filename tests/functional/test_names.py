# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Identities by name, on every generation."""

from __future__ import annotations

from pathlib import Path

import pytest
from functional.cases import ATTACHED, REQUIRED
from functional.harness import Task, run_tasks

from emulator import running

UNKNOWN = "is not the name of any identity that this login can see in its organization"


@pytest.mark.parametrize("generation", ["2026", "2025-06", "2024-10"])
def test_identity_name(generation: str, tmp_path: Path) -> None:
    with running(generation=generation) as server:
        plain = server.create_identity("ledger")
        server.create_identity("Ledger")
        server.create_identity("ledger 2")
        odd = server.create_identity("ledger: prod (eu)")
        server.create_identity("only elsewhere", organization_id=server.other_organization_id)
        for identity_id in (plain, odd):
            server.put_azure_auth(identity_id, **ATTACHED)
        fresh = server.create_identity("fresh")
        twins = set(server.create_identities(["twin of mine"] * 2))
        base = {"url": server.url, "token": server.token}
        server.clear_requests()
        found, by_odd_name, attach, unknown, ambiguous, elsewhere, in_check_mode = run_tasks(
            tmp_path,
            [
                Task({**base, "identity_name": " ledger "}),
                Task({**base, "identity_name": "ledger: prod (eu)", "resource": "other"}),
                Task({**base, "identity_name": "fresh", **REQUIRED}),
                Task({**base, "identity_name": "ledge"}),
                Task({**base, "identity_name": "twin of mine"}),
                Task({**base, "identity_name": "only elsewhere"}),
                Task({**base, "identity_name": "ledge"}, check=True),
            ],
        )
        assert not found["failed"], found["msg"]
        assert found["changed"] is False
        assert found["azure_auth"]["identity_id"] == plain
        assert found["identity_name"] == "ledger"
        assert by_odd_name["changed"] is True
        assert by_odd_name["azure_auth"]["identity_id"] == odd
        assert by_odd_name["identity_name"] == "ledger: prod (eu)"
        assert by_odd_name["azure_auth"]["resource"] == "other"
        assert attach["changed"] is True
        assert attach["azure_auth"]["identity_id"] == fresh
        assert f"identity_name 'ledge' {UNKNOWN}" in unknown["msg"]
        assert in_check_mode["msg"] == (
            f"{unknown['msg']} In check mode, an identity that an earlier task would create does"
            " not exist yet."
        )
        assert "identity_name 'twin of mine' is the name of 2 identities (" in ambiguous["msg"]
        assert all(identity_id in ambiguous["msg"] for identity_id in twins)
        assert f"identity_name 'only elsewhere' {UNKNOWN}" in elsewhere["msg"]
        searches = [item for item in server.requests() if item.path.endswith("/search")]
        assert {item.status for item in searches} == {404 if generation == "2024-10" else 200}
        # What is attached is known from the search, so that attaching needs no further read.
        writes_and_reads = [item.method for item in server.requests(identity_id=fresh)]
        assert writes_and_reads == ["POST"]
