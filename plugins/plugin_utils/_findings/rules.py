# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a rule on identities is, what it is shown, and how its sentences are put together."""

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

# A sentence shows so many items of a list, and so much of a text.
_SHOWN = 3
_LIMIT = 80
# What reads well in a sentence without quotes: names, ids, networks, URLs.
_PLAIN = re.compile(r"[\w.:/@+=-]*[\w/@+=-]")
_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


class Since(t.NamedTuple):
    """When something was: the day as `YYYY-MM-DD`, and how many days ago that is."""

    day: str
    days: int


class Subject(t.NamedTuple):
    """What a rule judges: an auth method that is attached to an identity, or the identity itself.

    `labels` tell the identity from others, and `name` is what sentences call it. `method` is the
    key of the auth method in the identity, and `values` are its settings as the server holds them,
    also where options refuse them. `networks` are those of its trusted IPs that are networks,
    `no_networks` the texts that are none.

    Of the identity itself these four are empty. `attached` says since when it has had all of the
    auth methods that were read, None if that is not known or there are none; `login` is the last
    login that the server tells of.
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
    """From where on something is too much.

    `max_lifetime` is in seconds, `min_identical` a number of identities. `privileged_roles` are
    slugs.
    """

    max_lifetime: int
    min_identical: int
    max_unused_days: int
    privileged_roles: frozenset[str]


Matches = t.Iterator[tuple[Subject, t.Any]]
Check = t.Callable[[t.Sequence[Subject], Thresholds], Matches]
# Of each setting: whether a value can be one of it, and what it has to be.
Shape = t.Mapping[str, tuple[t.Callable[[t.Any], bool], str]]


def everyone(_subject: Subject, _thresholds: Thresholds) -> bool:
    """Return that a rule is for every subject."""
    return True


def nobody_knows(_subject: Subject, _value: t.Any, _thresholds: Thresholds) -> None:
    """Return that only a person knows what to set."""


def shown_value(_subject: Subject, value: t.Any) -> dict[str, str]:
    """Return what a sentence says of a subject besides its name: the value that was found."""
    return {"value": in_words(value)}


class Rule(t.NamedTuple):
    """One kind of finding.

    `option` is that of the auth method that it is about, or the key of the identity; blank for the
    auth method as a whole. `check` yields the subjects that it matches, each with the value to
    show. `fix` says what to do, `why` why that matters, and `link` is a page of Infisical's or
    Microsoft's documentation.

    `many` is the sentence on several identities, in which {who} stands for them. `one` is that on a
    single identity: it has its {name}, and what `words(subject, value)` returns. Both have {limit},
    the longest lifetime, and {unused}, how long an identity may be unused. `among` names those of
    whom {who} is a part, for whom `concerns` holds; if it is blank, that is all who were judged.

    `cure(subject, value, thresholds)` returns the settings of the auth method, or the keys of the
    identity, that end the finding: None where only a person knows them.
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
        """Return the sentence on one identity; `limits` are those in words."""
        return self.one.format(name=subject.name, **limits, **self.words(subject, value))

    def sentence_on_many(
        self, count: int, total: int, identities: str, limits: t.Mapping[str, str]
    ) -> str:
        """Return the sentence on several identities, of how many; `identities` names these."""
        number = f"{count:,} of {total:,}"
        if count == total:
            number = "Both" if total == 2 else f"All {total:,}"
        return self.many.format(who=f"{number} {self.among or identities}", **limits)


def limits_in_words(thresholds: Thresholds) -> dict[str, str]:
    """Return the thresholds that sentences have."""
    return {
        "limit": duration(thresholds.max_lifetime),
        "unused": duration(thresholds.max_unused_days * 86400),
    }


def each(check: t.Callable[[Subject, Thresholds], t.Any]) -> Check:
    """Return the check of a rule that looks at one identity at a time; None is no match."""

    def check_each(subjects: t.Sequence[Subject], thresholds: Thresholds) -> Matches:
        for subject in subjects:
            value = check(subject, thresholds)
            if value is not None:
                yield subject, value

    return check_each


def roles_of(identity: Values) -> list[str]:
    """Return the roles of an identity, as far as they are told, temporary ones too."""
    roles = [identity.get("role"), *(details(identity).get("roles") or ())]
    return list(dict.fromkeys(role for role in roles if role))


def is_privileged(subject: Subject, thresholds: Thresholds) -> bool:
    """Return whether an identity has a privileged role."""
    return not thresholds.privileged_roles.isdisjoint(roles_of(subject.identity))


def roles_in_words(subject: Subject) -> str:
    """Return the roles of an identity as a sentence has them."""
    roles = roles_of(subject.identity)
    return f"the role{'' if len(roles) == 1 else 's'} {in_words(roles)}"


def details(settings: Values) -> Values:
    """Return what the server adds to an identity or an auth method."""
    return settings.get("details") or {}


def in_words(value: t.Any) -> str:
    """Return a value as a sentence has it; of a list only the first items."""
    if isinstance(value, list):
        return shortened([in_words(item) for item in value])
    if isinstance(value, str):
        plain = len(value) <= _LIMIT and _PLAIN.fullmatch(value) and value.isprintable()
        return value if plain else quoted(value, _LIMIT)
    return str(value)


def shortened(texts: t.Sequence[str]) -> str:
    """Return the first of several texts, and how many more there are."""
    rest = len(texts) - _SHOWN
    return enumerated([*texts[:_SHOWN], *([f"{rest:,} more"] if rest > 0 else [])])


def enumerated(texts: t.Sequence[str]) -> str:
    """Return texts with commas between them, and "and" before the last."""
    return " and ".join(filter(None, (", ".join(texts[:-1]), *texts[-1:])))


# Most identities have the same few.
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
    """Return whether a value is a whole number, and no boolean."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_text(value: t.Any) -> bool:
    """Return whether a value is a text."""
    return isinstance(value, str)


def are_texts(value: t.Any) -> bool:
    """Return whether a value is a list of texts."""
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
