# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of an audit, from the results of modules. Pure: results in, a dictionary out."""

from __future__ import annotations

import re
import typing as t

from ..module_utils._azure_auth import AZURE_AUTH
from ..module_utils._model import Values, uuid_or_none
from ..module_utils._text import printable, trim
from ._findings import SEVERITIES

FORMAT = "community.infisical.identities_audit"
VERSION = 1

_ORDER = (
    "state",
    *(name for field in AZURE_AUTH.fields for name in (field.option, field.switch) if name),
)

Item = dict[str, t.Any]
# Of identities, by id; both may be None.
Names = t.Mapping[t.Any, t.Any]
# Of the entries that a task was given, in the list, counted from 0; empty where they are not known.
Places = t.Sequence[int]

# How the module calls an entry, by its place in what it was given.
_PLACE = re.compile(r"\bazure_auths\[([0-9]+)\]")


class Meant(t.NamedTuple):
    """The identity that an entry means: by its id, or else by its name, which otherwise is a label.

    Both are None where the entry is wrong.
    """

    identity_id: str | None
    identity_name: str | None


def report(
    desired: t.Sequence[t.Any],
    checks: t.Sequence[tuple[Values, Places]],
    info: Values,
    findings: t.Sequence[Values],
    about: Values,
) -> Item:
    """Return the report.

    `desired` is the list. `checks` are results of infisical_identities under check mode with diff;
    together they are about every entry, but for those that were not tried. `info` is the result of
    infisical_identity_info, `findings` are those of the filter. `about` goes into the report as
    it is.
    """
    azure_auths = info.get("azure_auths") or []
    read = [*azure_auths, *(info.get("failures") or [])]
    names = {item["identity_id"]: item.get("identity_name") for item in read}
    meant = [_meant(entry) for entry in desired]
    twice = _listed_twice(meant, checks, read, names)
    drifted: list[Item] = []
    not_judged: list[Item] = []
    problems = []
    judged = 0
    for result, places in checks:
        failed = [item for item in result.get("results", []) if item["failed"]]
        again = [place for place in _judged(result, places) if place in twice]
        # A list that was refused has entries that failed, though none was tried.
        judged += max(result.get("checked", 0) - len(failed), 0) - len(again)
        not_judged += [_failed(item, places, names) for item in failed]
        not_judged += [twice[place] for place in again]
        drifted += [item for place, item in _drifted(result, places, names) if place not in twice]
    untried = len(desired) - judged - len(not_judged)
    if untried:
        result, places = checks[-1] if checks else ({}, ())
        count = (
            "1 identity of the list was"
            if untried == 1
            else f"{untried} identities of the list were"
        )
        said = _located(result.get("msg") or "", places)
        problems.append(f"{count} not tried. {said}".strip())
    if info.get("msg"):
        problems.append(f"Not all of the organization could be read. {info['msg']}")
    unlisted = _unlisted(meant, azure_auths)
    grouped = _grouped(findings)
    by_severity = {
        f"findings_{severity}": sum(
            len(rule["identities"]) for rule in grouped if rule["severity"] == severity
        )
        for severity in SEVERITIES
    }
    return {
        "format": FORMAT,
        "version": VERSION,
        **about,
        "counts": {
            "checked": len(desired),
            "as_desired": judged - len(drifted),
            "drifted": len(drifted),
            "not_judged": len(desired) - judged,
            "unlisted": len(unlisted),
            "findings": len(findings),
            **by_severity,
        },
        "complete": not problems and not not_judged,
        "problems": problems,
        "not_visible": list(info.get("not_visible") or []),
        "drifted": drifted,
        "not_judged": not_judged,
        "unlisted": unlisted,
        "findings": grouped,
    }


def _meant(entry: t.Any) -> Meant:
    """Return which identity an entry of the list means."""
    if not isinstance(entry, dict):
        return Meant(None, None)
    identity_id, name = (
        trim(str(entry.get(key) or "")) for key in ("identity_id", "identity_name")
    )
    return Meant(uuid_or_none(identity_id), None) if identity_id else Meant(None, name or None)


def _place(item: Values, places: Places) -> int | None:
    """Return the place in the list of the entry that a result is about, where it is known."""
    index = item.get("index")
    return places[index] if index is not None and index < len(places) else None


def _listed_twice(
    meant: t.Sequence[Meant],
    checks: t.Sequence[tuple[Values, Places]],
    read: t.Iterable[Values],
    names: Names,
) -> dict[int, Item]:
    """Return the entries whose identity an earlier entry has, by their places.

    A task refuses a list that has an identity by its id and by its name, but cannot know of what
    other tasks have. Whose name it is, is known of identities that were read or have drifted.
    """
    ids: dict[str | None, set[str]] = {}
    refused = set()
    for item in read:
        ids.setdefault(item.get("identity_name"), set()).add(item["identity_id"])
    for result, places in checks:
        for item in result.get("results", []):
            if result.get("checked"):
                ids.setdefault(item.get("identity_name"), set()).add(item["identity_id"])
            else:
                # Not the entry to keep: its name may be nobody's, or that of several.
                refused.add(_place(item, places))
    first: dict[str, int] = {}
    twice = {}
    for place, (identity_id, name) in enumerate(meant):
        found = {identity_id} if identity_id else ids.get(name, set()) if name else set()
        if len(found) != 1 or place in refused:
            continue
        (same,) = found
        earlier = first.setdefault(same, place)
        if earlier != place:
            identity = {"identity_id": same, "identity_name": name or meant[earlier].identity_name}
            label = printable(meant[earlier].identity_name or same, 80)
            twice[place] = {
                "entry": place + 1,
                **_identity(identity, names),
                "msg": (
                    f"Entry {place + 1} of the list is the same identity as entry {earlier + 1} of"
                    f" the list ({label}); list it once."
                ),
            }
    return twice


def _judged(result: Values, places: Places) -> t.Iterator[int]:
    """Yield the places of the entries that a task judged.

    Of a task that was cut short only those that have drifted are known.
    """
    outcomes = {_place(item, places): item["failed"] for item in result.get("results", [])}
    complete = result.get("checked", 0) == len(places)
    for place in places:
        if not outcomes.get(place, not complete):
            yield place


def _drifted(result: Values, places: Places, names: Names) -> t.Iterator[tuple[int | None, Item]]:
    """Yield each identity that would be changed with what differs, and the place of its entry."""
    # There is a difference for each identity that did not fail, in the same order.
    changed = [item for item in result.get("results", []) if not item["failed"]]
    for item, difference in zip(changed, result["diff"] if changed else []):
        before, after = difference["before"], difference["after"]
        fields = [
            {"field": field, "desired": after.get(field), "actual": before.get(field)}
            for field in _ORDER
            if before.get(field) != after.get(field)
        ]
        yield _place(item, places), {**_identity(item, names), "fields": fields}


def _failed(item: Values, places: Places, names: Names) -> Item:
    """Return an identity with the reason why it could not be judged."""
    place = _place(item, places)
    known = ("http_status", "error", "request_id")
    text = item["msg"]
    # Whom it is about is told beside it.
    labels = [item[key] for key in ("identity_name", "identity_id") if item.get(key)]
    for label in ("", *(f" ({printable(known_as, 80)})" for known_as in labels)):
        text = text.replace(f"azure_auths[{item.get('index')}]{label}: ", "")
    return {
        "entry": None if place is None else place + 1,
        **_identity(item, names),
        "msg": _located(text, places),
        **{key: item[key] for key in known if key in item},
    }


def _located(text: str, places: Places) -> str:
    """Return a message of the module with the places of entries in the list, counted from 1."""

    def located(match: re.Match[str]) -> str:
        index = int(match[1])
        beginning = "Entry" if match.start() == 0 else "entry"
        number = f" {places[index] + 1}" if index < len(places) else ""
        return f"{beginning}{number} of the list"

    return _PLACE.sub(located, text)


def _identity(item: Values, names: Names) -> Item:
    """Return which identity a result is about, as far as it is known.

    The name in a result may be the label of an entry; the real one goes before it.
    """
    identity_id = item.get("identity_id")
    return {
        "identity_id": identity_id,
        "identity_name": names.get(uuid_or_none(identity_id or "")) or item.get("identity_name"),
    }


def _unlisted(meant: t.Iterable[Meant], azure_auths: t.Sequence[Values]) -> list[Item]:
    """Return the identities that have Azure Auth and are not in the list."""
    ids = {entry.identity_id for entry in meant}
    names = {entry.identity_name for entry in meant if entry.identity_name}
    return [
        _identity(item, {})
        for item in azure_auths
        if item["identity_id"] not in ids and item.get("identity_name") not in names
    ]


def _grouped(findings: t.Sequence[Values]) -> list[Item]:
    """Return findings by rule, so that what they have in common is there once."""
    rules: dict[str, Item] = {}
    for finding in findings:
        rule = rules.setdefault(
            finding["rule"],
            {
                **{key: finding[key] for key in ("rule", "severity", "field", "why", "fix")},
                "identities": [],
            },
        )
        rule["identities"].append(
            {key: finding[key] for key in ("identity_id", "identity_name", "value")}
        )
    return list(rules.values())
