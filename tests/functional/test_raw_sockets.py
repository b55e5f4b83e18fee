# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever bytes a server sends, and whenever it hangs up: what holds all the same.

`SCRIPTS=5000 make functional ARGS="tests/functional/test_raw_sockets.py"` plays so many random
scripts, other ones each time; without it they are few, and always the same.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import ssl
import subprocess
import sys
import time
import typing as t
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import trustme
from docs.tables import message_rows
from functional.adversary import (
    ATTACH,
    CLOSE,
    CONNECT,
    CREATE,
    DELETE,
    HANDSHAKES,
    ID,
    IDENTITY,
    KEEP,
    LIST,
    LOGIN,
    LOGOUT,
    NAME,
    NEW,
    OWN,
    READ,
    RENAME,
    RESET,
    REVOKE,
    SEARCH,
    STALL,
    UPDATE,
    WRITES,
    Adversary,
    Reply,
    Script,
    State,
    adversary,
)
from functional.cases import ATTACHED, REQUIRED
from functional.harness import Result, clean_environment, run_in_process, warning_texts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tools.paths import COLLECTIONS

from ansible_collections.community.infisical.plugins.module_utils._errors import PlatformError
from ansible_collections.community.infisical.plugins.module_utils._server import (
    client,
    platform_tokens,
)
from ansible_collections.community.infisical.plugins.module_utils._state import creations
from ansible_collections.community.infisical.plugins.modules import (
    infisical_azure_auth,
    infisical_identities,
    infisical_identity,
    infisical_identity_info,
)

# How long random scripts may hold a request, in seconds.
PATIENCE = 0.5
CAMPAIGN = int(os.environ.get("SCRIPTS", "0"))
LIMITS = settings(
    max_examples=CAMPAIGN or 300,
    deadline=None,
    derandomize=not CAMPAIGN,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@dataclass(frozen=True)
class Action:
    """A run of a module: what it is asked, and the kinds of requests it makes on the way."""

    options: t.Mapping[str, t.Any]
    kinds: tuple[str, ...]
    attached: bool = True
    module: t.Any = infisical_azure_auth
    logs_in: bool = False
    # What is stored when it succeeded: the resource, and the names of the identities.
    leaves: str | None = ATTACHED["resource"]
    names: tuple[str, ...] = (NAME,)


ACTIONS = {
    "read": Action({"ids": [ID]}, (READ,), module=infisical_identity_info),
    "read nothing": Action(
        {"ids": [ID]}, (READ, IDENTITY), False, infisical_identity_info, leaves=None
    ),
    "list": Action({}, (OWN, LIST), module=infisical_identity_info),
    "search": Action({"identity_name": NAME}, (SEARCH,)),
    "attach": Action({"identity_id": ID, **REQUIRED}, (IDENTITY, ATTACH, ATTACH, READ), False),
    "update": Action({"identity_id": ID, "resource": "o"}, (READ, UPDATE, UPDATE), leaves="o"),
    "revoke": Action({"identity_id": ID, "state": "absent"}, (READ, REVOKE, REVOKE), leaves=None),
    "log in": Action({"identity_id": ID}, (LOGIN, LOGIN, LOGOUT), logs_in=True),
    "create": Action(
        {"name": "new"},
        (SEARCH, LIST, CREATE, CREATE, CREATE, OWN),
        module=infisical_identity,
        names=(NAME, "new"),
    ),
    "rename": Action(
        {"id": ID, "name": "other"},
        (IDENTITY, SEARCH, RENAME, RENAME),
        module=infisical_identity,
        names=("other",),
    ),
    "delete": Action(
        {"id": ID, "state": "absent"},
        (IDENTITY, DELETE, DELETE),
        module=infisical_identity,
        leaves=None,
        names=(),
    ),
}


@dataclass(frozen=True)
class Play:
    """A script, the action that it is played to, and how often requests are tried again.

    `steps` are the requests that a change takes. The timeout is in seconds.
    """

    action: str
    script: Script
    retries: int = 0
    tls: bool = False
    timeout: float = 20
    steps: int = 1


Player = t.Callable[..., tuple[Result, State]]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def servers(authority: trustme.CA) -> t.Iterator[dict[bool, Adversary]]:
    """A server without TLS, and one with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with adversary() as plain, adversary(context) as tls:
        yield {False: plain, True: tls}


@pytest.fixture(scope="module")
def bundle(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture(scope="module")
def play(servers: dict[bool, Adversary], bundle: str) -> t.Iterator[Player]:
    """Run a module against a script in this process, and check what comes of it.

    Further options of the module may be given.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "_backoff", lambda _failures: 0.001)
        # What a creation may have made is looked for again and again.
        patch.setattr(creations, "_SEARCH", 0.2)
        patch.setattr(creations, "_FIRST_WAIT", 0.01)
        for name in list(os.environ):
            if name.upper().startswith("INFISICAL_") or name.upper().endswith("_PROXY"):
                patch.delenv(name)

        def run(what: Play, **others: t.Any) -> tuple[Result, State]:
            server, action = servers[what.tls], ACTIONS[what.action]
            state = server.play(replace(what.script, attached=action.attached))
            options = {**options_for(what, server, bundle), **others}
            result = run_in_process(action.module.main, options)
            check_play(what, result, state, server)
            return result, state

        yield run


def options_for(what: Play, server: Adversary, bundle: str) -> dict[str, t.Any]:
    credentials = {"token": server.token}
    if ACTIONS[what.action].logs_in:
        credentials = {
            "universal_auth_client_id": "client",
            "universal_auth_client_secret": server.client_secret,
        }
    return {
        "url": server.url,
        "timeout": what.timeout,
        "retries": what.retries,
        "rate_limit_timeout": 0,
        **({"ca_path": bundle} if what.tls else {}),
        **credentials,
        **ACTIONS[what.action].options,
    }


def documented() -> list[re.Pattern[str]]:
    """Return what messages are like, from the guide to troubleshooting."""
    messages = [
        row.message.replace(" (tried ... times in ... seconds)", "") for row in message_rows()
    ]
    # The guide has what to do about the refusals that there are, not those that might be.
    messages.append("Could not ...: Infisical answered ... ...")
    return [
        re.compile(".*".join(map(re.escape, message.split("..."))), re.DOTALL)
        for message in messages
    ]


DOCUMENTED = documented()
TRIED = re.compile(r" \(tried \d+ times in \d+ seconds\)")


def count(state: State, kind: str) -> int:
    """Return how many requests of a kind came."""
    return sum(seen.line.startswith(kind) for seen in state.seen)


def check_play(what: Play, result: Result, state: State, server: Adversary) -> None:
    """Assert what holds whatever the server does."""
    action, script = ACTIONS[what.action], what.script
    shown = json.dumps(result)
    assert "Traceback" not in shown
    # What a module does not know, or not yet, it cannot mask.
    known = [server.client_secret] if action.logs_in else [server.token]
    if action.logs_in and script.kind != LOGIN:
        known.append(server.token)
    assert [secret for secret in known if secret[:12] in shown] == []
    message = result.get("msg", "")
    for text in (message, *warning_texts(result)):
        assert text.isprintable()
        assert len(text) < 1500
        assert text == text.strip()
        assert not re.search(r"[?!.][.]( |$)", text.replace("...", ""))
        if text:
            bare = TRIED.sub("", text)
            assert any(row.fullmatch(bare) for row in DOCUMENTED), text
    if result["failed"]:
        assert message

    made = [seen.line for seen in state.seen]
    # A name is looked for again before each creation and each renaming, and after them.
    looks = () if action.module is infisical_identity else (SEARCH, LIST, OWN)
    for kind in (*WRITES, LOGIN, LOGOUT, *looks):
        assert count(state, kind) <= what.retries + what.steps, (kind, made)
    # Names are no key: whatever happens, one run never makes two.
    assert state.made <= 1
    if script.kind == READ and action.kinds[0] == READ:
        # A 400 may mean "not attached", which the identity tells, and then it is read again.
        reads = [line for line in made if line.startswith(READ)]
        assert max(map(reads.count, reads), default=0) <= 2 * (what.retries + 1)

    before = (ATTACHED["resource"] if action.attached else None, (NAME,))
    resource = state.azure_auth["resource"] if state.azure_auth else None
    after = (resource, tuple(state.names.values()))
    if before != after:
        assert result["changed"] is True
    # What was not done, and is said to be, cannot be told from the truth.
    honest = script.kind in (*WRITES, LOGIN, LOGOUT) and all(one.works for one in script.replies)
    if not result["failed"] and honest:
        assert after == (action.leaves, action.names)


JSON = b"Content-Type: application/json\r\n"


def http(status: t.Any, body: bytes, *headers: str, length: t.Any = None) -> Reply:
    head = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body) if length is None else length}"]
    sent = ("\r\n".join([*head, *headers]) + "\r\n\r\n").encode("latin-1")
    # A connection that is closed unannounced may cost the next request a try.
    return Reply(head=sent, body=body, end=KEEP)


def error(status: int, name: t.Any, message: t.Any = "Something went wrong") -> Reply:
    body = {"statusCode": status, "error": name, "message": message, "reqId": "r"}
    return http(status, json.dumps(body).encode(), "Content-Type: application/json")


def deep(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


SECRETS = "header0.payload-that-nobody-can-read.signature-0123456789", (
    "S3cret-that-is-only-for-the-login-0123456789"
)
ODD_LENGTHS = ["10, 1", "10, 10", "-1", "+5", "1e3", "0x10", "9" * 5000, "9" * 15, "", "5", "NaN"]
LOCATIONS = [
    "",
    "/",
    "/login",
    "https://sso.example/start?token=1",
    "//[::1",
    "http://[",
    f"https://user:pw@elsewhere.example/api/v1/auth/azure-auth/identities/{ID}",
    "javascript:alert(1)",
    "\x80\xff",
]
NAMES = [
    "BadRequest",
    "NotFound",
    "Not Found",
    "PermissionDenied",
    "PermissionBoundaryError",
    "ForbiddenError",
    "ProjectMembershipNotFound",
    "UnauthorizedError",
    "TokenError",
    "ValidationFailure",
    "RateLimitError",
    "IdAccessTokenFindOne",
    "FindOne",
    "Update by id",
    "InternalServerError",
    "Who are you?",
    "",
]
TEXTS = ["", " ", "auth?", "auth?.", "No. ", "a\x00b\x1b[2J\n", "x" * 2000, *SECRETS]

STATUSES = """\
200 200 201 204 101 301 302 304 307 400 401 403 404 408 409 422 429 500 500 501 502 503 504 520 599
999"""
statuses = st.sampled_from([int(status) for status in STATUSES.split()])
texts = st.sampled_from(TEXTS) | st.text(max_size=30)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
padded = st.builds(
    lambda blanks, secret: b"." * blanks + secret.encode(),
    st.integers(0, 320),
    st.sampled_from(SECRETS),
)
bodies = (
    values.map(lambda value: json.dumps(value).encode())
    | st.binary(max_size=200)
    | padded
    | st.sampled_from(
        [
            b"",
            b"null",
            b"<html><h1>502 Bad Gateway</h1>",
            b'{"identityAzureAuth": {',
            b'{"identityAzureAuth": {"accessTokenTTL": 1e999}}',
            b'{"a": ' + b"9" * 5000 + b"}",
            b"\xff\xfe{}\x00",
            b"{\x00}",
            b"[" * 100_000,
            deep(700),
            deep(100_000),
            b'{"error": "E", "message": ' + deep(700) + b"}",
            b'{"identityAzureAuth": ' + deep(700) + b"}",
            b'{"identities": ' + b"[" * 700 + b"]" * 700 + b', "totalCount": ' + deep(700) + b"}",
            b"[" + b"{}," * 300_000 + b"{}]",
            gzip.compress(b"a" * 3_000_000),
        ]
    )
)
mutations = st.sampled_from(["id", "identityId", "createdAt", "accessTokenPeriod", *ATTACHED])


@st.composite
def nearly_right(draw: st.DrawFn) -> Reply:
    """The right object, but for one place."""
    item = {"id": "i", "identityId": ID, "accessTokenPeriod": 0, **ATTACHED}
    item[draw(mutations)] = draw(values)
    identity = {"id": "m", "orgId": "o", "identity": {"id": ID, "name": draw(texts)}}
    document = {"identityAzureAuth": item, "identity": identity, "identities": [identity]}
    return http(200, json.dumps({**document, "totalCount": draw(values)}).encode())


errors = st.builds(error, statuses, st.sampled_from(NAMES) | values, texts | values)
redirects = st.builds(
    lambda status, place, body: http(status, body, f"Location: {place}", "Content-Encoding: gzip"),
    st.sampled_from([301, 302, 303, 307, 308]),
    st.sampled_from(LOCATIONS),
    bodies,
)


HEADERS = """\
Content-Length Transfer-Encoding Content-Encoding Location Retry-After X-RateLimit-Limit
X-RateLimit-Remaining X-RateLimit-Reset Set-Cookie Content-Type Connection"""


@st.composite
def soup(draw: st.DrawFn) -> Reply:
    """Any status line, headers that matter with any value, twice and thrice, and any body."""
    line = draw(
        statuses.map(lambda status: f"HTTP/1.1 {status} X".encode())
        | st.sampled_from(
            [
                b"HTTP/1.0 200",
                b"HTTP/2 200 OK",
                b"HTTP/1.1 abc",
                b"HTTP/1.1 99999 X",
                b"ICY 200 OK",
                b"\x15\x03\x03\x00\x02\x02\x28",
                b"SSH-2.0-OpenSSH_9.2",
                b"HTTP/1.1 200 \x00\x1b[2J",
                b"HTTP/1.1 400 X\r\n\r\nThe plain HTTP request was sent to HTTPS port",
                b"HTTP/1.1 100 Continue\r\n\r\n" * 50 + b"HTTP/1.1 200 OK",
                b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK",
                b"x" * 70_000,
                b"",
            ]
        )
    )
    body = draw(bodies)
    value = st.sampled_from(
        [*ODD_LENGTHS, *LOCATIONS, *SECRETS, "gzip", "chunked", "identity", "0", "1", "-1", "60"]
    )
    names = st.sampled_from([*HEADERS.split(), " folded", "\x00", "x" * 300])
    headers = [
        f"{draw(names)}{draw(st.sampled_from([': ', ':', ' ']))}{draw(value)}"
        for _number in range(draw(st.integers(0, 4)))
    ]
    if draw(st.booleans()):
        headers.append(f"Content-Length: {len(body)}")
    if draw(st.integers(0, 20)) == 0:
        headers += ["X-Many: 1"] * 200
    head = line + b"\r\n" + "".join(f"{one}\r\n" for one in headers).encode("latin-1") + b"\r\n"
    return Reply(head=head, body=body)


@st.composite
def chunked(draw: st.DrawFn) -> Reply:
    """A body in pieces, whose sizes are what they are."""
    sizes = st.sampled_from(
        [b"5", b"a", b"0", b"-1", b"-5", b"f" * 40, b"5;" + b"x" * 300, b"zz", b"", b"1" * 70_000]
    )
    pieces = draw(st.lists(st.tuples(sizes, st.binary(max_size=12)), max_size=4))
    body = b"".join(size + b"\r\n" + piece + b"\r\n" for size, piece in pieces)
    trailer = draw(st.sampled_from([b"", b"0\r\n\r\n", b"0\r\n" + b"X: y\r\n" * 300]))
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + JSON
    if draw(st.booleans()):
        head += b"Content-Length: 3\r\n"
    return Reply(head=head + b"\r\n", body=body + trailer)


ENDLESS = [
    Reply(head=b"HTTP/1.1 200 OK\r\n\r\n", endless=b"["),
    Reply(head=b"HTTP/1.1 200 OK\r\n", endless=b"X: y\r\n"),
    Reply(head=b"HTTP/1.1 200 OK\r\nX: ", endless=b"y"),
    Reply(endless=b"HTTP/1.1 100 Continue\r\n\r\n"),
    Reply(
        head=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", endless=b"y" * 65536
    ),
    Reply(head=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", endless=b"1"),
    Reply(
        head=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
        endless=b"X: y\r\n",
    ),
    Reply(
        head=b"HTTP/1.1 301 X\r\nLocation: /\r\nContent-Encoding: gzip\r\n\r\n",
        endless=gzip.compress(b"a" * 100_000),
    ),
    Reply(
        head=b"HTTP/1.1 200 X\r\nContent-Encoding: gzip\r\n\r\n",
        endless=gzip.compress(b"a" * 100_000),
    ),
    Reply(head=b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", endless=b"y"),
]

lengths = st.builds(
    lambda reply, length: replace(
        reply,
        head=b"HTTP/1.1 200 OK\r\nContent-Length: " + length.encode() + b"\r\n\r\n",
        body=None,
    ),
    st.just(Reply(works=True)),
    st.sampled_from(ODD_LENGTHS),
)
honest = st.just(Reply(True, body=None, end=KEEP))
ends = st.sampled_from([CLOSE] * 6 + [KEEP] * 3 + [RESET] * 2 + [STALL])
# A few wait for their time to run out.
endings = st.sampled_from([CLOSE, CLOSE, RESET, STALL]).map(lambda end: Reply(end=end))
# Of one that says that it refused, and did not, nothing can be known.
REFUSED = re.compile(rb"HTTP/1.[01] [34]\d\d ")
UNDONE = re.compile(rb'"error": "(IdAccessTokenFindOne|Update by id)"')
replies = st.builds(
    lambda reply, works, end: replace(
        reply,
        works=(reply.works or works)
        and not REFUSED.match(reply.head)
        and not UNDONE.search(reply.body or b""),
        end=end,
    ),
    st.one_of(nearly_right(), errors, errors, redirects, soup(), soup(), chunked(), lengths)
    | endings,
    st.booleans(),
    ends,
)
scripted = st.lists(
    replies | replies | replies | st.sampled_from(ENDLESS) | honest, min_size=1, max_size=3
)


@st.composite
def plays(draw: st.DrawFn) -> Play:
    name = draw(st.sampled_from(sorted(ACTIONS)))
    kind = draw(st.sampled_from(ACTIONS[name].kinds))
    last, dead = draw(st.sampled_from([(True, False), (True, False), (False, False), (True, True)]))
    script = Script(kind, tuple(draw(scripted)), last=last, dead=dead)
    retries = draw(st.sampled_from([0, 0, 1, 2]))
    if draw(st.integers(0, 4)):
        return Play(name, script, retries, timeout=PATIENCE)
    if draw(st.booleans()):
        spoilt = draw(st.lists(st.sampled_from(HANDSHAKES), min_size=1, max_size=2))
        script = replace(script, replies=(), handshakes=tuple(spoilt))
    return Play(name, script, retries, tls=True, timeout=PATIENCE)


def test_whatever_a_server_sends(
    play: Player,
    record_property: t.Callable[[str, object], None],
) -> None:
    played = 0

    @LIMITS
    @given(plays())
    def check(what: Play) -> None:
        nonlocal played
        played += 1
        play(what)

    check()
    record_property("scripts", played)


@pytest.mark.parametrize("how", ["close", "reset", "stall", "part", "closed after"])
def test_a_connection_that_ends_in_the_tls_handshake_is_an_outage(how: str, play: Player) -> None:
    patience = PATIENCE if how in ("stall", "part") else 20
    what = Play("read", Script(handshakes=(how,)), retries=2, tls=True, timeout=patience)
    lasting, state = play(what)
    assert state.connections == 3
    assert "(tried 3 times in" in lasting["msg"]
    assert "ca_path" not in lasting["msg"]
    # What never went out goes again, even where it must not be done twice.
    script = Script(handshakes=(how,), last=False)
    passing, state = play(replace(what, action="attach", script=script))
    assert not passing["failed"], passing["msg"]
    assert count(state, ATTACH) == 1


@pytest.mark.parametrize(
    ("how", "says"),
    [
        (
            "plain",
            "does not speak TLS and most likely speaks only plain HTTP (TLS: wrong version number)",
        ),
        ("alert", "there is no trusted TLS connection to"),
    ],
)
def test_sides_that_cannot_agree_on_tls_are_no_outage(how: str, says: str, play: Player) -> None:
    result, state = play(Play("read", Script(handshakes=(how,)), retries=2, tls=True))
    assert says in result["msg"]
    assert state.connections == 1


def test_http_to_a_port_for_https_says_so(servers: dict[bool, Adversary], play: Player) -> None:
    place = servers[True].place
    result, _state = play(Play("read", Script(), tls=True), url=f"http://{place}", ca_path=None)
    # Which it is depends on what OpenSSL says before it closes the connection.
    assert "did not answer" in result["msg"] or f"{place} speaks TLS" in result["msg"]
    for said in (
        Reply(head=b"\x15\x03\x01\x00\x02\x02\x46"),
        http(400, b"<center>The plain HTTP request was sent to HTTPS port</center>"),
        http(400, b"Client sent an HTTP request to an HTTPS server.\n"),
        http(400, b"Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />"),
    ):
        result, state = play(Play("read", Script(replies=(said,)), retries=2))
        place = servers[False].place
        assert result["msg"].endswith(
            f": url starts with http, but {place} speaks TLS; write https:// instead."
        )
        assert count(state, READ) == 1


def test_a_redirect_with_a_body_is_told_as_one_and_nothing_is_sent_again(play: Player) -> None:
    page = b"<html>\r\n<head><title>301 Moved Permanently</title></head>\r\n</html>\r\n"
    place = "https://infisical.example/api/v1/auth/universal-auth/login"
    for length in (None, 162, 10**9):
        moved = http(301, page, f"Location: {place}", "Content-Type: text/html", length=length)
        result, state = play(Play("log in", Script(LOGIN, (moved,)), retries=3))
        assert "a redirect to" in result["msg"]
        assert result["msg"].endswith(
            "set url to 'https://infisical.example' if that is your server."
        )
        assert count(state, LOGIN) == 1


@pytest.mark.parametrize(
    "length", [*ODD_LENGTHS, "5\r\nContent-Length: 6"], ids=lambda length: length[:20]
)
@pytest.mark.parametrize("action", ["attach", "update", "revoke"])
def test_what_was_done_is_told_however_its_answer_is_framed(
    action: str, length: str, play: Player
) -> None:
    kind = ACTIONS[action].kinds[1]
    head = b"HTTP/1.1 200 OK\r\nContent-Length: " + length.encode() + b"\r\n\r\n"
    done = Reply(works=True, head=head, body=None)
    # The server can be asked what was done, or it cannot.
    for dead in (False, True):
        result, state = play(Play(action, Script(kind, (done,), dead=dead)))
        assert result["changed"] is True
        assert count(state, kind) == 1


@pytest.mark.parametrize("retries", [0, 1, 3])
@pytest.mark.parametrize("action", ["attach", "update", "revoke"])
@pytest.mark.parametrize("name", ["ServiceUnavailable", "FindOne", "IdAccessTokenFindOne"])
def test_retries_are_for_the_task_and_not_for_each_look(
    name: str, action: str, retries: int, play: Player
) -> None:
    kind = ACTIONS[action].kinds[1]
    status = 503 if name == "ServiceUnavailable" else 500
    result, state = play(Play(action, Script(kind, (error(status, name),)), retries))
    assert result["failed"]
    assert result["http_status"] == status
    assert not result["changed"]
    assert count(state, kind) == retries + 1


def test_a_write_that_needs_two_requests_is_not_tried_more_often_either(play: Player) -> None:
    done, down = Reply(True, body=None, end=KEEP), error(503, "ServiceUnavailable")
    lifetimes = {"access_token_ttl": 0, "access_token_max_ttl": 60}
    # The first request passes, the second is tried twice.
    what = Play("update", Script(UPDATE, (done, down)), retries=1, steps=2)
    result, state = play(what, **lifetimes)
    assert result["failed"]
    assert result["changed"]
    assert count(state, UPDATE) == 3


@pytest.mark.parametrize(
    ("action", "kind", "name"),
    [
        ("read", READ, "IdAccessTokenFindOne"),
        ("read", READ, "Find one"),
        ("read", READ, "InternalServerError"),
        ("list", LIST, "IdAccessTokenFindOne"),
        ("search", SEARCH, "FindOne"),
        ("log in", LOGIN, "Find one"),
        ("attach", ATTACH, "IdAccessTokenFindOne"),
        ("attach", IDENTITY, "InternalServerError"),
        ("update", UPDATE, "FindOne"),
        ("revoke", REVOKE, "IdAccessTokenFindOne"),
    ],
)
def test_a_database_that_is_away_for_a_moment_is_waited_for(
    action: str, kind: str, name: str, play: Player
) -> None:
    away = error(500, name)
    result, state = play(Play(action, Script(kind, (away, away), last=False), retries=2))
    assert not result["failed"], result["msg"]
    assert count(state, kind) == 3


@pytest.mark.parametrize(
    ("action", "kind", "name"),
    [
        ("update", UPDATE, "Update by id"),
        ("attach", ATTACH, "Create"),
        ("revoke", REVOKE, "InternalServerError"),
        ("log in", LOGIN, "InternalServerError"),
        ("list", OWN, "FindByOrgId"),
    ],
)
def test_an_error_that_would_come_again_is_not_asked_for_again(
    action: str, kind: str, name: str, play: Player
) -> None:
    result, state = play(Play(action, Script(kind, (error(500, name),)), retries=2))
    assert result["failed"]
    assert "tried" not in result["msg"]
    assert count(state, kind) == 1


@pytest.mark.parametrize(
    ("option", "value", "takes"),
    [
        (
            "allowed_service_principal_ids",
            [f"00000000-0000-4000-8000-{number:012x}" for number in range(7)],
            264,
        ),
        ("resource", "https://" + "r" * 248 + "/", 257),
    ],
    ids=["seven principals", "a resource"],
)
def test_a_text_that_old_servers_cannot_hold_is_named(
    option: str, value: t.Any, takes: int, play: Player
) -> None:
    what = Play("update", Script(UPDATE, (error(500, "Update by id"),)))
    result, _state = play(what, **{option: value})
    assert result["msg"].endswith(
        f"500 Update by id: Something went wrong. {option} takes {takes} characters, but servers"
        " released before March 2026 store at most 255, which is six UUIDs; shorten it, or upgrade"
        " the server."
    )
    result, _state = play(what)
    assert result["msg"].endswith("500 Update by id: Something went wrong.")


PERMISSION = "Give the login's role that permission, or use another login."
PRIVILEGES = "The login may not do this to an identity with these privileges; give the login's"
MEMBER = "The identity belongs to a project of which this login is not a member;"
ELSEWHERE = "The identity and the login belong to different organizations; log in to the identity's"
TRUSTED = "The trusted IPs of the login's auth method do not include the host that runs the module"
ADMIN = "The identity is an instance admin, which other identities may not change"
ANOTHER = "The login may not do this; give its role the right to do it, or use another login."
NO_ACCESS = "You are not allowed to access this resource"


@pytest.mark.parametrize(
    ("name", "message", "says"),
    [
        ("PermissionDenied", "You are not allowed to edit-auth on identity", PERMISSION),
        (
            "PermissionBoundaryError",
            (
                "Failed to revoke azure auth of identity with more privileged role. Actor is"
                " missing permission revoke-auth on identity"
            ),
            PRIVILEGES,
        ),
        ("ForbiddenError", "Failed to delete more privileged identity", PRIVILEGES),
        ("ProjectMembershipNotFound", "You are not a member of this project with ID x", MEMBER),
        (f"Identity is not a member of the specified project with ID '{ID}'", NO_ACCESS, MEMBER),
        (
            "ForbiddenError",
            (
                "Your token is scoped to organization with ID x, but this resource belongs to a"
                " different organization."
            ),
            ELSEWHERE,
        ),
        (
            "ForbiddenError",
            "Sub organization not authorized to access this identity",
            ELSEWHERE,
        ),
        ("Identity is not apart of this organization", NO_ACCESS, ELSEWHERE),
        ("ForbiddenError", f"{NO_ACCESS} from the current IP address", TRUSTED),
        (
            "ForbiddenError",
            (
                "You are attempting to modify an instance admin identity. This requires elevated"
                " instance admin privileges"
            ),
            ADMIN,
        ),
        ("Forbidden access to /api/v1/x", NO_ACCESS, ANOTHER),
    ],
)
def test_a_403_says_what_to_do(name: str, message: str, says: str, play: Player) -> None:
    result, _state = play(Play("read", Script(replies=(error(403, name, message),)), retries=2))
    assert f"403 {name}: {message.rstrip('.')}. {says}" in result["msg"]


@pytest.mark.parametrize(
    ("message", "end"),
    [
        ("Did you forget auth?", "400 BadRequest: Did you forget auth?"),
        ("Stop!", "400 BadRequest: Stop!"),
        ("No. ", "400 BadRequest: No."),
        ("No..", "400 BadRequest: No."),
        ("No: ", "400 BadRequest: No."),
        (" ", "400 BadRequest."),
        ("", "400 BadRequest."),
        ([], "400 BadRequest."),
    ],
)
def test_sentences_of_the_server_end_once(message: t.Any, end: str, play: Player) -> None:
    refusal = error(400, "BadRequest", message)
    result, _state = play(Play("update", Script(UPDATE, (refusal,))))
    assert result["msg"].endswith(f": Infisical answered {end}")
    again = error(503, "BadRequest", message)
    result, _state = play(Play("update", Script(UPDATE, (again,)), retries=1))
    assert TRIED.sub("", result["msg"]).rstrip(".?!").endswith(end.rstrip(".?!")[4:])


def test_the_login_s_own_identity_is_called_that(play: Player) -> None:
    claims = base64.urlsafe_b64encode(json.dumps({"identityId": ID}).encode()).decode().rstrip("=")
    refusal = error(403, "PermissionDenied", "You are not allowed to read on identity")
    result, _state = play(
        Play("list", Script(IDENTITY, (refusal,))), token=f"e30.{claims}.signature"
    )
    assert result["msg"] == (
        f"Could not read the login's own identity {ID} to find out its organization: Infisical"
        " answered 403 PermissionDenied: You are not allowed to read on identity. Give the login's"
        " role that permission, or use another login."
    )


@pytest.mark.parametrize(
    ("answer", "says", "tries"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "it answered 407", 1),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "it answered 403", 1),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "it answered 502", 3),
        (b"", "the connection was closed", 3),
    ],
    ids=["407", "403", "502", "closed"],
)
def test_a_proxy_that_makes_no_connection(
    answer: bytes,
    says: str,
    tries: int,
    servers: dict[bool, Adversary],
    play: Player,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = "https://infisical.example"
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:pr0xypass@{servers[False].place}")
    what = Play("attach", Script(CONNECT, (Reply(head=answer),)), retries=2)
    result, state = play(what, url=url)
    assert f"the proxy for {url} cannot be used ({says})" in result["msg"]
    assert "pr0xypass" not in json.dumps(result)
    assert count(state, CONNECT) == tries


@pytest.mark.parametrize(
    "script",
    [
        Script(handshakes=("close",)),
        Script(replies=(error(500, "IdAccessTokenFindOne"),)),
    ],
    ids=["handshakes", "database"],
)
def test_an_outage_ends_a_fleet(
    script: Script, servers: dict[bool, Adversary], bundle: str
) -> None:
    what = Play("read", script, tls=True)
    state = servers[True].play(script)
    options = {**options_for(what, servers[True], bundle), "ids": None}
    options["identities"] = [
        {"id": f"{NEW}{number:012x}", "azure_auth": {}} for number in range(300)
    ]
    result = run_in_process(
        infisical_identities.main,
        {key: value for key, value in options.items() if value is not None},
    )
    check_play(what, result, state, servers[True])
    assert re.search(r" \d+ of 300 identities were not tried\.$", result["msg"])


@pytest.mark.parametrize(
    "answer",
    [
        *ENDLESS,
        Reply(end=RESET),
        Reply(head=b"HTTP/1.1 200 OK\r\nContent-Length: 10, 1\r\n\r\n{}"),
        http(200, deep(700)),
        http(200, b'{"access_token": 1e999}'),
        http(302, b"{}", "Location: http://["),
        http(500, SECRETS[0].encode() + b"\x00\x1b[2J"),
    ],
    ids=lambda answer: ascii(answer)[:60],
)
def test_whatever_a_platform_says_is_a_token_or_one_sentence(
    answer: Reply, servers: dict[bool, Adversary], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    servers[False].play(Script("GET /metadata/", (answer,)))
    environment = {platform_tokens.AZURE_HOST_VARIABLE: servers[False].url}
    request = platform_tokens.TokenRequest(ID, {}, environment)
    with pytest.raises(PlatformError) as refusal:
        platform_tokens.azure_jwt(request)
    assert str(refusal.value).isprintable()
    assert len(str(refusal.value)) < 700


# Runs a module, and says how much memory it took in all.
MEASURED = """\
import atexit, re, runpy, sys


def tell():
    with open("/proc/self/status") as status:
        sys.stderr.write(re.search(r"VmHWM:[^0-9]+([0-9]+)", status.read())[1])


atexit.register(tell)
runpy.run_module(sys.argv.pop(), run_name="__main__")
"""
ITEMS = [b"{},", b"[],", b'"",', b'{"a":1},', b'"ab",', b"1.5,", b"1,", b"\\ud83d\\ude00"]
HEAVY = [http(200, b'{"a": [' + item * (1_000_000 // len(item)) + b"1]}") for item in ITEMS]
HEAVY_LISTS = [
    http(200, b'{"identities": [' + item * (33_000_000 // len(item)) + b"1]}") for item in ITEMS
]


@pytest.mark.skipif(sys.platform != "linux", reason="tells memory by /proc")
@pytest.mark.parametrize(
    ("action", "most", "answers"),
    [("update", 60, [*ENDLESS, *HEAVY]), ("list", 200, [*ENDLESS[:2], *HEAVY_LISTS])],
)
def test_whatever_is_sent_memory_is_bounded(
    action: str,
    most: int,
    answers: list[Reply],
    servers: dict[bool, Adversary],
    bundle: str,
    tmp_path: Path,
    record_property: t.Callable[[str, object], None],
) -> None:
    server, kind = servers[False], {"update": READ, "list": LIST}[action]
    options = options_for(Play(action, Script()), server, bundle)
    peaks = []
    for answer in answers:
        server.play(Script(kind, (answer,)))
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                MEASURED,
                ACTIONS[action].module.__name__,
            ],
            input=json.dumps({"ANSIBLE_MODULE_ARGS": options}),
            env=clean_environment(tmp_path, PYTHONPATH=str(COLLECTIONS)),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout, done.stderr
        result = json.loads(done.stdout)
        assert result["failed"]
        peaks.append(int(done.stderr) / 1024)
        assert peaks[-1] < most, (answer, result["msg"])
    record_property(f"most MiB of a task to {action}", f"{max(peaks):.0f}")
