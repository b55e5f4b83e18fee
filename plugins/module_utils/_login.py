# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Credentials -> token.

The login methods are a table; a method is a row. Which method it is, is decided on what was given
at the most telling level, and its missing values come from the environment.
"""

from __future__ import annotations

import base64
import json
import re
import typing as t

from ._client import Client, base_url
from ._errors import ApiError, InfisicalError, OptionError, UnexpectedAnswerError
from ._model import Values
from ._text import quoted, trim

DEFAULT_URL = "https://app.infisical.com"
# INFISICAL_URL is the spelling of infisical.vault, INFISICAL_API_URL that of the CLI and the SDKs.
URL_VARIABLES = ("INFISICAL_URL", "INFISICAL_API_URL")
METHOD_VARIABLE = "INFISICAL_AUTH_METHOD"
# What infisical.vault's login module returns in place of a token under check mode.
CHECK_MODE_TOKEN = "<check_mode_token>"

_TOKEN = re.compile(r"[\x21-\x7e]+", re.ASCII)


class Credential(t.NamedTuple):
    """A value that a login takes: its option, its environment variable, its key in the request.

    `secret` values are kept out of all output.
    """

    option: str
    variable: str
    key: str
    secret: bool


class LoginMethod(t.NamedTuple):
    """A way to log in.

    `path` is the method's name in `/api/v1/auth/<path>/login`, None where the token is given.
    """

    name: str
    path: str | None
    credentials: tuple[Credential, ...]


METHODS = (
    LoginMethod("token_auth", None, (Credential("token", "INFISICAL_TOKEN", "token", True),)),
    LoginMethod(
        "universal_auth",
        "universal-auth",
        (
            Credential(
                "universal_auth_client_id",
                "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID",
                "clientId",
                False,
            ),
            Credential(
                "universal_auth_client_secret",
                "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET",
                "clientSecret",
                True,
            ),
        ),
    ),
)
_BY_NAME = {method.name: method for method in METHODS}


class Choice(t.NamedTuple):
    """What was decided before any request: where to log in, and how.

    `url` is a base URL. `path` is that of the method; `values` is what the login request takes, or
    just `token` where `path` is None. `secrets` are to be kept out of all output. `warning` is for
    the user.
    """

    url: str
    path: str | None
    values: t.Mapping[str, str]
    organization_slug: str | None
    secrets: frozenset[str]
    warning: str | None = None


class Login(t.NamedTuple):
    """A token in use.

    `identity_id` is None where the token does not tell it, `path` is None where it was given.
    """

    token: str
    identity_id: str | None
    path: str | None

    @property
    def obtained(self) -> bool:
        """Whether this task got the token itself, and so has to revoke it."""
        return self.path is not None

    def maybe_through(self, method: str) -> bool:
        """Return whether the token may have been issued through the auth method of this name.

        Of a token that was given this cannot be known.
        """
        return self.path in (None, method)


def choose(options: Values, environment: t.Mapping[str, str]) -> Choice:
    """Decide on the server and the login, from the options and the environment.

    Raises OptionError if there are no credentials, or more than one method's, or a part is missing.
    """
    given = _Given(options, environment)
    login_data = options.get("login_data") or {}
    data_token = _text(login_data.get("access_token"))
    explicit_method = given.option("auth_method")
    warning = None
    method: LoginMethod | None = None
    if explicit_method:
        method = _method("auth_method", explicit_method)
        if data_token:
            warning = "login_data is not used, because auth_method is set, which goes before it."
    elif data_token:
        _check_token("login_data.access_token", data_token)
        return Choice(
            given.url(_text(login_data.get("url"))),
            path=None,
            values={"token": data_token},
            organization_slug=None,
            secrets=frozenset([data_token]),
        )
    method = method or given.inferred_from_options()
    if method is None and given.variable(METHOD_VARIABLE):
        method = _method(METHOD_VARIABLE, given.variable(METHOD_VARIABLE))
    method = method or given.inferred_from_environment()
    if method is None:
        raise OptionError(
            "No credentials are given: set login_data, token, or universal_auth_client_id and"
            " universal_auth_client_secret, or the environment variables INFISICAL_TOKEN, or"
            " INFISICAL_UNIVERSAL_AUTH_CLIENT_ID and INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET."
        )
    values = {}
    for credential in method.credentials:
        value = given.option(credential.option) or given.variable(credential.variable)
        if not value:
            raise OptionError(
                f"{credential.option} is missing, which {method.name} needs; set it, or the"
                f" environment variable {credential.variable}."
            )
        if method.path is None:
            _check_token(credential.option, value)
        values[credential.key] = value
    return Choice(
        given.url(),
        path=method.path,
        values=values,
        organization_slug=given.option("organization_slug") or None,
        secrets=frozenset(values[item.key] for item in method.credentials if item.secret),
        warning=warning,
    )


def log_in(client: Client, choice: Choice) -> Login:
    """Log in, and let the client use the token. Raises what Client.request() raises."""
    if choice.path is None:
        token: t.Any = choice.values["token"]
    else:
        body = dict(choice.values)
        if choice.organization_slug:
            body["organizationSlug"] = choice.organization_slug
        purpose = f"log in with {choice.path} at {choice.url}"
        # No Authorization header: a bad one would fail the login. Not repeated once it may have
        # been sent: wrong credentials, tried often, lock the identity out.
        answer = client.request(
            "POST",
            f"/api/v1/auth/{choice.path}/login",
            purpose=purpose,
            body=body,
            repeatable=False,
            authorize=False,
        )
        token = answer.get("accessToken")
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise UnexpectedAnswerError(
                f"Could not {purpose}: the answer has no access token in it; check that url names"
                " an Infisical server.",
                http_status=200,
            )
    client.use_token(token)
    return Login(token, own_identity(token), choice.path)


def log_out(client: Client, login: Login) -> str | None:
    """Revoke the token, if it was obtained here. Returns a warning if that did not work."""
    if not login.obtained:
        return None
    try:
        client.request(
            "POST",
            "/api/v1/auth/token/revoke",
            purpose="revoke the token of this task",
            body={"accessToken": login.token},
            authorize=False,
            # Best effort: the task is over, and its outcome does not hang on this.
            patient=False,
        )
    except ApiError as error:
        # 401: revoked or used up. 403: not a token any more. Both are what is wanted.
        if error.http_status not in (401, 403):
            return str(error)
    except InfisicalError as error:
        return str(error)
    return None


def own_identity(token: str) -> str | None:
    """Return the identity that a token says it belongs to: `identityId` in a JWT's payload.

    Nothing is verified: it is our own token, and what it says only makes us more careful.
    """
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        identity_id = claims["identityId"]
    except (LookupError, TypeError, ValueError):
        return None
    return identity_id if isinstance(identity_id, str) else None


class _Given:
    """The options and the environment, where a blank counts as absent everywhere.

    AWX injects the inputs of a credential that were left empty as blanks.
    """

    def __init__(self, options: Values, environment: t.Mapping[str, str]) -> None:
        self._options = options
        self._environment = environment

    def option(self, name: str) -> str:
        return _text(self._options.get(name))

    def variable(self, name: str) -> str:
        return _text(self._environment.get(name))

    def inferred_from_options(self) -> LoginMethod | None:
        """Return the method whose credentials are given as options. Raises OptionError for two."""
        return _inferred(lambda credential: credential.option, self.option)

    def inferred_from_environment(self) -> LoginMethod | None:
        """Return the method whose credentials are in the environment, or raise likewise."""
        return _inferred(lambda credential: credential.variable, self.variable)

    def url(self, of_login_data: str = "") -> str:
        """Return the base URL. Raises OptionError if it is malformed, or contradicts login_data."""
        explicit = self.option("url")
        url = base_url("url", explicit) if explicit else None
        if of_login_data:
            data_url = base_url("login_data.url", of_login_data)
            if url is not None and url != data_url:
                raise OptionError(
                    f"url {quoted(url)} is not the server that login_data is for,"
                    f" {quoted(data_url)}; leave url out, or log in at that server."
                )
            return data_url
        if url is not None:
            return url
        for variable in URL_VARIABLES:
            if self.variable(variable):
                return base_url(variable, self.variable(variable))
        return DEFAULT_URL


def _text(value: t.Any) -> str:
    return trim(value) if isinstance(value, str) else ""


def _method(source: str, name: str) -> LoginMethod:
    method = _BY_NAME.get(name)
    if method is None:
        raise OptionError(
            f"{source} {quoted(name)} is not a login method; write one of {', '.join(_BY_NAME)}."
        )
    return method


def _inferred(
    name_of: t.Callable[[Credential], str], read: t.Callable[[str], str]
) -> LoginMethod | None:
    """Return the one method of which there are credentials. Raises OptionError for two."""
    given = {
        method.name: [name_of(item) for item in method.credentials if read(name_of(item))]
        for method in METHODS
    }
    named = {name: sources for name, sources in given.items() if sources}
    if len(named) > 1:
        what = "; ".join(f"{' and '.join(sources)} for {name}" for name, sources in named.items())
        raise OptionError(
            f"Credentials of {len(named)} login methods are given ({what}); give those of one, or"
            " name the one to use in auth_method."
        )
    return _BY_NAME[next(iter(named))] if named else None


def _check_token(option: str, token: str) -> None:
    """Refuse what cannot be a token, without showing it."""
    if token == CHECK_MODE_TOKEN:
        raise OptionError(
            f"{option} is the placeholder that infisical.vault.login returns under check mode;"
            " set 'check_mode: false' on that task, so that it logs in then too."
        )
    if not _TOKEN.fullmatch(token):
        raise OptionError(
            f"{option} has blanks, line ends or characters other than ASCII in it, which no token"
            " of Infisical has; give the token alone."
        )
