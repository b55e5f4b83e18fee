# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Current state and wanted state -> the requests to make, and the resulting state.

Pure: no I/O, no Ansible. What is specific to an auth method is in its table of fields. This file
decides for all auth methods which fields go into which request.
"""

from __future__ import annotations

import typing as t

from .._errors import OptionError
from .fields import Settings, Values
from .lifetimes import MAX_TTL, TTL, can_attach, can_update, first_of, refuse_no_maximum

ATTACH = "attach"
UPDATE = "update"
REVOKE = "revoke"


class Step(t.NamedTuple):
    """One write. `asked` has the values by option, `body` has them in the form of the API."""

    verb: str
    asked: Values
    body: t.Mapping[str, t.Any]


class Plan(t.NamedTuple):
    """The writes to make, in order, and the resulting values (None: there is no object)."""

    steps: tuple[Step, ...]
    values: Values | None


def plan(
    method: Settings,
    current: Values | None,
    wanted: Values | None,
    *,
    of_2024: bool,
    others: t.Collection[str] = (),
    cautious: bool = False,
) -> Plan:
    """Return the plan that leads from the current values of an auth method to the wanted ones.

    `current` and `wanted` are values by option, None for "not attached". An option that is missing
    in `wanted` keeps its value, or gets the API's default on attaching. `of_2024` says that the
    server has the rules of 2024. `others` has the other auth methods of the identity. `cautious`
    sends both lifetimes in every first request, for a server with another lifetime rule than the
    known one.

    The plan has as few requests as the rules allow, at most two, and no intermediate state is less
    strict than the final one. Raises OptionError if the wanted state is not valid, or not possible
    on this generation of servers.
    """
    if wanted is None:
        return Plan((), None) if current is None else Plan((Step(REVOKE, {}, {}),), None)
    wanted = method.resolved(current, wanted)
    if current is None:
        return _attach(method, wanted, of_2024, others)
    return _update(method, current, wanted, of_2024, cautious)


def step(settings: Settings, verb: str, asked: Values) -> Step:
    """Return a write of the values."""
    return Step(verb, asked, settings.to_api(asked))


def _attach(method: Settings, wanted: Values, of_2024: bool, others: t.Collection[str]) -> Plan:
    missing = method.missing(wanted)
    if missing:
        raise OptionError(
            f"{method.title} is not attached to the identity, and attaching it requires"
            f" {', '.join(missing)}; set {'it' if len(missing) == 1 else 'them'} too."
        )
    if of_2024 and others:
        raise OptionError(
            f"{method.title} cannot be attached: the identity has {', '.join(others)}, and this"
            " server, released in 2024, allows only one auth method per identity; remove the other"
            " first."
        )
    defaults = method.defaults()
    method.check(wanted, defaults, "default")
    values = {**defaults, **wanted}
    refuse_no_maximum(values, of_2024)
    first = values
    if TTL in values and not can_attach(values[TTL], values[MAX_TTL], of_2024):
        first = {**values, **first_of(values[TTL], values[MAX_TTL])}
    steps = [step(method, ATTACH, method.to_create(first, wanted))]
    rest = method.differing(first, values)
    if rest:
        steps.append(_resending(method, values, rest))
    return Plan(tuple(steps), values)


def _update(
    method: Settings, current: Values, wanted: Values, of_2024: bool, cautious: bool
) -> Plan:
    if TTL in wanted or MAX_TTL in wanted:
        method.check({k: wanted[k] for k in (TTL, MAX_TTL) if k in wanted}, current)
    changes = method.differing(current, wanted)
    values = {**current, **changes}
    if not changes:
        return Plan((), values)
    if TTL not in changes and MAX_TTL not in changes:
        return Plan((_resending(method, values, changes),), values)
    if MAX_TTL in changes:
        refuse_no_maximum(values, of_2024)
    both = {TTL: values[TTL], MAX_TTL: values[MAX_TTL]}
    if not cautious:
        for lifetimes in ({k: changes[k] for k in both if k in changes}, both):
            if can_update(current[MAX_TTL], lifetimes):
                return Plan((_resending(method, values, {**changes, **lifetimes}),), values)
    first = {**values, **first_of(values[TTL], values[MAX_TTL])}
    steps = [_resending(method, first, {**changes, TTL: first[TTL], MAX_TTL: first[MAX_TTL]})]
    rest = method.differing(first, values)
    if rest:
        steps.append(_resending(method, values, rest))
    return Plan(tuple(steps), values)


def _resending(method: Settings, values: Values, changes: Values) -> Step:
    """Return an update with the changes and the fields that go into every update."""
    return step(method, UPDATE, {**method.resent(values), **changes})
