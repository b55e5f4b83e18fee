# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filters that take parts of a list: identity_selection, identity_batches, identity_keepers."""

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.community.infisical.plugins.filter.identity_batches import (
    identity_batches,
)
from ansible_collections.community.infisical.plugins.filter.identity_keepers import (
    identity_keepers,
)
from ansible_collections.community.infisical.plugins.filter.identity_selection import (
    identity_selection,
)

Entry = dict[str, t.Any]

ONE = "6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b"
TWO = "0f0e0d0c-0b0a-4908-8706-050403020100"
LIST: list[Entry] = [
    {"name": "billing"},
    {"name": "shop-api", "state": "absent"},
    {"id": ONE, "name": "shop-web"},
    {"id": TWO.upper()},
    {"name": "a*b"},
    {"name": "Shop-test, old"},
]
CURRENT: list[Entry] = [{"id": ONE, "name": "website"}, {"id": TWO, "name": "search"}]

names = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters=","), min_size=1)
entries = st.lists(
    st.fixed_dictionaries(
        {"name": names},
        optional={
            "id": st.uuids().map(str),
            "project_id": st.none() | st.uuids().map(str),
            "state": st.sampled_from(["present", "absent"]),
            "azure_auth": st.none()
            | st.fixed_dictionaries({"state": st.sampled_from(["present", "absent"])}),
        },
    )
)


@pytest.mark.parametrize(
    ("only", "chosen"),
    [
        pytest.param(None, [0, 1, 2, 3, 4, 5], id="null"),
        pytest.param(" \n", [0, 1, 2, 3, 4, 5], id="blank"),
        pytest.param("billing", [0], id="a name"),
        pytest.param(" shop-web,billing,", [0, 2], id="commas"),
        pytest.param("shop-web\r\nbilling\n\n", [0, 2], id="line breaks"),
        pytest.param("shop-*", [1, 2], id="a pattern"),
        pytest.param("[sS]hop-??[!i]*", [2, 5], id="all kinds of wildcards"),
        pytest.param("shop-*,shop-api,shop-api", [1, 2], id="more than once"),
        pytest.param("a*b", [4], id="a name with a wildcard"),
        pytest.param(["Shop-test, old"], [5], id="a name with a comma"),
        pytest.param(["billing", "shop-*"], [0, 1, 2], id="a list"),
        pytest.param(("billing",), [0], id="a tuple"),
        pytest.param(f"{{{ONE.upper()}}}, {TWO.replace('-', '')}", [2, 3], id="ids"),
        pytest.param("website", [2], id="an old name"),
        pytest.param("website, shop-web", [2], id="the old name and the new"),
        pytest.param("sear*", [3], id="a pattern for the name now"),
    ],
)
def test_it_chooses(only: t.Any, chosen: list[int]) -> None:
    assert identity_selection(LIST, only, current=CURRENT) == [LIST[place] for place in chosen]


@pytest.mark.parametrize(
    ("only", "message"),
    [
        pytest.param(
            "biling",
            "only has 'biling', which matches no entry of the list; did you mean 'billing'?",
            id="a misspelled name",
        ),
        pytest.param(
            "webside",
            "only has 'webside', which matches no entry of the list; did you mean 'website'?",
            id="a misspelled old name",
        ),
        pytest.param(
            "x*, billing, BILLING",
            "only has 'x*', which matches no entry of the list. only has 'BILLING', which matches"
            " no entry of the list.",
            id="several",
        ),
        pytest.param(
            "\x1b[2J", r"only has '\x1b[2J', which matches no entry of the list.", id="escapes"
        ),
        pytest.param(",", "only is empty; write names, IDs or patterns", id="a comma"),
        pytest.param([], "only is empty; write names, IDs or patterns", id="no items"),
        pytest.param([" "], "only has a blank item; write a name", id="a blank item"),
        pytest.param([5], "only has 5, which is not a string. YAML reads", id="a number in it"),
        pytest.param(False, "only is false, which is not a string. YAML reads", id="a truth value"),
        pytest.param({"a": 1}, "only is {'a': 1}, which is not a string.", id="a dictionary"),
    ],
)
def test_it_refuses(only: t.Any, message: str) -> None:
    with pytest.raises(AnsibleFilterError) as refused:
        identity_selection(LIST, only, current=CURRENT)
    assert str(refused.value).startswith(message)
    with pytest.raises(AnsibleFilterError, match=r"^identities_apply_only "):
        identity_selection(LIST, only, where="identities_apply_only")


def test_not_all_that_matches_nothing_is_told() -> None:
    with pytest.raises(AnsibleFilterError) as refused:
        identity_selection(LIST, [f"{number}" for number in range(25)])
    assert str(refused.value).count("which matches no entry") == 20
    assert str(refused.value).endswith(" 5 more match nothing.")


@given(entries, st.data())
def test_every_name_and_id_of_the_list_chooses_its_entry(
    listed: list[Entry], data: st.DataObject
) -> None:
    wanted = data.draw(st.lists(st.sampled_from(listed), min_size=1)) if listed else []
    for key in ("name", "id"):
        labels = [entry[key] for entry in wanted if key in entry]
        if labels:
            chosen = identity_selection(listed, labels)
            assert [entry for entry in listed if entry in chosen] == chosen
            assert {entry[key] for entry in chosen if key in entry} >= set(labels)


@given(entries, st.text())
def test_it_chooses_from_the_list_or_refuses(listed: list[Entry], only: str) -> None:
    message = ""
    chosen = []
    try:
        chosen = identity_selection(listed, only)
    except AnsibleFilterError as refused:
        message = str(refused)
    assert message.isprintable()
    assert all(entry in listed for entry in chosen)
    assert message or chosen or not listed


@given(entries, st.integers(min_value=1, max_value=7))
def test_batches_have_every_entry_once_and_renames_and_deletions_first(
    listed: list[Entry], size: int
) -> None:
    batches = identity_batches(listed, size)
    assert all(len(batch) == size for batch in batches[:-1])
    assert all(0 < len(batch) <= size for batch in batches)
    ordered = [id(entry) for batch in batches for entry in batch]
    first = [entry for entry in listed if "id" in entry or entry.get("state") == "absent"]
    rest = [entry for entry in listed if not ("id" in entry or entry.get("state") == "absent")]
    assert ordered == [id(entry) for entry in [*first, *rest]]


@given(entries)
def test_who_keeps_azure_auth_is_of_the_organization_and_stays(listed: list[Entry]) -> None:
    kept = [
        entry for entry in listed if entry.get("state") != "absent" and not entry.get("project_id")
    ]
    assert identity_keepers(listed) == [entry.get("id", entry["name"]) for entry in kept]
    assert identity_keepers(listed, attached=True) == [
        entry.get("id", entry["name"])
        for entry in kept
        if (entry.get("azure_auth") or {}).get("state") != "absent"
    ]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: identity_selection("a"), "its input is 'a', which is not a list"),
        (lambda: identity_selection(["a"]), "item 1 of its input is 'a', which is not a dict"),
        (lambda: identity_selection([], "a", current={}), "current is {}, which is not a list"),
        (lambda: identity_keepers(None), "its input is None, which is not a list"),
        (lambda: identity_batches([{}, 1]), "item 2 of its input is 1, which is not a dict"),
        (lambda: identity_batches([], 0), "size is 0; write a whole number of at least 1."),
        (lambda: identity_batches([], True), "size is True; write a whole number of at least 1."),
    ],
)
def test_arguments_of_other_types_are_refused(call: t.Callable[[], t.Any], message: str) -> None:
    with pytest.raises(AnsibleFilterError) as refused:
        call()
    assert str(refused.value).partition(": ")[2].startswith(message)
    assert str(refused.value).startswith("community.infisical.identity_")
