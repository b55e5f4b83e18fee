# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a table of fields makes of a setting, whatever the setting is."""

from __future__ import annotations

import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.community.infisical.plugins.module_utils._errors import OptionError
from ansible_collections.community.infisical.plugins.module_utils._state.azure_auth import (
    AZURE_AUTH,
    principals,
)
from ansible_collections.community.infisical.plugins.module_utils._state.fields import (
    HIDDEN,
    TOKEN_FIELDS,
    Field,
    Settings,
    flag_from_api,
    flag_option,
    number_from_api,
    text_from_api,
    text_option,
    whole_number,
)
from ansible_collections.community.infisical.plugins.module_utils._state.warnings import Warnings
from ansible_collections.community.infisical.plugins.module_utils._text import trim, uuid_or_none

ID = "8a6d3f0e-5d0c-4c43-9a0e-0d6b5a1f7c21"
SECRET = "S3cret-of-the-test"


def items_option(option: str, raw: t.Any, _warnings: Warnings) -> tuple[tuple[str, int], ...]:
    if not all(isinstance(item, dict) and {*item} == {"door", "floor"} for item in raw):
        raise OptionError(f"{option} is no list of doors.")
    return tuple(sorted((str(item["door"]), item["floor"]) for item in raw))


TABLE = Settings(
    "thing",
    (
        Field("url", "hostUrl", "str", text_option, text_from_api, required=True),
        Field("hint", "hint", "str", text_option, text_from_api),
        Field("bind_pass", "bindPass", "str", text_option, text_from_api, secret=True),
        Field(
            "doors",
            "doors",
            "list",
            items_option,
            lambda raw: tuple(sorted((item["name"], item["level"]) for item in raw)),
            default=(),
            to_api=lambda doors: [{"name": door, "level": floor} for door, floor in doors],
            to_result=lambda doors: [{"door": door, "floor": floor} for door, floor in doors],
        ),
        Field("locked", "isLocked", "bool", flag_option, flag_from_api, default=False),
        Field(
            "quorum",
            "quorum",
            "int",
            whole_number(1, 9, "people"),
            number_from_api,
            default=1,
            since="March 2031",
        ),
    ),
)
OLD: dict[str, t.Any] = {
    "hostUrl": "u",
    "hint": None,
    "bindPass": None,
    "doors": [],
    "isLocked": False,
}
NEW: dict[str, t.Any] = {**OLD, "quorum": 2}


def read(**options: t.Any) -> dict[str, t.Any]:
    return TABLE.from_options(options, Warnings())


def test_null_is_left_out() -> None:
    assert read(**dict.fromkeys(field.option for field in TABLE.fields)) == {}
    assert read(hint=None, locked=False) == {"locked": False}


def test_all_that_is_wrong_is_told_and_the_rest_read() -> None:
    options = {"url": "a\0", "quorum": 10, "doors": [1], "hint": " h "}
    values, errors = TABLE.read_options(options, Warnings())
    assert values == {"hint": "h"}
    assert [str(error).split()[0] for error in errors] == ["url", "doors", "quorum"]
    with pytest.raises(OptionError) as raised:
        TABLE.from_options(options, Warnings())
    assert str(raised.value) == str(errors[0])


def test_what_is_optional_may_be_null_and_nothing_else() -> None:
    values = TABLE.from_api(NEW)
    assert (values["hint"], values["bind_pass"], values["quorum"]) == (None, None, 2)
    for key in ("hostUrl", "doors", "isLocked", "quorum"):
        with pytest.raises((ValueError, TypeError)):
            TABLE.from_api({**NEW, key: None})


@pytest.mark.parametrize("key", sorted(OLD))
def test_what_is_always_there_must_be(key: str) -> None:
    with pytest.raises(ValueError, match=f"^no {key}$"):
        TABLE.from_api({name: value for name, value in NEW.items() if name != key})


def test_what_older_servers_lack_is_left_out() -> None:
    assert "quorum" not in TABLE.from_api(OLD)
    shown, stored = TABLE.to_result(TABLE.from_api(OLD))
    assert ("quorum" in shown, stored) == (False, {})
    assert "quorum" not in TABLE.to_diff(TABLE.from_api(OLD))


def test_what_a_server_lacks_is_refused_before_any_write() -> None:
    assert TABLE.resolved(None, {"quorum": 3}) == {"quorum": 3}
    assert TABLE.resolved(TABLE.from_api(NEW), {"quorum": 3}) == {"quorum": 3}
    with pytest.raises(OptionError) as raised:
        TABLE.resolved(TABLE.from_api(OLD), {"quorum": 3})
    assert str(raised.value) == (
        "quorum is set, but this server does not support it; remove it, or upgrade the server to a"
        " version from March 2031 or later."
    )


def test_creating_sends_defaults_and_nothing_that_the_server_may_not_know() -> None:
    defaults = TABLE.defaults()
    assert defaults == {"hint": None, "bind_pass": None, "doors": (), "locked": False, "quorum": 1}
    wanted = read(url="u")
    assert TABLE.to_create({**defaults, **wanted}, wanted) == {
        "url": "u",
        "doors": (),
        "locked": False,
    }
    wanted = read(url="u", hint="h", quorum=1)
    sent = TABLE.to_create({**defaults, **wanted}, wanted)
    assert (sent["quorum"], sent["hint"]) == (1, "h")


def test_null_and_a_value_differ_and_null_and_null_do_not() -> None:
    current = TABLE.from_api(NEW)
    assert TABLE.differing(current, {"hint": "h"}) == {"hint": "h"}
    assert TABLE.differing({**current, "hint": "h"}, {"hint": "h"}) == {}
    assert TABLE.differing(current, {"hint": None}) == {}
    assert TABLE.differing({**current, "hint": "h"}, {"hint": None}) == {"hint": None}
    # What nobody knows is not what is wanted.
    assert TABLE.differing({}, {"locked": False}) == {"locked": False}


def test_a_list_of_dictionaries_is_sent_and_shown_in_its_own_spellings() -> None:
    values = read(doors=[{"door": "b", "floor": 2}, {"door": "a", "floor": 1}])
    assert TABLE.to_api(values) == {
        "doors": [{"name": "a", "level": 1}, {"name": "b", "level": 2}],
    }
    shown, _stored = TABLE.to_result(values)
    assert shown == {"doors": [{"door": "a", "floor": 1}, {"door": "b", "floor": 2}]}


def test_what_was_answered_in_place_of_what_was_asked_for() -> None:
    current = TABLE.from_api({**OLD, "isLocked": True})
    wanted = read(hint="h", locked=False, quorum=3)
    assert TABLE.in_words(current, wanted) == (
        "no hint instead of hint 'h' and locked True instead of locked False and no quorum (servers"
        " have it from March 2031 on) instead of quorum 3"
    )


# -- secrets --------------------------------------------------------------------------------------


@given(st.text(), st.text())
def test_a_secret_is_in_no_output(one: str, other: str) -> None:
    # Letters that are in no other text.
    one, other = (f"{SECRET}{text}{SECRET}" for text in (one, other))
    values = {**TABLE.from_api(NEW), "bind_pass": one}
    shown, stored = TABLE.to_result(values)
    assert "bind_pass" not in shown
    assert "bind_pass" not in stored
    diff = TABLE.to_diff(values)
    assert diff["bind_pass"] == HIDDEN
    words = TABLE.in_words(values, {"bind_pass": other})
    assert words == "another bind_pass"
    for output in (shown, stored, diff, words):
        assert SECRET not in json.dumps(output)


@given(st.text(max_size=3) | st.lists(st.text()) | st.none() | st.integers())
def test_what_is_wrong_with_a_secret_does_not_tell_it(raw: t.Any) -> None:
    given_as = f"{SECRET}\0{raw}" if isinstance(raw, str) else raw
    try:
        TABLE.from_options({"bind_pass": given_as}, Warnings())
    except OptionError as error:
        message = str(error)
    except (TypeError, AttributeError):
        # Of which type it is, is found out before.
        return
    else:
        return
    assert message == "bind_pass is not valid; give another secret."


def test_a_null_secret_is_shown_as_none() -> None:
    assert TABLE.to_diff(TABLE.from_api(NEW))["bind_pass"] is None


# -- whatever the server holds --------------------------------------------------------------------

TEXTS = st.text(max_size=8) | st.sampled_from(
    ["", " ", "/", "x/.default", "\ufeff", "a\0b", ID, ID.upper(), f" {ID}"]
)
STORED = st.fixed_dictionaries(
    {
        "tenantId": TEXTS,
        "resource": TEXTS,
        "allowedServicePrincipalIds": TEXTS
        | st.lists(TEXTS, max_size=3).map(", ".join)
        | st.sampled_from([", ", ",", ID.upper(), f"{ID}, , {ID}"]),
        "accessTokenTrustedIps": st.lists(
            st.fixed_dictionaries(
                {
                    "ipAddress": st.ip_addresses().map(str)
                    | st.sampled_from(["10.1.2.3", "x", "", "10.0.0.0/8", "::ffff:10.0.0.1"])
                },
                optional={"prefix": st.integers(-1, 130) | st.none(), "type": st.just("ipv4")},
            ),
            max_size=3,
        ),
        "accessTokenTTL": st.integers(-(2**63), 2**63) | st.sampled_from([7200.0, 0, 60]),
        "accessTokenMaxTTL": st.integers(-(2**63), 2**63) | st.sampled_from([0, 60]),
        "accessTokenNumUsesLimit": st.integers(-(2**63), 2**63) | st.just(0),
    }
)


@given(STORED)
def test_whatever_is_stored_what_is_shown_goes_back_in(item: dict[str, t.Any]) -> None:
    """It means the same, or leaves alone what no option takes, which is told apart."""
    current = AZURE_AUTH.from_api(item)
    shown, stored = AZURE_AUTH.to_result(current)
    json.dumps([shown, stored])
    assert all(shown[option] is None for option in stored)
    values, errors = AZURE_AUTH.read_options(shown, Warnings())
    # Lifetimes that do not go together are each valid, and checked where one is to change.
    assert [error for error in errors if "is above access_token_max_ttl" not in str(error)] == []
    changes = AZURE_AUTH.differing(current, AZURE_AUTH.resolved(current, values))
    for option, value in changes.items():
        assert value == corrected(option, current[option])


def corrected(option: str, stored: str) -> str:
    """What options make of a stored text that they take: without blanks, ids as Entra has them."""
    if option == "resource":
        return trim(stored)
    if option == "tenant_id":
        return uuid_or_none(trim(stored)) or ""
    assert option == "allowed_service_principal_ids"
    return ", ".join(dict.fromkeys(uuid_or_none(text) or "" for text in principals(stored)))


@given(STORED)
def test_whatever_is_stored_has_a_diff_without_a_difference(item: dict[str, t.Any]) -> None:
    current = AZURE_AUTH.from_api(item)
    assert AZURE_AUTH.to_diff(current) == AZURE_AUTH.to_diff(dict(current))
    assert AZURE_AUTH.differing(current, current) == {}


@given(STORED)
def test_what_is_stored_is_told_apart_only_where_an_option_refuses_it(
    item: dict[str, t.Any],
) -> None:
    current = AZURE_AUTH.from_api(item)
    shown, stored = AZURE_AUTH.to_result(current)
    for field in AZURE_AUTH.fields:
        results = field.results(current[field.option])
        values, errors = AZURE_AUTH.read_options(results, Warnings())
        assert (field.option in stored) is bool(errors)
        assert (field.option in values) is not bool(errors)
        if errors:
            assert stored[field.option] == results[field.option]
        else:
            assert {key: shown[key] for key in results} == results


def test_fields_of_tokens_have_all_a_default() -> None:
    table = Settings("tokens", TOKEN_FIELDS)
    assert table.missing({}) == []
    shown, stored = table.to_result(table.defaults())
    assert (shown["access_token_trusted_ips"], stored) == (["0.0.0.0/0", "::/0"], {})
