# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gets a JWT from the platform that the task runs on, for logins that take one.

Metadata services answer at once or not at all, so timeouts are short. Requests to them bypass the
proxy, which would ask the service of its own host. The environment can name another place, with the
same variables as for a platform's own libraries.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
import typing as t
from urllib.parse import quote, urlencode, urlsplit

from .._errors import InfisicalError, OptionError, PlatformError
from .._text import is_token, masked, printable, quoted, refuse_scope, trim, uuid_or_none
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
# The agent of Azure Arc on Linux: its program, its address, and its folder of keys, which only root
# and the group himds may read.
ARC_AGENT = "/opt/azcmagent/bin/himds"
ARC_ENDPOINT = "http://127.0.0.1:40342/metadata/identity/oauth2/token"
ARC_FOLDER = "/var/opt/azcmagent/tokens"

_ENTRA_SECONDS = 10.0
_METADATA_SECONDS = 2.0
_TRIES = 3
_LONGEST = 64 * 1024
_LONGEST_ARC_KEY = 4096
_ARC_CHALLENGE = re.compile(r"Basic realm=\"?([^\",]+)\"?\s*", re.IGNORECASE)
_RESOURCE_ID = re.compile(
    r"/subscriptions/[^/?#\s]+/resourcegroups/[^/?#\s]+/providers"
    r"/microsoft\.managedidentity/userassignedidentities/[^/?#\s]+",
    re.IGNORECASE,
)
_CLIENT, _OBJECT, _RESOURCE = "client_id", "object_id", "resource_id"
# The options that select a managed identity, with the kind of ID that each takes.
_IDENTITY_OPTIONS = {
    "azure_client_id": _CLIENT,
    "azure_identity_object_id": _OBJECT,
    "azure_identity_resource_id": _RESOURCE,
}


class TokenRequest(t.NamedTuple):
    """What a token depends on: the identity to log in as, the options and the environment."""

    identity_id: str
    options: t.Mapping[str, t.Any]
    environment: t.Mapping[str, str]

    def option(self, name: str) -> str:
        """Return the value of an option; blank if it is not set."""
        return trim(self.options.get(name) or "")

    def variable(self, name: str, default: str = "") -> str:
        """Return the value of an environment variable, or the default."""
        return trim(self.environment.get(name, "")) or default

    @property
    def resource(self) -> str:
        """The audience of an Entra token. Raises OptionError for a scope."""
        resource = self.option("azure_resource") or AZURE_RESOURCE
        refuse_scope("azure_resource", resource)
        return resource


class _AzureIdentity(t.NamedTuple):
    """A managed identity: the option or variable that selects it, the kind of ID, and the ID."""

    source: str
    kind: str
    value: str


class _Wanted(t.NamedTuple):
    """A token to get: its description, its file or its URL without a query, and a remedy."""

    what: str
    place: str
    cure: str

    def failure(self, reason: str) -> PlatformError:
        """Return the error if there is no token, for this reason."""
        return PlatformError(
            f"Could not get {self.what} at {printable(self.place)} ({reason}); {self.cure}, or set"
            " jwt to the token."
        )

    def token(self, text: t.Any, where: str = "the response") -> str:
        """Return a trimmed text. Raises PlatformError if it is not a token."""
        token = trim(text) if isinstance(text, str) else ""
        if not is_token(token):
            raise self.failure(f"{where} contains no token")
        return token


class _Source(t.NamedTuple):
    """Where to get a token over HTTP. `secrets` authenticate the caller; no message shows them.

    `cure` is the remedy if nothing answers, unless it is the same as for other failures.
    """

    wanted: _Wanted
    transport: Transport
    timeout: float = _METADATA_SECONDS
    secrets: tuple[str, ...] = ()
    cure: str | None = None


class _PlatformAnswer(t.NamedTuple):
    """A complete response."""

    status: int
    headers: t.Mapping[str, str]
    content: bytes


def azure_jwt(request: TokenRequest) -> str:
    """Return an Entra token for the workload identity or for a managed identity of the host.

    If several sources are available, the order is the same as in Azure's own libraries. Raises
    OptionError and PlatformError.
    """
    if request.variable("AZURE_FEDERATED_TOKEN_FILE"):
        return _workload_jwt(request)
    if request.variable("IDENTITY_ENDPOINT"):
        endpoint = _url("IDENTITY_ENDPOINT", request.variable("IDENTITY_ENDPOINT"))
        if request.variable("IDENTITY_HEADER"):
            return _app_service_jwt(request, endpoint)
        if request.variable("IMDS_ENDPOINT"):
            return _arc_jwt(request, endpoint)
    # Arc sets the variables for services, but not for sessions over SSH.
    if os.path.exists(ARC_AGENT):  # noqa: PTH110 start-up time
        return _arc_jwt(request, ARC_ENDPOINT)
    host = _url(AZURE_HOST_VARIABLE, request.variable(AZURE_HOST_VARIABLE, AZURE_HOST)).rstrip("/")
    identity = _named_identity(request)
    wanted = _Wanted(
        f"{_token_of(identity)} from Azure's instance metadata service",
        f"{host}/metadata/identity/oauth2/token",
        "run the task on a host in Azure that has this identity",
    )
    query = _query(request, "2018-02-01", identity, "msi_res_id")
    return _entra_token(_ask(_Source(wanted, Transport()), query, {"Metadata": "true"}), wanted)


def gcp_jwt(request: TokenRequest) -> str:
    """Return an ID token for the service account, from Google's metadata server.

    Raises PlatformError.
    """
    host = request.variable(GCP_HOST_VARIABLE, GCP_HOST)
    wanted = _Wanted(
        "an ID token for the service account from Google's metadata server",
        f"http://{host}/computeMetadata/v1/instance/service-accounts/default/identity",
        "run the task on a host in Google Cloud that has a service account",
    )
    query = {"audience": request.identity_id, "format": "full"}
    answer = _ask(_Source(wanted, Transport()), query, {"Metadata-Flavor": "Google"})
    return wanted.token(answer.content.decode("ascii", "replace"))


def kubernetes_jwt(request: TokenRequest) -> str:
    """Return the token of the pod's service account, from its file. Raises PlatformError."""
    path = request.variable(KUBERNETES_FILE_VARIABLE, KUBERNETES_FILE)
    cure = "run the task in a pod that mounts it"
    return _token_in(_Wanted("the token of the pod's service account", path, cure))


def _workload_jwt(request: TokenRequest) -> str:
    """Exchange a token of Kubernetes, or of another issuer that Entra trusts, for an Entra token.

    Entra is on the internet, so the request uses the environment's proxy and must use https.
    """
    named = _identity_option(request)
    if named and named.kind != _CLIENT:
        raise OptionError(
            f"{named.source} names a managed identity, but AZURE_FEDERATED_TOKEN_FILE makes the"
            " task log in as a workload identity; set azure_client_id instead, or unset the"
            " variable."
        )
    tenant = request.variable("AZURE_TENANT_ID")
    client = named.value if named else request.variable("AZURE_CLIENT_ID")
    for name, value in (("AZURE_TENANT_ID", tenant), ("AZURE_CLIENT_ID", client)):
        if not value:
            raise OptionError(
                f"AZURE_FEDERATED_TOKEN_FILE is set, but {name} is not; set both, or unset"
                " AZURE_FEDERATED_TOKEN_FILE."
            )
    authority = request.variable("AZURE_AUTHORITY_HOST", ENTRA_HOST).rstrip("/")
    if "://" not in authority:
        authority = f"https://{authority}"
    if travels_in_clear(_url("AZURE_AUTHORITY_HOST", authority)):
        raise OptionError(
            f"AZURE_AUTHORITY_HOST {quoted(authority)} is not https, so anybody on the network path"
            " could read the token; write https."
        )
    file = _Wanted(
        "the federated token of the workload identity",
        request.variable("AZURE_FEDERATED_TOKEN_FILE"),
        "run the task on a host that has this file",
    )
    assertion = _token_in(file)
    try:
        transport = transport_to(authority)
    except InfisicalError as error:
        raise PlatformError(str(error)) from None
    wanted = _Wanted(
        "a token for the workload identity from Entra",
        f"{authority}/{quote(tenant, safe='')}/oauth2/v2.0/token",
        "compare its federated credential with the token in AZURE_FEDERATED_TOKEN_FILE",
    )
    cure = "check that the host can reach Entra, with its proxy and CA bundle"
    source = _Source(wanted, transport, _ENTRA_SECONDS, (assertion,), cure)
    form = {
        "client_id": client,
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion,
        # A resource that ends in a slash then has two, so that the audience keeps one.
        "scope": f"{request.resource}/.default",
    }
    return _entra_token(_ask(source, {}, {}, form), wanted)


def _app_service_jwt(request: TokenRequest, endpoint: str) -> str:
    """Ask the endpoint of App Service, Functions or Container Apps, with its secret header."""
    secret = request.variable("IDENTITY_HEADER")
    identity = _named_identity(request)
    what = f"{_token_of(identity)} from IDENTITY_ENDPOINT"
    wanted = _Wanted(what, endpoint, "assign this identity to the app")
    source = _Source(wanted, Transport(), secrets=(secret,))
    query = _query(request, "2019-08-01", identity, "mi_res_id")
    return _entra_token(_ask(source, query, {"X-IDENTITY-HEADER": secret}), wanted)


def _arc_jwt(request: TokenRequest, endpoint: str) -> str:
    """Ask Arc's agent, which demands a key from a file that the caller must read."""
    identity = _identity_option(request)
    what = f"{_token_of(identity)} from Arc's agent"
    wanted = _Wanted(what, endpoint, "check the agent with 'azcmagent show'")
    source = _Source(wanted, Transport())
    query = _query(request, "2020-06-01", identity, "msi_res_id")
    headers = {"Metadata": "true"}
    answer = _ask(source, query, headers, expected=(200, 401))
    if answer.status == 401:
        key = _arc_key(answer, wanted)
        source = source._replace(secrets=(key,))
        answer = _ask(source, query, {**headers, "Authorization": f"Basic {key}"})
    token = _entra_token(answer, wanted)
    if identity and not _is_of(answer, identity):
        # An agent that knows only the system-assigned identity ignores the identity in the query.
        raise wanted.failure("the agent returned a token for another identity")
    return token


def _arc_key(challenge: _PlatformAnswer, wanted: _Wanted) -> str:
    """Return the key in the file that the agent names. Raises PlatformError."""
    realm = _ARC_CHALLENGE.fullmatch(challenge.headers.get("WWW-Authenticate", ""))
    path = realm[1] if realm else ""
    folder, _slash, name = path.rpartition("/")
    # Another program at this port must not make the task read other files.
    if folder != ARC_FOLDER or not name.endswith(".key"):
        raise wanted.failure(f"the agent names no key in {ARC_FOLDER}")
    cure = "run the task as root or as a member of the group himds"
    return _token_in(_Wanted("the key of Arc's agent", path, cure), _LONGEST_ARC_KEY)


def _identity_option(request: TokenRequest) -> _AzureIdentity | None:
    """Return the identity that an option names. Raises OptionError."""
    given = [option for option in _IDENTITY_OPTIONS if request.option(option)]
    if len(given) > 1:
        raise OptionError(
            f"{given[0]} and {given[1]} both name a managed identity; set only one of them."
        )
    if not given:
        return None
    (option,) = given
    text = request.option(option)
    kind = _IDENTITY_OPTIONS[option]
    if kind == _RESOURCE:
        if not _RESOURCE_ID.fullmatch(text):
            raise OptionError(
                f"{option} {quoted(text)} is not the resource ID of a managed identity; write it as"
                " in '/subscriptions/.../resourceGroups/.../providers/"
                "Microsoft.ManagedIdentity/userAssignedIdentities/...'."
            )
        return _AzureIdentity(option, kind, text)
    return _AzureIdentity(option, kind, _uuid(option, text))


def _named_identity(request: TokenRequest) -> _AzureIdentity | None:
    """Return the identity that an option or the environment names. Raises OptionError.

    If the environment also has a secret, its client ID belongs to a service principal that other
    tasks log in to Azure as, and is ignored.
    """
    variable, text = "AZURE_CLIENT_ID", request.variable("AZURE_CLIENT_ID")
    of_managed = not (request.variable("AZURE_CLIENT_SECRET") or request.variable("AZURE_SECRET"))
    by_variable = _AzureIdentity(variable, _CLIENT, text) if text and of_managed else None
    return _identity_option(request) or by_variable


def _uuid(source: str, text: str) -> str:
    canonical = uuid_or_none(text)
    if canonical is None:
        raise OptionError(f"{source} {quoted(text)} is not a UUID; write the ID that Azure shows.")
    return canonical


def _token_of(identity: _AzureIdentity | None) -> str:
    which = f" that {identity.source} names" if identity else ""
    return f"a token for the managed identity{which}"


def _is_of(answer: _PlatformAnswer, identity: _AzureIdentity) -> bool:
    """Return whether a response says that its token belongs to this identity."""
    names = ("msi_res_id", "mi_res_id") if identity.kind == _RESOURCE else (identity.kind,)
    values = parse(answer.content)
    return any(str(values.get(name)).lower() == identity.value.lower() for name in names)


def _query(
    request: TokenRequest, version: str, identity: _AzureIdentity | None, resource_id: str
) -> dict[str, str]:
    """Return the query for a token. Services have different parameters for a resource ID."""
    query = {"api-version": version, "resource": request.resource}
    if identity:
        query[resource_id if identity.kind == _RESOURCE else identity.kind] = identity.value
    return query


def _url(variable: str, text: str) -> str:
    """Return the URL in a variable. Raises OptionError if it is not a URL."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not text.isprintable() or " " in text:
        raise OptionError(
            f"{variable} {quoted(text)} is not a URL; write one with http:// or https:// in front,"
            " or unset it."
        )
    return text


def _ask(
    source: _Source,
    query: t.Mapping[str, str],
    headers: t.Mapping[str, str],
    form: t.Mapping[str, str] | None = None,
    *,
    expected: tuple[int, ...] = (200,),
) -> _PlatformAnswer:
    """Return a response with an expected status. Raises PlatformError.

    Retries, because the services start slowly, and fail for a moment when they are updated.
    """
    reason = ""
    wanted = source.wanted
    for number in range(_TRIES):
        # Azure asks clients to wait at least a second.
        time.sleep(number)
        try:
            answer = _send(source, query, headers, form)
        except Exception as failure:
            # Reading the body also raises urllib3's own exceptions.
            reason = reason_of(causes_of(failure))
            wanted = source.wanted._replace(cure=source.cure or source.wanted.cure)
            continue
        if answer.status in expected:
            return answer
        wanted = source.wanted
        # The body of a success may be a token.
        said = _said_in(answer) if answer.status >= 400 else ""
        text = printable(masked(said, source.secrets), 300)
        reason = f"HTTP status {answer.status}" + (f": {text}" if text else "")
        if answer.status < 500 and answer.status not in (404, 410, 429):
            break
    raise wanted.failure(reason)


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
        f"{source.wanted.place}?{urlencode(query)}" if query else source.wanted.place,
        sent,
        content,
        timeout=source.timeout,
        largest=_LONGEST,
    )
    with contextlib.closing(response):
        return _PlatformAnswer(response.status, response.headers, body_of(response, _LONGEST))


def _said_in(answer: _PlatformAnswer) -> str:
    """Return the message of a refusal: the description in its JSON, or its text."""
    text = answer.content[:2000].decode("utf-8", "replace")
    try:
        values = parse(answer.content)
    except ValueError:
        return text
    if not isinstance(values, dict):
        return text
    said = (values.get(name) for name in ("error_description", "message", "error"))
    return next((item for item in said if isinstance(item, str) and item), text)


def _entra_token(answer: _PlatformAnswer, wanted: _Wanted) -> str:
    try:
        token = parse(answer.content)["access_token"]
    except (LookupError, TypeError, ValueError):
        token = None
    return wanted.token(token)


def _token_in(file: _Wanted, longest: int = _LONGEST) -> str:
    """Return the token in a file. Raises PlatformError."""
    try:
        with open(file.place, "rb") as opened:  # noqa: PTH123 start-up time
            content = opened.read(longest + 1)
    except (OSError, ValueError) as failure:
        reason = (getattr(failure, "strerror", None) or "not readable").lower()
        raise file.failure(reason) from None
    if len(content) > longest:
        raise file.failure(f"the file has more than {longest} bytes")
    return file.token(content.decode("ascii", "replace"), "the file")


JWTS = {"azure": azure_jwt, "gcp": gcp_jwt, "kubernetes": kubernetes_jwt}
