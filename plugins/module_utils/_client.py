# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP: one session with one server, answers as JSON objects, errors as exceptions.

Knows what Infisical's answers look like, and nothing of what they mean.
"""

from __future__ import annotations

import math
import os
import random
import socket
import ssl
import time
import traceback
import typing as t
from urllib.parse import quote, urljoin, urlsplit

try:
    import requests
except ImportError:
    REQUESTS_IMPORT_ERROR: str | None = traceback.format_exc()
else:
    REQUESTS_IMPORT_ERROR = None

from . import _signals as signals
from ._bounded import bound
from ._errors import (
    LOGIN_REFUSED,
    UNAUTHORIZED,
    ApiError,
    InfisicalError,
    InterruptError,
    OptionError,
    RateLimitedError,
    TransportError,
    UnexpectedAnswerError,
)
from ._json import parse
from ._pace import Pace, seconds
from ._text import printable, quoted, trim
from ._tokens import Token, Tokens

Json = dict[str, t.Any]

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
MAX_ANSWER = 32 * 1024 * 1024
_CHUNK = 64 * 1024
_LONGEST_BACKOFF = 30.0
_IMPATIENT = 10.0
_USED_UP = (
    " The token was accepted before, and is no more: it was revoked, or used as often as it may be;"
    " raise the limit on uses (access_token_num_uses_limit) of the auth method that it was issued"
    " through, or give credentials in place of a token, with which a task logs in again."
)


def base_url(option: str, text: str) -> str:
    """Return the base of all request URLs: no blank, no trailing "/" or "/api".

    Raises OptionError, naming `option`, for what is not the URL of a server.
    """
    url = trim(text)
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not url.isprintable() or " " in url:
        raise OptionError(
            f"{option} {quoted(_without_credentials(url))} is not the URL of a server; write one"
            " such as 'https://app.infisical.com', with http:// or https:// in front."
        )
    if parts.username is not None or parts.query or parts.fragment:
        raise OptionError(
            f"{option} has a user name, a query or a fragment in it; write only the scheme,"
            " the host and, where there is one, the path, as in 'https://app.infisical.com'."
        )
    path = parts.path.rstrip("/")
    path = path[: -len("/api")] if path.endswith("/api") else path
    return f"{parts.scheme}://{parts.netloc}{path.rstrip('/')}"


def password_in(url: str) -> str | None:
    """Return the password in a URL, well-formed or not, which must not be shown."""
    before, at, _host = url.rpartition("@")
    user = before.partition("://")[2] or before
    return user.partition(":")[2] or None if at else None


def travels_in_clear(url: str) -> bool:
    """Return whether what is sent to the URL can be read on a network on the way."""
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname not in _LOOPBACK


class Connection(t.NamedTuple):
    """How to reach a server.

    `url` is as base_url() returns it, `verify` what requests takes under that name: whether to
    check certificates, or the path of a CA bundle. `timeout` (seconds) is for connecting, and
    again for the whole answer. `rate_limit_timeout` is in seconds.
    """

    url: str
    verify: bool | str = True
    timeout: float = 30
    retries: int = 3
    rate_limit_timeout: float = 300


class Client:
    """A session with a server. Proxies and CA bundles come from the environment, as usual.

    Authorization is never taken from ~/.netrc, redirects are never followed, and a request goes
    again only where that cannot do harm. Made for as many threads at once as `workers` says.
    """

    def __init__(
        self, connection: Connection, secrets: t.Collection[str] = (), workers: int = 1
    ) -> None:
        """`secrets`, which may grow, are left out of what messages say of the server's answers."""
        self._connection = connection
        self._secrets = secrets
        self._session = requests.Session()
        settings = self._session.merge_environment_settings(
            connection.url, {}, True, connection.verify, None
        )
        # Read once, and then no more: trust_env would also let ~/.netrc replace the token.
        self._session.trust_env = False
        self._session.proxies = settings["proxies"]
        self._session.verify = settings["verify"]
        verify = self._session.verify
        if isinstance(verify, str) and not os.path.exists(verify):  # noqa: PTH110 start-up time
            raise OptionError(
                f"The CA bundle {quoted(verify)}, which REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names,"
                " does not exist on the host that runs the module; name one that does, or set"
                " ca_path."
            )
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, _bounded_adapter(workers))
        self._session.headers.update(
            {
                "User-Agent": "community.infisical (Ansible collection)",
                "Accept": "application/json",
                # So that a small answer cannot unpack into a huge one.
                "Accept-Encoding": "identity",
            }
        )
        self._tokens = Tokens()
        self._pace = Pace(connection.rate_limit_timeout)

    @property
    def url(self) -> str:
        """The base URL of the server."""
        return self._connection.url

    def use_token(self, token: str, log_in_again: t.Callable[[], None] | None = None) -> None:
        """Send the token with every request from now on.

        `log_in_again` is called when the server does not accept the token any more, and has to give
        another one to use.
        """
        self._tokens.use(token, log_in_again)

    def stop(self) -> None:
        """Let no further request be made by request() as long as it is patient."""
        self._pace.stop()
        self._tokens.stop()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def request(
        self,
        verb: str,
        route: str,
        *ids: str,
        purpose: str,
        body: Json | None = None,
        query: t.Mapping[str, str] | None = None,
        repeatable: bool = True,
        authorize: bool = True,
        patient: bool = True,
    ) -> Json:
        """Make a request and return the JSON object of the answer.

        `route` is the path with a `{}` for each of `ids`, which cannot add to the path.
        `purpose` completes the sentence "Could not ...". `repeatable` says that the server may be
        asked twice when it is unclear whether it got the first; connections that failed before
        anything was sent are tried again in any case. Without `patient` nothing is tried again,
        and nothing waited for longer than a few seconds, nor ended by a signal.

        Raises ApiError, TransportError, UnexpectedAnswerError, RateLimitedError, or InterruptError
        after stop() or a signal.
        """

        def make() -> Json:
            return self._request(
                verb,
                route,
                ids,
                purpose=purpose,
                body=body,
                query=query,
                repeatable=repeatable,
                authorize=authorize,
                patient=patient,
            )

        if not patient:
            return make()
        # What is read is of no use any more.
        patience = 0 if verb == "GET" else signals.LAST_ORDERS
        return signals.interruptible(make, self.stop, patience)

    def _request(
        self,
        verb: str,
        route: str,
        ids: t.Sequence[str],
        *,
        purpose: str,
        body: Json | None,
        query: t.Mapping[str, str] | None,
        repeatable: bool,
        authorize: bool,
        patient: bool,
    ) -> Json:
        path = route.format(*(quote(item, safe="") for item in ids))
        bucket = (verb, route)
        started = time.monotonic()
        failures = 0
        unsure = False
        try:
            while True:
                error: InfisicalError | None
                try:
                    answer, token = self._paced(
                        bucket, path, body, query, authorize, patient, purpose
                    )
                except TransportError as failure:
                    error = failure
                    again = failure.transient and (repeatable or failure.unsent)
                else:
                    error = self._error_of(answer, purpose, token)
                    if error is None:
                        return t.cast(Json, answer.json)
                    if answer.limited and patient:
                        times = self._pace.refused(bucket, answer.headers)
                        if times is None:
                            # A gateway may say so of work that was done.
                            unsure = unsure or answer.status >= 500
                            continue
                        error = self._rate_limited(answer, error, times, purpose)
                    elif token and answer.login_refused and self._tokens.renew(token):
                        # Refused before anything was done, so that even a POST may go again.
                        continue
                    again = error.transient and repeatable
                if not (again and patient) or failures >= self._connection.retries:
                    if failures:
                        spent = f"{time.monotonic() - started:.0f} seconds"
                        tried = f" (tried {failures + 1} times in {spent})."
                        error.args = (str(error)[:-1] + tried,)
                    error.earlier_unsure = unsure
                    raise error
                failures += 1
                unsure = unsure or error.unsure
                self._pace.pause(_backoff(failures))
        except InterruptError as stop:
            stop.maybe_sent = stop.maybe_sent or unsure
            raise

    def _renew(self, refused: str) -> bool:
        """Return whether there is another token than the refused one, logging in if need be.

        A token that has never worked is followed by one other, so that this comes to an end.
        """
        with self._renewal:
            log_in_again = self._log_in_again
            if self._token == refused and log_in_again and self._may_renew:
                # A login that fails is never tried again; one that works sets it anew.
                self._log_in_again, self._may_renew = None, False
                log_in_again()
            return self._token != refused

    def _paced(
        self,
        bucket: tuple[str, str],
        path: str,
        body: Json | None,
        query: t.Mapping[str, str] | None,
        authorize: bool,
        patient: bool,
        purpose: str,
    ) -> tuple[_Answer, Token | None]:
        """Make a request when its turn has come, and return the token that it went with, too."""
        verb = bucket[0]
        if not patient:
            return self._send(verb, path, body, query, None, _IMPATIENT, purpose), None
        sent = self._pace.begin(bucket)
        token: Token | None = None
        answer: _Answer | None = None
        try:
            token = self._tokens.take() if authorize else None
            answer = self._send(verb, path, body, query, token, math.inf, purpose)
        finally:
            passed = answer is not None and not answer.limited
            if token:
                accepted = answer is not None and passed and not answer.login_refused
                self._tokens.give_back(token, accepted=accepted)
            self._pace.end(bucket, sent, answer.headers if answer else None, passed=passed)
        return answer, token

    def _send(
        self,
        verb: str,
        path: str,
        body: Json | None,
        query: t.Mapping[str, str] | None,
        token: Token | None,
        longest: float,
        purpose: str,
    ) -> _Answer:
        headers = {"Authorization": f"Bearer {token.text}"} if token else {}
        try:
            # requests sets the JSON content type only where there is a body: Infisical answers a
            # DELETE that names it without one with a 500.
            response = self._session.request(
                verb,
                self.url + path,
                params=query,
                json=body,
                headers=headers,
                timeout=min(self._connection.timeout, longest),
                allow_redirects=False,
                stream=True,
            )
        except (requests.RequestException, OSError, ValueError) as failure:
            # ValueError: urllib3 on proxies' URLs, and requests, which decodes the target of a
            # redirect even if it is not to follow it.
            raise self._transport_error(failure, purpose) from None
        try:
            return _Answer(response.status_code, response.headers, self._read(response, purpose))
        finally:
            response.close()

    def _read(self, response: requests.Response, purpose: str) -> bytes:
        content = bytearray()
        try:
            for chunk in response.raw.stream(_CHUNK, decode_content=False):
                content += chunk
                if len(content) > MAX_ANSWER:
                    raise UnexpectedAnswerError(
                        f"Could not {purpose}: the answer of {self.url} is larger than"
                        f" {MAX_ANSWER >> 20} MiB, which no answer of Infisical is.",
                        http_status=response.status_code,
                    )
        except InfisicalError:
            raise
        except Exception as failure:
            # urllib3's own exceptions, and those of the socket and the TLS layer below it.
            raise TransportError(
                f"Could not {purpose}: the answer of {self.url} broke off"
                f" ({_reason(_causes(failure))}).",
                unsent=False,
                transient=True,
            ) from None
        expected = response.headers.get("Content-Length", "")
        # Before urllib3 2 a body that broke off was taken for complete.
        if expected.isdecimal() and len(content) < int(expected):
            raise TransportError(
                f"Could not {purpose}: the answer of {self.url} broke off after {len(content)} of"
                f" {int(expected)} bytes.",
                unsent=False,
                transient=True,
            )
        return bytes(content)

    def _transport_error(self, failure: Exception, purpose: str) -> TransportError:
        causes = _causes(failure)
        reason = _reason(causes)
        unsent = _never_sent(causes)
        transient = True
        if isinstance(failure, ValueError) and not isinstance(failure, UnicodeError):
            # Of requests and urllib3 these are about URLs; their texts name proxies' passwords.
            unsent, transient = True, False
            what = (
                f"no request can be made to {self.url}; check it, and the proxy that the"
                " environment names in HTTPS_PROXY or HTTP_PROXY"
            )
        elif isinstance(failure, requests.exceptions.ProxyError):
            what = f"the proxy for {self.url} cannot be used ({reason})"
        elif isinstance(failure, requests.exceptions.SSLError):
            transient = False
            what = (
                f"there is no trusted TLS connection with {self.url} ({reason}); set ca_path to"
                " the CA bundle that signed its certificate, or check that url is right"
            )
        elif unsent:
            what = f"nothing answers at {self.url} ({reason}), where an Infisical server should be"
        else:
            what = f"{self.url} did not answer ({reason}), where an Infisical server should be"
        return TransportError(f"Could not {purpose}: {what}.", unsent=unsent, transient=transient)

    def _error_of(
        self, answer: _Answer, purpose: str, token: Token | None
    ) -> InfisicalError | None:
        status = answer.status
        if 300 <= status < 400:
            return self._redirected(answer, purpose)
        if 200 <= status < 300 and answer.json is not None:
            return None
        if status >= 400 and answer.json is not None:
            message = answer.json.get("message")
            error = answer.json.get("error")
            request_id = answer.json.get("reqId")
            if isinstance(error, str) and message is not None:
                says = self._safe(_text_of(message), 300).rstrip(".")
                used_up = token and token.used and not self._tokens.renewable
                hint = _USED_UP if error == UNAUTHORIZED and used_up else _hint(status, error)
                return ApiError(
                    f"Could not {purpose}: Infisical answered {status} {self._safe(error, 60)}:"
                    f" {says}.{hint}",
                    http_status=status,
                    error=self._safe(error, 60),
                    request_id=self._safe(request_id, 60) if isinstance(request_id, str) else None,
                )
        if answer.content:
            kind = self._safe(answer.headers.get("Content-Type", "no content type"), 60)
            start = self._safe(answer.content[:4000].decode("utf-8", "replace"), 60)
            what = f"{kind} ({quoted(start)})"
        else:
            what = "an empty body"
        return UnexpectedAnswerError(
            f"Could not {purpose}: {self.url} answered {status} with {what}, where Infisical"
            " answers with a JSON object; check that url names an Infisical server.",
            http_status=status,
        )

    def _safe(self, text: str, limit: int = 200) -> str:
        """Return what the server said, bounded, on one line, and without secrets.

        Ansible masks secrets too, but only whole ones, which a bound may cut.
        """
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, "********")
        return printable(text, limit)

    def _redirected(self, answer: _Answer, purpose: str) -> UnexpectedAnswerError:
        try:
            location = urlsplit(urljoin(self.url + "/", answer.headers.get("Location", "")))
        except ValueError:
            location = urlsplit(self.url)
        # Neither a password nor a query, which may hold a token, is shown.
        there = f"{location.scheme}://{location.netloc.rpartition('@')[2]}{location.path}"
        base = there.partition("/api/")[0].rstrip("/")
        advice = f"set url to '{self._safe(base)}' if that is your server"
        if base == self.url:
            advice = "check what stands in front of the server"
        return UnexpectedAnswerError(
            f"Could not {purpose}: {self.url} answered {answer.status}, a redirect to"
            f" '{self._safe(there)}', and redirects are not followed, because they would carry the"
            f" token along; {advice}.",
            http_status=answer.status,
        )

    def _rate_limited(
        self, answer: _Answer, refusal: InfisicalError, times: tuple[float, float], purpose: str
    ) -> RateLimitedError:
        waited, wait = times
        limit = answer.headers.get("x-ratelimit-limit")
        if not answer.over_rate:
            what = f"{self.url}, which answers {answer.status},"
        elif limit:
            what = f"Infisical's rate limit of {self._safe(limit, 20)} requests a window"
        else:
            what = "Infisical's rate limit"
        so_far = f" for {waited:.0f} seconds" if waited >= 1 else ""
        return RateLimitedError(
            f"Could not {purpose}: {what} refused it{so_far}, and asks to wait {wait:.0f} seconds"
            f" more, beyond rate_limit_timeout ({self._connection.rate_limit_timeout:g} seconds);"
            " wait or raise it.",
            refusal,
        )


def _bounded_adapter(connections: int) -> requests.adapters.HTTPAdapter:
    """Return an adapter that keeps as many connections, and bounds answers in time.

    Through proxies too.
    """

    class BoundedAdapter(requests.adapters.HTTPAdapter):
        def init_poolmanager(self, *arguments: t.Any, **options: t.Any) -> None:
            super().init_poolmanager(*arguments, **options)
            bound(self.poolmanager)

        def proxy_manager_for(self, *arguments: t.Any, **options: t.Any) -> t.Any:
            manager = super().proxy_manager_for(*arguments, **options)
            bound(manager)
            return manager

    return BoundedAdapter(pool_maxsize=connections)


class _Answer:
    """An answer, read whole: status, headers, and its JSON object if it is one."""

    def __init__(self, status: int, headers: t.Mapping[str, str], content: bytes) -> None:
        self.status = status
        self.headers = headers
        self.content = content
        self.json: Json | None = None
        try:
            parsed = parse(content)
        except ValueError:
            return
        if isinstance(parsed, dict):
            self.json = parsed

    @property
    def over_rate(self) -> bool:
        """Whether it is Infisical's rate limit that refused the request."""
        error = self.json.get("error") if self.json else None
        return self.status == 429 or (self.status >= 400 and error == "RateLimitError")

    @property
    def login_refused(self) -> bool:
        """Whether the token, or the login, is not accepted."""
        error = self.json.get("error") if self.json else None
        return self.status >= 400 and error in LOGIN_REFUSED

    @property
    def limited(self) -> bool:
        """Whether the answer means "come back later", whatever its status."""
        asks_to_wait = seconds(self.headers.get("retry-after")) is not None
        return self.over_rate or (self.status >= 400 and asks_to_wait)


def _backoff(failures: int) -> float:
    """Return how long to wait after the nth failure, in seconds: exponential, with jitter."""
    return min(2.0 ** (failures - 2), _LONGEST_BACKOFF) * random.uniform(0.5, 1)


def _text_of(message: t.Any) -> str:
    """Return the server's message as a text: for validation failures it is a list of issues."""
    if isinstance(message, list):
        issues = [item for item in message[:5] if isinstance(item, dict)]
        return "; ".join(
            f"{_path_of(issue.get('path'))}: {issue.get('message')}" for issue in issues
        )
    return str(message)


def _path_of(path: t.Any) -> str:
    return ".".join(map(str, path)) if isinstance(path, list) and path else "request"


def _hint(status: int, error: str) -> str:
    """Return what to do about an error, where that is known."""
    if status == 404 and error == "Not Found":
        return " The server does not know this API; check that url names an Infisical server."
    if error in LOGIN_REFUSED:
        return " The login is not, or no longer, accepted; check its credentials or its token."
    if error == "PermissionDenied":
        return " Give the role of the login's identity that permission, or use another login."
    return ""


def _causes(failure: BaseException) -> list[BaseException]:
    """Return an exception and all that it was made from, the outermost first."""
    seen: list[BaseException] = []
    queue: list[t.Any] = [failure]
    while queue:
        item = queue.pop(0)
        if isinstance(item, BaseException) and item not in seen:
            seen.append(item)
            queue += [*item.args, getattr(item, "reason", None), item.__cause__, item.__context__]
    return seen


def _never_sent(causes: t.Sequence[BaseException]) -> bool:
    """Return whether a request failed before any of it can have reached the server.

    Told by what failed first: a proxy's failure, to urllib3, may also be one after the request.
    """
    names = {type(item).__name__ for item in causes}
    return (
        not names.isdisjoint(("NewConnectionError", "NameResolutionError", "ConnectTimeoutError"))
        or any(isinstance(item, ssl.SSLCertVerificationError) for item in causes)
        or any("Tunnel connection failed" in str(item) for item in causes)
    )


def _reason(causes: t.Sequence[BaseException]) -> str:
    """Return why a connection failed, in a few words of our own or of the operating system.

    The texts of the libraries are not used: they name proxies together with their passwords.
    """
    for item in causes:
        if isinstance(item, ssl.SSLCertVerificationError):
            return printable(item.verify_message)
        if isinstance(item, ssl.SSLError):
            return f"TLS: {printable(item.reason or 'handshake failed')}"
        if isinstance(item, socket.gaierror):
            return "the host name cannot be resolved"
        if isinstance(item, requests.Timeout) or type(item).__name__.endswith("TimeoutError"):
            return "timed out"
        if isinstance(item, UnicodeError):
            return "the answer is not HTTP"
        if isinstance(item, OSError) and item.errno:
            return os.strerror(item.errno).lower()
    names = {type(item).__name__ for item in causes}
    if names & {"RemoteDisconnected", "IncompleteRead", "ProtocolError"}:
        return "the connection was closed"
    return type(causes[0]).__name__


def _without_credentials(url: str) -> str:
    """Return the URL without what stands before an @, which may be a password."""
    scheme, separator, rest = url.rpartition("://")
    return scheme + separator + rest.rpartition("@")[2]
