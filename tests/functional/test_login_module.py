# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""infisical_login, and tokens that end in the middle of a task."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from functional.cases import ATTACHED
from functional.harness import MODULE, Task, run_play, run_tasks

LOGIN = "community.infisical.infisical_login"


def universal(server: t.Any) -> dict[str, str]:
    return {
        "url": f"{server.url}/api/",
        "universal_auth_client_id": server.client_id,
        "universal_auth_client_secret": server.client_secret,
    }


@pytest.fixture(scope="module")
def identity_id(server: t.Any) -> str:
    created = str(server.create_identity("login module"))
    server.put_azure_auth(created, **ATTACHED)
    return created


@pytest.mark.parametrize("check", [False, True], ids=["for real", "check mode"])
def test_one_login_for_several_tasks(
    check: bool, server: t.Any, identity_id: str, tmp_path: Path
) -> None:
    before = server.live_tokens()
    server.clear_requests()
    run = run_play(
        tmp_path,
        [
            {LOGIN: universal(server), "register": "login", "check_mode": check},
            {MODULE: {"identity_id": identity_id, "login_data": "{{ login.login_data }}"}},
            {MODULE: {"identity_id": identity_id, "login_data": "{{ login.login_data }}"}},
            {
                LOGIN: {"login_data": "{{ login.login_data }}", "state": "absent"},
                "check_mode": check,
            },
            {MODULE: {"identity_id": identity_id, "login_data": "{{ login.login_data }}"}},
            {LOGIN: {"login_data": "{{ login.login_data }}", "state": "absent"}},
        ],
    )
    login, first, second, revoked, too_late, again = run.results
    assert login["changed"] is False
    assert set(login["login_data"]) == {"url", "access_token"}
    assert login["login_data"]["url"] == server.url
    assert login["login_data"]["access_token"].count(".") == 2
    assert login["obtained"] is True
    assert not first["failed"], first["msg"]
    assert not second["failed"], second["msg"]
    assert revoked["changed"] is False
    assert too_late["failed"]
    assert too_late["error"] == "UnauthorizedError"
    # That the token is gone already is what was wanted.
    assert not again["failed"], again["msg"]
    assert server.live_tokens() == before
    paths = [item.path for item in server.requests()]
    assert paths.count("/api/v1/auth/universal-auth/login") == 1


def test_a_given_token_is_handed_on_and_the_only_secret_shown(
    server: t.Any, tmp_path: Path
) -> None:
    rows = [
        {"url": server.url, "token": server.token},
        {"url": server.url, "auth_method": "token_auth", "token": server.token},
        # infisical.vault's login_data has this shape.
        {"login_data": {"url": server.url, "access_token": server.token}},
        universal(server),
    ]
    results = run_play(tmp_path, [{LOGIN: row} for row in rows]).results
    for result in results[:3]:
        assert result["login_data"] == {"url": server.url, "access_token": server.token}
        assert result["obtained"] is False
    for result in results:
        assert not result["failed"], result["msg"]
        del result["login_data"]
        shown = json.dumps(result)
        assert server.token not in shown
        assert server.client_secret not in shown


def test_the_token_of_the_environment_is_not_revoked(server: t.Any, tmp_path: Path) -> None:
    before = server.live_tokens()
    blank = {"url": server.url, "access_token": ""}
    (result,) = run_play(
        tmp_path,
        [{LOGIN: {"state": "absent", "login_data": blank}}],
        INFISICAL_TOKEN=server.token,
    ).results
    assert result["failed"]
    assert "there is no token to revoke; set token or login_data." in result["msg"]
    assert server.live_tokens() == before


def test_what_infisical_login_refuses(server: t.Any, tmp_path: Path) -> None:
    rows: list[tuple[dict[str, t.Any], str]] = [
        (
            {**universal(server), "state": "absent"},
            "state is absent, but there is no token to revoke; set token or login_data.",
        ),
        ({"url": server.url}, "No credentials are set"),
        (
            {"login_data": {"url": server.url, "access_token": "<check_mode_token>"}},
            (
                "login_data.access_token is the placeholder that infisical.vault.login returns"
                " in check mode; set 'check_mode: false' on that task"
            ),
        ),
        (
            {**universal(server), "universal_auth_client_secret": "wr0ng"},
            (
                "401 UnauthorizedError: Invalid credentials. The server does"
                " not accept the login, or no lon"
            ),
        ),
    ]
    results = run_play(tmp_path, [{LOGIN: options} for options, _message in rows]).results
    for (_options, message), result in zip(rows, results):
        assert result["failed"]
        assert message in result["msg"]
        assert not result.get("changed")


ENDS = {
    "revoked or used up": {"status": 401, "error": "UnauthorizedError"},
    "expired": {"status": 403, "error": "TokenError"},
}


@pytest.mark.parametrize("method", ["GET", "PATCH"])
@pytest.mark.parametrize("how", ENDS)
def test_a_token_that_ends_in_the_middle_of_a_task(
    how: str, method: str, server: t.Any, tmp_path: Path
) -> None:
    renewed, given, twice = server.create_identities([f"{how} {n}" for n in range(3)])
    before = server.live_tokens()
    for identity_id, times in ((renewed, 1), (given, 1), (twice, 2)):
        server.put_azure_auth(identity_id, **ATTACHED)
        server.fault("error", method=method, identity_id=identity_id, times=times, **ENDS[how])
    server.clear_requests()
    by_login, by_token, in_vain = run_tasks(
        tmp_path,
        [
            Task({**universal(server), "identity_id": renewed, "resource": "other"}),
            Task(
                {
                    "url": server.url,
                    "token": server.token,
                    "identity_id": given,
                    "resource": "other",
                }
            ),
            Task({**universal(server), "identity_id": twice, "resource": "other"}),
        ],
    )
    assert not by_login["failed"], by_login["msg"]
    assert by_login["changed"] is True
    assert server.azure_auth(renewed)["resource"] == "other"
    for result in (by_token, in_vain):
        assert result["failed"]
        assert result["error"] == ENDS[how]["error"]
    # Of a token that was good for something it is known that its use may have been limited.
    used_up = method == "PATCH" and how == "revoked or used up"
    cure = "raise access_token_num_uses_limit" if used_up else "check the credentials"
    assert cure in by_token["msg"]
    assert "check the credentials" in in_vain["msg"]
    logins = [item for item in server.requests() if item.path.endswith("/login")]
    assert len(logins) == 4
    # The first token of each is as good as dead; the second was revoked. The emulator's fault only
    # said that it had ended, so that it lives on here.
    assert server.live_tokens() == before + 2


def test_a_validation_failure_with_status_401_does_not_log_in_again(
    server: t.Any, tmp_path: Path
) -> None:
    identity_id = server.create_identity("validation failure")
    server.put_azure_auth(identity_id, **ATTACHED)
    server.fault(
        "error", method="PATCH", identity_id=identity_id, status=401, error="ValidationFailure"
    )
    server.clear_requests()
    options = {**universal(server), "identity_id": identity_id, "resource": "other"}
    (result,) = run_tasks(tmp_path, [Task(options)])
    assert result["error"] == "ValidationFailure"
    logins = [item for item in server.requests() if item.path.endswith("/login")]
    assert len(logins) == 1
