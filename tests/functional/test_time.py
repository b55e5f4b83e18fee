# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bounds: slow, endless and huge answers, rate limits, and retries, by the client itself."""

from __future__ import annotations

import contextlib
import re
import resource
import socket
import threading
import typing as t

import pytest
from functional.cases import ATTACHED

from ansible_collections.community.infisical.plugins.module_utils._errors import (
    ApiError,
    InfisicalError,
    RateLimitedError,
    TransportError,
    UnexpectedAnswerError,
)
from ansible_collections.community.infisical.plugins.module_utils._server.client import Client
from ansible_collections.community.infisical.plugins.module_utils._server.connection import (
    Connection,
)
from ansible_collections.community.infisical.plugins.module_utils._server.request import Request
from emulator import running


def read(client: Client, identity_id: str) -> dict[str, t.Any]:
    """Read the Azure Auth of an identity."""
    route = "/api/v1/auth/azure-auth/identities/{}"
    answer = client.request(Request("GET", route, (identity_id,), "read the Azure Auth"))
    return t.cast(dict[str, t.Any], answer["identityAzureAuth"])


@pytest.fixture
def connect(server: t.Any) -> t.Iterator[t.Callable[..., Client]]:
    """A maker of clients with the options of a connection."""
    with contextlib.ExitStack() as stack:

        def make(**options: t.Any) -> Client:
            client = Client(Connection(server.url, **{"retries": 0, "timeout": 1, **options}))
            stack.enter_context(contextlib.closing(client))
            client.use_token(server.token)
            return client

        yield make
        server.clear_faults()


@pytest.fixture(scope="module")
def identity_id(server: t.Any) -> str:
    created = str(server.create_identity("bounds"))
    server.put_azure_auth(created, **ATTACHED)
    return created


def failure_of(client: Client, identity_id: str) -> InfisicalError:
    with pytest.raises(InfisicalError) as raised:
        read(client, identity_id)
    return raised.value


def test_an_answer_a_byte_at_a_time_is_given_up(
    connect: t.Callable[..., Client], server: t.Any, identity_id: str
) -> None:
    """No byte takes as long as the timeout, so that it is all of them that take too long."""
    server.fault("drip", identity_id=identity_id, interval=0.3)
    failure = failure_of(connect(), identity_id)
    assert isinstance(failure, TransportError)
    assert "broke off (timed out)" in str(failure)


def test_a_head_that_never_ends_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        done = threading.Event()

        def answer() -> None:
            connection, _address = listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while not done.wait(0.2):
                    connection.sendall(b"x")

        thread = threading.Thread(target=answer)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with contextlib.closing(Client(Connection(url, timeout=1, retries=0))) as client:
            failure = failure_of(client, "x")
        done.set()
        thread.join()
    assert "did not answer (timed out)" in str(failure)


@pytest.mark.parametrize("gzip", [False, True], ids=["plain", "gzip bomb"])
def test_a_huge_answer_is_given_up_in_bounded_memory(
    gzip: bool, connect: t.Callable[..., Client], server: t.Any, identity_id: str
) -> None:
    server.fault("huge", identity_id=identity_id, size=100 * 1024 * 1024, gzip=gzip)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    failure = failure_of(connect(timeout=20), identity_id)
    assert isinstance(failure, UnexpectedAnswerError)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < 100, f"{grown:.0f} MiB"


def test_retries_are_as_many_as_asked_for_and_the_message_says_so(
    connect: t.Callable[..., Client], server: t.Any, identity_id: str
) -> None:
    server.fault("drop", identity_id=identity_id)
    server.clear_requests()
    failure = failure_of(connect(retries=2), identity_id)
    assert "(the connection was closed)" in str(failure) or "reset" in str(failure)
    assert re.search(r" \(tried 3 times in \d+ seconds\)\.$", str(failure))
    assert len(server.requests(identity_id=identity_id)) == 3


def test_what_retrying_cannot_help_is_not_retried(
    connect: t.Callable[..., Client], server: t.Any, identity_id: str
) -> None:
    for status, error in ((500, "FindByOrgId"), (403, "PermissionDenied"), (404, "NotFound")):
        server.fault("error", identity_id=identity_id, times=1, status=status, error=error)
        server.clear_requests()
        failure = failure_of(connect(retries=5), identity_id)
        assert isinstance(failure, ApiError)
        assert failure.error == error
        assert len(server.requests(identity_id=identity_id)) == 1


def test_a_limit_is_kept_without_a_refusal_and_each_window_is_used() -> None:
    """How little more than the least time it takes, is in virtual time, in the unit tests."""
    window, limit, reads = 2, 10, 25
    with running(read_limit=limit, window=window) as server:
        identity_id = server.create_identity("paced")
        server.put_azure_auth(identity_id, **ATTACHED)
        client = Client(Connection(server.url))
        client.use_token(server.token)
        for _number in range(reads):
            read(client, identity_id)
        client.close()
        requests = server.requests(identity_id=identity_id)
    passed = [item for item in requests if item.status == 200]
    assert len(passed) == reads
    assert len(requests) - reads <= reads // limit
    # The first of each window comes when the one before is over.
    firsts = [item.time for item in passed[::limit]]
    assert all(then >= when + window for when, then in zip(firsts, firsts[1:]))


@pytest.mark.parametrize("retry_after", [None, "soon", "-1", "0", "1.5"])
def test_a_strange_retry_after_neither_hangs_nor_hammers(
    retry_after: str | None, connect: t.Callable[..., Client], server: t.Any, identity_id: str
) -> None:
    server.fault("rate_limit", identity_id=identity_id, retry_after=retry_after)
    server.clear_requests()
    failure = failure_of(connect(rate_limit_timeout=2.5), identity_id)
    assert isinstance(failure, RateLimitedError)
    assert "which exceeds rate_limit_timeout (2.5 seconds)" in str(failure)
    assert len(server.requests(identity_id=identity_id)) <= 4


def test_a_gateway_that_asks_to_wait_is_not_called_a_rate_limit(
    connect: t.Callable[..., Client], server: t.Any, identity_id: str
) -> None:
    server.fault("error", identity_id=identity_id, status=503, html=True, retry_after=3600)
    server.clear_requests()
    failure = failure_of(connect(), identity_id)
    assert isinstance(failure, RateLimitedError)
    assert str(failure).endswith(
        f": {server.url}, which answers 503, refused it and asked the module to wait 3600 more"
        " seconds, which exceeds rate_limit_timeout (300 seconds); run the task later, or raise"
        " rate_limit_timeout."
    )
    assert len(server.requests(identity_id=identity_id)) == 1


def test_waiting_for_a_limit_uses_up_no_retries(
    connect: t.Callable[..., Client], server: t.Any, identity_id: str
) -> None:
    server.fault("rate_limit", identity_id=identity_id, times=2, retry_after=1)
    assert read(connect(retries=0), identity_id)["resource"] == ATTACHED["resource"]
