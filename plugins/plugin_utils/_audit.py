# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of an audit, from the results of modules. Pure: results in, a dictionary out."""

from __future__ import annotations

import typing as t

from ..module_utils._azure_auth import AZURE_AUTH
from ..module_utils._model import Values, uuid_or_none
from ..module_utils._text import trim
from ._findings import SEVERITIES

FORMAT = "community.infisical.azure_auth_audit"
VERSION = 1

_ORDER = ("state", *(field.option for field in AZURE_AUTH.fields))

Item = dict[str, t.Any]
# Of identities, by id; both may be None.
Names = t.Mapping[t.Any, t.Any]


def report(
    desired: t.Sequence[t.Any],
    checks: t.Sequence[Values],
    info: Values,
    findings: t.Sequence[Values],
    about: Values,
) -> Item:
    """Return the report.

    `desired` is the list. `checks` are results of infisical_azure_auths under check mode with diff;
    together they are about every entry, but for those that were not tried. `info` is the result of
    infisical_azure_auth_info, `findings` are those of the filter. `about` goes into the report as
    it is.
    """
    azure_auths = info.get("azure_auths") or []
    names = {item["identity_id"]: item.get("identity_name") for item in azure_auths}
    drifted: list[Item] = []
    not_judged: list[Item] = []
    problems = []
    judged = 0
    for result in checks:
        failed = [item for item in result.get("results", []) if item["failed"]]
        # A list that was refused has entries that failed, though none was tried.
        tried = result.get("checked", 0)
        judged += max(tried - len(failed), 0)
        not_judged += [_failed(item, names, refused=not tried) for item in failed]
        drifted += _drifted(result, names)
    untried = len(desired) - judged - len(not_judged)
    if untried:
        said = checks[-1].get("msg") if checks else None
        problems.append(
            f"{untried} of the identities in the list were not tried. {said or ''}".strip()
        )
    if info.get("msg"):
        problems.append(f"Not all of the organization could be read. {info['msg']}")
    unlisted = _unlisted(desired, azure_auths)
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
        "drifted": drifted,
        "not_judged": not_judged,
        "unlisted": unlisted,
        "findings": grouped,
    }


def _drifted(result: Values, names: Names) -> list[Item]:
    """Return what differs, of each identity that would be changed."""
    # There is a difference for each identity that did not fail, in the same order.
    changed = [item for item in result.get("results", []) if not item["failed"]]
    return [
        {
            **_identity(item, names),
            "fields": [
                {"field": field, "desired": after.get(field), "actual": before.get(field)}
                for before, after in [(difference["before"], difference["after"])]
                for field in _ORDER
                if before.get(field) != after.get(field)
            ],
        }
        for item, difference in zip(changed, result["diff"] if changed else [])
    ]


def _failed(item: Values, names: Names, *, refused: bool) -> Item:
    """Return an identity with the reason why it could not be judged."""
    known = ("msg", "http_status", "error", "request_id")
    failed = {**_identity(item, names), **{key: item[key] for key in known if key in item}}
    if refused:
        # The place in the part of the list that a task was given means nothing to the reader.
        text = failed["msg"].removeprefix(f"azure_auths[{item['index']}]")
        for label in (failed["identity_name"], failed["identity_id"]):
            text = text.removeprefix(f" ({label})")
        failed["msg"] = text.removeprefix(":").strip()
    return failed


def _identity(item: Values, names: Names) -> Item:
    """Return which identity a result is about, as far as it is known.

    The name in a result may be the label of an entry; the real one goes before it.
    """
    identity_id = item.get("identity_id")
    return {
        "identity_id": identity_id,
        "identity_name": names.get(identity_id) or item.get("identity_name"),
    }


def _unlisted(desired: t.Sequence[t.Any], azure_auths: t.Sequence[Values]) -> list[Item]:
    """Return the identities that have Azure Auth and are not in the list."""
    ids = set()
    names = set()
    for entry in desired:
        if not isinstance(entry, dict):
            continue
        # With both, the id decides, and the name is a label.
        identity_id = trim(str(entry.get("identity_id") or ""))
        if identity_id:
            ids.add(uuid_or_none(identity_id))
        else:
            names.add(trim(str(entry.get("identity_name") or "")))
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
