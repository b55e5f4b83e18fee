# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reports of organizations of any size, in every form, by the rules of who reads them."""

from __future__ import annotations

import csv
import io
import json
import re
import time
import typing as t
from collections import Counter
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import jsonschema
import pytest
import yaml
from tools.paths import ROOT

from ansible_collections.community.infisical.plugins.filter.identity_audit_output import (
    FORMS,
    identity_audit_output,
)
from ansible_collections.community.infisical.plugins.filter.identity_audit_report import (
    identity_audit_report,
)
from ansible_collections.community.infisical.plugins.filter.identity_findings import (
    identity_findings,
)
from ansible_collections.community.infisical.plugins.module_utils._text import (
    has_template,
    visible,
)
from audit.harness import play
from audit.reports import (
    WAIVERS,
    earlier_report,
    report,
    world,
)
from audit.worlds import HOSTILE

SCHEMA = ROOT / "roles" / "identities_audit" / "files" / "report.schema.json"
SIZES = (4, 44, 344)

Report = dict[str, t.Any]


@pytest.fixture(scope="module")
def reports() -> dict[str, Report]:
    """Reports of every size, one without a list, and one with an earlier one."""
    made = {str(size): report(size) for size in SIZES}
    made["without a list"] = report(44, has_list=False)
    made["with an earlier one"] = report(344, baseline=earlier_report(344))
    return made


class Large(t.NamedTuple):
    """A report of thousands, and the seconds of processor time that it took to make."""

    report: Report
    seconds: float


@pytest.fixture(scope="module")
def large() -> Large:
    made = world(5000)
    begun = time.process_time()
    done = identity_audit_report(made.desired, made.checks, made.places)
    return Large(done, time.process_time() - begun)


def written(made: Report, form: str) -> str:
    return str(identity_audit_output(made, form))


class Marked(str):
    """A text of somebody else, as ansible-core before 2.19 marks those in results of modules."""


def marked(value: t.Any) -> t.Any:
    """Return a value with all texts in it marked, but for keys."""
    if isinstance(value, str):
        return Marked(value)
    if isinstance(value, dict):
        return {key: marked(item) for key, item in value.items()}
    return [marked(item) for item in value] if isinstance(value, list) else value


def open_findings(made: Report) -> list[tuple[Report, Report]]:
    """The findings that are not waived, each with its rule."""
    return [
        (rule, item)
        for rule in made["findings"]
        for item in rule["identities"]
        if not item["waived"]
    ]


def test_rules_that_were_skipped_are_told_in_every_form_that_tells_what_was_not_seen() -> None:
    for skip, said in (
        (["open_to_tenant"], "The rule open_to_tenant was skipped."),
        (["any_audience", "open_to_tenant"], "2 rules were skipped: open_to_tenant, any_audience."),
    ):
        made = report(44, skip=skip)
        for form in ("console", "markdown", "sarif", "html"):
            assert said in re.sub(r"\\+_", "_", written(made, form)), form


def test_texts_that_ansible_marks_are_texts() -> None:
    made = world(344)
    plain, same = (
        identity_audit_report(as_given(made.desired), as_given(made.checks), made.places)
        for as_given in (list, marked)
    )
    assert same == plain
    for form in FORMS:
        assert written(marked(same), form) == written(plain, form)


# The schema and the documentation


def test_reports_are_as_the_schema_says(reports: dict[str, Report]) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator
    validator.check_schema(schema)
    for made in reports.values():
        validator(schema).validate(json.loads(json.dumps(made)))
    wrong = {**reports["4"], "version": 3, "verdict": {"status": "fine", "sentence": None}}
    assert len([*validator(schema).iter_errors(wrong)]) == 3


def documented(contains: Report, prefix: str = "") -> t.Iterator[str]:
    """Yield the keys that the documentation of the filter has."""
    for name, key in contains.items():
        yield prefix + name
        yield from documented(key.get("contains", {}), f"{prefix}{name}.")


def in_schema(schema: Report, prefix: str = "") -> t.Iterator[str]:
    """Yield the keys that the schema has, all of which are required."""
    properties = schema.get("properties", {})
    assert [*properties] == schema.get("required", [])
    for name, key in properties.items():
        yield prefix + name
        yield from in_schema(key.get("items", key), f"{prefix}{name}.")


def in_report(value: t.Any, known: t.Collection[str], prefix: str = "") -> t.Iterator[str]:
    """Yield the keys of a report, but for those within values that are not described."""
    if isinstance(value, list):
        for item in value:
            yield from in_report(item, known, prefix)
    elif isinstance(value, dict) and (not prefix or any(key.startswith(prefix) for key in known)):
        for name, item in value.items():
            yield prefix + name
            yield from in_report(item, known, f"{prefix}{name}.")


def test_the_documentation_and_the_schema_have_the_keys_of_a_report(
    reports: dict[str, Report],
) -> None:
    text = (ROOT / "plugins" / "filter" / "identity_audit_report.yml").read_text(encoding="utf-8")
    described = [*documented(yaml.safe_load(text)["RETURN"]["_value"]["contains"])]
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    # What a waiver is, the documentation says in words.
    waived = {"findings.identities.waived.reason", "findings.identities.waived.until"}
    assert [key for key in in_schema(schema) if key not in waived] == described
    found = dict.fromkeys(in_report(reports["with an earlier one"], described))
    assert set(found) == set(described)
    # In the same order, so that a report is read as it is documented.
    assert [key for key in found if "." not in key] == [key for key in described if "." not in key]
    identity = [key for key in described if re.fullmatch(r"identities\.\w+", key)]
    assert [f"identities.{key}" for key in reports["4"]["identities"][0]] == identity


# The fixture


def test_the_reports_have_everything_that_a_report_can_have(reports: dict[str, Report]) -> None:
    made = reports["with an earlier one"]
    assert {item["status"] for item in made["identities"]} == {
        *("as_desired", "drifted", "unknown"),
        "unlisted",
    }
    assert {item["action"] for item in made["identities"]} == {None, "create", "update", "delete"}
    assert {rule["severity"] for rule in made["findings"]} == {"high", "medium", "low"}
    assert {item["state"] for item in made["waivers"]} == {"used", "expired", "unused"}
    assert {item["name"] for item in made["identities"]} >= set(HOSTILE)
    for when in ("new", "gone"):
        assert all(made["baseline"][when].values())


# The console


@pytest.mark.parametrize("size", SIZES)
def test_the_console_has_forty_lines_at_most(reports: dict[str, Report], size: int) -> None:
    made = reports[str(size)]
    lines = identity_audit_output(made, "console")
    assert lines[0] == made["verdict"]["sentence"]
    assert len(lines) <= 40
    assert all(line.isprintable() and len(line) <= 420 for line in lines)


def test_the_console_has_forty_lines_with_an_earlier_audit_too(reports: dict[str, Report]) -> None:
    made = reports["with an earlier one"]
    lines = identity_audit_output(made, "console")
    assert len(lines) == 40
    for line, when in zip(lines[1:3], ("new", "gone")):
        assert line.startswith(f"{when.capitalize()} since the audit of ")
        assert f": {len(made['baseline'][when]['findings'])} finding" in line


def test_the_console_says_what_it_leaves_out(large: Large) -> None:
    lines = identity_audit_output(large.report, "console")
    assert len(lines) == 40
    headings = [line for line in lines[1:] if not line.startswith("  ")]
    counts = large.report["counts"]
    assert headings == [
        "Not seen (1):",
        f"Drifted ({counts['drifted']}):",
        f"Could not be checked ({counts['unknown']}):",
        f"High findings ({counts['findings_high']}):",
    ]
    shown = lines.index(headings[2]) - lines.index(headings[1]) - 2
    assert f"  and {counts['drifted'] - shown} more" in lines


# JUnit XML: what junit-10.xsd of Jenkins, which GitLab reads too, has of elements and attributes.
TESTSUITES = {"name", "time", "tests", "failures", "errors", "disabled"}
TESTSUITE = {
    *("name", "tests", "failures", "errors", "group", "time", "skipped", "timestamp", "hostname"),
    *("id", "package", "file", "log", "url", "version"),
}
TESTCASE = {"name", "classname", "time", "status", "class", "file", "line", "assertions"}
OUTCOMES = {"failure": "failures", "error": "errors", "skipped": "skipped"}


def test_junit_is_as_ci_systems_read_it(reports: dict[str, Report]) -> None:
    for made in reports.values():
        text = written(made, "junit")
        assert all(line.isprintable() for line in text.split("\n"))
        root = ElementTree.fromstring(text)
        assert root.tag == "testsuites"
        assert set(root.attrib) <= TESTSUITES
        names: Counter[tuple[str, str]] = Counter()
        for suite in root:
            assert suite.tag == "testsuite"
            assert {"name", "tests"} <= set(suite.attrib) <= TESTSUITE
            found = Counter(outcome.tag for case in suite for outcome in case)
            assert int(suite.attrib["tests"]) == len(suite)
            assert {name: int(suite.attrib[key]) for name, key in OUTCOMES.items()} == {
                name: found[name] for name in OUTCOMES
            }
            for case in suite:
                assert case.tag == "testcase"
                assert {"name", "classname"} <= set(case.attrib) <= TESTCASE
                assert [outcome.tag for outcome in case if outcome.tag not in OUTCOMES] == []
                assert all(set(outcome.attrib) <= {"type", "message"} for outcome in case)
                names[case.attrib["classname"], case.attrib["name"]] += 1
        for key in ("tests", "failures", "errors"):
            assert int(root.attrib[key]) == sum(int(suite.attrib[key]) for suite in root)
        # CI systems take cases of one name for one.
        assert names.most_common(1)[0][1] == 1


def test_junit_has_a_case_for_each_identity_and_finding(reports: dict[str, Report]) -> None:
    made = reports["344"]
    counts = made["counts"]
    suites = {
        suite.attrib["name"]: suite for suite in ElementTree.fromstring(written(made, "junit"))
    }
    drift = Counter(case[0].tag if len(case) else "passed" for case in suites["drift"])
    assert drift == {
        "passed": counts["as_desired"],
        "failure": counts["drifted"],
        "skipped": counts["unlisted"] + counts["unlisted_without_azure_auth"],
    }
    assert int(suites["checked"].attrib["errors"]) == counts["unknown"]
    for severity in ("high", "medium", "low"):
        suite = suites[f"findings-{severity}"]
        assert int(suite.attrib["failures"]) == counts[f"findings_{severity}"]
    skipped = sum(int(suites[name].attrib["skipped"]) for name in suites if "findings" in name)
    assert skipped == counts["waived"]
    named = {case.attrib["name"].partition(" (project")[0] for case in suites["drift"]}
    assert {visible(name)[:60] for name in HOSTILE} <= {name[:60] for name in named}


# SARIF: the essential requirements of its schema on what is used, and nothing else.
TEXT = {"type": "string", "minLength": 1}
MESSAGE = {
    "type": "object",
    "required": ["text"],
    "additionalProperties": False,
    "properties": {"text": TEXT},
}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
RULE = {
    "type": "object",
    "required": ["id", "helpUri", "defaultConfiguration"],
    "additionalProperties": False,
    "properties": {
        "id": TEXT,
        "name": {"type": "string", "pattern": "^[A-Z][A-Za-z0-9]+$"},
        "shortDescription": MESSAGE,
        "fullDescription": MESSAGE,
        "help": MESSAGE,
        "helpUri": {"type": "string", "pattern": "^https://[^ ]+$"},
        "defaultConfiguration": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"level": LEVEL},
        },
        "properties": {
            "type": "object",
            "properties": {
                "tags": {"type": "array", "uniqueItems": True, "items": TEXT},
                # GitHub wants a number in a text.
                "security-severity": {"type": "string", "pattern": r"^(10|[0-9])\.[0-9]$"},
            },
        },
    },
}
LOCATION = {
    "type": "object",
    "required": ["logicalLocations"],
    "additionalProperties": False,
    "properties": {
        "logicalLocations": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"name": TEXT, "fullyQualifiedName": TEXT, "kind": TEXT},
            },
        },
        "physicalLocation": {
            "type": "object",
            "required": ["artifactLocation", "region"],
            "additionalProperties": False,
            "properties": {
                "artifactLocation": {
                    "type": "object",
                    "required": ["uri"],
                    "additionalProperties": False,
                    # Only what a URI has without escapes.
                    "properties": {"uri": {"type": "string", "pattern": "^[!-~]+$"}},
                },
                "region": {
                    "type": "object",
                    "required": ["startLine"],
                    "additionalProperties": False,
                    "properties": {"startLine": {"type": "integer", "minimum": 1}},
                },
            },
        },
    },
}
RESULT = {
    "type": "object",
    "required": ["ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints"],
    "additionalProperties": False,
    "properties": {
        "ruleId": TEXT,
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": LEVEL,
        "message": MESSAGE,
        "locations": {"type": "array", "minItems": 1, "maxItems": 1, "items": LOCATION},
        "partialFingerprints": {"type": "object", "additionalProperties": TEXT},
        "suppressions": {
            "type": "array",
            "uniqueItems": True,
            "items": {
                "type": "object",
                "required": ["kind"],
                "additionalProperties": False,
                "properties": {
                    "kind": {"enum": ["inSource", "external"]},
                    "status": {"enum": ["accepted", "underReview", "rejected"]},
                    "justification": TEXT,
                },
            },
        },
    },
}
INVOCATION = {
    "type": "object",
    "required": ["executionSuccessful"],
    "additionalProperties": False,
    "properties": {
        "executionSuccessful": {"type": "boolean"},
        "endTimeUtc": {
            "type": "string",
            "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z$",
        },
        "toolExecutionNotifications": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["message"],
                "additionalProperties": False,
                "properties": {"level": LEVEL, "message": MESSAGE},
            },
        },
    },
}
SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "pattern": "sarif-schema-2.1.0.json$"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "additionalProperties": False,
                "properties": {
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "additionalProperties": False,
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name", "rules"],
                                "additionalProperties": False,
                                "properties": {
                                    "name": TEXT,
                                    "version": TEXT,
                                    "informationUri": TEXT,
                                    "rules": {"type": "array", "uniqueItems": True, "items": RULE},
                                },
                            }
                        },
                    },
                    "automationDetails": {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {"id": TEXT},
                    },
                    "invocations": {"type": "array", "items": INVOCATION},
                    "results": {"type": "array", "items": RESULT},
                },
            },
        },
    },
}


def test_sarif_is_as_its_schema_says(reports: dict[str, Report]) -> None:
    for made in reports.values():
        log = json.loads(written(made, "sarif"))
        jsonschema.Draft202012Validator(SARIF).validate(log)
        (run,) = log["runs"]
        rules = run["tool"]["driver"]["rules"]
        assert len({rule["id"] for rule in rules}) == len(rules)
        prints = set()
        for result in run["results"]:
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
            prints.add(result["partialFingerprints"]["ruleAndIdentity/v1"])
        assert len(prints) == len(run["results"])


def test_sarif_has_a_result_for_each_finding_and_each_difference(
    reports: dict[str, Report],
) -> None:
    made = reports["344"]
    (run,) = json.loads(written(made, "sarif"))["runs"]
    found = Counter(result["ruleId"] for result in run["results"])
    counts = made["counts"]
    assert found["drift"] == counts["drifted"]
    assert found["unknown"] == counts["unknown"]
    assert found["unlisted"] == counts["unlisted"] + counts["unlisted_without_azure_auth"]
    suppressed = [result for result in run["results"] if "suppressions" in result]
    assert len(suppressed) == counts["waived"] > 0
    levels = Counter(result["level"] for result in run["results"] if "suppressions" not in result)
    assert levels["error"] == counts["findings_high"] + counts["unknown"]
    assert levels["warning"] == counts["findings_medium"] + counts["drifted"]
    sources = {item["source"] for item in made["identities"] if item["source"]}
    for result in run["results"]:
        place = result["locations"][0].get("physicalLocation")
        if place:
            path = unquote(urlsplit(place["artifactLocation"]["uri"]).path)
            assert f"{path}:{place['region']['startLine']}" in sources
        else:
            assert result["ruleId"] not in ("drift", "unknown")


def test_a_message_of_sarif_has_no_link_and_no_placeholder_that_a_name_made() -> None:
    made = report(4)
    made["identities"][0].update(status="drifted", name="[a](https://evil.example) {0} \\")
    (run,) = json.loads(written(made, "sarif"))["runs"]
    texts = [result["message"]["text"] for result in run["results"] if result["ruleId"] == "drift"]
    assert r"\[a\](https://evil.example) {{0}} \\" in texts[0]


def test_a_result_keeps_its_fingerprint_when_its_entry_moves() -> None:
    def prints(made: Report) -> set[str]:
        (run,) = json.loads(written(made, "sarif"))["runs"]
        return {result["partialFingerprints"]["ruleAndIdentity/v1"] for result in run["results"]}

    made = report(44)
    before = prints(made)
    for item in made["identities"]:
        item["source"] = "elsewhere/x.yml:1"
    assert prints(made) == before


# Markdown


def test_markdown_fits_a_comment(reports: dict[str, Report], large: Large) -> None:
    for made in [*reports.values(), large.report]:
        text = written(made, "markdown")
        assert len(text) < 60000
        assert all(line.isprintable() for line in text.split("\n"))
        assert text.count("<details>") == text.count("</details>")
    assert re.search(
        r"^- and [0-9,]+ more in the other reports$",
        written(large.report, "markdown"),
        re.M,
    )


def test_markdown_stays_short_with_the_longest_names(large: Large) -> None:
    identities = [
        {**item, "name": f"{number}{255 * '`'}"}
        for number, item in enumerate(large.report["identities"])
    ]
    made = {**large.report, "identities": identities}
    made["problems"] = ["@" * 5000] * 50
    made["not_visible"] = ["<" * 5000] * 50
    assert len(written(made, "markdown")) < 60000


def test_markdown_shows_the_verdict_the_high_findings_and_what_drifted(
    reports: dict[str, Report],
) -> None:
    made = reports["44"]
    text = written(made, "markdown")
    assert text.startswith("## Audit of machine identities\n\n**")
    shown = text.partition("### High findings")[2].partition("<details>")[0]
    for rule, item in open_findings(made):
        identity = next(one for one in made["identities"] if one["key"] == item["key"])
        if rule["severity"] == "high":
            assert rule["title"] in shown
            assert identity["name"] in shown
    assert f"<summary>Drifted ({made['counts']['drifted']})</summary>" in text


def test_a_name_makes_no_markdown() -> None:
    code = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
    made = report(4)
    for name in ("`", "``a`", "</details><img src=x>", "@all", "[a](b)", "| a |", " a ", "#1"):
        made["identities"][1].update(status="drifted", name=name)
        made["problems"] = [name]
        text = written(made, "markdown")
        spans = [match[2] for match in code.finditer(text)]
        assert any(name in span for span in spans)
        # What is escaped means nothing.
        rest = re.sub(r"\\[!-/:-@\[-`{-~]", "", code.sub("", text))
        for mark in ("<img", "@all", "](b)", "| a", "- #1", "`"):
            assert mark not in rest


# CSV


def test_csv_has_a_row_for_each_finding_and_each_difference(reports: dict[str, Report]) -> None:
    for made in reports.values():
        text = written(made, "csv")
        # Every line ends as RFC 4180 has it, and no text has a line end.
        assert text.endswith("\r\n")
        assert text.count("\n") == text.count("\r") == text.count("\r\n")
        rows = [*csv.DictReader(io.StringIO(text, newline=""), strict=True)]
        assert all(None not in row and None not in row.values() for row in rows)
        kinds = Counter(row["kind"] for row in rows)
        counts = made["counts"]
        assert kinds["finding"] == counts["findings"] + counts["waived"]
        assert kinds["unknown"] == counts["unknown"]
        unlisted = counts["unlisted"] + counts["unlisted_without_azure_auth"]
        assert kinds["unlisted"] == (unlisted if made["has_list"] else 0)
        assert kinds["drift"] == sum(len(item["differences"]) for item in made["identities"])
        waived = {row["waived_because"] for row in rows} - {""}
        assert waived <= {item["reason"] for item in WAIVERS}


def test_no_cell_is_a_formula() -> None:
    made = report(4)
    item = made["identities"][1]
    for name in ("=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1"):
        item.update(name=name, status="unknown", msg=name)
        rows = csv.DictReader(io.StringIO(written(made, "csv"), newline=""))
        (cell,) = {row["name"] for row in rows if row["id"] == item["id"]}
        assert cell[0] in ("'", "\\")
        assert cell.lstrip("'") == visible(name)
    # Where numbers have a comma, a semicolon ends a cell.
    item.update(name='a;b; "=cmd;-1')
    rows = csv.DictReader(io.StringIO(written(made, "csv"), newline=""))
    assert {row["name"] for row in rows if row["id"] == item["id"]} == {"a;b; \"'=cmd;'-1"}


# What it costs


@pytest.mark.parametrize("form", FORMS)
def test_a_form_of_thousands_costs_less_than_its_report(form: str, large: Large) -> None:
    """One that looked up identities one by one would take far longer."""
    # The page has several times as much text as the others.
    most = large.seconds * (4 if form == "html" else 1)
    begun = time.process_time()
    written(large.report, form)
    assert time.process_time() - begun < most


# What is pasted


def test_what_is_pasted_is_read_from_a_file_and_does_what_it_is_for(tmp_path: Path) -> None:
    """What no list can say is a comment: the list leaves alone what it does not name."""
    made = world(344)
    results = made.checks[-1]["results"]
    stored = {"resource": "{{ lookup('pipe', 'id') }}\n", "tenant_id": "x\u202e"}
    odd = results[-1]
    assert odd["index"] is None
    odd["name"] = "{% raw %}"
    odd["azure_auth"].update(dict.fromkeys(stored), details={"stored": stored})
    done = identity_audit_report(made.desired, made.checks, made.places)
    pasted = [item for item in done["identities"] if item["paste"]]
    assert {item["status"] for item in pasted} >= {"unlisted", "as_desired", "drifted"}
    entries = read_by_the_lookup("".join(item["paste"] for item in pasted), tmp_path)
    assert len(entries) == len(pasted)
    states = {result["id"]: result.get("before", result) for result in results}
    can_be_set = {
        (item["key"], rule["rule"])
        for rule in done["findings"]
        for item in rule["identities"]
        if item["set"]
    }
    for item, entry in zip(pasted, entries):
        del entry["source"]
        who = {key: entry.pop(key) for key in ("id", "name", "project_id") if key in entry}
        # By the name where it is one that a list can have.
        assert ("id" in who) is ("name" not in who) is has_template(item["name"])
        assert all(item[key] == value for key, value in who.items())
        state = states[item["id"]]
        azure_auth = {**state["azure_auth"], **entry.get("azure_auth", {})}
        after = {**state, **entry, "azure_auth": azure_auth}
        if item["status"] == "unlisted":
            assert after == state
            assert set(entry) == {"role", "metadata", "delete_protection", "azure_auth"}
        else:
            ended = {rule for rule in item["findings"] if (item["key"], rule) in can_be_set}
            assert ended
            left = {finding["rule"] for finding in identity_findings([after])}
            assert not left & ended
    (text,) = [item["paste"] for item in pasted if item["id"] == odd["id"]]
    comments = [line.strip() for line in text.split("\n") if line.strip().startswith("#")]
    assert all(line.isprintable() for line in comments)
    assert [line for line in comments if "which a list reads as a template" in line]
    assert [line for line in comments if line.startswith("# tenant_id: ")]


def read_by_the_lookup(text: str, folder: Path) -> list[Report]:
    """Return the entries that the lookup reads from a file."""
    (folder / "list.yml").write_text(text, encoding="utf-8")
    content = "{{ query('community.infisical.identity_files', 'list.yml') | to_json }}"
    copy = {"content": content, "dest": str(folder / "read.json")}
    play_ = {"hosts": "localhost", "connection": "local", "gather_facts": False}
    interpreter = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    playbook = [{**play_, "vars": interpreter, "tasks": [{"ansible.builtin.copy": copy}]}]
    (folder / "read.yml").write_text(json.dumps(playbook), encoding="utf-8")
    run = play({}, folder, "read.yml")
    assert run.returncode == 0, run.output[-4000:]
    entries: list[Report] = json.loads((folder / "read.json").read_text(encoding="utf-8"))
    return entries
