# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The JWT of the platform that a task runs on, for the logins that take one.

Metadata services answer at once or not at all, and are reached directly: a proxy would be asked
for the address of its own host. Where a platform's own libraries let the environment name another
place, so does this.
"""

from __future__ import annotations

import http.client
import time
import typing as t
import urllib.error
import urllib.request
from urllib.parse import urlencode

from .._errors import PlatformError
from .._text import is_token, printable, trim
from .json_reader import parse
from .response_size import BoundedResponse

AZURE_HOST = "http://169.254.169.254"
AZURE_HOST_VARIABLE = "AZURE_POD_IDENTITY_AUTHORITY_HOST"
AZURE_RESOURCE = "https://management.azure.com/"
GCP_HOST = "metadata.google.internal"
GCP_HOST_VARIABLE = "GCE_METADATA_HOST"
KUBERNETES_FILE = "/var/run/secrets/kubernetes.io/serviceaccount/token"
KUBERNETES_FILE_VARIABLE = "INFISICAL_KUBERNETES_SERVICE_ACCOUNT_TOKEN_PATH"

_SECONDS = 2
_TRIES = 3
_LONGEST = 64 * 1024


class Wish(t.NamedTuple):
    """What is asked of a platform: for whom, and which of its identities' token."""

    identity_id: str
    azure_resource: str
    azure_client_id: str
    environment: t.Mapping[str, str]

    def place(self, variable: str, default: str) -> str:
        """Return where to ask, which the environment may say."""
        return trim(self.environment.get(variable, "")) or default


def azure_jwt(wish: Wish) -> str:
    """Return an Entra token of the managed identity, from Azure's instance metadata service.

    Raises PlatformError.
    """
    query = {"api-version": "2018-02-01", "resource": wish.azure_resource or AZURE_RESOURCE}
    if wish.azure_client_id:
        query["client_id"] = wish.azure_client_id
    host = wish.place(AZURE_HOST_VARIABLE, AZURE_HOST).rstrip("/")
    url = f"{host}/metadata/identity/oauth2/token?{urlencode(query)}"
    what = "a token of the managed identity from Azure's instance metadata service"
    answer = _get(url, {"Metadata": "true"}, what)
    try:
        token = parse(answer)["access_token"]
    except (LookupError, TypeError, ValueError):
        token = None
    return _token(token, what, host)


def gcp_jwt(wish: Wish) -> str:
    """Return an ID token of the service account, from Google's metadata server.

    Raises PlatformError.
    """
    host = wish.place(GCP_HOST_VARIABLE, GCP_HOST)
    query = urlencode({"audience": wish.identity_id, "format": "full"})
    path = "computeMetadata/v1/instance/service-accounts/default/identity"
    what = "an ID token of the service account from Google's metadata server"
    answer = _get(f"http://{host}/{path}?{query}", {"Metadata-Flavor": "Google"}, what)
    return _token(answer.decode("ascii", "replace"), what, host)


def kubernetes_jwt(wish: Wish) -> str:
    """Return the token of the pod's service account, from its file. Raises PlatformError."""
    path = wish.place(KUBERNETES_FILE_VARIABLE, KUBERNETES_FILE)
    what = "the token of the pod's service account"
    try:
        with open(path, encoding="ascii", errors="replace") as file:  # noqa: PTH123 start-up time
            content = file.read(_LONGEST)
    except OSError as failure:
        reason = (failure.strerror or "not readable").lower()
        raise _failure(what, path, reason) from None
    return _token(content, what, path)


def _get(url: str, headers: t.Mapping[str, str], what: str) -> bytes:
    """Return the body of an answer, which may need a few tries: the services start up slowly."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Bounded(), _AnyStatus())
    place = url.partition("?")[0]
    reason = ""
    for number in range(_TRIES):
        if number:
            time.sleep(0.5 * number)
        try:
            with opener.open(
                urllib.request.Request(url, headers=dict(headers)), timeout=_SECONDS
            ) as answer:
                if answer.status == 200:
                    return t.cast(bytes, answer.read(_LONGEST))
                said = printable(answer.read(2000).decode("utf-8", "replace"), 200)
                reason = f"HTTP status {answer.status}: {said}"
                if answer.status < 500 and answer.status not in (404, 410, 429):
                    break
        except urllib.error.URLError as failure:
            reason = _reason(failure.reason)
        except (OSError, http.client.HTTPException, ValueError) as failure:
            reason = _reason(failure)
    raise _failure(what, place, reason)


def _reason(failure: t.Any) -> str:
    """Return why a connection failed, in a few words."""
    words = getattr(failure, "strerror", None) or str(failure) or type(failure).__name__
    return printable(words).lower()


class _Connection(http.client.HTTPConnection):
    response_class = BoundedResponse


class _Bounded(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Let no answer take longer than the timeout."""
        return self.do_open(_Connection, req)


class _AnyStatus(urllib.request.HTTPErrorProcessor):
    """Follows no redirect, and raises for no status.

    What a platform hands out is for nobody else.
    """

    def http_response(
        self,
        request: urllib.request.Request,  # noqa: ARG002 urllib passes it
        response: http.client.HTTPResponse,
    ) -> http.client.HTTPResponse:
        return response

    https_response = http_response


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
