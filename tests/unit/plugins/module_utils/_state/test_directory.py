# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many identities: whom options mean, which there are at all, and what cannot be seen."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.community.infisical.plugins.module_utils._errors import (
    ApiError,
    Problem,
    UnexpectedAnswerError,
)
from ansible_collections.community.infisical.plugins.module_utils._state.directory import (
    list_everything,
    read_by_id,
    resolve,
    whole_organization,
    with_roles,
)
from ansible_collections.community.infisical.plugins.module_utils._state.identities import (
    Identity,
    Reference,
    Role,
)

ORGANIZATION = "0f8d7c6b-5a49-4382-b716-0514f3e2d1c0"
PARENT = "1f8d7c6b-5a49-4382-b716-0514f3e2d1c0"
PROJECT = "0f0e0d0c-0b0a-4908-8706-050403020100"
LIST, SEARCH = "GET /api/v1/identities", "POST /api/v1/identities/search"
SEARCH_2 = "POST /api/v2/identities/search"
PROJECTS, OTHERS = "GET /api/v1/projects", "POST /api/v1/projects/search"
OWNED = f"GET /api/v1/projects/{PROJECT}/identities"
SUBS = "GET /api/v1/sub-organizations"
DENIED = ApiError("Not allowed.", http_status=403, error="PermissionDenied")
BROKEN = ApiError("Broken.", http_status=500, error="InternalServerError")


def id_of(number: int) -> str:
    return f"6f1a2b3c-4d5e-4f60-8a7b-{number:012x}"


def member(number: int, name: str = "", **inner: t.Any) -> dict[str, t.Any]:
    identity = {"id": id_of(number), "name": name or f"n{number}", "authMethods": [], **inner}
    return {"orgId": ORGANIZATION, "role": "member", "identity": identity}


def old(number: int) -> dict[str, t.Any]:
    """One of a server of 2024."""
    inner = {"id": id_of(number), "name": f"n{number}", "authMethod": None}
    return {"orgId": ORGANIZATION, "role": "member", "identity": inner}


def found(number: int, project_id: str | None = None) -> dict[str, t.Any]:
    return {
        "identityId": id_of(number),
        "orgId": ORGANIZATION,
        "projectId": project_id,
        "roles": [{"role": "admin", "isTemporary": False}],
        "identity": {"name": f"n{number}", "orgId": ORGANIZATION, "authMethods": []},
    }


def owned(number: int) -> dict[str, t.Any]:
    return {"id": id_of(number), "name": f"n{number}", "orgId": ORGANIZATION, "projectId": PROJECT}


def page(*items: dict[str, t.Any], total: t.Any = None) -> dict[str, t.Any]:
    return {"identities": list(items), "totalCount": len(items) if total is None else total}


def numbers(identities: t.Iterable[Identity]) -> list[int]:
    return [int(identity.id[-12:], 16) for identity in identities]


def named(name: str, place: int, project_id: str | None = None) -> Reference:
    label = f"identities[{place}] ({name})"
    return Reference(None, name, project_id, label, f"{label}: name", place)


# -- whom options mean ----------------------------------------------------------------------------


def test_all_names_are_asked_for_at_once_and_ids_not_at_all(server: t.Any) -> None:
    server.answers[SEARCH] = page(member(1, "a"), member(2, "b"))
    b, a, by_id = named("b", 0), named("a", 1), Reference(id_of(1), None)
    result, problems = resolve(server.api(), [b, a, by_id])
    assert problems == []
    assert server.asked == [SEARCH]
    assert numbers(identity for identity in result.values() if identity) == [2, 1]
    assert result[by_id] is None
    assert resolve(server.api(), [by_id]) == ({by_id: None}, [])
    assert len(server.asked) == 1


def test_where_all_are_known_nobody_is_asked_for(server: t.Any) -> None:
    members = [Identity(id_of(1), "a", "org"), Identity(id_of(2), "b", "org")]
    b, by_id = named("b", 0), Reference(id_of(1), "new name")
    result, problems = resolve(server.api(), [b, by_id], members=members)
    assert (problems, server.asked) == ([], [])
    assert [t.cast(Identity, item).name for item in result.values()] == ["b", "a"]


def test_a_known_one_that_another_owns_is_told_with_its_place(server: t.Any) -> None:
    members = [Identity(id_of(1), "a", "org"), Identity(id_of(2), "b", "org", project_id=PROJECT)]
    asked = [Reference(id_of(n), None, PROJECT, f"identities[{n}]", "id", n) for n in (1, 2)]
    _found, problems = resolve(server.api(), asked, members=members)
    assert problems == [
        Problem(
            f"identities[1]: The owner of the identity {id_of(1)} is the organization, not the"
            f" project {PROJECT}; correct project_id, or remove it.",
            1,
        )
    ]


def test_names_of_a_project_are_looked_for_there(server: t.Any) -> None:
    server.answers.update({SEARCH: page(member(1, "n3")), OWNED: page(owned(3))})
    here, there = named("n3", 0), named("n3", 1, PROJECT)
    result, problems = resolve(server.api(), [here, there])
    assert problems == []
    assert numbers(identity for identity in result.values() if identity) == [1, 3]


def test_names_of_none_and_of_several_are_told_with_their_place(server: t.Any) -> None:
    server.answers[SEARCH] = page(member(1, "twin"), member(2, "twin"))
    nobody, twin, new = named("nobody", 0), named("twin", 1), named("new", 2)
    result, problems = resolve(server.api(), [nobody, twin, new], may_be_new=[new])
    assert result == {new: None}
    assert [problem.place for problem in problems] == [0, 1]
    assert [problem.sentence for problem in problems] == [
        (
            "identities[0] (nobody): name 'nobody' is not the name of any identity that this login"
            " can see in its organization; names are matched exactly."
        ),
        (
            f"identities[1] (twin): name 'twin' is the name of 2 identities ({id_of(1)},"
            f" {id_of(2)}); give the ID instead."
        ),
    ]
    # That there may be none does not mean that there may be two.
    _result, problems = resolve(server.api(), [twin], may_be_new=[twin])
    assert len(problems) == 1


# -- the whole organization -----------------------------------------------------------------------


def test_a_list_that_is_all_that_is_counted_is_whole(server: t.Any) -> None:
    server.answers[LIST] = page(member(1), member(2))
    identities, not_visible, _elsewhere = whole_organization(server.api(), "list them")
    assert (numbers(identities), not_visible) == ([1, 2], [])
    assert server.asked == [LIST]


def test_a_list_of_something_else_is_an_error_that_says_what_for(server: t.Any) -> None:
    server.answers[LIST] = page({"id": id_of(1)})
    with pytest.raises(UnexpectedAnswerError, match="list them"):
        whole_organization(server.api(), "list them")


def test_a_parents_are_left_out_and_told_of(server: t.Any) -> None:
    server.answers[LIST] = page(member(1, orgId=ORGANIZATION), member(2, orgId=PARENT))
    identities, (sentence,), _elsewhere = whole_organization(server.api(), "list them")
    assert numbers(identities) == [1]
    assert sentence == (
        "Identities that belong to another organization, such as a parent or sub-organization, are"
        " left out (1); log in to that organization to read them."
    )


def test_what_is_counted_more_is_what_projects_own_where_a_search_says_so(server: t.Any) -> None:
    server.answers.update({LIST: page(member(1), total=4), SEARCH_2: page(found(1), total=1)})
    identities, (sentence,), _elsewhere = whole_organization(server.api(), "list them")
    assert numbers(identities) == [1]
    assert sentence == (
        "Identities that projects own are not listed (3); read each one by its ID, with a login"
        " that is a member of its project."
    )


def test_before_that_search_it_may_be_others_too(server: t.Any) -> None:
    server.answers.update({LIST: page(member(1), total=4), PROJECTS: {"projects": []}})
    _identities, (sentence,), _elsewhere = whole_organization(server.api(of_2026=True), "list them")
    assert sentence == (
        "Infisical counts more identities than it lists (3), probably those that projects own; this"
        " server cannot tell whether others are missing."
    )


SHORT: list[tuple[str, dict[str, t.Any], str]] = [
    ("older servers own none", {LIST: page(member(1), total=4)}, "1 identities, but counts 4"),
    (
        "a server of 2024",
        {LIST: page(old(1), total=2), SEARCH_2: page(found(1)), PROJECTS: {"projects": []}},
        "1 identities, but counts 2",
    ),
    (
        "a count that is less",
        {LIST: page(member(1), member(2), total=1)},
        "2 identities, but counts 1",
    ),
    ("a count that is none", {LIST: page(member(1), total="2")}, "1 identities, but counts '2'"),
    (
        "the search counts more",
        {LIST: page(member(1), total=4), SEARCH_2: page(found(1), total=2)},
        "1 identities, but counts 2",
    ),
]


@pytest.mark.parametrize(
    ("answers", "message"), [row[1:] for row in SHORT], ids=[row[0] for row in SHORT]
)
def test_a_list_that_is_not_whole_is_an_error(
    server: t.Any, answers: dict[str, t.Any], message: str
) -> None:
    server.answers.update(answers)
    with pytest.raises(UnexpectedAnswerError) as raised:
        whole_organization(server.api(), "list them")
    assert str(raised.value) == (
        f"Could not list them: Infisical lists {message}; run the task again."
    )
    assert raised.value.http_status == 200


def test_all_roles_are_listed_where_a_search_shows_them(server: t.Any) -> None:
    server.answers.update({LIST: page(member(1)), SEARCH_2: page(found(1))})
    server.answers[f"GET /api/v1/identities/{id_of(9)}"] = {"identity": member(9)}
    for of_2026, roles, asked in ((True, True, SEARCH_2), (True, False, LIST), (False, True, LIST)):
        api = server.api(of_2026=of_2026, own=id_of(9))
        (identity,) = read_by_id(api, [Reference(id_of(n), None) for n in (1, 2, 3)], roles=roles)
        assert server.asked[-1] == asked
        assert identity.id == id_of(1)
        if asked == SEARCH_2:
            assert identity.roles == (Role("admin"),)
    server.asked.clear()
    few = [Reference(id_of(9), None), Reference(id_of(8), None)]
    assert [item.id for item in read_by_id(server.api(), few, roles=True)] == [id_of(9)]
    assert LIST not in server.asked


def test_few_that_cannot_be_read_are_left_out_but_a_refused_login_is_an_error(
    server: t.Any,
) -> None:
    few = [Reference(id_of(8), None), Reference(id_of(9), None)]
    server.answers[f"GET /api/v1/identities/{id_of(8)}"] = DENIED
    server.answers[f"GET /api/v1/identities/{id_of(9)}"] = {"identity": member(9)}
    assert numbers(read_by_id(server.api(), few, roles=False)) == [9]
    refused = ApiError("Expired.", http_status=403, error="TokenError")
    server.answers[f"GET /api/v1/identities/{id_of(8)}"] = refused
    with pytest.raises(ApiError) as raised:
        read_by_id(server.api(), few, roles=False)
    assert raised.value is refused


# -- everything -----------------------------------------------------------------------------------


def whole(server: t.Any, **others: t.Any) -> None:
    """A server of 2026 with one of the organisation, and one of a project."""
    answers = {
        LIST: page(member(1, orgId=ORGANIZATION), total=2),
        SEARCH_2: page(found(1), found(2, PROJECT)),
        OTHERS: {"projects": [{"id": PROJECT, "name": "shop", "isMember": True}]},
        SUBS: {"totalCount": 0},
    }
    server.answers.update({**answers, **others})


def test_all_of_the_organization_and_of_projects(server: t.Any) -> None:
    whole(server)
    identities, not_visible, _elsewhere = list_everything(server.api())
    assert (numbers(identities), not_visible) == ([1, 2], [])
    assert [identity.project_id for identity in identities] == [None, PROJECT]
    # Roles are those of the search.
    assert [identity.roles for identity in identities] == [(Role("admin"),)] * 2


NOT_VISIBLE: list[tuple[str, dict[str, t.Any], str]] = [
    (
        "counted and hidden",
        {LIST: page(member(1), total=5)},
        (
            "Projects own identities that this login cannot see (3); make it a member of these"
            " projects, with the permission to read identities there."
        ),
    ),
    (
        "a scope dropped without a word",
        {SEARCH_2: page(found(1))},
        (
            "Projects own identities that this login cannot see (1); make it a member of these"
            " projects, with the permission to read identities there."
        ),
    ),
    (
        "projects without membership",
        {OTHERS: {"projects": [{"name": f"p{n}", "isMember": False} for n in range(6)]}},
        (
            "This login is not a member of some projects (6: p0, p1, p2, p3, p4, ...), so it cannot"
            " read the auth methods of identities that they own."
        ),
    ),
    (
        "as many of them as are named",
        {OTHERS: {"projects": [{"name": f"p{n}", "isMember": False} for n in range(5)]}},
        (
            "This login is not a member of some projects (5: p0, p1, p2, p3, p4), so it cannot read"
            " the auth methods of identities that they own."
        ),
    ),
    (
        "sub-organizations",
        {SUBS: {"totalCount": 2}},
        (
            "Sub-organizations (2) have identities of their own; log in to each with"
            " organization_slug."
        ),
    ),
    (
        "a parent's",
        {LIST: page(member(1), member(3, orgId=PARENT), total=3)},
        (
            "Identities that belong to another organization, such as a parent or sub-organization,"
            " are left out (1); log in to that organization to read them."
        ),
    ),
]


@pytest.mark.parametrize(
    ("answers", "sentence"), [row[1:] for row in NOT_VISIBLE], ids=[row[0] for row in NOT_VISIBLE]
)
def test_what_cannot_be_seen_is_told(
    server: t.Any, answers: dict[str, t.Any], sentence: str
) -> None:
    whole(server, **answers)
    identities, not_visible, _elsewhere = list_everything(server.api())
    assert not_visible == [sentence]
    assert 3 not in numbers(identities)


def test_what_nobody_tells_is_no_reason_to_fail(server: t.Any) -> None:
    """Who lives in a sub-organisation may not ask for them, and sees one only."""
    whole(server, **{SUBS: DENIED, OTHERS: None})
    assert list_everything(server.api()).not_visible == []
    server.answers[SUBS] = BROKEN
    with pytest.raises(ApiError):
        list_everything(server.api())


NO_MEMBER = (
    "This login is not a member of some projects ({}: p, p, p, p, p, ...), so it cannot read the"
    " auth methods of identities that they own."
)


def test_projects_are_paged(server: t.Any) -> None:
    def projects(request: t.Any) -> t.Any:
        start = request.body["offset"]
        ids = range(start, min(start + 100, 250))
        return {"projects": [{"id": id_of(n), "name": "p", "isMember": False} for n in ids]}

    whole(server, **{OTHERS: projects})
    (sentence,) = list_everything(server.api()).not_visible
    assert sentence == NO_MEMBER.format(250)
    # A server that leaves out the offset.
    same = [{"id": id_of(n), "name": "p", "isMember": False} for n in range(100)]
    whole(server, **{OTHERS: {"projects": same}})
    (sentence,) = list_everything(server.api()).not_visible
    assert sentence == NO_MEMBER.format(100)


def test_before_2026_projects_are_asked_one_by_one(server: t.Any) -> None:
    server.answers.update(
        {
            f"GET /api/v1/identities/{id_of(9)}": {"identity": member(9)},
            LIST: page(member(1), total=2),
            PROJECTS: {"projects": [{"id": PROJECT, "name": "shop"}, "odd", {"id": None}]},
            OWNED: page(owned(2)),
        }
    )
    api = server.api(of_2026=False, own=id_of(9))
    identities, not_visible, _elsewhere = list_everything(api)
    assert (numbers(identities), not_visible) == ([1, 2], [])
    server.answers[OWNED] = DENIED
    identities, (sentence, hidden), _elsewhere = list_everything(api)
    assert numbers(identities) == [1]
    assert sentence == "This login may not read the identities that the project 'shop' owns."
    assert hidden == (
        "Projects own identities that this login cannot see (1); make it a member of these"
        " projects, with the permission to read identities there."
    )
    server.answers[OWNED] = BROKEN
    with pytest.raises(ApiError):
        list_everything(api)
    server.answers[PROJECTS] = {"projects": None}
    with pytest.raises(UnexpectedAnswerError, match="Could not list the identities: the server"):
        list_everything(api)


def test_where_projects_own_nothing_the_list_has_to_be_whole(server: t.Any) -> None:
    server.answers[f"GET /api/v1/identities/{id_of(9)}"] = {"identity": member(9)}
    server.answers[LIST] = page(member(1), member(2))
    api = server.api(of_2026=False, own=id_of(9))
    assert numbers(list_everything(api).identities) == [1, 2]
    server.answers[LIST] = page(member(1), total=2)
    with pytest.raises(UnexpectedAnswerError, match="lists 1 identities, but counts 2; run"):
        list_everything(api)


def test_roles_that_a_list_lacks_are_searched_for_where_they_are_wanted(server: t.Any) -> None:
    server.answers.update({LIST: page(member(1), member(2)), SEARCH_2: page(found(1))})
    listed = {
        Reference(one.id, None): one for one in whole_organization(server.api(), "x").identities
    }
    one, two = listed
    nobody = Reference(None, "new")
    given = {**listed, nobody: None}
    server.asked.clear()
    filled = with_roles(server.api(), given, [one, nobody])
    assert server.bodies[-1]["search"] == {"name": {"$in": ["n1"]}}
    assert filled == {
        one: listed[one]._replace(roles=(Role("admin"),)),
        two: listed[two],
        nobody: None,
    }
    server.asked.clear()
    for wanted, of_2026 in (([], True), ([nobody], True), ([one], False)):
        assert with_roles(server.api(of_2026=of_2026), given, wanted) == given
    # They are known from the first search, so that another one is not made.
    assert with_roles(server.api(), {one: filled[one]}, [one]) == {one: filled[one]}
    assert server.asked == []
