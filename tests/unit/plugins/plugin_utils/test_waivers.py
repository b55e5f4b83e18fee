# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import re
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.community.infisical.plugins.plugin_utils._findings.findings import (
    RULES,
    Found,
    find,
    read_criteria,
)

Object = dict[str, t.Any]

TODAY = datetime.date(2026, 9, 30)
ID = "6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b"
PROJECT = "0f0e0d0c-0b0a-4908-8706-050403020100"
RULE = "several_auth_methods"


def identity(name: str | None, **changes: t.Any) -> Object:
    """Return an identity that has two findings."""
    return {
        "id": ID,
        "name": name,
        "project_id": None,
        "state": "present",
        "role": "admin",
        "delete_protection": False,
        "details": {"auth_methods": ["azure-auth", "aws-auth"]},
        **changes,
    }


def waiver(**changes: t.Any) -> Object:
    return {"rule": RULE, "identity": "billing", "reason": "Moving.", "until": "2026-09-30"} | {
        key: value for key, value in changes.items() if value is not None
    }


def look(objects: list[Object], *waivers: Object, **options: t.Any) -> Found:
    return find(objects, read_criteria({"waivers": waivers, **options}), TODAY)


def waived(found: Found) -> list[str]:
    return [finding["rule"] for finding in found.findings if finding["waived"]]


@pytest.mark.parametrize(
    ("name", "changes", "text"),
    [
        ("billing", {}, "billing"),
        ("billing", {}, " billing\t"),
        ("billing", {}, ID),
        ("billing", {}, ID.upper()),
        ("billing", {}, "{" + ID.replace("-", "") + "}"),
        ("billing", {}, "bill*"),
        ("billing", {}, "*"),
        ("billing", {}, "b?lling"),
        ("billing", {}, "[a-c]illing"),
        ("a\nb", {}, "a*b"),
        (None, {}, ID),
        (None, {"id": None, "details": {"auth_methods": ["a", "b"], "stored": {"name": "x"}}}, "x"),
    ],
)
def test_whom_a_waiver_is_for(name: str | None, changes: Object, text: str) -> None:
    found = look([identity(name, **changes)], waiver(identity=text))
    assert waived(found) == [RULE]
    assert found.findings[0]["waived"] == {"reason": "Moving.", "until": "2026-09-30"}
    assert [item["state"] for item in found.waivers] == ["used"]


@pytest.mark.parametrize("text", ["bill", "Billing", "bill?", PROJECT, "billing*?", "x"])
def test_whom_a_waiver_is_not_for(text: str) -> None:
    found = look([identity("billing")], waiver(identity=text))
    assert waived(found) == []
    assert [item["state"] for item in found.waivers] == ["unused"]


def test_a_name_that_looks_like_a_pattern_is_meant_as_it_is() -> None:
    objects = [identity("app[1]"), identity("app1")]
    found = look(objects, waiver(identity="app[1]"))
    assert [finding["name"] for finding in found.findings if finding["waived"]] == ["app[1]"]
    found = look(objects[1:], waiver(identity="app[1]"))
    assert [finding["name"] for finding in found.findings if finding["waived"]] == ["app1"]


def test_a_waiver_by_id_is_for_nobody_who_is_called_so() -> None:
    other = identity(ID, id=PROJECT)
    found = look([identity("billing"), other], waiver(identity=ID))
    assert [finding["id"] for finding in found.findings if finding["waived"]] == [ID]
    # Where nobody has that id, it is a name like any other.
    assert waived(look([other], waiver(identity=ID))) == [RULE]


def test_a_waiver_can_be_for_what_one_project_owns() -> None:
    objects = [identity("billing"), identity("billing", project_id=PROJECT)]
    spelling = PROJECT.replace("-", "").upper()
    found = look(objects, waiver(project_id=spelling))
    owners = [finding["project_id"] for finding in found.findings if finding["waived"]]
    assert owners == [PROJECT]
    assert found.waivers[0]["project_id"] == PROJECT
    assert len(waived(look(objects, waiver()))) == 2


def test_a_waiver_of_all_rules() -> None:
    found = look([identity("billing")], waiver(rule="*"))
    assert waived(found) == [RULE, "unprotected_privileged_identity"]
    # What is waived does not count, but is told.
    assert [(rule["rule"], rule["count"], rule["total"]) for rule in found.rules] == [
        (RULE, 0, 1),
        ("unprotected_privileged_identity", 0, 1),
    ]
    assert found.rules[0]["sentence"] == ("billing has 2 auth methods: Azure Auth and AWS Auth.")


def test_the_sentence_on_many_is_about_those_that_are_not_waived() -> None:
    objects = [identity(f"n{n}") for n in range(4)]
    rule, _other = look(objects, waiver(identity="n[01]")).rules
    assert (rule["count"], rule["total"]) == (2, 4)
    assert rule["sentence"] == "2 of 4 identities have more than one auth method."


@pytest.mark.parametrize(
    ("until", "text", "state"),
    [
        ("2026-09-29", "2026-09-29", "expired"),
        ("2026-09-30", "2026-09-30", "used"),
        (" 2999-12-31 ", "2999-12-31", "used"),
        # As YAML reads them without quotes.
        (datetime.date(2026, 9, 30), "2026-09-30", "used"),
        (datetime.datetime(2026, 9, 29, 23, tzinfo=datetime.timezone.utc), "2026-09-29", "expired"),
    ],
)
def test_a_waiver_holds_to_the_end_of_its_day(until: t.Any, text: str, state: str) -> None:
    found = look([identity("billing")], waiver(until=until))
    assert found.waivers == [
        {
            "rule": RULE,
            "identity": "billing",
            "project_id": None,
            "reason": "Moving.",
            "until": text,
            "state": state,
        }
    ]
    assert bool(waived(found)) == (state == "used")


def test_of_several_waivers_the_first_that_holds_is_told_and_all_are_used() -> None:
    given = [
        waiver(until="2026-01-01", reason="Old."),
        waiver(identity="b*", reason="First."),
        waiver(rule="*", reason="Second."),
        waiver(rule="unlimited_uses"),
    ]
    found = look([identity("billing")], *given)
    assert found.findings[0]["waived"] == {"reason": "First.", "until": "2026-09-30"}
    states = ["expired", "used", "used", "unused"]
    assert [item["state"] for item in found.waivers] == states


def test_a_waiver_of_a_rule_that_is_skipped_is_unused() -> None:
    found = look([identity("billing")], waiver(), skip=[RULE])
    assert [item["state"] for item in found.waivers] == ["unused"]


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ("billing", "waivers[0] is 'billing', which is not a dictionary; give one with the keys"),
        (waiver(untill=1), "waivers[0] has the key 'untill', which is not a key of a waiver;"),
        ({**waiver(), "rule": None}, "waivers[0] has no rule; write the name of a rule, or '*'"),
        (
            waiver(rule="uses"),
            "waivers[0] has the rule 'uses', which does not exist; the rules are",
        ),
        (waiver(rule=["x"]), "waivers[0] has ['x'] for rule; write the name of a rule, or '*' for"),
        ({**waiver(), "identity": None}, "waivers[0] has no identity; write a name, an ID, or a"),
        (waiver(identity=8), "waivers[0] has 8 for identity; write a name, an ID, or a pattern"),
        (waiver(project_id="x"), "waivers[0] has the project_id 'x', which is not a UUID; write"),
        ({**waiver(), "reason": None}, "waivers[0] has no reason; write why the finding is acce"),
        (waiver(reason=" "), "waivers[0] has ' ' for reason; write why the finding is accepted"),
        ({**waiver(), "until": None}, "waivers[0] has no until; write the last day of the waiver,"),
        (
            waiver(until="soon"),
            "waivers[0] has 'soon' for until; write the last day of the waiver,",
        ),
        (waiver(until="2026-02-30"), "waivers[0] has '2026-02-30' for until; write the last day"),
        (waiver(until="20260930"), "waivers[0] has '20260930' for until; write the last day of"),
        (waiver(until=20260930), "waivers[0] has 20260930 for until; write the last day of the"),
    ],
)
def test_what_is_wrong_with_a_waiver_is_one_sentence(item: t.Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}[^\n]*\\.$"):
        read_criteria({"waivers": [item]})


names = st.sampled_from(["billing", "reports", "ci-1", "", None])
rules = st.sampled_from([*(rule.name for rule in RULES), "*"])
days = st.dates(datetime.date(2026, 9, 1), datetime.date(2026, 10, 31))
patterns = st.sampled_from(["billing", "ci-*", "*", ID, "[", "nobody"])


@given(
    st.lists(st.builds(identity, names), max_size=4),
    st.lists(st.builds(waiver, rule=rules, identity=patterns, until=days), max_size=4),
)
def test_waivers_change_what_is_open_and_nothing_else(
    objects: list[Object], waivers: list[Object]
) -> None:
    plain, found = look(objects), look(objects, *waivers)
    assert [{**finding, "waived": None} for finding in found.findings] == plain.findings
    holding = [item for item in waivers if item["until"] >= TODAY]
    for finding in found.findings:
        mine = [item["rule"] for item in holding if _is_for(item["identity"], finding)]
        assert bool(finding["waived"]) == (finding["rule"] in mine or "*" in mine)
    used = {item["state"] for item in found.waivers if item["until"] < "2026-09-30"}
    assert used <= {"expired"}


def _is_for(pattern: str, finding: Object) -> bool:
    name = finding["name"] or ""
    if pattern == "ci-*":
        return bool(name.startswith("ci-"))
    return pattern in ("*", ID, name)
