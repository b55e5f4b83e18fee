# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server of bytes: it says what no framework would send, on plain sockets and on TLS.

It keeps identities, and the Azure Auth of one, so that it is known what was really done, and
answers as Infisical does, but for the kind of request that its script is about.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import ssl
import struct
import threading
import typing as t
from dataclasses import dataclass, field, replace

from functional.cases import ATTACHED

ID = "6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b"
NAME = "billing"
# The beginning of the ids of identities that are created; their number follows.
NEW = "00000000-0000-4000-8000-"
ORGANIZATION = "0f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4c"

# Kinds of requests: how they begin.
READ = "GET /api/v1/auth/azure-auth/identities/"
ATTACH = "POST /api/v1/auth/azure-auth/identities/"
UPDATE = "PATCH /api/v1/auth/azure-auth/identities/"
REVOKE = "DELETE /api/v1/auth/azure-auth/identities/"
IDENTITY = f"GET /api/v1/identities/{ID}"
OWN = "GET /api/v1/identities/details"
LIST = "GET /api/v1/identities?"
SEARCH = "POST /api/v1/identities/search"
LOGIN = "POST /api/v1/auth/universal-auth/login"
LOGOUT = "POST /api/v1/auth/token/revoke"
CREATE = "POST /api/v1/identities "
RENAME = f"PATCH /api/v1/identities/{ID}"
DELETE = f"DELETE /api/v1/identities/{ID}"
CONNECT = "CONNECT "
WRITES = (ATTACH, UPDATE, REVOKE, CREATE, RENAME, DELETE)

# How an answer ends.
KEEP, CLOSE, RESET, STALL = "keep", "close", "reset", "stall"
# Ways to spoil a TLS handshake.
HANDSHAKES = ("close", "reset", "stall", "plain", "garbage", "alert", "part", "closed after")

# What an endless answer may send at most, in bytes.
ENDLESS = 96 * 1024 * 1024


@dataclass(frozen=True, repr=False)
class Reply:
    """What is sent for a request.

    `works`: what was asked for is done first. `head` and `body` are sent as they are; a `body` of
    None is what Infisical would say, with `head` in front if there is one. `endless` is sent again
    and again after them.
    """

    works: bool = False
    head: bytes = b""
    body: bytes | None = b""
    endless: bytes = b""
    end: str = CLOSE

    def __repr__(self) -> str:
        """A beginning of each: some are huge."""
        sent = [part if part is None else part[:120] for part in (self.head, self.body)]
        return f"Reply({self.works}, {sent[0]!r}, {sent[1]!r}, {self.endless!r}, {self.end!r})"


@dataclass(frozen=True)
class Script:
    """What is played to requests of a kind, one reply after the other.

    When they are used up, the `last` goes on, or Infisical's own answers. `dead`: after the first
    of them no connection is served any more. `handshakes` are how TLS handshakes are spoilt, in
    their order, and again with `last`.
    """

    kind: str = READ
    replies: tuple[Reply, ...] = ()
    handshakes: tuple[str, ...] = ()
    last: bool = True
    dead: bool = False
    attached: bool = True


@dataclass
class Seen:
    """A request that came whole: its kind, and whether it was answered by the script."""

    line: str
    played: bool


@dataclass
class State:
    """What the server has, and what it saw. `names` are those of its identities, by id."""

    script: Script
    azure_auth: dict[str, t.Any] | None
    names: dict[str, str] = field(default_factory=lambda: {ID: NAME})
    made: int = 0
    seen: list[Seen] = field(default_factory=list)
    played: int = 0
    connections: int = 0


class Adversary:
    """Listens on loopback, over TLS if there is a context, and plays a script at a time."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._over = threading.Event()
        self.token = "header0.payload-that-nobody-can-read.signature-0123456789"
        self.client_secret = "S3cret-that-is-only-for-the-login-0123456789"
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.place = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = f"{'https' if context else 'http'}://{self.place}"
        self.state = State(Script(), None)
        threading.Thread(target=self._accept, daemon=True).start()

    def play(self, script: Script) -> State:
        """Begin anew with a script. Returns what will be seen."""
        self._over.set()
        with self._lock:
            self._over = threading.Event()
            stored = {"id": ID, "identityId": ID, "accessTokenPeriod": 0, **ATTACHED}
            self.state = State(script, stored if script.attached else None)
            return self.state

    def close(self) -> None:
        """Listen no more."""
        self._over.set()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _address = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with self._lock:
            state, over = self.state, self._over
            number = state.connections
            state.connections += 1
        with contextlib.suppress(OSError, ValueError):
            connection.settimeout(20)
            if state.script.dead and state.played:
                _reset(connection)
                return
            if self._context:
                spoilt = state.script.handshakes
                if spoilt and (number < len(spoilt) or state.script.last):
                    _spoil(connection, spoilt[min(number, len(spoilt) - 1)], self._context, over)
                    return
                connection = self._context.wrap_socket(connection, server_side=True)
            while self._exchange(connection, state, over):
                pass
        with contextlib.suppress(OSError):
            connection.close()

    def _exchange(self, connection: socket.socket, state: State, over: threading.Event) -> bool:
        """Answer a request. Returns whether another may come."""
        request = _read_request(connection)
        if request is None:
            return False
        line, body = request
        with self._lock:
            script = state.script
            number = state.played
            played = line.startswith(script.kind) and bool(script.replies)
            played = played and (number < len(script.replies) or script.last)
            reply = Reply(True, body=None, end=KEEP)
            if played:
                state.played += 1
                reply = script.replies[min(number, len(script.replies) - 1)]
            state.seen.append(Seen(line, played))
            status, answer = _work(state, line, body, self.token, done=reply.works)
        if reply.body is None:
            head = reply.head or (
                b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                % (status, len(answer))
            )
            reply = replace(reply, head=head, body=answer)
        return _send(connection, reply, over)


def _send(connection: socket.socket, reply: Reply, over: threading.Event) -> bool:
    connection.sendall(reply.head)
    connection.sendall(reply.body or b"")
    sent = 0
    piece = reply.endless * (65536 // max(1, len(reply.endless)))
    while piece and sent < ENDLESS and not over.is_set():
        connection.sendall(piece)
        sent += len(piece)
    if reply.end == RESET:
        _reset(connection)
    elif reply.end == STALL:
        over.wait(20)
    return reply.end == KEEP


def _reset(connection: socket.socket) -> None:
    # Closing with a linger time of 0 sends a RST.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def _spoil(
    connection: socket.socket, how: str, context: ssl.SSLContext, over: threading.Event
) -> None:
    """Do something else than a TLS handshake."""
    with connection:
        if how == "closed after":
            context.wrap_socket(connection, server_side=True).close()
            return
        connection.recv(65536)
        if how == "plain":
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
        elif how == "garbage":
            connection.sendall(b"\x00\xff" * 300)
        elif how == "alert":
            # Fatal: handshake failure.
            connection.sendall(b"\x15\x03\x03\x00\x02\x02\x28")
        elif how == "part":
            # The beginning of a ServerHello of 70 bytes.
            connection.sendall(b"\x16\x03\x03\x00\x4a\x02\x00\x00\x46\x03\x03")
        elif how == "stall":
            over.wait(20)
        elif how == "reset":
            _reset(connection)


def _read_request(connection: socket.socket) -> tuple[str, bytes] | None:
    """Return the first line and the body of a request, None if there is no whole one."""
    data = b""
    while b"\r\n\r\n" not in data:
        received = connection.recv(65536)
        if not received:
            return None
        data += received
    head, _end, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    while length and len(body) < int(length[1]):
        received = connection.recv(65536)
        if not received:
            return None
        body += received
    return head.split(b"\r\n", 1)[0].decode("latin-1"), body


def _work(state: State, line: str, body: bytes, token: str, *, done: bool) -> tuple[int, bytes]:
    """Do what Infisical would, if it is to be done, and return its answer."""
    status, answer = 200, t.cast(t.Any, {})
    if line.startswith(LOGIN):
        answer = {"accessToken": token, "expiresIn": 60, "tokenType": "Bearer"}
    elif line.startswith((SEARCH, LIST)):
        found = [_identity(state, identity_id) for identity_id in state.names]
        answer = {"identities": found, "totalCount": len(found)}
    elif line.startswith(OWN):
        answer = {"identityDetails": {"organization": {"id": ORGANIZATION}}}
    elif line.startswith(CREATE):
        names, identity_id = dict(state.names), f"{NEW}{state.made:012x}"
        names[identity_id] = json.loads(body)["name"]
        answer = {"identity": {"id": identity_id, "name": names[identity_id]}}
        if done:
            state.names, state.made = names, state.made + 1
    elif line.startswith((IDENTITY, RENAME, DELETE)):
        status, answer = _work_on_identity(state, line, body, done=done)
    elif one := re.match(r"GET /api/v1/identities/([0-9a-f-]{36}) ", line):
        answer = {"identity": _identity(state, one[1])}
    elif not line.startswith((READ, *WRITES)):
        pass
    elif (state.azure_auth is None) == (not line.startswith(ATTACH)):
        status = 400
        answer = {"statusCode": 400, "error": "BadRequest", "message": "Not so"}
    else:
        stored = dict(state.azure_auth or {"id": ID, "identityId": ID, "accessTokenPeriod": 0})
        if line.startswith((ATTACH, UPDATE)):
            stored |= {"accessTokenNumUsesLimit": 0} | ATTACHED | stored | json.loads(body)
        if done:
            state.azure_auth = None if line.startswith(REVOKE) else stored
        answer = {"identityAzureAuth": stored}
    return status, json.dumps(answer).encode()


def _work_on_identity(state: State, line: str, body: bytes, *, done: bool) -> tuple[int, t.Any]:
    if ID not in state.names:
        return 404, {"statusCode": 404, "error": "NotFound", "message": "No such identity"}
    if line.startswith(f"{IDENTITY}/identity-memberships"):
        return 200, {"identityMemberships": []}
    if line.startswith(IDENTITY):
        return 200, {"identity": _identity(state, ID)}
    name = json.loads(body)["name"] if line.startswith(RENAME) else state.names[ID]
    if done and line.startswith(DELETE):
        state.names.pop(ID)
        state.azure_auth = None
    elif done:
        state.names[ID] = name
    return 200, {"identity": {"id": ID, "name": name}}


def _identity(state: State, identity_id: str) -> dict[str, t.Any]:
    methods = ["azure-auth"] if state.azure_auth and identity_id == ID else []
    name = state.names.get(identity_id, NAME)
    inner = {"id": identity_id, "name": name, "authMethods": methods}
    return {"id": "m", "identityId": identity_id, "orgId": ORGANIZATION, "identity": inner}


@contextlib.contextmanager
def adversary(context: ssl.SSLContext | None = None) -> t.Iterator[Adversary]:
    """Listen until the block ends."""
    with contextlib.closing(Adversary(context)) as server:
        yield server
