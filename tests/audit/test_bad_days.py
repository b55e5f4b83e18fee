# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Audits of servers that do not let themselves be audited."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest

from audit.harness import ROLE, Audit, audits, by_secret, play, writes
from audit.worlds import STORED, clear_seed, entry
from emulator import running

Entry = dict[str, t.Any]


@pytest.fixture(scope="module")
def bad_days(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Audit, int, int]]:
    """Audits on bad days, with the number of tokens that are left, and of writes."""
    done = {}
    faults: dict[str, Entry] = {
        "the server goes down": {"path": "/azure-auth/identities/", "status": 503},
        "nothing can be listed": {
            "path": "/v1/identities$",
            "status": 403,
            "error": "PermissionDenied",
            "message": "no",
        },
        "no login": {
            "path": "/login",
            "status": 401,
            "error": "UnauthorizedError",
            "message": "Invalid credentials",
        },
    }
    for name, fault in faults.items():
        folder = tmp_path_factory.mktemp("bad-day")
        with running() as emulator:
            clear_seed(emulator)
            ids = emulator.create_identities([f"n{n}" for n in range(60)], azure_auth=STORED)
            before = emulator.live_tokens()
            emulator.fault("error", **fault)
            entries = [entry(id=identity_id) for identity_id in ids]
            case = {"identities_audit_desired": entries, "identities_audit_concurrency": 1}
            audit = audits(by_secret(emulator), folder, {name: case})[name]
            done[name] = (audit, emulator.live_tokens() - before, len(writes(emulator)))
    return done


def test_a_server_that_goes_down_ends_an_audit_with_a_report(
    bad_days: dict[str, tuple[Audit, int, int]],
) -> None:
    audit, tokens, written = bad_days["the server goes down"]
    assert (tokens, written) == (0, 0)
    report = audit.report
    assert (report["counts"]["listed"], report["counts"]["unknown"]) == (60, 60)
    # Nobody waits for the others to fail as well.
    tried = [item for item in report["identities"] if item["http_status"] == 503]
    assert 0 < len(tried) < 20
    assert report["problems"][0].startswith(
        f"{60 - len(tried)} identities of the list were not tried. The server seems to be down"
    )
    assert (report["complete"], report["verdict"]["status"]) == (False, "incomplete")
    assert audit.failure is not None
    assert audit.failure.startswith("The audit fails because it is incomplete.")
    assert audit.html.exists()
    assert len(audit.console) <= 40


def test_without_the_right_to_list_nothing_is_checked_and_that_is_told(
    bad_days: dict[str, tuple[Audit, int, int]],
) -> None:
    audit, tokens, written = bad_days["nothing can be listed"]
    assert (tokens, written) == (0, 0)
    report = audit.report
    assert (report["counts"]["unknown"], report["complete"]) == (60, False)
    assert "403 PermissionDenied" in report["problems"][0]
    assert "403 PermissionDenied" in " ".join(audit.console)
    assert audit.failure is not None


def test_a_login_that_fails_is_told_by_its_message(
    bad_days: dict[str, tuple[Audit, int, int]],
) -> None:
    audit, tokens, written = bad_days["no login"]
    assert (tokens, written) == (0, 0)
    assert "Invalid credentials" in str(audit.failure)
    assert not audit.json.exists()


def test_a_host_that_cannot_be_used_is_told_although_the_login_is_hidden(tmp_path: Path) -> None:
    unusable = {
        "ansible_remote_tmp": "/proc/nowhere",
        "ansible_pipelining": False,
        "identities_audit_without_list": True,
    }
    run = [{"hosts": "localhost", "gather_facts": False, "vars": unusable, "roles": [ROLE]}]
    (tmp_path / "audit.yml").write_text(json.dumps(run), encoding="utf-8")
    done = play({"INFISICAL_TOKEN": "unused"}, tmp_path, "audit.yml")
    assert done.returncode != 0
    (failed,) = (record for record in done.records if record.status == "failed")
    assert "Failed to create temporary directory" in failed.result["msg"]
