# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Killed at random moments, the module leaves nothing that a second run does not mend."""

from __future__ import annotations

import random
import signal
import subprocess
import time
import typing as t
from pathlib import Path

from functional.cases import ATTACHED, ONE, REQUIRED, TWO
from functional.harness import FLEET, MODULE, entry, finish_module, start_module, wait_for_end

from emulator import running

KILLS = 36
FLEET_KILLS = 9
FLEET_SIZE = 60
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
SEED = 20261123
# How long the answer is kept back during which the module is killed.
HELD_SECONDS = 0.5

# Each takes two writes, so that there is something between them to be killed at.
ENDS: tuple[tuple[dict[str, t.Any] | None, dict[str, t.Any]], ...] = (
    (None, {**REQUIRED, "access_token_ttl": 60, "access_token_max_ttl": 0}),
    (
        ATTACHED,
        {
            **REQUIRED,
            "allowed_service_principal_ids": [TWO],
            "access_token_ttl": 0,
            "access_token_max_ttl": 60,
        },
    ),
    (ATTACHED, {"state": "absent"}),
)


def start(
    server: t.Any, folder: Path, options: dict[str, t.Any], module: str = MODULE
) -> subprocess.Popen[str]:
    login = {
        "url": server.url,
        "universal_auth_client_id": server.client_id,
        "universal_auth_client_secret": server.client_secret,
    }
    return start_module(module, folder, {**login, **options})


def test_after_any_kill_a_second_run_converges(
    tmp_path: Path, record_property: t.Callable[[str, object], None]
) -> None:
    chance = random.Random(SEED)
    interrupted = 0
    with running() as server:

        def made(stored: dict[str, t.Any] | None) -> str:
            identity_id = str(server.create_identity("killed"))
            if stored is not None:
                server.put_azure_auth(identity_id, **stored)
            return identity_id

        requests = []
        for stored, options in ENDS:
            server.clear_requests()
            finish_module(start(server, tmp_path, {"identity_id": made(stored), **options}))
            requests.append(len(server.requests()))
        for number in range(KILLS):
            stored, options = ENDS[number % len(ENDS)]
            identity_id = made(stored)
            wanted = {"identity_id": identity_id, **options}
            before = server.live_tokens()
            # It is killed while it waits for an answer: of a request that is done, or is not.
            server.fault(
                "latency",
                nth=chance.randint(1, requests[number % len(ENDS)]),
                seconds=HELD_SECONDS,
                when=chance.choice(["before", "after"]),
            )
            process = start(server, tmp_path, wanted)
            while not server.faults()[0]["hits"]:
                assert process.poll() is None, "it made fewer requests than before"
                time.sleep(0.002)
            how = SIGNALS[number // len(ENDS) % len(SIGNALS)]
            process.send_signal(how)
            wait_for_end(process)
            interrupted += process.returncode != 0
            while any(item.status is None for item in server.requests()):
                time.sleep(0.002)
            server.clear_faults()
            check_nothing_lax(server.azure_auth(identity_id))
            # A login that is still being answered is waited for, so that its token can be revoked.
            assert how is signal.SIGKILL or server.live_tokens() == before
            mended = finish_module(start(server, tmp_path, wanted))
            assert not mended.get("failed"), mended
            again = finish_module(start(server, tmp_path, wanted))
            assert again["changed"] is False
            assert again["azure_auth"]["state"] == options.get("state", "present")
    record_property("kills", KILLS)
    record_property("interrupted", interrupted)
    # The others were asked to end when all was done but to revoke the token.
    assert interrupted >= KILLS // 2, f"{interrupted} of {KILLS} kills interrupted it"


def test_after_a_kill_of_a_fleet_a_second_run_finishes_the_rest(
    tmp_path: Path, record_property: t.Callable[[str, object], None]
) -> None:
    """Killed when a random share of the writes is done, most of which are half of a pair."""
    chance = random.Random(SEED)
    half_way = 0
    for number in range(FLEET_KILLS):
        how = SIGNALS[number % len(SIGNALS)]
        with running(latency=0.004) as server:
            ids = server.create_identities([f"app {n}" for n in range(FLEET_SIZE)])
            entries = []
            for index, identity_id in enumerate(ids):
                stored, options = ENDS[index % len(ENDS)]
                if stored is not None:
                    server.put_azure_auth(identity_id, **stored)
                entries.append(entry(identity_id, **options))
            before = {identity_id: server.azure_auth(identity_id) for identity_id in ids}
            wanted = {"identities": entries}
            process = start(server, tmp_path, wanted, FLEET)
            enough = chance.randrange(1, FLEET_SIZE)
            while len(writes_of(server)) < enough:
                assert process.poll() is None, "it was too fast to be killed"
                time.sleep(0.002)
            process.send_signal(how)
            wait_for_end(process)
            touched = [i for i in ids if server.azure_auth(i) != before[i]]
            half_way += 0 < len(touched) < FLEET_SIZE
            for identity_id in ids:
                check_nothing_lax(server.azure_auth(identity_id))
            mended = finish_module(start(server, tmp_path, wanted, FLEET))
            assert not mended.get("failed"), mended
            assert mended["checked"] == FLEET_SIZE
            again = finish_module(start(server, tmp_path, wanted, FLEET))
            assert again["changed"] is False
            assert again["results"] == []
    record_property("kills of fleets", FLEET_KILLS)
    record_property("half-way", half_way)
    assert half_way >= FLEET_KILLS - 2


def writes_of(server: t.Any) -> list[t.Any]:
    return [
        item
        for item in server.requests(path="/azure-auth/identities/")
        if item.method in ("POST", "PATCH", "DELETE")
    ]


def check_nothing_lax(raw: dict[str, t.Any] | None) -> None:
    if raw is not None:
        assert raw["allowedServicePrincipalIds"] in (ONE, TWO)
        assert raw["accessTokenTTL"] > 0 or raw["accessTokenMaxTTL"] == 60
