# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists in variables: the rules that lists in files share with them."""

from __future__ import annotations

import copy
import typing as t

import pytest
from ansible.errors import AnsibleFilterError
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.community.infisical.plugins.filter.identity_entries import FilterModule
from ansible_collections.community.infisical.plugins.plugin_utils._lists.defaults import merged

identity_entries = FilterModule().filters()["identity_entries"]

ID = "6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b"
OTHER_ID = "8d0c5a1e-63b7-4f29-a4d8-0b9e71c2f653"
TTLS = ("access_token_ttl", "access_token_max_ttl")


def entry_with(defaults: t.Any, **options: t.Any) -> dict[str, t.Any]:
    """The entry of a list with these defaults."""
    (entry,) = identity_entries({"defaults": defaults, "identities": [{"name": "a", **options}]})
    return dict(entry)


def problems_of(value: t.Any, where: str = "services") -> str:
    with pytest.raises(AnsibleFilterError) as caught:
        identity_entries(value, where)
    return str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        [{"name": "a", "role": "admin"}, {"name": "b"}],
        ({"name": "a", "role": "admin"}, {"name": "b"}),
        iter([{"name": "a", "role": "admin"}, {"name": "b"}]),
        {"a": {"role": "admin"}, "b": {}},
        {"a": {"role": "admin", "name": "a"}, "b": None},
        {"identities": [{"name": "a", "role": "admin"}, {"name": "b"}]},
        {"identities": {"a": {"role": "admin"}, "b": None}},
        {"defaults": {"role": "admin"}, "identities": {"a": {}, "b": {"role": None}}},
        {"defaults": None, "identities": {"a": {"role": "admin"}, "b": None}},
    ],
)
def test_a_list_has_several_forms(value: t.Any) -> None:
    entries = identity_entries(value)
    assert [entry["name"] for entry in entries] == ["a", "b"]
    assert [entry.get("role") for entry in entries] == ["admin", None]


def test_a_key_renames_the_identity_of_an_id() -> None:
    assert identity_entries({"a": {"id": ID}}) == [{"name": "a", "id": ID}]


def test_what_the_modules_return_is_taken() -> None:
    returned = {
        "id": ID,
        "name": "8",
        "project_id": None,
        "role": None,
        "metadata": {"since": "2026-01-01"},
        "delete_protection": False,
        "azure_auth": {
            "state": "present",
            "allowed_service_principal_ids": None,
            "allow_all_service_principals": True,
            "access_token_ttl": 3600,
            "details": {"id": "1", "stored": {"resource": "/"}, "access_token_period": 0},
        },
        "details": {"roles": ["a", "b"], "auth_methods": []},
    }
    (entry,) = identity_entries([returned])
    expected = copy.deepcopy(returned)
    del expected["details"], t.cast(dict[str, t.Any], expected["azure_auth"])["details"]
    assert entry == expected


def test_networks_of_the_api_are_for_the_modules_to_check() -> None:
    """They know the text to write for one."""
    networks = [{"ipAddress": "192.0.2.0", "prefix": 24, "type": "ipv4"}]
    entry = entry_with({}, azure_auth={"access_token_trusted_ips": networks})
    assert entry["azure_auth"] == {"access_token_trusted_ips": networks}


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ([], "services: it has no entries. Write a list of dictionaries, each with id or"),
        ({}, "services: it has no entries."),
        (None, "services: it has no entries."),
        ("[{name: a}]", "services: it has no entries."),
        (8, "services: it has no entries."),
        ({"defaults": {}}, "services: it has no entries."),
        ({"identities": []}, "services: it has no entries."),
        ({"identities": "a"}, "services: it has no entries."),
        (["a"], "services: entry 1: it is 'a', which is not a dictionary; write one with id or"),
        ([None], "services: entry 1: it is null, which is not a dictionary; write one with id"),
        ([{"role": "admin"}], "services: entry 1: neither id nor name is given; give one of them."),
        ([{"name": None}], "services: entry 1: name is null or blank; write a name or the ID"),
        ([{"name": " "}], "services: entry 1: name is null or blank;"),
        (
            {"name": "a", "role": "b"},
            "services: this is an entry and not a list of entries; put",
        ),
        (
            {"identites": [{"name": "a"}]},
            (
                "services: entry 1: 'identites' is [{'name': 'a'}], which is not a dictionary; did"
                " you mean identities?"
            ),
        ),
        ({"a": []}, "services: entry 1: 'a' is [], which is not a dictionary; write the"),
        (
            {"identities": [{"name": "a"}], "default": {}},
            "services: 'default' is not an option of a list; did you mean defaults?",
        ),
        (
            {"a": {"name": "b"}},
            (
                "services: entry 1: 'a' contains another name; remove that. To rename an identity,"
                " write its new name as the key, and its ID below it."
            ),
        ),
        (
            {8: {}},
            "services: entry 1: its key is read as 8, which is not a string; put quotes around the",
        ),
        ({True: {}}, "services: entry 1: its key is read as true, which is not a string;"),
        (
            [{"name": "a", 8: "b"}],
            "services: entry 1 (a): a key is read as 8, which is not a string",
        ),
        ([{"id": 8}], "services: entry 1: id is read as 8, which is not a string; put quotes"),
        ([{"name": 2**64}], "services: entry 1: name is read as a huge number, which is not"),
        ([{"name": ["a"]}], "services: entry 1: name is ['a'], which is not a string; write one."),
        (
            [{"name": "a", "rol": "b"}],
            "services: entry 1 (a): 'rol' is not an option of an entry; did you mean role?",
        ),
        (
            [{"name": "a", "tenant_id": "b"}],
            (
                "services: entry 1 (a): 'tenant_id' is not an option of an entry; write it below"
                " azure_auth."
            ),
        ),
        (
            [{"id": ID, "azure_auth": {"acces_token_ttl": 1}}],
            (
                f"services: entry 1 ({ID}): azure_auth: 'acces_token_ttl' is not an option of"
                " azure_auth; did you mean access_token_ttl?"
            ),
        ),
        ([{"name": "a", "azure_auth": ["b"]}], "(a): azure_auth is ['b'], which is not a dict"),
        ([{"name": "a", "metadata": ["b"]}], "(a): metadata is ['b'], which is not a dictionary"),
        (
            [{"name": "a", "metadata": {"b": 1.1}}],
            "(a): metadata['b'] is read as 1.1, which is not",
        ),
        ([{"name": "a", "metadata": {"b": None}}], "(a): metadata['b'] is null, which is not a"),
        ([{"name": "a", "metadata": {1: "b"}}], "(a): a key of metadata is read as 1, which is"),
        ([{"name": "a", "delete_protection": 1}], "(a): delete_protection is 1; write true or"),
        (
            [{"name": "a", "azure_auth": {"allowed_service_principal_ids": ["b", None]}}],
            "azure_auth: allowed_service_principal_ids[1] is null, which is not a string; put",
        ),
        (
            [{"name": "a", "azure_auth": {"access_token_trusted_ips": {"b": "c"}}}],
            "azure_auth: access_token_trusted_ips is a dictionary, which is not a list; write one.",
        ),
        (
            [{"name": "a", "azure_auth": {"access_token_num_uses_limit": float("inf")}}],
            "azure_auth: access_token_num_uses_limit is Infinity, which is not a whole number;",
        ),
        (
            [{"name": "a", "role": "{{ b }}"}],
            "(a): role is '{{ b }}', a template that was not rendered; write its value.",
        ),
        ({"defaults": ["a"], "identities": [{"name": "a"}]}, "services: defaults: it is ['a'],"),
    ],
)
def test_what_has_another_form_is_told(value: t.Any, problem: str) -> None:
    told = problems_of(value)
    assert problem in told
    assert told.startswith("services: ")


def test_all_problems_are_told_at_once() -> None:
    told = problems_of(
        [
            {"name": 1},
            {"name": "b", "rol": "c", "azure_auth": {"access_token_ttl": "x"}},
            {"name": "d"},
            {"name": " d "},
        ]
    )
    assert told.startswith("4 errors, and nothing was done: services: entry 1: name is read as 1,")
    for part in ("(b): 'rol' is", "(b): azure_auth: access_token_ttl is 'x'", "entry 4 (d) is the"):
        assert part in told


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"name": "a"}, {"name": "a "}),
        ({"id": ID}, {"id": f"{{{ID.upper()}}}"}),
        ({"id": ID, "name": "a"}, {"id": ID.replace("-", ""), "name": "b"}),
        ({"name": "a", "project_id": ID}, {"name": "a", "project_id": ID.replace("-", "")}),
        ({"name": "a", "project_id": ""}, {"name": "a", "project_id": None}),
    ],
)
def test_an_identity_is_listed_once(one: dict[str, t.Any], other: dict[str, t.Any]) -> None:
    told = problems_of([one, {"name": "z"}, other])
    assert " is the same identity as services: entry 1 (" in told
    assert told.startswith("services: entry 3 (")
    told = problems_of([{**one, "source": "a.yml:1"}, {**other, "source": "b.yml:2"}])
    assert told.startswith("b.yml:2 (")
    assert " is the same identity as a.yml:1 (" in told


def test_names_are_those_of_an_owner() -> None:
    identity_entries([{"name": "a"}, {"name": "a", "project_id": ID}, {"name": "A"}])
    identity_entries([{"name": "a", "id": ID}, {"name": "a", "id": OTHER_ID}, {"name": "a"}])


@pytest.mark.parametrize("option", TTLS)
@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (3600, 3600),
        (0, 0),
        ("3600", 3600),
        ("45s", 45),
        ("90m", 5400),
        ("1h", 3600),
        (" 30d ", 2592000),
        ("1w", 604800),
        ("1d12h", 129600),
        ("1w2d3h4m5s", 788645),
        ("0s", 0),
        # Whether a number is in range, the modules check.
        ("-1", -1),
        (1.5, 1.5),
        (True, True),
        ("", None),
    ],
)
def test_durations_become_seconds(option: str, written: t.Any, seconds: t.Any) -> None:
    (entry,) = identity_entries([{"name": "a", "azure_auth": {option: written}}])
    assert entry["azure_auth"] == {option: seconds}
    entry = entry_with({"azure_auth": {option: written}})
    assert entry["azure_auth"] == {option: seconds}


@pytest.mark.parametrize("written", ["100", "1h", "no number"])
def test_other_numbers_may_be_texts(written: str) -> None:
    """What they stand for, the modules check."""
    method = {"access_token_num_uses_limit": written}
    assert entry_with({}, azure_auth=method)["azure_auth"] == method
    assert entry_with({"azure_auth": method})["azure_auth"] == method


@pytest.mark.parametrize(
    "written",
    ["1.5h", "1 h", "h", "1H", "1y", "1mo", "12h1d", "1h1h", "-1h", "1h 30m", "1,5", "٣h", "1e3"],
)
def test_other_texts_are_no_durations(written: str) -> None:
    told = problems_of([{"name": "a", "azure_auth": {"access_token_ttl": written}}])
    assert told == (
        f"services: entry 1 (a): azure_auth: access_token_ttl is '{written}', which is not a"
        " duration; write a whole number of seconds such as 3600, or a duration such as 1h, 90m,"
        " 30d or 1d12h."
    )


@pytest.mark.parametrize(
    ("defaults", "options", "expected"),
    [
        # What is left out, and what is not.
        ({"role": "b"}, {}, {"role": "b"}),
        ({"role": "b"}, {"role": "c"}, {"role": "c"}),
        ({"role": "b"}, {"role": None}, {"role": None}),
        ({"delete_protection": True}, {"delete_protection": False}, {"delete_protection": False}),
        ({"project_id": ID}, {}, {"project_id": ID}),
        # Dictionaries key by key, and lists as a whole.
        ({"metadata": {"b": "1", "c": "2"}}, {"metadata": {"c": "3"}}, {"b": "1", "c": "3"}),
        ({"metadata": {"b": "1", "c": "2"}}, {"metadata": {"b": None}}, {"c": "2"}),
        ({"metadata": {"b": "1"}}, {"metadata": {"b": None}}, {}),
        ({"metadata": {"b": "1"}}, {"metadata": {}}, {"b": "1"}),
        ({"metadata": {"b": "1"}}, {"metadata": None}, None),
        (
            {"azure_auth": {"resource": "b", "access_token_trusted_ips": ["::/0", "0.0.0.0/0"]}},
            {"azure_auth": {"access_token_trusted_ips": ["192.0.2.7"]}},
            {"resource": "b", "access_token_trusted_ips": ["192.0.2.7"]},
        ),
        # Azure Auth as a whole.
        ({"azure_auth": {"resource": "b"}}, {}, {"resource": "b"}),
        ({"azure_auth": {"resource": "b"}}, {"azure_auth": {}}, {"resource": "b"}),
        ({"azure_auth": {"resource": "b"}}, {"azure_auth": None}, None),
        (
            {"azure_auth": {"resource": "b"}},
            {"role": "c", "azure_auth": {"state": "absent"}},
            {"state": "absent"},
        ),
    ],
)
def test_defaults_hold_for_what_is_left_out(
    defaults: dict[str, t.Any], options: dict[str, t.Any], expected: t.Any
) -> None:
    (key,) = defaults
    if not isinstance(expected, dict) or key not in expected:
        expected = {key: expected}
    assert entry_with(defaults, **options)[key] == expected[key]


@pytest.mark.parametrize(
    ("default", "given", "expected"),
    [
        ({"allowed_service_principal_ids": ["b"]}, {"allow_all_service_principals": True}, "all"),
        ({"allowed_service_principal_ids": ["b"]}, {"allow_all_service_principals": "yes"}, "all"),
        ({"allowed_service_principal_ids": ["b"]}, {"allow_all_service_principals": False}, "both"),
        ({"allowed_service_principal_ids": ["b"]}, {"allow_all_service_principals": None}, "both"),
    ],
)
def test_who_may_log_in_is_said_once(
    default: dict[str, t.Any], given: dict[str, t.Any], expected: str
) -> None:
    """With both, the modules would refuse the entry."""
    method = entry_with({"azure_auth": default}, azure_auth=given)["azure_auth"]
    ids, everyone = "allowed_service_principal_ids", "allow_all_service_principals"
    assert (ids in method, everyone in method) == {
        "all": (False, True),
        "both": (True, True),
    }[expected]


@pytest.mark.parametrize(
    ("options", "taken"),
    [
        ({"state": "absent"}, {"project_id"}),
        ({"azure_auth": {"state": "absent"}}, {"project_id"}),
        ({"id": ID, "role": None, "azure_auth": {"state": "absent"}}, {"project_id"}),
        ({"state": "present"}, {"project_id", "role", "azure_auth"}),
        ({"delete_protection": True, "azure_auth": {"state": "absent"}}, {"project_id", "role"}),
    ],
)
def test_what_goes_away_takes_no_settings(options: dict[str, t.Any], taken: set[str]) -> None:
    """What only revokes creates nothing, and must not be made to by a default."""
    defaults = {"project_id": ID, "role": "b", "azure_auth": {"resource": "c"}}
    entry = entry_with(defaults, **options)
    assert {key for key in defaults if entry.get(key) == defaults[key]} == taken


@pytest.mark.parametrize(
    ("defaults", "problem"),
    [
        ({"id": ID}, "id cannot be a default; write it into the entries that need it."),
        ({"name": "b"}, "name cannot be a default;"),
        ({"state": None}, "state cannot be a default;"),
        ({"azure_auth": {"state": "absent"}}, "azure_auth: state cannot be a default;"),
        (
            # It would open each entry whose list is forgotten, null or omit.
            {"azure_auth": {"allow_all_service_principals": True}},
            "azure_auth: allow_all_service_principals cannot be a default; write it into the",
        ),
        ({"source": "b"}, "source cannot be a default;"),
        ({"details": {}}, "details cannot be a default;"),
        ({"rol": "b"}, "'rol' is not an option of defaults; did you mean role?"),
        ({"tenant_id": "b"}, "'tenant_id' is not an option of defaults; write it below azure_auth"),
        ({"azure_auth": {"resorce": "b"}}, "azure_auth: 'resorce' is not an option of azure_auth;"),
        ({"role": 8}, "role is read as 8, which is not a string; put quotes around the value in"),
        ({"azure_auth": "b"}, "azure_auth is 'b', which is not a dictionary; write one."),
    ],
)
def test_defaults_are_what_all_entries_could_have(defaults: dict[str, t.Any], problem: str) -> None:
    told = problems_of({"defaults": defaults, "identities": [{"name": "a"}]})
    assert told.startswith(f"services: defaults: {problem}")


def test_entries_do_not_share_their_defaults() -> None:
    defaults = {"metadata": {"b": "c"}, "azure_auth": {"access_token_trusted_ips": ["::/0"]}}
    one, other = identity_entries({"defaults": defaults, "identities": {"a": {}, "b": {}}})
    assert one["metadata"] is not other["metadata"]
    ips = "access_token_trusted_ips"
    assert one["azure_auth"][ips] is not other["azure_auth"][ips]


class _OmitType:
    """What omit is from ansible-core 2.19 on."""


@pytest.mark.parametrize("omit", [_OmitType(), "__omit_place_holder__0"])
def test_what_is_omitted_is_left_out(omit: t.Any) -> None:
    assert entry_with({"role": "b"}, role=omit) == {"name": "a", "role": "b"}
    assert entry_with({}, azure_auth={"resource": omit})["azure_auth"] == {}
    (entry,) = identity_entries([{"name": "a", "metadata": {"b": omit, "c": "d"}}])
    assert entry["metadata"] == {"c": "d"}
    # Without it, the list could be another one. The modules refuse it.
    option = "allowed_service_principal_ids"
    method = entry_with({}, azure_auth={option: ["e", omit]})["azure_auth"]
    assert method[option][0] == "e"
    assert method[option][1].startswith("__omit_place_holder__")


class _Encrypted:
    """What a string with the tag !vault is before ansible-core 2.19."""

    __ENCRYPTED__ = True

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return self._text


def test_texts_may_be_encrypted() -> None:
    entry = entry_with({}, role=_Encrypted("admin"), metadata={"b": _Encrypted("c")})
    assert entry == {"name": "a", "role": "admin", "metadata": {"b": "c"}}


def test_what_is_encrypted_is_in_no_message() -> None:
    told = problems_of([{"name": "a", "azure_auth": {TTLS[0]: _Encrypted("hidden")}}])
    assert "access_token_ttl is an encrypted string, which is not a duration;" in told
    assert "hidden" not in told


def test_where_is_a_text() -> None:
    with pytest.raises(AnsibleFilterError, match="where is 8, which is not a string"):
        identity_entries([{"name": "a"}], 8)


def test_a_variable_that_has_itself_in_it_is_told() -> None:
    value: list[t.Any] = []
    value.append(value)
    assert problems_of(value) == "services: it contains itself."


_WORDS = st.sampled_from(["a", "b", "c"])
_FLAGS = st.booleans()
_SETTINGS: dict[str, st.SearchStrategy[t.Any]] = {
    "tenant_id": st.none() | _WORDS,
    "resource": st.none() | _WORDS,
    "allowed_service_principal_ids": st.none() | st.lists(_WORDS),
    "access_token_trusted_ips": st.none() | st.lists(_WORDS),
    "access_token_ttl": st.none() | st.integers(0, 9),
}
_METHODS: st.SearchStrategy[dict[str, t.Any]] = st.fixed_dictionaries(
    {}, optional={**_SETTINGS, "allow_all_service_principals": st.none() | _FLAGS}
)
_OPTIONS = {
    "project_id": st.none() | _WORDS,
    "role": st.none() | _WORDS,
    "metadata": st.none() | st.dictionaries(_WORDS, st.none() | _WORDS),
    "delete_protection": st.none() | _FLAGS,
}
_DEFAULTS: st.SearchStrategy[dict[str, t.Any]] = st.fixed_dictionaries(
    {},
    optional={
        **_OPTIONS,
        "azure_auth": st.none() | st.fixed_dictionaries({}, optional=_SETTINGS),
    },
)
_ENTRIES: st.SearchStrategy[dict[str, t.Any]] = st.fixed_dictionaries(
    {"name": _WORDS},
    optional={
        **_OPTIONS,
        "state": st.sampled_from(["present", "absent"]),
        "azure_auth": st.none() | _METHODS | st.just({"state": "absent"}),
    },
)
_FULL: st.SearchStrategy[dict[str, t.Any]] = st.fixed_dictionaries(
    {
        "name": _WORDS,
        "state": st.just("present"),
        "project_id": _WORDS,
        "role": _WORDS,
        "metadata": st.fixed_dictionaries({"a": _WORDS, "b": _WORDS, "c": _WORDS}),
        "delete_protection": _FLAGS,
        "azure_auth": st.fixed_dictionaries(
            {
                "state": st.just("present"),
                "tenant_id": _WORDS,
                "resource": _WORDS,
                "access_token_trusted_ips": st.lists(_WORDS),
                "access_token_ttl": st.integers(0, 9),
            },
            optional={"allow_all_service_principals": st.just(False)},
        ).flatmap(
            lambda method: st.sampled_from(
                [
                    {**method, "allowed_service_principal_ids": ["a"]},
                    {**method, "allow_all_service_principals": True},
                ]
            )
        ),
    }
)


@given(_DEFAULTS, _ENTRIES)
def test_defaults_that_are_merged_again_change_nothing(
    defaults: dict[str, t.Any], entry: dict[str, t.Any]
) -> None:
    before = copy.deepcopy((defaults, entry))
    once = merged(defaults, entry)
    assert merged(defaults, once) == once
    assert (defaults, entry) == before


@given(_DEFAULTS, _FULL)
def test_an_entry_written_out_in_full_is_never_changed(
    defaults: dict[str, t.Any], entry: dict[str, t.Any]
) -> None:
    value = {"defaults": defaults, "identities": [entry]}
    assert identity_entries(value) == [entry]


@given(_DEFAULTS, _DEFAULTS, _ENTRIES)
def test_what_an_entry_says_wins(
    outer: dict[str, t.Any], inner: dict[str, t.Any], entry: dict[str, t.Any]
) -> None:
    found = merged(merged(outer, inner), entry)
    assert {key: found[key] for key in entry if not isinstance(entry[key], dict)} == {
        key: value for key, value in entry.items() if not isinstance(value, dict)
    }
    for key in ("metadata", "azure_auth"):
        if isinstance(entry.get(key), dict):
            assert {**found[key], **entry[key]} == found[key]


_ANYTHING: st.SearchStrategy[t.Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates() | st.binary(),
    lambda inner: st.lists(inner)
    | st.dictionaries(
        st.sampled_from(
            ["identities", "defaults", "name", "id", "azure_auth", "metadata", "source", TTLS[0]]
        )
        | st.text()
        | st.integers()
        | st.none(),
        inner,
    ),
    max_leaves=12,
)


@given(_ANYTHING)
def test_anything_is_a_list_of_entries_or_an_error(value: t.Any) -> None:
    try:
        entries = identity_entries(value)
    except AnsibleFilterError:
        return
    assert entries
    assert all(isinstance(entry, dict) for entry in entries)
    assert identity_entries(entries) == entries
