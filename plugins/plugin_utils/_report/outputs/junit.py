# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report as JUnit XML, for the test reports of CI systems such as GitLab and Jenkins. Pure."""

from __future__ import annotations

import re
import typing as t
from xml.etree import ElementTree

from ....module_utils._state.fields import Values
from ....module_utils._text import visible
from ..._findings.rules import SEVERITIES
from .texts import changes, file_and_line, names, not_in_list, unseen

_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)?", re.ASCII)
# The element of an outcome, and the attribute of a suite that counts it.
_COUNTED = {"failure": "failures", "error": "errors", "skipped": "skipped"}


class _Case(t.NamedTuple):
    """A test case and, if it did not pass, its outcome: the name of the element and its text."""

    name: str
    outcome: str | None = None
    kind: str = ""
    message: str = ""
    text: str = ""
    source: tuple[str, int] | None = None


def junit(report: Values) -> str:
    """Return an XML document with a suite for each of drift, checks, and severity of findings."""
    called = names(report)
    suites = {
        "drift": _drift(report, called),
        "checked": _checked(report, called),
        **{f"findings-{name}": _findings(report, called, name) for name in SEVERITIES},
    }
    root = ElementTree.Element("testsuites", {"name": "identities_audit"})
    stamp = report["created_at"] or ""
    totals = dict.fromkeys(("tests", *_COUNTED.values()), 0)
    for name, cases in suites.items():
        counts = _counts(cases)
        dated = {"timestamp": stamp} if _TIMESTAMP.fullmatch(stamp) else {}
        suite = ElementTree.SubElement(
            root, "testsuite", {"name": name, **_texts(counts), "time": "0", **dated}
        )
        for case in cases:
            _add(suite, name, case)
        totals = {key: totals[key] + counts[key] for key in totals}
    # Only suites count skipped cases.
    root.attrib.update(_texts({key: totals[key] for key in totals if key != "skipped"}))
    root.set("time", "0")
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _drift(report: Values, called: t.Mapping[str, str]) -> list[_Case]:
    """Return a case for each identity that was compared, and for each that is not in the list."""
    cases = []
    for item in report["identities"]:
        name, source = called[item["key"]], file_and_line(item)
        if item["status"] == "as_desired":
            cases.append(_Case(name, source=source))
        elif item["status"] == "drifted":
            texts = changes(item)
            cases.append(
                _Case(name, "failure", "drift", ", ".join(texts), "\n".join(texts), source=source)
            )
    return [
        *cases,
        *(
            _Case(called[item["key"]], "skipped", message="It is not in the list.")
            for item in not_in_list(report)
        ),
    ]


def _checked(report: Values, called: t.Mapping[str, str]) -> list[_Case]:
    """Return a case for the audit, and one for each identity that could not be checked."""
    said = "\n".join(map(visible, [*report["problems"], *unseen(report)]))
    whole = _Case("The audit read everything that the login can see")
    if report["problems"]:
        whole = whole._replace(
            outcome="error", kind="incomplete", message=visible(report["problems"][0]), text=said
        )
    return [
        whole,
        *(
            _Case(
                called[item["key"]],
                "error",
                item["error"] or "unknown",
                visible(item["msg"]),
                source=file_and_line(item),
            )
            for item in report["identities"]
            if item["status"] == "unknown"
        ),
    ]


def _findings(report: Values, called: t.Mapping[str, str], severity: str) -> list[_Case]:
    """Return a case for each finding of a severity; one that is waived is skipped."""
    sources = {item["key"]: file_and_line(item) for item in report["identities"]}
    cases = []
    for rule in report["findings"]:
        for item in rule["identities"] if rule["severity"] == severity else ():
            case = _Case(f"{rule['rule']}: {called[item['key']]}", source=sources[item["key"]])
            waived = item["waived"]
            if waived:
                case = case._replace(
                    outcome="skipped",
                    message=f"Waived until {waived['until']}: {visible(waived['reason'])}",
                )
            else:
                text = "\n".join([rule["why"], rule["fix"], rule["link"]])
                case = case._replace(
                    outcome="failure",
                    kind=rule["rule"],
                    message=visible(item["sentence"]),
                    text=text,
                )
            cases.append(case)
    return cases


def _add(suite: ElementTree.Element, area: str, case: _Case) -> None:
    attributes = {"classname": f"identities_audit.{area}", "name": case.name, "time": "0"}
    if case.source:
        attributes.update(file=visible(case.source[0]), line=str(case.source[1]))
    element = ElementTree.SubElement(suite, "testcase", attributes)
    if case.outcome:
        told = {"type": visible(case.kind)} if case.kind else {}
        outcome = ElementTree.SubElement(element, case.outcome, {**told, "message": case.message})
        outcome.text = case.text or case.message


def _counts(cases: t.Sequence[_Case]) -> dict[str, int]:
    outcomes = [case.outcome for case in cases]
    return {
        "tests": len(cases),
        **{counted: outcomes.count(outcome) for outcome, counted in _COUNTED.items()},
    }


def _texts(counts: t.Mapping[str, int]) -> dict[str, str]:
    return {key: str(count) for key, count in counts.items()}
