# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a rule on the settings of an auth method is, and what it is shown."""

from __future__ import annotations

import typing as t

from ..module_utils._state.fields import Values
from ..module_utils._state.networks import Network

HIGH = "high"
MEDIUM = "medium"
LOW = "low"
SEVERITIES = (HIGH, MEDIUM, LOW)


class Subject(t.NamedTuple):
    """An auth method that is attached to an identity, and its trusted IPs, read once.

    `method` is its key in the identity, `values` are its settings as the server holds them, also
    where options refuse them. `networks` are those trusted IPs that are networks, `no_networks` the
    texts that are none.
    """

    identity: Values
    method: str
    values: Values
    networks: tuple[Network, ...]
    no_networks: tuple[str, ...]


class Thresholds(t.NamedTuple):
    """From where on something is too much.

    `max_lifetime` is in seconds, `min_identical` a number of identities.
    """

    max_lifetime: int
    min_identical: int


Matches = t.Iterator[tuple[Subject, t.Any]]
Check = t.Callable[[t.Sequence[Subject], Thresholds], Matches]
# Of each setting: whether a value can be one of it, and what it has to be.
Shape = t.Mapping[str, tuple[t.Callable[[t.Any], bool], str]]


class Rule(t.NamedTuple):
    """One kind of finding.

    `option` is that of the auth method that it is about, None for all of them. `check` yields the
    subjects that it matches, each with the value to show. `why` says why it matters, `fix` what to
    set.
    """

    name: str
    severity: str
    option: str | None
    check: Check
    why: str
    fix: str


def each(check: t.Callable[[Subject, Thresholds], t.Any]) -> Check:
    """Return the check of a rule that looks at one identity at a time; None is no match."""

    def check_each(subjects: t.Sequence[Subject], thresholds: Thresholds) -> Matches:
        for subject in subjects:
            value = check(subject, thresholds)
            if value is not None:
                yield subject, value

    return check_each


def is_number(value: t.Any) -> bool:
    """Return whether a value is a whole number, and no boolean."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_text(value: t.Any) -> bool:
    """Return whether a value is a text."""
    return isinstance(value, str)


def are_texts(value: t.Any) -> bool:
    """Return whether a value is a list of texts."""
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
