# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What keeps a run from making two identities of one name, without a server."""

from __future__ import annotations

import types
import typing as t
import unicodedata
import unittest.mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.community.infisical.plugins.module_utils._errors import (
    ApiError,
    ChangedMeanwhileError,
    InterruptError,
    NotWrittenError,
    OptionError,
    TransportError,
    UnknownOutcomeError,
)
from ansible_collections.community.infisical.plugins.module_utils._state import creations
from ansible_collections.community.infisical.plugins.module_utils._state.creations import Creations
from ansible_collections.community.infisical.plugins.module_utils._state.identities import (
    Identity,
    Reference,
)
from ansible_collections.community.infisical.plugins.module_utils._state.warnings import Warnings
from ansible_collections.community.infisical.plugins.module_utils._text import quoted

ID = "6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b"
OTHER = "8a6d3f0e-5d0c-4c43-9a0e-0d6b5a1f7c21"
PROJECT = "0f0e0d0c-0b0a-4908-8706-050403020100"
ORGANIZATION = "0f8d7c6b-5a49-4382-b716-0514f3e2d1c0"
LIST, SEARCH = "GET /api/v1/identities", "POST /api/v1/identities/search"
LOST = TransportError("The answer was lost.", unsent=False, transient=True)
MISSING = ApiError("No such thing.", http_status=404, error="NotFound")
DENIED = ApiError("Not allowed.", http_status=403, error="PermissionDenied")


def member(name: str, identity_id: str = ID, created: str = "2026-11-07") -> dict[str, t.Any]:
    return {
        "orgId": ORGANIZATION,
        "role": "no-access",
        "createdAt": created,
        "identity": {"id": identity_id, "name": name, "authMethods": []},
    }


def members(*names: str) -> dict[str, t.Any]:
    ids = (f"6f1a2b3c-4d5e-4f60-8a7b-{number:012x}" for number in range(len(names)))
    items = [member(name, identity_id) for name, identity_id in zip(names, ids)]
    return {"identities": items, "totalCount": len(items)}


def page(*items: dict[str, t.Any]) -> dict[str, t.Any]:
    return {"identities": list(items), "totalCount": len(items)}


class Clock:
    """The time, which goes on where somebody sleeps."""

    def __init__(self, server: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(creations, "time", types.SimpleNamespace(monotonic=lambda: self.now))
        monkeypatch.setattr(server, "pause", self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(server: t.Any, monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(server, monkeypatch)


def of(server: t.Any, warnings: Warnings | None = None, **others: t.Any) -> Creations:
    return Creations(server.api(), warnings or Warnings(), **others)


def named(name: str, project_id: str | None = None) -> Reference:
    return Reference(None, name, project_id)


# -- names that are new, and others ---------------------------------------------------------------


def test_a_name_that_none_has_may_be_created(server: t.Any) -> None:
    server.answers[LIST] = members("payments", "shop")
    warnings = Warnings()
    made = of(server, warnings)
    for name in ("billing", "orders"):
        made.refuse_unless_new(named(name))
    # All names are listed once.
    assert server.asked == [LIST]
    assert warnings.messages() == []


def test_where_nothing_may_be_created_a_new_name_is_an_error(server: t.Any) -> None:
    with pytest.raises(OptionError) as raised:
        of(server, allowed=False).refuse_unless_new(named("x"))
    assert str(raised.value) == (
        "name 'x' is not the name of any identity that this login can see, and create is false;"
        " correct the name, or create the identity first."
    )
    assert server.asked == []


def test_a_name_that_came_up_meanwhile_is_planned_anew(server: t.Any) -> None:
    server.answers[LIST] = members("billing")
    with pytest.raises(ChangedMeanwhileError) as raised:
        of(server).refuse_unless_new(named("billing"))
    assert raised.value.race


SPELLINGS = [
    ("Billing", "billing"),
    ("BILLING API", "billing api"),
    ("billing api", "billingapi"),
    ("billing\u00a0api", "billing api"),
    (" billing", "billing"),
    ("caf\u00e9", "cafe\u0301"),
    ("\uff42illing", "billing"),
    ("stra\u00dfe", "STRASSE"),
    ("\u2460", "1"),
]


@pytest.mark.parametrize(("new", "there"), SPELLINGS)
def test_a_name_that_differs_in_its_spelling_only_is_an_error(
    server: t.Any, new: str, there: str
) -> None:
    for one, other in ((new, there), (there, new)):
        server.answers[LIST] = members("other", other)
        with pytest.raises(OptionError) as raised:
            of(server).refuse_unless_new(named(one))
        assert str(raised.value) == (
            f"name {quoted(one)} is new, but differs from the existing name {quoted(other)} only in"
            " letter case, Unicode form or spaces; use the existing name, or a clearly different"
            " one."
        )


@given(st.text(min_size=1), st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
def test_letter_case_unicode_form_and_blanks_never_make_another_name(name: str, form: str) -> None:
    spelled = creations.folded(name)
    assert creations.folded(unicodedata.normalize(t.cast(t.Any, form), name)) == spelled
    assert creations.folded(f" {name}\t") == spelled
    assert creations.folded(name) != name


NEAR_NAMES = [
    ("billng", "billing", True),
    ("biling", "billing", True),
    ("billings", "billing", True),
    ("bollino", "billing", False),
    ("billing", "bolling", True),
    ("payments-billing", "payment-billing", True),
    # What stands in a row, and short names, are not near.
    ("app-1", "app-2", False),
    ("web10", "web11", False),
    ("abc", "abd", False),
    ("billing-1", "billing-2", False),
]


@pytest.mark.parametrize(("new", "there", "near"), NEAR_NAMES)
def test_a_name_that_may_be_mistyped_is_warned_of(
    server: t.Any, new: str, there: str, near: bool
) -> None:
    for one, other in ((new, there), (there, new)):
        server.answers[LIST] = members("shop", other)
        warnings = Warnings()
        of(server, warnings).refuse_unless_new(named(one))
        sentence = f"may be misspelled: '{one}' ('{other}')"
        assert [sentence in message for message in warnings.messages()] == [True] * near


def test_names_of_a_project_are_its_own(server: t.Any) -> None:
    server.answers[LIST] = members("billing")
    item = {"id": ID, "name": "deploy", "orgId": ORGANIZATION, "projectId": PROJECT}
    server.answers[f"GET /api/v1/projects/{PROJECT}/identities"] = page(item)
    made = of(server)
    made.refuse_unless_new(named("billing", PROJECT))
    made.refuse_unless_new(named("deploy"))
    for name, project_id in (("Billing", None), ("Deploy", PROJECT)):
        with pytest.raises(OptionError, match="is new, but differs from the existing name"):
            made.refuse_unless_new(named(name, project_id))


# -- the look before ------------------------------------------------------------------------------


def test_a_look_lasts_a_few_seconds(server: t.Any, clock: Clock) -> None:
    server.answers.update({LIST: members(), SEARCH: page()})
    made = of(server)
    made.refuse_unless_new(named("a"))
    clock.now += 4.9
    made.look_before(named("a"))
    assert server.asked == [LIST]


def test_an_old_look_is_made_again_for_all_that_are_to_come(server: t.Any, clock: Clock) -> None:
    server.answers.update({LIST: members(), SEARCH: page()})
    made = of(server)
    for name in ("a", "b", "c"):
        made.refuse_unless_new(named(name))
    clock.now += 5.1
    made.look_before(named("a"))
    assert server.bodies[-1]["search"] == {"name": {"$in": ["a", "b", "c"]}}
    made.look_before(named("b"))
    assert server.asked == [LIST, SEARCH]
    clock.now += 5.1
    made.look_before(named("c"))
    # Those that were made are not looked for again.
    assert server.bodies[-1]["search"] == {"name": {"$in": ["c"]}}
    assert server.asked == [LIST, SEARCH, SEARCH]


def test_a_look_takes_a_hundred_names_at_most(server: t.Any, clock: Clock) -> None:
    server.answers.update({LIST: members(), SEARCH: page()})
    made = of(server)
    for number in range(150):
        made.refuse_unless_new(named(f"{number:03}"))
    clock.now += 6
    made.look_before(named("120"))
    names = server.bodies[-1]["search"]["name"]["$in"]
    assert (len(names), names[0]) == (100, "120")


def test_what_is_there_by_now_is_not_created(server: t.Any, clock: Clock) -> None:
    server.answers.update({LIST: members(), SEARCH: page(member("b"))})
    made = of(server)
    for name in ("a", "b"):
        made.refuse_unless_new(named(name))
    clock.now += 6
    made.look_before(named("a"))
    with pytest.raises(
        ChangedMeanwhileError,
        match=r"^An identity 'b' was created in the meantime; run the task again\.$",
    ):
        made.look_before(named("b"))


@pytest.mark.parametrize("answer", [LOST, DENIED], ids=["outage", "refusal"])
def test_a_look_that_fails_leaves_no_doubt_that_nothing_was_created(
    server: t.Any, clock: Clock, answer: t.Any
) -> None:
    server.answers.update({LIST: members(), SEARCH: answer})
    made = of(server)
    made.refuse_unless_new(named("a"))
    clock.now += 6
    with pytest.raises(NotWrittenError, match=r"Nothing was created\.$") as raised:
        made.look_before(named("a"))
    assert (raised.value.unsure, raised.value.race) == (False, False)


def test_a_signal_during_the_look_stays_a_signal(server: t.Any, clock: Clock) -> None:
    stop = InterruptError("Stopped.")
    server.answers.update({LIST: members(), SEARCH: stop})
    made = of(server)
    made.refuse_unless_new(named("a"))
    clock.now += 6
    with pytest.raises(InterruptError) as raised:
        made.look_before(named("a"))
    assert raised.value is stop
    assert not stop.maybe_sent


# -- an outcome that is unknown -------------------------------------------------------------------


def test_what_shows_up_was_made(server: t.Any, clock: Clock) -> None:
    # The outage that lost the answer goes on for a while, and so does the replica's lag.
    server.answers[SEARCH] = [LOST, page(), page(member("other")), page(member("x"))]
    identity = of(server).find_made(named("x"), LOST)
    assert (identity.id, identity.name) == (ID, "x")
    assert clock.now == 1000 + 0.5 + 1 + 2 + 4
    assert {*server.asked} == {SEARCH}


@pytest.mark.parametrize("answer", [page(), LOST, DENIED], ids=["nothing", "outage", "refusal"])
def test_what_does_not_show_up_is_not_known_and_not_asked_for_again(
    server: t.Any, clock: Clock, answer: t.Any
) -> None:
    server.answers[SEARCH] = answer
    with pytest.raises(UnknownOutcomeError) as raised:
        of(server).find_made(named("x"), LOST)
    message = str(raised.value)
    assert message == (
        "The answer was lost. It is not known whether the identity 'x' was created, and the task"
        " does not try again, because names are not unique; run it again later."
    )
    assert (raised.value.unsure, raised.value.race, raised.value.transient) == (True, False, False)
    assert 1030 <= clock.now <= 1035
    assert {*server.asked} == {SEARCH}


def test_two_that_show_up_are_an_error(server: t.Any, clock: Clock) -> None:
    del clock
    server.answers[SEARCH] = page(member("x"), member("x", OTHER))
    lost = ApiError("A gateway answered.", http_status=502, error="BadGateway")
    with pytest.raises(UnknownOutcomeError) as raised:
        of(server).find_made(named("x"), lost)
    assert raised.value.http_status == 502
    assert str(raised.value) == (
        f"There are 2 identities named 'x': {ID} (created 2026-11-07, auth methods none); {OTHER}"
        " (created 2026-11-07, auth methods none). Another run may have created one at the same"
        " time; nothing was attached. Delete those that are not needed with infisical_identity"
        " (state absent), and do not let two runs create the same identity at the same time."
    )


def test_a_signal_ends_the_search_and_the_write_may_have_been_done(
    server: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_seconds: float) -> None:
        raise InterruptError("Stopped.")

    monkeypatch.setattr(server, "pause", interrupted)
    with pytest.raises(InterruptError) as raised:
        of(server).find_made(named("x"), LOST)
    assert raised.value.maybe_sent


# -- twins ----------------------------------------------------------------------------------------


def made_by_us(created: str, identity_id: str = ID) -> Identity:
    return Identity(identity_id, "x", ORGANIZATION, methods=(), created_at=created)


def test_one_alone_goes_on(server: t.Any) -> None:
    for answer in (page(), page(member("x"))):
        server.answers[SEARCH] = answer
        of(server).refuse_twins(named("x"), made_by_us("2026-11-07"))


@pytest.mark.parametrize(
    ("ours", "theirs", "goes_on"),
    [
        (("2026-11-07T05:00:00Z", ID), ("2026-11-07T05:00:01Z", OTHER), True),
        (("2026-11-07T05:00:01Z", ID), ("2026-11-07T05:00:00Z", OTHER), False),
        # At the same moment, the ids decide.
        (("2026-11-07T05:00:00Z", ID), ("2026-11-07T05:00:00Z", OTHER), True),
        (("2026-11-07T05:00:00Z", OTHER), ("2026-11-07T05:00:00Z", ID), False),
    ],
)
def test_the_elder_goes_on_and_the_younger_says_what_there_is(
    server: t.Any, ours: tuple[str, str], theirs: tuple[str, str], goes_on: bool
) -> None:
    made = made_by_us(*ours)
    items = [member("x", theirs[1], theirs[0]), member("x", ours[1], ours[0])]
    for listed in (items, items[::-1]):
        server.answers[SEARCH] = page(*listed)
        if goes_on:
            of(server).refuse_twins(named("x"), made)
            continue
        with pytest.raises(UnknownOutcomeError) as raised:
            of(server).refuse_twins(named("x"), made)
        message = str(raised.value)
        assert message == (
            f"There are 2 identities named 'x': {theirs[1]} (created {theirs[0]}, auth methods"
            f" none); {ours[1]} (created {ours[0]}, auth methods none, created by this run)."
            " Another run may have created one at the same time; nothing was attached. Delete the"
            f" one that this run created (id {ours[1]}) with infisical_identity (state absent), and"
            " do not let two runs create the same identity at the same time."
        )


@given(
    st.lists(
        st.tuples(st.sampled_from(["2026-01-01", "2026-01-02", "2026-01-03"]), st.uuids()),
        min_size=2,
        max_size=5,
        unique_by=lambda item: item[1],
    )
)
def test_of_several_exactly_one_goes_on(twins: list[tuple[str, t.Any]]) -> None:
    identities = [made_by_us(created, str(uuid)) for created, uuid in twins]
    going_on = []
    for made in identities:
        looking = Creations(t.cast(t.Any, None), Warnings())
        looking._find = unittest.mock.Mock(return_value=identities)  # type: ignore[method-assign]
        try:
            looking.refuse_twins(named("x"), made)
        except UnknownOutcomeError:
            continue
        going_on.append(made)
    assert len(going_on) == 1


# -- what the server has --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "lacking", "of_2024"),
    [
        ({"metadata": [], "identity": {"hasDeleteProtection": False}}, set(), False),
        ({"metadata": [], "identity": {}}, {"delete_protection"}, False),
        ({"identity": {}}, {"metadata", "delete_protection"}, True),
        ({}, set(), False),
    ],
)
def test_what_a_server_lacks_is_seen_on_the_own_identity(
    server: t.Any, own: dict[str, t.Any], lacking: set[str], of_2024: bool
) -> None:
    server.answers[f"GET /api/v1/identities/{ID}"] = {"identity": own}
    made = Creations(server.api(of_2026=False, own=ID), Warnings())
    assert ({*made.lacking()}, made.of_2024()) == (lacking, of_2024)
    assert made.lacking() == lacking
    if own:
        assert len(server.asked) == 1


def test_a_server_of_2026_has_it_all(server: t.Any) -> None:
    assert of(server).lacking() == frozenset()
    assert server.asked == []


@pytest.mark.parametrize(
    ("answer", "there"),
    [({"role": {}}, True), (MISSING, False), (DENIED, True), (None, True)],
    ids=["there", "missing", "not to be known", "no route"],
)
def test_a_role_of_the_organization_is_asked_for_once(
    server: t.Any, answer: t.Any, there: bool
) -> None:
    path = "GET /api/v1/organization/roles/slug/billing"
    server.answers[path] = answer
    made = of(server)
    assert [made.has_role("billing", None) for _time in range(2)] == [there] * 2
    assert server.asked == [path]
    server.answers["GET /api/v1/organization/roles/slug/other"] = {"role": {}}
    assert made.has_role("other", None)


@pytest.mark.parametrize(
    ("answer", "there"),
    [
        ({"roles": [{"slug": "viewer"}, {"slug": "billing"}]}, True),
        ({"roles": [{"slug": "viewer"}]}, False),
        (DENIED, True),
        (None, True),
    ],
)
def test_a_role_of_a_project_is_one_of_its_list(server: t.Any, answer: t.Any, there: bool) -> None:
    server.answers[f"GET /api/v1/projects/{PROJECT}/roles"] = answer
    assert of(server).has_role("billing", PROJECT) is there


@pytest.mark.parametrize(
    "outage", [LOST, ApiError("Broken.", http_status=500, error="InternalServerError")]
)
def test_an_outage_tells_nothing_of_a_role(server: t.Any, outage: Exception) -> None:
    path = "GET /api/v1/organization/roles/slug/billing"
    server.answers[path] = [outage, MISSING]
    made = of(server)
    with pytest.raises(type(outage)) as raised:
        made.has_role("billing", None)
    assert raised.value is outage
    # Nor is it remembered.
    assert not made.has_role("billing", None)
    assert server.asked == [path, path]
