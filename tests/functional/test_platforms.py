# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every login method, with its token given and, where a platform has one, got from there."""

from __future__ import annotations

import json
import os
import ssl
import time
import typing as t
from pathlib import Path

import pytest
import trustme
from functional.cases import ATTACHED
from functional.harness import Result, Task, run_in_process, run_tasks

from ansible_collections.community.infisical.plugins.module_utils._server import platform_tokens
from ansible_collections.community.infisical.plugins.module_utils._server.connection import (
    CA_VARIABLES,
)
from ansible_collections.community.infisical.plugins.modules import infisical_azure_auth
from emulator import running
from emulator.platform import (
    HOST_SECRET,
    TENANT,
    MetadataServices,
    federated_token,
    metadata_services,
    write_service_account_token,
)

METHODS = ("azure-auth", "gcp-auth", "kubernetes-auth", "oidc-auth", "jwt-auth")
KUBERNETES_FILE = "INFISICAL_KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH"
RESOURCE = "https://vault.example/"
# Of a managed identity of Azure's: one of each kind of id.
CLIENT_ID = "5e8d2c17-a4f9-4b60-8d33-e1907b6fc52a"
OBJECT_ID = "0f6d8a4b-7c21-4e95-b3d8-1a5e9c7f2460"
RESOURCE_ID = (
    f"/subscriptions/{TENANT}/resourceGroups/ansible/providers/Microsoft.ManagedIdentity"
    "/userAssignedIdentities/runner"
)
SUBJECT = "system:serviceaccount:awx:infisical"


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
    with metadata_services(
        server, managed_identity=azure, identities={CLIENT_ID: azure}
    ) as services:
        environment = {**services.environment, KUBERNETES_FILE: str(token_file)}
        results = run_tasks(
            tmp_path / "play",
            [
                site.task("azure-auth", environment, azure_resource=resource),
                site.task(
                    "azure-auth", environment, azure_resource=resource, azure_client_id=CLIENT_ID
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
    assert [item.query.get("client_id") for item in asked[:2]] == [None, CLIENT_ID]
    assert {item.query["resource"] for item in asked[:2]} == {resource}
    assert [item.query.get("audience") for item in asked[2:]] == [site.users["gcp-auth"]] * 2


Run = t.Callable[..., Result]


@pytest.fixture
def run(site: Site, monkeypatch: pytest.MonkeyPatch) -> Run:
    """What runs the module, in this process and without a pause, with an environment."""
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    for name in list(os.environ):
        if name.startswith(("INFISICAL_", "AZURE_", "IDENTITY_", "IMDS_")) or name in CA_VARIABLES:
            monkeypatch.delenv(name)

    def run(environment: dict[str, str], method: str = "azure-auth", **options: t.Any) -> Result:
        with monkeypatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            result = run_in_process(infisical_azure_auth.main, site.task(method, **options).options)
        for secret in (HOST_SECRET, federated_token(SUBJECT)):
            assert secret not in json.dumps(result)
        return result

    return run


@pytest.fixture
def azure(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> t.Iterator[MetadataServices]:
    """Azure: a system-assigned identity that may log in, and another one with one of each id."""
    folder = tmp_path / "tokens"
    folder.mkdir()
    monkeypatch.setattr(platform_tokens, "ARC_FOLDER", str(folder))
    user = site.users["azure-auth"]
    site.server.put_azure_auth(user, resource=RESOURCE)
    with metadata_services(
        site.server,
        managed_identity=user,
        identities=dict.fromkeys((CLIENT_ID, OBJECT_ID, RESOURCE_ID), user),
        key_folder=folder,
    ) as services:
        yield services


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    file = tmp_path / "federated-token"
    file.write_text(federated_token(SUBJECT) + "\n", encoding="utf-8")
    return file


def asked(services: MetadataServices) -> list[dict[str, str]]:
    """Return the queries and forms since the last time."""
    found = [item.query for item in services.requests()]
    services.clear_requests()
    return found


def test_which_of_several_places_azures_token_comes_from(
    azure: MetadataServices, run: Run, token_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workload = azure.workload(token_file, CLIENT_ID)
    everything = {**azure.environment, **azure.arc, **azure.app_service, **workload}
    without_workload = {**everything, "AZURE_FEDERATED_TOKEN_FILE": " "}
    without_header = {**without_workload, **azure.arc, "IDENTITY_HEADER": ""}
    without_endpoint = {**without_header, "IDENTITY_ENDPOINT": ""}
    here = {"azure_resource": RESOURCE}
    places = [
        (everything, [f"/{TENANT}/oauth2/v2.0/token"]),
        (without_workload, ["/msi/token"]),
        # AZURE_CLIENT_ID is left alone by Arc.
        (without_header, ["/arc/token", "/arc/token"]),
        (without_endpoint, ["/metadata/identity/oauth2/token"]),
    ]
    for environment, paths in places:
        assert passed([run(environment, **here)])
        assert [item.path for item in azure.requests()] == paths
        azure.clear_requests()
    # Through SSH there are no variables: the agent is known by its program.
    monkeypatch.setattr(platform_tokens, "ARC_AGENT", str(token_file))
    monkeypatch.setattr(platform_tokens, "ARC_ENDPOINT", azure.arc["IDENTITY_ENDPOINT"])
    assert passed([run({}, **here)])
    assert [item.path for item in azure.requests()] == ["/arc/token", "/arc/token"]


def test_which_of_several_identities_azures_token_is_of(azure: MetadataServices, run: Run) -> None:
    variable = {"AZURE_CLIENT_ID": CLIENT_ID}
    by_object = {"azure_identity_object_id": OBJECT_ID}
    for place, resource_id, of_variable in (
        (azure.environment, "msi_res_id", {"client_id": CLIENT_ID}),
        (azure.app_service, "mi_res_id", {"client_id": CLIENT_ID}),
        # Arc's agent never gets the variable.
        (azure.arc, "msi_res_id", {}),
    ):
        rows: list[tuple[dict[str, str], dict[str, str], dict[str, str]]] = [
            ({}, {}, {}),
            ({}, {"azure_client_id": CLIENT_ID.upper()}, {"client_id": CLIENT_ID}),
            ({}, by_object, {"object_id": OBJECT_ID}),
            ({}, {"azure_identity_resource_id": RESOURCE_ID}, {resource_id: RESOURCE_ID}),
            (variable, {}, of_variable),
            (variable, by_object, {"object_id": OBJECT_ID}),
            # That of a service principal, such as AWX's credential for Azure sets it.
            ({**variable, "AZURE_SECRET": "s"}, {}, {}),
            ({**variable, "AZURE_CLIENT_SECRET": "s"}, {}, {}),
        ]
        for environment, options, expected in rows:
            assert passed([run({**place, **environment}, azure_resource=RESOURCE, **options)])
            query = asked(azure)[-1]
            assert query.pop("resource") == RESOURCE
            assert query.pop("api-version")
            assert query == expected


def test_an_identity_that_the_host_does_not_have(azure: MetadataServices, run: Run) -> None:
    named = "Could not get a token for the managed identity that azure_client_id names from"
    for environment, service, end in (
        (
            azure.environment,
            "Azure's instance metadata service",
            "(HTTP status 400: Identity not found); run the task on a host in Azure that has this",
        ),
        (
            azure.app_service,
            "IDENTITY_ENDPOINT",
            "Identity found for specified ClientId); assign this identity to the app, or set jwt",
        ),
        (
            azure.arc,
            "Arc's agent",
            "(HTTP status 400: Identity not found); check the agent with 'azcmagent show', or",
        ),
    ):
        said = run(environment, azure_client_id=TENANT)["msg"]
        assert said.startswith(f"{named} {service} at {azure.url}/")
        assert end in said


WRONG_OPTIONS = [
    ({"azure_client_id": "runner"}, "azure_client_id 'runner' is not a UUID; write the ID that"),
    (
        {"azure_identity_object_id": RESOURCE_ID},
        f"azure_identity_object_id '{RESOURCE_ID[:80]}...' is not a UUID",
    ),
    (
        {"azure_identity_resource_id": CLIENT_ID},
        f"azure_identity_resource_id '{CLIENT_ID}' is not the resource ID of a managed identity;",
    ),
    (
        {"azure_identity_resource_id": RESOURCE_ID.rpartition("/")[0]},
        "is not the resource ID of a managed identity;",
    ),
    (
        {"azure_client_id": CLIENT_ID, "azure_identity_resource_id": RESOURCE_ID},
        "azure_client_id and azure_identity_resource_id both name a managed identity;",
    ),
    (
        {"azure_resource": f"{RESOURCE}.default"},
        f"azure_resource '{RESOURCE}.default' is a scope, which is never the audience of a token;",
    ),
]


@pytest.mark.parametrize(("options", "message"), WRONG_OPTIONS)
def test_wrong_options_are_refused_before_any_request(
    options: dict[str, str], message: str, azure: MetadataServices, run: Run
) -> None:
    for environment in (azure.environment, azure.app_service, azure.arc):
        assert message in run(environment, **options)["msg"]
    assert azure.requests() == []


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"IDENTITY_ENDPOINT": "msi", "IDENTITY_HEADER": "x"}, "IDENTITY_ENDPOINT 'msi' is not a"),
        ({"AZURE_POD_IDENTITY_AUTHORITY_HOST": "x"}, "AZURE_POD_IDENTITY_AUTHORITY_HOST 'x' is no"),
        ({"AZURE_POD_IDENTITY_AUTHORITY_HOST": "http://["}, "_HOST 'http://[' is not a URL; write"),
    ],
)
def test_an_address_that_is_none(environment: dict[str, str], message: str, run: Run) -> None:
    assert message in run(environment)["msg"]


def test_app_service_is_asked_directly_and_its_secret_stays_hidden(
    azure: MetadataServices, run: Run
) -> None:
    proxy = {"http_proxy": "http://127.0.0.1:9", "no_proxy": ""}
    # The endpoint is asked directly; Infisical is behind a proxy that is down.
    assert "the proxy for" in run({**azure.app_service, **proxy})["msg"]
    (request,) = azure.requests()
    assert request.query == {
        "api-version": "2019-08-01",
        "resource": platform_tokens.AZURE_RESOURCE,
    }
    assert request.headers["x-identity-header"] == HOST_SECRET
    wrong = "not-the-secret-of-the-host"
    refused = run({**azure.app_service, "IDENTITY_HEADER": wrong})["msg"]
    assert "Could not get a token for the managed identity from IDENTITY_ENDPOINT at" in refused
    assert "(HTTP status 403: Wrong secret ********);" in refused


def test_headers_for_infisical_go_to_no_platform(
    azure: MetadataServices, run: Run, token_file: Path
) -> None:
    headers = {"INFISICAL_CUSTOM_HEADERS": "X-Gateway=its-secret"}
    for place in (
        azure.environment,
        azure.app_service,
        azure.arc,
        azure.workload(token_file, CLIENT_ID),
    ):
        assert passed([run({**place, **headers}, azure_resource=RESOURCE)])
    assert len(azure.requests()) == 5
    assert not [item for item in azure.requests() if "x-gateway" in item.headers]


def test_arc_gives_the_token_to_those_who_may_read_its_key(
    azure: MetadataServices, run: Run, tmp_path: Path
) -> None:
    assert passed([run(azure.arc, azure_resource=RESOURCE)])
    first, second = azure.requests()
    assert "authorization" not in first.headers
    assert second.headers["authorization"] == f"Basic {HOST_SECRET}"
    assert first.query == second.query
    folder = tmp_path / "tokens"
    elsewhere = tmp_path / "elsewhere.key"
    elsewhere.write_text(HOST_SECRET, encoding="utf-8")
    azure.clear_requests()
    for path in (
        elsewhere,
        f"{folder}/../elsewhere.key",
        f"{folder}/one.txt",
        f"{folder}//one.key",
        "one.key",
        "",
    ):
        azure.key_file = str(path)
        said = run(azure.arc)["msg"]
        reason = f"the agent names no key in {folder}"
        assert f"from Arc's agent at {azure.url}/arc/token ({reason});" in said
        assert len(asked(azure)) == 1
    large = folder / "large.key"
    large.write_text("k" * 4097, encoding="utf-8")
    blank = folder / "blank.key"
    blank.write_text("\n", encoding="utf-8")
    for path, reason in (
        (folder / "none.key", "no such file or directory"),
        (folder, "is a directory"),
        (large, "the file has more than 4096 bytes"),
        (blank, "the file contains no token"),
    ):
        azure.key_file = str(path) if path != folder else str(folder / "folder.key")
        if path == folder:
            (folder / "folder.key").mkdir()
        said = run(azure.arc)["msg"]
        assert said.startswith(
            f"Could not get the key of Arc's agent at {azure.key_file} ({reason}); run the task as"
            " root or as a member of the group himds, or set jwt to the token."
        )
        assert len(asked(azure)) == 1
    wrong = folder / "wrong.key"
    wrong.write_text("not-the-key-of-the-agent", encoding="utf-8")
    azure.key_file = str(wrong)
    assert "(HTTP status 401: Wrong key); check the agent" in run(azure.arc)["msg"]


def test_arcs_token_of_another_identity_is_not_used(azure: MetadataServices, run: Run) -> None:
    """Agents of before 2026 overlook which identity is asked for."""
    azure.old = True
    assert passed([run(azure.arc, azure_resource=RESOURCE)])
    refused = run(azure.arc, azure_resource=RESOURCE, azure_identity_resource_id=RESOURCE_ID)
    assert "that azure_identity_resource_id names from Arc's agent at " in refused["msg"]
    assert "(the agent returned a token for another identity); check the agent" in refused["msg"]
    # One that asks for no key is taken at its word, and what it says is never shown.
    azure.fault("garbage", text='{"access_token": ""}')
    assert "(the response contains no token); check the agent" in run(azure.arc)["msg"]


def test_a_workload_exchanges_its_token(
    azure: MetadataServices, run: Run, token_file: Path
) -> None:
    environment = azure.workload(token_file, CLIENT_ID)
    assert passed([run(environment, azure_resource=RESOURCE)])
    (form,) = asked(azure)
    assert form["client_id"] == CLIENT_ID
    assert form["client_assertion"] == federated_token(SUBJECT)
    assert form["scope"] == f"{RESOURCE}/.default"
    other = {**environment, "AZURE_CLIENT_ID": TENANT}
    assert passed([run(other, azure_resource=RESOURCE, azure_client_id=CLIENT_ID)])
    # The token is rotated, and read each time.
    token_file.write_text(federated_token(SUBJECT, "api://other"), encoding="utf-8")
    refused = run(environment)["msg"]
    assert refused.startswith(
        f"Could not get a token for the workload identity from Entra at {azure.url}/{TENANT}"
        "/oauth2/v2.0/token (HTTP status 401: AADSTS700212: No matching federated identity record"
        " found for presented assertion audience 'api://other'. Trace ID: "
    )
    assert "; compare its federated credential with the token in AZURE_FEDERATED_TOKEN" in refused
    token_file.write_text("not-a-jwt-but-secret", encoding="utf-8")
    assert "Client assertion ******** is not a JWT." in run(environment)["msg"]


def test_a_workload_that_is_set_up_by_half(
    azure: MetadataServices, run: Run, token_file: Path
) -> None:
    environment = azure.workload(token_file, CLIENT_ID)
    for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_ID"):
        assert run({**environment, name: ""})["msg"].startswith(
            f"AZURE_FEDERATED_TOKEN_FILE is set, but {name} is not; set both, or unset"
        )
    for host, reason in (
        ("http://login.example", "is not https, so anybody on the network path could read"),
        ("https://[", "is not a URL;"),
    ):
        said = run({**environment, "AZURE_AUTHORITY_HOST": host})["msg"]
        assert said.startswith(f"AZURE_AUTHORITY_HOST '{host}' {reason}")
    named = run(environment, azure_identity_resource_id=RESOURCE_ID)["msg"]
    assert named.startswith("azure_identity_resource_id names a managed identity, but AZURE_FEDER")
    said = run({**environment, "AZURE_FEDERATED_TOKEN_FILE": "/nowhere"})["msg"]
    assert said.startswith(
        "Could not get the federated token of the workload identity at /nowhere (no such file or"
        " directory); run the task on a host that has this file, or set jwt to the token."
    )
    token_file.write_text(" ", encoding="utf-8")
    assert "(the file contains no token);" in run(environment)["msg"]
    assert azure.requests() == []


def test_entra_is_trusted_by_the_environments_authorities(
    site: Site, run: Run, token_file: Path, tmp_path: Path
) -> None:
    user = site.users["azure-auth"]
    site.server.put_azure_auth(user, resource=RESOURCE)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "company-ca.pem")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    with metadata_services(site.server, identities={CLIENT_ID: user}, tls=tls) as entra:
        # With no scheme in front it is https.
        environment = {
            **entra.workload(token_file, CLIENT_ID),
            "AZURE_AUTHORITY_HOST": entra.host,
        }
        untrusted = run(environment)["msg"]
        assert f"from Entra at https://{entra.host}/{TENANT}/oauth2/v2.0/token (" in untrusted
        assert "certificate); check that the host can reach Entra, with its proxy" in untrusted
        trusted = {"SSL_CERT_FILE": str(tmp_path / "company-ca.pem")}
        assert passed([run({**environment, **trusted}, azure_resource=RESOURCE)])
        missing = run({**environment, "SSL_CERT_FILE": "/nowhere.pem"})["msg"]
        assert "SSL_CERT_FILE names the CA bundle '/nowhere.pem', which does not exist" in missing
        proxy = {"https_proxy": "http://127.0.0.1:9", "no_proxy": ""}
        proxied = run({**environment, **trusted, **proxy})["msg"]
        assert "(connection refused); check that the host can reach Entra" in proxied


FAULTS: dict[str, tuple[dict[str, t.Any], str]] = {
    "a status that lasts": ({"action": "status", "status": 503, "text": "Busy"}, "(HTTP status"),
    "no answer": ({"action": "hang"}, "(timed out)"),
    "an answer a byte at a time": ({"action": "drip", "interval": 0.5}, "(timed out)"),
    "an answer that is no token": (
        {"action": "garbage", "text": "<html> </html>"},
        "contains no token)",
    ),
    "a redirect": (
        {"action": "redirect", "location": "http://127.0.0.1:9/", "status": 307},
        "(HTTP status 307",
    ),
}


@pytest.mark.parametrize("what", FAULTS)
def test_a_platform_that_gives_none(
    what: str, azure: MetadataServices, run: Run, token_file: Path
) -> None:
    fault, message = FAULTS[what]
    azure.fault(**fault)
    workload = azure.workload(token_file, CLIENT_ID)
    places = [
        (azure.environment, "azure-auth", "Azure's instance metadata service"),
        (azure.environment, "gcp-auth", "Google's metadata server"),
        (azure.app_service, "azure-auth", "IDENTITY_ENDPOINT"),
        (azure.arc, "azure-auth", "Arc's agent"),
        (workload, "azure-auth", "Entra"),
    ]
    # What takes its time is tried in one place: they are all asked in the same way.
    for environment, method, service in places[: 1 if message == "(timed out)" else None]:
        azure.clear_requests()
        said = run(environment, method)["msg"]
        # Whoever may not be ready yet is asked again, and given up after the third time.
        assert 1 <= len(azure.requests()) <= 3
        assert message in said
        assert f"from {service} at " in said
        assert said.endswith(", or set jwt to the token.")


def test_a_platform_that_stumbles_once_is_asked_again(azure: MetadataServices, run: Run) -> None:
    """It is being updated (404 and 410), asked too often, or not up yet."""
    for status in (404, 410, 429, 500, 503):
        azure.fault("status", times=1, status=status)
        assert passed([run(azure.environment, "gcp-auth")])
        assert len(asked(azure)) == 2
        azure.clear_faults()
    azure.fault("status", times=1, status=400, text="")
    assert "/identity (HTTP status 400); run" in run(azure.environment, "gcp-auth")["msg"]


def test_no_service_account_file(run: Run, tmp_path: Path) -> None:
    path = str(tmp_path / "nowhere" / "token")
    assert (
        f"Could not get the token of the pod's service account at {path} (no such file or"
        " directory); run the task in a pod that mounts it, or set jwt to the token."
    ) in run({KUBERNETES_FILE: path}, "kubernetes-auth")["msg"]
