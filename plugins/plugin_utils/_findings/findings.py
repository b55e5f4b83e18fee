# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is questionable about identities. Pure: identities in, findings out.

A finding is about one identity, whatever anybody wanted it to be: more open than most need, unable
to let anybody in, or different from what it looks like.
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

# By the keys of auth methods in an identity: what their settings are, beside those that all have,
# and their own rules.
METHODS: t.Mapping[str, tuple[Shape, tuple[Rule, ...]]] = {
    "azure_auth": (azure_auth_rules.SHAPE, azure_auth_rules.RULES)
}


class Criteria(t.NamedTuple):
    """What is a finding, and which findings are accepted. `skip` are names of rules."""

    thresholds: Thresholds
    skip: frozenset[str]
    waivers: list[Waiver]


class Found(t.NamedTuple):
    """What was found.

    `findings` come by rule, the most severe first, those of a rule in the order of identities. Each
    is `{rule, severity, title, id, name, project_id, field, value, sentence, why, fix, link, set,
    waived}`: `set` are keys of an entry that end the finding, None where only a person knows them;
    `waived` is None, or `{reason, until}` of the waiver.

    `rules` are the rules that found something, in the same order: `{rule, severity, title, field,
    sentence, why, fix, link, count, total}`. `count` are those identities that are not waived, and
    `total` those that the rule looked at; if all are waived, the sentence is about these.

    `waivers` are those that were given, each `{rule, identity, project_id, reason, until, state}`,
    where the state is used, expired or unused. `skipped` are the names of the rules that nothing
    was looked at by, in the order of rules.
    """

    findings: list[Item]
    rules: list[Item]
    waivers: list[Item]
    skipped: list[str]


# The options of filters that say what is a finding, with their defaults.
DEFAULTS: Values = {
    "max_lifetime": DEFAULT_SECONDS,
    "min_identical": 10,
    "max_unused_days": 90,
    "privileged_roles": ("admin",),
    "skip": (),
    "waivers": (),
}


def read_criteria(options: Values) -> Criteria:
    """Return criteria as options of filters have them; what they leave out has its default.

    Raises ValueError, with a sentence.
    """
    for key in options:
        if key not in DEFAULTS:
            raise ValueError(f"it has no option {quoted(key)}; there are {', '.join(DEFAULTS)}.")
    given = {**DEFAULTS, **options}
    names = [rule.name for rule in RULES]
    skipped = listed("skip", given["skip"], "names of rules")
    for name in skipped:
        if name not in names:
            raise ValueError(
                f"skip has {quoted(name)}, which is not a rule; there are {', '.join(names)}."
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
    """Return a threshold; variables from the command line arrive as texts."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < lowest:
        raise ValueError(
            f"{name} is {quoted(value)}; write a whole number of {unit}, at least {lowest}."
        )
    return value


def find(identities: t.Sequence[t.Any], criteria: Criteria, today: datetime.date) -> Found:
    """Return what is questionable about identities, which are as modules return them.

    Auth methods that are not attached, or were not looked at, have no findings. Raises ValueError,
    with a sentence, for anything else than identities.
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
            judged = [subject for key in _FOR[rule.name] for subject in subjects[key]]
            found = _found_by(rule, judged, criteria.thresholds, waived)
            if found:
                findings += found
                rules.append(_summary(rule, found, judged, criteria.thresholds))
    skipped = [rule.name for rule in RULES if rule.name in criteria.skip]
    return Found(findings, rules, waived.states(), skipped)


def _found_by(
    rule: Rule, judged: t.Sequence[Subject], thresholds: Thresholds, waived: Waived
) -> list[Item]:
    """Return the findings of a rule."""
    of_rule = _of_rule(rule)
    limits = limits_in_words(thresholds)
    found = []
    for subject, value in rule.check(judged, thresholds):
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
    rule: Rule, found: t.Sequence[Item], judged: t.Sequence[Subject], thresholds: Thresholds
) -> Item:
    """Return what a rule has found, all in one."""
    open_ = [finding for finding in found if not finding["waived"]]
    told = open_ or found
    total = sum(rule.concerns(subject, thresholds) for subject in judged)
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
    """Yield an identity, after what is attached to it."""
    if not isinstance(item, dict):
        raise ValueError(
            f"identities[{index}] is {quoted(item)}, which is not a dictionary; give the"
            " identities that the modules return."
        )
    if item.get("failed") is True and not METHODS.keys() & item.keys():
        # A result that failed before anything was read.
        return
    where = f"identities[{index}]"
    _check_shape(where, "", item, {"details": (_is_dictionary_or_none, "a dictionary")})
    name = held(item, "name")
    where += f" ({printable(name, 60)})" if isinstance(name, str) else ""
    # Something else, such as an Azure Auth alone, would have no findings without a word.
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
    """Yield an auth method of an identity, if it is attached; `whose` is the identity itself."""
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
    read = [(text, _network(text, seen)) for text in values["access_token_trusted_ips"]]
    yield whose._replace(
        method=method,
        values=values,
        networks=tuple(network for _text, network in read if network),
        no_networks=tuple(text for text, network in read if not network),
    )


def _check_shape(where: str, prefix: str, values: Values, shape: Shape) -> None:
    """Refuse values that modules do not return. Raises ValueError."""
    for key, (is_right, what) in shape.items():
        if not is_right(values.get(key)):
            raise ValueError(
                f"{where} has {quoted(values.get(key))} for {prefix}{key}, which is not {what}."
            )


def _is_dictionary_or_none(value: t.Any) -> bool:
    return value is None or isinstance(value, dict)


def _since(timestamp: t.Any, today: datetime.date) -> Since | None:
    """Return when a timestamp of the server was, None if it is none."""
    if not isinstance(timestamp, str):
        return None
    try:
        day = datetime.date.fromisoformat(timestamp[:10])
    except ValueError:
        return None
    return Since(day.isoformat(), (today - day).days)


def _network(text: str, seen: dict[str, Network | None]) -> Network | None:
    """Return a text as a network, or None if it is none. Most identities have the same few."""
    if text not in seen:
        try:
            seen[text] = parse(text)[0]
        except ValueError:
            seen[text] = None
    return seen[text]


def _identical(subjects: t.Sequence[Subject], thresholds: Thresholds) -> Matches:
    """Yield those whose configuration many have, with how many, and the first of them."""
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
    """Return what two subjects have in common if they are configured alike, by meaning."""
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


# On what an auth method is attached with, whichever it is.
_COMMON = (
    Rule(
        name="identical_configuration",
        severity=LOW,
        title="Identical configuration",
        option="",
        check=_identical,
        many="{who} are configured exactly like others.",
        one="{name} is configured exactly like {value}.",
        why="Whoever can log in as one of these identities can log in as all of them, and gets the"
        " rights of all. Often somebody copied an identity and did not adapt it.",
        fix="Give each program an identity with settings of its own. If several programs are meant"
        " to share one, keep one.",
        link=INFISICAL + "documentation/platform/identities/machine-identities",
        words=_like_whom,
    ),
)

# The method of subjects that are identities.
_IDENTITY = ""
# The methods of the subjects that rules are for, by the names of these.
_FOR: dict[str, tuple[str, ...]] = {
    **{rule.name: (_IDENTITY,) for rule in identity_rules.RULES},
    **{rule.name: tuple(METHODS) for rule in (*token_rules.RULES, *_COMMON)},
    **{rule.name: (key,) for key, (_shape, rules) in METHODS.items() for rule in rules},
}
_TITLES = {method.key: method.title for method in AUTH_METHODS}
# What those that a rule looks at are called.
_NOUNS = {
    name: " with ".join(
        filter(None, ("identities", " or ".join(_TITLES[key] for key in keys if key)))
    )
    for name, keys in _FOR.items()
}

# The most severe first, which is the order of findings.
RULES = sorted(
    (
        *(rule for _shape, rules in METHODS.values() for rule in rules),
        *identity_rules.RULES,
        *token_rules.RULES,
        *_COMMON,
    ),
    key=lambda rule: SEVERITIES.index(rule.severity),
)
