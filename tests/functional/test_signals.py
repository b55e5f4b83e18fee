# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signals that ask a task to end, wherever they find it."""

from __future__ import annotations

import random
import signal
import time
import typing as t
from pathlib import Path

import pytest
from functional.cases import ATTACHED
from functional.harness import FLEET, MODULE, entry, finish_module, start_module

from emulator import running

SEED = 20261126
# Calls of functions of the collection's, in the main thread, from the first request on. The last
# ones are made while the task waits for an answer.
MOMENTS = sorted(random.Random(SEED).sample(range(1, 40), 10))
# Lets a signal arrive while an object is destroyed, where Python drops what is raised.
IN_A_FINALISER = """\
import os
import signal
import sys

moment = int(os.environ["SIGNAL_AT_CALL"])
calls = 0


class Finalised:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        for _number in range(100):
            pass


def look(frame, event, _argument):
    global calls
    ours = event == "call" and "/module_utils/_" in frame.f_code.co_filename
    if ours and callable(signal.getsignal(signal.SIGTERM)):
        calls += 1
        if calls == moment:
            sys.setprofile(None)
            Finalised()


sys.setprofile(look)
"""


@pytest.fixture(scope="module")
def server() -> t.Iterator[t.Any]:
    with running() as emulator:
        yield emulator


def login(server: t.Any) -> dict[str, t.Any]:
    return {
        "url": server.url,
        "universal_auth_client_id": server.client_id,
        "universal_auth_client_secret": server.client_secret,
    }


@pytest.mark.parametrize("module", [MODULE, FLEET])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_signal_in_a_finaliser_ends_the_task(
    moment: int, module: str, server: t.Any, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(IN_A_FINALISER, encoding="utf-8")
    identity_id = server.create_identity(f"{module} {moment}")
    # A task that missed the signal would wait for this, and end well.
    server.fault("latency", method="GET", identity_id=identity_id, seconds=30)
    revoked = {"state": "absent"}
    options = (
        {"identity_id": identity_id, **revoked}
        if module == MODULE
        else {"identities": [entry(identity_id, **revoked)]}
    )
    before = server.live_tokens()
    process = start_module(
        module,
        tmp_path,
        {**login(server), **options},
        environment={"PYTHONPATH": str(tmp_path), "SIGNAL_AT_CALL": str(moment)},
    )
    result = finish_module(process)
    assert process.returncode == 1
    assert result["msg"].startswith("The task was stopped by SIGTERM; run it again"), result
    assert not result["changed"]
    assert server.live_tokens() == before


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=str)
def test_a_login_that_is_answered_after_the_signal_is_revoked(
    how: signal.Signals, server: t.Any, tmp_path: Path
) -> None:
    server.clear_requests()
    server.fault("latency", path="/login$", times=1, seconds=1)
    before = server.live_tokens()
    identity_id = server.create_identity(f"login {how}")
    process = start_module(MODULE, tmp_path, {**login(server), "identity_id": identity_id})
    wait_for(lambda: bool(server.requests(path="/login$")), process)
    process.send_signal(how)
    result = finish_module(process)
    assert process.returncode == 1
    assert result["msg"].startswith(f"The task was stopped by {how.name}; run it again")
    assert [item.path for item in server.requests()] == [
        "/api/v1/auth/universal-auth/login",
        "/api/v1/auth/token/revoke",
    ]
    assert server.live_tokens() == before


def test_a_write_that_is_answered_after_the_signal_is_told_and_the_next_is_not_made(
    server: t.Any, tmp_path: Path
) -> None:
    identity_id = server.create_identity("two writes")
    server.put_azure_auth(identity_id, **ATTACHED)
    server.fault("latency", method="PATCH", identity_id=identity_id, times=1, seconds=1)
    # Takes two writes, of which the first one raises the maximum to the same.
    two = {"access_token_ttl": 2592001, "access_token_max_ttl": 0}
    options = {**login(server), "identity_id": identity_id, **two}
    process = start_module(MODULE, tmp_path, options)
    wait_for(lambda: bool(server.requests(identity_id=identity_id, method="PATCH")), process)
    process.send_signal(signal.SIGTERM)
    result = finish_module(process)
    assert process.returncode == 1
    assert result["msg"].startswith("The task was stopped by SIGTERM; run it again")
    assert result["changed"]
    assert len(server.requests(identity_id=identity_id, method="PATCH")) == 1
    assert server.azure_auth(identity_id)["accessTokenMaxTTL"] == 2592001
    # As it is, and not as it was before, or as it should be.
    assert result["azure_auth"]["access_token_max_ttl"] == 2592001


def test_a_write_that_waits_for_its_turn_when_the_signal_comes_is_not_made_nor_told(
    server: t.Any, tmp_path: Path
) -> None:
    identity_id = server.create_identity("waits")
    server.put_azure_auth(identity_id, **ATTACHED)
    server.fault("rate_limit", method="PATCH", identity_id=identity_id, times=1, retry_after=60)
    options = {**login(server), "identity_id": identity_id, "resource": "other"}
    process = start_module(MODULE, tmp_path, options)
    wait_for(
        lambda: any(
            item.status == 429 for item in server.requests(identity_id=identity_id, method="PATCH")
        ),
        process,
    )
    process.send_signal(signal.SIGTERM)
    result = finish_module(process)
    assert result["msg"].startswith("The task was stopped by SIGTERM; run it again")
    assert not result["changed"]
    assert len(server.requests(identity_id=identity_id, method="PATCH")) == 1


def wait_for(condition: t.Callable[[], bool], process: t.Any) -> None:
    while not condition():
        assert process.poll() is None, "it ended too soon"
        time.sleep(0.005)
