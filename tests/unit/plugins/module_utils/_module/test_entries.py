# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Entries: how identities are read from options, and what is wrong with them."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.community.infisical.plugins.module_utils._errors import ManyProblemsError
from ansible_collections.community.infisical.plugins.module_utils._module.entries import (
    Entry,
    entry_spec,
    read_entries,
    read_references,
    repeated,
)
from ansible_collections.community.infisical.plugins.module_utils._module.options import spec_of
from ansible_collections.community.infisical.plugins.module_utils._state.auth_methods import (
    AUTH_METHODS,
)
from ansible_collections.community.infisical.plugins.module_utils._state.azure_auth import (
    AZURE_AUTH,
)
from ansible_collections.community.infisical.plugins.module_utils._state.identities import (
    Reference,
    Role,
)
from ansible_collections.community.infisical.plugins.module_utils._state.identity import IDENTITY
from ansible_collections.community.infisical.plugins.module_utils._state.warnings import Warnings

ID = "6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b"
OTHER = "8a6d3f0e-5d0c-4c43-9a0e-0d6b5a1f7c21"
PROJECT = "0f0e0d0c-0b0a-4908-8706-050403020100"
TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
BLANKS = (None, "", " ", "\ufeff", "\u00a0\t")
AZURE_OPTIONS = (*spec_of(AZURE_AUTH), "state")


def read(*items: t.Any, warnings: Warnings | None = None) -> list[Entry]:
    return read_entries("identities", items, AUTH_METHODS, warnings or Warnings())


def problems_of(*items: t.Any) -> list[tuple[int | None, str]]:
    with pytest.raises(ManyProblemsError) as raised:
        read(*items)
    return [(problem.place, problem.sentence) for problem in raised.value.problems]


def azure_auth_of(entry: Entry) -> t.Any:
    return entry.desired.methods["azure_auth"]


def test_an_entry_by_id_has_no_name_to_look_for() -> None:
    (entry,) = read({"id": f"{{{ID.upper()}}}", "azure_auth": {"resource": " r "}})
    reference = entry.reference
    assert (reference.id, reference.name, reference.place) == (ID, None, 0)
    assert reference.label == f"identities[0] ({{{ID.upper()}}})"
    assert entry.desired.identity == {}
    assert azure_auth_of(entry) == {"resource": "r"}


def test_an_entry_by_name() -> None:
    (entry,) = read({"name": " billing ", "project_id": f" {PROJECT.upper()} "})
    reference = entry.reference
    assert (reference.id, reference.name, reference.project_id) == (None, "billing", PROJECT)
    assert reference.label == "identities[0] (billing)"
    assert reference.option == "identities[0] (billing): name"
    # The name finds it, and is nothing to change.
    assert entry.desired == ({}, {}, False)


def test_beside_an_id_the_name_is_what_it_shall_be_called() -> None:
    (entry,) = read({"id": ID, "name": " billing "})
    assert (entry.reference.id, entry.reference.name) == (ID, "billing")
    assert entry.reference.label == "identities[0] (billing)"
    assert entry.desired.identity == {"name": "billing"}


@pytest.mark.parametrize("blank", BLANKS, ids=repr)
def test_a_blank_id_or_name_is_none(blank: str | None) -> None:
    by_name, by_id = read({"id": blank, "name": "billing"}, {"id": ID, "name": blank})
    assert (by_name.reference.id, by_name.reference.name) == (None, "billing")
    assert by_id.reference.id == ID
    assert by_id.desired.identity == {}


def test_settings_of_the_identity() -> None:
    options = {"role": "member", "metadata": {"team": "a"}, "delete_protection": "yes"}
    (entry,) = read({"name": "x", **options})
    assert entry.desired.identity == {
        "role": (Role("member"),),
        "metadata": (("team", "a"),),
        "delete_protection": True,
    }


def test_absent_is_nothing_wanted_and_its_other_options_are_checked_all_the_same() -> None:
    (entry,) = read({"name": "x", "state": "absent", "role": "member"})
    assert (entry.desired.identity, entry.desired.lift) == (None, False)
    (entry,) = read({"name": "x", "azure_auth": {"state": "absent", "tenant_id": TENANT}})
    assert azure_auth_of(entry) is None
    absent = {"state": "absent", "tenant_id": "y"}
    for item in ({"azure_auth": absent}, {"state": "absent", "azure_auth": {"tenant_id": "y"}}):
        ((_place, sentence),) = problems_of({"name": "x", **item})
        assert sentence.startswith("identities[0] (x): azure_auth: tenant_id 'y' is not a UUID;")


@pytest.mark.parametrize(("protection", "lift"), [(False, True), ("no", True), (True, False)])
def test_protection_is_lifted_where_the_same_entry_says_so(protection: t.Any, lift: bool) -> None:
    (entry,) = read({"name": "x", "state": "absent", "delete_protection": protection})
    assert entry.desired.lift is lift


@pytest.mark.parametrize(
    ("item", "only"),
    [
        ({"azure_auth": {"state": "absent"}}, True),
        ({"azure_auth": {"state": "absent"}, "role": None, "metadata": None}, True),
        ({"azure_auth": {"state": "absent"}, "role": "member"}, False),
        ({"azure_auth": {"state": "absent"}, "metadata": {}}, False),
        ({"azure_auth": {"state": "absent"}, "state": "absent"}, False),
        ({"azure_auth": {"state": "present"}}, False),
        ({"azure_auth": None}, False),
        ({}, False),
    ],
    ids=str,
)
def test_an_entry_that_only_revokes(item: dict[str, t.Any], only: bool) -> None:
    (entry,) = read({"name": "x", "project_id": PROJECT, **item})
    assert entry.desired.only_revokes is only


@pytest.mark.parametrize("name", [8, 750, True, 1.5, ["x"]], ids=repr)
def test_names_that_are_no_strings_are_refused(name: t.Any) -> None:
    assert problems_of({"name": name}) == [
        (
            0,
            (
                f"identities[0]: name is {name!r}, which is not a string; put it in quotes, because"
                " YAML reads 010, 12:30 and yes as numbers or booleans."
            ),
        )
    ]


@pytest.mark.parametrize("text", ["{{ tenant }}", "********", "__omit_place_holder__1"])
def test_what_only_stands_for_a_value_is_refused(text: str) -> None:
    for options in (
        {"role": text},
        {"azure_auth": {"resource": text}},
        {"azure_auth": {"access_token_trusted_ips": [text]}},
    ):
        ((_place, sentence),) = problems_of({"name": "x", **options})
        assert f"'{text}' is " in sentence
    ((_place, sentence),) = problems_of({"name": "x", "metadata": {"team": text}})
    assert "metadata['team'] is " in sentence


@pytest.mark.parametrize("blank", ["", " ", "\ufeff"])
def test_blank_options_are_left_out(blank: str) -> None:
    blanks = dict.fromkeys(entry_spec(AUTH_METHODS), blank)
    (entry,) = read({**blanks, "name": "x"})
    assert entry.desired == ({}, {}, False)
    (entry,) = read({"name": "x", "azure_auth": dict.fromkeys(AZURE_OPTIONS, blank)})
    assert azure_auth_of(entry) == {}


def test_null_options_are_left_out() -> None:
    (entry,) = read({**dict.fromkeys(entry_spec(AUTH_METHODS)), "name": "x"})
    assert entry.desired == ({}, {}, False)
    (entry,) = read({"name": "x", "azure_auth": dict.fromkeys(AZURE_OPTIONS)})
    assert azure_auth_of(entry) == {}


@pytest.mark.parametrize("details", [None, {}, {"id": "x"}, {"stored": {"role": [1]}}], ids=repr)
def test_details_are_ignored_whatever_is_in_them(details: t.Any) -> None:
    (entry,) = read({"name": "x", "details": details, "azure_auth": {"details": details}})
    assert entry.desired == ({}, {"azure_auth": {}}, False)


@pytest.mark.parametrize("field", [f.api for f in AZURE_AUTH.fields if f.api != f.option])
def test_names_of_the_api_are_refused_with_the_right_ones(field: str) -> None:
    (option,) = [item.option for item in AZURE_AUTH.fields if item.api == field]
    ((place, sentence),) = problems_of({"name": "x", "azure_auth": {field: "v"}})
    assert place == 0
    start = f"identities[0] (x): azure_auth: '{field}' is not an option of azure_auth; did you mean"
    assert sentence.startswith(f"{start} {option}?")


@pytest.mark.parametrize("key", [1, None, True, 1.5, ("a",), b"tenant_id", "Rôle?", ""])
def test_keys_that_are_no_options_are_refused(key: t.Any) -> None:
    for item, what in (({key: "v"}, "an entry"), ({"azure_auth": {key: "v"}}, "azure_auth")):
        ((place, sentence),) = problems_of({"name": "x", **item})
        assert place == 0
        assert f" is not an option of {what}; " in sentence


@pytest.mark.parametrize("item", [None, "", "x", 0, 1.5, True, [], ["x"], [{}]], ids=repr)
def test_what_is_no_dictionary_is_refused(item: t.Any) -> None:
    ((place, sentence),) = problems_of({"name": "x"}, item)
    assert place == 1
    assert sentence.startswith(f"identities[1] is {item!r}, which is not a dictionary; write one")


@pytest.mark.parametrize("value", ["x", "{'a': 1}", 0, 7, True, False, [], ["x"]], ids=repr)
def test_dictionaries_that_are_none_are_refused(value: t.Any) -> None:
    """That of an auth method is not shown, since it may have a secret in it."""
    sentence = "identities[0] (x): azure_auth is not a dictionary; write one."
    assert problems_of({"name": "x", "azure_auth": value}) == [(0, sentence)]
    if not isinstance(value, str):
        ((place, sentence),) = problems_of({"name": "x", "metadata": value})
        assert place == 0
        assert sentence.startswith(f"identities[0] (x): metadata is {value!r}, which is not a dict")


def test_a_dictionary_as_a_text_is_read_as_ansible_does() -> None:
    (entry,) = read({"name": "x", "metadata": '{"team": "a"}'})
    assert entry.desired.identity == {"metadata": (("team", "a"),)}
    ((_place, sentence),) = problems_of({"name": "x", "metadata": "x"})
    # Ansible's own words, which name the type in one way or another.
    assert "'metadata' is of type " in sentence
    assert " and we were unable to convert to dict" in sentence


def test_every_problem_of_every_entry_is_told_in_order() -> None:
    found = problems_of(
        {"name": "a", "role": "custom", "azure_auth": {"tenant_id": "y", "nope": 1}},
        {"name": "b"},
        "c",
        {"azure_auth": {"access_token_ttl": "1h"}},
        {"name": "b", "state": "gone", "azure_auth": {"access_token_ttl": -1, "resource": "/"}},
        {"name": "b", "azure_auth": {"access_token_ttl": -1, "resource": "/"}},
        {},
    )
    assert [place for place, _sentence in found] == [0, 0, 0, 2, 3, 3, 4, 4, 4, 5, 5, 6, 4, 5]
    starts = [
        "identities[0] (a): azure_auth: 'nope' is not an option of azure_auth;",
        "identities[0] (a): role is 'custom', which Infisical shows in place",
        "identities[0] (a): azure_auth: tenant_id 'y' is not a UUID;",
        "identities[2] is 'c', which is not a dictionary;",
        "identities[3]: azure_auth: access_token_ttl is '1h', which is not a whole number;",
        "identities[3]: Neither id nor name is set; set one of them.",
        "identities[4] (b): value of state must be one of: present, absent, got: gone.",
        "identities[4] (b): azure_auth: resource is '/', so Infisical does not check",
        "identities[4] (b): azure_auth: access_token_ttl is -1;",
        "identities[5] (b): azure_auth: resource is '/', so Infisical does not check",
        "identities[5] (b): azure_auth: access_token_ttl is -1;",
        "identities[6]: Neither id nor name is set; set one of them.",
        "identities[4] (b) is the same identity as identities[1] (b); list it once.",
        "identities[5] (b) is the same identity as identities[1] (b); list it once.",
    ]
    for (_place, sentence), start in zip(found, starts):
        assert sentence.startswith(start)


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"state": "gone"}, "value of state must be one of: present, absent, got: gone."),
        # The other option is converted, and not refused.
        (
            {"state": "gone", "delete_protection": "yes"},
            "value of state must be one of: present, absent, got: gone.",
        ),
        ({"metadata": "x"}, "argument 'metadata' is of type "),
        ({"delete_protection": "maybe"}, "argument 'delete_protection' is of type "),
        (
            {"azure_auth": {"allow_all_service_principals": "maybe"}},
            "azure_auth: argument 'allow_all_service_principals' is of type ",
        ),
        ({"azure_auth": {"state": 7}}, "azure_auth: state is 7, which is not a string;"),
        ({"id": "x"}, "id 'x' is not a UUID;"),
        ({"id": 7}, "id is 7, which is not a string;"),
        ({"project_id": "shop"}, "project_id 'shop' is not a UUID;"),
    ],
    ids=str,
)
def test_what_is_wrong_is_told_once(item: dict[str, t.Any], message: str) -> None:
    ((_place, sentence),) = problems_of({"name": "x", **item})
    assert sentence.startswith(f"identities[0] (x): {message}")


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ({"name": "b"}, True),
        ({"name": " b\ufeff"}, True),
        ({"name": "B"}, False),
        ({"name": "b", "project_id": PROJECT}, False),
        ({"id": ID}, False),
        ({"id": ID, "name": "b"}, False),
    ],
    ids=str,
)
def test_two_entries_for_one_identity(other: dict[str, str], same: bool) -> None:
    if same:
        ((place, sentence),) = problems_of({"name": "b"}, other)
        assert (place, "is the same identity as identities[0] (b)" in sentence) == (1, True)
    else:
        assert len(read({"name": "b"}, other)) == 2
    by_id = {"id": ID.upper(), "name": "other"}
    ((place, sentence),) = problems_of({"id": ID}, by_id)
    assert (place, f"is the same identity as identities[0] ({ID})" in sentence) == (1, True)


def test_an_entry_of_a_file_is_called_by_its_line() -> None:
    item = {"name": "x", "source": " identities/billing.yml:7 "}
    (entry,) = read(item)
    assert entry.reference.label == "identities/billing.yml:7 (x)"
    ((place, sentence),) = problems_of({"name": "y"}, {**item, "role": "custom"})
    assert place == 1
    assert sentence.startswith(
        "identities/billing.yml:7 (x): role is 'custom', which Infisical shows in place of any"
    )
    for source in BLANKS:
        (entry,) = read({"name": "x", "source": source})
        assert entry.reference.label == "identities[0] (x)"
    ((_place, sentence),) = problems_of({"name": "x", "source": 7})
    assert sentence.startswith("identities[0] (x): source is 7, which is not a string")


def test_a_long_name_is_cut_and_an_odd_one_printable() -> None:
    ((_place, sentence),) = problems_of({"name": "x\n\x1b[31m" + "y" * 200, "state": "?"})
    assert sentence.isprintable()
    assert len(sentence) < 250


def test_thousands_of_wrong_entries_are_one_message() -> None:
    wrong = {"azure_auth": {"access_token_ttl": -1}}
    with pytest.raises(ManyProblemsError) as raised:
        read(*({"name": f"app {n}", **wrong} for n in range(2000)))
    message = str(raised.value)
    start = "2000 errors, and nothing was done: identities[0] (app 0): azure_auth: access_token_ttl"
    assert message.startswith(start)
    assert message.endswith(" And 1980 more.")
    assert len(message) < 4500


def test_warnings_say_which_entry_and_each_kind_comes_once() -> None:
    warnings = Warnings()
    settings = {"access_token_trusted_ips": ["10.1.2.3/8"]}
    read(*({"name": f"app {n}", "azure_auth": settings} for n in range(5)), warnings=warnings)
    (message,) = warnings.messages()
    assert "host bits were dropped from 5 of the networks" in message
    assert "identities[0] (app 0): 10.1.2.3/8 is 10.0.0.0/8" in message
    assert "app 4" not in message


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=3) | st.sampled_from([*entry_spec(AUTH_METHODS), *AZURE_OPTIONS]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(st.lists(ANYTHING, max_size=4))
def test_a_list_of_anything_is_read_or_told_what_is_wrong(items: list[t.Any]) -> None:
    try:
        entries = read(*items)
    except ManyProblemsError as error:
        problems = [*error.problems]
    else:
        problems = []
    for problem in problems:
        assert problem.place in range(len(items))
        assert problem.sentence.isprintable()
    if problems:
        return
    assert [entry.reference.place for entry in entries] == list(range(len(items)))


@pytest.mark.parametrize(
    "raw", [[""], [" "], [None], [True], [0.5], [{"id": ID}], [["x"]], ["a\0b"]], ids=repr
)
def test_references_that_are_none(raw: list[t.Any]) -> None:
    with pytest.raises(ManyProblemsError) as raised:
        read_references("purge_except", ["billing", *raw])
    assert str(raised.value).startswith("purge_except[1] ")


def test_references_by_id_or_name() -> None:
    by_name, by_id = read_references("purge_except", [" billing ", ID.upper()])
    assert (by_name.id, by_name.name) == (None, "billing")
    assert (by_id.id, by_id.name) == (ID, None)


def test_references_only_by_id_or_only_by_name() -> None:
    (by_id,) = read_references("ids", [ID.replace("-", "")], names=False, project_id=PROJECT)
    assert (by_id.id, by_id.project_id) == (ID, PROJECT)
    # A name may look like an id.
    (by_name,) = read_references("names", [ID], ids=False)
    assert (by_name.id, by_name.name) == (None, ID)
    with pytest.raises(ManyProblemsError, match="'billing' is not a UUID"):
        read_references("ids", ["billing"], names=False)


def test_one_identity_by_id_and_by_name_is_found_out() -> None:
    listed = [entry.reference for entry in read({"name": "a"}, {"name": "b"}, {"name": "c"})]
    (problem,) = repeated(zip(listed, [ID, OTHER, ID]))
    assert problem.place == 2
    assert "identities[2] (c) is the same identity as identities[0] (a)" in problem.sentence
    assert repeated([]) == []
    assert repeated([(Reference(ID, None), ID)]) == []


def test_the_spec_of_an_entry_is_that_of_the_tables() -> None:
    spec = entry_spec(AUTH_METHODS)
    assert [*spec] == [
        *("id", "project_id", "state"),
        *(field.option for field in IDENTITY.fields),
        *("azure_auth", "details", "source"),
    ]
    of_fields = {*(f.option for f in AZURE_AUTH.fields), "allow_all_service_principals"}
    assert {*spec["azure_auth"]["options"]} == {*of_fields, "state", "details"}
