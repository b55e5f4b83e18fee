# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report as SARIF 2.1.0, for code scanning such as GitHub's. Pure.

The format: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import hashlib
import json
import re
import typing as t
from urllib.parse import quote

from ....module_utils._state.fields import Values
from ....module_utils._text import visible
from ..._findings.rules import HIGH, LOW, MEDIUM
from ..differences import UPDATE
from .texts import changes, file_and_line, names, not_in_list, unseen, with_status

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
GUIDE = (
    "https://github.com/ansible-collections/community.infisical/blob/main/docs/docsite/rst/"
    "guide_audits.rst"
)

_LEVELS = {HIGH: "error", MEDIUM: "warning", LOW: "note"}
# GitHub ranks scores from 7.0 as high, and from 4.0 as medium.
_SCORES = {HIGH: "8.0", MEDIUM: "5.0", LOW: "2.0"}
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", re.ASCII)
# Characters with a meaning in a message: those of placeholders and links.
_MEANING = {"{": "{{", "}": "}}", "[": "\\[", "]": "\\]", "\\": "\\\\"}

Item = dict[str, t.Any]

# The results of an audit other than findings, as rules.
_RULES: t.Mapping[str, tuple[str, str, str, str]] = {
    "drift": (
        "warning",
        "Drift",
        "An identity does not match the list.",
        "Apply the list, or change the list.",
    ),
    "unknown": (
        "error",
        "Could not be checked",
        "The audit could not tell whether an identity matches the list.",
        "Solve the problem in the message, and run the audit again.",
    ),
    "unlisted": (
        "note",
        "Not in the list",
        "An identity is not in the list, so the audit could not compare it.",
        "Add it to the list, or delete it.",
    ),
}


def sarif(report: Values) -> str:
    """Return a SARIF log with one run, as JSON."""
    rules = [_rule(name, *texts, GUIDE) for name, texts in _RULES.items()]
    rules += [_finding_rule(rule) for rule in report["findings"]]
    places = {rule["id"]: index for index, rule in enumerate(rules)}
    identities = {item["key"]: item for item in report["identities"]}
    called = names(report)
    results = [
        {
            "ruleId": rule,
            "ruleIndex": places[rule],
            "level": rules[places[rule]]["defaultConfiguration"]["level"],
            "message": {"text": _message(text)},
            "locations": [_location(identities[key], called[key])],
            "partialFingerprints": {"ruleAndIdentity/v1": _fingerprint(rule, identities[key])},
            **suppressed,
        }
        for rule, key, text, suppressed in _results(report, called)
    ]
    driver = {
        "name": "community.infisical.identities_audit",
        "informationUri": GUIDE,
        "rules": rules,
    }
    version = (report["versions"] or {}).get("collection")
    if isinstance(version, str):
        driver["version"] = visible(version)
    run: Item = {
        "tool": {"driver": driver},
        "invocations": [_invocation(report)],
        "results": results,
    }
    if report["organization"]:
        # So that runs on different organizations do not replace each other.
        run["automationDetails"] = {"id": f"identities_audit/{visible(report['organization'])}/"}
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _results(report: Values, called: t.Mapping[str, str]) -> t.Iterator[tuple[str, str, str, Item]]:
    """Yield, for each result, its rule, the key of the identity, the text, and its suppression."""
    for item in with_status(report, "drifted"):
        name = called[item["key"]]
        said = ", ".join(changes(item))
        text = f"{name} has drifted: {said}." if item["action"] == UPDATE else f"{name} {said}."
        yield "drift", item["key"], text, {}
    for item in with_status(report, "unknown"):
        name = called[item["key"]]
        yield "unknown", item["key"], f"{name} could not be checked: {item['msg']}", {}
    for item in not_in_list(report):
        yield "unlisted", item["key"], f"{called[item['key']]} is not in the list.", {}
    for rule in report["findings"]:
        for item in rule["identities"]:
            yield rule["rule"], item["key"], item["sentence"], _suppressions(item["waived"])


def _suppressions(waived: Values | None) -> Item:
    if not waived:
        return {}
    why = _message(f"Until {waived['until']}: {waived['reason']}")
    return {"suppressions": [{"kind": "external", "status": "accepted", "justification": why}]}


def _rule(
    name: str, level: str, title: str, why: str, fix: str, link: str, **properties: str
) -> Item:
    return {
        "id": name,
        "name": "".join(word.capitalize() for word in name.split("_")),
        "shortDescription": {"text": _message(title)},
        "fullDescription": {"text": _message(why)},
        "help": {"text": _message(f"{why} {fix}")},
        "helpUri": link,
        "defaultConfiguration": {"level": level},
        "properties": {"tags": ["security"], **properties},
    }


def _finding_rule(rule: Values) -> Item:
    score = {"security-severity": _SCORES[rule["severity"]]}
    texts = (rule[key] for key in ("title", "why", "fix", "link"))
    return _rule(rule["rule"], _LEVELS[rule["severity"]], *texts, **score)


def _location(item: Values, name: str) -> Item:
    """Return the location of a result: the identity, and the file of its entry if there is one."""
    place: Item = {
        "logicalLocations": [
            {
                "name": name,
                "fullyQualifiedName": f"{name} {visible(item['key'])}",
                "kind": "resource",
            }
        ]
    }
    source = file_and_line(item)
    if source:
        path = quote(source[0], errors="replace")
        place["physicalLocation"] = {
            "artifactLocation": {"uri": f"file://{path}" if path.startswith("/") else path},
            "region": {"startLine": source[1]},
        }
    return place


def _fingerprint(rule: str, item: Values) -> str:
    """Return a fingerprint that is the same in each audit, even if the entry moves."""
    who = item["id"] or [item["name"], item["project_id"]]
    return hashlib.sha256(json.dumps([rule, who]).encode()).hexdigest()


def _invocation(report: Values) -> Item:
    told = [("error", text) for text in report["problems"]]
    told += [("note", f"Not seen: {text}") for text in unseen(report)]
    invocation: Item = {
        "executionSuccessful": report["complete"],
        "toolExecutionNotifications": [
            {"level": level, "message": {"text": _message(text)}} for level, text in told
        ],
    }
    stamp = report["created_at"] or ""
    if _TIMESTAMP.fullmatch(stamp):
        invocation["endTimeUtc"] = stamp
    return invocation


def _message(text: str) -> str:
    """Return a text as a message, without placeholders and links."""
    return "".join(_MEANING.get(char, char) for char in visible(text))
