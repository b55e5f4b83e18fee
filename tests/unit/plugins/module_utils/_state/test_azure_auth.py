# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.community.infisical.plugins.module_utils._errors import OptionError
from ansible_collections.community.infisical.plugins.module_utils._state.azure_auth import (
    AZURE_AUTH,
    principals,
    principals_to_api,
    same_principals,
)
from ansible_collections.community.infisical.plugins.module_utils._state.fields import same_networks
from ansible_collections.community.infisical.plugins.module_utils._state.warnings import Warnings
from ansible_collections.community.infisical.plugins.module_utils._text import BLANKS, uuid_or_none

FIELDS = {field.option: field for field in AZURE_AUTH.fields}
ONE = "8a6d3f0e-5d0c-4c43-9a0e-0d6b5a1f7c21"
TWO = "0f0e0d0c-0b0a-4908-8706-050403020100"


def read(**options: t.Any) -> dict[str, t.Any]:
    return AZURE_AUTH.from_options(options, Warnings())


def refusal(**options: t.Any) -> str:
    with pytest.raises(OptionError) as raised:
        read(**options)
    return str(raised.value)


def warnings(**options: t.Any) -> list[str]:
    found = Warnings()
    AZURE_AUTH.from_options(options, found)
    return found.messages()


@pytest.mark.parametrize(
    "spelling",
    [ONE, ONE.upper(), f"{{{ONE}}}", ONE.replace("-", ""), f" {ONE}\ufeff", f"\u3000{ONE.title()}"],
)
def test_spellings_of_a_uuid_are_sent_alike(spelling: str) -> None:
    assert read(tenant_id=spelling) == {"tenant_id": ONE}
    assert read(allowed_service_principal_ids=[spelling]) == {"allowed_service_principal_ids": ONE}


@pytest.mark.parametrize(
    "text",
    [
        ONE[:-1],
        ONE + "0",
        f"{{{ONE}",
        f"{ONE}}}",
        f"urn:uuid:{ONE}",
        ONE.replace("-", "", 1),
        ONE.replace("a", "\uff41"),
        ONE.replace("8", "\u0668", 1),
        f"{ONE}/../x",
        f"{ONE}\n",
        "",
    ],
)
def test_what_is_no_uuid(text: str) -> None:
    assert uuid_or_none(text) is None


@given(st.uuids())
def test_any_uuid_is_known_in_its_usual_spelling(uuid: t.Any) -> None:
    assert uuid_or_none(str(uuid).upper()) == str(uuid)


BLANK_IDS = [[""], [None], [" "], ["\ufeff"], ["", ""], [ONE, ""], ["\u2028", ONE], ["\t\r\n"]]


@pytest.mark.parametrize("ids", BLANK_IDS, ids=repr)
def test_no_blank_id_ever_opens_an_identity(ids: list[object]) -> None:
    assert refusal(allowed_service_principal_ids=ids).startswith("allowed_service_principal_ids[")


@given(st.lists(st.text(alphabet=BLANKS + ","), min_size=1))
def test_blanks_and_commas_in_any_mixture_are_refused(ids: list[str]) -> None:
    refusal(allowed_service_principal_ids=ids)


@given(st.lists(st.text() | st.none() | st.booleans() | st.integers(), min_size=1))
def test_no_list_is_everyone(ids: list[object]) -> None:
    try:
        sent = read(allowed_service_principal_ids=ids)["allowed_service_principal_ids"]
    except OptionError:
        return
    assert sent.strip(BLANKS) != ""


def test_an_empty_list_is_refused_with_the_way_to_let_everyone_in() -> None:
    assert refusal(allowed_service_principal_ids=[]) == (
        "allowed_service_principal_ids is an empty list; list the object IDs of the service"
        " principals that may log in, or set allow_all_service_principals to true to let every"
        " service principal of the tenant log in."
    )


def test_everyone_is_asked_for_by_its_own_option() -> None:
    assert read(allow_all_service_principals=True) == {"allowed_service_principal_ids": ""}
    both = {"allow_all_service_principals": True, "allowed_service_principal_ids": [ONE]}
    assert refusal(**both) == (
        "allow_all_service_principals is true, but allowed_service_principal_ids is set too; set"
        " only one of them."
    )
    both["allow_all_service_principals"] = False
    assert read(**both) == {"allowed_service_principal_ids": ONE}


def test_not_everyone_asks_for_nothing_where_that_is_so() -> None:
    wanted = read(allow_all_service_principals=False)
    assert AZURE_AUTH.resolved(None, wanted) == {}
    current = {"allowed_service_principal_ids": ONE}
    assert AZURE_AUTH.resolved(current, wanted) == {}
    with pytest.raises(OptionError) as raised:
        AZURE_AUTH.resolved({"allowed_service_principal_ids": ""}, wanted)
    assert str(raised.value) == (
        "allow_all_service_principals is false, but the identity lets every service principal of"
        " the tenant log in; set allowed_service_principal_ids to those that may log in."
    )


@pytest.mark.parametrize(
    ("before", "after", "warned"),
    [(ONE, "", True), (None, "", True), ("", "", False), ("", ONE, False), (", ", "", True)],
)
def test_who_opens_an_identity_is_warned(before: str | None, after: str, warned: bool) -> None:
    found = Warnings()
    current = None if before is None else stored_as(before)
    AZURE_AUTH.warn_of_change("billing", current, stored_as(after), found)
    assert ["billing" in message for message in found.messages()] == [True] * warned


def stored_as(principals: str) -> dict[str, t.Any]:
    return {**AZURE_AUTH.defaults(), "allowed_service_principal_ids": principals}


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        (ONE, [ONE]),
        (f"{ONE}, {TWO}", [ONE, TWO]),
        (f"{TWO},{ONE}, {TWO}", [TWO, ONE]),
        ("a, , b", ["a", "b"]),
        (", ", [""]),
        (",", [""]),
        ("   ", [""]),
        ("\ufeff", [""]),
    ],
)
def test_stored_principals_as_shown(stored: str, shown: list[str]) -> None:
    assert principals(stored) == shown


@pytest.mark.parametrize(
    ("stored", "wanted", "same"),
    [
        (f"{ONE}, {TWO}", f"{TWO}, {ONE}", True),
        (f"{ONE}, {ONE}", ONE, True),
        ("a, , b", "b, a", True),
        (ONE.upper(), ONE, False),
        ("", "", True),
        ("", ", ", False),
        ("", "   ", False),
        ("", ONE, False),
        (", ", ",", True),
    ],
)
def test_principals_are_compared_as_logins_read_them(stored: str, wanted: str, same: bool) -> None:
    assert same_principals(stored, wanted) is same
    assert same_principals(wanted, stored) is same


def test_a_stored_string_of_blanks_is_never_sent_back() -> None:
    with pytest.raises(OptionError) as raised:
        principals_to_api("\ufeff ")
    assert str(raised.value) == (
        "allowed_service_principal_ids is not set, and the server holds a blank value, which an"
        " update would turn into access for every service principal of the tenant; set it to those"
        " that may log in."
    )
    assert principals_to_api(", ") == ", "
    assert principals_to_api("") == ""


def test_principals_fit_up_to_the_column() -> None:
    fitting = [f"{number:032x}" for number in range(53)]
    sent = read(allowed_service_principal_ids=fitting)["allowed_service_principal_ids"]
    assert len(sent) == 2012
    assert refusal(allowed_service_principal_ids=[*fitting, "f" * 32]) == (
        "allowed_service_principal_ids has 54 IDs, which take 2050 characters, but Infisical stores"
        " at most 2048; list at most 53 IDs."
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"allowed_service_principal_ids": ["a,b"]},
            "allowed_service_principal_ids[0] 'a,b' contains several IDs; write only one.",
        ),
        (
            {"allowed_service_principal_ids": [7]},
            (
                "allowed_service_principal_ids[0] is 7, which is not a string; write the object ID"
                " of a service principal."
            ),
        ),
        (
            {"allowed_service_principal_ids": [" "]},
            (
                "allowed_service_principal_ids[0] is blank; write the object ID of a service"
                " principal, or remove the item."
            ),
        ),
        (
            {"allowed_service_principal_ids": ["a\0"]},
            r"allowed_service_principal_ids[0] 'a\x00' contains a NUL character; remove it.",
        ),
        (
            {"tenant_id": "contoso.onmicrosoft.com"},
            (
                "tenant_id 'contoso.onmicrosoft.com' is not a UUID; write one such as"
                " '6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b'."
            ),
        ),
        (
            {"tenant_id": f"{ONE} {TWO}"},
            f"tenant_id '{ONE} {TWO}' contains several IDs; write only one.",
        ),
        (
            {"allowed_service_principal_ids": [f"{ONE};{TWO}"]},
            f"allowed_service_principal_ids[0] '{ONE};{TWO}' contains several IDs; write only one.",
        ),
        (
            {"allowed_service_principal_ids": [f"{ONE}\n{TWO}"]},
            (
                rf"allowed_service_principal_ids[0] '{ONE}\n{TWO}' contains several IDs; write only"
                " one."
            ),
        ),
        (
            {"allowed_service_principal_ids": ["False"]},
            (
                "allowed_service_principal_ids[0] 'False' is not a UUID; write one such as"
                " '6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b'."
            ),
        ),
        (
            {"resource": "/"},
            (
                "resource is '/', so Infisical does not check the audience; write the"
                " audience that tokens must have, such as 'https://management.azure.com/'."
            ),
        ),
        (
            {"resource": "https://x/\n.y"},
            (
                r"resource 'https://x/\n.y' contains a line break or another control character;"
                " remove it."
            ),
        ),
        (
            {"resource": "https://x/.default"},
            (
                "resource 'https://x/.default' is a scope, which is never the audience of a token;"
                " write 'https://x/'."
            ),
        ),
        ({"tenant_id": "a\0b"}, r"tenant_id 'a\x00b' contains a NUL character; remove it."),
        (
            {"access_token_trusted_ips": []},
            (
                "access_token_trusted_ips is an empty list; list at least one address or network,"
                " or '0.0.0.0/0' and '::/0' to allow every address."
            ),
        ),
        (
            {"access_token_trusted_ips": [""]},
            (
                "access_token_trusted_ips[0] is blank; write an address such as '192.0.2.7' or"
                " '192.0.2.0/24', or remove the item."
            ),
        ),
        (
            {"access_token_trusted_ips": [None]},
            (
                "access_token_trusted_ips[0] is None, which is not a string; write an address such"
                " as '192.0.2.7' or '192.0.2.0/24'."
            ),
        ),
        (
            {"access_token_trusted_ips": ["::/0", {"ipAddress": "10.0.0.0", "prefix": 8}]},
            "access_token_trusted_ips[1] is a dictionary; write the string '10.0.0.0/8'.",
        ),
        (
            {"access_token_trusted_ips": [{"ipAddress": "10.0.0.0/8"}]},
            "access_token_trusted_ips[0] is a dictionary; write the string '10.0.0.0/8'.",
        ),
        (
            {"access_token_trusted_ips": [{"ip": "10.0.0.0/8"}]},
            (
                "access_token_trusted_ips[0] is {'ip': '10.0.0.0/8'}, which is not a string; write"
                " an address such as '192.0.2.7' or '192.0.2.0/24'."
            ),
        ),
        (
            {"access_token_trusted_ips": ["10.0.0.0/33"]},
            (
                "access_token_trusted_ips[0] '10.0.0.0/33' has no valid prefix length (a decimal"
                " number from 0 to 32); write an address or network such as '192.0.2.7' or"
                " '192.0.2.0/24'."
            ),
        ),
        (
            {"access_token_ttl": -1},
            "access_token_ttl is -1; write a whole number of seconds from 0 to 315360000.",
        ),
        (
            {"access_token_ttl": 315360001},
            "access_token_ttl is 315360001; write a whole number of seconds from 0 to 315360000.",
        ),
        (
            {"access_token_max_ttl": True},
            "access_token_max_ttl is True; write a whole number of seconds from 0 to 315360000.",
        ),
        (
            {"access_token_num_uses_limit": -1},
            (
                "access_token_num_uses_limit is -1; write a whole number of uses from 0 to"
                " 9007199254740991."
            ),
        ),
        (
            {"access_token_num_uses_limit": 2**53},
            (
                "access_token_num_uses_limit is 9007199254740992; write a whole number of uses from"
                " 0 to 9007199254740991."
            ),
        ),
        (
            {"access_token_ttl": 3601, "access_token_max_ttl": 3600},
            (
                "access_token_ttl 3601 (given) is above access_token_max_ttl 3600 (given); lower"
                " the first, raise the second, or set access_token_max_ttl to 0 for no maximum."
            ),
        ),
    ],
)
def test_a_refusal_names_option_value_and_what_is_right(
    options: dict[str, object], message: str
) -> None:
    assert refusal(**options) == message


def test_a_max_of_zero_is_no_maximum() -> None:
    assert read(access_token_ttl=5, access_token_max_ttl=0)["access_token_ttl"] == 5


def test_networks_are_sent_canonical_once_in_the_order_given() -> None:
    values = read(access_token_trusted_ips=["::1", "10.1.2.3/8", "10.0.0.0/8", " 2001:DB8::/32 "])
    assert AZURE_AUTH.to_api(values) == {
        "accessTokenTrustedIps": [
            {"ipAddress": "::1"},
            {"ipAddress": "10.0.0.0/8"},
            {"ipAddress": "2001:db8::/32"},
        ]
    }


networks = st.lists(
    st.ip_addresses().map(str)
    | st.sampled_from(["10.0.0.0/8", "10.1.2.3/8", "::/0", "0.0.0.0/0", "2001:DB8::/32"]),
    min_size=1,
)


@given(networks, st.randoms())
def test_order_and_repetitions_of_networks_do_not_matter(one: list[str], random: t.Any) -> None:
    other = one + one[:3]
    random.shuffle(other)
    field = FIELDS["access_token_trusted_ips"]
    assert same_networks(
        field.from_option(field.option, one, Warnings()),
        field.from_option(field.option, other, Warnings()),
    )


@given(networks)
def test_what_networks_come_out_as_can_be_fed_back_in(texts: list[str]) -> None:
    field = FIELDS["access_token_trusted_ips"]
    value = field.from_option(field.option, texts, Warnings())
    found = Warnings()
    assert field.from_option(field.option, field.to_result(value), found) == value
    assert not [message for message in found.messages() if "host bits" in message]


WARNINGS = [
    ({"access_token_trusted_ips": ["10.1.2.3/8"]}, "10.1.2.3/8 is 10.0.0.0/8"),
    ({"access_token_trusted_ips": ["10.0.0.0/8", "::/0"]}, "also allow every IPv4 address"),
]


@pytest.mark.parametrize(("options", "message"), WARNINGS)
def test_warnings(options: dict[str, object], message: str) -> None:
    (warning,) = warnings(**options)
    assert message in warning


@pytest.mark.parametrize(
    "options",
    [
        {"access_token_trusted_ips": ["0.0.0.0/0", "::/0"]},
        {"access_token_trusted_ips": ["10.0.0.0/8", "2001:db8::/32"]},
        {"tenant_id": ONE.upper(), "allowed_service_principal_ids": [ONE]},
    ],
)
def test_no_warning_without_a_cause(options: dict[str, object]) -> None:
    assert warnings(**options) == []


def test_a_kind_of_warning_is_given_once_with_a_count_and_the_first_few() -> None:
    (warning,) = warnings(access_token_trusted_ips=[f"10.{n}.0.1/16" for n in range(5)])
    assert warning == (
        "access_token_trusted_ips: host bits were dropped from 5 of the networks: 10.0.0.1/16 is"
        " 10.0.0.0/16, 10.1.0.1/16 is 10.1.0.0/16, 10.2.0.1/16 is 10.2.0.0/16, ..."
    )


STORED = {
    "tenantId": ONE,
    "resource": "r",
    "allowedServicePrincipalIds": "",
    "accessTokenTrustedIps": [{"ipAddress": "0.0.0.0", "type": "ipv4", "prefix": 0}],
    "accessTokenTTL": 7200.0,
    "accessTokenMaxTTL": 0,
    "accessTokenNumUsesLimit": 2**60,
}


def test_an_object_of_the_api_as_shown() -> None:
    shown, stored = AZURE_AUTH.to_result(AZURE_AUTH.from_api(STORED))
    assert shown == {
        "tenant_id": ONE,
        "resource": "r",
        "allowed_service_principal_ids": None,
        "allow_all_service_principals": True,
        "access_token_trusted_ips": ["0.0.0.0/0"],
        "access_token_ttl": 7200,
        "access_token_max_ttl": 0,
        "access_token_num_uses_limit": None,
    }
    assert stored == {"access_token_num_uses_limit": 2**60}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.sampled_from(sorted(STORED)), json_values)
def test_a_field_of_any_type_is_read_or_a_value_error(key: str, value: object) -> None:
    try:
        AZURE_AUTH.to_result(AZURE_AUTH.from_api({**STORED, key: value}))
    except ValueError:
        return
    assert not isinstance(value, (bool, type(None), dict))


@pytest.mark.parametrize("key", sorted(STORED))
def test_an_object_without_a_field_is_not_one(key: str) -> None:
    with pytest.raises(ValueError, match=f"^no {key}$"):
        AZURE_AUTH.from_api({name: value for name, value in STORED.items() if name != key})
