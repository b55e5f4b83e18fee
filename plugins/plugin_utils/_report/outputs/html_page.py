# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report as a page for people: one HTML file that loads nothing else. Pure.

The templates are files of the role. They are rendered here because Ansible would take minutes for
thousands of identities, and would not escape the values.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
import typing as t
from collections import Counter
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, UndefinedError
from markupsafe import Markup, escape

from ....module_utils._state.fields import Values
from ....module_utils._text import visible
from ..._findings.rules import SEVERITIES, duration, in_words
from ..._printable import shown
from .picture import picture
from .texts import not_in_list, unseen, with_status

_TEMPLATES = Path(__file__).parents[4] / "roles" / "identities_audit" / "templates" / "page"
# How many identities of a rule, and how many that are new or gone, are shown without a click.
_FEW = 10
_VERY_FEW = 3

_LABELS = {
    "access_token_max_ttl": "Token max TTL",
    "access_token_num_uses_limit": "Token uses",
    "access_token_trusted_ips": "Trusted IPs",
    "access_token_ttl": "Token TTL",
    "allow_all_service_principals": "Who can log in",
    "allowed_service_principal_ids": "Service principals",
    "delete_protection": "Delete protection",
    "metadata": "Metadata",
    "name": "Name",
    "resource": "Audience",
    "role": "Role",
    "state": "Azure Auth",
    "tenant_id": "Tenant",
}
_METHOD = "azure_auth."
_ATTACHED = "azure_auth.state"
_SINCE = {"drifted": "Drifted", "unlisted": "Not in the list", "identities": "Identities"}


def html_page(report: Values) -> str:
    """Return the page of a report. Raises KeyError if the report misses a key."""
    page = _environment().get_template("page.html.j2")
    try:
        # Sentences contain the names as they are, before they are made printable.
        more = {"alike": _said_alike(report), "pastes": _pastes(report)}
        return page.render(_context({**shown(report), **more}))
    except UndefinedError as why:
        raise KeyError(str(why)) from None


@functools.cache
def _environment() -> Environment:
    """Return the environment that renders the templates, and escapes every value in them."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["duration"] = duration
    environment.filters["breakable"] = _breakable
    environment.filters["count"] = "{:,}".format
    environment.filters["split_differences"] = _split
    environment.filters["fields"] = _fields
    environment.filters["weight"] = _weight
    style, script = (
        Markup(environment.get_template(f"page.{kind}.j2").render()) for kind in ("css", "js")
    )
    environment.globals.update(
        style=style,
        script=script,
        # The content security policy of the page allows only these two.
        hashes={"style": _hash(style), "script": _hash(script)},
        label=_label,
        few=_FEW,
        very_few=_VERY_FEW,
    )
    return environment


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _breakable(text: str) -> Markup:
    """Return a name or path with break opportunities for narrow columns."""
    return Markup(re.sub("([_/])", r"\1<wbr>", str(escape(text))))


def _split(item: Values) -> tuple[list[Values], list[Values]]:
    """Return the differences of an identity, and separately those that follow from others.

    If Azure Auth is attached or revoked, all of its settings differ. The page says beside the name
    whether an identity would be created or deleted.
    """
    told = [one for one in item["differences"] if one["field"] != "state"]
    if item["action"] != "update":
        side = "desired" if item["action"] == "create" else "actual"
        return [one for one in told if one[side] not in (None, False, [], {})], []
    if not any(one["field"] == _ATTACHED for one in told):
        return told, []
    following = [
        one for one in told if one["field"].startswith(_METHOD) and one["field"] != _ATTACHED
    ]
    return [one for one in told if one not in following], following


def _fields(items: t.Iterable[Values]) -> list[tuple[str, int]]:
    """Return the settings that differ, with the number of identities, the most frequent first."""
    counts = Counter(
        _label(one["field"])
        for item in items
        if item["action"] == "update"
        for one in _split(item)[0]
    )
    return counts.most_common()


def _label(field: str) -> str:
    option = field.split(".")[-1]
    return _LABELS.get(option, option)


def _pastes(report: Values) -> dict[str, str]:
    """Return the YAML of identities by their keys, printable, with its line breaks."""
    return {
        visible(item["key"]): "\n".join(map(visible, item["paste"].rstrip("\n").split("\n")))
        for item in report["identities"]
        if item["paste"]
    }


def _said_alike(report: Values) -> set[str]:
    """Return the rules whose sentences on identities differ only in the name."""
    names = {
        item["key"]: in_words(item["name"] or item["id"] or "") for item in report["identities"]
    }
    said = {
        rule["rule"]: {
            item["sentence"].replace(names[item["key"]], "", 1)
            for item in rule["identities"]
            if not item["waived"]
        }
        for rule in report["findings"]
    }
    return {rule for rule, sentences in said.items() if len(sentences) == 1}


def _rule(rule: Values) -> dict[str, t.Any]:
    """Return a rule with its open findings and its waived findings.

    `cure` has the settings that resolve the open findings, if they are the same for all of them.
    """
    found = [item for item in rule["identities"] if not item["waived"]]
    cures = [item["set"] for item in found]
    return {
        **rule,
        "open": found,
        "waived": [item for item in rule["identities"] if item["waived"]],
        "cure": cures[0] if cures and cures.count(cures[0]) == len(cures) else None,
    }


def _marks(report: Values) -> dict[str, list[tuple[str, int]]]:
    """Return, for each identity by its key, the number of its findings by severity, worst first."""
    severity = {rule["rule"]: rule["severity"] for rule in report["findings"]}
    marks = {}
    for item in report["identities"]:
        found = Counter(severity[rule] for rule in item["findings"])
        marks[item["key"]] = [(name, found[name]) for name in SEVERITIES if found[name]]
    return marks


def _weight(marks: t.Sequence[tuple[str, int]]) -> str:
    """Return a key that sorts identities by their findings, the worst and most first."""
    numbers = dict(marks)
    return "".join(f"{999 - numbers.get(severity, 0):03}" for severity in SEVERITIES)


def _context(report: Values) -> dict[str, t.Any]:
    """Return the variables of the templates, the report among them."""
    unlisted = not_in_list(report)
    by_key = {item["key"]: item for item in report["identities"]}
    rules = [_rule(rule) for rule in report["findings"]]
    parts = {
        "rules": rules,
        "drifted": with_status(report, "drifted"),
        "unknown": with_status(report, "unknown"),
        "unlisted": [item for item in unlisted if not _has_none(item)],
        "unlisted_without": [item for item in unlisted if _has_none(item)],
        "unseen": unseen(report),
        "idle_waivers": [waiver for waiver in report["waivers"] if waiver["state"] != "used"],
    }
    return {
        "report": report,
        "by_key": by_key,
        "rule_by_name": {rule["rule"]: rule for rule in rules},
        "marks": _marks(report),
        "jumps": _jumps(report, len(unlisted)),
        "since": _since(report),
        "picture": picture(report),
        **parts,
    }


def _has_none(item: Values) -> bool:
    """Return whether an identity is known to have no Azure Auth."""
    return item["azure_auth_known"] and not item["azure_auth"]


def _jumps(report: Values, unlisted: int) -> list[tuple[int, str, str]]:
    """Return the links to the parts of the page: a number, what it counts, and the anchor."""
    counts = report["counts"]
    expired = sum(waiver["state"] == "expired" for waiver in report["waivers"])
    parts = (
        *(
            (
                counts[f"findings_{severity}"],
                f"{severity} finding",
                f"{severity} findings",
                severity,
            )
            for severity in ("high", "medium")
        ),
        (counts["drifted"], "drifted", "drifted", "drift"),
        (counts["unknown"], "could not be checked", "could not be checked", "unknown"),
        (unlisted, "not in the list", "not in the list", "unlisted"),
        (counts["findings_low"], "low finding", "low findings", "low"),
        (counts["waived"], "waived", "waived", "waived"),
        (expired, "expired waiver", "expired waivers", "waived"),
        (len(unseen(report)), "not seen", "not seen", "unseen"),
        (len(report["identities"]), "identity", "identities", "identities"),
    )
    return [
        (number, one if number == 1 else many, anchor)
        for number, one, many, anchor in parts
        if number
    ]


def _since(report: Values) -> list[tuple[str, dict[str, list[Values]]]]:
    """Return what is new and what is gone since an earlier audit, by kind."""
    if not report["baseline"]:
        return []
    titles = {rule["rule"]: rule["title"] for rule in report["findings"]}
    parts = []
    for part, title in (("new", "New"), ("gone", "Gone")):
        kinds: dict[str, list[Values]] = {}
        for kind, items in report["baseline"][part].items():
            for item in items:
                what = _SINCE.get(kind) or titles.get(item["rule"], item["rule"])
                kinds.setdefault(what, []).append(item)
        parts.append((title, kinds))
    return parts
