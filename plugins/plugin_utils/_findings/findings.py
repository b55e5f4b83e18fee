# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings: settings of identities that are risky or do not work. Pure.

A finding is about one identity. It does not depend on a list: the identity is more open than most
need, nobody can log in as it, or a setting does something else than it seems to do.
"""

from __future__ import annotations

import datetime
import typing as t

from ...module_utils._state.auth_methods import AUTH_METHODS
from ...module_utils._state.fields import DEFAULT_SECONDS, Values
from ...module_utils._state.networks import Network, parse
from ...module_utils._text import printable, quoted
from .._arguments import listed
from .._identities import held, labels_of
from . import azure_auth_rules, identity_rules, token_rules
from .rules import (
    INFISICAL,
    LOW,
    SEVERITIES,
    Matches,
    Rule,
    Shape,
    Since,
    Subject,
    Thresholds,
    details,
    in_words,
    limits_in_words,
)
from .waivers import Waived, Waiver, read_waivers

Item = dict[str, t.Any]

# By the key of an auth method in an identity: the settings that only this method has, and its
# rules.
METHODS: t.Mapping[str, tuple[Shape, tuple[Rule, ...]]] = {
    "azure_auth": (azure_auth_rules.SHAPE, azure_auth_rules.RULES)
}


class Criteria(t.NamedTuple):
    """What counts as a finding, and which findings are accepted. `skip` has names of rules."""

    thresholds: Thresholds
    skip: frozenset[str]
    waivers: list[Waiver]


class Found(t.NamedTuple):
    """What was found.

    `findings` are sorted by rule, the most severe first, and within a rule by the order of the
    identities. Each is `{rule, severity, title, id, name, project_id, field, value, sentence, why,
    fix, link, set, waived}`. `set` has the keys of an entry that resolve the finding, or is None if
    only a person knows the values. `waived` is None, or `{reason, until}` of the waiver.

    `rules` has the rules with findings, in the same order: `{rule, severity, title, field,
    sentence, why, fix, link, count, total}`. `count` is the number of identities whose finding is
    not waived, `total` the number of identities that the rule looked at. If all findings are
    waived, the sentence is about the waived ones.

    `waivers` has the given waivers, each `{rule, identity, project_id, reason, until, state}`,
    where the state is used, expired or unused. `skipped` has the names of the skipped rules, in the
    order of the rules.
    """

    findings: list[Item]
    rules: list[Item]
    waivers: list[Item]
    skipped: list[str]


# The options of filters that say what counts as a finding, with their defaults.
DEFAULTS: Values = {
    "max_lifetime": DEFAULT_SECONDS,
    "min_identical": 10,
    "max_unused_days": 90,
    "privileged_roles": ("admin",),
    "skip": (),
    "waivers": (),
}


def read_criteria(options: Values) -> Criteria:
    """Return the criteria of the options of a filter; options that are left out have defaults.

    Raises ValueError, with a sentence.
    """
    for key in options:
        if key not in DEFAULTS:
            raise ValueError(
                f"it has no option {quoted(key)}; the options are {', '.join(DEFAULTS)}."
            )
    given = {**DEFAULTS, **options}
    names = [rule.name for rule in RULES]
    skipped = listed("skip", given["skip"], "names of rules")
    for name in skipped:
        if name not in names:
            raise ValueError(
                f"skip has {quoted(name)}, which is not a rule; the rules are {', '.join(names)}."
            )
    roles = listed("privileged_roles", given["privileged_roles"], "slugs of roles")
    for role in roles:
        if not isinstance(role, str):
            raise ValueError(
                f"privileged_roles has {quoted(role)}, which is not a string; write the slug of a"
                " role, such as 'admin'."
            )
    return Criteria(
        Thresholds(
            max_lifetime=_number("max_lifetime", given["max_lifetime"], 1, "seconds"),
            min_identical=_number("min_identical", given["min_identical"], 2, "identities"),
            max_unused_days=_number("max_unused_days", given["max_unused_days"], 1, "days"),
            privileged_roles=frozenset(roles),
        ),
        frozenset(skipped),
        read_waivers(listed("waivers", given["waivers"], "dictionaries"), names),
    )


def _number(name: str, value: t.Any, lowest: int, unit: str) -> int:
    """Return a threshold; variables from the command line arrive as strings."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < lowest:
        raise ValueError(
            f"{name} is {quoted(value)}; write a whole number of {unit}, at least {lowest}."
        )
    return value


def find(identities: t.Sequence[t.Any], criteria: Criteria, today: datetime.date) -> Found:
    """Return the findings of identities, which are as modules return them.

    Auth methods that are not attached, or were not read, have no findings. Raises ValueError, with
    a sentence, for anything other than identities.
    """
    seen: dict[str, Network | None] = {}
    subjects: dict[str, list[Subject]] = {key: [] for key in (_IDENTITY, *METHODS)}
    for index, item in enumerate(identities):
        for subject in _subjects(index, item, seen, today):
            subjects[subject.method].append(subject)
    waived = Waived(criteria.waivers, subjects[_IDENTITY], today)
    findings: list[Item] = []
    rules = []
    for rule in RULES:
        if rule.name not in criteria.skip:
            checked = [subject for key in _FOR[rule.name] for subject in subjects[key]]
            found = _found_by(rule, checked, criteria.thresholds, waived)
            if found:
                findings += found
                rules.append(_summary(rule, found, checked, criteria.thresholds))
    skipped = [rule.name for rule in RULES if rule.name in criteria.skip]
    return Found(findings, rules, waived.states(), skipped)


def _found_by(
    rule: Rule, checked: t.Sequence[Subject], thresholds: Thresholds, waived: Waived
) -> list[Item]:
    """Return the findings of a rule."""
    of_rule = _of_rule(rule)
    limits = limits_in_words(thresholds)
    found = []
    for subject, value in rule.check(checked, thresholds):
        cure = rule.cure(subject, value, thresholds)
        finding = {
            **of_rule,
            **subject.labels,
            "field": ".".join(filter(None, (subject.method, rule.option))),
            "value": value,
            "sentence": rule.sentence_on(subject, value, limits),
            "set": {subject.method: cure} if cure and subject.method else cure,
            "waived": waived.by(rule.name, subject),
        }
        found.append(finding)
    return found


def _of_rule(rule: Rule) -> Item:
    """Return what all findings of a rule have in common."""
    keys = ("severity", "title", "why", "fix", "link")
    return {"rule": rule.name, **{key: getattr(rule, key) for key in keys}}


def _summary(
    rule: Rule, found: t.Sequence[Item], checked: t.Sequence[Subject], thresholds: Thresholds
) -> Item:
    """Return a summary of the findings of a rule."""
    open_ = [finding for finding in found if not finding["waived"]]
    told = open_ or found
    total = sum(rule.concerns(subject, thresholds) for subject in checked)
    many = rule.sentence_on_many(len(told), total, _NOUNS[rule.name], limits_in_words(thresholds))
    return {
        **_of_rule(rule),
        "field": found[0]["field"],
        "sentence": told[0]["sentence"] if len(told) == 1 else many,
        "count": len(open_),
        "total": total,
    }


def _subjects(
    index: int, item: t.Any, seen: dict[str, Network | None], today: datetime.date
) -> t.Iterator[Subject]:
    """Yield the auth methods that are attached to an identity, then the identity itself."""
    if not isinstance(item, dict):
        raise ValueError(
            f"identities[{index}] is {quoted(item)}, which is not a dictionary; give the"
            " identities that the modules return."
        )
    if item.get("failed") is True and not METHODS.keys() & item.keys():
        # The task failed before it read anything.
        return
    where = f"identities[{index}]"
    _check_shape(where, "", item, {"details": (_is_dictionary_or_none, "a dictionary")})
    name = held(item, "name")
    where += f" ({printable(name, 60)})" if isinstance(name, str) else ""
    # Without this check, anything else, such as an Azure Auth alone, would silently have no
    # findings.
    if "id" not in item or "state" not in item:
        missing = "id" if "id" not in item else "state"
        raise ValueError(f"{where} has no {missing}; give the identities that the modules return.")
    if item["state"] == "absent":
        return
    _check_shape(where, "", item, identity_rules.SHAPE)
    _check_shape(where, "details.", details(item), identity_rules.DETAILS)
    labels = labels_of(item)
    named = in_words(labels["name"] or labels["id"] or "an identity without a name")
    whose = Subject(item, labels, named, _IDENTITY, {})
    attached = []
    for key, (shape, _rules) in METHODS.items():
        settings = item.get(key)
        if settings is not None:
            for subject in _attached(where, whose, key, settings, shape, seen):
                attached.append(_since(details(settings).get("created_at"), today))
                yield subject
    known = [since for since in attached if since]
    yield whose._replace(
        attached=min(known, key=lambda since: since.days) if known == attached and known else None,
        login=_since(details(item).get("last_login_at"), today),
    )


def _attached(
    where: str,
    whose: Subject,
    method: str,
    settings: t.Any,
    shape: Shape,
    seen: dict[str, Network | None],
) -> t.Iterator[Subject]:
    """Yield an auth method of an identity if it is attached; `whose` is the identity itself."""
    if not isinstance(settings, dict):
        raise ValueError(f"{where} has {quoted(settings)} for {method}, which is not a dictionary.")
    if settings.get("state") == "absent":
        return
    if settings.get("state") != "present":
        raise ValueError(
            f"{where} has the state {quoted(settings.get('state'))} in {method}; give the"
            " identities that the modules return, where it is 'present' or 'absent'."
        )
    values = {}
    for key in (*shape, *token_rules.SHAPE):
        if key not in settings:
            raise ValueError(
                f"{where} has no {key} in {method}; give the identities that the modules return."
            )
        values[key] = held(settings, key)
    _check_shape(where, f"{method}.", values, {**shape, **token_rules.SHAPE})
    _check_shape(where, f"{method}.details.", details(settings), token_rules.DETAILS)
    values[token_rules.PERIOD] = details(settings).get(token_rules.PERIOD) or 0
    read = [(text, _network(text, seen)) for text in values["access_token_trusted_ips"]]
    yield whose._replace(
        method=method,
        values=values,
        networks=tuple(network for _text, network in read if network),
        no_networks=tuple(text for text, network in read if not network),
    )


def _check_shape(where: str, prefix: str, values: Values, shape: Shape) -> None:
    """Raise ValueError for values that modules do not return."""
    for key, (is_right, what) in shape.items():
        if not is_right(values.get(key)):
            raise ValueError(
                f"{where} has {quoted(values.get(key))} for {prefix}{key}, which is not {what}."
            )


def _is_dictionary_or_none(value: t.Any) -> bool:
    return value is None or isinstance(value, dict)


def _since(timestamp: t.Any, today: datetime.date) -> Since | None:
    """Return the day of a timestamp of the server, or None if it is not one."""
    if not isinstance(timestamp, str):
        return None
    try:
        day = datetime.date.fromisoformat(timestamp[:10])
    except ValueError:
        return None
    return Since(day.isoformat(), (today - day).days)


def _network(text: str, seen: dict[str, Network | None]) -> Network | None:
    """Return a text as a network, or None if it is not one. Most identities share a few of them."""
    if text not in seen:
        try:
            seen[text] = parse(text)[0]
        except ValueError:
            seen[text] = None
    return seen[text]


def _identical(subjects: t.Sequence[Subject], thresholds: Thresholds) -> Matches:
    """Yield subjects whose configuration many share, with their number and the first of them."""
    groups: dict[t.Any, list[Subject]] = {}
    for subject in subjects:
        groups.setdefault(_configuration(subject), []).append(subject)
    for group in groups.values():
        if len(group) >= thresholds.min_identical:
            first = group[0].identity
            for subject in group:
                yield (
                    subject,
                    {
                        "identities": len(group),
                        "first_id": first["id"],
                        "first_name": held(first, "name"),
                    },
                )


def _configuration(subject: Subject) -> t.Any:
    """Return a value that is equal for two subjects whose settings mean the same."""
    compared = {
        **subject.values,
        "access_token_trusted_ips": [*subject.networks, *subject.no_networks],
    }
    return (
        subject.method,
        *(frozenset(value) if isinstance(value, list) else value for value in compared.values()),
    )


def _like_whom(subject: Subject, value: t.Any) -> dict[str, str]:
    others = value["identities"] - 1
    words = f"{others:,} other {'identity' if others == 1 else 'identities'}"
    first = value["first_name"] or value["first_id"]
    if first and value["first_id"] != subject.identity["id"]:
        words += f", such as {in_words(first)}"
    return {"value": words}


# Rules on all settings of an auth method together, for every auth method.
_COMMON = (
    Rule(
        name="identical_configuration",
        severity=LOW,
        title="Identical configuration",
        option="",
        check=_identical,
        many="{who} are configured exactly like others.",
        one="{name} is configured exactly like {value}.",
        why="Whoever can log in as one of these identities can log in as all of them, and has the"
        " rights of all of them. Often somebody copied an identity and forgot to adapt the copy.",
        fix="Give each program an identity with its own settings. If several programs are meant to"
        " share an identity, keep only one.",
        link=INFISICAL + "documentation/platform/identities/machine-identities",
        words=_like_whom,
    ),
)

# The method of a subject that is an identity.
_IDENTITY = ""
# By the name of a rule: the methods of the subjects that it looks at.
_FOR: dict[str, tuple[str, ...]] = {
    **{rule.name: (_IDENTITY,) for rule in identity_rules.RULES},
    **{rule.name: tuple(METHODS) for rule in (*token_rules.RULES, *_COMMON)},
    **{rule.name: (key,) for key, (_shape, rules) in METHODS.items() for rule in rules},
}
_TITLES = {method.key: method.title for method in AUTH_METHODS}
# What sentences call the identities that a rule looks at.
_NOUNS = {
    name: " with ".join(
        filter(None, ("identities", " or ".join(_TITLES[key] for key in keys if key)))
    )
    for name, keys in _FOR.items()
}

# The most severe first. Findings have the same order.
RULES = sorted(
    (
        *(rule for _shape, rules in METHODS.values() for rule in rules),
        *identity_rules.RULES,
        *token_rules.RULES,
        *_COMMON,
    ),
    key=lambda rule: SEVERITIES.index(rule.severity),
)
