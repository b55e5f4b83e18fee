# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The changes since an earlier report: what is new and what is gone. Pure."""

from __future__ import annotations

import json
import typing as t

from ...module_utils._state.fields import Values
from ...module_utils._text import quoted

FORMAT = "community.infisical.identities_audit"
VERSION = 2

Item = dict[str, t.Any]
# What identifies an identity in two reports: its ID, or its name and project if it has no ID.
Who = t.Hashable

_PARTS = ("findings", "drifted", "unlisted", "identities")


def read_report(what: str, value: t.Any) -> Values:
    """Return a report of this format and version, which may be given as JSON.

    Raises ValueError for anything else.
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise ValueError(
                f"{what} is not JSON; give the content of the JSON file that an audit wrote."
            ) from None
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise ValueError(
            f"{what} is {quoted(value)}, which is not the report of an audit; give the content of"
            " the JSON file that an audit wrote."
        )
    if value.get("version") != VERSION:
        raise ValueError(
            f"{what} is a report of version {quoted(value.get('version'))}, not {VERSION}; make a"
            " new report with this version of the collection."
        )
    return value


def compared(report: Values, earlier: Values) -> Item:
    """Return what is new in a report and what is gone since an earlier report.

    Nothing counts as gone if it could not be checked this time, nor does a finding that is waived
    or skipped now. Drift and unlisted identities are compared only if both audits had a list, or
    neither had one. Raises ValueError if the reports are about different organizations.
    """
    _refuse_another_organization(report, earlier)
    now, before = _parts(report), _parts(earlier)
    for part in ("drifted", "unlisted") if report["has_list"] != earlier["has_list"] else ():
        now[part], before[part] = {}, {}
    may_remain = _may_remain(report)
    return {
        "created_at": earlier["created_at"],
        "new": {
            part: [item for key, item in now[part].items() if key not in before[part]]
            for part in _PARTS
        },
        "gone": {
            part: [
                item
                for key, item in before[part].items()
                if key not in now[part] and not may_remain(part, key)
            ]
            for part in _PARTS
        },
    }


def _refuse_another_organization(report: Values, earlier: Values) -> None:
    ours, theirs = (
        {item["organization_id"] for item in made["identities"] if item["organization_id"]}
        for made in (report, earlier)
    )
    if ours and theirs and not ours & theirs:
        raise ValueError(
            f"baseline is a report on the organization {quoted(min(theirs))}, but this audit is on"
            f" {quoted(min(ours))}; give an earlier report on the same organization."
        )


def _parts(report: Values) -> dict[str, dict[t.Any, Item]]:
    """Return the items to compare, by what identifies them in both reports."""
    identities = {item["key"]: item for item in report["identities"]}
    return {
        "findings": {
            (rule["rule"], _who(identities[found["key"]])): {
                "rule": rule["rule"],
                **_label(identities[found["key"]]),
            }
            for rule in report["findings"]
            for found in rule["identities"]
            if not found["waived"]
        },
        **{
            status: {
                _who(item): _label(item) for item in identities.values() if item["status"] == status
            }
            for status in ("drifted", "unlisted")
        },
        # Without identities that applying the list would create.
        "identities": {item["id"]: _label(item) for item in identities.values() if _is_there(item)},
    }


def _may_remain(report: Values) -> t.Callable[[str, t.Any], bool]:
    """Return a function that says whether an item may still be there, as far as a report tells."""
    identities = {item["key"]: item for item in report["identities"]}
    there = {item["id"]: item for item in identities.values() if _is_there(item)}
    unknown = {_who(item) for item in report["identities"] if item["status"] == "unknown"}
    unread = {key for key, item in there.items() if not item["azure_auth_known"]}
    accepted = {
        (rule["rule"], _who(identities[found["key"]]))
        for rule in report["findings"]
        for found in rule["identities"]
        if found["waived"]
    }

    def may_remain(part: str, key: t.Any) -> bool:
        rule, who = key if part == "findings" else (None, key)
        if not there or (report["problems"] and who not in there):
            return True
        if rule:
            return who in unread or rule in report["skipped"] or key in accepted
        return part == "drifted" and key in unknown

    return may_remain


def _is_there(item: Values) -> bool:
    return item["id"] is not None and item["action"] != "create"


def _who(item: Values) -> Who:
    return item["id"] or (item["name"], item["project_id"])


def _label(item: Values) -> Item:
    return {"key": item["key"], "name": item["name"]}
