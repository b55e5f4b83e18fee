# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names that a list gives and takes: checked on the end, and before anything is done."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.community.infisical.plugins.module_utils._state.entry import Desired
from ansible_collections.community.infisical.plugins.module_utils._state.identities import (
    Identity,
    Reference,
)
from ansible_collections.community.infisical.plugins.module_utils._state.names import (
    name_problems,
    names_afterwards,
)

A, B, C = (f"{n}f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b" for n in "123")
PROJECT, OTHER_PROJECT = (f"{n}f0e0d0c-0b0a-4908-8706-050403020100" for n in "01")
ORGANIZATION = "0f8d7c6b-5a49-4382-b716-0514f3e2d1c0"
SEARCH = "POST /api/v1/identities/search"
SEARCH_2 = "POST /api/v2/identities/search"

PRESENT, ABSENT = Desired({}, {}), Desired(None, {})
REVOKED = Desired({}, {"azure_auth": None})


class Row(t.NamedTuple):
    """An entry of a list: its id and its name, and what there is, called and owned so."""

    id: str | None = None
    name: str | None = None
    called: str | None = None
    project: str | None = None
    desired: Desired = PRESENT


def stored(identity_id: str, name: str, project: str | None = None) -> Identity:
    return Identity(identity_id, name, ORGANIZATION, project_id=project)


def problems_of(server: t.Any, *rows: Row, others: t.Mapping[str, str] | None = None) -> list[str]:
    """What is said of a list, where the organization has those of it and `others`, by id."""
    names = {row.id or C: row.called for row in rows if row.called and not row.project}

    def search(request: t.Any) -> t.Any:
        wanted = request.body["search"]["name"]["$in"]
        has = {**names, **(others or {})}.items()
        items = [member(identity_id, name) for identity_id, name in has if name in wanted]
        return {"identities": items, "totalCount": len(items)}

    server.answers[SEARCH] = search
    found: dict[Reference, Identity | None] = {}
    desired = {}
    for place, row in enumerate(rows):
        label = f"identities[{place}] ({row.name or row.id})"
        item = Reference(row.id, row.name, row.project, label=label, place=place)
        known = stored(row.id or C, row.called, row.project) if row.called else None
        found[item], desired[item] = known, row.desired
    problems = name_problems(server.api(), found, desired)
    assert all(str(problem.place) in problem.sentence for problem in problems)
    return [problem.sentence for problem in problems]


def member(identity_id: t.Any, name: t.Any) -> dict[str, t.Any]:
    inner = {"id": identity_id, "name": name, "authMethods": [], "orgId": ORGANIZATION}
    return {"orgId": ORGANIZATION, "identity": inner}


RIGHT: dict[str, list[Row]] = {
    "nothing": [],
    "the names that they have": [Row(A, "a", "a"), Row(B, "b", "b"), Row(None, "c", "c")],
    "a free name": [Row(A, "new", "a")],
    "two swap their names": [Row(A, "b", "a"), Row(B, "a", "b")],
    "three in a ring": [Row(A, "b", "a"), Row(B, "c", "b"), Row(C, "a", "c")],
    "the name of one that gets another": [Row(A, "b", "a"), Row(B, "c", "b")],
    "the name of one that is deleted": [Row(B, None, "b", desired=ABSENT), Row(A, "b", "a")],
    "one that is deleted and named so": [Row(B, "b", "b", desired=ABSENT), Row(A, "b", "a")],
    "one to delete by its name": [Row(A, "a", "a"), Row(None, "gone", desired=ABSENT)],
    "a renamed one and a new one": [Row(A, "b", "a"), Row(None, "c")],
    "new names that count up": [Row(None, "app 1"), Row(None, "app 2")],
    "one name, new to two owners": [Row(None, "x"), Row(None, "X", project=PROJECT)],
    "names alike that create nothing": [
        Row(None, "Gone", desired=ABSENT),
        Row(None, "gone", desired=REVOKED),
    ],
    "one that is not there": [Row(A, "b")],
}


@pytest.mark.parametrize("title", RIGHT)
def test_lists_that_are_right_in_the_end(title: str, server: t.Any) -> None:
    assert problems_of(server, *RIGHT[title]) == []


def test_no_name_is_looked_for_where_none_changes(server: t.Any) -> None:
    problems_of(server, *RIGHT["the names that they have"])
    assert server.asked == []


TAKEN = f"name 'x' is the name of another identity ({C}); choose another name for {A}."
WRONG: dict[str, tuple[list[Row], str]] = {
    "twice the same": (
        [Row(A, "new", "a"), Row(B, "new", "b")],
        "identities[1] (new) gets the same name as identities[0] (new); choose another name for",
    ),
    "another's": ([Row(A, "x", "a")], f"identities[0] (x): {TAKEN}"),
    "at the end of a chain": (
        [Row(B, "a", "b"), Row(A, "x", "a")],
        f"identities[1] (x): {TAKEN}",
    ),
    "one that is to be deleted, and is another": (
        [Row(A, "x", "a"), Row(B, None, "b", desired=ABSENT)],
        f"identities[0] (x): {TAKEN}",
    ),
    "created and given at once": (
        [Row(A, "new", "a"), Row(None, "new")],
        (
            "identities[1] (new) has the name that identities[0] (new) gets in this task; list that"
            " identity once, by its ID."
        ),
    ),
    "letter case": (
        [Row(None, "Billing"), Row(None, "billing")],
        (
            "identities[1] (billing) and identities[0] (Billing) are new, but their names differ"
            " only in letter case, Unicode form or spaces; list one of them, or use clearly"
            " different names."
        ),
    ),
    "blanks": ([Row(None, "bill ing"), Row(None, "billing")], "are new, but their names differ"),
    "Unicode": ([Row(None, "\u00e9"), Row(None, "e\u0301")], "are new, but their names differ"),
}


@pytest.mark.parametrize("title", WRONG)
def test_lists_that_two_of_one_name_would_come_of(title: str, server: t.Any) -> None:
    rows, message = WRONG[title]
    (sentence,) = problems_of(server, *rows, others={C: "x"})
    assert message in sentence


def test_one_name_for_two_owners_is_no_name_twice(server: t.Any) -> None:
    answer = {"identities": [], "totalCount": 0}
    server.answers.update({f"GET /api/v1/projects/{PROJECT}/identities": answer, SEARCH_2: answer})
    assert problems_of(server, Row(A, "x", "a"), Row(B, "x", "b", PROJECT)) == []
    owned = Row(B, "x", "b", PROJECT)
    (sentence,) = problems_of(server, owned, Row(A, "x", "a", PROJECT))
    assert sentence == (
        "identities[1] (x) gets the same name as identities[0] (x); choose another name for one of"
        " them."
    )


def test_the_names_afterwards() -> None:
    def item(identity_id: str | None, name: str | None) -> Reference:
        return Reference(identity_id, name)

    found = {
        item(A, "new"): stored(A, "a"),
        item(B, None): stored(B, "b"),
        item(None, "c"): stored(C, "c"),
        item(None, "fresh"): None,
    }
    desired = dict(zip(found, (PRESENT, PRESENT, ABSENT, PRESENT)))
    assert names_afterwards(found, desired) == {A: "new", C: ""}
    # Also of those that were not read.
    assert names_afterwards({}, {item(A, "new"): PRESENT, item(B, "b"): ABSENT}) == {
        A: "new",
        B: "",
    }
