# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The messages in the guide to troubleshooting are those that the modules give, all of them.

Every row has a trigger that makes a module say it, and every message in the code has a row.
"""

from __future__ import annotations

import contextlib
import json
import re
import signal
import socket
import ssl
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pytest
import trustme
from functional.adversary import adversary
from functional.harness import finish_module, start_module, warning_texts
from tools.paths import link_collection

from docs.stories import SOMEBODYS
from docs.tables import MessageRow, message_parts, message_rows, messages_in_code
from emulator import Emulator, running
from emulator.platform import MetadataServices, federated_token, metadata_services

AZURE = "infisical_azure_auth"
IDENTITY = "infisical_identity"
FLEET = "infisical_identities"
INFO = "infisical_identity_info"
LOGIN = "infisical_login"
ID = "6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b"
# In the options of a trigger, the id of its identity.
OWN = "<its identity>"
PRINCIPAL = SOMEBODYS["allowedServicePrincipalIds"]
REQUIRED = {
    "tenant_id": SOMEBODYS["tenantId"],
    "resource": SOMEBODYS["resource"],
    "allowed_service_principal_ids": [PRINCIPAL],
}
# A secret that no server sees. Ansible masks it, so it is no part of any message.
UNUSED = "not-a-real-secret"
WARNINGS = "Warnings"
# The section of the guide for each kind of text; those of failures are the others.
SECTIONS = {"warning": WARNINGS, "not visible": "What is not visible"}
# What stands before the message about an entry, and about its Azure Auth.
LABEL = re.compile(r"^(?:identities\[\d+\](?: \([^)]*\))?: )?(?:azure_auth: )?")
# What may follow any message: it is one of its own.
UNTRIED = re.compile(r" (?=\d+ of \d+ identities were not tried\.$)")
ROWS = message_rows()
# What the code can say, and no module says: Azure Auth has no secrets among its settings.
OF_SECRET_SETTINGS = "... is not valid; give another secret."


@dataclass(frozen=True)
class Trigger:
    """A run of a module that makes it say something: its options, and the server.

    It is run on an identity of its own, whose Azure Auth has the fields `stored`; None: it has
    none. It has delete protection where it is `protected`. What is given in `options` goes before
    the defaults, and None leaves an option out. `server` is one of those in `servers()`. A fault is
    an action and its options. With `stopped`, a signal is sent as soon as the server has got a
    request with that method.
    """

    options: t.Mapping[str, t.Any]
    module: str = AZURE
    server: str = "current"
    stored: t.Mapping[str, t.Any] | None = field(default_factory=dict)
    fault: tuple[str, t.Mapping[str, t.Any]] | None = None
    environment: t.Mapping[str, str] = field(default_factory=dict)
    stopped: str | None = None
    protected: bool = False
    check: bool = False


def ips(*items: t.Any) -> Trigger:
    return Trigger({"access_token_trusted_ips": list(items)})


def principals(*ids: t.Any) -> Trigger:
    return Trigger({"allowed_service_principal_ids": list(ids)})


def faulty(action: str, **details: t.Any) -> Trigger:
    """A server that misbehaves when the task reads the Azure Auth."""
    return Trigger({"retries": 1}, fault=(action, details))


def refusal(name: str, message: str) -> Trigger:
    """A server that refuses to let the Azure Auth be read."""
    return faulty("error", status=403, error=name, message=message)


def login(module: str = AZURE, **options: t.Any) -> Trigger:
    """Other credentials than a token."""
    return Trigger({"token": None, **options}, module)


def entry(server: str = "current", **options: t.Any) -> Trigger:
    """One identity, with what there is to it."""
    return Trigger(options, IDENTITY, server)


def entries(*items: t.Any, **options: t.Any) -> Trigger:
    """Many identities at once."""
    return Trigger({"identities": list(items), **options}, FLEET)


def read(server: str = "current", **options: t.Any) -> Trigger:
    """Reading identities."""
    return Trigger(options, INFO, server)


def stopped(method: str, latency: float, *items: t.Any) -> Trigger:
    """A task that is stopped while it waits for the answer to a request about its identity."""
    return replace(
        entries(*items, concurrency=1),
        fault=("latency", {"method": method, "seconds": latency}),
        stopped=method,
    )


class Setting:
    """The servers, stubs and credentials that triggers take."""

    def __init__(
        self,
        servers: t.Mapping[str, Emulator],
        silent: socket.socket,
        untrusted: str,
        azure: MetadataServices,
        folder: Path,
    ) -> None:
        self.folder = folder
        self.servers = servers
        self.current = servers["current"]
        self.silent = f"http://127.0.0.1:{silent.getsockname()[1]}"
        self.untrusted = untrusted
        self.azure = azure
        self.azure.key_file = "/var/opt/azcmagent/tokens/none.key"
        self.federated_token = folder / "federated-token"
        self.federated_token.write_text(federated_token("nobody"), encoding="utf-8")
        with socket.create_server(("127.0.0.1", 0)) as closed:
            self.closed = f"http://127.0.0.1:{closed.getsockname()[1]}"
        self.universal = self.universal_of("current")
        self.own = self.current.create_identity("own", role="admin", methods=["azure-auth"])
        self.own_token = self.current.issue_token(self.own, method="azure-auth")
        purged = servers["purged"]
        purger = purged.create_identity("purger", role="admin", methods=["azure-auth"])
        self.purger_token = purged.issue_token(purger, method="azure-auth")
        for server in (servers["projects"], servers["without counts"]):
            server.create_identity("owned", project_id=server.project_id, methods=["azure-auth"])
        server.add_member(server.identities["admin"], "no-access", project_id=server.project_id)
        self.old_privileges = servers["old privileges"]
        project = self.current.create_project("shop")
        self.owned = self.current.create_identity(
            "owned", project_id=project, methods=["azure-auth"]
        )
        self.owned_bare = self.current.create_identity("owned bare", project_id=project)
        labs = self.current.sub_organization_id
        self.native = self.current.create_identity(
            "native", role="admin", methods=["universal-auth"], organization_id=labs
        )
        self.guest = self.current.create_identity("guest", organization_id=labs)
        self.current.add_member(
            self.guest, "no-access", organization_id=self.current.organization_id
        )
        self.current.create_identity("reporting")
        self.nameless = self.current.create_identity("", delete_protection=True)
        # One that is no JWT.
        self.opaque_token = "opaque-token"
        tokens = self.current.state.tokens
        tokens[self.opaque_token] = tokens[self.current.token]
        steward = self.current.create_identity("steward", role="admin")
        for project_id in (project, self.current.project_id):
            self.current.add_member(steward, "admin", project_id=project_id)
        self.crowded = self.current.create_project("crowded")
        self.current.fault(
            "body",
            path=f"/{self.crowded}/identities$",
            json={"identities": [], "totalCount": 3},
        )
        self.steward_token = self.current.issue_token(steward)
        stranger = self.current.create_identity("stranger")
        self.current.add_member(stranger, "admin", project_id=project)
        self.stranger_token = self.current.issue_token(stranger)
        self.without_requests = folder / "without-requests"
        self.without_requests.mkdir()
        (self.without_requests / "requests.py").write_text("raise ImportError\n", encoding="utf-8")
        self.old_python = folder / "old-python"
        self.old_python.mkdir()
        (self.old_python / "sitecustomize.py").write_text(
            "import sys\nsys.version_info = (3, 8, 18)\n", encoding="utf-8"
        )
        self.old_library = folder / "old-library"
        self.old_library.mkdir()
        (self.old_library / "sitecustomize.py").write_text(
            "import requests\nrequests.__version__ = '2.27.1'\n", encoding="utf-8"
        )
        self.without_threads = folder / "without-threads"
        self.without_threads.mkdir()
        (self.without_threads / "sitecustomize.py").write_text(
            """\
import threading


def start(_thread):
    raise RuntimeError("can't start new thread")


threading.Thread.start = start
""",
            encoding="utf-8",
        )

    def universal_of(self, server: str) -> dict[str, str]:
        """Credentials of the admin of a server."""
        return {
            "universal_auth_client_id": self.servers[server].client_id,
            "universal_auth_client_secret": self.servers[server].client_secret,
        }

    def token(self, name: str, **details: t.Any) -> str:
        """A token of one of the identities that the emulator has from the start."""
        return self.current.issue_token(self.current.identities[name], **details)

    def platform(self, method: str) -> Trigger:
        """A login with the JWT of a platform that the test does not run on."""
        return Trigger(
            {"token": None, "auth_method": method, "auth_identity_id": ID},
            environment={
                "AZURE_POD_IDENTITY_AUTHORITY_HOST": self.closed,
                "GCE_METADATA_HOST": self.closed.removeprefix("http://"),
                "INFISICAL_KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH": "/nowhere/token",
            },
        )


def triggers(setting: Setting) -> dict[str, Trigger]:
    """Return what can go wrong -> the run in which it does."""
    return {
        "both id and name": Trigger({"identity_name": "billing"}),
        "neither id nor name": Trigger({"identity_id": None}),
        "an id that is a name": Trigger({"identity_id": "billing"}),
        "a misspelled option": Trigger({"tenant": "x"}),
        "an option like no other": Trigger({"qqqq": "x"}),
        "a name that YAML made a number": Trigger({"identity_id": None, "identity_name": 8}),
        "masked text": Trigger({"resource": "https://********.azure.com/"}),
        "a template": Trigger({"resource": "{{ resource }}"}),
        "omit in a list": principals("__omit_place_holder__1"),
        "no principals": principals(),
        "everyone, and some": Trigger({**REQUIRED, "allow_all_service_principals": True}),
        "everyone": Trigger({"allow_all_service_principals": True}),
        "not everyone": Trigger(
            {"allow_all_service_principals": False}, stored={"allowedServicePrincipalIds": ""}
        ),
        "no audience": Trigger({"resource": "/"}),
        "a resource of two lines": Trigger({"resource": "a\nb"}),
        "a number for a list": Trigger({"access_token_trusted_ips": 8}),
        "a list for a URL": Trigger({"url": ["https://x"]}),
        "something else for a URL": Trigger({"url": UNUSED}),
        "a scope": Trigger({"resource": "https://x/.default"}),
        "a number of seconds with a unit": Trigger({"access_token_ttl": "1h"}),
        "a timeout with a unit": Trigger({"timeout": "1m"}),
        "a tenant by its domain": Trigger({"tenant_id": "contoso.onmicrosoft.com"}),
        "the whole result of a login": login(login_data={"login_data": {}, "obtained": True}),
        "a token for a login": login(login_data=UNUSED),
        "half a dictionary for a login": login(login_data="{"),
        "other keys in a login": login(login_data={"token": UNUSED}),
        "a list for a token in a login": login(login_data={"access_token": [UNUSED]}),
        "a login without a URL": login(login_data={"url": UNUSED, "access_token": UNUSED}),
        "a list for a secret": Trigger({"token": [UNUSED]}),
        "a blank principal": principals(""),
        "a blank trusted IP": ips(""),
        "a number for a principal": principals(7),
        "a NUL": Trigger({"resource": "a\0b"}),
        "a number of seconds out of range": Trigger({"access_token_ttl": -1}),
        "a number of uses out of range": Trigger({"access_token_num_uses_limit": 2**53}),
        "a TTL above the max, both given": Trigger(
            {"access_token_ttl": 2, "access_token_max_ttl": 1}
        ),
        "a TTL above the stored max": Trigger({"access_token_ttl": 2592001}),
        "a principal with a comma": principals(f"{PRINCIPAL},{PRINCIPAL}"),
        "too many principals": principals(*(f"{n:032x}" for n in range(54))),
        "no trusted IP": ips(),
        "a trusted IP as the API writes it": ips({"ipAddress": "192.0.2.7"}),
        "a host name for a trusted IP": ips("db.example.org"),
        "an octet that is too large": ips("256.0.0.1"),
        "a netmask": ips("10.0.0.0/255.0.0.0"),
        "a name that nobody has": Trigger({"identity_id": None, "identity_name": "nobody"}),
        "a name that two have": Trigger({"identity_id": None, "identity_name": "batch worker"}),
        "a change where nothing is attached": Trigger({"resource": "other"}, stored=None),
        "all but one of what attaching needs": Trigger({**REQUIRED, "resource": None}, stored=None),
        "attaching beside another method in 2024": Trigger(
            {**REQUIRED, "identity_id": setting.servers["2024"].identities["member"]},
            server="2024",
            stored=None,
        ),
        "no maximum in 2024": Trigger({"access_token_max_ttl": 0}, server="2024"),
        "stored principals that are blank": Trigger(
            {"resource": "other"}, stored={"allowedServicePrincipalIds": " "}
        ),
        "the task's own identity": Trigger(
            {"identity_id": setting.own, "token": setting.own_token, "resource": "other"}
        ),
        "another state than asked for": Trigger(
            {"resource": "other"},
            fault=("mismatch", {"method": "PATCH", "fields": {"resource": "x"}}),
        ),
        "no credentials": login(),
        "credentials of two methods": login(token=UNUSED, universal_auth_client_id="x"),
        "half of the credentials": login(universal_auth_client_id="x"),
        "a JWT and no method": login(jwt=UNUSED),
        "an unknown method": login(auth_method="basic"),
        "a login identity that is a name": login(
            auth_method="jwt_auth", auth_identity_id="runner", jwt=UNUSED
        ),
        "a token with a line end": Trigger({"token": "a\nb"}),
        "a placeholder for a token": login(
            login_data={"url": setting.current.url, "access_token": "<check_mode_token>"}
        ),
        "login data of another server": login(
            login_data={"url": "https://eu.infisical.com", "access_token": UNUSED}
        ),
        "credentials to revoke with": login(LOGIN, **setting.universal, state="absent"),
        "a login to revoke": login(
            LOGIN,
            **setting.universal,
            auth_method="universal_auth",
            token=UNUSED,
            state="absent",
        ),
        "an unknown client id": login(**{**setting.universal, "universal_auth_client_id": ID}),
        "a wrong secret": login(**{**setting.universal, "universal_auth_client_secret": "wrong"}),
        "a token that is none": Trigger({"token": "garbage"}),
        "a login without a token in it": Trigger(
            {"token": None, **setting.universal}, server="without tokens"
        ),
        "no metadata service of Azure": setting.platform("azure_auth"),
        "no metadata server of Google": setting.platform("gcp_auth"),
        "no pod": setting.platform("kubernetes_auth"),
        "a URL without a scheme": Trigger({"url": "app.infisical.com"}),
        "no URL": Trigger(
            {"url": None, "retries": 0},
            environment={"https_proxy": setting.closed, "HTTPS_PROXY": setting.closed},
        ),
        "a URL with a user": Trigger({"url": "https://me@app.infisical.com"}),
        "no time at all": Trigger({"timeout": 0}),
        "a negative rate limit timeout": Trigger({"rate_limit_timeout": -1}),
        "too many retries": Trigger({"retries": 101}),
        "no certificate authority": Trigger({"ca_path": "/nowhere/ca.pem"}),
        "a missing library": Trigger({}, environment={"PYTHONPATH": str(setting.without_requests)}),
        "an old library": Trigger({}, environment={"PYTHONPATH": str(setting.old_library)}),
        "an old Python": Trigger({}, environment={"PYTHONPATH": str(setting.old_python)}),
        "nothing at the port": Trigger({"url": setting.closed, "retries": 1}),
        "a port that never answers": Trigger({"url": setting.silent, "retries": 1, "timeout": 0.2}),
        "connections that are closed": faulty("drop"),
        "an answer that comes too slowly": Trigger(
            {"retries": 1, "timeout": 0.5}, fault=("drip", {})
        ),
        "an answer that is cut off": faulty("truncate"),
        "a proxy that is down": Trigger(
            {"retries": 1}, environment={"http_proxy": setting.closed, "HTTP_PROXY": setting.closed}
        ),
        "a proxy that is none": Trigger(
            {}, environment={"http_proxy": "ftp://x", "HTTP_PROXY": "ftp://x"}
        ),
        "no bundle of authorities": Trigger(
            {}, environment={"REQUESTS_CA_BUNDLE": "/nowhere/ca.pem"}
        ),
        "a SOCKS proxy": Trigger({}, environment={"ALL_PROXY": "socks5://127.0.0.1:1080"}),
        "no TLS at the port": Trigger({"url": setting.current.url.replace("http:", "https:")}),
        "an authority that is not trusted": Trigger({"url": setting.untrusted}),
        "TLS at the port": faulty(
            "body", text="Client sent an HTTP request to an HTTPS server.", status=400
        ),
        "a redirect elsewhere": faulty(
            "redirect",
            location=f"https://elsewhere.example/api/v1/auth/azure-auth/identities/{OWN}",
        ),
        "a redirect to itself": faulty(
            "redirect", location=f"/api/v1/auth/azure-auth/identities/{OWN}"
        ),
        "a sign-in page": faulty("redirect", location="https://sso.example/start"),
        "HTML": faulty("body", text="<html>"),
        "an error page of a gateway": Trigger(
            {"retries": 0}, fault=("error", {"status": 502, "html": True})
        ),
        "other JSON": faulty("body", json={"status": "UP"}),
        "a huge answer": faulty("huge"),
        "a packed answer": faulty("huge", size=1024, gzip=True),
        "an identity of a project": refusal("ProjectMembershipNotFound", "You are not a member"),
        "an identity of another organization": refusal(
            "Identity is not apart of this organization", "You are not allowed to"
        ),
        "an instance admin's identity": refusal(
            "ForbiddenError", "You are attempting to modify an instance admin identity."
        ),
        "another refusal": refusal("ForbiddenError", "You are not allowed to"),
        "an error in the server": Trigger(
            {"resource": "other"}, fault=("error", {"method": "PATCH", "status": 500})
        ),
        "a database that is away": faulty("error", error="IdAccessTokenFindOne"),
        "a text that an old server cannot hold": Trigger(
            {"resource": "r" * 256},
            fault=("error", {"method": "PATCH", "status": 500, "error": "Update by id"}),
        ),
        "a role without the permission": Trigger(
            {"token": setting.token("no-access"), "resource": "other"}
        ),
        "an identity with more privileges": Trigger(
            {
                "identity_id": setting.old_privileges.identities["privileged"],
                "token": setting.old_privileges.issue_token(
                    setting.old_privileges.identities["member"]
                ),
                "state": "absent",
            },
            server="old privileges",
        ),
        "a project that the login is no member of": Trigger({"identity_id": setting.owned}),
        "a project, and a login that may not know": Trigger(
            {"identity_id": setting.owned_bare, "token": setting.stranger_token}
        ),
        "an address that is not trusted": Trigger(
            {"token": setting.token("admin", trusted_ips=["192.0.2.7"])}
        ),
        "an unknown identity": Trigger({"identity_id": ID}),
        "a login method that the server lacks": Trigger(
            {"token": None, "auth_method": "jwt_auth", "auth_identity_id": ID, "jwt": UNUSED},
            server="2024",
        ),
        "trusted IPs without the licence": Trigger(
            {"access_token_trusted_ips": ["10.0.0.0/8"]}, server="without licence"
        ),
        "a slug that is too long": login(**setting.universal, organization_slug="a" * 65),
        "seven principals in 2024": Trigger(
            {"allowed_service_principal_ids": [f"{n:032x}" for n in range(7)]}, server="2024"
        ),
        "a rate limit that lasts": Trigger(
            {"rate_limit_timeout": 1}, fault=("rate_limit", {"retry_after": 60})
        ),
        "host bits": ips("10.1.2.3/8"),
        "an IPv6 network that admits IPv4": ips("::/0"),
        "login data beside a method": Trigger(
            {
                "auth_method": "token_auth",
                "login_data": {"url": setting.current.url, "access_token": UNUSED},
            }
        ),
        "no check of certificates": Trigger({"validate_certs": False}),
        "a server elsewhere without TLS": Trigger(
            {"url": "http://infisical.invalid", "retries": 1}
        ),
        "a token that cannot be revoked": Trigger(
            {"token": None, **setting.universal}, server="without revocation"
        ),
        "an entry that is a text": entries("billing"),
        "several entries that are": entries("billing", "payments"),
        "an entry with an option as the API writes it": entries(
            {"id": OWN, "azure_auth": {"tenantId": SOMEBODYS["tenantId"]}}
        ),
        "an identity that is listed twice": entries({"id": OWN}, {"id": OWN}),
        "an entry with another type": entries({"id": OWN, "azure_auth": {"resource": 7}}),
        "an entry with a name that nobody has": entries({"name": "nobody"}, create=False),
        "an entry with infinity": entries(
            {"id": OWN, "azure_auth": {"access_token_num_uses_limit": float("inf")}}
        ),
        "no more threads": Trigger(
            {"ids": [OWN]},
            INFO,
            environment={"PYTHONPATH": str(setting.without_threads)},
        ),
        "too much at once": entries({"id": OWN}, concurrency=65),
        "an id in a list that is a name": read(ids=["billing"]),
        "a name in a list that is blank": read(names=[" "]),
        "a name in a list that two have": read(names=["batch worker"]),
        "a list of identities that lacks some": replace(
            entries(purge_azure_auth_except=["billing"]), server="miscounting"
        ),
        "nobody may keep it": entries(purge_azure_auth_except=[]),
        "somebody unknown may keep it": entries(purge_azure_auth_except=[OWN, ID]),
        "an entry that may not keep it": entries({"id": OWN}, purge_azure_auth_except=["billing"]),
        "the login may not keep it": Trigger(
            {
                "identities": [],
                "purge_azure_auth_except": ["billing"],
                "token": setting.purger_token,
            },
            FLEET,
            server="purged",
        ),
        "an identity among several that is unknown": entries({"id": ID}, {"id": OWN}),
        "reading one that is unknown": read(ids=[ID]),
        "a server that is down": read("down", retries=1),
        "a token that is used up": Trigger(
            {"token": setting.token("admin", num_uses_limit=1), "resource": "other"}
        ),
        "a signal": Trigger({}, fault=("latency", {"seconds": 60}), stopped="GET"),
        "a signal before the rest was tried": stopped(
            "GET", 1, {"id": OWN}, {"name": "billing", "azure_auth": {"state": "absent"}}
        ),
        "a signal while a change is on its way": stopped(
            "PATCH", 60, {"id": OWN, "azure_auth": {"resource": "other"}}
        ),
        "a signal between the two steps of a change": stopped(
            "PATCH",
            1,
            {
                "id": OWN,
                "azure_auth": {"access_token_ttl": 2592001, "access_token_max_ttl": 0},
            },
        ),
        **of_identities(setting),
        **of_logins(setting),
        **of_what_is_not_visible(setting),
    }


def of_identities(setting: Setting) -> dict[str, Trigger]:
    """Return what can go wrong with identities themselves."""
    return {
        # It takes half a minute, and so comes first of all that waits.
        "a creation whose answer is lost": entry("losing", name="lost"),
        "neither": entry(role="member"),
        "an id of an entry that is a name": entry(id="billing"),
        "a project by its name": entry(name="in a project", project_id="shop"),
        "a name that is too long": entry(id=OWN, name="n" * 256),
        "the word for custom roles": entry(id=OWN, role="custom"),
        "a number for metadata": entry(id=OWN, metadata=7),
        "a number in metadata": entry(id=OWN, metadata={"floor": 7}),
        "a blank in metadata": entry(id=OWN, metadata={"team": " "}),
        "a key of metadata twice": entry(id=OWN, metadata={"team": "x", " team": "y"}),
        "a list for Azure Auth": entry(id=OWN, azure_auth=[UNUSED]),
        "a text for Azure Auth": entry(id=OWN, azure_auth="{"),
        "a list for Azure Auth in an entry": entries({"id": OWN, "azure_auth": [UNUSED]}),
        "a list for a boolean": entries({"id": OWN, "delete_protection": [True]}),
        "a setting beside Azure Auth": entries({"id": OWN, "tenant_id": ID}),
        "an entry with an unknown option": entries({"id": OWN, "qqqq": "x"}),
        "a name that nobody has yet": Trigger(
            {"identity_id": None, "identity_name": "nobody"}, check=True
        ),
        "the name of a guest": entry(name="guest", role="member"),
        "a guest": entry(id=setting.guest, role="member"),
        "an unknown id": entry(id=ID),
        "an owned one, and a login that may not know": entry(
            id=setting.owned_bare, token=setting.stranger_token
        ),
        "another project": entry(
            id=setting.owned, project_id=setting.current.project_id, token=setting.steward_token
        ),
        "a project in 2024": entry("2024", name="in a project", project_id=ID),
        "metadata in 2024": entry("2024", name="described", metadata={"team": "payments"}),
        "an identity that is deleted while it is changed": replace(
            entries(
                {"name": "an identity that is deleted while it is changed", "role": "member"},
                create=False,
            ),
            fault=("race", {"method": "PATCH", "change": "delete"}),
        ),
        "a new name in other letters": entry(name="BILLING"),
        "a new name that is close to another": entry(name="reportinq"),
        "an unknown role": entry(name="unknown role", role="janitor"),
        "one of the name that comes meanwhile": entry("racing", name="meanwhile"),
        "a twin": entry("twins", name="twin"),
        "a look after the creation that is refused": entry("refusing", name="unseen"),
        "a look before the creation that is refused": entry("slow", name="late", role="special"),
        "a creator that may not attach": entry(
            name="not attached", azure_auth=REQUIRED, token=setting.token("member")
        ),
        "an attach that fails": entry("not attaching", name="not attached", azure_auth=REQUIRED),
        "a new name that another has": entry(id=OWN, name="billing"),
        "the login's own deletion": entry(id=setting.own, state="absent", token=setting.own_token),
        "an id and another name to delete": entry(id=OWN, name="billing", state="absent"),
        "a protected identity": replace(entry(id=OWN, state="absent"), protected=True),
        "a protected identity without a name": entry(
            id=setting.nameless, state="absent", delete_protection=False
        ),
        "a protected identity that stays": replace(
            entry(id=OWN, state="absent", delete_protection=False),
            protected=True,
            fault=("error", {"method": "DELETE", "status": 403, "error": "PermissionDenied"}),
        ),
        "another name than asked for": replace(
            entry(id=OWN, name="another name"),
            fault=("body", {"method": "PATCH", "json": {"identity": {"id": OWN, "name": "x"}}}),
        ),
        "entries that give the same name": entries(
            {"id": OWN, "name": "same"},
            {"id": setting.current.identities["member"], "name": "same"},
        ),
        "an entry by its new name": entries({"id": OWN, "name": "new"}, {"name": "new"}),
        "a negative limit": entries({"id": OWN}, max_changes=-1),
        "too many changes": entries({"id": OWN, "role": "member"}, max_changes=0),
        "too many changes in check mode": replace(
            entries({"id": OWN, "role": "member"}, max_changes=0), check=True
        ),
        "a stored tenant that is a domain": Trigger({}, stored={"tenantId": "example.org"}),
        "one role of perhaps several": entry("without counts", id=OWN, role="member"),
        "a purge by a token that does not tell whose it is": entries(
            purge_azure_auth_except=["payments"], token=setting.opaque_token
        ),
        "names that differ in letters only": entries({"name": "harbour"}, {"name": "Harbour"}),
        "a list of a project that is not whole": read(project_id=setting.crowded),
        "a change that cannot be looked at": replace(
            entry("without counts", id=OWN, role="member"),
            fault=(
                "error",
                {"method": "GET", "nth": 2, "status": 403, "error": "PermissionDenied"},
            ),
        ),
        "a token that does not tell whose it is": entry(
            id=OWN, state="absent", token=setting.opaque_token
        ),
    }


def of_logins(setting: Setting) -> dict[str, Trigger]:
    """Return what can go wrong with organizations, platforms and headers."""
    slug = {"organization_slug": "acme-labs"}
    native = setting.current.credentials(setting.native)
    azure = {"token": None, "auth_method": "azure_auth", "auth_identity_id": ID}
    return {
        "a token for another organization": Trigger(slug),
        "a slug of none, and a token for the root": Trigger({"organization_slug": "mistyped"}),
        "a slug in 2024": Trigger(slug, server="2024"),
        "a slug of no use": login(
            **slug,
            universal_auth_client_id=native.client_id,
            universal_auth_client_secret=native.client_secret,
        ),
        "a slug, and a token that tells nothing": Trigger({**slug, "token": setting.opaque_token}),
        "a second login that ends elsewhere": Trigger(
            {"token": None, **setting.universal_of("moving")}, server="moving"
        ),
        "no App Service": Trigger(
            azure, environment={"IDENTITY_ENDPOINT": setting.closed, "IDENTITY_HEADER": UNUSED}
        ),
        "no Arc": Trigger(
            azure, environment={"IDENTITY_ENDPOINT": setting.closed, "IMDS_ENDPOINT": "x"}
        ),
        **of_azure(setting, azure),
        "headers that are none": Trigger({}, environment={"INFISICAL_CUSTOM_HEADERS": "x"}),
        "a header of the request": Trigger(
            {}, environment={"INFISICAL_CUSTOM_HEADERS": "Authorization=x"}
        ),
    }


def of_azure(setting: Setting, azure: t.Mapping[str, t.Any]) -> dict[str, Trigger]:
    """Return what can go wrong with a login as one of Azure's identities."""
    services = setting.azure
    federated = services.workload(setting.federated_token, ID)
    return {
        "no key of Arc's": Trigger(azure, environment=services.arc),
        "no federated token": Trigger(
            azure, environment={**federated, "AZURE_FEDERATED_TOKEN_FILE": "/nowhere/token"}
        ),
        "a workload identity that Entra does not know": Trigger(azure, environment=federated),
        "no Entra": Trigger(
            azure, environment={**federated, "AZURE_AUTHORITY_HOST": setting.closed}
        ),
        "Entra in clear": Trigger(
            azure, environment={**federated, "AZURE_AUTHORITY_HOST": "http://login.example"}
        ),
        "no tenant": Trigger(azure, environment={**federated, "AZURE_TENANT_ID": ""}),
        "an endpoint that is no URL": Trigger(
            azure, environment={"IDENTITY_ENDPOINT": "msi", "IDENTITY_HEADER": UNUSED}
        ),
        "an object id of a workload identity": Trigger(
            {**azure, "azure_identity_object_id": ID}, environment=federated
        ),
        "two managed identities": Trigger(
            {**azure, "azure_client_id": ID, "azure_identity_object_id": ID}
        ),
        "a name for a client id": Trigger({**azure, "azure_client_id": "runner"}),
        "a name for a resource id": Trigger({**azure, "azure_identity_resource_id": "runner"}),
    }


def of_what_is_not_visible(setting: Setting) -> dict[str, Trigger]:
    """Return the runs that cannot see everything."""
    projects = setting.servers["projects"]
    member = projects.issue_token(projects.identities["member"])
    purge = {"purge_azure_auth_except": ["billing"]}
    return {
        "a list that leaves out those of projects": replace(entries(**purge), server="projects"),
        "a list that nothing counts": replace(entries(**purge), server="without counts"),
        "all that an admin sees": read("projects"),
        "all that a member sees": read("projects", token=member),
        "a project whose identities may not be read": read("without counts"),
    }


Said = t.Mapping[str, t.Sequence[tuple[str, str]]]


@contextlib.contextmanager
def servers() -> t.Iterator[dict[str, Emulator]]:
    """Servers of 2026 and of 2024, some that lack something, and some that misbehave."""
    with contextlib.ExitStack() as stack:
        started = {
            name: stack.enter_context(running("2024-10" if name == "2024" else "2026"))
            for name in (
                "current",
                "2024",
                "without licence",
                "without tokens",
                "without revocation",
                "purged",
                "miscounting",
                "old privileges",
                "projects",
                "without counts",
                "losing",
                "racing",
                "twins",
                "refusing",
                "slow",
                "not attaching",
                "moving",
                "down",
            )
        }
        down = started["down"]
        down.create_identities([f"app {number}" for number in range(60)], azure_auth=SOMEBODYS)
        down.fault("drop", path="/azure-auth/")
        created: t.Any = {"method": "POST", "path": "/identities$"}
        started["losing"].fault("drop", **created)
        started["racing"].fault(
            "race",
            method="GET",
            path="/v1/identities$",
            times=1,
            change="create",
            fields={"name": "meanwhile"},
        )
        started["twins"].fault("race", **created, change="create", fields={"name": "twin"})
        started["refusing"].fault(
            "error", path="/identities/search$", nth=2, status=403, error="PermissionDenied"
        )
        # So that the look that found nothing is an old one when the identity is created.
        started["slow"].create_role("special", ["read"])
        started["slow"].fault("latency", path="/roles/slug/special", when="after", seconds=5.5)
        started["slow"].fault(
            "error", path="/v1/identities/search$", nth=2, status=403, error="PermissionDenied"
        )
        started["not attaching"].fault("error", method="POST", path="/azure-auth/identities/")
        moving = started["moving"]
        admin = moving.identities["admin"]
        moving.add_member(admin, "admin", organization_id=moving.sub_organization_id)
        elsewhere = moving.issue_token(admin, organization_id=moving.sub_organization_id)
        moving.fault(
            "error", path="/azure-auth/identities/", times=1, status=401, error="UnauthorizedError"
        )
        moving.fault("body", path="/login$", nth=2, json={"accessToken": elsewhere})
        started["without licence"].settings(licence=False)
        started["old privileges"].settings(legacy_privileges=True)
        started["without tokens"].fault("body", path="/login", json={"ok": True})
        started["miscounting"].fault(
            "body", path="/identities$", json={"identities": [], "totalCount": 3}
        )
        started["without counts"].fault("error", path="/api/v2/", status=404, error="Not Found")
        started["without revocation"].fault(
            "error", path="/token/revoke", status=400, error="BadRequest"
        )
        yield started


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Said:
    """What each trigger made a module say: the kind, "failure" or "warning", and the text.

    The modules run as processes, as Ansible runs them, some at a time.
    """
    link_collection()
    folder = tmp_path_factory.mktemp("messages")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with (
        servers() as started,
        socket.create_server(("127.0.0.1", 0)) as silent,
        adversary(context) as untrusted,
        metadata_services(started["current"]) as azure,
    ):
        setting = Setting(started, silent, untrusted.url, azure, folder)
        rows = triggers(setting)
        options = [options_for(title, trigger, setting) for title, trigger in rows.items()]
        with ThreadPoolExecutor(4) as pool:
            results = list(pool.map(partial(run, setting), rows.values(), options))
        return {title: said_in(result) for title, result in zip(rows, results)}


def options_for(title: str, trigger: Trigger, setting: Setting) -> dict[str, t.Any]:
    """Prepare an identity for a trigger, and return the options to run the module with."""
    server = setting.servers[trigger.server]
    identity_id = server.create_identity(title, delete_protection=trigger.protected)
    if trigger.stored is not None:
        server.put_azure_auth(identity_id, **{**SOMEBODYS, **trigger.stored})
    if trigger.fault:
        action, details = json.loads(json.dumps(trigger.fault).replace(OWN, identity_id))
        server.fault(action, identity_id=identity_id, **details)
    every = {
        "url": server.url,
        "token": server.token,
        "identity_id": OWN if trigger.module == AZURE else None,
        **trigger.options,
    }
    options = {name: value for name, value in every.items() if value is not None}
    filled: dict[str, t.Any] = json.loads(json.dumps(options).replace(OWN, identity_id))
    return filled


def run(setting: Setting, trigger: Trigger, options: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Run a module, and stop it where the trigger says so."""
    process = start_module(
        trigger.module,
        setting.folder,
        options,
        environment=trigger.environment,
        check=trigger.check,
    )
    if trigger.stopped:
        identities = [options, *options.get("identities", [])]
        ids = (item.get("identity_id") or item.get("id") for item in identities)
        identity_id = next(filter(None, ids))
        server = setting.servers[trigger.server]
        while not server.requests(identity_id=identity_id, method=trigger.stopped):
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
    return finish_module(process)


def said_in(result: t.Mapping[str, t.Any]) -> list[tuple[str, str]]:
    """Return what a result says, as a whole and of single identities, without their labels.

    Each with its kind: a failure, a warning, or what was not visible.
    """
    found = [("warning", text) for text in warning_texts({**result})]
    found += [("not visible", sentence) for sentence in result.get("not_visible", [])]
    if result.get("failed"):
        of_one = [*result.get("results", []), *result.get("failures", [])]
        messages = [item["msg"] for item in (result, *of_one) if "msg" in item]
        found += [
            ("failure", LABEL.sub("", part))
            for message in dict.fromkeys(messages)
            for part in UNTRIED.split(message)
        ]
    return found


def matches(row: MessageRow, kind: str, text: str) -> bool:
    """Whether a text of a kind is the message of a row."""
    of_others = [section for other, section in SECTIONS.items() if other != kind]
    here = row.section == SECTIONS.get(kind, row.section) and row.section not in of_others
    return here and like(row.message, text)


def like(message: str, text: str) -> bool:
    """Whether a text is a message, where `...` stands for anything."""
    return re.fullmatch(pattern(message), text, re.DOTALL) is not None


def pattern(message: str) -> str:
    """Return a message as a regular expression."""
    return ".*".join(map(re.escape, message.split("...")))


@pytest.mark.parametrize("row", [pytest.param(row, id=row.message[:90]) for row in ROWS])
def test_a_module_gives_the_message_of_the_row(row: MessageRow, said: Said) -> None:
    texts = [(kind, text) for found in said.values() for kind, text in found]
    assert any(matches(row, kind, text) for kind, text in texts), "\n".join(
        text for _kind, text in texts
    )


def test_whatever_a_module_says_is_in_exactly_one_row(said: Said) -> None:
    """So that no row is so general that it would hide that another one is not produced."""
    assert [title for title, found in said.items() if not found] == []
    for kind, text in (item for found in said.values() for item in found):
        rows = [row.message for row in ROWS if matches(row, kind, text)]
        assert len(rows) == 1, f"{kind}: {text}\n{rows}"


def test_every_row_has_a_cause_and_something_to_do() -> None:
    assert len({row.message for row in ROWS}) == len(ROWS)
    assert [row.message for row in ROWS if not (row.cause and row.remedy)] == []


def test_every_message_in_the_code_has_a_row() -> None:
    """One of the two may be the more general: the code has its values, a row says several.

    What is only ever a part of a message may be a part of a row.
    """
    listed = [row.message for row in ROWS]
    whole = [message.replace(" (tried ... times in ... seconds)", "") for message in listed]
    quoted = message_parts()
    missing = [
        message
        # What stands in front of a message is a label, and none of the guide's.
        for message in (text.removeprefix("...: ") for text in messages_in_code())
        if message != OF_SECRET_SETTINGS
        and not any(like(message, row) or like(row, message) for row in (*whole, *quoted))
        and not any(re.search(pattern(message.strip()), row) for row in listed)
    ]
    assert missing == []
