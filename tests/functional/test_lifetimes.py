# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The token lifetimes: from every stored pair to every wanted one, on the emulator.

Checked by a search over all requests with the server's rules as the emulator states them, which
knows nothing of how the collection plans.
"""

from __future__ import annotations

import itertools
import math
import re
import typing as t

import pytest
from functional.cases import ATTACHED, REQUIRED
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ansible_collections.community.infisical.plugins.module_utils._errors import OptionError
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
from ansible_collections.community.infisical.plugins.module_utils._state.reconcile import Reconciler
from ansible_collections.community.infisical.plugins.module_utils._state.warnings import Warnings
from emulator import rules, running

DEFAULT = 2592000
LONGEST = 315360000

Lifetimes = tuple[int, int]
Wanted = tuple[t.Optional[int], t.Optional[int]]


class Bench:
    """One identity of one emulator, and the collection's own code working on it."""

    def __init__(self, server: t.Any) -> None:
        self.server = server
        self.generation: str = server.generation
        self.identity_id: str = server.create_identity("lifetimes")
        self._client = Client(Connection(server.url))
        self._client.use_token(server.token)

    def store(self, stored: Lifetimes | None) -> None:
        """Put a state there, possible or not; None is "not attached"."""
        self.server.remove_azure_auth(self.identity_id)
        if stored is not None:
            self.server.put_azure_auth(
                self.identity_id,
                **{**ATTACHED, "accessTokenTTL": stored[0], "accessTokenMaxTTL": stored[1]},
            )

    def reconcile(self, options: dict[str, t.Any], *, check: bool) -> Reconciler:
        wanted = AZURE_AUTH.from_options(options, Warnings())
        api = Api(self._client, None, None)
        login = Login(self._client, Choice("", None, {}, "", frozenset()), str)
        resource = AuthMethodResource(api, login, AZURE_AUTH, self.identity_id)
        work = Reconciler(resource, check=check)
        work.run(wanted)
        return work

    def writes(self) -> list[t.Any]:
        return [
            item
            for item in self.server.requests(identity_id=self.identity_id)
            if item.method in ("POST", "PATCH")
        ]


@pytest.fixture(scope="module", params=["2026", "2024-10"])
def bench(request: pytest.FixtureRequest) -> t.Iterator[Bench]:
    with running(generation=request.param) as server:
        yield Bench(server)


def laxity(state: Lifetimes) -> tuple[float, float]:
    """How long a token lives unrenewed, and at most; 0, or a negative max of 2024, is no limit."""
    longest = float(state[1]) if state[1] > 0 else math.inf
    return min(float(state[0]) or math.inf, longest), longest


def laxer(one: Lifetimes, other: Lifetimes) -> bool:
    return any(mine > yours for mine, yours in zip(laxity(one), laxity(other)))


def after(state: Lifetimes, given: Wanted) -> Lifetimes:
    return tuple(old if new is None else new for old, new in zip(state, given))  # type: ignore[return-value]


def fewest_requests(generation: str, stored: Lifetimes | None, end: Lifetimes) -> float:
    """Return the length of the shortest way that the server allows and that is never too lax."""
    values = sorted({*end, *(stored or ()), 1})
    if stored == end:
        return 0
    updates = list(itertools.product([None, *values], repeat=2))
    if stored is None:
        reached = {
            pair
            for pair in itertools.product(values, repeat=2)
            if rules.post_refusal(generation, *pair) is None
        }
        length = 1
    else:
        reached, length = {stored}, 0
    for requests in (length, length + 1, length + 2):
        if requests and end in reached:
            return requests
        reached = {
            after(state, given)
            for state in reached
            for given in updates
            if given != (None, None)
            and rules.patch_refusal(generation, state[1], *given) is None
            and not laxer(after(state, given), end)
        }
    return math.inf


def check_from_to(bench: Bench, stored: Lifetimes | None, wanted: Wanted) -> None:
    """Run it as check mode, for real and again, and compare with what the search says."""
    bench.store(stored)
    bench.server.clear_requests()
    names = ("access_token_ttl", "access_token_max_ttl")
    options = {name: value for name, value in zip(names, wanted) if value is not None}
    if stored is None:
        options = {**REQUIRED, **options}
    end = after((DEFAULT, DEFAULT) if stored is None else stored, wanted)
    fewest = fewest_requests(bench.generation, stored, end)
    given = wanted != (None, None)
    try:
        predicted = bench.reconcile(options, check=True)
    except OptionError as refusal:
        with pytest.raises(OptionError, match=re.escape(str(refusal))):
            bench.reconcile(options, check=False)
        assert bench.writes() == []
        # Refused is what is not valid, and what no way leads to, and nothing else.
        assert end[0] > end[1] != 0 or fewest == math.inf, (stored, wanted)
        return
    assert not (given and end[0] > end[1] != 0), (stored, wanted)
    assert bench.writes() == []
    real = bench.reconcile(options, check=False)
    assert real.result is not None
    assert predicted.result is not None
    assert predicted.changed == real.changed == bool(fewest)
    assert predicted.result.values == real.result.values
    raw = bench.server.azure_auth(bench.identity_id)
    assert (raw["accessTokenTTL"], raw["accessTokenMaxTTL"]) == end
    writes = bench.writes()
    assert all(write.status == 200 for write in writes)
    assert len(writes) == fewest, (stored, wanted, [write.body for write in writes])
    state: Lifetimes | None = stored
    for write in writes:
        body = (write.body.get("accessTokenTTL"), write.body.get("accessTokenMaxTTL"))
        state = after(state or (0, 0), body)
        assert not laxer(state, end), (stored, wanted, state)
    again = bench.reconcile(options, check=False)
    assert not again.changed
    assert len(bench.writes()) == len(writes)


def test_every_way_in_a_small_domain(bench: Bench) -> None:
    values = (0, 1, 2, 3)
    stored: list[Lifetimes | None] = [None, *itertools.product(values, (*values, -1))]
    wanted: list[Wanted] = [
        (ttl, max_ttl) for ttl in (None, *values) for max_ttl in (None, *values)
    ]
    count = 0
    for start, end in itertools.product(stored, wanted):
        check_from_to(bench, start, end)
        count += 1
    assert count == 21 * 25


seconds = st.one_of(
    st.integers(0, LONGEST),
    st.sampled_from([0, 1, 60, 3600, DEFAULT, DEFAULT + 1, LONGEST]),
)
maybe = st.none() | seconds


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.none() | st.tuples(seconds, seconds | st.integers(-9, -1)), st.tuples(maybe, maybe))
@example((DEFAULT, DEFAULT), (None, 3600))
@example((60, 100), (200, 0))
@example((0, LONGEST), (0, 1))
@example(None, (0, LONGEST))
def test_every_way_between_any_lifetimes(
    bench: Bench, stored: Lifetimes | None, wanted: Wanted
) -> None:
    check_from_to(bench, stored, wanted)
