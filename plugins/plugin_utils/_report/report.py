# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of an audit, which combines the results of the other parts. Pure."""

from __future__ import annotations

import typing as t

from ...module_utils._state.fields import Values
from .._findings.findings import Found
from .._findings.rules import SEVERITIES
from .._identities import held, labels_of
from .baseline import FORMAT, VERSION, compared
from .differences import CREATE, DELETE, action_of, differences
from .entries import Check, labels_in, located, source_of
from .findings import by_key, grouped
from .identities import Item, azure_auth_of, described, found, is_there, now
from .paste import Pastes
from .sentences import verdict_on
from .verdicts import AS_DESIRED, DRIFTED, UNKNOWN, UNLISTED, Verdict, entry_verdicts

# What a report says about how it was made. The caller gives these values.
ABOUT = ("url", "created_at", "organization", "source", "versions")
_ANSWERED = ("http_status", "error", "request_id")

# From identities, as modules return them, to their findings.
Finder = t.Callable[[t.Sequence[Values]], Found]


class _Unit(t.NamedTuple):
    """An identity of the report, or an entry of the list whose identity is not known.

    `key` is its key in the report. `labels` are its ID, name and project, as far as they are known.
    `result` describes the identity, and is empty if nothing is known about it. `verdict` is None
    for an identity that is not in the list. `place` is the place of its entry, counted from 0.
    """

    key: str
    labels: Values
    result: Values
    verdict: Verdict | None = None
    place: int | None = None
    source: str | None = None


def report(
    desired: t.Sequence[t.Any],
    checks: t.Sequence[Check],
    about: Values,
    finder: Finder,
    earlier: Values | None = None,
) -> Item:
    """Return the report.

    `desired` is the list. `checks` are results of infisical_identities in check mode with
    return_all. Together, they are about every entry except those that were not tried. `earlier` is
    a report to compare with.
    """
    # If the module refused a whole list, the results are about entries and not about identities.
    results = [
        result
        for check, _places in checks
        for result in check.get("results", ())
        if check.get("checked") or result.get("index") is None
    ]
    known = found(results)
    verdicts = entry_verdicts(desired, checks, results)
    listed = list(_listed(desired, verdicts, known))
    units = [*listed, *_unlisted(listed, known)]
    keys = {unit.labels["id"]: unit.key for unit in reversed(units)}
    questionable = finder([now(known[item]) for item in reversed(keys) if item in known])
    rules = grouped(questionable, keys)
    found_in = by_key(rules)
    pastes = Pastes(map(now, known.values()))
    identities = [
        _identity(unit, found_in.get(unit.key, []), pastes, has_list=bool(desired))
        for unit in units
    ]
    counts = _counts(identities, known.values(), rules)
    unread = [*_unread(verdicts, checks, identities, has_list=bool(desired))]
    problems = [*_untried(verdicts, checks), *unread]
    not_visible = [text for check, _places in checks for text in check.get("not_visible") or ()]
    made: Item = {
        "format": FORMAT,
        "version": VERSION,
        **{key: about.get(key) for key in ABOUT},
        "verdict": verdict_on(
            counts,
            rules,
            has_list=bool(desired),
            read=not unread,
            seen=not not_visible,
        ),
        "complete": not problems and not counts["unknown"],
        "problems": problems,
        "not_visible": list(dict.fromkeys(not_visible)),
        "counts": counts,
        "has_list": bool(desired),
        "findings": rules,
        "waivers": questionable.waivers,
        "skipped": questionable.skipped,
        "identities": identities,
    }
    return {**made, "baseline": compared(made, earlier) if earlier else None}


def _listed(
    desired: t.Sequence[t.Any], verdicts: t.Sequence[Verdict], known: t.Mapping[str, Values]
) -> t.Iterator[_Unit]:
    """Yield the units of the entries of the list, in the order of the list."""
    taken = set()
    for place, (entry, verdict) in enumerate(zip(desired, verdicts)):
        result = verdict.result
        told = labels_of(result)
        labels = {key: told[key] or value for key, value in labels_in(entry).items()}
        labels["id"] = verdict.id or labels["id"]
        if not is_there(result):
            result = known.get(labels["id"], result)
        key = f"entry-{place + 1}"
        if labels["id"] in known and labels["id"] not in taken:
            key = labels["id"]
            taken.add(key)
        yield _Unit(key, labels, result, verdict, place, source_of(entry))


def _unlisted(listed: t.Iterable[_Unit], known: t.Mapping[str, Values]) -> list[_Unit]:
    """Return the identities that are not in the list, sorted by name."""
    ids = {unit.labels["id"] for unit in listed}
    units = [
        _Unit(identity_id, labels_of(now(result)), result)
        for identity_id, result in known.items()
        if identity_id not in ids
    ]
    return sorted(units, key=lambda unit: (unit.labels["name"] or "", unit.key))


def _identity(
    unit: _Unit, findings: t.Sequence[tuple[str, Values]], pastes: Pastes, *, has_list: bool
) -> Item:
    """Return an identity of the report. `findings` are its findings, each with its rule's name."""
    state = now(unit.result)
    status = unit.verdict.status if unit.verdict else UNLISTED
    action = action_of(unit.result) if status == DRIFTED else None
    like = described(unit.result)
    azure_auth = azure_auth_of(state)
    # If another task describes the identity, the entry still has a result of its own.
    outcome = unit.verdict.result if unit.verdict else unit.result
    reason = unit.verdict.reason if unit.verdict else located(outcome.get("msg") or "", ()) or None
    open_findings = [(rule, item) for rule, item in findings if not item["waived"]]
    paste = None
    if status == UNLISTED and has_list:
        paste = pastes.whole(state)
    elif action != DELETE:
        paste = pastes.ending(state, [item["set"] for _rule, item in open_findings if item["set"]])
    return {
        "key": unit.key,
        **like,
        **{key: like[key] or value for key, value in unit.labels.items()},
        "entry": None if unit.place is None else unit.place + 1,
        "source": unit.source,
        "status": status,
        "action": action,
        "differences": differences(state, unit.result) if action else [],
        "azure_auth": azure_auth.settings,
        "azure_auth_known": azure_auth.known,
        "metadata": held(state, "metadata"),
        "findings": [rule for rule, _item in open_findings],
        "waived": [rule for rule, item in findings if item["waived"]],
        "msg": reason,
        **{key: outcome.get(key) if reason else None for key in _ANSWERED},
        "paste": paste,
    }


def _counts(
    identities: t.Sequence[Item], known: t.Collection[Values], rules: t.Sequence[Item]
) -> dict[str, int]:
    """Return the numbers of identities and findings in the report."""
    statuses = [item["status"] for item in identities]
    actions = [item["action"] for item in identities]
    attached = {result["id"] for result in known if azure_auth_of(now(result)).attached}
    unlisted = [item["id"] in attached for item in identities if item["status"] == UNLISTED]
    found_in = [
        None if item["waived"] else rule["severity"]
        for rule in rules
        for item in rule["identities"]
    ]
    severities = {f"findings_{severity}": found_in.count(severity) for severity in SEVERITIES}
    return {
        "listed": len(statuses) - len(unlisted),
        "as_desired": statuses.count(AS_DESIRED),
        "drifted": statuses.count(DRIFTED),
        "unknown": statuses.count(UNKNOWN),
        "to_create": actions.count(CREATE),
        "to_delete": actions.count(DELETE),
        "identities": len(known),
        "without_azure_auth": len(known) - len(attached),
        "unlisted": unlisted.count(True),
        "unlisted_without_azure_auth": unlisted.count(False),
        "findings": sum(severities.values()),
        **severities,
        "waived": found_in.count(None),
    }


def _untried(verdicts: t.Iterable[Verdict], checks: t.Sequence[Check]) -> t.Iterator[str]:
    """Yield a sentence on how many entries no task tried, if there are any, and why."""
    count = sum(not verdict.tried for verdict in verdicts)
    if count:
        check, places = checks[-1] if checks else ({}, ())
        who = (
            "1 identity of the list was" if count == 1 else f"{count:,} identities of the list were"
        )
        yield f"{who} not tried. {located(check.get('msg') or '', places)}".strip()


def _unread(
    verdicts: t.Iterable[Verdict],
    checks: t.Sequence[Check],
    identities: t.Iterable[Item],
    *,
    has_list: bool,
) -> t.Iterator[str]:
    """Yield sentences on identities that were not read, and why."""
    failed = [item for item in identities if item["status"] == UNLISTED and item["msg"]]
    if failed:
        who = _others(len(failed), has_list=has_list)
        yield f"The Azure Auth of {who} could not be read. {failed[0]['msg']}"
    untried = sum(not verdict.tried for verdict in verdicts)
    # If others were not tried or could not be read, another sentence gives the reason.
    check, places = checks[-1] if checks else ({}, ())
    why = "" if untried or failed else located(check.get("msg") or "", places)
    others = check.get("untried_count", 0) - untried
    if others > 0:
        were = "was" if others == 1 else "were"
        yield f"{_others(others, has_list=has_list)} {were} not read. {why}".strip()
    if checks and not any("not_visible" in check for check, _places in checks):
        yield f"The identities of the organization were not read. {why}".strip()


def _others(count: int, *, has_list: bool) -> str:
    """Return a number of identities that are not in the list, in words."""
    which = " that is not in the list" if count == 1 else " that are not in the list"
    who = "1 identity" if count == 1 else f"{count:,} identities"
    return f"{who}{which if has_list else ''}"
