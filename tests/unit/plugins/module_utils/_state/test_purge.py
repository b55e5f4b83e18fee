# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whom a purge takes an auth method from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.community.infisical.plugins.module_utils._state.entry import Desired
from ansible_collections.community.infisical.plugins.module_utils._state.identities import (
    Identity,
    Reference,
)
from ansible_collections.community.infisical.plugins.module_utils._state.purge import (
    surplus,
    to_keep,
)

ID = "6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b"
OTHER = "8a6d3f0e-5d0c-4c43-9a0e-0d6b5a1f7c21"
THIRD = "1f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b"
PROJECT = "0f0e0d0c-0b0a-4908-8706-050403020100"
OPTION = "purge_azure_auth_except"
PRESENT, ABSENT = Desired({}, {"azure_auth": {}}), Desired(None, {})


def identity(identity_id: str, name: str, *methods: str) -> Identity:
    return Identity(identity_id, name, "org", methods=methods or ("azure-auth",))


A, B, C = identity(ID, "a"), identity(OTHER, "b"), identity(THIRD, "c")


def kept(*texts: str) -> list[Reference]:
    """Those to keep, as options name them."""
    return [
        Reference(
            text if len(text) == 36 else None,
            None if len(text) == 36 else text,
            option=f"{OPTION}[{index}]",
        )
        for index, text in enumerate(texts)
    ]


def entry(
    place: int, name: str | None, *, identity_id: str | None = None, project_id: str | None = None
) -> Reference:
    label = f"identities[{place}] ({name or identity_id})"
    return Reference(identity_id, name, project_id, label, place=place)


def keep(
    texts: list[str],
    entries: dict[Reference, Identity | None] | None = None,
    members: tuple[Identity, ...] = (A, B, C),
    desired: dict[Reference, Desired] | None = None,
) -> tuple[set[str], list[tuple[int | None, str]]]:
    entries = entries or {}
    wanted = {item: (desired or {}).get(item, PRESENT) for item in entries}
    ids, problems = to_keep(OPTION, kept(*texts), members, entries, wanted)
    return ids, [(problem.place, problem.sentence) for problem in problems]


def test_ids_and_names_of_identities_that_are_there() -> None:
    assert keep([ID, "b"]) == ({ID, OTHER}, [])
    assert keep([ID, "a"]) == ({ID}, [])


@pytest.mark.parametrize(
    ("text", "members", "message"),
    [
        (ID, (B,), f"[0] '{ID}' is not the ID of any identity that this login can see in its o"),
        ("A", (A, B), "[0] 'A' is not the name of any identity that this login can see"),
        ("b", (A, identity(ID, "b"), B), f"[0] 'b' is the name of 2 identities ({ID}, {OTHER});"),
    ],
)
def test_what_is_not_one_of_the_organizations_is_a_mistake(
    text: str, members: tuple[Identity, ...], message: str
) -> None:
    _ids, ((place, sentence),) = keep([text], members=members)
    assert place is None
    assert sentence.startswith(OPTION + message)


def test_every_entry_of_the_organization_that_is_to_be_there_has_to_be_listed() -> None:
    one, two = entry(0, "a"), entry(1, None, identity_id=OTHER)
    assert keep(["a", OTHER], {one: A, two: None}) == ({ID, OTHER}, [])
    # By its id or by its name, whichever the entry has.
    assert keep([ID, "b"], {one: A, two: None})[1] == []
    _ids, problems = keep(["c"], {one: A, two: None})
    assert [place for place, _sentence in problems] == [0, 1]
    assert problems[0][1] == (
        f"identities[0] (a) is not in {OPTION}, so the task would purge an identity that it"
        " manages; add it there."
    )


def test_an_entry_that_would_be_created_may_be_listed_and_has_to_be() -> None:
    new = entry(0, "new")
    assert keep(["a", "new"], {new: None}) == ({ID}, [])
    _ids, ((place, _sentence),) = keep(["a"], {new: None})
    assert place == 0
    # A name that an entry does not create is none of these.
    by_id = entry(0, "new", identity_id=ID)
    _ids, problems = keep([ID, "new"], {by_id: None})
    assert len(problems) == 1
    _ids, problems = keep(["a", "new"], {entry(0, "new", project_id=PROJECT): None})
    assert len(problems) == 1


def test_an_entry_by_its_id_is_not_listed_by_the_name_that_it_gets() -> None:
    """That is another's now, which would be kept in its place."""
    renamed = entry(0, "b", identity_id=ID)
    _ids, ((place, _sentence),) = keep(["b"], {renamed: A})
    assert place == 0
    assert keep(["a"], {renamed: A}) == ({ID}, [])


def test_an_entry_that_only_revokes_has_to_be_listed_also_where_its_identity_is_gone() -> None:
    gone = entry(0, "gone")
    wanted = {gone: Desired({}, {"azure_auth": None})}
    assert keep(["a", "gone"], {gone: None}, desired=wanted) == ({ID}, [])
    _ids, ((place, _sentence),) = keep(["a"], {gone: None}, desired=wanted)
    assert place == 0
    # What is deleted need not be, and its name is then nobody's.
    _ids, problems = keep(["a", "gone"], {gone: None}, desired={gone: ABSENT})
    assert len(problems) == 1


def test_what_is_to_be_deleted_and_what_projects_own_need_not_be_listed() -> None:
    gone = entry(0, "b")
    owned = entry(1, "shop", project_id=PROJECT)
    by_id = entry(2, None, identity_id=THIRD)
    entries: dict[Reference, Identity | None] = {
        gone: B,
        owned: None,
        by_id: C._replace(project_id=PROJECT),
    }
    assert keep(["a"], entries, (A, B), {gone: ABSENT}) == ({ID}, [])


def test_all_that_is_wrong_is_told() -> None:
    _ids, problems = keep(["x", THIRD.replace("1", "2"), "a"], {entry(3, "b"): B})
    assert [place for place, _sentence in problems] == [None, None, 3]


def test_the_others_that_have_the_method_are_surplus() -> None:
    members = [C, identity(OTHER, "b", "universal-auth"), A, Identity(PROJECT, "d", "org")]
    found = surplus("azure-auth", members, {THIRD})
    assert [item.id for item in found] == [ID]
    (reference,) = found
    assert (reference.name, reference.label, reference.place) == (None, f"a ({ID})", None)
    assert reference.option == "id"
    assert found[reference] == A


def test_the_name_of_one_that_is_surplus_is_cut_after_80_characters() -> None:
    label = f"{'n' * 77}... ({ID})"
    found = {item.label for item in surplus("azure-auth", [identity(ID, "n" * 81)], ())}
    assert found == {label}
    (whole,) = surplus("azure-auth", [identity(ID, "n" * 80)], ())
    assert whole.label == f"{'n' * 80} ({ID})"


def test_surplus_ones_come_by_their_names() -> None:
    members = [C, identity(PROJECT, "a"), A, B]
    assert [item.id for item in surplus("azure-auth", members, ())] == [
        *(PROJECT, ID),
        *(OTHER, THIRD),
    ]


@given(
    st.lists(
        st.tuples(st.uuids().map(str), st.sampled_from("abc"), st.booleans()),
        unique_by=lambda item: item[0],
        max_size=6,
    ),
    st.lists(st.integers(0, 5), max_size=4),
    st.booleans(),
)
def test_nobody_who_is_to_keep_it_is_ever_purged(
    rows: list[tuple[str, str, bool]], chosen: list[int], by_name: bool
) -> None:
    members = tuple(
        Identity(identity_id, name, "org", methods=("azure-auth",) if has else ())
        for identity_id, name, has in rows
    )
    texts = [
        members[index].name if by_name else members[index].id
        for index in chosen
        if index < len(members)
    ]
    ids, problems = keep(texts, members=members)
    if problems:
        return
    purged = {item.id for item in surplus("azure-auth", members, ids)}
    for member in members:
        named = member.id in texts or member.name in texts
        assert (member.id in purged) is (bool(member.methods) and not named)
