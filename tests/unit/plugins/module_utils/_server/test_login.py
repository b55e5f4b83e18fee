# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import contextlib
import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.community.infisical.plugins.module_utils._errors import (
    ApiError,
    OptionError,
    UnexpectedAnswerError,
)
from ansible_collections.community.infisical.plugins.module_utils._server.client import Client
from ansible_collections.community.infisical.plugins.module_utils._server.connection import (
    Connection,
    custom_headers,
)
from ansible_collections.community.infisical.plugins.module_utils._server.login import (
    DEFAULT_URL,
    Choice,
    Login,
    choose,
    claims_of,
)
from ansible_collections.community.infisical.plugins.module_utils._server.organizations import (
    Landing,
    check_organization,
)
from ansible_collections.community.infisical.plugins.module_utils._server.request import Request

ID, SECRET = "universal_auth_client_id", "universal_auth_client_secret"
ENV_ID, ENV_SECRET = (
    "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID",
    "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET",
)
IDENTITY = "6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b"
ORGANIZATION = "0f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4c"
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
    ("no credentials", {}, {}, "No credentials are set"),
    (
        "two methods' worth of options",
        {"token": "t", ID: "id"},
        {},
        (
            "Credentials of 2 login methods are set (token for token_auth;"
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
            "universal_auth_client_secret is not set, but universal_auth needs it; set it, or the"
            " environment variable INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET."
        ),
    ),
    (
        "an identity without a method",
        {"auth_identity_id": IDENTITY},
        {"INFISICAL_TOKEN": "e"},
        "auth_identity_id is set, but several login methods use it; set auth_method to the one to",
    ),
    (
        "a JWT without a method",
        {"jwt": "j"},
        {},
        "jwt is set, but several login methods use it",
    ),
    (
        "an identity that is no UUID",
        {"auth_method": "oidc_auth", "jwt": "j", "auth_identity_id": "billing"},
        {},
        "auth_identity_id 'billing' is not a UUID; write the ID of the machine identity to log in",
    ),
    (
        "a JWT that no platform gives",
        {"auth_method": "oidc_auth", "auth_identity_id": IDENTITY},
        {},
        (
            "jwt is not set, but oidc_auth needs it; set it, or the environment variable"
            " INFISICAL_JWT."
        ),
    ),
    (
        "a JWT with a line end in it",
        {"auth_method": "oidc_auth", "auth_identity_id": IDENTITY, "jwt": "a\nb"},
        {},
        "jwt contains spaces, line breaks",
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
    ("a token with a line end in it", {"token": "a\nb"}, {}, "token contains spaces, line breaks"),
    (
        "masked text in place of a password",
        {"auth_identity_id": IDENTITY, "ldap_username": "u", "ldap_password": "********"},
        {},
        "ldap_password is masked text, which Ansible prints in place of a secret; ",
    ),
    (
        "a NUL in a client id",
        {ID: "a\0b", SECRET: "s"},
        {},
        "universal_auth_client_id contains a NUL character; remove it.",
    ),
    (
        "a NUL in an organization's slug",
        {"token": "t", "organization_slug": "a\0b"},
        {},
        r"organization_slug 'a\x00b' contains a NUL character",
    ),
    ("a token beyond ASCII", {"token": "tök"}, {}, "token contains spaces, line breaks"),
    (
        "url contradicts login_data",
        {"login_data": DATA, "url": "https://other.example"},
        {},
        (
            "url 'https://other.example' is not the server that issued login_data,"
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
        ("https://a.example/?x=1", "contains a user name, a query or a fragment"),
        ("https://a.example/#x", "contains a user name, a query or a fragment"),
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
    assert "login_data is ignored" in choice.warning


def jwt(payload: object) -> str:
    body = base64.urlsafe_b64encode(json.dumps(payload).encode()).rstrip(b"=").decode()
    return f"e30.{body}.signature"


@contextlib.contextmanager
def logged_in(token: str) -> t.Iterator[Login]:
    with contextlib.closing(Client(Connection("https://a.example"))) as client:
        login = Login(client, choose({"token": token}, {}), str)
        login.open()
        yield login


def test_a_token_tells_its_identity_and_its_organization() -> None:
    with logged_in(jwt({"identityId": IDENTITY, "orgId": ORGANIZATION})) as login:
        assert (login.identity_id, login.organization_id) == (IDENTITY, ORGANIZATION)


@pytest.mark.parametrize("text", ["..", "", "a/b", IDENTITY + "/..", None, 1])
def test_what_a_token_tells_never_adds_to_a_path(text: object) -> None:
    with logged_in(jwt({"identityId": text, "orgId": text})) as login:
        assert (login.identity_id, login.organization_id) == (None, None)


def test_a_token_nested_too_deep_tells_nothing() -> None:
    body = base64.urlsafe_b64encode(b"[" * 100_000).decode()
    assert claims_of(f"e30.{body}.x") == {}


@given(st.one_of(st.text(), st.builds(jwt, st.recursive(st.none() | st.text(), st.lists))))
def test_any_other_token_tells_nothing(token: str) -> None:
    assert claims_of(token) == {}


METHODS = [
    ("no JWT", "opaque", None),
    ("since 2026", jwt({"authMethod": "azure-auth"}), "azure-auth"),
    ("another one, since 2026", jwt({"authMethod": "oidc-auth"}), "oidc-auth"),
    ("2025, through a client secret", jwt({"clientSecretId": IDENTITY}), "universal-auth"),
    ("2025, through anything else", jwt({"clientSecretId": ""}), None),
    ("2025, through anything else", jwt({}), None),
    ("nonsense", jwt({"authMethod": ["azure-auth"], "clientSecretId": 1}), None),
]


@pytest.mark.parametrize(
    ("token", "method"), [row[1:] for row in METHODS], ids=[row[0] for row in METHODS]
)
def test_a_given_token_tells_the_method_that_issued_it(token: str, method: str | None) -> None:
    with logged_in(token) as login:
        assert login.auth_method == method
        # Where it is not known it may have been any.
        assert login.maybe_through("azure-auth") is (method in (None, "azure-auth"))


def test_a_login_was_through_its_method() -> None:
    with contextlib.closing(Client(Connection("https://a.example"))) as client:
        login = Login(client, choose({ID: "id", SECRET: "s"}, {}), str)
        assert login.auth_method == "universal-auth"
        assert not login.maybe_through("azure-auth")


SLUGS = [
    ({"token": "t", "organization_slug": "labs"}, {}, "labs"),
    ({"token": "t"}, {"INFISICAL_AUTH_ORGANIZATION_SLUG": " labs "}, "labs"),
    (
        {"token": "t", "organization_slug": "labs"},
        {"INFISICAL_AUTH_ORGANIZATION_SLUG": "other"},
        "labs",
    ),
    ({"token": "t", "organization_slug": " "}, {}, ""),
    ({"login_data": DATA, "organization_slug": "labs"}, {}, "labs"),
    # As with the URL: login_data goes before the environment.
    ({"login_data": DATA}, {"INFISICAL_AUTH_ORGANIZATION_SLUG": "labs"}, ""),
]


@pytest.mark.parametrize(("options", "environment", "slug"), SLUGS)
def test_slug_of_the_organization(
    options: dict[str, object], environment: dict[str, str], slug: str
) -> None:
    assert choose(options, environment).organization_slug == slug


class Organizations:
    """Answers as a server that lists so many sub-organizations, in pages."""

    def __init__(self, count: int) -> None:
        self.ids = [f"00000000-0000-4000-8000-{number:012x}" for number in range(count)]
        self.asked: list[str] = []

    def request(self, request: Request) -> dict[str, t.Any]:
        assert request.route == "/api/v1/sub-organizations"
        query = dict(request.query or {})
        self.asked.append(query["offset"])
        first, limit = int(query["offset"]), int(query["limit"])
        page = [
            {"slug": f"labs-{number}", "id": self.ids[number]}
            for number in range(len(self.ids))[first : first + limit]
        ]
        return {"organizations": page, "totalCount": len(self.ids)}


class Answers:
    """Gives answers, or raises errors, one after the other."""

    def __init__(self, *answers: t.Any) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def request(self, request: Request) -> t.Any:
        self.asked.append(request.path)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def check(
    server: Organizations | Answers, slug: str, organization_id: str, *, given: bool = False
) -> None:
    landing = Landing(IDENTITY, organization_id, ORGANIZATION, given)
    check_organization(t.cast(Client, server), slug, landing)


@pytest.mark.parametrize(("count", "pages"), [(1, 1), (999, 1), (1000, 2), (2001, 3)])
def test_every_page_of_sub_organizations_is_read(count: int, pages: int) -> None:
    server = Organizations(count)
    check(server, f"labs-{count - 1}", server.ids[-1])
    assert server.asked == [str(page * 1000) for page in range(pages)]
    with pytest.raises(OptionError):
        check(server, f"labs-{count}", server.ids[-1])


def test_a_token_for_the_root_needs_no_request_unless_it_was_given() -> None:
    server = Organizations(2)
    check(server, "any", ORGANIZATION)
    assert server.asked == []
    # The root's own slug is in no list: a token that was given may be for the root by mistake.
    for slug, message in (
        ("any", "'any' is not the slug of a sub-organization, and the token is for the root"),
        ("labs-1", "organization_slug is 'labs-1', but the token is for the root"),
    ):
        server.asked.clear()
        with pytest.raises(OptionError, match=message):
            check(server, slug, ORGANIZATION, given=True)
        assert server.asked == ["0"]


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"organizations": None},
        {"organizations": [1]},
        {"organizations": [{}]},
        {"organizations": [{"slug": 1, "id": "x"}]},
    ],
)
def test_a_strange_list_of_sub_organizations_is_an_error(
    answer: dict[str, t.Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Organizations(0)
    monkeypatch.setattr(server, "request", lambda _request: answer)
    with pytest.raises(UnexpectedAnswerError):
        check(server, "labs", IDENTITY)


@pytest.mark.parametrize(
    "refusal",
    [
        ApiError("Broken.", http_status=500, error="InternalServerError"),
        ApiError("Expired.", http_status=403, error="TokenError"),
        ApiError("Your IP address is not trusted.", http_status=403, error="ForbiddenError"),
    ],
    ids=str,
)
def test_a_refusal_that_is_not_about_sub_organizations_is_not_taken_for_one(
    refusal: ApiError,
) -> None:
    with pytest.raises(ApiError) as raised:
        check(Answers(refusal), "labs", IDENTITY)
    assert raised.value is refusal


@pytest.mark.parametrize("membership", [None, "x", {}, {"orgId": 7}], ids=repr)
def test_a_token_that_does_not_tell_its_organization_is_for_that_of_its_identity(
    membership: t.Any,
) -> None:
    listed = {"organizations": [{"slug": "labs", "id": ORGANIZATION}]}
    landing = Landing(IDENTITY, None, None, given=True)
    server = Answers(listed, {"identity": {"orgId": ORGANIZATION}})
    check_organization(t.cast(Client, server), "labs", landing)
    server = Answers(listed, {"identity": membership})
    with pytest.raises(UnexpectedAnswerError) as raised:
        check_organization(t.cast(Client, server), "labs", landing)
    assert str(raised.value) == (
        f"Could not read the login's own identity {IDENTITY} to find out its organization: the"
        " server answered with JSON that Infisical does not send (no organization); check that url"
        " points to an Infisical server."
    )
    assert server.asked == ["/api/v1/sub-organizations", f"/api/v1/identities/{IDENTITY}"]


HEADERS = [
    ("", {}),
    (" \n", {}),
    ("CF-Access-Client-Id=abc.access", {"CF-Access-Client-Id": "abc.access"}),
    ("a=1 b=2\tc=3\nd=4", {"a": "1", "b": "2", "c": "3", "d": "4"}),
    ("""a="x y" b='z "w"' c=x=y==""", {"a": "x y", "b": 'z "w"', "c": "x=y=="}),
    # Passed over by the CLI, too.
    ("User-Agent=x accept=y a=1", {"a": "1"}),
]


@pytest.mark.parametrize(("text", "headers"), HEADERS)
def test_custom_headers_are_written_as_for_the_cli(text: str, headers: dict[str, str]) -> None:
    assert custom_headers(text) == headers


@pytest.mark.parametrize(
    "text",
    [
        "s3cret",
        "X-Key: s3cret",
        "X-Key=s3cret s3cret",
        "X-Key= Other=s3cret",
        "X-Key=s3crët",
        'X-Key="s3cret',
        'X-Key="s3cret"s3cret',
        "X-Key={{ s3cret }}",
        "X Key=s3cret",
        "=s3cret",
        "X-Key=s3cret\x00",
        "Authorization=s3cret",
        "content-length=5 X-Key=s3cret",
    ],
)
def test_headers_that_are_none_are_refused_and_not_shown(text: str) -> None:
    with pytest.raises(OptionError) as raised:
        custom_headers(text)
    assert "INFISICAL_CUSTOM_HEADERS" in str(raised.value)
    assert "s3cr" not in str(raised.value)


def test_a_word_in_a_header_is_no_secret() -> None:
    connection = Connection(
        "https://a.example", headers={"X-Key": "0123456789", "X-Tenant": "prod"}
    )
    assert connection.secrets == {"0123456789"}
