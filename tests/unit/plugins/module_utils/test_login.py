# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.community.infisical.plugins.module_utils._errors import OptionError
from ansible_collections.community.infisical.plugins.module_utils._server.client import (
    Client,
    Connection,
)
from ansible_collections.community.infisical.plugins.module_utils._server.login import (
    DEFAULT_URL,
    Choice,
    Login,
    choose,
    own_identity,
)

ID, SECRET = "universal_auth_client_id", "universal_auth_client_secret"
ENV_ID, ENV_SECRET = (
    "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID",
    "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET",
)
IDENTITY = "6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b"
UNIVERSAL = {ENV_ID: "env-id", ENV_SECRET: "env-secret"}
DATA = {"url": "https://data.example", "access_token": "data-token"}

CHOICES = [
    ("token option", {"token": "t"}, {}, (None, {"token": "t"})),
    ("token in the environment", {}, {"INFISICAL_TOKEN": "e"}, (None, {"token": "e"})),
    ("login_data", {"login_data": DATA}, {}, (None, {"token": "data-token"})),
    (
        "login_data goes before credentials as options",
        {"login_data": DATA, "token": "t"},
        {},
        (None, {"token": "data-token"}),
    ),
    (
        "auth_method goes before login_data",
        {"auth_method": "token_auth", "token": "t", "login_data": DATA},
        {},
        (None, {"token": "t"}),
    ),
    (
        "credentials as options go before INFISICAL_AUTH_METHOD",
        {"token": "t"},
        {"INFISICAL_AUTH_METHOD": "universal_auth", **UNIVERSAL},
        (None, {"token": "t"}),
    ),
    (
        "INFISICAL_AUTH_METHOD settles two methods' worth in the environment",
        {},
        {"INFISICAL_AUTH_METHOD": "universal_auth", "INFISICAL_TOKEN": "e", **UNIVERSAL},
        ("universal-auth", {"clientId": "env-id", "clientSecret": "env-secret"}),
    ),
    (
        "a missing value comes from the environment",
        {ID: "id"},
        {ENV_SECRET: "env-secret", ENV_ID: "other"},
        ("universal-auth", {"clientId": "id", "clientSecret": "env-secret"}),
    ),
    (
        "options decide, though the environment has another method's worth",
        {ID: "id", SECRET: "s"},
        {"INFISICAL_TOKEN": "e"},
        ("universal-auth", {"clientId": "id", "clientSecret": "s"}),
    ),
    (
        "a JWT and an identity, with the method",
        {"auth_method": "oidc_auth", "auth_identity_id": f"{{{IDENTITY.upper()}}}"},
        {"INFISICAL_JWT": "j"},
        ("oidc-auth", {"identityId": IDENTITY, "jwt": "j"}),
    ),
    (
        "a JWT and an identity as options, and the method in the environment as the CLI spells it",
        {"jwt": "j", "auth_identity_id": IDENTITY},
        {"INFISICAL_AUTH_METHOD": "jwt-auth", "INFISICAL_TOKEN": "e"},
        ("jwt-auth", {"identityId": IDENTITY, "jwt": "j"}),
    ),
    (
        "a user name and a password tell the method, and blanks at a password's ends are its own",
        {"ldap_username": "u", "ldap_password": " p "},
        {"INFISICAL_MACHINE_IDENTITY_ID": IDENTITY, "INFISICAL_TOKEN": "e"},
        ("ldap-auth", {"identityId": IDENTITY, "username": "u", "password": " p "}),
    ),
    *(
        (
            f"{name} without a JWT leaves it to the platform",
            {"auth_method": name, "auth_identity_id": IDENTITY},
            {},
            (name.replace("_", "-"), {"identityId": IDENTITY}),
        )
        for name in ("azure_auth", "gcp_auth", "kubernetes_auth")
    ),
    (
        "a blank counts as absent everywhere",
        {
            "auth_method": " ",
            "token": "",
            ID: "\ufeff",
            "login_data": {"url": "", "access_token": ""},
        },
        {"INFISICAL_AUTH_METHOD": "", "INFISICAL_TOKEN": "  ", **UNIVERSAL},
        ("universal-auth", {"clientId": "env-id", "clientSecret": "env-secret"}),
    ),
    (
        "blanks around a value are dropped",
        {"token": " t\n"},
        {},
        (None, {"token": "t"}),
    ),
]


@pytest.mark.parametrize(
    ("options", "environment", "expected"),
    [row[1:] for row in CHOICES],
    ids=[row[0] for row in CHOICES],
)
def test_which_login(
    options: dict[str, object], environment: dict[str, str], expected: tuple[object, object]
) -> None:
    choice = choose(options, environment)
    assert (choice.path, choice.values) == expected


REFUSALS = [
    ("no credentials", {}, {}, "No credentials are given"),
    (
        "two methods' worth of options",
        {"token": "t", ID: "id"},
        {},
        (
            "Credentials of 2 login methods are given (token for token_auth;"
            " universal_auth_client_id for universal_auth)"
        ),
    ),
    (
        "two methods' worth in the environment",
        {},
        {"INFISICAL_TOKEN": "e", **UNIVERSAL},
        (
            "(INFISICAL_TOKEN for token_auth; INFISICAL_UNIVERSAL_AUTH_CLIENT_ID and"
            " INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET for universal_auth)"
        ),
    ),
    (
        "half of a method",
        {ID: "id"},
        {},
        (
            "universal_auth_client_secret is missing, which universal_auth needs; set it, or the"
            " environment variable INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET."
        ),
    ),
    (
        "an identity without a method",
        {"auth_identity_id": IDENTITY},
        {"INFISICAL_TOKEN": "e"},
        "auth_identity_id is given, which several login methods take; name the one to use in",
    ),
    (
        "a JWT without a method",
        {"jwt": "j"},
        {},
        "jwt is given, which several login methods take",
    ),
    (
        "an identity that is no UUID",
        {"auth_method": "oidc_auth", "jwt": "j", "auth_identity_id": "billing"},
        {},
        "auth_identity_id 'billing' is not a UUID; write the id of the machine identity to log in",
    ),
    (
        "a JWT that no platform gives",
        {"auth_method": "oidc_auth", "auth_identity_id": IDENTITY},
        {},
        "jwt is missing, which oidc_auth needs; set it, or the environment variable INFISICAL_JWT.",
    ),
    (
        "a JWT with a line end in it",
        {"auth_method": "oidc_auth", "auth_identity_id": IDENTITY, "jwt": "a\nb"},
        {},
        "jwt has blanks, line ends",
    ),
    (
        "an unknown method",
        {"auth_method": "basic"},
        {},
        "auth_method 'basic' is not a login method; write one of token_auth, universal_auth,",
    ),
    (
        "an unknown method in the environment",
        {},
        {"INFISICAL_AUTH_METHOD": "basic"},
        "INFISICAL_AUTH_METHOD 'basic' is not a login method",
    ),
    (
        "infisical.vault's placeholder",
        {"login_data": {"access_token": "<check_mode_token>"}},
        {},
        "set 'check_mode: false' on that task",
    ),
    ("a token with a line end in it", {"token": "a\nb"}, {}, "token has blanks, line ends"),
    (
        "a NUL in a client id",
        {ID: "a\0b", SECRET: "s"},
        {},
        "universal_auth_client_id has a NUL character in it; write it without.",
    ),
    (
        "a NUL in an organization's slug",
        {"token": "t", "organization_slug": "a\0b"},
        {},
        r"organization_slug 'a\x00b' has a NUL character in it",
    ),
    ("a token beyond ASCII", {"token": "tök"}, {}, "token has blanks, line ends"),
    (
        "url contradicts login_data",
        {"login_data": DATA, "url": "https://other.example"},
        {},
        (
            "url 'https://other.example' is not the server that login_data is for,"
            " 'https://data.example'"
        ),
    ),
]


@pytest.mark.parametrize(
    ("options", "environment", "message"),
    [row[1:] for row in REFUSALS],
    ids=[row[0] for row in REFUSALS],
)
def test_refused_before_any_request(
    options: dict[str, object], environment: dict[str, str], message: str
) -> None:
    with pytest.raises(OptionError) as raised:
        choose(options, environment)
    assert message in str(raised.value)


def test_a_refused_token_is_not_shown() -> None:
    with pytest.raises(OptionError) as raised:
        choose({"token": "s3cret token"}, {})
    assert "s3cret" not in str(raised.value)


URLS = [
    ({}, {}, DEFAULT_URL),
    ({"url": "https://a.example/"}, {}, "https://a.example"),
    ({"url": "https://a.example/api"}, {}, "https://a.example"),
    ({"url": "https://a.example/api/"}, {}, "https://a.example"),
    ({"url": "https://a.example/infisical/api/"}, {}, "https://a.example/infisical"),
    ({"url": "http://[::1]:8080"}, {}, "http://[::1]:8080"),
    ({"url": "http://api"}, {}, "http://api"),
    ({"url": "https://api/api/"}, {}, "https://api"),
    ({"url": "https://a.example/myapi"}, {}, "https://a.example/myapi"),
    ({"url": " "}, {"INFISICAL_URL": "https://b.example"}, "https://b.example"),
    (
        {},
        {"INFISICAL_URL": "https://b.example", "INFISICAL_API_URL": "https://c.example/api"},
        "https://b.example",
    ),
    ({}, {"INFISICAL_API_URL": "https://c.example/api"}, "https://c.example"),
    (
        {},
        {"INFISICAL_HOST": "https://d.example", "INFISICAL_API_URL": "https://c.example"},
        "https://d.example",
    ),
    ({"url": "https://a.example"}, {"INFISICAL_URL": "https://b.example"}, "https://a.example"),
]


@pytest.mark.parametrize(("options", "environment", "url"), URLS)
def test_url(options: dict[str, str], environment: dict[str, str], url: str) -> None:
    choice = choose({"token": "t", **options}, environment)
    assert choice.url == url
    assert choice.url_by_default == (url == DEFAULT_URL)


def test_the_url_of_login_data_goes_before_the_environment_and_may_be_repeated() -> None:
    environment = {"INFISICAL_URL": "https://b.example"}
    assert choose({"login_data": DATA}, environment).url == "https://data.example"
    options = {"login_data": DATA, "url": "https://data.example/api/"}
    assert choose(options, environment).url == "https://data.example"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("app.infisical.com", "url 'app.infisical.com' is not the URL of a server"),
        ("ftp://a.example", "with http:// or https:// in front"),
        ("https://", "is not the URL of a server"),
        ("https://a.example:port", "is not the URL of a server"),
        ("https://a.example:0", "is not the URL of a server"),
        ("https://a b.example", "is not the URL of a server"),
        ("https://a.example/?x=1", "has a user name, a query or a fragment"),
        ("https://a.example/#x", "has a user name, a query or a fragment"),
    ],
)
def test_a_malformed_url_is_refused(url: str, message: str) -> None:
    with pytest.raises(OptionError) as raised:
        choose({"token": "t", "url": url}, {})
    assert message in str(raised.value)


@pytest.mark.parametrize("url", ["https://u:pa55@a.example", "ftp://u:pa55@a.example", "u:pa55@x"])
def test_a_password_in_a_url_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(OptionError) as raised:
        choose({"token": "t", "url": url}, {})
    assert "pa55" not in str(raised.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://u:pa55\uff20x.example",
        "https://u%3Apa55@x",
        "https://pa55@x.example",
        "https://x.example/?token=pa55",
        "pa55",
        "eyJpa55.eyJ" + "x" * 70 + ".signature",
        "https://********.example.com/pa55",
        "https://{{ pa55 }}.example.com",
    ],
)
def test_what_may_be_a_secret_in_place_of_a_url_is_not_shown(url: str) -> None:
    for options, environment in (({"url": url}, {}), ({}, {"INFISICAL_HOST": url})):
        with pytest.raises(OptionError) as raised:
            choose({"token": "t", **options}, environment)
        assert "pa55" not in str(raised.value)


def test_a_port_and_an_at_sign_in_a_path_are_no_password() -> None:
    url = "https://self.example:8443/path@v1"
    assert choose({"token": "t", "url": url}, {}).url == url


def test_secrets_are_told_apart_from_what_may_be_seen() -> None:
    choice = choose({}, UNIVERSAL)
    assert choice.secrets == {"env-secret"}
    # One that is not used may be a word, which is no secret where something else is meant by it.
    assert choose({"login_data": DATA}, UNIVERSAL).secrets == {"data-token"}


def test_the_one_that_is_not_used_is_said() -> None:
    choice: Choice = choose({"auth_method": "token_auth", "token": "t", "login_data": DATA}, {})
    assert choice.warning is not None
    assert "login_data is not used" in choice.warning


def jwt(payload: object) -> str:
    body = base64.urlsafe_b64encode(json.dumps(payload).encode()).rstrip(b"=").decode()
    return f"e30.{body}.signature"


def test_a_token_tells_its_identity() -> None:
    assert own_identity(jwt({"identityId": IDENTITY})) == IDENTITY


@pytest.mark.parametrize("text", ["..", "", "a/b", IDENTITY + "/.."])
def test_what_a_token_tells_never_adds_to_a_path(text: str) -> None:
    assert own_identity(jwt({"identityId": text})) is None


def test_a_token_nested_too_deep_tells_none() -> None:
    body = base64.urlsafe_b64encode(b"[" * 100_000).decode()
    assert own_identity(f"e30.{body}.x") is None


@given(st.one_of(st.text(), st.builds(jwt, st.recursive(st.none() | st.text(), st.lists))))
def test_any_other_token_tells_none(token: str) -> None:
    assert own_identity(token) is None


@pytest.mark.parametrize(
    ("options", "maybe"), [({"token": "t"}, True), ({ID: "id", SECRET: "s"}, False)]
)
def test_a_given_token_may_have_come_through_any_method(
    options: dict[str, str], maybe: bool
) -> None:
    with contextlib.closing(Client(Connection("https://a.example"))) as client:
        login = Login(client, choose(options, {}), str)
        assert login.maybe_through("azure-auth") is maybe
