# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every login method, with its token given and, where a platform has one, got from there."""

from __future__ import annotations

import json
import os
import threading
import time
import typing as t
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from functional.cases import ATTACHED
from functional.harness import Result, Task, run_in_process, run_tasks

from ansible_collections.community.infisical.plugins.module_utils._server import platform_tokens
from ansible_collections.community.infisical.plugins.modules import infisical_azure_auth
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


class AzureHosts(ThreadingHTTPServer):
    """Where Azure's tokens come from besides the instance metadata service.

    App Service's endpoint, Arc's agent, and Entra, which exchanges tokens of Kubernetes; each gives
    `token` to those who ask as they should. `asked` are the queries and forms that came.
    """

    daemon_threads = True

    def __init__(self, token: str, secret: str, key_file: Path) -> None:
        super().__init__(("127.0.0.1", 0), _AzureHandler)
        self.token = token
        self.secret = secret
        self.key_file = key_file
        self.asked: list[dict[str, str]] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class _AzureHandler(BaseHTTPRequestHandler):
    server: AzureHosts

    def do_GET(self) -> None:
        split = urlsplit(self.path)
        query = dict(parse_qsl(split.query))
        self.server.asked.append(query)
        if split.path == "/msi/token" and query["api-version"] == "2019-08-01":
            self._answer(200 if self.headers["X-IDENTITY-HEADER"] == self.server.secret else 403)
        elif split.path == "/arc" and query["api-version"] == "2019-11-01":
            given = self.headers["Authorization"]
            if self.headers["Metadata"] != "true":
                self._answer(400)
            elif given is None:
                self._answer(401, f"Basic realm={self.server.key_file}")
            else:
                self._answer(200 if given == f"Basic {self.server.secret}" else 403)
        else:
            self._answer(404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = dict(parse_qsl(body))
        self.server.asked.append(form)
        right = (
            self.path == "/tenant-1/oauth2/v2.0/token"
            and form["grant_type"] == "client_credentials"
            and form["client_assertion_type"].endswith(":jwt-bearer")
            and form["client_assertion"] == self.server.secret
        )
        self._answer(200 if right else 401)

    def _answer(self, status: int, challenge: str = "") -> None:
        # What is refused is told with the secret that came.
        came = self.headers["X-IDENTITY-HEADER"] or self.server.secret
        what = {"access_token": self.server.token} if status == 200 else {"e": came}
        body = json.dumps(what).encode()
        self.send_response(status)
        if challenge:
            self.send_header("WWW-Authenticate", challenge)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: t.Any) -> None:
        """Print nothing."""


RESOURCE = "https://vault.example/"
SECRET = "c2VjcmV0LW9mLXRoZS1ob3N0"


@pytest.fixture
def azure(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> t.Iterator[tuple[AzureHosts, t.Callable[..., Result]]]:
    """The hosts, and what runs the module, in this process, with an environment."""
    key_file = tmp_path / "tokens" / "one.key"
    key_file.parent.mkdir()
    key_file.write_text(f"{SECRET}\n", encoding="utf-8")
    monkeypatch.setattr(platform_tokens, "ARC_FOLDER", str(key_file.parent))
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    for name in list(os.environ):
        if name.upper().startswith(("INFISICAL_", "AZURE_", "IDENTITY_", "IMDS_")):
            monkeypatch.delenv(name)
    user = site.users["azure-auth"]
    site.server.put_azure_auth(user, resource=RESOURCE)
    token = site.server.jwt(user, method="azure-auth")
    hosts = AzureHosts(token, SECRET, key_file)

    def run(environment: dict[str, str], **options: t.Any) -> Result:
        for name, value in environment.items():
            monkeypatch.setenv(name, value.replace("<hosts>", hosts.url))
        given = site.task("azure-auth", azure_resource=RESOURCE, **options).options
        result = run_in_process(infisical_azure_auth.main, given)
        assert SECRET not in json.dumps(result)
        return result

    with hosts:
        threading.Thread(target=hosts.serve_forever, daemon=True).start()
        yield hosts, run
        hosts.shutdown()


Azure = tuple[AzureHosts, t.Callable[..., Result]]
APP_SERVICE = {"IDENTITY_ENDPOINT": "<hosts>/msi/token", "IDENTITY_HEADER": SECRET}
ARC = {"IDENTITY_ENDPOINT": "<hosts>/arc", "IMDS_ENDPOINT": "http://127.0.0.1:9"}
WORKLOAD = {
    "AZURE_AUTHORITY_HOST": "<hosts>/",
    "AZURE_TENANT_ID": "tenant-1",
    "AZURE_CLIENT_ID": "client-1",
}


def test_app_service_gives_the_token(azure: Azure, monkeypatch: pytest.MonkeyPatch) -> None:
    hosts, run = azure
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    # The endpoint is asked directly; Infisical is behind a proxy that is down.
    assert "the proxy for" in run(APP_SERVICE)["msg"]
    assert hosts.asked == [{"api-version": "2019-08-01", "resource": RESOURCE}]
    monkeypatch.delenv("http_proxy")
    assert passed([run(APP_SERVICE), run(APP_SERVICE, azure_client_id="other")])
    assert hosts.asked[-1]["client_id"] == "other"
    refused = run({**APP_SERVICE, "IDENTITY_HEADER": "wrong"})
    assert "Could not get a token of the managed identity from IDENTITY_ENDPOINT" in refused["msg"]
    assert '(HTTP status 403: {"e": "********"});' in refused["msg"]


def test_arc_gives_the_token_to_those_who_may_read_its_key(azure: Azure, tmp_path: Path) -> None:
    hosts, run = azure
    assert passed([run(ARC)])
    assert len(hosts.asked) == 2
    elsewhere = tmp_path / "elsewhere.key"
    elsewhere.write_text(SECRET, encoding="utf-8")
    folder = hosts.key_file.parent
    for path in (elsewhere, folder / ".." / "elsewhere.key", folder / "one.txt"):
        hosts.key_file = path
        asked = len(hosts.asked)
        assert "(it names no key of Arc's)" in run(ARC)["msg"]
        assert len(hosts.asked) == asked + 1
    hosts.key_file = folder / "two.key"
    assert "two.key (no such file or directory)" in run(ARC)["msg"]
    (folder / "two.key").write_text("k" * 5000, encoding="utf-8")
    assert "two.key (the answer is no token)" in run(ARC)["msg"]


def test_a_workload_exchanges_the_token_of_its_pod(azure: Azure, tmp_path: Path) -> None:
    hosts, run = azure
    file = tmp_path / "federated"
    environment = {**WORKLOAD, "AZURE_FEDERATED_TOKEN_FILE": str(file)}
    assert f"at {file} (no such file or directory)" in run(environment)["msg"]
    file.write_text(SECRET, encoding="utf-8")
    # It goes before what the host offers.
    assert passed([run({**APP_SERVICE, **environment})])
    (form,) = hosts.asked
    assert form["client_id"] == "client-1"
    assert form["scope"] == f"{RESOURCE}/.default"
    assert passed([run(environment, azure_client_id="client-2")])
    assert hosts.asked[-1]["client_id"] == "client-2"
    refused = run({**environment, "AZURE_TENANT_ID": "tenant-2"})
    assert "Could not get a token of the workload identity from Entra at" in refused["msg"]
    assert '(HTTP status 401: {"e": "********"});' in refused["msg"]
    in_clear = run({**environment, "AZURE_AUTHORITY_HOST": "http://login.example"})
    assert "(AZURE_AUTHORITY_HOST is not https)" in in_clear["msg"]
    missing = run({**environment, "AZURE_TENANT_ID": ""})
    assert "is set, and AZURE_TENANT_ID is not)" in missing["msg"]


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
