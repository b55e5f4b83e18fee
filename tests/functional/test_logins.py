# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Logins: which one it is, and what becomes of its token."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest
from functional.cases import ATTACHED
from functional.harness import (
    MODULE,
    Task,
    clean_environment,
    finish_module,
    run_play,
    run_tasks,
    start_module,
    warnings_of,
)
from tools.paths import COLLECTIONS

from emulator import running

LOGIN = "community.infisical.infisical_login"
UNIVERSAL = "universal-auth"
SLUG = "acme"
SUB_ORGANIZATIONS = "/api/v1/sub-organizations"

CLIENT_ID = "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID"
CLIENT_SECRET = "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET"
PYTHON_MODULE = "ansible_collections.community.infisical.plugins.modules.infisical_azure_auth"


@pytest.fixture(scope="module")
def identity_id(server: t.Any) -> str:
    created = str(server.create_identity("logins"))
    server.put_azure_auth(created, **ATTACHED)
    return created


def test_every_way_to_give_credentials(server: t.Any, identity_id: str, tmp_path: Path) -> None:
    base = {"identity_id": identity_id, "url": server.url}
    universal = {
        "universal_auth_client_id": server.client_id,
        "universal_auth_client_secret": server.client_secret,
    }
    environment = {CLIENT_ID: server.client_id, CLIENT_SECRET: server.client_secret}
    blanks = {
        "auth_method": "",
        "token": " ",
        "organization_slug": "",
        "identity_name": "",
        "login_data": {"url": "", "access_token": ""},
    }
    token, logs_in = [], []
    token.append(Task({**base, "token": server.token}))
    token.append(Task({**base, "auth_method": "token_auth", "token": f" {server.token}\n"}))
    token.append(Task(base, environment={"INFISICAL_TOKEN": server.token}))
    login_data = {"url": f"{server.url}/", "access_token": server.token}
    token.append(Task({"identity_id": identity_id, "login_data": login_data}))
    logs_in.append(Task({**base, **universal}))
    logs_in.append(Task({**base, **universal, "organization_slug": server.organization_slug}))
    logs_in.append(Task(base, environment=environment))
    logs_in.append(
        Task({"identity_id": identity_id}, environment={"INFISICAL_URL": server.url, **environment})
    )
    logs_in.append(Task({**base, **blanks}, environment={"INFISICAL_TOKEN": "", **environment}))
    logs_in.append(
        Task(
            {**base, "auth_method": "universal_auth"},
            environment={"INFISICAL_TOKEN": server.token, **environment},
        )
    )
    before = server.live_tokens()
    server.clear_requests()
    results = run_tasks(tmp_path, token + logs_in)
    assert [result.get("msg") for result in results if result["failed"]] == []
    paths = [item.path for item in server.requests()]
    # A token that a task got it revokes; one that it was given it leaves alone.
    assert paths.count("/api/v1/auth/universal-auth/login") == len(logs_in)
    assert paths.count("/api/v1/auth/token/revoke") == len(logs_in)
    assert server.live_tokens() == before
    slugs = [item.body.get("organizationSlug") for item in server.requests() if item.body]
    assert server.organization_slug in slugs


def test_blank_secrets_mask_nothing(server: t.Any, tmp_path: Path) -> None:
    blanks = {"token": " ", "login_data": {"access_token": "  "}}
    (result,) = run_tasks(
        tmp_path, [Task({"url": server.url, "identity_name": "billing", **blanks})]
    )
    assert result["msg"].startswith("No credentials are set; set login_data")


def test_a_failing_task_revokes_its_token_too(
    server: t.Any, identity_id: str, tmp_path: Path
) -> None:
    before = server.live_tokens()
    options = {
        "url": server.url,
        "universal_auth_client_id": server.client_id,
        "universal_auth_client_secret": server.client_secret,
        "identity_id": identity_id,
        "access_token_ttl": 7201,
    }
    unknown = {**options, "identity_id": "00000000-0000-4000-8000-000000000000"}
    server.clear_requests()
    results = run_tasks(tmp_path, [Task(options), Task(unknown), Task(options, check=True)])
    assert all(result["failed"] for result in results)
    assert "404 NotFound" in results[1]["msg"]
    assert server.live_tokens() == before
    revocations = [item for item in server.requests() if item.path.endswith("/token/revoke")]
    assert [item.status for item in revocations] == [200, 200, 200]


def test_a_token_that_cannot_be_revoked_is_a_warning(
    server: t.Any, identity_id: str, tmp_path: Path
) -> None:
    server.fault("error", path="/token/revoke", times=1, status=500)
    (result,) = run_tasks(
        tmp_path,
        [
            Task(
                {
                    "url": server.url,
                    "universal_auth_client_id": server.client_id,
                    "universal_auth_client_secret": server.client_secret,
                    "identity_id": identity_id,
                }
            )
        ],
    )
    server.clear_faults()
    assert not result["failed"], result["msg"]
    assert "Could not revoke the access token" in warnings_of(result)


def test_refused_logins(server: t.Any, identity_id: str, tmp_path: Path) -> None:
    base = {"url": server.url, "identity_id": identity_id}
    expired = server.issue_token(server.identities["admin"], ttl=1)
    used_up = server.issue_token(server.identities["admin"], num_uses_limit=1)
    server.advance(5)
    nobody = server.issue_token(server.identities["no-access"])
    rows: list[tuple[dict[str, t.Any], str, str]] = [
        (
            {
                "universal_auth_client_id": server.client_id,
                "universal_auth_client_secret": "wr0ng",
            },
            "Could not log in with universal-auth at",
            "UnauthorizedError",
        ),
        (
            {
                "universal_auth_client_id": "00000000-0000-4000-8000-000000000000",
                "universal_auth_client_secret": "wr0ng",
            },
            "404 NotFound",
            "NotFound",
        ),
        ({"token": "garbage"}, "check the credentials", "TokenError"),
        ({"token": expired}, "check the credentials", "TokenError"),
        (
            {"token": used_up, "resource": "other"},
            "raise access_token_num_uses_limit of the auth method",
            "UnauthorizedError",
        ),
        ({"token": nobody}, "Give the login's role that permission", "PermissionDenied"),
    ]
    server.clear_requests()
    results = run_tasks(tmp_path, [Task({**base, **options}) for options, _msg, _error in rows])
    for (options, message, error), result in zip(rows, results):
        assert result["failed"], options
        assert message in result["msg"]
        assert result["error"] == error
        assert result["request_id"]
    # A refused login is not tried again: the server would lock the identity out.
    logins = [item for item in server.requests() if item.path.endswith("/login")]
    assert len(logins) == 2


def test_a_task_does_not_change_the_azure_auth_that_it_may_be_logged_in_through(
    server: t.Any, tmp_path: Path
) -> None:
    own = server.create_identity("own", role="admin", methods=["universal-auth"])
    server.put_azure_auth(own, **ATTACHED)
    token = server.issue_token(own, method="azure-auth")
    credentials = server.credentials(own)
    given = {"url": server.url, "identity_id": own, "token": token}
    other = {
        "url": server.url,
        "identity_id": own,
        "universal_auth_client_id": credentials.client_id,
        "universal_auth_client_secret": credentials.client_secret,
    }
    refused, in_check_mode, revoked, unchanged, by_another_login = run_tasks(
        tmp_path,
        [
            Task({**given, "resource": "other"}),
            Task({**given, "resource": "other"}, check=True),
            Task({**given, "state": "absent"}),
            Task(given),
            Task({**other, "resource": "other"}),
        ],
    )
    for result in (refused, in_check_mode, revoked):
        assert result["failed"]
        assert "use the credentials of another identity" in result["msg"]
    assert not unchanged["failed"], unchanged["msg"]
    assert not by_another_login["failed"], by_another_login["msg"]
    assert server.azure_auth(own)["resource"] == "other"


class Labs:
    """A sub-organization, an identity in it to manage, and logins that are members of it."""

    def __init__(self, server: t.Any) -> None:
        self.server = server
        self.managed = server.create_identity("in labs", organization_id=server.sub_organization_id)
        server.put_azure_auth(self.managed, **ATTACHED)
        self.in_root = server.create_identity("in root")
        server.put_azure_auth(self.in_root, **ATTACHED)
        everywhere = server.create_identity("everywhere", role="admin", methods=[UNIVERSAL])
        server.add_member(everywhere, "admin", organization_id=server.sub_organization_id)
        self.everywhere = server.credentials(everywhere)
        self.native = server.credentials(
            server.create_identity(
                "native",
                role="admin",
                methods=[UNIVERSAL],
                organization_id=server.sub_organization_id,
            )
        )

    def options(self, slug: str, credentials: t.Any = None) -> dict[str, str]:
        credentials = credentials or self.everywhere
        return {
            "url": self.server.url,
            "organization_slug": slug,
            "universal_auth_client_id": credentials.client_id,
            "universal_auth_client_secret": credentials.client_secret,
        }

    def lists(self) -> int:
        """Return how often sub-organizations were listed."""
        return sum(item.path == SUB_ORGANIZATIONS for item in self.server.requests())


@pytest.fixture(scope="module")
def labs(server: t.Any) -> Labs:
    return Labs(server)


def test_a_login_is_for_the_organization_that_it_names(labs: Labs, tmp_path: Path) -> None:
    server = labs.server
    before = server.live_tokens()
    for slug, identity_id, lists in (
        ("acme-labs", labs.managed, 1),
        # Of the root's own slug the token itself says enough.
        (server.organization_slug, labs.in_root, 0),
    ):
        server.clear_requests()
        (result,) = run_tasks(
            tmp_path / slug, [Task({**labs.options(slug), "identity_id": identity_id})]
        )
        assert not result["failed"], result["msg"]
        assert result["changed"] is False
        assert labs.lists() == lists
    assert server.live_tokens() == before


def test_a_login_that_cannot_choose_its_organization(labs: Labs, tmp_path: Path) -> None:
    before = labs.server.live_tokens()
    absent = {"identity_id": labs.in_root, "state": "absent"}
    options = labs.options("acme-labs", labs.native)
    (result,) = run_tasks(tmp_path, [Task({**options, **absent})])
    assert result["failed"]
    assert result["msg"] == (
        "The identity that you log in as belongs to a sub-organization and can only log in there,"
        " so organization_slug 'acme-labs' has no effect; remove it."
    )
    assert result["http_status"] == 403
    assert labs.server.azure_auth(labs.in_root)
    assert labs.server.live_tokens() == before


def test_a_login_that_landed_elsewhere_does_nothing(labs: Labs, tmp_path: Path) -> None:
    server = labs.server
    listed = [
        {"slug": "acme-labs", "id": "00000000-0000-4000-8000-000000000001"},
        {"slug": "acme-works", "id": server.sub_organization_id},
    ]
    server.fault("body", path=SUB_ORGANIZATIONS, json={"organizations": listed, "totalCount": 2})
    options = {**labs.options("acme-labs"), "identity_id": labs.managed, "state": "absent"}
    before = server.live_tokens()
    run = run_play(
        tmp_path,
        [
            {MODULE: options},
            {MODULE: options, "check_mode": True},
            {LOGIN: labs.options("acme-labs")},
        ],
    )
    server.clear_faults()
    for result in run.results:
        assert result["failed"]
        assert result["msg"] == (
            "organization_slug is 'acme-labs', but the token is for the sub-organization"
            " 'acme-works'; correct organization_slug, or remove it."
        )
    assert server.azure_auth(labs.managed)
    # None of them is left to live on, though the last task would have handed it on.
    assert server.live_tokens() == before


def test_a_given_token_is_for_the_organization_that_is_named(labs: Labs, tmp_path: Path) -> None:
    server = labs.server
    task = {"identity_id": labs.managed, "login_data": "{{ login.login_data }}"}
    run = run_play(
        tmp_path,
        [
            {LOGIN: labs.options("acme-labs"), "register": "login"},
            {MODULE: {**task, "organization_slug": "acme-labs"}},
            {MODULE: {**task, "organization_slug": server.organization_slug}},
            # login_data goes before the environment.
            {MODULE: task, "environment": {"INFISICAL_AUTH_ORGANIZATION_SLUG": "elsewhere"}},
            {
                MODULE: {
                    "url": server.url,
                    "token": server.token,
                    "identity_id": labs.in_root,
                    "organization_slug": "acme-labs",
                }
            },
            # What is asked to be absent would be absent in the root.
            *(
                {
                    MODULE: {
                        "url": server.url,
                        "token": server.token,
                        "identity_id": labs.in_root,
                        "organization_slug": slug,
                        "state": "absent",
                    }
                }
                for slug in ("acme-lbas", server.organization_slug)
            ),
            {LOGIN: {"login_data": "{{ login.login_data }}", "state": "absent"}},
        ],
    )
    _login, right, wrong, by_environment, of_the_root, mistyped, unknown, _logout = run.results
    assert not right["failed"], right["msg"]
    assert not by_environment["failed"], by_environment["msg"]
    other = "but the token is for the"
    assert f"'acme', {other} sub-organization 'acme-labs'; correct" in wrong["msg"]
    assert f"'acme-labs', {other} root organization; correct organiz" in of_the_root["msg"]
    for slug, result in (("acme-lbas", mistyped), (server.organization_slug, unknown)):
        assert result["failed"]
        assert result["msg"] == (
            f"organization_slug '{slug}' is not the slug of a sub-organization, and the token is"
            " for the root organization, whose slug is not known; remove organization_slug."
        )
    assert server.azure_auth(labs.in_root)


@pytest.mark.parametrize("generation", ["2024-10", "2025-06"])
def test_a_server_that_drops_the_slug(generation: str, tmp_path: Path) -> None:
    with running(generation) as server:
        identity_id = server.create_identity("old")
        server.put_azure_auth(identity_id, **ATTACHED)
        options = {
            "url": server.url,
            "universal_auth_client_id": server.client_id,
            "universal_auth_client_secret": server.client_secret,
            "identity_id": identity_id,
            "organization_slug": server.organization_slug,
        }
        # As if there were sub-organizations before tokens tell their organization.
        between = [{"slug": "labs", "id": server.sub_organization_id}]
        server.fault("body", path=SUB_ORGANIZATIONS, times=2, json={"organizations": between})
        right, wrong, refused = run_tasks(
            tmp_path,
            [
                Task(options),
                Task({**options, "organization_slug": "labs", "state": "absent"}),
                Task({**options, "state": "absent"}),
            ],
        )
        assert server.azure_auth(identity_id)
    assert not right["failed"], right["msg"]
    assert "but the token is for the root organization; correct organization_slug" in wrong["msg"]
    assert refused["msg"] == (
        f"This server has no sub-organizations, and ignores organization_slug '{SLUG}';"
        " remove it."
    )
    assert refused["http_status"] == 404


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_task_in_order(
    number: signal.Signals, server: t.Any, tmp_path: Path
) -> None:
    """Without Ansible, which would itself have to be stopped: the module as a process."""
    identity_id = server.create_identity(f"interrupted by {number.name}")
    server.put_azure_auth(identity_id, **ATTACHED)
    server.fault("latency", identity_id=identity_id, method="PATCH", seconds=60)
    before = server.live_tokens()
    options = {
        "url": server.url,
        "universal_auth_client_id": server.client_id,
        "universal_auth_client_secret": server.client_secret,
        "identity_id": identity_id,
        "resource": "other",
    }
    process = start_module(MODULE, tmp_path, options)
    while not server.requests(identity_id=identity_id, method="PATCH"):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(number)
    result = finish_module(process)
    assert process.returncode == 1
    assert f"The task was stopped by {number.name}; run it again" in result["msg"]
    # Whether the write was done cannot be known, and so counts.
    assert result["changed"] is True
    assert server.live_tokens() == before


def test_a_signal_that_was_ignored_from_the_start_stays_ignored(
    server: t.Any, identity_id: str, tmp_path: Path
) -> None:
    """As under nohup: closing the terminal must not stop a task."""
    server.fault("latency", identity_id=identity_id, method="GET", times=1, seconds=1.5)
    server.clear_requests()
    process = subprocess.Popen(
        [sys.executable, "-m", PYTHON_MODULE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=clean_environment(tmp_path, PYTHONPATH=str(COLLECTIONS)),
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    options = {"url": server.url, "token": server.token, "identity_id": identity_id}
    assert process.stdin is not None
    process.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": options}))
    process.stdin.close()
    while not server.requests(identity_id=identity_id):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGHUP)
    assert process.stdout is not None
    result = json.loads(process.stdout.read())
    assert process.wait() == 0
    assert result["changed"] is False
