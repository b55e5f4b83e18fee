# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verdict of an audit in one sentence, for somebody who reads nothing else. Pure."""

from __future__ import annotations

import typing as t

from ...module_utils._state.fields import Values
from .._findings.rules import enumerated

OK = "ok"
FINDINGS = "findings"
DRIFT = "drift"
INCOMPLETE = "incomplete"

# So many rules of high severity are named.
_NAMED = 3

Counts = t.Mapping[str, int]


def verdict_on(
    counts: Counts, rules: t.Sequence[Values], *, has_list: bool, read: bool, seen: bool
) -> dict[str, str]:
    """Return the status of an audit, the worst that holds, and a sentence that says why.

    `rules` are those of the report. `read` says that all identities that the login can see were
    read, `seen` that it can see all of the organization.
    """
    incomplete = not read or counts["not_judged"]
    status = FINDINGS if counts["findings"] else OK
    if counts["drifted"]:
        status = DRIFT
    if incomplete:
        status = INCOMPLETE
    clauses = []
    if not read:
        clauses.append("not all of the organization could be read")
    if has_list:
        clauses.append(_with_list(counts, rules, read=read))
    elif counts["identities"] or read:
        clauses.append(_without_list(counts, rules, read=read))
    if has_list and counts["unlisted"]:
        are = (
            "identity with Azure Auth is"
            if counts["unlisted"] == 1
            else "identities with Azure Auth are"
        )
        clauses.append(f"{counts['unlisted']:,} {are} not in the list")
    if not has_list:
        clauses.append("there was no list to compare with")
    if not seen:
        clauses.append("the login cannot see all of the organization")
    text = ("the audit is incomplete: " if incomplete else "") + "; ".join(clauses)
    return {"status": status, "sentence": f"{text[0].upper()}{text[1:]}."}


def _with_list(counts: Counts, rules: t.Sequence[Values], *, read: bool) -> str:
    """Return the clause on the list, with that on findings."""
    total, drifted, unknown = counts["checked"], counts["drifted"], counts["not_judged"]
    off = drifted or unknown
    everyone = "both" if total == 2 else f"all {total:,}"
    if unknown == total:
        nobody = "neither of the" if total == 2 else f"none of the {total:,}"
        judged = f"{nobody} identities in the list could be judged"
        if total == 1:
            judged = "the only identity in the list could not be judged"
    elif unknown:
        others = "the other is" if total - unknown == 1 else "the others are"
        others = f"{drifted:,} drifted" if drifted else f"{others} as the list says"
        judged = f"{unknown:,} of {total:,} identities could not be judged, {others}"
    elif drifted:
        judged = f"{drifted:,} of {total:,} identities drifted"
        if drifted == total:
            judged = f"{everyone} identities in the list drifted"
        if total == 1:
            judged = "the only identity in the list drifted"
    else:
        judged = f"{everyone} identities in the list are as it says"
        if total == 1:
            judged = "the only identity in the list is as it says"
    if not counts["identities"] and (unknown or not read):
        # There is nothing that could have findings.
        return judged
    link = "and" if off or not counts["findings_high"] else "but"
    where = " in what could be read" if unknown or not read else ""
    return f"{judged}, {link} {_findings(counts, rules, where)}"


def _without_list(counts: Counts, rules: t.Sequence[Values], *, read: bool) -> str:
    """Return the clause on findings in identities that nothing says what they are to be."""
    total = counts["identities"]
    if not total:
        return "the login sees no identities"
    where = " in the only identity" if total == 1 else f" in {total:,} identities"
    return _findings(counts, rules, where if read else " in what could be read")


def _findings(counts: Counts, rules: t.Sequence[Values], where: str = "") -> str:
    """Return the clause on findings: those of high severity by the names of their rules."""
    high, medium, low = (counts[f"findings_{name}"] for name in ("high", "medium", "low"))
    if high:
        need = "finding{} needs" if high == 1 else "findings{} need"
        return f"{high:,} high {need.format(where)} attention: {_titles(rules)}"
    waived = f", apart from {counts['waived']:,} waived" if counts["waived"] else ""
    if not medium and not low:
        return f"there are no findings{where}{waived}"
    others = [f"{count:,} {name}" for count, name in ((medium, "medium"), (low, "low")) if count]
    ones = "one" if medium + low == 1 else "ones"
    return f"there are no high findings{where}, only {' and '.join(others)} {ones}{waived}"


def _titles(rules: t.Sequence[Values]) -> str:
    """Return the names of the rules with high findings, and how many each has."""
    counts = {}
    for rule in rules:
        count = sum(not item["waived"] for item in rule["identities"])
        if rule["severity"] == "high" and count:
            title = rule["title"]
            # A title may begin with an abbreviation.
            text = title[0].lower() + title[1:] if title[1:2].islower() else title
            counts[text] = count
    named = [f"{title} ({count:,})" for title, count in counts.items()]
    if len(named) > _NAMED:
        named[_NAMED:] = [f"others ({sum([*counts.values()][_NAMED:]):,})"]
    return enumerated(named)
