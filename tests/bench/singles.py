# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Single tasks: one module against the tasks of `ansible.builtin.uri` that it replaces."""

from __future__ import annotations

from typing import Any

from .plays import Player, Task, Timed, named, seconds_of
from .results import FirstTasks, Singles
from .servers import OPTIONS, TTL, Server

MODULE = "community.infisical.infisical_azure_auth"
EMPTY = "empty"
BARE = "bare"

# A longer play would measure how Ansible slows down with its length, too.
_ROUNDS_A_PLAY = 9


# Does nothing, which is the least that a task can cost. It takes a list, and does not return it.
_EMPTY_MODULE = """
from ansible.module_utils.basic import AnsibleModule
AnsibleModule({"entries": {"type": "list", "elements": "raw"}}).exit_json(invocation={})
"""

# One request, by the library that makes it, and the networks of the answer, read: the least that a
# module can cost which is to tell whether something differs.
_BARE_MODULE = """
import netaddr
import requests
from ansible.module_utils.basic import AnsibleModule

module = AnsibleModule({"url": {"type": "str"}, "token": {"type": "str", "no_log": True}})
headers = {"Authorization": "Bearer " + module.params["token"]}
answer = requests.get(module.params["url"], headers=headers, timeout=60)
answer.raise_for_status()
auth = answer.json()["identityAzureAuth"]
for network in auth["accessTokenTrustedIps"]:
    netaddr.IPNetwork("{ipAddress}/{prefix}".format(**network))
module.exit_json(auth=auth)
"""


def write_modules(player: Player) -> None:
    """Make the module that does nothing, and the one that does the least."""
    player.library.mkdir(parents=True, exist_ok=True)
    for name, code in ((EMPTY, _EMPTY_MODULE), (BARE, _BARE_MODULE)):
        (player.library / f"{name}.py").write_text(code, encoding="utf-8")


def uri(server: Server, identity_id: str, body: Any = None) -> Task:
    """A task that reads an identity's Azure Auth by uri, or changes it."""
    options: dict[str, Any] = {
        "url": server.address(identity_id),
        "headers": {"Authorization": f"Bearer {server.token}"},
    }
    if body is not None:
        options.update(method="PATCH", body_format="json", body=body)
    return {"ansible.builtin.uri": options}


def bare(server: Server, identity_id: str) -> Task:
    """A task that reads an identity's Azure Auth by the module that does the least."""
    return {BARE: {"url": server.address(identity_id), "token": server.token}}


def own(identity_id: str, **changes: Any) -> Task:
    """A task of the module, with all of its options."""
    return {MODULE: {"identity_id": identity_id, **OPTIONS, **changes}}


def measure_singles(
    player: Player, server: Server, latency: float, rounds: int
) -> tuple[Singles, FirstTasks]:
    """Run all kinds of single tasks in turns, in a few plays. Raises PlayError."""
    (identity_id,) = server.identities(1)
    timed: list[Timed] = []
    for start in range(0, rounds, _ROUNDS_A_PLAY):
        first = [
            named("first uri", uri(server, identity_id)),
            named("first own", own(identity_id)),
        ]
        tasks = [
            # The first task of a play has to do with more than its module.
            named("warm up", {EMPTY: {}}),
            named("warm up", bare(server, identity_id)),
            *turned(start // _ROUNDS_A_PLAY, first),
        ]
        for number in range(start, min(start + _ROUNDS_A_PLAY, rounds)):
            tasks += _round(server, identity_id, number)
        server.wait_for_room(len(tasks))
        timed += player.run(tasks)
    for name, changes in (("unchanged", False), ("changed", True)):
        assert {task.result["changed"] for task in timed if task.name == name} == {changes}
    kinds = ("empty", "bare_get", "uri_get", "unchanged", "uri_get_before", "uri_patch", "changed")
    return (
        Singles(latency, **{name: seconds_of(timed, name) for name in kinds}),
        FirstTasks(seconds_of(timed, "first uri"), seconds_of(timed, "first own")),
    )


def turned(number: int, things: list[Any]) -> list[Any]:
    """Every other time the other way round: what comes first may have a disadvantage."""
    return things if number % 2 == 0 else things[::-1]


def _round(server: Server, identity_id: str, number: int) -> list[Task]:
    """One task of each kind, those that are compared side by side; leaves all as it was."""
    reading = [
        named("uri_get", uri(server, identity_id)),
        named("unchanged", own(identity_id)),
        named("bare_get", bare(server, identity_id)),
    ]
    uri_first = number % 2 == 0
    there, back = 1 + number, TTL
    by_uri = [
        named("uri_get_before", uri(server, identity_id)),
        named(
            "uri_patch",
            uri(server, identity_id, {"accessTokenTTL": there if uri_first else back}),
        ),
    ]
    by_own = [named("changed", own(identity_id, access_token_ttl=back if uri_first else there))]
    return [
        named("empty", {EMPTY: {}}),
        *turned(number, reading),
        *(task for tasks in turned(number, [by_uri, by_own]) for task in tasks),
    ]
