# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The JWT of the platform that a task runs on, for the logins that take one.

Metadata services answer at once or not at all, and are reached directly: a proxy would be asked
for the address of its own host. Where a platform's own libraries let the environment name another
place, so does this.
"""

from __future__ import annotations

import contextlib
import re
import time
import typing as t
from urllib.parse import quote, urlencode

from .._errors import InfisicalError, PlatformError
from .._text import is_token, masked, printable, trim
from .connection import transport_to, travels_in_clear
from .json_reader import parse
from .reasons import causes_of, reason_of
from .transport import Transport, body_of

AZURE_HOST = "http://169.254.169.254"
AZURE_HOST_VARIABLE = "AZURE_POD_IDENTITY_AUTHORITY_HOST"
AZURE_RESOURCE = "https://management.azure.com/"
ENTRA_HOST = "https://login.microsoftonline.com"
GCP_HOST = "metadata.google.internal"
GCP_HOST_VARIABLE = "GCE_METADATA_HOST"
KUBERNETES_FILE = "/var/run/secrets/kubernetes.io/serviceaccount/token"
KUBERNETES_FILE_VARIABLE = "INFISICAL_KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH"
# Where Arc's agent writes the keys that prove who may read them.
ARC_FOLDER = "/var/opt/azcmagent/tokens"

_ENTRA_SECONDS = 10.0
_METADATA_SECONDS = 2.0
_TRIES = 3
_LONGEST = 64 * 1024
_LONGEST_ARC_KEY = 4096
_ARC_CHALLENGE = re.compile(r"Basic realm=\"?([^\",]+)\"?\s*", re.IGNORECASE)


class TokenRequest(t.NamedTuple):
    """What is asked of a platform: for whom, and which of its identities' token."""

    identity_id: str
    azure_resource: str
    azure_client_id: str
    environment: t.Mapping[str, str]

    def variable(self, name: str, default: str = "") -> str:
        """Return what the environment says, or else the default."""
        return trim(self.environment.get(name, "")) or default

    @property
    def resource(self) -> str:
        """The audience of an Entra token."""
        return self.azure_resource or AZURE_RESOURCE


class _Source(t.NamedTuple):
    """Where a token comes from over HTTP: `what` is asked for, in words, and `url` without a query.

    `secrets` prove who asks, and are no part of any message.
    """

    what: str
    url: str
    transport: Transport
    timeout: float = _METADATA_SECONDS
    secrets: tuple[str, ...] = ()


class _PlatformAnswer(t.NamedTuple):
    """An answer, read whole."""

    status: int
    headers: t.Mapping[str, str]
    content: bytes


def azure_jwt(request: TokenRequest) -> str:
    """Return an Entra token: of the workload's identity, or of the managed identity of the host.

    Raises PlatformError.
    """
    if request.variable("AZURE_FEDERATED_TOKEN_FILE"):
        return _workload_jwt(request)
    endpoint = request.variable("IDENTITY_ENDPOINT")
    if endpoint and request.variable("IDENTITY_HEADER"):
        return _app_service_jwt(request, endpoint)
    if endpoint and request.variable("IMDS_ENDPOINT"):
        return _arc_jwt(request, endpoint)
    host = request.variable(AZURE_HOST_VARIABLE, AZURE_HOST).rstrip("/")
    source = _Source(
        "a token of the managed identity from Azure's instance metadata service",
        f"{host}/metadata/identity/oauth2/token",
        Transport(),
    )
    headers = {"Metadata": "true"}
    return _entra_token(_ask(source, _query(request, "2018-02-01"), headers), source)


def gcp_jwt(request: TokenRequest) -> str:
    """Return an ID token of the service account, from Google's metadata server.

    Raises PlatformError.
    """
    host = request.variable(GCP_HOST_VARIABLE, GCP_HOST)
    source = _Source(
        "an ID token of the service account from Google's metadata server",
        f"http://{host}/computeMetadata/v1/instance/service-accounts/default/identity",
        Transport(),
    )
    query = {"audience": request.identity_id, "format": "full"}
    answer = _ask(source, query, {"Metadata-Flavor": "Google"})
    return _token(answer.content.decode("ascii", "replace"), source.what, source.url)


def kubernetes_jwt(request: TokenRequest) -> str:
    """Return the token of the pod's service account, from its file. Raises PlatformError."""
    path = request.variable(KUBERNETES_FILE_VARIABLE, KUBERNETES_FILE)
    return _token_in(path, "the token of the pod's service account")


def _workload_jwt(request: TokenRequest) -> str:
    """Exchange the token that Kubernetes gives a pod for one of Entra.

    Entra is on the internet, so that the environment's proxy is asked, and https is a must.
    """
    what = "a token of the workload identity from Entra"
    authority = request.variable("AZURE_AUTHORITY_HOST", ENTRA_HOST).rstrip("/")
    tenant = request.variable("AZURE_TENANT_ID")
    client = request.azure_client_id or request.variable("AZURE_CLIENT_ID")
    for name, value in (("AZURE_TENANT_ID", tenant), ("AZURE_CLIENT_ID", client)):
        if not value:
            raise _failure(what, authority, f"AZURE_FEDERATED_TOKEN_FILE is set, and {name} is not")
    if "://" not in authority:
        authority = f"https://{authority}"
    if travels_in_clear(authority):
        raise _failure(what, authority, "AZURE_AUTHORITY_HOST is not https")
    assertion = _token_in(request.variable("AZURE_FEDERATED_TOKEN_FILE"), what)
    try:
        transport = transport_to(authority)
    except InfisicalError as error:
        raise PlatformError(str(error)) from None
    url = f"{authority}/{quote(tenant, safe='')}/oauth2/v2.0/token"
    source = _Source(what, url, transport, _ENTRA_SECONDS, (assertion,))
    form = {
        "client_id": client,
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion,
        # A resource that ends in a slash gets two: the audience keeps its own.
        "scope": f"{request.resource}/.default",
    }
    return _entra_token(_ask(source, {}, {}, form), source)


def _app_service_jwt(request: TokenRequest, endpoint: str) -> str:
    """Ask what App Service, Functions and Container Apps give a program, under a secret header."""
    secret = request.variable("IDENTITY_HEADER")
    source = _Source(
        "a token of the managed identity from IDENTITY_ENDPOINT",
        endpoint,
        Transport(),
        secrets=(secret,),
    )
    headers = {"X-IDENTITY-HEADER": secret}
    return _entra_token(_ask(source, _query(request, "2019-08-01"), headers), source)


def _arc_jwt(request: TokenRequest, endpoint: str) -> str:
    """Ask Arc's agent, which wants to see what only its own group may read."""
    what = "a token of the managed identity from Arc's agent"
    source = _Source(what, endpoint, Transport())
    query = _query(request, "2019-11-01")
    headers = {"Metadata": "true"}
    challenge = _ask(source, query, headers, expected=401)
    realm = _ARC_CHALLENGE.fullmatch(challenge.headers.get("WWW-Authenticate", ""))
    folder, _slash, name = (realm[1] if realm else "").rpartition("/")
    # Whoever listens at that port must not have other files read.
    if folder != ARC_FOLDER or not name.endswith(".key"):
        raise _failure(what, endpoint, "it names no key of Arc's")
    key = _token_in(f"{folder}/{name}", what, _LONGEST_ARC_KEY)
    source = source._replace(secrets=(key,))
    answer = _ask(source, query, {**headers, "Authorization": f"Basic {key}"})
    return _entra_token(answer, source)


def _query(request: TokenRequest, version: str) -> dict[str, str]:
    query = {"api-version": version, "resource": request.resource}
    if request.azure_client_id:
        query["client_id"] = request.azure_client_id
    return query


def _ask(
    source: _Source,
    query: t.Mapping[str, str],
    headers: t.Mapping[str, str],
    form: t.Mapping[str, str] | None = None,
    *,
    expected: int = 200,
) -> _PlatformAnswer:
    """Return an answer with the expected status.

    It may need a few tries: the services start up slowly. Raises PlatformError.
    """
    reason = ""
    for number in range(_TRIES):
        if number:
            time.sleep(0.5 * number)
        try:
            answer = _send(source, query, headers, form)
        except Exception as failure:
            # urllib3's own are among them, while the body is read.
            reason = reason_of(causes_of(failure))
            continue
        if answer.status == expected:
            return answer
        text = masked(answer.content[:2000].decode("utf-8", "replace"), source.secrets)
        reason = f"HTTP status {answer.status}: {printable(text, 200)}"
        if answer.status < 500 and answer.status not in (404, 410, 429):
            break
    raise _failure(source.what, source.url, reason)


def _send(
    source: _Source,
    query: t.Mapping[str, str],
    headers: t.Mapping[str, str],
    form: t.Mapping[str, str] | None,
) -> _PlatformAnswer:
    content = None if form is None else urlencode(form).encode()
    sent = {**headers, "Accept": "application/json", "Accept-Encoding": "identity"}
    if content is not None:
        sent["Content-Type"] = "application/x-www-form-urlencoded"
        sent["Content-Length"] = str(len(content))
    response = source.transport.open(
        "GET" if content is None else "POST",
        f"{source.url}?{urlencode(query)}" if query else source.url,
        sent,
        content,
        timeout=source.timeout,
        largest=_LONGEST,
    )
    with contextlib.closing(response):
        return _PlatformAnswer(response.status, response.headers, body_of(response, _LONGEST))


def _entra_token(answer: _PlatformAnswer, source: _Source) -> str:
    try:
        token = parse(answer.content)["access_token"]
    except (LookupError, TypeError, ValueError):
        token = None
    return _token(token, source.what, source.url)


def _token_in(path: str, what: str, longest: int = _LONGEST) -> str:
    """Return the token in a file. Raises PlatformError."""
    try:
        with open(path, encoding="ascii", errors="replace") as file:  # noqa: PTH123 start-up time
            content = file.read(longest + 1)
    except (OSError, ValueError) as failure:
        reason = (getattr(failure, "strerror", None) or "not readable").lower()
        raise _failure(what, path, reason) from None
    return _token(content if len(content) <= longest else None, what, path)


def _token(text: t.Any, what: str, place: str) -> str:
    token = trim(text) if isinstance(text, str) else ""
    if not is_token(token):
        raise _failure(what, place, "the answer is no token")
    return token


def _failure(what: str, place: str, reason: str) -> PlatformError:
    return PlatformError(
        f"Could not get {what} at {printable(place)} ({reason}); run the task where that is to be"
        " had, or give the token in jwt."
    )


JWTS = {"azure": azure_jwt, "gcp": gcp_jwt, "kubernetes": kubernetes_jwt}
