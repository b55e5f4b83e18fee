# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verdict of an audit in a few words, for somebody who reads nothing else. Pure."""

from __future__ import annotations

import typing as t

from ...module_utils._state.fields import Values

OK = "ok"
FINDINGS = "findings"
DRIFT = "drift"
INCOMPLETE = "incomplete"

Counts = t.Mapping[str, int]


def verdict_on(
    counts: Counts, rules: t.Sequence[Values], *, has_list: bool, read: bool, seen: bool
) -> dict[str, str]:
    """Return the status of an audit, the worst that holds, and the sentences that say why.

    `rules` are those of the report. `read` says whether every identity that the login can see was
    read, `seen` whether the login can see all of the organization.
    """
    incomplete = not read or counts["unknown"]
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
    if incomplete:
        clauses[0] = f"the audit is incomplete: {clauses[0]}"
    text = " ".join(f"{clause[0].upper()}{clause[1:]}." for clause in clauses)
    return {"status": status, "sentence": text}


def _with_list(counts: Counts, rules: t.Sequence[Values], *, read: bool) -> str:
    """Return the clause on the list, followed by the one on findings."""
    total, drifted, unknown = counts["listed"], counts["drifted"], counts["unknown"]
    off = drifted or unknown
    everyone = "both" if total == 2 else f"all {total:,}"
    have = "has" if drifted == 1 else "have"
    if unknown == total:
        nobody = "neither of the" if total == 2 else f"none of the {total:,}"
        clause = f"{nobody} identities in the list could be checked"
        if total == 1:
            clause = "the only identity in the list could not be checked"
    elif unknown:
        others = "the other matches" if total - unknown == 1 else "the others match"
        others = f"{drifted:,} {have} drifted" if drifted else f"{others} the list"
        clause = f"{unknown:,} of {total:,} identities could not be checked, {others}"
    elif drifted:
        clause = f"{drifted:,} of {total:,} identities {have} drifted"
        if drifted == total:
            clause = f"{everyone} identities in the list have drifted"
        if total == 1:
            clause = "the only identity in the list has drifted"
    else:
        clause = f"{everyone} listed identities match the list"
        if total == 1:
            clause = "the only listed identity matches the list"
    if not counts["identities"] and (unknown or not read):
        # Nothing was read that could have findings.
        return clause
    link = "and" if off or not counts["findings_high"] else "but"
    where = " in what could be read" if unknown or not read else ""
    return f"{clause}, {link} {_findings(counts, rules, where)}"


def _without_list(counts: Counts, rules: t.Sequence[Values], *, read: bool) -> str:
    """Return the clause on findings if there is no list to compare with."""
    total = counts["identities"]
    if not total:
        return "the login sees no identities"
    where = " in the only identity" if total == 1 else f" in {total:,} identities"
    return _findings(counts, rules, where if read else " in what could be read")


def _findings(counts: Counts, rules: t.Sequence[Values], where: str = "") -> str:
    """Return the clause on findings. Of high findings, only the worst rule is named."""
    high, medium, low = (counts[f"findings_{name}"] for name in ("high", "medium", "low"))
    if high:
        need = "finding{} needs" if high == 1 else "findings{} need"
        return f"{high:,} high {need.format(where)} attention: {_worst(rules, high)}"
    are = "is" if counts["waived"] == 1 else "are"
    if not medium and not low:
        waived = f" ({counts['waived']:,} {are} waived)" if counts["waived"] else ""
        return f"there are no findings{where}{waived}"
    others = [f"{count:,} {name}" for count, name in ((medium, "medium"), (low, "low")) if count]
    ones = "one" if medium + low == 1 else "ones"
    waived = f" ({counts['waived']:,} more {are} waived)" if counts["waived"] else ""
    return f"there are no high findings{where}, only {' and '.join(others)} {ones}{waived}"


def _worst(rules: t.Sequence[Values], high: int) -> str:
    """Return the title of the worst rule with findings, and how many the others have."""
    # Rules come with the worst first.
    title, count = next(
        (rule["title"], count)
        for rule in rules
        if (count := sum(not item["waived"] for item in rule["identities"]))
    )
    # A title may begin with an abbreviation.
    text: str = title[0].lower() + title[1:] if title[1:2].islower() else title
    if count == high:
        return text
    others = "other" if high - count == 1 else "others"
    return f"{text} ({count:,}) and {high - count:,} {others}"
