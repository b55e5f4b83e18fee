# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is questionable about identities. Pure: entries in, findings out.

A finding is about one identity, whatever anybody wanted it to be: laxer than most need, unable to
let anybody in, or different from what it looks like.
"""

from __future__ import annotations

import typing as t

from ..module_utils._state.fields import Values
from ..module_utils._state.networks import Network, parse
from ..module_utils._text import printable, quoted
from . import _azure_auth_rules, _token_rules
from ._identities import held, labels_of
from ._rules import LOW, SEVERITIES, Matches, Rule, Shape, Subject, Thresholds


class Method(t.NamedTuple):
    """An auth method: what its settings are, beside those that all have, and its own rules."""

    shape: Shape
    rules: tuple[Rule, ...]


# By their keys in an identity.
METHODS = {"azure_auth": Method(_azure_auth_rules.SHAPE, _azure_auth_rules.RULES)}


def find(
    identities: t.Sequence[t.Any], thresholds: Thresholds, ignored: t.Collection[str]
) -> list[dict[str, t.Any]]:
    """Return the findings, the most severe first, those of one rule in the order of identities.

    Each is `{rule, severity, id, name, project_id, field, value, why, fix}`. `identities` are as
    modules return them; auth methods that are not attached, or were not looked at, have none.
    Raises ValueError, with a sentence, for anything else.
    """
    seen: dict[str, Network | None] = {}
    subjects = [
        subject for index, item in enumerate(identities) for subject in _subjects(index, item, seen)
    ]
    return [
        {
            "rule": rule.name,
            "severity": rule.severity,
            **labels_of(subject.identity),
            "field": ".".join(filter(None, (subject.method, rule.option))),
            "value": value,
            "why": rule.why,
            "fix": rule.fix,
        }
        for rule in RULES
        if rule.name not in ignored
        for subject, value in rule.check(_judged_by(rule, subjects), thresholds)
    ]


def _judged_by(rule: Rule, subjects: list[Subject]) -> list[Subject]:
    """Return the subjects that a rule is for: those of its auth method, or all."""
    for key, method in METHODS.items():
        if rule in method.rules:
            return [subject for subject in subjects if subject.method == key]
    return subjects


def _subjects(index: int, item: t.Any, seen: dict[str, Network | None]) -> t.Iterator[Subject]:
    """Yield what is attached to an identity."""
    if not isinstance(item, dict):
        raise ValueError(
            f"identities[{index}] is {quoted(item)}, which is not a dictionary; give the"
            " identities that the modules return."
        )
    if item.get("failed") is True and not METHODS.keys() & item.keys():
        # A result that failed before anything was read.
        return
    name = held(item, "name")
    where = f"identities[{index}]" + (f" ({printable(name, 60)})" if isinstance(name, str) else "")
    # Something else, such as an Azure Auth alone, would have no findings without a word.
    if "id" not in item or "state" not in item:
        missing = "id" if "id" not in item else "state"
        raise ValueError(f"{where} has no {missing}; give the identities that the modules return.")
    for key, method in METHODS.items():
        settings = item.get(key)
        if settings is not None and item["state"] != "absent":
            yield from _attached(where, item, key, settings, method.shape, seen)


def _attached(
    where: str,
    identity: Values,
    method: str,
    settings: t.Any,
    shape: Shape,
    seen: dict[str, Network | None],
) -> t.Iterator[Subject]:
    """Yield an auth method of an identity, if it is attached."""
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
    for key, (is_right, what) in {**shape, **_token_rules.SHAPE}.items():
        if key not in settings:
            raise ValueError(
                f"{where} has no {key} in {method}; give the identities that the modules return."
            )
        values[key] = held(settings, key)
        if not is_right(values[key]):
            raise ValueError(
                f"{where} has {quoted(values[key])} for {method}.{key}, which is not {what}."
            )
    texts = values["access_token_trusted_ips"]
    read = [(text, _network(text, seen)) for text in texts]
    yield Subject(
        identity,
        method,
        values,
        tuple(network for _text, network in read if network),
        tuple(text for text, network in read if not network),
    )


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


# On what an auth method is attached with, whichever it is.
_COMMON = (
    Rule(
        "identical_configuration",
        LOW,
        None,
        _identical,
        "Whoever can log in as one of these identities can log in as each of them, and gets what"
        " all of them may. Often one was copied and not adapted.",
        "Give each program an identity with settings of its own, or let those that share them be"
        " one identity.",
    ),
)

# The most severe first, which is the order of findings.
RULES = sorted(
    (
        *(rule for method in METHODS.values() for rule in method.rules),
        *_token_rules.RULES,
        *_COMMON,
    ),
    key=lambda rule: SEVERITIES.index(rule.severity),
)
