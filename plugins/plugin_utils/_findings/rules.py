# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a rule is, what it looks at, and how its sentences are put together."""

from __future__ import annotations

import functools
import re
import typing as t

from ...module_utils._state.fields import Values
from ...module_utils._state.networks import Network
from ...module_utils._text import quoted

HIGH = "high"
MEDIUM = "medium"
LOW = "low"
SEVERITIES = (HIGH, MEDIUM, LOW)

INFISICAL = "https://infisical.com/docs/"
ENTRA = "https://learn.microsoft.com/en-us/entra/identity-platform/"

# How many items of a list, and how many characters of a string, a sentence shows.
_SHOWN = 3
_LIMIT = 80
# What a sentence can show without quotes: names, IDs, networks, URLs.
_PLAIN = re.compile(r"[\w.:/@+=-]*[\w/@+=-]")
_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


class Since(t.NamedTuple):
    """When something happened: the day as `YYYY-MM-DD`, and how many days ago that was."""

    day: str
    days: int


class Subject(t.NamedTuple):
    """What a rule looks at: an auth method that is attached to an identity, or the identity itself.

    `labels` identify the identity, and `name` is what sentences call it. `method` is the key of the
    auth method in the identity. `values` are its settings as the server holds them, including those
    that the options refuse. `networks` are the trusted IPs that are networks, `no_networks` the
    other ones.

    If the subject is the identity itself, these four are empty. `attached` is the day since when it
    has had all auth methods that were read, None if that is unknown or there are none. `login` is
    the last login that the server reports.
    """

    identity: Values
    labels: Values
    name: str
    method: str
    values: Values
    networks: tuple[Network, ...] = ()
    no_networks: tuple[str, ...] = ()
    attached: Since | None = None
    login: Since | None = None


class Thresholds(t.NamedTuple):
    """The limits that rules compare with.

    `max_lifetime` is in seconds, `min_identical` is a number of identities, and `privileged_roles`
    are slugs.
    """

    max_lifetime: int
    min_identical: int
    max_unused_days: int
    privileged_roles: frozenset[str]


Matches = t.Iterator[tuple[Subject, t.Any]]
Check = t.Callable[[t.Sequence[Subject], Thresholds], Matches]
# For each setting: a check of its value, and what the value has to be.
Shape = t.Mapping[str, tuple[t.Callable[[t.Any], bool], str]]


def everyone(_subject: Subject, _thresholds: Thresholds) -> bool:
    """Return True: the rule is about every subject."""
    return True


def nobody_knows(_subject: Subject, _value: t.Any, _thresholds: Thresholds) -> None:
    """Return None: only a person knows what to set."""


def shown_value(_subject: Subject, value: t.Any) -> dict[str, str]:
    """Return what a sentence says about a subject besides its name: the value that was found."""
    return {"value": in_words(value)}


class Rule(t.NamedTuple):
    """One kind of finding.

    `option` is the option of the auth method, or the key of the identity, that the rule is about.
    It is blank if the rule is about the auth method as a whole. `check` yields the subjects with a
    finding, each with the value to show. `fix` says what to do, `why` says why it matters, and
    `link` is a page of Infisical's or Microsoft's documentation.

    `many` is the sentence on several identities, for which {who} stands. `one` is the sentence on a
    single identity. It has the {name}, and what `words(subject, value)` returns. Both can have
    {limit}, the longest lifetime, and {unused}, how long an identity may go without a login.
    `among` is what {who} calls the identities for which `concerns` holds. If it is blank, {who}
    counts all identities that the rule looked at.

    `cure(subject, value, thresholds)` returns the settings of the auth method, or the keys of the
    identity, that resolve the finding, None if only a person knows them.
    """

    name: str
    severity: str
    title: str
    option: str
    check: Check
    many: str
    one: str
    why: str
    fix: str
    link: str
    words: t.Callable[[Subject, t.Any], dict[str, str]] = shown_value
    cure: t.Callable[[Subject, t.Any, Thresholds], dict[str, t.Any] | None] = nobody_knows
    concerns: t.Callable[[Subject, Thresholds], bool] = everyone
    among: str = ""

    def sentence_on(self, subject: Subject, value: t.Any, limits: t.Mapping[str, str]) -> str:
        """Return the sentence on one identity. `limits` are those of limits_in_words()."""
        return self.one.format(name=subject.name, **limits, **self.words(subject, value))

    def sentence_on_many(
        self, count: int, total: int, identities: str, limits: t.Mapping[str, str]
    ) -> str:
        """Return the sentence on `count` of `total` identities, which it calls `identities`."""
        number = f"{count:,} of {total:,}"
        if count == total:
            number = "Both" if total == 2 else f"All {total:,}"
        return self.many.format(who=f"{number} {self.among or identities}", **limits)


def limits_in_words(thresholds: Thresholds) -> dict[str, str]:
    """Return the thresholds that sentences show, in words."""
    return {
        "limit": duration(thresholds.max_lifetime),
        "unused": duration(thresholds.max_unused_days * 86400),
    }


def each(check: t.Callable[[Subject, Thresholds], t.Any]) -> Check:
    """Return the check of a rule that looks at one subject at a time. None means no finding."""

    def check_each(subjects: t.Sequence[Subject], thresholds: Thresholds) -> Matches:
        for subject in subjects:
            value = check(subject, thresholds)
            if value is not None:
                yield subject, value

    return check_each


def roles_of(identity: Values) -> list[str]:
    """Return the known roles of an identity, including temporary ones."""
    roles = [identity.get("role"), *(details(identity).get("roles") or ())]
    return list(dict.fromkeys(role for role in roles if role))


def is_privileged(subject: Subject, thresholds: Thresholds) -> bool:
    """Return whether an identity has a privileged role."""
    return not thresholds.privileged_roles.isdisjoint(roles_of(subject.identity))


def roles_in_words(subject: Subject) -> str:
    """Return the roles of an identity, in words."""
    roles = roles_of(subject.identity)
    return f"the role{'' if len(roles) == 1 else 's'} {in_words(roles)}"


def details(settings: Values) -> Values:
    """Return what the server adds to an identity or an auth method."""
    return settings.get("details") or {}


def in_words(value: t.Any) -> str:
    """Return a value for a sentence, and of a list only the first items."""
    if isinstance(value, list):
        return shortened([in_words(item) for item in value])
    if isinstance(value, str):
        plain = len(value) <= _LIMIT and _PLAIN.fullmatch(value) and value.isprintable()
        return value if plain else quoted(value, _LIMIT)
    return str(value)


def shortened(texts: t.Sequence[str]) -> str:
    """Return the first few of several texts, and how many more there are."""
    rest = len(texts) - _SHOWN
    return enumerated([*texts[:_SHOWN], *([f"{rest:,} more"] if rest > 0 else [])])


def enumerated(texts: t.Sequence[str]) -> str:
    """Return texts with commas between them, and "and" before the last."""
    return " and ".join(filter(None, (", ".join(texts[:-1]), *texts[-1:])))


# Most identities share a few lifetimes.
@functools.lru_cache(maxsize=256)
def duration(seconds: int) -> str:
    """Return a number of seconds in words, such as "30 days" or "1 hour and 30 minutes"."""
    parts = []
    rest = seconds
    for unit, length in _UNITS:
        count, rest = divmod(rest, length)
        if count:
            parts.append(f"{count:,} {unit}{'' if count == 1 else 's'}")
    return enumerated(parts) or "0 seconds"


def is_number(value: t.Any) -> bool:
    """Return whether a value is a whole number and not a boolean."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_text(value: t.Any) -> bool:
    """Return whether a value is a string."""
    return isinstance(value, str)


def are_texts(value: t.Any) -> bool:
    """Return whether a value is a list of strings."""
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
