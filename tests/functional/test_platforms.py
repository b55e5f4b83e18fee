# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every login method, with its token given and, where a platform has one, got from there."""

from __future__ import annotations

import time
import typing as t
from pathlib import Path

import pytest
from functional.cases import ATTACHED
from functional.harness import Result, Task, run_tasks

from emulator import running
from emulator.platform import metadata_services, write_service_account_token

METHODS = ("azure-auth", "gcp-auth", "kubernetes-auth", "oidc-auth", "jwt-auth")
KUBERNETES_FILE = "INFISICAL_KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH"


class Site:
    """An emulator, an identity to manage, and one to log in as for each method."""

    def __init__(self, server: t.Any) -> None:
        self.server = server
        self.managed = server.create_identity("managed")
        server.put_azure_auth(self.managed, **ATTACHED)
        self.users = {
            method: server.create_identity(f"by {method}", role="admin", methods=[method])
            for method in (*METHODS, "ldap-auth")
        }

    def task(self, method: str, environment: dict[str, str] | None = None, **given: t.Any) -> Task:
        options = {
            "url": self.server.url,
            "auth_method": method.replace("-", "_"),
            "auth_identity_id": self.users[method],
            "identity_id": self.managed,
            "retries": 0,
            **given,
        }
        return Task(options, environment=environment or {})


@pytest.fixture(scope="module")
def site() -> t.Iterator[Site]:
    with running() as server:
        yield Site(server)


def passed(results: list[Result]) -> bool:
    assert [result["msg"] for result in results if result["failed"]] == []
    return True


def test_every_method_with_what_it_takes(site: Site, tmp_path: Path) -> None:
    server = site.server
    before = server.live_tokens()
    tasks = [
        site.task(method, jwt=server.jwt(site.users[method], method=method)) for method in METHODS
    ]
    ldap = server.ldap(site.users["ldap-auth"])
    names = {"ldap_username": ldap.username, "ldap_password": ldap.password}
    tasks.append(site.task("ldap-auth", **names))
    # A user name and a password tell the method by themselves.
    tasks.append(site.task("ldap-auth", auth_method="", **names))
    environment = {
        "INFISICAL_AUTH_METHOD": "oidc_auth",
        "INFISICAL_MACHINE_IDENTITY_ID": site.users["oidc-auth"],
        "INFISICAL_JWT": server.jwt(site.users["oidc-auth"], method="oidc-auth"),
    }
    tasks.append(site.task("oidc-auth", environment, auth_method="", auth_identity_id=""))
    slug = {"organization_slug": server.organization_slug}
    tasks += [
        site.task(method, jwt=server.jwt(site.users[method], method=method), **slug)
        for method in METHODS
    ]
    server.clear_requests()
    assert passed(run_tasks(tmp_path, tasks))
    assert server.live_tokens() == before
    logins = [item for item in server.requests() if item.path.endswith("/login")]
    assert {item.path.split("/")[4] for item in logins} == {*METHODS, "ldap-auth"}
    assert sum("organizationSlug" in item.body for item in logins) == len(METHODS)


def test_a_platform_gives_the_token_and_no_proxy_is_asked(site: Site, tmp_path: Path) -> None:
    proxy = {"http_proxy": "http://127.0.0.1:9", "no_proxy": ""}
    server = site.server
    token_file = write_service_account_token(
        tmp_path, server.jwt(site.users["kubernetes-auth"], method="kubernetes-auth")
    )
    azure = site.users["azure-auth"]
    resource = "https://vault.example/"
    server.put_azure_auth(azure, resource=resource)
    with metadata_services(server, managed_identity=azure, client_ids={"other": azure}) as services:
        environment = {**services.environment, KUBERNETES_FILE: str(token_file)}
        results = run_tasks(
            tmp_path / "play",
            [
                site.task("azure-auth", environment, azure_resource=resource),
                site.task(
                    "azure-auth", environment, azure_resource=resource, azure_client_id="other"
                ),
                site.task("gcp-auth", environment),
                site.task("kubernetes-auth", environment),
            ],
        )
        assert passed(results)
        in_vain = run_tasks(
            tmp_path / "proxied",
            [site.task("gcp-auth", {**environment, **proxy})],
        )
        asked = services.requests()
    # The metadata server was reached past the proxy; Infisical was not.
    assert "the proxy for" in in_vain[0]["msg"]
    assert [item.query.get("client_id") for item in asked[:2]] == [None, "other"]
    assert {item.query["resource"] for item in asked[:2]} == {resource}
    assert [item.query.get("audience") for item in asked[2:]] == [site.users["gcp-auth"]] * 2


FAULTS: dict[str, tuple[dict[str, t.Any], str]] = {
    "a status that lasts": ({"action": "status", "status": 503, "text": "Busy"}, "(HTTP status"),
    "no answer": ({"action": "hang"}, "(timed out)"),
    "an answer a byte at a time": ({"action": "drip", "interval": 0.5}, "(timed out)"),
    "an answer that is no token": ({"action": "garbage", "text": "<html> </html>"}, "is no token)"),
    "a redirect": (
        {"action": "redirect", "location": "http://127.0.0.1:9/", "status": 307},
        "(HTTP status 307",
    ),
}


@pytest.mark.parametrize("what", FAULTS)
def test_a_platform_that_gives_none(what: str, site: Site, tmp_path: Path) -> None:
    fault, message = FAULTS[what]
    with metadata_services(site.server, managed_identity=site.users["azure-auth"]) as services:
        services.fault(**fault)
        started = time.monotonic()
        azure, gcp = run_tasks(
            tmp_path,
            [
                site.task("azure-auth", services.environment),
                site.task("gcp-auth", services.environment),
            ],
        )
        seconds = time.monotonic() - started
    for result, service in (
        (azure, "Azure's instance metadata service"),
        (gcp, "Google's metadata server"),
    ):
        assert result["failed"]
        assert message in result["msg"]
        assert f"from {service} at " in result["msg"]
        assert "run the task where that is to be had, or give the token in jwt." in result["msg"]
    assert seconds < 40


def test_a_platform_that_stumbles_once_is_asked_again(site: Site, tmp_path: Path) -> None:
    with metadata_services(site.server, managed_identity=site.users["azure-auth"]) as services:
        services.fault("status", times=1, status=503)
        results = run_tasks(tmp_path, [site.task("gcp-auth", services.environment)])
        assert len(services.requests()) == 2
    assert passed(results)


def test_no_service_account_file(site: Site, tmp_path: Path) -> None:
    path = str(tmp_path / "nowhere" / "token")
    (result,) = run_tasks(tmp_path, [site.task("kubernetes-auth", {KUBERNETES_FILE: path})])
    assert (
        f"Could not get the token of the pod's service account at {path} (no such file or"
        " directory); run the task where that is to be had, or give the token in jwt."
    ) in result["msg"]
