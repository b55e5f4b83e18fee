# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gets a token for the credentials from options and environment.

Each login method is a row of a table. The first of these that is set decides on the method:
auth_method, credentials in options, the variable for the method, credentials in the environment.
Values that no option sets come from the environment.
"""

from __future__ import annotations

import base64
import functools
import typing as t

from .._errors import ApiError, InfisicalError, OptionError, UnexpectedAnswerError
from .._text import is_mask, is_token, no_value, quoted, refuse_nul, trim, uuid_or_none
from . import signals
from .client import Client
from .connection import base_url
from .json_reader import parse
from .request import Request

Values = t.Mapping[str, t.Any]

DEFAULT_URL = "https://app.infisical.com"
# The variables of infisical.vault, of the Terraform provider, and of the CLI and the SDKs.
URL_VARIABLES = ("INFISICAL_URL", "INFISICAL_HOST", "INFISICAL_API_URL")
SLUG_VARIABLE = "INFISICAL_AUTH_ORGANIZATION_SLUG"
METHOD_VARIABLE = "INFISICAL_AUTH_METHOD"
# What infisical.vault's login module returns in place of a token in check mode.
CHECK_MODE_TOKEN = "<check_mode_token>"

_LOGIN_DATA_UNUSED = (
    "login_data is ignored, because auth_method is set and takes precedence; remove one of them."
)


class Credential(t.NamedTuple):
    """A value that a login takes: its option, its environment variable, its key in the request.

    `check(source, text)` returns the value to use, or raises OptionError. A `secret` is never in
    any output. A `telling` value shows the login method; several methods take the others.
    """

    option: str
    variable: str
    key: str
    check: t.Callable[[str, str], str]
    secret: bool = False
    telling: bool = False


class LoginMethod(t.NamedTuple):
    """A way to log in.

    `path` is the method's name in `/api/v1/auth/<path>/login`, None if the user sets the token.
    `platform` is the platform that issues the JWT if the user sets none.
    """

    name: str
    path: str | None
    credentials: tuple[Credential, ...]
    platform: str | None = None


def _trimmed(source: str, text: str) -> str:
    return _as_it_is(source, _value(source, text))


def _as_it_is(source: str, text: str) -> str:
    refuse_nul(source, text, secret=True)
    if is_mask(text):
        _value(source, text)
    return text


def _value(source: str, text: str) -> str:
    """Trim a text. Raises OptionError, which does not show the text, for a placeholder."""
    why = no_value(text)
    if why:
        raise OptionError(f"{source} {why}.")
    return trim(text)


def _uuid(source: str, text: str) -> str:
    canonical = uuid_or_none(trim(text))
    if canonical is None:
        raise OptionError(
            f"{source} {quoted(trim(text))} is not a UUID; write the ID of the machine identity to"
            " log in as."
        )
    return canonical


def _token(source: str, text: str) -> str:
    """Trim a token. Raises OptionError, which does not show the text, if it cannot be one."""
    token = _value(source, text)
    if token == CHECK_MODE_TOKEN:
        raise OptionError(
            f"{source} is the placeholder that infisical.vault.login returns in check mode; set"
            " 'check_mode: false' on that task, so that it logs in."
        )
    if not is_token(token):
        raise OptionError(
            f"{source} contains spaces, line breaks or characters other than ASCII, which a token"
            " cannot contain; set it to the token alone."
        )
    return token


_IDENTITY = Credential("auth_identity_id", "INFISICAL_MACHINE_IDENTITY_ID", "identityId", _uuid)
_JWT = Credential("jwt", "INFISICAL_JWT", "jwt", _token, secret=True)

METHODS = (
    LoginMethod(
        "token_auth",
        None,
        (Credential("token", "INFISICAL_TOKEN", "token", _token, secret=True, telling=True),),
    ),
    LoginMethod(
        "universal_auth",
        "universal-auth",
        (
            Credential(
                "universal_auth_client_id",
                "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID",
                "clientId",
                _trimmed,
                telling=True,
            ),
            Credential(
                "universal_auth_client_secret",
                "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET",
                "clientSecret",
                _trimmed,
                secret=True,
                telling=True,
            ),
        ),
    ),
    LoginMethod("azure_auth", "azure-auth", (_IDENTITY, _JWT), "azure"),
    LoginMethod("oidc_auth", "oidc-auth", (_IDENTITY, _JWT)),
    LoginMethod("jwt_auth", "jwt-auth", (_IDENTITY, _JWT)),
    LoginMethod("kubernetes_auth", "kubernetes-auth", (_IDENTITY, _JWT), "kubernetes"),
    LoginMethod("gcp_auth", "gcp-auth", (_IDENTITY, _JWT), "gcp"),
    LoginMethod(
        "ldap_auth",
        "ldap-auth",
        (
            _IDENTITY,
            Credential(
                "ldap_username", "INFISICAL_LDAP_USERNAME", "username", _trimmed, telling=True
            ),
            Credential(
                "ldap_password",
                "INFISICAL_LDAP_PASSWORD",
                "password",
                _as_it_is,
                secret=True,
                telling=True,
            ),
        ),
    ),
)
_BY_NAME = {method.name: method for method in METHODS}


class Choice(t.NamedTuple):
    """Where and how to log in, as decided before any request.

    `url` is a base URL. `path` is the path of the method. `values` has the body of the login
    request, or only `token` if `path` is None. `platform()` gets the JWT if it is not in `values`.
    `secrets` must not appear in any output. `warning` is for the user. `url_by_default` says that
    `url` is the default.
    """

    url: str
    path: str | None
    values: t.Mapping[str, str]
    organization_slug: str
    secrets: frozenset[str]
    platform: t.Callable[[], str] | None = None
    warning: str | None = None
    url_by_default: bool = False


def choose(options: Values, environment: t.Mapping[str, str]) -> Choice:
    """Choose the server and the login from the options and the environment.

    Raises OptionError if credentials are missing or incomplete, or belong to several methods.
    """
    given = _Given(options, environment)
    login_data = options.get("login_data") or {}
    data_token = _text(login_data.get("access_token"))
    explicit_method = given.option("auth_method")
    if data_token and not explicit_method:
        return _by_login_data(given, data_token, _text(login_data.get("url")))
    method = _method("auth_method", explicit_method) if explicit_method else given.inferred()
    values = given.values_of(method)
    slug = given.slug_option() or _value(SLUG_VARIABLE, given.variable(SLUG_VARIABLE))
    refuse_nul(SLUG_VARIABLE, slug)
    platform = None
    if method.platform and _JWT.key not in values:
        platform = functools.partial(
            _platform_jwt, method.platform, values[_IDENTITY.key], options, environment
        )
    return Choice(
        given.url(),
        path=method.path,
        values=values,
        organization_slug=slug,
        secrets=frozenset(
            values[item.key] for item in method.credentials if item.secret and item.key in values
        ),
        platform=platform,
        warning=_LOGIN_DATA_UNUSED if data_token else None,
        url_by_default=not given.has_url,
    )


def _by_login_data(given: _Given, data_token: str, data_url: str) -> Choice:
    token = _token("login_data.access_token", data_token)
    return Choice(
        given.url(data_url),
        path=None,
        values={"token": token},
        # The slug in the environment is only for logins.
        organization_slug=given.slug_option(),
        secrets=frozenset({token}),
        url_by_default=not (data_url or given.has_url),
    )


def every_secret(options: Values, environment: t.Mapping[str, str]) -> frozenset[str]:
    """Return all secrets that are set, even if the login does not use them."""
    given = _Given(options, environment)
    items = [item for method in METHODS for item in method.credentials if item.secret]
    texts = [_text((options.get("login_data") or {}).get("access_token"))]
    texts += [given.option(item.option) for item in items]
    texts += [given.variable(item.variable) for item in items]
    return frozenset(filter(None, texts))


def gives_token(options: Values) -> bool:
    """Return whether an option sets a token, and not only the environment."""
    login_data = options.get("login_data") or {}
    return bool(_text(options.get("token")) or _text(login_data.get("access_token")))


class Login:
    """Gets a token, renews it if necessary, and revokes it at the end.

    It never revokes a token that the user set. It calls `hide(secret)` with each new secret before
    it sends the secret.
    """

    def __init__(self, client: Client, choice: Choice, hide: t.Callable[[str], t.Any]) -> None:
        self._client = client
        self._choice = choice
        self._hide = hide
        self._claims: Values = {}
        self.token = ""

    @property
    def identity_id(self) -> str | None:
        """The ID of the identity that is logged in; None if the token does not contain it."""
        return uuid_or_none(self._claim("identityId"))

    @property
    def organization_id(self) -> str | None:
        """The ID of the token's organization; None if the token lacks it, as before 2026."""
        return uuid_or_none(self._claim("orgId"))

    @property
    def auth_method(self) -> str | None:
        """The API's name of the auth method that issued the token; None if unknown."""
        if self._choice.path:
            return self._choice.path
        # Before 2026, a token only shows if Universal Auth issued it.
        by_secret = "universal-auth" if self._claim("clientSecretId") else None
        return self._claim("authMethod") or by_secret

    @property
    def obtained(self) -> bool:
        """Whether the token comes from this login, and not from the user."""
        return self._choice.path is not None and bool(self.token)

    def maybe_through(self, method: str) -> bool:
        """Return whether the auth method of this name may have issued the token."""
        return self.auth_method in (None, method)

    def open(self) -> None:
        """Log in, let the client use the token, and check that it is for the right organization.

        Raises what Client.request() raises, and OptionError for any other organization.
        """
        if self._choice.path is None:
            self._use(self._choice.values["token"])
            self._client.use_token(self.token)
        else:
            self._obtain()
            self._client.use_token(self.token, self._renew)
        try:
            self._check_organization()
        except InfisicalError:
            # The task will not use the token.
            self.close()
            raise

    def close(self) -> str | None:
        """Revoke the token, unless the user set it. Returns a warning if that failed."""
        if not self.obtained:
            return None
        token, self.token = self.token, ""
        try:
            # The task is over, so a failure here does not change its outcome.
            revoke(self._client, token, patient=False)
        except InfisicalError as error:
            return str(error)
        return None

    def _renew(self) -> None:
        """Log in again, for the same organization."""
        organization_id = self.organization_id
        self._obtain()
        if self.organization_id != organization_id:
            raise OptionError(
                "The second login of this task was for a different organization than the first; run"
                " the task again."
            )
        self._client.use_token(self.token, self._renew)

    def _check_organization(self) -> None:
        if not self._choice.organization_slug:
            return
        # Few logins need this, and each import takes time when a task starts.
        from . import organizations as _organizations

        landing = _organizations.Landing(
            self.identity_id,
            self.organization_id,
            uuid_or_none(self._claim("rootOrgId")),
            given=self._choice.path is None,
        )
        _organizations.check_organization(self._client, self._choice.organization_slug, landing)

    def _use(self, token: str) -> None:
        self._hide(token)
        self.token = token
        self._claims = claims_of(token)

    def _claim(self, name: str) -> str:
        value = self._claims.get(name)
        return value if isinstance(value, str) else ""

    def _obtain(self) -> None:
        body = dict(self._choice.values)
        if self._choice.platform:
            body[_JWT.key] = signals.interruptible(self._choice.platform)
            self._hide(body[_JWT.key])
        if self._choice.organization_slug:
            body["organizationSlug"] = self._choice.organization_slug
        purpose = f"log in with {self._choice.path} at {self._choice.url}"
        # Without an Authorization header, because an invalid one would make the login fail. The
        # client does not repeat a refused login: several failures lock the identity out.
        route = f"/api/v1/auth/{self._choice.path}/login"
        answer = self._client.request(
            Request("POST", route, purpose=purpose, body=body, authorize=False)
        )
        token = answer.get("accessToken")
        if not isinstance(token, str) or not is_token(token):
            raise UnexpectedAnswerError(
                f"Could not {purpose}: the response contains no access token; check that url points"
                " to an Infisical server.",
                http_status=200,
            )
        self._use(token)


def revoke(client: Client, token: str, *, patient: bool = True) -> None:
    """Revoke a token, unless it is already invalid. Raises what Client.request() raises."""
    try:
        client.request(
            Request(
                "POST",
                "/api/v1/auth/token/revoke",
                purpose="revoke the access token",
                body={"accessToken": token},
                authorize=False,
                patient=patient,
            )
        )
    except ApiError as error:
        if not error.login_refused:
            raise


def claims_of(token: str) -> Values:
    """Return the claims of a token; {} if it is not a JWT.

    This does not verify the signature: the token is our own, and its claims only make the task more
    careful.
    """
    try:
        payload = token.split(".")[1]
        claims = parse(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (LookupError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _platform_jwt(platform: str, *request: t.Any) -> str:
    # Few logins need this, and each import takes time when a task starts.
    from . import platform_tokens as _platform

    return _platform.JWTS[platform](_platform.TokenRequest(*request))


class _Given:
    """The options and the environment. A blank counts as not set.

    AWX injects empty inputs of a credential as blanks.
    """

    def __init__(self, options: Values, environment: t.Mapping[str, str]) -> None:
        self._options = options
        self._environment = environment

    def option(self, name: str) -> str:
        return _text(self._options.get(name))

    def variable(self, name: str) -> str:
        return _text(self._environment.get(name))

    def slug_option(self) -> str:
        """Return the slug from the option. Raises OptionError."""
        slug = _value("organization_slug", self.option("organization_slug"))
        refuse_nul("organization_slug", slug)
        return slug

    def inferred(self) -> LoginMethod:
        """Return the method if auth_method is not set. Raises OptionError."""
        method = self._inferred(lambda credential: credential.option, self.option)
        if method:
            return method
        named = self.variable(METHOD_VARIABLE)
        if named:
            return _method(METHOD_VARIABLE, named)
        undecided = [item.option for item in (_IDENTITY, _JWT) if self.option(item.option)]
        if undecided:
            raise OptionError(
                f"{undecided[0]} is set, but several login methods use it; set auth_method to the"
                " one to use."
            )
        method = self._inferred(lambda credential: credential.variable, self.variable)
        if method:
            return method
        raise OptionError(
            "No credentials are set; set login_data, or token, or universal_auth_client_id and"
            " universal_auth_client_secret, or auth_method and what that method needs, or the"
            " environment variables of one of these, such as INFISICAL_TOKEN."
        )

    def values_of(self, method: LoginMethod) -> dict[str, str]:
        """Return the values for a method by their keys in the request. Raises OptionError."""
        values = {}
        for item in method.credentials:
            for source, given in (
                (item.option, self._options.get(item.option)),
                (item.variable, self._environment.get(item.variable)),
            ):
                if _text(given):
                    values[item.key] = item.check(source, str(given))
                    break
            else:
                if item.key == _JWT.key and method.platform:
                    continue
                raise OptionError(
                    f"{item.option} is not set, but {method.name} needs it; set it, or the"
                    f" environment variable {item.variable}."
                )
        return values

    @staticmethod
    def _inferred(
        name_of: t.Callable[[Credential], str], read: t.Callable[[str], str]
    ) -> LoginMethod | None:
        """Return the only method with credentials; None if none has. Raises OptionError."""
        given = {
            method.name: [
                name_of(item) for item in method.credentials if item.telling and read(name_of(item))
            ]
            for method in METHODS
        }
        named = {name: sources for name, sources in given.items() if sources}
        if len(named) > 1:
            what = "; ".join(
                f"{' and '.join(sources)} for {name}" for name, sources in named.items()
            )
            raise OptionError(
                f"Credentials of {len(named)} login methods are set ({what}); set those of only"
                " one, or set auth_method to the one to use."
            )
        return _BY_NAME[next(iter(named))] if named else None

    @property
    def has_url(self) -> bool:
        """Whether the user set the URL."""
        return bool(self.option("url") or any(map(self.variable, URL_VARIABLES)))

    def url(self, of_login_data: str = "") -> str:
        """Return the base URL. Raises OptionError if it is malformed, or contradicts login_data."""
        explicit = self.option("url")
        url = base_url("url", explicit) if explicit else None
        if of_login_data:
            data_url = base_url("login_data.url", of_login_data)
            if url is not None and url != data_url:
                raise OptionError(
                    f"url {quoted(url)} is not the server that issued login_data,"
                    f" {quoted(data_url)}; remove url, or log in to the server that it names."
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
    # The CLI writes the names of methods with hyphens.
    method = _BY_NAME.get(name.replace("-", "_"))
    if method is None:
        raise OptionError(
            f"{source} {quoted(name)} is not a login method; write one of {', '.join(_BY_NAME)}."
        )
    return method
