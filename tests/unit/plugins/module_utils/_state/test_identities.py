# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Identities as servers show them, in all their shapes, read as one; and which one is meant."""

from __future__ import annotations

import re
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.community.infisical.plugins.module_utils._errors import (
    ApiError,
    OptionError,
    UnexpectedAnswerError,
    UnknownStateError,
)
from ansible_collections.community.infisical.plugins.module_utils._state.identities import (
    Identity,
    Role,
    find_identities,
    from_membership,
    from_write,
    list_members,
    list_of_project,
    metadata_of,
    only_identity,
    read_identity,
    roles_from_api,
    search_everywhere,
    searchable,
)

ID = "6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b"
OTHER = "8a6d3f0e-5d0c-4c43-9a0e-0d6b5a1f7c21"
PROJECT = "0f0e0d0c-0b0a-4908-8706-050403020100"
ORGANIZATION = "0f8d7c6b-5a49-4382-b716-0514f3e2d1c0"
PARENT = "1f8d7c6b-5a49-4382-b716-0514f3e2d1c0"
CREATED, UPDATED = "2026-11-07T05:31:54.000Z", "2026-11-07T05:31:56.000Z"

MISSING = ApiError("No such identity.", http_status=404, error="NotFound")
DENIED = ApiError("Not allowed.", http_status=403, error="PermissionDenied")


def member(identity_id: str = ID, name: str = "billing", **inner: t.Any) -> dict[str, t.Any]:
    """An item of the list and of the search of version 1, and what the read of one answers."""
    return {
        "id": "membership",
        "role": "member",
        "roleId": None,
        "orgId": ORGANIZATION,
        "createdAt": CREATED,
        "updatedAt": UPDATED,
        "identityId": identity_id,
        "identity": {
            "id": identity_id,
            "name": name,
            "hasDeleteProtection": False,
            "authMethods": ["azure-auth"],
            **inner,
        },
    }


def found(identity_id: str = ID, name: str = "billing", **others: t.Any) -> dict[str, t.Any]:
    """An item of the search of version 2."""
    return {
        "id": "membership",
        "identityId": identity_id,
        "scope": "project" if others.get("projectId") else "organization",
        "orgId": ORGANIZATION,
        "projectId": None,
        "project": None,
        "createdAt": CREATED,
        "updatedAt": UPDATED,
        "roles": [role("member")],
        "identity": {
            "id": identity_id,
            "name": name,
            "hasDeleteProtection": True,
            "orgId": ORGANIZATION,
            "authMethods": [],
        },
        **others,
    }


def owned(identity_id: str = ID, name: str = "deploy", **others: t.Any) -> dict[str, t.Any]:
    """An identity as its project shows it. In a list it has no authMethods."""
    return {
        "id": identity_id,
        "name": name,
        "orgId": ORGANIZATION,
        "projectId": PROJECT,
        "createdAt": CREATED,
        "updatedAt": UPDATED,
        "hasDeleteProtection": False,
        "metadata": [{"id": "1", "key": "team", "value": "a"}],
        **others,
    }


def role(slug: str, **others: t.Any) -> dict[str, t.Any]:
    return {"id": "1", "role": slug, "customRoleSlug": None, "isTemporary": False, **others}


def custom(slug: str, **others: t.Any) -> dict[str, t.Any]:
    return role("custom", customRoleId="2", customRoleSlug=slug, **others)


# -- the shapes -----------------------------------------------------------------------------------


def test_a_member_with_its_home(server: t.Any) -> None:
    identity = from_membership(server.api(), member(orgId=ORGANIZATION), "read it")
    assert identity == Identity(
        ID,
        "billing",
        ORGANIZATION,
        home_id=ORGANIZATION,
        methods=("azure-auth",),
        roles=None,
        shown_role=Role("member"),
        protected=False,
        created_at=CREATED,
        updated_at=UPDATED,
    )
    assert identity.here


def test_a_member_with_its_last_login(server: t.Any) -> None:
    item = {**member(), "lastLoginTime": UPDATED, "lastLoginAuthMethod": "azure-auth"}
    identity = from_membership(server.api(), item, "read it")
    assert (identity.last_login_at, identity.last_login_method) == (UPDATED, "azure-auth")


def test_a_member_without_its_home_is_taken_for_one_of_the_organization(server: t.Any) -> None:
    identity = from_membership(server.api(of_2026=False), member(), "read it")
    assert (identity.home_id, identity.organization_id, identity.here) == (None, ORGANIZATION, True)
    # Servers whose items do not tell the home have one role an identity.
    assert identity.roles == (Role("member"),)


def test_one_of_several_roles_is_not_taken_for_all(server: t.Any) -> None:
    for api, inner in (
        (server.api(), {}),
        (server.api(of_2026=False), {"orgId": ORGANIZATION}),
    ):
        identity = from_membership(api, member(**inner), "read it")
        assert (identity.roles, identity.shown_role) == (None, Role("member"))


def test_a_member_whose_home_is_a_parent_organization(server: t.Any) -> None:
    identity = from_membership(server.api(), member(orgId=PARENT), "read it")
    assert (identity.here, identity.home_id) == (False, PARENT)


def test_a_custom_role_is_its_slug(server: t.Any) -> None:
    item = {**member(), "role": "custom", "customRole": {"id": "2", "name": "B", "slug": "billing"}}
    identity = from_membership(server.api(of_2026=False), item, "read it")
    assert identity.roles == (Role("billing"),)


def test_a_role_that_is_not_told_is_none(server: t.Any) -> None:
    assert from_membership(server.api(), {**member(), "role": None}, "read it").shown_role is None


def test_a_member_of_2024_has_one_method_and_no_metadata(server: t.Any) -> None:
    for method, methods in ((None, ()), ("azure-auth", ("azure-auth",))):
        item = member()
        item["identity"] = {"id": ID, "name": "billing", "authMethod": method}
        identity = from_membership(server.api(of_2026=False), item, "read it")
        assert (identity.of_2024, identity.methods) == (True, methods)
        assert (identity.metadata, identity.protected) == (None, None)


def test_metadata_are_pairs_whose_order_means_nothing(server: t.Any) -> None:
    pairs = [
        {"id": str(n), "key": k, "value": v}
        for n, (k, v) in enumerate([("b", "a"), ("a", "a"), ("a", "b")])
    ]
    identity = from_membership(server.api(), {**member(), "metadata": pairs}, "read it")
    assert identity.metadata == (("a", "a"), ("a", "b"), ("b", "a"))
    assert metadata_of({}, "read it") is None
    assert metadata_of({"metadata": []}, "read it") == ()


NAMELESS = "an identity without an ID or a name"
NO_NAMES = "auth methods that are not names"
NO_PAIRS = "metadata that is not a list of pairs"
BROKEN: list[tuple[t.Any, str]] = [
    (None, "no identity"),
    ({}, "no identity"),
    ({**member(), "identity": "x"}, "no identity"),
    ({**member(), "orgId": None}, "an identity without an organization"),
    (member("../x"), NAMELESS),
    (member(t.cast(t.Any, 7)), NAMELESS),
    (member(name=t.cast(t.Any, None)), NAMELESS),
    ({**member(), "identity": {"id": ID, "name": "x"}}, "an identity without its auth methods"),
    (member(authMethods="azure-auth"), NO_NAMES),
    (member(authMethods=[7]), NO_NAMES),
    (
        {**member(), "identity": {"id": ID, "name": "x", "authMethod": 7}},
        "an identity without its auth methods",
    ),
    ({**member(), "metadata": "x"}, NO_PAIRS),
    ({**member(), "metadata": [{"key": "a"}]}, NO_PAIRS),
    ({**member(), "metadata": [{"key": "a", "value": 1}]}, NO_PAIRS),
]


@pytest.mark.parametrize(("item", "why"), BROKEN)
def test_what_is_no_identity_is_not_taken_for_one(server: t.Any, item: t.Any, why: str) -> None:
    with pytest.raises(UnexpectedAnswerError) as raised:
        from_membership(server.api(), item, "read it")
    assert str(raised.value) == (
        f"Could not read it: the server answered with JSON that Infisical does not send ({why});"
        " check that url points to an Infisical server."
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.just(ID),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["id", "name", "identity", "orgId", "authMethods", "role", "metadata"]),
            inner,
        )
    ),
    max_leaves=8,
)


@given(JSON, JSON)
def test_any_answer_is_an_identity_or_told_as_none(answer: t.Any, inner: t.Any) -> None:
    for item in (answer, {**member(), "identity": answer}, member(authMethods=answer, orgId=inner)):
        try:
            identity = from_membership(t.cast(t.Any, type("A", (), {"of_2026": True})), item, "x")
        except UnexpectedAnswerError:
            continue
        assert isinstance(identity.name, str)


@pytest.mark.parametrize(
    ("items", "roles"),
    [
        ([], ()),
        ([role("member")], (Role("member"),)),
        ([custom("billing"), role("admin")], (Role("billing"), Role("admin"))),
        ([role("admin", isTemporary=True)], (Role("admin", temporary=True),)),
        ([custom("a", isTemporary=True)], (Role("a", temporary=True),)),
        # What is not told is not known, and not none.
        (None, None),
        ("member", None),
        (["member"], None),
        ([{"role": None}], None),
        ([role("member"), {}], None),
    ],
)
def test_roles(items: t.Any, roles: t.Any) -> None:
    assert roles_from_api(items) == roles


def test_the_search_of_version_2_tells_all_roles(server: t.Any) -> None:
    roles = [role("admin", isTemporary=True), custom("billing")]
    server.answers["POST /api/v2/identities/search"] = {
        "identities": [
            found(roles=roles),
            found(OTHER, "deploy", projectId=PROJECT, roles=[role("viewer")]),
        ],
        "totalCount": 2,
    }
    one, other = search_everywhere(server.api(), ["organization", "project"], "search") or []
    assert one.roles == (Role("admin", temporary=True), Role("billing"))
    assert (one.project_id, one.protected, one.methods, one.here) == (None, True, (), True)
    assert (other.project_id, other.roles) == (PROJECT, (Role("viewer"),))
    assert server.bodies == [{"scope": ["organization", "project"], "limit": 100, "offset": 0}]


def test_an_identity_that_is_listed_in_its_projects_too_is_the_organizations(
    server: t.Any,
) -> None:
    listed = [found(projectId=PROJECT, roles=[role("viewer")]), found(roles=[role("admin")])]
    for items in (listed, listed[::-1]):
        server.answers["POST /api/v2/identities/search"] = {"identities": items}
        (identity,) = search_everywhere(server.api(), ["organization"], "search") or []
        assert (identity.project_id, identity.roles) == (None, (Role("admin"),))


def test_a_search_goes_on_to_the_last_page_and_takes_nobody_twice(server: t.Any) -> None:
    ids = [f"6f1a2b3c-4d5e-4f60-8a7b-{n:012x}" for n in range(150)]

    def page(request: t.Any) -> t.Any:
        # A page may repeat what the one before had.
        start = max(0, request.body["offset"] - 5)
        items = [found(identity_id) for identity_id in ids[start : start + 100]]
        return {"identities": items, "totalCount": 150}

    server.answers["POST /api/v2/identities/search"] = page
    listed = search_everywhere(server.api(), ["organization"], "search") or []
    assert [identity.id for identity in listed] == ids
    assert len(server.asked) == 2


@pytest.mark.parametrize("item", ["x", {}, {"identityId": ID, "identity": None}], ids=repr)
def test_a_search_that_finds_no_identities_is_an_error(server: t.Any, item: t.Any) -> None:
    server.answers["POST /api/v2/identities/search"] = {"identities": [item]}
    with pytest.raises(UnexpectedAnswerError, match=r"does not send \(no identity\);"):
        search_everywhere(server.api(), ["organization"], "find it")


def test_a_search_that_finds_an_identity_without_a_name_says_what_for(server: t.Any) -> None:
    item = {"identityId": ID, "identity": {"authMethods": []}}
    server.answers["POST /api/v2/identities/search"] = {"identities": [item]}
    with pytest.raises(UnexpectedAnswerError, match="Could not find it: the server answered"):
        search_everywhere(server.api(), ["organization"], "find it")


def test_where_there_is_no_search_of_version_2_nothing_is_found_out(server: t.Any) -> None:
    assert search_everywhere(server.api(), ["organization"], "search") is None


def test_what_a_project_owns(server: t.Any) -> None:
    path = f"GET /api/v1/projects/{PROJECT}/identities"
    server.answers[path] = {"identities": [owned(), owned(OTHER, "x")], "totalCount": 2}
    one, _other = list_of_project(server.api(), PROJECT)
    assert (one.id, one.name, one.project_id, one.methods) == (ID, "deploy", PROJECT, None)
    # A page may cut the pairs of the last one in two.
    assert one.metadata is None
    server.answers[f"{path}/{ID}"] = {"identity": owned(authMethods=["azure-auth"])}
    read = read_identity(server.api(), ID, PROJECT)
    assert (read.metadata, read.methods, read.here) == ((("team", "a"),), ("azure-auth",), True)


def rows(total: t.Any, shown: int) -> str:
    """What is said of a list of a project that is not whole, as a regular expression."""
    return re.escape(
        f"Infisical counts {total!r} identities, but shows {shown}. It lists at most 1000 rows of a"
        " project, and an identity takes a row for each key of its metadata; select identities by"
        " ID."
    )


@pytest.mark.parametrize("total", [3, 1, 0, "2"])
def test_a_list_of_a_project_that_is_not_whole_is_no_list(server: t.Any, total: t.Any) -> None:
    path = f"GET /api/v1/projects/{PROJECT}/identities"
    server.answers[path] = {"identities": [owned(), owned(OTHER)], "totalCount": total}
    with pytest.raises(UnexpectedAnswerError, match=rows(total, 2)):
        list_of_project(server.api(), PROJECT)


def test_a_project_with_too_many_for_its_list_is_searched(server: t.Any) -> None:
    """Its list has a row for each key of metadata, and no second page that can be trusted."""
    path = f"GET /api/v1/projects/{PROJECT}/identities"
    search = "POST /api/v2/identities/search"
    server.answers[path] = {"identities": [owned()], "totalCount": 2}
    both = [found(projectId=PROJECT), found(OTHER, "x", projectId=PROJECT)]
    server.answers[search] = {"identities": [*both, found("1" + ID[1:])]}
    assert [item.id for item in list_of_project(server.api(), PROJECT)] == [ID, OTHER]
    # It leaves out what the login may not read.
    server.answers[search] = {"identities": both[:1]}
    with pytest.raises(UnexpectedAnswerError, match=rows(2, 1)):
        list_of_project(server.api(), PROJECT)


def test_names_in_a_project_with_too_many_for_its_list_are_asked_for_one_by_one(
    server: t.Any,
) -> None:
    names = {"deploy": [ID], "deployer": [OTHER]}
    asked = []

    def listed(request: t.Any) -> t.Any:
        part = request.query.get("search", "")
        asked.append(part)
        items = [owned(i, name) for name, ids in names.items() for i in ids if part in name]
        return {"identities": items, "totalCount": len(items) if part else 1500}

    server.answers[f"GET /api/v1/projects/{PROJECT}/identities"] = listed
    wanted = ["deploy", "deployer", "a", "b"]
    result = find_identities(server.api(), wanted, PROJECT)
    assert {name: [item.id for item in same] for name, same in result.items()} == {
        "deploy": [ID],
        "deployer": [OTHER],
        "a": [],
        "b": [],
    }
    assert asked == ["", *wanted]
    # For a few the whole list is not even asked for.
    asked.clear()
    assert find_identities(server.api(), ["a"], PROJECT) == {"a": []}
    assert asked == ["a"]
    # Of what may mean something in a search, no absence is read off it.
    with pytest.raises(UnexpectedAnswerError, match=rows(1500, 2)):
        find_identities(server.api(), ["a%"], PROJECT)


def test_a_list_of_a_project_repeats_some(server: t.Any) -> None:
    path = f"GET /api/v1/projects/{PROJECT}/identities"
    server.answers[path] = {"identities": [owned(), owned()], "totalCount": 2}
    with pytest.raises(UnexpectedAnswerError, match=rows(2, 1)):
        list_of_project(server.api(), PROJECT)


def test_where_projects_own_no_identities_that_is_said(server: t.Any) -> None:
    with pytest.raises(OptionError) as raised:
        list_of_project(server.api(), PROJECT)
    assert str(raised.value) == (
        f"project_id '{PROJECT}' is set, but projects cannot own identities on this server; remove"
        " it, or upgrade the server to a version from October 2025 or later."
    )


def test_a_list_of_members_tells_how_many_the_server_counts(server: t.Any) -> None:
    server.answers["GET /api/v1/identities"] = {"identities": [member(), member()], "totalCount": 3}
    members, total = list_members(server.api(), "list")
    assert ([identity.id for identity in members], total) == ([ID], 3)
    server.answers["GET /api/v1/identities"] = {"identities": [member()]}
    assert list_members(server.api(), "list")[1] == 1


def test_what_a_write_answers_is_believed_in_part() -> None:
    """Servers answer with the methods and the organisation of before, or none."""
    known = Identity(ID, "old", ORGANIZATION, methods=("azure-auth",), roles=(Role("admin"),))
    item = {"id": ID, "name": "new", "hasDeleteProtection": True, "updatedAt": UPDATED, "orgId": ""}
    updated = from_write(item, known, "update it")
    assert updated == known._replace(name="new", protected=True, updated_at=UPDATED)
    created = from_write({**item, "authMethod": None, "metadata": []}, None, "create it")
    assert (created.methods, created.metadata, created.name) == ((), (), "new")
    created = from_write({**item, "orgId": ORGANIZATION}, None, "create it")
    assert (created.organization_id, created.home_id) == (ORGANIZATION, ORGANIZATION)
    with pytest.raises(UnexpectedAnswerError, match=r"does not send \(another identity\);"):
        from_write({**item, "id": OTHER}, known, "update it")


# -- reading by id --------------------------------------------------------------------------------

BY_ID = f"GET /api/v1/identities/{ID}"
MEMBERSHIPS = f"{BY_ID}/identity-memberships"


def test_an_identity_by_its_id(server: t.Any) -> None:
    server.answers[BY_ID] = {"identity": {**member(orgId=ORGANIZATION), "metadata": []}}
    identity = read_identity(server.api(), ID)
    assert (identity.name, identity.metadata) == ("billing", ())
    assert server.asked == [BY_ID]


def test_one_that_a_project_owns_is_found_by_its_membership(server: t.Any) -> None:
    server.answers[BY_ID] = MISSING
    inner = {"id": ID, "name": "deploy", "orgId": ORGANIZATION, "authMethods": ["azure-auth"]}
    membership = {
        "id": "1",
        "identityId": ID,
        "identity": inner,
        "project": {"id": PROJECT, "name": "shop", "type": "secret-manager"},
        "roles": [custom("deployer")],
    }
    server.answers[MEMBERSHIPS] = {"identityMemberships": [membership]}
    identity = read_identity(server.api(), ID)
    assert (identity.id, identity.project_id, identity.name) == (ID, PROJECT, "deploy")
    assert identity.project_name == "shop"
    assert (identity.roles, identity.methods) == ((Role("deployer"),), ("azure-auth",))
    assert identity.metadata is None
    assert server.asked == [BY_ID, MEMBERSHIPS]


def test_one_that_is_nowhere_is_missing(server: t.Any) -> None:
    server.answers.update({BY_ID: MISSING, MEMBERSHIPS: MISSING})
    with pytest.raises(ApiError) as raised:
        read_identity(server.api(), ID)
    assert raised.value is MISSING
    # On servers that do not have the route, too.
    del server.answers[MEMBERSHIPS]
    with pytest.raises(ApiError) as raised:
        read_identity(server.api(), ID)
    assert raised.value is MISSING


def test_one_of_which_the_login_may_not_know_is_not_missing(server: t.Any) -> None:
    server.answers.update({BY_ID: MISSING, MEMBERSHIPS: DENIED})
    with pytest.raises(UnknownStateError) as unknown:
        read_identity(server.api(), ID)
    assert str(unknown.value) == (
        f"Could not read the identity {ID}: a project seems to own it, and this login is not"
        " allowed to read the memberships of identities; give the login's role the permission to"
        " read identities of the organization."
    )
    server.answers[BY_ID] = DENIED
    with pytest.raises(ApiError) as raised:
        read_identity(server.api(), ID)
    assert raised.value is DENIED
    # A server without the route is none that knows of no such identity.
    del server.answers[BY_ID]
    with pytest.raises(ApiError) as raised:
        read_identity(server.api(), ID)
    assert raised.value.unknown_route


def test_an_outage_between_two_looks_tells_nothing_of_permissions(server: t.Any) -> None:
    broken = ApiError("Broken.", http_status=500, error="InternalServerError")
    server.answers.update({BY_ID: MISSING, MEMBERSHIPS: broken})
    with pytest.raises(ApiError) as raised:
        read_identity(server.api(), ID)
    assert raised.value is broken


def test_one_that_shows_up_between_two_looks_is_read(server: t.Any) -> None:
    """A replica lags behind. No project owns it."""
    shown = {"identity": {**member(orgId=ORGANIZATION), "metadata": []}}
    server.answers.update({BY_ID: [MISSING, shown], MEMBERSHIPS: {"identityMemberships": []}})
    assert read_identity(server.api(), ID).name == "billing"
    server.answers[BY_ID] = MISSING
    with pytest.raises(ApiError) as raised:
        read_identity(server.api(), ID)
    assert raised.value is MISSING


@pytest.mark.parametrize("project", [None, PROJECT])
def test_the_answer_about_another_identity_is_not_believed(
    server: t.Any, project: str | None
) -> None:
    path = f"GET /api/v1/projects/{PROJECT}/identities/{ID}" if project else BY_ID
    server.answers[path] = {"identity": owned(OTHER) if project else member(OTHER)}
    with pytest.raises(UnexpectedAnswerError, match=r"does not send \(another identity\);"):
        read_identity(server.api(), ID, project)


@pytest.mark.parametrize("members", [[{}], ["x"], [{"identity": None}]], ids=repr)
def test_memberships_without_an_identity_tell_nothing(server: t.Any, members: t.Any) -> None:
    server.answers.update({BY_ID: MISSING, MEMBERSHIPS: {"identityMemberships": members}})
    with pytest.raises(UnexpectedAnswerError):
        read_identity(server.api(), ID)


# -- finding by name ------------------------------------------------------------------------------

SEARCH, SEARCH_2 = "POST /api/v1/identities/search", "POST /api/v2/identities/search"
LIST = "GET /api/v1/identities"


@pytest.mark.parametrize(
    ("name", "may_be"),
    [
        ("billing", True),
        ("a B_c-9", True),
        ("x" * 255, True),
        ("x" * 256, False),
        ("", False),
        ("a/b", False),
        ("ä", False),
        ("a.b", False),
        ("a\n", False),
    ],
)
def test_names_that_searches_accept(name: str, may_be: bool) -> None:
    assert searchable(name) is may_be


def test_a_name_is_searched_for_and_matched_exactly(server: t.Any) -> None:
    items = [member(), member(OTHER, "Billing")]
    server.answers[SEARCH] = {"identities": items, "totalCount": 2}
    result = find_identities(server.api(), ["billing", "billing", "nobody"])
    assert {name: [item.id for item in items] for name, items in result.items()} == {
        "billing": [ID],
        "nobody": [],
    }
    assert server.asked == [SEARCH]
    assert server.bodies[0]["search"] == {"name": {"$in": ["billing", "nobody"]}}


def test_of_the_search_of_version_2_only_what_is_found_is_believed(server: t.Any) -> None:
    """It leaves out, with a 200, what the login may not read."""
    server.answers[SEARCH_2] = {"identities": [found(OTHER, "other")], "totalCount": 1}
    server.answers[SEARCH] = {"identities": [member()], "totalCount": 1}
    result = find_identities(server.api(), ["billing", "other"], roles=True)
    assert [item.id for item in result["other"]] == [OTHER]
    assert [item.id for item in result["billing"]] == [ID]
    assert server.asked == [SEARCH_2, SEARCH]
    assert server.bodies[1]["search"] == {"name": {"$in": ["billing"]}}
    server.answers[SEARCH] = DENIED
    with pytest.raises(ApiError):
        find_identities(server.api(), ["billing"], roles=True)


def test_that_a_project_has_no_such_name_is_read_off_its_list(server: t.Any) -> None:
    path = f"GET /api/v1/projects/{PROJECT}/identities"
    server.answers[SEARCH_2] = {"identities": [found(OTHER, "deploy")], "totalCount": 1}
    server.answers[path] = {"identities": [owned()], "totalCount": 1}
    # One of the organisation, of the same name, is another one.
    result = find_identities(server.api(), ["deploy"], PROJECT)
    assert [(item.id, item.project_id) for item in result["deploy"]] == [(ID, PROJECT)]
    assert server.asked == [SEARCH_2, path]
    server.answers[SEARCH_2]["identities"] = [found(name="deploy", projectId=PROJECT)]
    find_identities(server.api(), ["deploy"], PROJECT)
    assert server.asked[2:] == [SEARCH_2]


@pytest.mark.parametrize(
    "search",
    [None, {"identities": [member()], "totalCount": 2}],
    ids=["there is no search", "its page is not all"],
)
def test_where_no_search_tells_them_all_the_list_does(server: t.Any, search: t.Any) -> None:
    server.answers[SEARCH] = search
    server.answers[LIST] = {"identities": [member(), member(OTHER)], "totalCount": 2}
    result = find_identities(server.api(), ["billing"])
    assert [item.id for item in result["billing"]] == [ID, OTHER]
    assert server.asked == [SEARCH, LIST]


@pytest.mark.parametrize("names", [["a.b"], [f"n{n}" for n in range(201)]], ids=["odd", "many"])
def test_names_that_no_search_takes_are_read_off_the_list(server: t.Any, names: list[str]) -> None:
    server.answers[LIST] = {"identities": [member(name=names[0])], "totalCount": 1}
    assert find_identities(server.api(), names)[names[0]][0].id == ID
    assert server.asked == [LIST]


def test_two_hundred_names_are_two_searches(server: t.Any) -> None:
    server.answers[SEARCH] = {"identities": [], "totalCount": 0}
    find_identities(server.api(), [f"n{n}" for n in range(200)])
    assert server.asked == [SEARCH] * 2
    assert find_identities(server.api(), []) == {}


# -- which one is meant ---------------------------------------------------------------------------


def seen(identity_id: str = ID, home: str | None = ORGANIZATION) -> Identity:
    return Identity(identity_id, "billing", ORGANIZATION, home_id=home)


def test_the_only_one_of_a_name() -> None:
    assert only_identity("name", "billing", [seen()]) == seen()
    elsewhere = seen(OTHER, PARENT)
    # A parent's of the same name is not managed from here, and not meant.
    assert only_identity("name", "billing", [elsewhere, seen()]) == seen()


@pytest.mark.parametrize(
    ("identities", "project_id", "message"),
    [
        (
            [],
            None,
            (
                "is not the name of any identity that this login can see in its organization; names"
                " are matched exactly."
            ),
        ),
        (
            [],
            PROJECT,
            (
                "is not the name of any identity that this login can see in its project"
                f" {PROJECT}; names are matched exactly."
            ),
        ),
        (
            [seen(), seen(OTHER)],
            None,
            f"is the name of 2 identities ({ID}, {OTHER}); give the ID instead.",
        ),
        (
            [seen(OTHER, PARENT)],
            None,
            (
                f"is the name of an identity ({OTHER}) of another organization, such as a parent or"
                " sub-organization; log in to that organization to manage it."
            ),
        ),
    ],
    ids=["none", "none of the project", "several", "a parent's"],
)
def test_names_that_are_not_one_identitys(
    identities: list[Identity], project_id: str | None, message: str
) -> None:
    with pytest.raises(OptionError) as raised:
        only_identity("x", "billing", identities, project_id)
    assert str(raised.value) == f"x 'billing' {message}"


def test_of_many_of_a_name_five_are_named() -> None:
    ids = [f"6f1a2b3c-4d5e-4f60-8a7b-{n:012x}" for n in range(9)]
    for count, more in ((5, ""), (6, ", ..."), (9, ", ...")):
        with pytest.raises(OptionError) as raised:
            only_identity("name", "billing", [*map(seen, ids[:count])])
        assert str(raised.value) == (
            f"name 'billing' is the name of {count} identities ({', '.join(ids[:5])}{more}); give"
            " the ID instead."
        )
