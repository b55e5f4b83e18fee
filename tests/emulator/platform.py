# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the JWTs of platforms come from: stand-ins for Azure's and Google's metadata services, and
for the file that Kubernetes gives a pod.
"""

from __future__ import annotations

import inspect
import json
import threading
import time
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
from .state import encode_jwt

AZURE_PATH = "/metadata/identity/oauth2/token"
AZURE_VERSION = "2018-02-01"
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
    """A request as a service saw it: its target as it came, header names in lower case."""

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
    """Both services at one address; `url` and `host` are what clients are pointed at."""

    def __init__(
        self,
        emu: Control,
        address: tuple[str, int],
        managed_identity: str | None,
        client_ids: Mapping[str, str],
    ) -> None:
        self.host = f"{address[0]}:{address[1]}"
        self.url = f"http://{self.host}"
        self._emu = emu
        self._principals = {
            client_id: _principal(emu, identity_id) for client_id, identity_id in client_ids.items()
        }
        if managed_identity is not None:
            # Asked for without a client id.
            self._principals[""] = _principal(emu, managed_identity)
        self._lock = threading.Lock()
        self._faults: list[_Fault] = []
        self._requests: list[MetadataRequest] = []
        self._tokens: list[str] = []

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which the platforms' own libraries are pointed elsewhere."""
        return {"AZURE_POD_IDENTITY_AUTHORITY_HOST": self.url, "GCE_METADATA_HOST": self.host}

    # -- what tests see and do ------------------------------------------------------------------

    def requests(self) -> list[MetadataRequest]:
        """What was asked so far, oldest first."""
        with self._lock:
            return list(self._requests)

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
        if request.path == GOOGLE_PATH:
            return self._google(request)
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
        client_id = query.get("client_id", "")
        if client_id not in self._principals:
            return _azure_error("Identity not found")
        claims = {**self._principals[client_id], "aud": query["resource"]}
        return _json(
            200,
            {
                "access_token": self._issue("azure", claims),
                "client_id": client_id,
                "expires_in": "86400",
                "resource": query["resource"],
                "token_type": "Bearer",
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
        self.request_seen = MetadataRequest(
            target=self.path,
            path=split.path,
            query=dict(parse_qsl(split.query, keep_blank_values=True)),
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
    client_ids: Mapping[str, str] | None = None,
) -> Iterator[MetadataServices]:
    """Serve on loopback, from daemon threads, until the block ends.

    Azure's tokens are of the service principal that identities with Azure Auth name first:
    `managed_identity` is the Infisical identity whose principal is asked for without a client id,
    `client_ids` has those of others. ValueError for one without Azure Auth. Google's are for any
    audience.
    """
    with _Server() as server:
        server.services = MetadataServices(
            emu, (HOST, server.server_port), managed_identity, client_ids or {}
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
