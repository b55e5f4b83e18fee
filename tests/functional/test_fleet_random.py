# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random fleets: many at once come out as each alone, one by one, whatever the concurrency.

On two emulators with the same identities: the modules' own code for many on one, that for one on
the other.
"""

from __future__ import annotations

import contextlib
import typing as t

import pytest
from functional.cases import ATTACHED, ONE, RESOURCE, TENANT, TWO, trusted
from functional.harness import THOROUGH
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.community.infisical.plugins.module_utils._errors import InfisicalError
from ansible_collections.community.infisical.plugins.module_utils._server import client
from ansible_collections.community.infisical.plugins.module_utils._server.api import Api
from ansible_collections.community.infisical.plugins.module_utils._server.client import Client
from ansible_collections.community.infisical.plugins.module_utils._server.connection import (
    Connection,
)
from ansible_collections.community.infisical.plugins.module_utils._server.login import Choice, Login
from ansible_collections.community.infisical.plugins.module_utils._state.auth_method import (
    AuthMethodResource,
)
from ansible_collections.community.infisical.plugins.module_utils._state.azure_auth import (
    AZURE_AUTH,
)
from ansible_collections.community.infisical.plugins.module_utils._state.creations import Creations
from ansible_collections.community.infisical.plugins.module_utils._state.entry import (
    Desired,
    EntryReconciler,
)
from ansible_collections.community.infisical.plugins.module_utils._state.fleet import Fleet
from ansible_collections.community.infisical.plugins.module_utils._state.identities import Reference
from ansible_collections.community.infisical.plugins.module_utils._state.reconcile import Reconciler
from ansible_collections.community.infisical.plugins.module_utils._state.warnings import Warnings
from emulator import running

SIZE = 12
FLEETS = 1000 if THOROUGH else 150

Stored = t.Optional[dict[str, t.Any]]
Member = tuple[Stored, t.Optional[dict[str, t.Any]], t.Optional[str]]

# What happens to a request of the identity, once.
ACCIDENTS: dict[str, tuple[str, dict[str, t.Any]]] = {
    "a 500 instead of a write": ("error", {"method": "PATCH"}),
    "a 403 on reading": (
        "error",
        {"method": "GET", "status": 403, "error": "PermissionDenied", "message": "No"},
    ),
    "a write whose answer is lost": ("drop", {"method": "PATCH", "when": "after"}),
    "another detaches first": ("race", {"method": "PATCH", "change": "detach"}),
    "another deletes it first": ("race", {"method": "DELETE", "change": "delete"}),
    "another attaches first": ("race", {"method": "POST", "change": "attach", "fields": ATTACHED}),
    "an answer cut off": ("truncate", {"method": "GET", "keep": 9}),
}

lifetimes = st.sampled_from([0, 60, 3600, 7200])
stored_states = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "tenantId": st.sampled_from([TENANT, TENANT.upper()]),
        "resource": st.sampled_from([RESOURCE, "other"]),
        "allowedServicePrincipalIds": st.sampled_from(["", ", ", ONE, f"{TWO}, {ONE.upper()}"]),
        "accessTokenTTL": lifetimes,
        "accessTokenMaxTTL": lifetimes,
        "accessTokenTrustedIps": st.sampled_from(
            [trusted(*texts)["accessTokenTrustedIps"] for texts in (["10.1.2.3/8"], ["fe80::1%e"])]
        ),
    },
)
wanted_states = st.none() | st.fixed_dictionaries(
    {},
    optional={
        "tenant_id": st.just(TENANT),
        "resource": st.sampled_from([RESOURCE, "other"]),
        "allowed_service_principal_ids": st.sampled_from([[], [ONE], [TWO, ONE]]),
        "access_token_ttl": lifetimes,
        "access_token_max_ttl": lifetimes,
        "access_token_trusted_ips": st.sampled_from([["10.0.0.0/8"], ["0.0.0.0/0", "::/0"]]),
    },
)
members = st.tuples(stored_states, wanted_states, st.none() | st.sampled_from(sorted(ACCIDENTS)))


class Side:
    """An emulator with as many identities as a fleet has, and the code that works on them."""

    def __init__(self, server: t.Any) -> None:
        self.server = server
        self._client = Client(Connection(server.url, retries=1), workers=SIZE)
        self._client.use_token(server.token)
        self._login = Login(self._client, Choice("", "universal-auth", {}, "", frozenset()), str)
        self.ids: list[str] = []

    def store(self, fleet: t.Sequence[Member]) -> None:
        """Begin anew, with a fleet's stored states and accidents."""
        self.server.reset()
        self.ids = self.server.create_identities([f"app {n}" for n in range(len(fleet))])
        for identity_id, (stored, _wanted, accident) in zip(self.ids, fleet):
            if stored is not None:
                self.server.put_azure_auth(identity_id, **{**ATTACHED, **stored})
            if accident:
                action, options = ACCIDENTS[accident]
                self.server.fault(action, identity_id=identity_id, times=1, **options)

    def work(self, number: int, check: bool) -> Reconciler:
        """The work on the Azure Auth of one, alone."""
        api = Api(self._client, None, None)
        resource = AuthMethodResource(api, self._login, AZURE_AUTH, self.ids[number])
        return Reconciler(resource, check=check)

    def entry(self, number: int, wanted: t.Any, check: bool) -> EntryReconciler:
        """The work on one of a list."""
        api = Api(self._client, None, None)
        reference = Reference(self.ids[number], None, label=f"identities[{number}]", place=number)
        desired = Desired({}, {AZURE_AUTH.key: wanted})
        creations = Creations(api, Warnings())
        return EntryReconciler(
            api, self._login, [AZURE_AUTH], reference, desired, creations, check=check
        )

    def writes(self, number: int) -> list[tuple[str, t.Any]]:
        requests = self.server.requests(identity_id=self.ids[number])
        return [(item.method, item.body) for item in requests if item.method != "GET"]

    def raw(self, number: int) -> t.Any:
        if not self.server.identity(self.ids[number]):
            return "gone"
        raw = self.server.azure_auth(self.ids[number])
        return raw and {
            name: value
            for name, value in raw.items()
            if name not in ("id", "createdAt", "updatedAt")
        }


@pytest.fixture(scope="module", params=["2026", "2024-10"])
def sides(request: pytest.FixtureRequest) -> t.Iterator[tuple[Side, Side]]:
    with contextlib.ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr(client, "_backoff", lambda _failures: 0.001)
        servers = [stack.enter_context(running(generation=request.param)) for _side in range(2)]
        yield Side(servers[0]), Side(servers[1])


def outcome_of(work: Reconciler, failure: InfisicalError | None) -> tuple[t.Any, ...]:
    states = [state and dict(state.values) for state in (work.before, work.actual, work.result)]
    # Of a failed one the result means nothing.
    states[2] = None if failure else states[2]
    return str(failure) if failure else "", work.changed, *states


def all_at_once(
    side: Side, wanted: t.Sequence[t.Any], concurrency: int, check: bool
) -> Fleet[EntryReconciler]:
    fleet: Fleet[EntryReconciler] = Fleet(concurrency)
    fleet.run(
        [side.entry(number, values, check) for number, values in enumerate(wanted)],
        lambda work: work.run(),
        lambda _work: True,
    )
    return fleet


def one_by_one(
    side: Side, wanted: t.Sequence[t.Any], check: bool
) -> list[tuple[Reconciler, InfisicalError | None]]:
    outcomes = []
    for number, values in enumerate(wanted):
        work = side.work(number, check)
        failure = None
        try:
            work.run(values)
        except InfisicalError as error:
            failure = error
        outcomes.append((work, failure))
    return outcomes


@settings(
    max_examples=FLEETS,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(members, min_size=1, max_size=SIZE),
    st.integers(1, 2 * SIZE),
    st.booleans(),
)
def test_many_at_once_come_out_as_each_alone(
    sides: tuple[Side, Side], fleet: list[Member], concurrency: int, check: bool
) -> None:
    wanted = []
    for _stored, options, _accident in fleet:
        values, errors = AZURE_AUTH.read_options(options or {}, Warnings())
        # What is not valid never gets as far.
        wanted.append(None if options is None or errors else values)
    for side in sides:
        side.store(fleet)
    many, alone = sides
    together = all_at_once(many, wanted, concurrency, check)
    apart = one_by_one(alone, wanted, check)
    assert together.checked == together.total == len(fleet)
    assert [work.reference.place for work in together.kept] == list(range(len(fleet)))
    for number, (entry, (work, failure)) in enumerate(zip(together.kept, apart)):
        # The identity itself is not looked at.
        assert entry.identity_work is None
        ours = outcome_of(entry.method_work[AZURE_AUTH.key], entry.failure)
        theirs = outcome_of(work, failure)
        # How long was tried is told, too, and the two have other addresses.
        assert ours[1:] == theirs[1:], fleet[number]
        assert bool(ours[0]) == bool(theirs[0]), fleet[number]
        assert type(entry.failure) is type(failure), fleet[number]
        assert many.writes(number) == alone.writes(number), fleet[number]
        assert many.raw(number) == alone.raw(number), fleet[number]
    failed = sum(failure is not None for _work, failure in apart)
    changed = sum(work.changed and not failure for work, failure in apart)
    assert (together.failed, together.changed, together.purged) == (failed, changed, 0)
    assert bool(together.message()) == bool(failed)
