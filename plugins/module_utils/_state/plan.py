# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Current state and wanted state -> the requests to make, and what results.

Pure: no I/O, no Ansible. What is particular to an auth method is in its table of fields; what is
here holds for all of them: which fields go into which request, and the server's rules for token
lifetimes.

The rules, as probed on real servers (T and M are the stored TTL and max, t and m the given ones):

- Attaching, current: refused when t > m, also when m is 0. 2024: t and m must be at least 1.
- Updating: refused when both are given, neither is 0, and t > m.
- Updating: with m' = m or M and t' = t or M (0 counts as not given, and it is the stored *max* that
  stands in for t), refused when m' > 0 and t' > m'. On 2024 a max of 0 is refused altogether.
"""

from __future__ import annotations

import typing as t

from .._errors import OptionError
from .fields import LEGACY, AuthMethod, Values, check_lifetimes

ATTACH = "attach"
UPDATE = "update"
REVOKE = "revoke"

TTL = "access_token_ttl"
MAX_TTL = "access_token_max_ttl"


class Step(t.NamedTuple):
    """One write. `asked` holds values by option, `body` the same as the API takes them."""

    verb: str
    asked: Values
    body: t.Mapping[str, t.Any]


class Plan(t.NamedTuple):
    """The writes to make, in order, and the values that result (None: not attached)."""

    steps: tuple[Step, ...]
    values: Values | None


def plan(
    method: AuthMethod,
    current: Values | None,
    wanted: Values | None,
    *,
    generation: str,
    others: t.Collection[str] = (),
    cautious: bool = False,
) -> Plan:
    """Return the plan that leads from the current values to the wanted ones.

    `current` and `wanted` are values by option, None for "not attached". `wanted` may leave options
    out: they stay as they are, or get the API's default on attaching. `others` names the other auth
    methods of the identity. `cautious` sends both lifetimes in every first request, for a server
    whose lifetime rule is not the one above.

    The plan has the fewest requests that the rules allow, at most two, and no state on the way is
    laxer than the last. Raises OptionError where the wanted state is not valid, or out of reach on
    this generation of servers.
    """
    if wanted is None:
        return Plan((), None) if current is None else Plan((Step(REVOKE, {}, {}),), None)
    wanted = method.resolved(current, wanted)
    if current is None:
        return _attach(method, wanted, generation, others)
    return _update(method, current, wanted, generation, cautious)


def depends_on_generation(current: Values, wanted: Values) -> bool:
    """Return whether an update is possible on one generation of servers and not on the other."""
    return bool(wanted.get(MAX_TTL) == 0 != current[MAX_TTL])


def _attach(method: AuthMethod, wanted: Values, generation: str, others: t.Collection[str]) -> Plan:
    missing = [
        field.required
        for field in method.fields
        if field.default is None and field.option not in wanted
    ]
    if missing:
        raise OptionError(
            f"{method.title} is not attached to the identity, and attaching it needs"
            f" {', '.join(missing)}; give {'it' if len(missing) == 1 else 'them'} too."
        )
    if generation == LEGACY and others:
        raise OptionError(
            f"{method.title} cannot be attached: the identity has {', '.join(others)}, and this"
            " server, of 2024, allows one auth method an identity; remove that first."
        )
    defaults = method.defaults()
    check_lifetimes(wanted, defaults, "default")
    values = {**defaults, **wanted}
    _refuse_no_maximum(values, generation)
    ttl, max_ttl = values[TTL], values[MAX_TTL]
    lowest = 1 if generation == LEGACY else 0
    first = {TTL: ttl, MAX_TTL: max_ttl}
    if ttl > max_ttl or ttl < lowest:
        first = _within(ttl, max_ttl)
    steps = [_step(method, ATTACH, {**values, **first})]
    rest = method.differing({**values, **first}, values)
    if rest:
        steps.append(_resending(method, values, rest))
    return Plan(tuple(steps), values)


def _update(
    method: AuthMethod, current: Values, wanted: Values, generation: str, cautious: bool
) -> Plan:
    if TTL in wanted or MAX_TTL in wanted:
        check_lifetimes({k: wanted[k] for k in (TTL, MAX_TTL) if k in wanted}, current)
    changes = method.differing(current, wanted)
    values = {**current, **changes}
    if not changes:
        return Plan((), values)
    if TTL not in changes and MAX_TTL not in changes:
        return Plan((_resending(method, values, changes),), values)
    if MAX_TTL in changes:
        _refuse_no_maximum(values, generation)
    both = {TTL: values[TTL], MAX_TTL: values[MAX_TTL]}
    if not cautious:
        for lifetimes in ({k: changes[k] for k in both if k in changes}, both):
            if _accepted(current[MAX_TTL], lifetimes):
                return Plan((_resending(method, values, {**changes, **lifetimes}),), values)
    first = {**values, **_within(values[TTL], values[MAX_TTL])}
    steps = [_resending(method, first, {**changes, TTL: first[TTL], MAX_TTL: first[MAX_TTL]})]
    rest = method.differing(first, values)
    if rest:
        steps.append(_resending(method, values, rest))
    return Plan(tuple(steps), values)


def _within(ttl: int, max_ttl: int) -> dict[str, int]:
    """Return the strictest lifetimes from which one more update leads to the given ones.

    A 0 is no limit: where it is wanted, the other limit stands in for it until the second request.
    """
    return {TTL: ttl or max_ttl, MAX_TTL: max_ttl or ttl}


def _accepted(stored_max: int, lifetimes: t.Mapping[str, int]) -> bool:
    """Return whether an update with these lifetimes passes both rules of the server."""
    ttl, max_ttl = lifetimes.get(TTL), lifetimes.get(MAX_TTL)
    if ttl and max_ttl and ttl > max_ttl:
        return False
    result_max = max_ttl or stored_max
    return not 0 < result_max < (ttl or stored_max)


def _refuse_no_maximum(values: Values, generation: str) -> None:
    if generation == LEGACY and values[MAX_TTL] == 0:
        raise OptionError(
            f"{MAX_TTL} 0, which is no maximum, is not possible on this server, which is of 2024;"
            " write a number of seconds from 1."
        )


def _resending(method: AuthMethod, values: Values, changes: Values) -> Step:
    """Return an update with the changes and the fields that go into every one."""
    resent = {field.option: values[field.option] for field in method.fields if field.resend}
    return _step(method, UPDATE, {**resent, **changes})


def _step(method: AuthMethod, verb: str, asked: Values) -> Step:
    return Step(verb, asked, method.to_api(asked))
