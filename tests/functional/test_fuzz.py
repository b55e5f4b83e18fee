# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers of any kind: nothing but the collection's own errors comes out of reading them."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import threading
import typing as t

import pytest
from functional.cases import ATTACHED
from functional.harness import THOROUGH
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ansible_collections.community.infisical.plugins.module_utils._errors import (
    InfisicalError,
    ManyProblemsError,
    Problem,
)
from ansible_collections.community.infisical.plugins.module_utils._module.entries import (
    Entry,
    entry_spec,
    read_entries,
    read_references,
)
from ansible_collections.community.infisical.plugins.module_utils._server.api import Api
from ansible_collections.community.infisical.plugins.module_utils._server.client import Client
from ansible_collections.community.infisical.plugins.module_utils._server.connection import (
    Connection,
)
from ansible_collections.community.infisical.plugins.module_utils._server.login import Choice, Login
from ansible_collections.community.infisical.plugins.module_utils._state import creations
from ansible_collections.community.infisical.plugins.module_utils._state.auth_method import (
    AuthMethodResource,
)
from ansible_collections.community.infisical.plugins.module_utils._state.auth_methods import (
    AUTH_METHODS,
)
from ansible_collections.community.infisical.plugins.module_utils._state.azure_auth import (
    AZURE_AUTH,
)
from ansible_collections.community.infisical.plugins.module_utils._state.directory import (
    list_everything,
    whole_organization,
)
from ansible_collections.community.infisical.plugins.module_utils._state.entry import (
    Desired,
    EntryReconciler,
)
from ansible_collections.community.infisical.plugins.module_utils._state.identities import (
    Reference,
    Role,
    find_identities,
    list_of_project,
    read_identity,
)
from ansible_collections.community.infisical.plugins.module_utils._state.plan import UPDATE, Step
from ansible_collections.community.infisical.plugins.module_utils._state.warnings import Warnings

IDENTITY = "6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b"
PROJECT = "0f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4c"
SLUG = "team-a"
CASES = 600 if THOROUGH else 200
LIMITS = settings(max_examples=CASES, deadline=None, suppress_health_check=[HealthCheck.too_slow])


class Parrot:
    """A server that says what it was told to, whatever it is asked, and hangs up."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.answer = b""
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _address = self._listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.recv(65536)
                connection.sendall(self.answer)

    def close(self) -> None:
        self._listener.close()


@pytest.fixture(scope="module")
def parrot() -> t.Iterator[Parrot]:
    server = Parrot()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is looked for again and again, because a replica may lag, is looked for at once."""
    monkeypatch.setattr(Api, "pause", lambda _self, _seconds: None)
    monkeypatch.setattr(creations, "_SEARCH", 0.02)


def ask_everything(parrot: Parrot) -> None:
    """Make every call that reads an answer; each may only fail with an error of our own."""
    connection = Connection(parrot.url, timeout=2, retries=0, rate_limit_timeout=0)
    with contextlib.closing(Client(connection)) as client:
        path = "/api/v1/auth/universal-auth/login"
        choice = Choice(parrot.url, path, {"clientId": "c"}, SLUG, frozenset())
        login = Login(client, choice, str)
        calls: list[t.Callable[[], object]] = [login.open]
        # Servers since 2026, whose tokens tell their organization, and those before.
        for organization in ("o", None):
            calls += calls_of(Api(client, IDENTITY, organization), login)
        for call in calls:
            failure = own_failure_of(call)
            assert failure.isprintable()
            assert len(failure) < 1500


def calls_of(api: Api, login: Login) -> list[t.Callable[[], object]]:
    """Return all that is asked of a server, as far as the modules ask it."""
    auth = AuthMethodResource(api, login, AZURE_AUTH, IDENTITY)
    described = Desired(
        {"role": (Role("auditor"),), "metadata": (("team", "a"),), "delete_protection": True},
        {AZURE_AUTH.key: {}},
    )
    calls: list[t.Callable[[], object]] = [
        auth.read,
        lambda: auth.perform(Step(UPDATE, {}, {"resource": "r"})),
        lambda: whole_organization(api, "list the identities"),
        lambda: list_everything(api),
        lambda: list_of_project(api, PROJECT),
    ]
    for project_id in (None, PROJECT):
        calls += [
            lambda project_id=project_id: read_identity(api, IDENTITY, project_id),  # type: ignore[misc]
            lambda project_id=project_id: find_identities(api, ["billing"], project_id),  # type: ignore[misc]
            lambda project_id=project_id: find_identities(api, ["bill:ing"], project_id),  # type: ignore[misc]
            lambda project_id=project_id: find_identities(  # type: ignore[misc]
                api, ["billing", "payments"], project_id, roles=True
            ),
        ]
        for reference in (
            Reference(IDENTITY, "renamed", project_id),
            Reference(None, "billing", project_id),
            Reference(None, "new", project_id),
        ):
            for desired in (described, Desired(None, {}, lift=True)):
                calls.append(
                    EntryReconciler(
                        api,
                        login,
                        AUTH_METHODS,
                        reference,
                        desired,
                        creations.Creations(api, Warnings()),
                        check=False,
                    ).run
                )
    return calls


def own_failure_of(call: t.Callable[[], object]) -> str:
    try:
        call()
    except InfisicalError as failure:
        return str(failure)
    return ""


def http(status: int, body: bytes, *headers: str) -> bytes:
    head = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KNOWN = {
    "identityAzureAuth": {"id": "i", "identityId": IDENTITY, "accessTokenPeriod": 0, **ATTACHED},
    "identity": {
        "id": "m",
        "orgId": "o",
        "identity": {"id": IDENTITY, "name": "billing", "authMethods": ["azure-auth"]},
    },
    "identityMemberships": [{"identity": {"id": IDENTITY, "name": "billing"}, "project": {}}],
    "identityMembership": {"roles": [{"role": "custom", "customRoleSlug": "auditor"}]},
    "projects": [{"id": PROJECT, "name": "shop", "isMember": False}],
    "organizations": [{"id": "o", "name": "Team A", "slug": SLUG}],
    "roles": [{"slug": "auditor"}],
    "totalCount": 1,
    "accessToken": "e30.e30.x",
    "statusCode": 400,
    "error": "BadRequest",
    "message": "No",
    "reqId": "r",
}
KNOWN["identities"] = [KNOWN["identity"]]


@st.composite
def nearly_right(draw: st.DrawFn) -> bytes:
    """An answer as Infisical gives it, but for one or two places where anything stands."""
    document = json.loads(json.dumps(KNOWN))
    for _number in range(draw(st.integers(1, 2))):
        place = document
        while True:
            key = draw(
                st.sampled_from(
                    sorted(place) if isinstance(place, dict) else list(range(len(place)))
                )
            )
            if isinstance(place[key], (dict, list)) and place[key] and draw(st.booleans()):
                place = place[key]
                continue
            if draw(st.booleans()):
                place[key] = draw(values)
            elif isinstance(place, dict) and len(place) > 1:
                del place[key]
            break
    status = draw(st.sampled_from([200, 200, 200, 400, 401, 403, 404, 422, 500]))
    return http(status, json.dumps(document).encode(), "Content-Type: application/json")


@st.composite
def odd_http(draw: st.DrawFn) -> bytes:
    """Any status, headers that matter with any value, and any body."""
    names = [
        "Location",
        "Retry-After",
        "X-RateLimit-Remaining",
        "X-RateLimit-Reset",
        "Content-Type",
    ]
    text = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=20) | (
        st.sampled_from(["http://[", "//[::1", "chunked", "gzip", "0", "1", "99999999999999999999"])
    )
    headers = [f"{name}: {draw(text)}" for name in draw(st.lists(st.sampled_from(names)))]
    body = draw(st.binary(max_size=200) | values.map(lambda value: json.dumps(value).encode()))
    return http(draw(st.integers(200, 599)), body, *headers)


def test_any_answer_is_read_or_one_of_our_own_errors(
    parrot: Parrot, record_property: t.Callable[[str, object], None]
) -> None:
    tried = 0

    @LIMITS
    @example(b"HTTP/1.1 301 X\r\nLocation: \x80\r\n\r\n")
    @given(nearly_right() | odd_http() | st.binary(max_size=300))
    def check(answer: bytes) -> None:
        nonlocal tried
        tried += 1
        parrot.answer = answer
        ask_everything(parrot)

    check()
    record_property("answers", tried)


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"a":' * 50_000, b"9" * 1_000_000, b'{"a": NaN}', b"\xff\xfe{}", b"null"],
    ids=["deep list", "deep object", "long number", "NaN", "UTF-16 mark", "null"],
)
def test_bodies_that_trouble_parsers(body: bytes, parrot: Parrot) -> None:
    parrot.answer = http(200, body)
    ask_everything(parrot)
    # The same within an access token, which is looked into.
    token = f"e30.{base64.urlsafe_b64encode(body).decode()}.x"
    parrot.answer = http(200, json.dumps({"accessToken": token}).encode())
    ask_everything(parrot)


known_keys = st.sampled_from([*entry_spec(AUTH_METHODS), "skipped", "identity_id"])
likely = st.sampled_from([IDENTITY, "billing", "present", "absent", "10.0.0.0/8", [], [""], 60])
method_keys = st.sampled_from([*entry_spec(AUTH_METHODS)[AZURE_AUTH.key]["options"], "skipped"])
likely = likely | st.dictionaries(method_keys | st.text(max_size=5), likely | values, max_size=4)
odd_entries = st.dictionaries(known_keys | st.text(max_size=5), likely | values, max_size=5)


def problems_of(read: t.Callable[[], object]) -> tuple[str, list[Problem]]:
    """Return what is wrong with what is read: the message, and each problem."""
    try:
        read()
    except ManyProblemsError as refusal:
        return str(refusal), list(refusal.problems)
    return "", []


def test_any_list_of_entries_is_read_or_every_problem_told(
    record_property: t.Callable[[str, object], None],
) -> None:
    tried = 0

    @LIMITS
    @given(st.lists(odd_entries | values, max_size=6))
    def check(raw: list[t.Any]) -> None:
        nonlocal tried
        tried += 1
        warnings = Warnings()
        entries: list[Entry] = []
        message, problems = problems_of(
            lambda: entries.extend(read_entries("identities", raw, AUTH_METHODS, warnings))
        )
        assert bool(message) == bool(problems)
        for problem in problems:
            assert problem.place is not None
            source = raw[problem.place].get("source") if isinstance(raw[problem.place], dict) else 0
            named = isinstance(source, str) and source.strip()
            assert named or problem.sentence.startswith(f"identities[{problem.place}]")
        if not problems:
            assert len(entries) == len(raw)
        for item, entry in zip(raw, entries):
            # Only the switch for all opens an identity to everybody.
            wanted = entry.desired.methods.get(AZURE_AUTH.key) or {}
            if wanted.get("allowed_service_principal_ids") == "":
                assert item["azure_auth"]["allow_all_service_principals"] is True
        assert all(text.isprintable() for text in [message, *warnings.messages()])

    check()
    record_property("lists of entries", tried)


@LIMITS
@given(st.lists(values | st.sampled_from([IDENTITY, "billing", "a\0b"]), max_size=5))
def test_any_list_of_references_is_read_or_every_problem_told(raw: list[t.Any]) -> None:
    read: list[Reference] = []
    message, problems = problems_of(
        lambda: read.extend(read_references("purge_azure_auth_except", raw)),
    )
    assert message.isprintable()
    assert len(read) == (0 if problems else len(raw))
    assert len(problems) <= len(raw)
    assert all(bool(item.id) != bool(item.name) for item in read)
