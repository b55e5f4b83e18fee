# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of an audit, from the results of modules. Pure: results in, a dictionary out."""

from __future__ import annotations

import re
import typing as t

from ..module_utils._state.fields import Values
from ..module_utils._text import printable, trim, uuid_or_none
from ._findings import METHODS
from ._identities import LABELS, labels_of
from ._rules import SEVERITIES

FORMAT = "community.infisical.identities_audit"
VERSION = 1

Item = dict[str, t.Any]
# Identities as infisical_identity_info returns them, failures too, by id.
Known = t.Mapping[t.Any, Values]
# Of the entries that a task was given, in the list, counted from 0; empty where they are not known.
Places = t.Sequence[int]
# The result of a task that compared entries, and their places.
Check = tuple[Values, Places]

# How the module calls an entry, by its place in what it was given.
_PLACE = re.compile(r"\bidentities\[([0-9]+)\]")


class Name(t.NamedTuple):
    """The name of an identity among those of a project, or of the organization."""

    name: str
    project_id: str | None


class Meant(t.NamedTuple):
    """The identity that an entry means: by its id, or else by its name.

    Beside an id, the name is what the identity is to be called. Both are None where the entry is
    wrong.
    """

    id: str | None
    name: Name | None


class Verdicts(t.NamedTuple):
    """How many entries were judged, those of them that have drifted, and those that were not.

    What is not judged is told for each entry that was tried.
    """

    judged: int
    drifted: list[Item]
    not_judged: list[Item]


def report(
    desired: t.Sequence[t.Any],
    checks: t.Sequence[Check],
    info: Values,
    findings: t.Sequence[Values],
    about: Values,
) -> Item:
    """Return the report.

    `desired` is the list. `checks` are results of infisical_identities under check mode with diff;
    together they are about every entry, but for those that were not tried. `info` is the result of
    infisical_identity_info, `findings` are those of the filter. `about` goes into the report as it
    is.
    """
    identities = info.get("identities") or []
    known = {item["id"]: item for item in [*identities, *(info.get("failures") or [])]}
    meant = [_meant(entry) for entry in desired]
    verdicts = _verdicts(desired, checks, known, _listed_twice(meant, checks, known))
    untried = len(desired) - verdicts.judged - len(verdicts.not_judged)
    problems = [*_untried(untried, checks), *_unread(info)]
    unlisted = _unlisted(identities, meant)
    parts = {
        "drifted": verdicts.drifted,
        "not_judged": verdicts.not_judged,
        "unlisted": [_identity(item, known) for item in unlisted if _has_azure_auth(item)],
        "unlisted_without_azure_auth": [
            _identity(item, known) for item in unlisted if not _has_azure_auth(item)
        ],
        "findings": _grouped(findings, known),
    }
    return {
        "format": FORMAT,
        "version": VERSION,
        **about,
        "counts": _counts(len(desired), verdicts.judged, identities, parts),
        "complete": not problems and not verdicts.not_judged,
        "problems": problems,
        "not_visible": list(info.get("not_visible") or []),
        **parts,
    }


def _verdicts(
    desired: t.Sequence[t.Any],
    checks: t.Sequence[Check],
    known: Known,
    twice: t.Mapping[int, Item],
) -> Verdicts:
    """Return what became of the entries; those in `twice` are not judged, whatever was found."""
    judged = 0
    drifted: list[Item] = []
    not_judged: list[Item] = []
    for result, places in checks:
        failed = [item for item in result.get("results", []) if item["failed"]]
        again = [place for place in _judged(result, places) if place in twice]
        # A list that was refused has entries that failed, though none was tried.
        judged += max(result.get("checked", 0) - len(failed), 0) - len(again)
        not_judged += [_failed(item, places, known, desired) for item in failed]
        not_judged += [{"source": _source(desired, place), **twice[place]} for place in again]
        drifted += [
            {"source": _source(desired, place), **item}
            for place, item in _drifted(result, places, known)
            if place not in twice
        ]
    return Verdicts(judged, drifted, not_judged)


def _untried(count: int, checks: t.Sequence[Check]) -> t.Iterator[str]:
    """Yield a sentence on the entries that no task tried, if there are any, and why."""
    if count:
        result, places = checks[-1] if checks else ({}, ())
        who = "1 identity of the list was" if count == 1 else f"{count} identities of the list were"
        yield f"{who} not tried. {_located(result.get('msg') or '', places)}".strip()


def _unread(info: Values) -> t.Iterator[str]:
    """Yield a sentence on why not all identities could be read, if that is so."""
    if info.get("msg"):
        yield f"Not all of the organization could be read. {info['msg']}"


def _counts(
    listed: int, judged: int, identities: t.Sequence[Values], parts: t.Mapping[str, list[Item]]
) -> dict[str, int]:
    """Return how many there are of what a report has."""
    actions = [item["action"] for item in parts["drifted"]]
    found = [rule["severity"] for rule in parts["findings"] for _item in rule["identities"]]
    return {
        "checked": listed,
        "as_desired": judged - len(parts["drifted"]),
        "drifted": len(parts["drifted"]),
        "not_judged": listed - judged,
        "to_create": actions.count("create"),
        "to_delete": actions.count("delete"),
        "identities": len(identities),
        "without_azure_auth": sum(not _has_azure_auth(item) for item in identities),
        "unlisted": len(parts["unlisted"]),
        "unlisted_without_azure_auth": len(parts["unlisted_without_azure_auth"]),
        "findings": len(found),
        **{f"findings_{severity}": found.count(severity) for severity in SEVERITIES},
    }


def _meant(entry: t.Any) -> Meant:
    """Return which identity an entry of the list means."""
    if not isinstance(entry, dict):
        return Meant(None, None)
    identity_id, name, project_id = (
        trim(str(entry.get(key) or "")) for key in ("id", "name", "project_id")
    )
    if identity_id:
        return Meant(uuid_or_none(identity_id), None)
    return Meant(None, Name(name, uuid_or_none(project_id)) if name else None)


def _name(item: Values) -> Name:
    """Return the name of an identity as modules return it."""
    labels = labels_of(item)
    return Name(labels["name"] or "", labels["project_id"])


def _unlisted(identities: t.Iterable[Values], meant: t.Iterable[Meant]) -> list[Values]:
    """Return the identities that no entry of the list means."""
    ids = {entry.id for entry in meant}
    names = {entry.name for entry in meant}
    return [item for item in identities if item["id"] not in ids and _name(item) not in names]


def _has_azure_auth(identity: Values) -> bool:
    return (identity.get("azure_auth") or {}).get("state") == "present"


def _place(item: Values, places: Places) -> int | None:
    """Return the place in the list of the entry that a result is about, where it is known."""
    index = item.get("index")
    return places[index] if index is not None and index < len(places) else None


def _listed_twice(
    meant: t.Sequence[Meant], checks: t.Sequence[Check], known: Known
) -> dict[int, Item]:
    """Return the entries whose identity an earlier entry has, by their places.

    A task refuses a list that has an identity by its id and by its name, but cannot know of what
    other tasks have. Whose name it is, is known of identities that were read or have drifted.
    """
    # Not the entries to keep: the names may be nobody's, or that of several.
    refused = {
        _place(item, places)
        for result, places in checks
        if not result.get("checked")
        for item in result.get("results", [])
    }
    ids = _ids_by_name(checks, known)
    first: dict[str, int] = {}
    twice = {}
    for place, (identity_id, name) in enumerate(meant):
        found = {identity_id} if identity_id else ids.get(name, set()) if name else set()
        if len(found) != 1 or place in refused:
            continue
        (same,) = found
        earlier = first.setdefault(same, place)
        if earlier != place:
            twice[place] = _same(same, place, earlier, meant, known)
    return twice


def _ids_by_name(checks: t.Sequence[Check], known: Known) -> dict[Name, set[str]]:
    """Return the ids that identities of a name have, among those read and those with a result."""
    ids: dict[Name, set[str]] = {}
    for item in known.values():
        ids.setdefault(_name(item), set()).add(item["id"])
    for result, _places in checks:
        for item in result.get("results", []):
            if result.get("checked") and item.get("id"):
                ids.setdefault(_name(item), set()).add(item["id"])
    return ids


def _same(
    identity_id: str, place: int, earlier: int, meant: t.Sequence[Meant], known: Known
) -> Item:
    """Return an entry that means the identity of an earlier one, and says so."""
    earlier_name = meant[earlier].name
    named = meant[place].name or earlier_name
    label = printable(earlier_name.name if earlier_name else identity_id, 80)
    return {
        "entry": place + 1,
        **_identity({"id": identity_id, **(named._asdict() if named else {})}, known),
        "msg": (
            f"Entry {place + 1} of the list is the same identity as entry {earlier + 1} of the"
            f" list ({label}); list it once."
        ),
    }


def _judged(result: Values, places: Places) -> t.Iterator[int]:
    """Yield the places of the entries that a task judged.

    Of a task that was cut short only those that have drifted are known.
    """
    outcomes = {_place(item, places): item["failed"] for item in result.get("results", [])}
    complete = result.get("checked", 0) == len(places)
    for place in places:
        if not outcomes.get(place, not complete):
            yield place


def _drifted(result: Values, places: Places, known: Known) -> t.Iterator[tuple[int | None, Item]]:
    """Yield each identity that would be changed with what differs, and the place of its entry."""
    # There is a difference for each identity that did not fail, in the same order.
    changed = [item for item in result.get("results", []) if not item["failed"]]
    for item, difference in zip(changed, result["diff"] if changed else []):
        before, after = _flat(difference["before"]), _flat(difference["after"])
        place = _place(item, places)
        action = {"before": "create", "after": "delete"}
        absent = [key for key in action if difference[key].get("state") == "absent"]
        # What an identity that is there is like says the listing, or else what the task read of it.
        like = {**item, **before} if "before" not in absent else item
        fields = [
            {"field": field, "desired": after.get(field), "actual": before.get(field)}
            for field in {**before, **after}
            if before.get(field) != after.get(field)
            # Beside what is created or deleted it is told who it is.
            and not (absent and field in LABELS)
        ]
        yield (
            place,
            {
                "entry": None if place is None else place + 1,
                **_identity(like, known, settings=like),
                "action": action[absent[0]] if absent else "update",
                "fields": fields,
            },
        )


def _flat(state: Values) -> Item:
    """Return one side of a difference, with the settings of auth methods beside the others."""
    flat: Item = {}
    for key, value in state.items():
        if key in METHODS and isinstance(value, dict):
            flat.update({f"{key}.{option}": setting for option, setting in value.items()})
        else:
            flat[key] = value
    return flat


def _failed(item: Values, places: Places, known: Known, desired: t.Sequence[t.Any]) -> Item:
    """Return an identity with the reason why it could not be judged."""
    place = _place(item, places)
    source = _source(desired, place)
    answered = ("http_status", "error", "request_id")
    text = item["msg"]
    # Whom it is about, and where that is from, is told beside it.
    origins = [f"identities[{item.get('index')}]", *([printable(source, 120)] if source else [])]
    labels = [item[key] for key in ("name", "id") if item.get(key)]
    for origin in origins:
        for label in ("", *(f" ({printable(known_as, 80)})" for known_as in labels)):
            text = text.replace(f"{origin}{label}: ", "")
    return {
        "source": source,
        "entry": None if place is None else place + 1,
        **_identity(item, known),
        "msg": _located(text, places),
        **{key: item[key] for key in answered if key in item},
    }


def _located(text: str, places: Places) -> str:
    """Return a message of the module with the places of entries in the list, counted from 1."""

    def located(match: re.Match[str]) -> str:
        index = int(match[1])
        beginning = "Entry" if match.start() == 0 else "entry"
        number = f" {places[index] + 1}" if index < len(places) else ""
        return f"{beginning}{number} of the list"

    return _PLACE.sub(located, text)


def _source(desired: t.Sequence[t.Any], place: int | None) -> str | None:
    """Return the file that an entry comes from, with the line, where there is one."""
    entry = desired[place] if place is not None else None
    source = entry.get("source") if isinstance(entry, dict) else None
    return source if isinstance(source, str) else None


def _identity(item: Values, known: Known, settings: Values | None = None) -> Item:
    """Return which identity something is about, and what it may, as far as it is known.

    The name in a result may be what the identity is to be called; the real one goes before it.
    `settings` has what is not known from the listing.
    """
    labels = labels_of(item)
    real = known.get(uuid_or_none(str(labels["id"])), {})
    like = real if "role" in real else settings or {}
    return {
        **{label: value or labels[label] for label, value in labels_of(real).items()},
        "role": like.get("role"),
        "delete_protection": like.get("delete_protection"),
    }


def _grouped(findings: t.Sequence[Values], known: Known) -> list[Item]:
    """Return findings by rule, so that what they have in common is there once."""
    rules: dict[tuple[str, str], Item] = {}
    for finding in findings:
        rule = rules.setdefault(
            (finding["rule"], finding["field"]),
            {
                **{key: finding[key] for key in ("rule", "severity", "field", "why", "fix")},
                "identities": [],
            },
        )
        rule["identities"].append({**_identity(finding, known), "value": finding["value"]})
    return list(rules.values())
