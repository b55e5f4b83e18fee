# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A machine identity: its options, and what is written to make it what is wanted."""

from __future__ import annotations

import json
import types
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.community.infisical.plugins.module_utils._errors import (
    ApiError,
    OptionError,
    TransportError,
    UnexpectedAnswerError,
    UnknownOutcomeError,
)
from ansible_collections.community.infisical.plugins.module_utils._state import creations
from ansible_collections.community.infisical.plugins.module_utils._state.creations import Creations
from ansible_collections.community.infisical.plugins.module_utils._state.identities import (
    Identity,
    Reference,
    Role,
)
from ansible_collections.community.infisical.plugins.module_utils._state.identity import (
    IDENTITY,
    IdentityResource,
    values_of,
)
from ansible_collections.community.infisical.plugins.module_utils._state.reconcile import Reconciler
from ansible_collections.community.infisical.plugins.module_utils._state.warnings import Warnings
from ansible_collections.community.infisical.plugins.module_utils._text import BLANKS, trim

ID = "6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b"
OTHER = "8a6d3f0e-5d0c-4c43-9a0e-0d6b5a1f7c21"
OWN = "1f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b"
PROJECT = "0f0e0d0c-0b0a-4908-8706-050403020100"
ORGANIZATION = "0f8d7c6b-5a49-4382-b716-0514f3e2d1c0"
PARENT = "1f8d7c6b-5a49-4382-b716-0514f3e2d1c0"

MISSING = ApiError("No such identity.", http_status=404, error="NotFound")
DENIED = ApiError("Not allowed.", http_status=403, error="PermissionDenied")
LOST = TransportError("The answer was lost.", unsent=False, transient=True)
BROKEN = ApiError("A gateway answered.", http_status=502, error="BadGateway")


def read(**options: t.Any) -> dict[str, t.Any]:
    return IDENTITY.from_options(options, Warnings())


# -- options --------------------------------------------------------------------------------------

NO_ROLE = (
    "role is 'custom', which Infisical shows in place of any custom role; write the slug of the"
    " role."
)
QUOTES = "; keys and values must be strings, so put them in quotes."
BLANK = "a blank key or value, which Infisical does not store; remove it."


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": ""}, "name '' has 0 characters; write a name of 1 to 255."),
        (
            {"name": "x" * 256},
            f"name '{'x' * 80}...' has 256 characters; write a name of 1 to 255.",
        ),
        ({"name": "a\0b"}, r"name 'a\x00b' contains a NUL character; remove it."),
        ({"role": "custom"}, NO_ROLE),
        ({"role": " custom\ufeff"}, NO_ROLE),
        ({"delete_protection": "yes"}, "delete_protection is 'yes'; write true or false."),
        ({"metadata": []}, "metadata is [], which is not a dictionary; write one."),
        ({"metadata": {"a": 1}}, "metadata['a'] is 1" + QUOTES),
        ({"metadata": {"a": True}}, "metadata['a'] is True" + QUOTES),
        ({"metadata": {"a": None}}, "metadata['a'] is None" + QUOTES),
        ({"metadata": {"a": {"b": "c"}}}, "metadata['a'] is {'b': 'c'}" + QUOTES),
        ({"metadata": {8: "a"}}, "metadata[8] is 'a'" + QUOTES),
        ({"metadata": {"a": " "}}, "metadata['a'] has " + BLANK),
        ({"metadata": {"\ufeff": "a"}}, r"metadata['\ufeff'] has " + BLANK),
        (
            {"metadata": {"a": "b", " a": "c"}},
            "metadata[' a'] differs from another key only in spaces; write it once.",
        ),
        (
            {"metadata": {"a": "{{ b }}"}},
            "metadata['a'] is a template that was not rendered; write the value.",
        ),
        (
            {"metadata": {"********": "b"}},
            (
                "metadata['********'] is masked text, which Ansible prints in place of a secret;"
                " write the value."
            ),
        ),
        (
            {"metadata": {"a": "\0"}},
            r"metadata['a'] '\x00' contains a NUL character; remove it.",
        ),
    ],
    ids=str,
)
def test_a_refusal_names_option_value_and_what_is_right(
    options: dict[str, t.Any], message: str
) -> None:
    with pytest.raises(OptionError) as raised:
        read(**options)
    assert str(raised.value) == message


def test_what_is_read() -> None:
    assert read(name=" billing\ufeff", role=" member ", metadata={" b ": " 1 ", "a": "x y"}) == {
        "name": "billing",
        "role": (Role("member"),),
        "metadata": (("a", "x y"), ("b", "1")),
    }
    # No pairs at all are something else than none given.
    assert read(metadata={}) == {"metadata": ()}
    assert read(metadata=None) == {}
    assert read(role="custom-1", name="x" * 255)["role"] == (Role("custom-1"),)


@given(
    st.dictionaries(
        st.text(max_size=6) | st.integers() | st.none(),
        st.text(max_size=6) | st.text(BLANKS) | st.integers() | st.booleans() | st.none(),
        max_size=4,
    )
)
def test_metadata_are_read_whole_or_not_at_all(raw: dict[t.Any, t.Any]) -> None:
    try:
        pairs = read(metadata=raw)["metadata"]
    except OptionError:
        return
    assert dict(pairs) == {trim(key): trim(value) for key, value in raw.items()}
    assert len(pairs) == len(raw)
    assert all(text and text == trim(text) for pair in pairs for text in pair)
    shown, stored = IDENTITY.to_result({"metadata": pairs})
    assert (read(**shown)["metadata"], stored) == (pairs, {})
    sent = IDENTITY.to_api({"metadata": pairs})["metadata"]
    assert [(item["key"], item["value"]) for item in sent] == list(pairs)


PAIRS = st.lists(
    st.tuples(st.sampled_from(["a", "b", " a", "", "{{"]), st.text(max_size=3)), max_size=4
)
ROLES = st.lists(st.builds(Role, st.sampled_from(["member", "custom", "x", ""]), st.booleans()))


@given(
    st.builds(
        Identity,
        st.just(ID),
        st.text(max_size=4),
        st.just(ORGANIZATION),
        roles=st.none() | ROLES.map(tuple),
        metadata=st.none() | PAIRS.map(lambda pairs: tuple(sorted(pairs))),
        protected=st.none() | st.booleans(),
    )
)
def test_whatever_is_stored_what_is_shown_goes_back_in(identity: Identity) -> None:
    """It means the same, but for blanks, or leaves alone what no option takes."""
    current = values_of(identity)
    shown, stored = IDENTITY.to_result(current)
    json.dumps([shown, stored])
    assert all(shown[option] is None for option in stored)
    values, errors = IDENTITY.read_options(shown, Warnings())
    assert errors == []
    for option, value in IDENTITY.differing(current, values).items():
        if option == "name":
            assert value == trim(identity.name)
        else:
            assert option == "metadata"
            trimmed = sorted((trim(key), trim(text)) for key, text in identity.metadata or ())
            assert list(value) == trimmed
    # What is no one permanent role is null, and so left alone.
    if identity.roles is not None and (len(identity.roles) != 1 or identity.roles[0].temporary):
        assert shown["role"] is None


@pytest.mark.parametrize(
    ("roles", "shown", "in_diff"),
    [
        ((), None, []),
        ((Role("a"),), "a", "a"),
        ((Role("b"), Role("a")), None, ["a", "b"]),
        ((Role("a", temporary=True),), None, ["a (temporary)"]),
    ],
)
def test_roles_as_shown(roles: tuple[Role, ...], shown: t.Any, in_diff: t.Any) -> None:
    assert IDENTITY.to_result({"role": roles})[0] == {"role": shown}
    assert IDENTITY.to_diff({"role": roles}) == {"role": in_diff}


def test_several_roles_of_which_one_is_wanted_are_a_difference() -> None:
    wanted = read(role="member")
    for roles in ((Role("member"), Role("admin")), (Role("member", temporary=True),), ()):
        assert IDENTITY.differing({"role": roles}, wanted) == wanted
    assert IDENTITY.differing({"role": (Role("member"),)}, wanted) == {}


def test_a_key_that_is_there_twice_is_told_apart_and_differs_from_every_dictionary() -> None:
    pairs = (("a", "1"), ("a", "2"))
    shown, stored = IDENTITY.to_result({"metadata": pairs})
    assert (shown, stored) == (
        {"metadata": None},
        {"metadata": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]},
    )
    for value in ({"a": "1"}, {"a": "2"}, {}):
        assert IDENTITY.differing({"metadata": pairs}, read(metadata=value))


# -- writes ---------------------------------------------------------------------------------------

LIST, SEARCH = "GET /api/v1/identities", "POST /api/v1/identities/search"
SEARCH_2 = "POST /api/v2/identities/search"
CREATE = "POST /api/v1/identities"
BY_ID = f"GET /api/v1/identities/{ID}"
UPDATE, DELETE = f"PATCH /api/v1/identities/{ID}", f"DELETE /api/v1/identities/{ID}"
MEMBERSHIPS = f"{BY_ID}/identity-memberships"
OWNED = f"GET /api/v1/projects/{PROJECT}/identities/{ID}"


def seen(**others: t.Any) -> Identity:
    """An identity of the organisation, of which all is known."""
    values: dict[str, t.Any] = {
        "home_id": ORGANIZATION,
        "methods": (),
        "roles": (Role("member"),),
        "metadata": (),
        "protected": False,
        **others,
    }
    return Identity(ID, "billing", ORGANIZATION, **values)


def item(**others: t.Any) -> dict[str, t.Any]:
    """What a write answers."""
    return {"identity": {"id": ID, "name": "billing", "hasDeleteProtection": False, **others}}


def page(*items: t.Any) -> dict[str, t.Any]:
    return {"identities": list(items), "totalCount": len(items)}


def member(name: str = "billing", identity_id: str = ID) -> dict[str, t.Any]:
    inner = {"id": identity_id, "name": name, "authMethods": []}
    return {"orgId": ORGANIZATION, "role": "member", "identity": inner}


def stored(name: str = "billing", **inner: t.Any) -> dict[str, t.Any]:
    """What the read of it by its id answers."""
    known = {**member(name)["identity"], "orgId": ORGANIZATION, "hasDeleteProtection": False}
    return {"identity": {**member(), "identity": {**known, **inner}, "metadata": []}}


def work_on(
    server: t.Any,
    identity: Identity | None,
    reference: Reference | None = None,
    *,
    own: str | None = OWN,
    check: bool = False,
    **others: t.Any,
) -> Reconciler:
    login = t.cast(t.Any, types.SimpleNamespace(identity_id=own))
    api = server.api()
    resource = IdentityResource(
        api,
        login,
        reference or Reference(ID, None),
        Creations(api, Warnings()),
        identity,
        **others,
    )
    return Reconciler(resource, check=check)


def refusal(work: Reconciler, wanted: dict[str, t.Any] | None) -> str:
    """What is said of a run that is refused before it writes."""
    with pytest.raises(OptionError) as raised:
        work.run(wanted)
    assert not work.changed
    return str(raised.value)


def test_lifting_the_protection_alone_sends_the_name_along(server: t.Any) -> None:
    """Alone it is dropped without a word."""
    server.answers.update({BY_ID: stored(hasDeleteProtection=True), UPDATE: item()})
    work = work_on(server, seen(protected=True))
    work.run(read(delete_protection=False))
    assert (server.asked, server.bodies) == (
        [BY_ID, UPDATE],
        [None, {"hasDeleteProtection": False, "name": "billing"}],
    )
    assert work.changed
    server.answers[BY_ID] = stored("", hasDeleteProtection=True)
    nameless = seen(protected=True)._replace(name="")
    message = refusal(work_on(server, nameless), read(delete_protection=False))
    assert message == (
        f"The identity {ID} has no name, and Infisical does not remove the delete protection of"
        " such an identity; set name, and delete_protection to false, in a task with state present."
    )


def test_lifting_the_protection_sends_the_name_that_it_has_by_now(server: t.Any) -> None:
    """The list that told its name may be old, and nobody's renaming is undone."""
    server.answers[BY_ID] = stored("renamed", hasDeleteProtection=True)
    server.answers[UPDATE] = item(name="renamed")
    work = _run(work_on(server, seen(protected=True)), read(delete_protection=False))
    assert server.bodies[-1] == {"hasDeleteProtection": False, "name": "renamed"}
    assert work.actual is not None
    assert work.actual.values["name"] == "renamed"


def test_only_what_differs_is_sent(server: t.Any) -> None:
    metadata = [{"key": "a", "value": "b"}]
    server.answers[UPDATE] = item(metadata=metadata, hasDeleteProtection=True)
    options = {"metadata": {"a": "b"}, "delete_protection": True, "role": "member"}
    work_on(server, seen()).run(read(**options))
    assert server.bodies == [{"metadata": metadata, "hasDeleteProtection": True}]
    assert server.asked == [UPDATE]
    server.asked.clear()
    known = seen(metadata=(("a", "b"),), protected=True)
    assert not _run(work_on(server, known), read(**options)).changed
    assert server.asked == []


def _run(work: Reconciler, wanted: dict[str, t.Any] | None) -> Reconciler:
    work.run(wanted)
    return work


def test_emptied_metadata_are_read_back(server: t.Any) -> None:
    still = {**member(), "metadata": [{"key": "a", "value": "b"}]}
    gone = {**member(), "metadata": []}
    server.answers.update({UPDATE: item(), BY_ID: [{"identity": still}, {"identity": gone}]})
    work = _run(work_on(server, seen(metadata=(("a", "b"),))), read(metadata={}))
    assert server.bodies[0] == {"metadata": []}
    assert server.asked == [UPDATE, BY_ID, BY_ID]
    assert server.paused == [0.5]
    assert work.actual is not None
    assert work.actual.values["metadata"] == ()


def test_what_was_dropped_in_silence_is_an_error(server: t.Any) -> None:
    server.answers[UPDATE] = item(hasDeleteProtection=False)
    work = work_on(server, seen())
    with pytest.raises(Exception, match="False instead of delete_protection True"):
        work.run(read(delete_protection=True))
    assert work.changed


@pytest.mark.parametrize(
    ("wanted", "asked"),
    [(read(role="admin"), "get another role"), (None, "be deleted")],
    ids=["role", "deletion"],
)
def test_the_own_identity_is_neither_deleted_nor_given_a_role(
    server: t.Any, wanted: dict[str, t.Any] | None, asked: str
) -> None:
    server.answers[BY_ID] = stored()
    message = refusal(work_on(server, seen(), own=ID), wanted)
    assert message == (
        f"The identity {ID} cannot {asked}, because this task is logged in as that identity;"
        " use the credentials of another identity."
    )
    assert server.asked in ([], [BY_ID])


@pytest.mark.parametrize("wanted", [read(name="x"), read(role="admin"), read(metadata={}), None])
def test_a_parents_identity_is_never_changed(
    server: t.Any, wanted: dict[str, t.Any] | None
) -> None:
    server.answers[BY_ID] = stored(orgId=PARENT)
    # Or a list that does not tell.
    for home_id in (PARENT, None):
        elsewhere = seen(home_id=home_id, metadata=(("a", "b"),))
        for check in (True, False):
            message = refusal(work_on(server, elsewhere, check=check), wanted)
            assert message == (
                f"The identity {ID} belongs to another organization ({PARENT}) and can only be"
                " changed or deleted from there; log in to that organization."
            )
    assert set(server.asked) == {BY_ID}


def test_a_protected_one_is_deleted_only_where_the_task_says_so(server: t.Any) -> None:
    server.answers.update(
        {
            BY_ID: stored(hasDeleteProtection=True),
            UPDATE: item(),
            DELETE: item(),
            MEMBERSHIPS: {"identityMemberships": []},
        }
    )
    message = refusal(work_on(server, seen(protected=True)), None)
    assert message == (
        f"The identity {ID} has delete protection; to delete it anyway, also set delete_protection"
        " to false."
    )
    assert server.asked == [BY_ID]
    server.asked.clear()
    work = _run(work_on(server, seen(protected=True), lift=True), None)
    assert server.asked == [BY_ID, MEMBERSHIPS, UPDATE, DELETE]
    assert (work.changed, work.actual) == (True, None)


def test_a_deletion_that_fails_after_the_protection_was_lifted_says_so(server: t.Any) -> None:
    server.answers.update(
        {
            BY_ID: stored(hasDeleteProtection=True),
            UPDATE: item(),
            DELETE: ApiError("Not allowed.", http_status=403, error="PermissionDenied"),
            MEMBERSHIPS: {"identityMemberships": [{"project": {"id": PROJECT, "name": "shop"}}]},
        }
    )
    work = work_on(server, seen(protected=True), lift=True)
    with pytest.raises(ApiError) as raised:
        work.run(None)
    assert str(raised.value) == "Not allowed. The task had already removed its delete protection."
    assert work.changed
    # It is still in its projects. Only a deleted identity is told with those that it was in.
    assert work.actual is not None
    assert "projects" not in work.actual.details


def test_what_a_deletion_ends_is_read_before_it(server: t.Any) -> None:
    members = [
        {"project": {"id": PROJECT, "name": "shop"}},
        {"project": {"id": OTHER}},
        {"project": None},
        "odd",
    ]
    server.answers.update({BY_ID: stored(), MEMBERSHIPS: {"identityMemberships": members}})
    work = _run(work_on(server, seen(), check=True), None)
    assert t.cast(IdentityResource, work.resource).projects == ["shop", OTHER]
    assert server.asked == [BY_ID, MEMBERSHIPS]


def test_nothing_is_deleted_if_it_cannot_be_read_what_the_deletion_ends(server: t.Any) -> None:
    server.answers.update({BY_ID: stored(), MEMBERSHIPS: DENIED, DELETE: item()})
    work = work_on(server, seen())
    with pytest.raises(ApiError) as raised:
        work.run(None)
    assert raised.value is DENIED
    assert (work.changed, server.asked) == (False, [BY_ID, MEMBERSHIPS])
    # Servers of 2024 lack the route.
    del server.answers[MEMBERSHIPS]
    assert _run(work_on(server, seen()), None).changed
    assert server.asked[-2:] == [MEMBERSHIPS, DELETE]


def test_what_is_deleted_by_its_name_has_that_name_by_now(server: t.Any) -> None:
    server.answers[BY_ID] = stored("precious")
    message = refusal(work_on(server, seen(), Reference(None, "billing")), None)
    assert message == (
        f"The identity {ID} is named 'precious', not 'billing'; correct the ID or the name of the"
        " identity to delete."
    )
    # One that has gone since is nothing to delete.
    server.answers.update({BY_ID: MISSING, MEMBERSHIPS: MISSING})
    work = _run(work_on(server, seen(), Reference(None, "billing")), None)
    assert (work.changed, work.before, work.result) == (False, None, None)


def test_a_name_that_another_has_is_not_given(server: t.Any) -> None:
    server.answers[SEARCH] = page(member("new", OTHER))
    message = refusal(work_on(server, seen()), read(name="new"))
    assert message == (
        f"name 'new' is the name of another identity ({OTHER}); choose another name for {ID}."
    )
    # One that gets another name in the same task makes room.
    server.answers[UPDATE] = item(name="new")
    assert _run(work_on(server, seen(), renamed={OTHER: "old"}), read(name="new")).changed


def test_an_id_that_is_not_in_the_project_is_told_where_it_is(server: t.Any) -> None:
    server.answers.update({OWNED: MISSING, BY_ID: stored()})
    message = refusal(work_on(server, None, Reference(ID, None, PROJECT)), read(role="member"))
    assert message.startswith(
        f"The owner of the identity {ID} is the organization, not the project"
    )


def test_an_id_never_creates(server: t.Any) -> None:
    server.answers.update({BY_ID: MISSING, MEMBERSHIPS: MISSING})
    message = refusal(work_on(server, None), read(role="member"))
    assert message == (
        f"id '{ID}' is not the ID of any identity that this login can see; correct it, or set only"
        " name to create an identity."
    )
    assert not _run(work_on(server, None), None).changed


def new(server: t.Any, *, project_id: str | None = None, **others: t.Any) -> Reconciler:
    return work_on(server, None, Reference(None, "billing", project_id), absent=True, **others)


def found(role: str = "no-access") -> dict[str, t.Any]:
    return {
        "identityId": ID,
        "orgId": ORGANIZATION,
        "projectId": None,
        "roles": [{"role": role, "isTemporary": False}],
        "identity": {"name": "billing", "orgId": ORGANIZATION, "authMethods": []},
    }


def test_a_new_identity(server: t.Any) -> None:
    server.answers.update({LIST: page(), CREATE: item(), SEARCH: page(member())})
    work = _run(new(server), {})
    assert server.asked == [LIST, CREATE, SEARCH]
    assert server.bodies[1] == {"name": "billing", "organizationId": ORGANIZATION}
    assert work.actual is not None
    assert work.actual.values["role"] == (Role("no-access"),)
    assert t.cast(IdentityResource, work.resource).created
    assert t.cast(IdentityResource, work.resource).projects == []


def test_check_mode_creates_nothing_and_shows_what_would_be(server: t.Any) -> None:
    server.answers[LIST] = page()
    work = _run(new(server, check=True), read(metadata={"a": "b"}))
    assert (server.asked, work.changed) == ([LIST], True)
    assert work.result is not None
    assert work.result.values == {
        "name": "billing",
        "role": (Role("no-access"),),
        "metadata": (("a", "b"),),
        "delete_protection": False,
    }
    assert work.result.details["roles"] == ["no-access"]


def test_what_another_run_creates_meanwhile_is_not_created_again(
    server: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name is looked for once more right before the request, unless that was just done."""
    monkeypatch.setattr(creations, "_LOOK_LASTS", -1.0)
    server.answers[LIST] = page()
    server.answers[SEARCH] = page(member())
    work = _run(new(server), {})
    assert (work.changed, CREATE in server.asked) == (False, False)


def test_what_could_not_be_attached_is_refused_before_the_creation(server: t.Any) -> None:
    def refuse() -> None:
        raise OptionError("It could not be attached.")

    server.answers[LIST] = page()
    message = refusal(new(server, before_creation=refuse), {})
    assert (message, server.asked) == ("It could not be attached.", [LIST])


def test_a_role_is_read_back(server: t.Any) -> None:
    server.answers.update({LIST: page(), CREATE: item(), SEARCH: page(member())})
    server.answers[SEARCH_2] = [page(), page(found("admin"))]
    work = _run(new(server), read(role="admin"))
    assert server.bodies[1]["role"] == "admin"
    assert work.actual is not None
    assert work.actual.values["role"] == (Role("admin"),)
    assert server.paused == [0.5]


def test_a_role_is_waited_for_at_a_replica_that_is_five_seconds_late(server: t.Any) -> None:
    server.answers.update({LIST: page(), CREATE: item(), SEARCH: page(member())})
    server.answers[SEARCH_2] = lambda _request: (
        page(found("admin")) if sum(server.paused) >= 5 else page()
    )
    work = _run(new(server), read(role="admin"))
    assert work.actual is not None
    assert work.actual.values["role"] == (Role("admin"),)


def test_a_role_that_is_none_is_refused_before_any_write(server: t.Any) -> None:
    server.answers.update({LIST: page(), "GET /api/v1/organization/roles/slug/nope": MISSING})
    message = refusal(new(server), read(role="nope"))
    assert message == (
        "role 'nope' is not the slug of any role of the organization; write one of admin, member,"
        " no-access, or the slug of a custom role."
    )
    assert CREATE not in server.asked


def test_a_role_that_a_project_does_not_have_is_refused_too(server: t.Any) -> None:
    server.answers[f"GET /api/v1/projects/{PROJECT}/roles"] = {"roles": [{"slug": "deployer"}]}
    identity = seen(project_id=PROJECT, roles=(Role("viewer"),))
    message = refusal(work_on(server, identity, Reference(ID, None, PROJECT)), read(role="nope"))
    assert message.startswith(
        f"role 'nope' is not the slug of any role of the project {PROJECT}; write one of admin,"
    )


def test_an_identity_of_a_project_gets_another_role_by_its_membership(server: t.Any) -> None:
    membership = f"/api/v1/projects/{PROJECT}/memberships/identities/{ID}"
    roles = {"identityMembership": {"roles": [{"role": "viewer", "isTemporary": False}]}}
    server.answers.update({f"PATCH {membership}": {}, f"GET {membership}": roles})
    identity = seen(project_id=PROJECT, roles=(Role("no-access"),))
    work = _run(work_on(server, identity, Reference(ID, None, PROJECT)), read(role="viewer"))
    assert server.asked == [f"PATCH {membership}", f"GET {membership}"]
    assert work.actual is not None
    assert work.actual.values["role"] == (Role("viewer"),)


def test_what_is_as_wanted_stays(server: t.Any) -> None:
    work = _run(work_on(server, seen()), read(role="member"))
    assert (server.asked, work.changed) == ([], False)
    assert work.result is not None
    assert work.result == work.before


def test_a_project_gets_the_role_in_its_own_form_and_again_where_it_was_dropped(
    server: t.Any,
) -> None:
    owned = f"/api/v1/projects/{PROJECT}/identities"
    membership = f"/api/v1/projects/{PROJECT}/memberships/identities/{ID}"
    listed = {"id": ID, "name": "billing", "orgId": ORGANIZATION, "projectId": PROJECT}

    def roles(slug: str) -> dict[str, t.Any]:
        return {"identityMembership": {"roles": [{"role": slug, "isTemporary": False}]}}

    server.answers.update(
        {
            f"GET {owned}": [page(), page(listed)],
            f"POST {owned}": item(projectId=PROJECT),
            SEARCH_2: page(),
            f"GET {membership}": [*[roles("no-access")] * 5, roles("viewer")],
            f"PATCH {membership}": {},
        }
    )
    work = _run(new(server, project_id=PROJECT), read(role="viewer"))
    posted = server.bodies[server.asked.index(f"POST {owned}")]
    assert posted == {"name": "billing", "roles": [{"role": "viewer"}]}
    patched = server.bodies[server.asked.index(f"PATCH {membership}")]
    assert patched == {"roles": [{"role": "viewer"}]}
    assert work.actual is not None
    assert work.actual.values["role"] == (Role("viewer"),)


def test_a_creation_without_an_answer_is_looked_for_and_never_made_again(server: t.Any) -> None:
    server.answers.update({LIST: page(), CREATE: LOST})
    server.answers[SEARCH] = [page(), page(member())]
    work = _run(new(server), {})
    assert work.changed
    assert server.asked.count(CREATE) == 1
    assert t.cast(IdentityResource, work.resource).created


def test_several_that_a_lost_creation_may_have_made_are_told_with_what_became_of_it(
    server: t.Any,
) -> None:
    twins = page(member(), member(identity_id=OTHER))
    server.answers.update({LIST: page(), CREATE: BROKEN, SEARCH: twins})
    with pytest.raises(UnknownOutcomeError, match="There are 2 identities named") as raised:
        new(server).run({})
    assert (raised.value.http_status, raised.value.error) == (502, "BadGateway")
    assert f"{ID} (created at an unknown time, auth methods none)" in str(raised.value)


def test_a_refused_creation_is_raised_and_nothing_looked_for(server: t.Any) -> None:
    server.answers.update({LIST: page(), CREATE: DENIED})
    work = new(server)
    with pytest.raises(ApiError):
        work.run({})
    assert (work.changed, server.asked) == (False, [LIST, CREATE])


OWN_BY_ID, OWN_DETAILS = f"GET /api/v1/identities/{OWN}", "GET /api/v1/identities/details"


@pytest.mark.parametrize(
    ("own", "route", "answer", "purpose"),
    [
        (
            OWN,
            OWN_BY_ID,
            {"identity": {"identity": {"hasDeleteProtection": False}, "metadata": []}},
            f"read the login's own identity {OWN} to find out its organization",
        ),
        (None, OWN_DETAILS, {}, "list the identities"),
        (None, OWN_DETAILS, {"identityDetails": None}, "list the identities"),
        (None, OWN_DETAILS, {"identityDetails": {"organization": {}}}, "list the identities"),
    ],
    ids=["own identity", "no details", "empty details", "no ID"],
)
def test_nothing_is_created_in_an_organization_that_nobody_tells(
    server: t.Any,
    monkeypatch: pytest.MonkeyPatch,
    own: str | None,
    route: str,
    answer: dict[str, t.Any],
    purpose: str,
) -> None:
    api = server.api(of_2026=False, own=own)
    monkeypatch.setattr(server, "api", lambda: api)
    server.answers.update({LIST: page(), CREATE: item(), SEARCH: page(), route: answer})
    work = new(server, own=own)
    with pytest.raises(UnexpectedAnswerError) as raised:
        work.run({})
    assert str(raised.value) == (
        f"Could not {purpose}: the server answered with JSON that Infisical does not send (no"
        " organization); check that url points to an Infisical server."
    )
    assert route in server.asked
    assert CREATE not in server.asked
    assert not work.changed


def test_what_fails_after_the_creation_says_that_it_was_created(server: t.Any) -> None:
    server.answers.update({LIST: page(), CREATE: item(), SEARCH: DENIED})
    work = new(server)
    with pytest.raises(UnknownOutcomeError, match=f"The identity {ID} was created, but: Not all"):
        work.run({})
    assert work.changed
    assert server.asked.count(CREATE) == 1


# -- reads ----------------------------------------------------------------------------------------


def read_roles(server: t.Any, name: str, *, of_2026: bool) -> tuple[t.Any, list[str]]:
    """The roles of an identity, and what is warned of while they are read."""
    warnings = Warnings()
    api = server.api(of_2026=of_2026)
    resource = IdentityResource(
        api,
        t.cast(t.Any, types.SimpleNamespace(identity_id=OWN)),
        Reference(ID, None),
        Creations(api, warnings),
        seen(roles=None)._replace(name=name),
        needed={"role"},
    )
    state = resource.read()
    assert state is not None
    return state.values.get("role"), warnings.messages()


def test_the_roles_of_one_are_looked_for_by_its_name(server: t.Any) -> None:
    server.answers[SEARCH_2] = page({**found("member"), "identityId": OTHER}, found("admin"))
    assert read_roles(server, "billing", of_2026=True) == ((Role("admin"),), [])
    assert server.bodies[-1]["search"] == {"name": {"$in": ["billing"]}}
    # The search does not take every name.
    assert read_roles(server, "a, b", of_2026=True) == ((Role("admin"),), [])
    assert "name" not in server.bodies[-1].get("search", {})
    assert {*server.asked} == {SEARCH_2}


def test_a_search_for_roles_that_fails_says_what_for(server: t.Any) -> None:
    server.answers[SEARCH_2] = {"identities": None}
    with pytest.raises(UnexpectedAnswerError, match=f"Could not read the roles of identity {ID}:"):
        read_roles(server, "billing", of_2026=True)


@pytest.mark.parametrize(("name", "shown"), [("bill\ning", "bill ing"), ("", ID)])
def test_a_server_that_shows_one_role_is_warned_of(server: t.Any, name: str, shown: str) -> None:
    server.answers[BY_ID] = stored(name)
    assert read_roles(server, name, of_2026=False) == (
        (Role("member"),),
        [
            (
                "This server shows only one role of each identity, so 1 of the identities may have"
                f" others: {shown}"
            )
        ],
    )


def test_what_a_list_takes_for_the_organizations_is_read_where_its_membership_is(
    server: t.Any,
) -> None:
    """A project owns it, or a replica lags behind: then the project does not know it."""
    inner = {"id": ID, "name": "billing", "orgId": ORGANIZATION, "authMethods": []}
    membership = {"identity": inner, "project": {"id": PROJECT, "name": "shop"}, "roles": []}
    owned = f"GET /api/v1/projects/{PROJECT}/identities/{ID}"
    metadata = [{"key": "a", "value": "b"}]
    server.answers.update(
        {
            BY_ID: MISSING,
            MEMBERSHIPS: {"identityMemberships": [membership]},
            owned: {"identity": {**inner, "projectId": PROJECT, "metadata": metadata}},
        }
    )
    work = work_on(server, seen(metadata=None), needed={"metadata"})
    assert not _run(work, read(metadata={"a": "b"})).changed
    assert server.asked == [BY_ID, MEMBERSHIPS, owned]
    server.answers[owned] = MISSING
    work = work_on(server, seen(metadata=None), needed={"metadata"})
    with pytest.raises(ApiError) as raised:
        work.run(read(metadata={}))
    assert (raised.value, work.changed) == (MISSING, False)
