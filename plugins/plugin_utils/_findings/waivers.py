# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waivers: findings that somebody accepts until a given day, with a reason."""

from __future__ import annotations

import datetime
import fnmatch
import re
import typing as t

from ...module_utils._state.fields import Values
from ...module_utils._text import quoted, trim, uuid_or_none
from .rules import Subject

ALL_RULES = "*"

_KEYS = ("rule", "identity", "project_id", "reason", "until")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


class Waiver(t.NamedTuple):
    """A waiver of the findings of a rule, or of all rules.

    `identity` is a name, an ID in any spelling, or a pattern for names. `project_id` is the project
    that must own the identity, None for any owner. `until` is the last day of the waiver.
    """

    rule: str
    identity: str
    project_id: str | None
    reason: str
    until: datetime.date


def read_waivers(items: t.Sequence[t.Any], rules: t.Collection[str]) -> list[Waiver]:
    """Return the waivers of an option. Raises ValueError, with a sentence, for other values."""
    return [_read(f"waivers[{index}]", item, rules) for index, item in enumerate(items)]


def _read(where: str, item: t.Any, rules: t.Collection[str]) -> Waiver:
    if not isinstance(item, t.Mapping):
        raise ValueError(
            f"{where} is {quoted(item)}, which is not a dictionary; give one with the keys"
            " rule, identity, reason and until."
        )
    for key in item:
        if key not in _KEYS:
            raise ValueError(
                f"{where} has the key {quoted(key)}, which is not a key of a waiver; the keys are"
                f" {', '.join(_KEYS)}."
            )
    rule = _text(where, item, "rule", f"the name of a rule, or {quoted(ALL_RULES)} for all")
    if rule != ALL_RULES and rule not in rules:
        raise ValueError(
            f"{where} has the rule {quoted(rule)}, which does not exist; the rules are"
            f" {', '.join(rules)}, and {quoted(ALL_RULES)} stands for all of them."
        )
    project_id = None
    if item.get("project_id") is not None:
        text = _text(where, item, "project_id", "the ID of a project")
        project_id = uuid_or_none(text)
        if project_id is None:
            raise ValueError(
                f"{where} has the project_id {quoted(text)}, which is not a UUID; write the ID of"
                " the project, or leave it out."
            )
    return Waiver(
        rule=rule,
        identity=_text(where, item, "identity", "a name, an ID, or a pattern such as 'ci-*'"),
        project_id=project_id,
        reason=_text(where, item, "reason", "why the finding is accepted"),
        until=_day(where, item.get("until")),
    )


def _text(where: str, item: Values, key: str, what: str) -> str:
    value = item.get(key)
    if value is None:
        raise ValueError(f"{where} has no {key}; write {what}.")
    if not isinstance(value, str) or not trim(value):
        raise ValueError(f"{where} has {quoted(value)} for {key}; write {what}, as a string.")
    return trim(value)


def _day(where: str, value: t.Any) -> datetime.date:
    """Return a day. YAML turns a day that is not in quotes into a date."""
    what = "the last day of the waiver, such as 2026-12-31"
    if value is None:
        raise ValueError(f"{where} has no until; write {what}.")
    if isinstance(value, datetime.datetime):
        return value.date()
    if isinstance(value, datetime.date):
        return value
    if isinstance(value, str) and _DAY.fullmatch(trim(value)):
        try:
            return datetime.date.fromisoformat(trim(value))
        except ValueError:
            pass
    raise ValueError(f"{where} has {quoted(value)} for until; write {what}.")


class Waived:
    """Which waivers waive a finding, and which of them have been used."""

    def __init__(
        self,
        waivers: t.Sequence[Waiver],
        identities: t.Sequence[Subject],
        today: datetime.date,
    ) -> None:
        """Match waivers with identities."""
        self._waivers = waivers
        self._today = today
        self._used: set[int] = set()
        # By the address of the labels in memory: names repeat, and a new identity has no ID yet.
        self._of: dict[int, list[int]] = {}
        ids, names = ({subject.labels[key] for subject in identities} for key in ("id", "name"))
        for index, waiver in enumerate(waivers):
            matches = _matcher(waiver, ids, names)
            for subject in identities:
                if matches(subject.labels):
                    self._of.setdefault(id(subject.labels), []).append(index)

    def by(self, rule: str, subject: Subject) -> dict[str, str] | None:
        """Return the waiver of a finding as `{reason, until}`, None if no waiver holds."""
        found = None
        for index in self._of.get(id(subject.labels), ()):
            waiver = self._waivers[index]
            if waiver.rule in (rule, ALL_RULES) and waiver.until >= self._today:
                self._used.add(index)
                found = found or {"reason": waiver.reason, "until": waiver.until.isoformat()}
        return found

    def states(self) -> list[dict[str, t.Any]]:
        """Return each waiver with its state: used, expired, or unused if it waives no finding."""
        return [
            {
                **waiver._asdict(),
                "until": waiver.until.isoformat(),
                "state": (
                    "expired"
                    if waiver.until < self._today
                    else "used" if index in self._used else "unused"
                ),
            }
            for index, waiver in enumerate(self._waivers)
        ]


def _matcher(
    waiver: Waiver, ids: t.Collection[str | None], names: t.Collection[str | None]
) -> t.Callable[[t.Mapping[str, t.Any]], bool]:
    """Return a function that says whether a waiver matches the labels of an identity.

    `ids` and `names` are those of all identities.
    """
    wanted = uuid_or_none(waiver.identity)
    # An identity whose name is the ID of another one must not get that one's waivers.
    wanted = wanted if wanted in ids else None
    # A name that looks like a pattern stands for itself if an identity has that name.
    literal = waiver.identity in names
    pattern = re.compile((re.escape if literal else fnmatch.translate)(waiver.identity))

    def matches(labels: t.Mapping[str, t.Any]) -> bool:
        if waiver.project_id and labels["project_id"] != waiver.project_id:
            return False
        if wanted:
            return bool(labels["id"] == wanted)
        return pattern.fullmatch(labels["name"] or "") is not None

    return matches
