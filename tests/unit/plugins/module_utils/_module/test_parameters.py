# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.community.infisical.plugins.module_utils._module.options import (
    CONNECTION_SPEC,
    IDENTITY_NAME_SPEC,
    spec_of,
)
from ansible_collections.community.infisical.plugins.module_utils._module.parameters import settle
from ansible_collections.community.infisical.plugins.module_utils._state.azure_auth import (
    AZURE_AUTH,
)
from ansible_collections.community.infisical.plugins.module_utils._state.fields import HIDDEN

SPEC = {**CONNECTION_SPEC, **IDENTITY_NAME_SPEC, **spec_of(AZURE_AUTH, api_names=True)}
SECRET = "S3cret-of-the-test"
SECRET_OPTIONS = ("token", "jwt", "ldap_password", "universal_auth_client_secret")

JSON = st.recursive(
    st.sampled_from([SECRET, f"https://user:{SECRET}@host", None, "", 7, True]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.just("url"), inner, max_size=1),
    max_leaves=4,
)
# The whole result of a login, a bare token, a part of it under another name, ...
LOGIN_DATA = JSON | st.dictionaries(
    st.sampled_from(["url", "access_token", "login_data", "obtained", SECRET]), JSON
)


def texts(value: t.Any) -> str:
    return json.dumps(value, default=str)


@given(
    st.dictionaries(
        st.sampled_from([*SECRET_OPTIONS, "client_secret", "tokn", "Token", ""]),
        st.just(SECRET) | st.lists(st.just(SECRET), max_size=2),
    ),
    LOGIN_DATA,
    st.sampled_from([None, f"https://u:{SECRET}@host", f"x://:{SECRET}@", f"u:{SECRET}@host"]),
)
def test_nothing_that_may_be_a_secret_is_left_for_ansible(
    options: dict[str, t.Any], login_data: t.Any, url: t.Any
) -> None:
    parameters = settle({**options, "login_data": login_data, "url": url}, SPEC)
    assert SECRET not in texts(parameters.public)
    assert SECRET not in texts(parameters.problems)
    assert SECRET not in texts(parameters.shown(parameters.public))


@pytest.mark.parametrize("option", SECRET_OPTIONS)
def test_a_secret_that_is_given_is_shown_as_such(option: str) -> None:
    parameters = settle({option: SECRET, "_ansible_check_mode": True}, SPEC)
    assert parameters.public == {"_ansible_check_mode": True}
    assert parameters.secret == {option: SECRET}
    assert parameters.shown({}) == {option: HIDDEN}


def test_login_data_goes_on_without_its_token() -> None:
    login_data = {"url": "https://infisical.example", "access_token": SECRET}
    for given_as in (login_data, json.dumps(login_data), repr(login_data)):
        parameters = settle({"login_data": given_as}, SPEC)
        assert parameters.public == {"login_data": {"url": login_data["url"]}}
        assert parameters.secret == {"login_data": {"access_token": SECRET}}
        assert parameters.with_secrets(parameters.public) == {"login_data": login_data}
        shown = {"login_data": {**login_data, "access_token": HIDDEN}}
        assert parameters.shown(parameters.public) == shown


PROBLEMS: list[tuple[dict[str, t.Any], str]] = [
    (
        {"login_data": {"login_data": {}, "changed": False}},
        "whole result of the login; set it to login.login_data, which",
    ),
    ({"login_data": SECRET}, "login_data is not a dictionary; set login_data to the value that"),
    ({"login_data": f"{{{SECRET}"}, "login_data is a string, not a dictionary; set login_data to"),
    (
        {"login_data": {"token": SECRET}},
        "keys other than url and access_token (token); set login_data",
    ),
    ({"login_data": {SECRET: 1}}, "other than url and access_token (a key that is not shown);"),
    (
        {"login_data": {"access_token": [SECRET]}},
        "login_data.access_token is not a string; set login_data",
    ),
    (
        {"login_data": {"url": SECRET}},
        "login_data.url is not the URL of a server; set login_data to",
    ),
    ({"login_data": {"url": f"https://u:{SECRET}@x"}}, "login_data.url is not the URL of a server"),
    ({"token": [SECRET]}, "token is not a string; put the secret in quotes."),
    ({"token": True}, "token is not a string"),
    ({"token": 83}, "token is not a string; put the secret in quotes."),
    ({"url": [f"https://u:{SECRET}@host"]}, "url is not a string; write the URL of the server"),
    ({"url": {"access_token": SECRET}}, "url is not a string; write the URL of the server"),
    ({"url": SECRET}, "url is not the URL of a server; write one such as"),
    ({"url": f"https://{SECRET}@host"}, "url contains a user name, a query or a fragment"),
    ({"identity_id": 8}, "identity_id is 8, which is not a string; put it in quotes"),
    ({"allowed_service_principal_ids": False}, "is False, which is not a list; write a list of"),
    ({"access_token_trusted_ips": 8}, "is 8, which is not a list; write a list of strings in"),
    ({"timeout": True}, "timeout is True, which is not a number; write one."),
    ({"timeout": 10**400}, "which is not a number; write one."),
    ({"timeout": "1_000"}, "timeout is '1_000', which is not a number; write one."),
    (
        {"client_secret": SECRET},
        "not an option of this module; did you mean universal_auth_client_secret?",
    ),
    ({"tenantid": SECRET}, "'tenantid' is not an option of this module; did you mean tenant_id?"),
    ({"qqqq": 1}, "'qqqq' is not an option of this module; the options are accessTokenMaxTTL, acc"),
    ({"url": f"https://u:{SECRET}@host"}, "url contains a user name, a query or a fragment"),
    ({"identity_name": 8}, "identity_name is 8, which is not a string; put it in quotes"),
    ({"identity_name": 750}, "identity_name is 750, which is not a string; put it in quotes"),
    ({"tenantId": 1e10}, "tenantId is 10000000000.0, which is not a string; put it in quotes"),
    ({"resource": "{{ resource }}"}, "resource '{{ resource }}' is a template that was not"),
    ({"allowed_service_principal_ids": ["********"]}, "[0] '********' is masked text, which"),
    ({"allowed_service_principal_ids": "{{ x }}"}, "'{{ x }}' is a template that was not"),
    ({"access_token_ttl": "3600.0"}, "access_token_ttl is '3600.0', which is not a whole number;"),
    ({"access_token_ttl": 1.5}, "access_token_ttl is 1.5, which is not a whole number; write one"),
    ({"access_token_ttl": float("inf")}, "access_token_ttl is inf, which is not a whole number"),
    ({"retries": [1]}, "retries is [1], which is not a whole number; write one"),
    ({"timeout": "1m"}, "timeout is '1m', which is not a number; write one."),
]


@pytest.mark.parametrize(("options", "message"), PROBLEMS)
def test_what_is_wrong_is_one_sentence(options: dict[str, t.Any], message: str) -> None:
    parameters = settle(options, SPEC)
    (problem,) = parameters.problems
    assert message in problem
    assert SECRET not in problem
    assert SECRET not in texts(parameters.public)
    # For Ansible, or ansible-lint, to refuse it as well; ansible-lint does not render templates.
    ((option, raw),) = options.items()
    kept = "{{" not in str(raw) and option not in (*SECRET_OPTIONS, "login_data", "url")
    assert parameters.public == ({option: HIDDEN} if kept else {})


def test_a_url_that_has_nothing_wrong_is_never_left_out() -> None:
    url = "https://self.example:8443/path@v1"
    assert settle({"url": url}, SPEC) == ({"url": url}, {}, [])


@pytest.mark.parametrize("raw", [None, "", " ", "\ufeff", "\u3000\n"])
def test_null_and_blanks_are_absent(raw: t.Any) -> None:
    parameters = settle(dict.fromkeys(SPEC, raw), SPEC)
    assert parameters == ({}, {}, [])


@pytest.mark.parametrize(
    ("raw", "number"), [(5, 5), ("5", 5), (" 05 ", 5), (5.0, 5), ("-5", -5), (True, True)]
)
def test_whole_numbers(raw: t.Any, number: int) -> None:
    assert settle({"retries": raw}, SPEC).public == {"retries": number}


def test_a_list_of_anything_else_is_for_the_option_to_check() -> None:
    items = [None, 7, {"ipAddress": "10.0.0.0"}, "", "10.0.0.0/8"]
    assert settle({"accessTokenTrustedIps": items}, SPEC).public == {"accessTokenTrustedIps": items}


NESTED = {
    **CONNECTION_SPEC,
    "name": {"type": "str"},
    "ldap_auth": {
        "type": "dict",
        "options": {
            "bind_dn": {"type": "str"},
            "bind_pass": {"type": "str", "no_log": True},
            "access_token_ttl": {"type": "int", "no_log": False},
            "access_token_trusted_ips": {"type": "list", "elements": "raw", "no_log": False},
        },
    },
}


def test_a_secret_among_the_options_of_an_option_is_apart() -> None:
    given_as = {"bind_dn": " cn ", "bind_pass": SECRET, "access_token_ttl": " 60 "}
    for raw in (given_as, json.dumps(given_as), repr(given_as)):
        parameters = settle({"name": "x", "ldap_auth": raw, "token": "t"}, NESTED)
        shown = {"bind_dn": " cn ", "access_token_ttl": 60}
        assert parameters.public == {"name": "x", "ldap_auth": shown}
        assert parameters.secret == {"ldap_auth": {"bind_pass": SECRET}, "token": "t"}
        assert parameters.problems == []
        assert parameters.of_settings == {SECRET}
        # Ansible puts a null in the place of each option that is not given to it.
        for seen in (shown, {**shown, "bind_pass": None}):
            hidden = {"ldap_auth": {**shown, "bind_pass": HIDDEN}, "token": HIDDEN, "name": "x"}
            assert parameters.shown({"name": "x", "ldap_auth": seen}) == hidden
            whole = {"ldap_auth": {**shown, "bind_pass": SECRET}, "token": "t", "name": "x"}
            assert parameters.with_secrets({"name": "x", "ldap_auth": seen}) == whole


@pytest.mark.parametrize("raw", [None, "", " ", "\ufeff"])
def test_null_and_blanks_in_a_dictionary_are_absent(raw: t.Any) -> None:
    nested = dict.fromkeys(NESTED["ldap_auth"]["options"], raw)
    assert settle({"ldap_auth": nested}, NESTED) == ({"ldap_auth": {}}, {}, [])
    assert settle({"ldap_auth": raw}, NESTED) == ({}, {}, [])


@pytest.mark.parametrize(
    ("nested", "kept"),
    [
        ({"bind_dn": "{{ x }}", "access_token_trusted_ips": ["{{ x }}"]}, False),
        ({"bind_dn": "{{ x }}", "access_token_ttl": "1h"}, True),
        ({"bind_dm": "{{ x }}"}, True),
    ],
)
def test_a_dictionary_that_is_wrong_for_its_templates_alone_is_not_for_ansible_to_refuse(
    nested: dict[str, t.Any], kept: bool
) -> None:
    """As ansible-lint would, which renders none; but it finds mistakes beside them."""
    options = {
        key: sub for key, sub in NESTED["ldap_auth"]["options"].items() if key != "bind_pass"
    }
    spec = {"azure_auth": {"type": "dict", "options": options}}
    parameters = settle({"azure_auth": nested}, spec)
    assert parameters.problems
    assert parameters.public == ({"azure_auth": HIDDEN} if kept else {})


NESTED_PROBLEMS: list[tuple[t.Any, list[str]]] = [
    (SECRET, ["ldap_auth is a string, not a dictionary; write one."]),
    ([SECRET], ["ldap_auth is not a dictionary; write one with the keys bind_dn, bind_pass,"]),
    (True, ["ldap_auth is not a dictionary; write one with the keys bind_dn, bind_pass,"]),
    ({"bind_pass": [SECRET]}, ["ldap_auth: bind_pass is not a string; put the secret in quotes"]),
    ({"bind_pass": {SECRET: 1}}, ["ldap_auth: bind_pass is not a string; put the secret in"]),
    ({"bind_pass": 83}, ["ldap_auth: bind_pass is not a string; put the secret in quotes"]),
    ({"bindPass": SECRET}, ["'bindPass' is not an option of ldap_auth; did you mean bind_pass?"]),
    (
        {"bind_pass": SECRET, "access_token_ttl": "1h", "bind_dn": 7, "password": SECRET},
        [
            "'password' is not an option of ldap_auth;",
            "ldap_auth: access_token_ttl is '1h', which is not a whole number;",
            "ldap_auth: bind_dn is 7, which is not a string; put it in quotes",
        ],
    ),
]


@pytest.mark.parametrize(("raw", "messages"), NESTED_PROBLEMS, ids=repr)
def test_all_that_is_wrong_in_a_dictionary_is_told_without_a_secret(
    raw: t.Any, messages: list[str]
) -> None:
    parameters = settle({"name": "x", "ldap_auth": raw}, NESTED)
    (problem,) = parameters.problems
    for message in messages:
        assert message in problem
    assert SECRET not in problem
    # Nor is any of it left for Ansible to check, which would show it.
    assert parameters.public == {"name": "x"}
    assert parameters.secret == {}


@given(
    st.dictionaries(
        st.sampled_from([*NESTED["ldap_auth"]["options"], "bindPass", "bind_dm", ""]),
        st.sampled_from([SECRET, [SECRET], {SECRET: SECRET}, None, 7, f"{SECRET}\0"]),
    )
    | st.sampled_from([SECRET, [SECRET], f'{{"bind_pass": "{SECRET}"}}', f"bind_pass={SECRET}"]),
)
def test_a_secret_in_a_dictionary_is_never_left_for_ansible(raw: t.Any) -> None:
    if isinstance(raw, dict):
        # In the place of an option that is none, it is what that option was given.
        raw = {key: value for key, value in raw.items() if not key.startswith(("bind_dn", "acc"))}
    parameters = settle({"ldap_auth": raw}, NESTED)
    assert SECRET not in texts(parameters.public)
    assert SECRET not in texts(parameters.problems)
    assert SECRET not in texts(parameters.shown(parameters.public))
