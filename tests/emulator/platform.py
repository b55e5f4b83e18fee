# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the JWTs of platforms come from: stand-ins for the services of Azure and Google, and for
the file that Kubernetes gives a pod.

Azure has four: the instance metadata service of virtual machines, the endpoint of App Service,
Functions and Container Apps, the agent of Arc, and Entra, which exchanges tokens of other issuers.
"""

from __future__ import annotations

import inspect
import json
import re
import ssl
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from .control import Control
from .logins import azure_claims, gcp_claims
from .server import HOST
from .state import decode_jwt, encode_jwt

AZURE_PATH = "/metadata/identity/oauth2/token"
AZURE_VERSION = "2018-02-01"
APP_SERVICE_PATH = "/msi/token"
APP_SERVICE_VERSION = "2019-08-01"
ARC_PATH = "/arc/token"
ARC_VERSION = "2020-06-01"
ENTRA_PATH = re.compile(r"/([^/]+)/oauth2/v2\.0/token")
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# Whom Entra wants a federated token to be made for.
EXCHANGE_AUDIENCE = "api://AzureADTokenExchange"
TENANT = "3f6c1b52-9d0e-4a87-8c21-5b7e0f4d9a16"
# What proves to the endpoint of App Service, or to Arc's agent, who asks.
HOST_SECRET = "c2VjcmV0LW9mLXRoZS1ob3N0"
GOOGLE_PATH = "/computeMetadata/v1/instance/service-accounts/default/identity"


@dataclass(frozen=True)
class Answer:
    """What a service says."""

    status: int
    body: bytes
    content_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class MetadataRequest:
    """A request as a service saw it: its target as it came, header names in lower case.

    `query` is that of the target, or the form of a POST.
    """

    target: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]


@dataclass
class _Fault:
    act: Callable[..., None]
    options: dict[str, Any]
    times: int | None


class MetadataServices:
    """All services at one address; `url` and `host` are what clients are pointed at.

    Arc's agent writes a key for each challenge into `key_folder`, unless `key_file` is what it is
    to name. An agent that is `old` gives the token of the system-assigned identity to everybody.
    """

    def __init__(
        self,
        emu: Control,
        address: str,
        managed_identity: str | None,
        identities: Mapping[str, str],
        key_folder: Path | None,
    ) -> None:
        self.url = address
        self.host = address.partition("://")[2]
        self.key_folder = key_folder
        self.key_file: str | None = None
        self.old = False
        self._emu = emu
        self._principals = {
            name: _principal(emu, identity_id) for name, identity_id in identities.items()
        }
        if managed_identity is not None:
            # Asked for without an id.
            self._principals[""] = _principal(emu, managed_identity)
        self._lock = threading.Lock()
        self._faults: list[_Fault] = []
        self._requests: list[MetadataRequest] = []
        self._tokens: list[str] = []

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which the platforms' own libraries are pointed elsewhere."""
        return {"AZURE_POD_IDENTITY_AUTHORITY_HOST": self.url, "GCE_METADATA_HOST": self.host}

    @property
    def app_service(self) -> dict[str, str]:
        """What App Service, Functions and Container Apps set."""
        endpoint = f"{self.url}{APP_SERVICE_PATH}"
        return {"IDENTITY_ENDPOINT": endpoint, "IDENTITY_HEADER": HOST_SECRET}

    @property
    def arc(self) -> dict[str, str]:
        """What Arc's agent sets for services."""
        return {"IDENTITY_ENDPOINT": f"{self.url}{ARC_PATH}", "IMDS_ENDPOINT": self.url}

    def workload(self, token_file: Path, client_id: str) -> dict[str, str]:
        """What AKS sets for a pod with a workload identity."""
        return {
            "AZURE_AUTHORITY_HOST": f"{self.url}/",
            "AZURE_TENANT_ID": TENANT,
            "AZURE_CLIENT_ID": client_id,
            "AZURE_FEDERATED_TOKEN_FILE": str(token_file),
        }

    # -- what tests see and do ------------------------------------------------------------------

    def requests(self) -> list[MetadataRequest]:
        """What was asked so far, oldest first."""
        with self._lock:
            return list(self._requests)

    def clear_requests(self) -> None:
        """Forget what was asked."""
        with self._lock:
            self._requests.clear()

    def tokens(self) -> list[str]:
        """Every token that was handed out."""
        with self._lock:
            return list(self._tokens)

    def fault(self, action: str, *, times: int | None = None, **options: Any) -> None:
        """Misbehave on the next `times` requests, or on all; the README has the actions.

        Faults take their turns in the order in which they were set. ValueError for nonsense.
        """
        if action not in ACTIONS:
            raise ValueError(f"action is one of {', '.join(ACTIONS)}")
        try:
            inspect.signature(ACTIONS[action]).bind(None, **options)
        except TypeError as exception:
            raise ValueError(f"{action}: {exception}") from None
        with self._lock:
            self._faults.append(_Fault(ACTIONS[action], options, times))

    def clear_faults(self) -> None:
        """Behave again."""
        with self._lock:
            self._faults.clear()

    # -- what the server asks -------------------------------------------------------------------

    def take(self, request: MetadataRequest) -> _Fault | None:
        """Note a request, and return the fault whose turn it is."""
        with self._lock:
            self._requests.append(request)
            for fault in self._faults:
                if fault.times is None:
                    return fault
                if fault.times > 0:
                    fault.times -= 1
                    return fault
        return None

    def answer(self, request: MetadataRequest) -> Answer:
        """What the platform answers."""
        if request.path == AZURE_PATH:
            return self._azure(request)
        if request.path == APP_SERVICE_PATH:
            return self._app_service(request)
        if request.path == ARC_PATH:
            return self._arc(request)
        if request.path == GOOGLE_PATH:
            return self._google(request)
        if match := ENTRA_PATH.fullmatch(request.path):
            return self._entra(match[1], request.query)
        return Answer(404, b"Not found", "text/plain")

    def _azure(self, request: MetadataRequest) -> Answer:
        query, headers = request.query, request.headers
        if headers.get("metadata", "").lower() != "true":
            return _azure_error("Required metadata header not specified")
        if "x-forwarded-for" in headers:
            return _azure_error("Requests with X-Forwarded-For are not served")
        if query.get("api-version") != AZURE_VERSION:
            return _azure_error("Required query variable 'api-version' is missing or unknown")
        if not query.get("resource"):
            return _azure_error("Required audience parameter not specified")
        named, principal = self._asked_for(query, ("client_id", "object_id", "msi_res_id"))
        if principal is None:
            return _azure_error("Identity not found")
        return self._azure_token(principal, query["resource"], named)

    def _app_service(self, request: MetadataRequest) -> Answer:
        query = request.query
        if request.headers.get("x-identity-header") != HOST_SECRET:
            # The secret that came is told back, which no message may have.
            came = request.headers.get("x-identity-header")
            return _json(403, {"statusCode": 403, "message": f"Wrong secret {came}"})
        names = ("client_id", "principal_id", "object_id", "mi_res_id")
        named, principal = self._asked_for(query, names)
        if query.get("api-version") != APP_SERVICE_VERSION or not query.get("resource"):
            return _json(400, {"statusCode": 400, "message": "Bad Request"})
        if principal is None:
            message = "No User Assigned or Delegated Managed Identity found for specified ClientId"
            return _json(400, {"statusCode": 400, "message": message})
        return self._azure_token(principal, query["resource"], named)

    def _arc(self, request: MetadataRequest) -> Answer:
        query, headers = request.query, request.headers
        if headers.get("metadata") != "true":
            return _azure_error("Required metadata header not specified")
        if query.get("api-version") != ARC_VERSION or not query.get("resource"):
            return _azure_error("Required query variable is missing")
        if "authorization" not in headers:
            return Answer(401, b"", headers={"Www-Authenticate": f"Basic realm={self._key()}"})
        if headers["authorization"] != f"Basic {HOST_SECRET}":
            return _json(401, {"error": "unauthorized_client", "error_description": "Wrong key"})
        if self.old:
            return self._azure_token(self._principals[""], query["resource"], {})
        named, principal = self._asked_for(query, ("client_id", "object_id", "msi_res_id"))
        if principal is None:
            return _azure_error("Identity not found")
        return self._azure_token(principal, query["resource"], named)

    def _key(self) -> str:
        if self.key_file is not None or self.key_folder is None:
            return self.key_file or ""
        path = self.key_folder / f"{uuid.uuid4()}.key"
        path.write_text(HOST_SECRET, encoding="utf-8")
        return str(path)

    def _entra(self, tenant: str, form: Mapping[str, str]) -> Answer:
        """Exchange a token for one of a user-assigned identity, or of an app registration."""
        if (tenant, form.get("grant_type"), form.get("client_assertion_type")) != (
            TENANT,
            "client_credentials",
            ASSERTION_TYPE,
        ):
            return _entra_error(400, 90002, f"Tenant '{tenant}' not found.")
        scope, default, _rest = form.get("scope", "").rpartition("/.default")
        principal = self._principals.get(form.get("client_id", ""))
        if not default or principal is None:
            return _entra_error(400, 700016, "Application was not found in the directory.")
        try:
            claims = decode_jwt(form.get("client_assertion", ""), signed_here=False)
        except ValueError:
            # The assertion is told back, which no message may have.
            told = f"Client assertion {form.get('client_assertion')} is not a JWT."
            return _entra_error(401, 50027, told)
        if claims.get("aud") != EXCHANGE_AUDIENCE:
            subject = "No matching federated identity record found for presented assertion audience"
            return _entra_error(401, 700212, f"{subject} '{claims.get('aud')}'.")
        return self._azure_token(principal, scope, {})

    def _asked_for(
        self, query: Mapping[str, str], names: tuple[str, ...]
    ) -> tuple[dict[str, str], dict[str, Any] | None]:
        """The id that a query names an identity by, with its name; and the claims of that one."""
        named = {name: query[name] for name in names if name in query}
        if len(named) > 1:
            return named, None
        return named, self._principals.get(next(iter(named.values()), ""))

    def _azure_token(
        self, principal: Mapping[str, Any], resource: str, named: Mapping[str, str]
    ) -> Answer:
        token = self._issue("azure", {**principal, "aud": resource})
        return _json(
            200,
            {
                "access_token": token,
                "expires_in": "86400",
                "resource": resource,
                "token_type": "Bearer",
                **named,
            },
        )

    def _google(self, request: MetadataRequest) -> Answer:
        query, headers = request.query, request.headers
        if headers.get("metadata-flavor") != "Google":
            return _google_answer(403, "Missing Metadata-Flavor:Google header.")
        if "x-forwarded-for" in headers:
            return _google_answer(403, "Requests with X-Forwarded-For are not served.")
        if not query.get("audience"):
            return _google_answer(400, "non-empty audience parameter required")
        claims = gcp_claims({"identityId": query["audience"]})
        return _google_answer(200, self._issue("google", claims))

    def _issue(self, platform: str, claims: Mapping[str, Any]) -> str:
        """A token, which the emulator's request log knows by the platform's name."""
        token = encode_jwt(claims)
        with self._emu.state.lock:
            self._emu.state.labels[token] = f"jwt:{platform}"
        with self._lock:
            self._tokens.append(token)
        return token


def _principal(emu: Control, identity_id: str) -> dict[str, Any]:
    """The claims of the managed identity that may log in as an identity of Infisical."""
    stored = emu.azure_auth(identity_id)
    if stored is None:
        raise ValueError(f"identity {identity_id} has no Azure Auth")
    return azure_claims(stored)


def _json(status: int, value: Any) -> Answer:
    return Answer(status, json.dumps(value).encode())


def _azure_error(description: str) -> Answer:
    return _json(400, {"error": "invalid_request", "error_description": description})


def _entra_error(status: int, code: int, description: str) -> Answer:
    details = f"AADSTS{code}: {description} Trace ID: {uuid.uuid4()}"
    error = {"error": "invalid_request", "error_description": details, "error_codes": [code]}
    return _json(status, error)


def _google_answer(status: int, text: str) -> Answer:
    # As plain text, though the header says something else; clients tell the service by the flavor.
    return Answer(status, text.encode(), "text/html", {"Metadata-Flavor": "Google"})


# -- the server ---------------------------------------------------------------------------------


class _Server(ThreadingHTTPServer):
    services: MetadataServices

    def __init__(self) -> None:
        super().__init__((HOST, 0), _Handler)
        self.closing = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        split = urlsplit(self.path)
        length = int(self.headers.get("Content-Length", "0"))
        form = self.rfile.read(length).decode("ascii", "replace")
        self.request_seen = MetadataRequest(
            target=self.path,
            path=split.path,
            query=dict(parse_qsl(split.query or form, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
        )
        fault = self.server.services.take(self.request_seen)
        try:
            if fault:
                fault.act(self, **fault.options)
            else:
                self.reply(self.proper_answer())
        except OSError:
            # The client has gone.
            self.close_connection = True

    def do_POST(self) -> None:
        self.do_GET()

    def proper_answer(self) -> Answer:
        return self.server.services.answer(self.request_seen)

    def reply(self, answer: Answer, *, interval: float = 0) -> None:
        """Send an answer, a byte every `interval` seconds if that is not 0."""
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if not interval:
            self.wfile.write(answer.body)
            return
        for index in range(len(answer.body)):
            self.wfile.write(answer.body[index : index + 1])
            if self.server.closing.wait(interval):
                return

    def log_message(self, *_arguments: Any) -> None:
        """Tests have `MetadataServices.requests`."""


def status(handler: _Handler, *, status: int = 503, text: str = "Try again later") -> None:
    """Fail."""
    handler.reply(Answer(status, text.encode(), "text/plain"))


def hang(handler: _Handler) -> None:
    """Never answer."""
    handler.server.closing.wait()


def garbage(
    handler: _Handler,
    *,
    text: str = "<html>Welcome, guest!</html>",
    content_type: str = "text/html",
) -> None:
    """Answer something that is not what was asked for, with status 200."""
    handler.reply(Answer(200, text.encode(), content_type))


def redirect(handler: _Handler, *, location: str, status: int = 307) -> None:
    """Send the client elsewhere."""
    handler.reply(Answer(status, b"", "text/plain", {"Location": location}))


def drip(handler: _Handler, *, interval: float = 1.0) -> None:
    """Answer as is right, a byte every so many seconds."""
    handler.reply(handler.proper_answer(), interval=interval)


ACTIONS: dict[str, Callable[..., None]] = {
    action.__name__: action for action in (status, hang, garbage, redirect, drip)
}


@contextmanager
def metadata_services(
    emu: Control,
    *,
    managed_identity: str | None = None,
    identities: Mapping[str, str] | None = None,
    key_folder: Path | None = None,
    tls: ssl.SSLContext | None = None,
) -> Iterator[MetadataServices]:
    """Serve on loopback, from daemon threads, until the block ends; over TLS, if asked.

    Azure's tokens are of the service principal that identities with Azure Auth name first:
    `managed_identity` is the Infisical identity whose principal is asked for without an id,
    `identities` has those that are asked for by client id, object id or resource id. ValueError for
    one without Azure Auth. Google's are for any audience.
    """
    with _Server() as server:
        scheme = "http"
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
            scheme = "https"
        address = f"{scheme}://{HOST}:{server.server_port}"
        server.services = MetadataServices(
            emu, address, managed_identity, identities or {}, key_folder
        )
        thread = threading.Thread(
            target=server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="metadata services",
            daemon=True,
        )
        thread.start()
        try:
            yield server.services
        finally:
            server.closing.set()
            server.shutdown()
            thread.join()


# -- Kubernetes ---------------------------------------------------------------------------------


def federated_token(subject: str, audience: str = EXCHANGE_AUDIENCE) -> str:
    """A token that AKS, GitHub or Azure DevOps issues, for Entra to exchange."""
    return encode_jwt({"sub": subject, "aud": audience})


def write_service_account_token(directory: Path, token: str) -> Path:
    """Write a service account's token as a pod finds it, and return the path of the file.

    It is a link through another one, to a folder that is replaced whole; doing it again rotates
    the token in one step.
    """
    version = directory / f"..{time.time_ns()}"
    version.mkdir(parents=True)
    (version / "token").write_text(token)
    prepared = directory / "..data_tmp"
    prepared.symlink_to(version.name)
    prepared.replace(directory / "..data")
    path = directory / "token"
    if not path.is_symlink():
        path.symlink_to(Path("..data") / "token")
    return path
