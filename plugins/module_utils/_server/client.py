# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP: one session with one server, answers as JSON objects, errors as exceptions.

Knows what Infisical's answers look like, and nothing of what they mean.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import re
import time
import traceback
import typing as t
from urllib.parse import quote, urlencode, urljoin, urlsplit

try:
    import requests
except ImportError:
    REQUESTS_IMPORT_ERROR: str | None = traceback.format_exc()
else:
    REQUESTS_IMPORT_ERROR = None

from .._errors import (
    UNAUTHORIZED,
    ApiError,
    InfisicalError,
    InterruptError,
    OptionError,
    RateLimitedError,
    TransportError,
    UnexpectedAnswerError,
)
from .._text import no_value, printable, quoted, trim
from . import signals
from .answers import Answer, Json, advice_on, sentence, text_of
from .json_reader import TooMuchError
from .pacing import Bucket, Pace
from .reasons import about_tls, causes_of, reason_of, refused_tunnel, without_tls
from .response_size import MANY, ONE, TooLargeError, bound, by_proxy, largest, never_sent
from .tokens import Token, Tokens

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
# How much memory an answer may take for each byte that it may have.
_MEMORY = 4
_LONGEST_BACKOFF = 30.0
_SOCKS = ("socks4", "socks4a", "socks5", "socks5h")
# How long a request may take when there is no time to wait, in seconds.
_HASTE = 10.0
_USED_UP = (
    " The token was accepted before, and is no more: it was revoked, or used as often as it may be;"
    " raise the limit on uses (access_token_num_uses_limit) of the auth method that it was issued"
    " through, or give credentials in place of a token, with which a task logs in again."
)
# With what a server that speaks TLS answers plain HTTP: an alert, or a page that says so.
_TLS_ALERT = "\x15\x03"
_WANTS_TLS = re.compile(
    rb"HTTP request (was sent )?to (an )?(HTTPS|SSL|TLS)|plain HTTP (request was sent )?to an? "
    rb"(HTTPS|SSL|TLS)",
    re.IGNORECASE,
)
# Added to failures where it may be the reason.
_BY_DEFAULT = (
    "No URL is given, so that this is the default one; set url, or the environment variable"
    " INFISICAL_URL, if your server is another."
)


# The name of a host, with a port and a path, and with any scheme or none.
_ADDRESS = re.compile(
    r"([a-z][a-z0-9+.-]{0,19}://)?([a-z0-9-]{1,63}\.)+[a-z]{2,24}(:[0-9]{1,5})?(/[a-z0-9./-]{0,60})?",
    re.ASCII | re.IGNORECASE,
)


def base_url(option: str, text: str) -> str:
    """Return the base of all request URLs: no blank, no trailing "/" or "/api".

    Raises OptionError, naming `option`, for what is not the URL of a server.
    """
    url = trim(text)
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        _prepared(url)
    except ValueError:
        # requests' own errors about URLs are ValueErrors too.
        usable = False
    if not usable or not url.isprintable() or " " in url or no_value(url):
        # What is no address may be a secret in the wrong place, or have one in it.
        shown = f" {quoted(url)}" if _ADDRESS.fullmatch(url) else ""
        raise OptionError(
            f"{option}{shown} is not the URL of a server; write one such as"
            " 'https://app.infisical.com', with http:// or https:// in front."
        )
    if parts.username is not None or parts.query or parts.fragment:
        raise OptionError(
            f"{option} has a user name, a query or a fragment in it; write only the scheme,"
            " the host and, where there is one, the path, as in 'https://app.infisical.com'."
        )
    path = parts.path.rstrip("/")
    path = path[: -len("/api")] if path.endswith("/api") else path
    return f"{parts.scheme}://{parts.netloc}{path.rstrip('/')}"


def travels_in_clear(url: str) -> bool:
    """Return whether what is sent to the URL can be read on a network on the way."""
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname not in _LOOPBACK


def _prepared(url: str) -> str:
    """Return a URL as requests writes it, without a slash at its end. Raises ValueError."""
    if REQUESTS_IMPORT_ERROR:
        # That is told in a moment.
        return url.rstrip("/")
    request = requests.PreparedRequest()
    request.prepare_url(url, None)
    return t.cast(str, request.url).rstrip("/")


class Connection(t.NamedTuple):
    """How to reach a server.

    `url` is as base_url() returns it, `verify` what requests takes under that name: whether to
    check certificates, or the path of a CA bundle. `timeout` (seconds) is for connecting, and
    again for the whole answer. `rate_limit_timeout` is in seconds. `by_default` says that nobody
    gave the URL.
    """

    url: str
    verify: bool | str = True
    timeout: float = 30
    retries: int = 3
    rate_limit_timeout: float = 300
    by_default: bool = False


class _Call(t.NamedTuple):
    """What is asked of the server: the request, without what may differ between two tries.

    `bucket` is what the server counts it under, `path` the rest of the URL, `largest` how many
    bytes the answer may have, `read` whether nothing is written. `purpose` completes the sentence
    "Could not ...".
    """

    bucket: Bucket
    path: str
    content: bytes | None
    largest: int
    read: bool
    timeout: float
    purpose: str


class Client:
    """Requests to a server. Proxies and CA bundles come from the environment, as usual.

    Authorization is never taken from ~/.netrc, redirects are never followed, and a request goes
    again only where that cannot do harm. Made for as many threads at once as `workers` says.
    """

    def __init__(
        self, connection: Connection, secrets: t.Collection[str] = (), workers: int = 1
    ) -> None:
        """`secrets`, which may grow, are left out of what messages say of the server's answers.

        Raises OptionError for what the environment says of proxies and CA bundles.
        """
        self._connection = connection
        self._secrets = secrets
        self._base = _prepared(connection.url)
        proxy = _proxy_for(self._base)
        self._proxies = {urlsplit(self._base).scheme: proxy} if proxy else {}
        self._verify = _verify(connection.verify)
        # Not a session: it would read the body of a redirect, whatever its size, and unpack it.
        self._adapter = _adapter(workers)
        self._headers = {
            "User-Agent": "community.infisical (Ansible collection)",
            "Accept": "application/json",
            # So that a small answer cannot unpack into a huge one.
            "Accept-Encoding": "identity",
        }
        self._tokens = Tokens()
        self._answered = False
        self._pace = Pace(connection.rate_limit_timeout)

    @property
    def url(self) -> str:
        """The base URL of the server."""
        return self._connection.url

    @property
    def retries(self) -> int:
        """How often a request that did not get through is made again."""
        return self._connection.retries

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
        self._adapter.close()

    def request(
        self,
        verb: str,
        route: str,
        *ids: str,
        purpose: str,
        body: Json | None = None,
        query: t.Mapping[str, str] | None = None,
        many: bool = False,
        repeatable: bool = True,
        authorize: bool = True,
        patient: bool = True,
    ) -> Json:
        """Make a request and return the JSON object of the answer.

        `route` is the path with a `{}` for each of `ids`, which cannot add to the path.
        `purpose` completes the sentence "Could not ...". `many` says that a list is read, which may
        be large. `repeatable` says that the server may be asked twice when it is unclear whether it
        did what the first asked for; what it cannot have done is tried again in any case. Without
        `patient` nothing is tried again, nothing waited for longer than a few seconds, and nothing
        ended by a signal.

        Raises ApiError, TransportError, UnexpectedAnswerError, RateLimitedError, or InterruptError
        after stop() or a signal.
        """
        path = route.format(*(quote(item, safe="") for item in ids))
        call = _Call(
            bucket=(verb, route),
            path=f"{path}?{urlencode(query)}" if query else path,
            content=None if body is None else json.dumps(body).encode(),
            largest=MANY if many else ONE,
            read=many or verb == "GET",
            timeout=self._connection.timeout if patient else min(self._connection.timeout, _HASTE),
            purpose=purpose,
        )
        if not patient:
            return self._request(call, repeatable, authorize, patient)
        return signals.interruptible(
            lambda: self._request(call, repeatable, authorize, patient),
            self.stop,
            # What is read is of no use any more.
            0 if call.read else signals.LAST_ORDERS,
        )

    def _request(self, call: _Call, repeatable: bool, authorize: bool, patient: bool) -> Json:
        started = time.monotonic()
        failures = 0
        unsure = False
        try:
            while True:
                error: InfisicalError | None
                token: Token | None = None
                try:
                    if patient:
                        answer, token = self._paced(call, authorize)
                    else:
                        answer = self._send(call, None)
                except InterruptError:
                    raise
                except InfisicalError as failure:
                    error = failure
                else:
                    error = self._error_of(answer, call, token)
                    if error is None:
                        self._answered = True
                        return t.cast(Json, answer.json)
                    if answer.limited and patient:
                        # A gateway may say so of work that was done.
                        unsure = unsure or (error.unsure and not answer.over_rate)
                        times = self._pace.refused(call.bucket, answer.headers)
                        if times is None:
                            continue
                        error = self._rate_limited(answer, error, times, call.purpose)
                    elif token and answer.login_refused and self._tokens.renew(token):
                        # Refused before anything was done, so that even a POST may go again.
                        continue
                again = patient and error.transient and (repeatable or not error.unsure)
                if not again or failures >= self.retries:
                    if failures:
                        spent = f"{time.monotonic() - started:.0f} seconds"
                        tried = f" (tried {failures + 1} times in {spent})."
                        error.args = (str(error).rstrip(".") + tried,)
                    if self._connection.by_default and not self._answered:
                        error.args = (f"{error} {_BY_DEFAULT}",)
                    error.tries = failures + 1
                    error.earlier_unsure = unsure
                    raise error
                failures += 1
                unsure = unsure or error.unsure
                self._pace.pause(_backoff(failures))
        except InterruptError as stop:
            stop.maybe_sent = stop.maybe_sent or unsure
            raise

    def _paced(self, call: _Call, authorize: bool) -> tuple[Answer, Token | None]:
        """Make a request when its turn has come, and return the token that it went with, too."""
        sent = self._pace.begin(call.bucket)
        token: Token | None = None
        answer: Answer | None = None
        try:
            token = self._tokens.take() if authorize else None
            answer = self._send(call, token)
        finally:
            passed = answer is not None and not answer.limited
            if token:
                accepted = answer is not None and passed and not answer.login_refused
                self._tokens.give_back(token, accepted=accepted)
            self._pace.end(call.bucket, sent, answer.headers if answer else None, passed=passed)
        return answer, token

    def _send(self, call: _Call, token: Token | None) -> Answer:
        request = requests.PreparedRequest()
        request.method = call.bucket[0]
        request.url = self._base + call.path
        request.body = call.content
        headers = dict(self._headers)
        if token:
            headers["Authorization"] = f"Bearer {token.text}"
        if call.content is not None:
            # Infisical answers a DELETE that names a type of nothing with a 500.
            headers["Content-Type"] = "application/json"
            headers["Content-Length"] = str(len(call.content))
        request.headers = headers  # type: ignore[assignment] # as good, and made in no time
        largest.set(call.largest)
        try:
            response = self._adapter.send(
                request,
                stream=True,
                timeout=call.timeout,
                verify=self._verify,
                proxies=self._proxies,
            )
        except (requests.RequestException, OSError, ValueError) as failure:
            # ValueErrors are urllib3's, on headers that contradict each other for instance.
            raise self._transport_error(failure, call.purpose) from None
        # The adapter below makes it urllib3's.
        return self._read(t.cast(t.Any, response), call)

    def _read(self, response: t.Any, call: _Call) -> Answer:
        content = b""
        try:
            # The body of a redirect is for browsers.
            if not 300 <= response.status < 400:
                _refuse_length(response.headers.get("Content-Length", ""), call.largest)
                content = response.read(decode_content=False)
            return Answer(response.status, response.headers, content, call.largest * _MEMORY)
        except (TooLargeError, TooMuchError):
            raise self._too_large(call, response.status) from None
        except Exception as failure:
            # urllib3's own exceptions, and those of the socket and the TLS layer below it.
            causes = causes_of(failure)
            if any(isinstance(cause, TooLargeError) for cause in causes):
                raise self._too_large(call, response.status) from None
            raise TransportError(
                f"Could not {call.purpose}: the answer of {self.url} broke off"
                f" ({reason_of(causes)}).",
                unsent=False,
                transient=True,
            ) from None
        finally:
            response.close()

    def _too_large(self, call: _Call, status: int) -> UnexpectedAnswerError:
        return UnexpectedAnswerError(
            f"Could not {call.purpose}: the answer of {self.url} is larger than"
            f" {call.largest >> 20} MiB, or takes more than {call.largest * _MEMORY >> 20} MiB of"
            " memory, which no such answer of Infisical does; check that url names an Infisical"
            " server.",
            http_status=status,
            read=call.read,
        )

    def _transport_error(self, failure: Exception, purpose: str) -> TransportError:
        causes = causes_of(failure)
        unsent = never_sent(causes)
        reason = reason_of(causes)
        tls = next((item for item in causes if about_tls(item)), None)
        transient = not (unsent and tls) and not refused_tunnel(causes)
        socks = unsent and "".join(self._proxies.values()).startswith("socks")
        if isinstance(failure, requests.exceptions.ProxyError) or socks or by_proxy(causes):
            what = f"the proxy for {self.url} cannot be used ({reason})"
        elif unsent and tls and without_tls(tls):
            what = (
                f"url says https, and {urlsplit(self.url).netloc} does not speak TLS, but most"
                f" likely plain HTTP ({reason}); write the port that speaks TLS, or http:// for a"
                " server on the same host"
            )
        elif unsent and tls:
            what = (
                f"there is no trusted TLS connection with {self.url} ({reason}); set ca_path to"
                " the CA bundle that signed its certificate, or check that url is right"
            )
        elif unsent:
            what = f"nothing answers at {self.url} ({reason}), where an Infisical server should be"
        elif any(getattr(item, "line", "").startswith(_TLS_ALERT) for item in causes):
            transient = False
            what = self._https_needed()
        else:
            what = f"{self.url} did not answer ({reason}), where an Infisical server should be"
        return TransportError(f"Could not {purpose}: {what}.", unsent=unsent, transient=transient)

    def _https_needed(self) -> str:
        place = urlsplit(self.url).netloc
        return f"url says http, and {place} speaks TLS; write https:// in front of it"

    def _error_of(self, answer: Answer, call: _Call, token: Token | None) -> InfisicalError | None:
        status = answer.status
        could_not = f"Could not {call.purpose}:"
        if 300 <= status < 400:
            return self._redirected(answer, call)
        if 200 <= status < 300 and answer.json is not None:
            return None
        if status >= 400 and answer.json is not None:
            message = answer.json.get("message")
            error = answer.json.get("error")
            request_id = answer.json.get("reqId")
            if isinstance(error, str) and message is not None:
                name, says = self._safe(error, 120), self._safe(text_of(message), 300)
                told = sentence(f"{name}: {says}" if says else name)
                used_up = token and token.used and not self._tokens.renewable
                used_up = used_up and error == UNAUTHORIZED
                advice = _USED_UP if used_up else advice_on(status, error, says)
                return ApiError(
                    f"{could_not} Infisical answered {status} {told}{advice}",
                    http_status=status,
                    error=name,
                    request_id=self._safe(request_id, 60) if isinstance(request_id, str) else None,
                    read=call.read,
                )
        if status == 400 and self.url.startswith("http:") and _WANTS_TLS.search(answer.start):
            what = f"{self._https_needed()}."
        elif answer.encoding:
            what = (
                f"{self.url} answered {status} with a body that is packed with"
                f" {quoted(self._safe(answer.encoding, 20))}, which was not asked for and is not"
                " unpacked; check that url names an Infisical server, and what stands in front of"
                " it."
            )
        else:
            kind = "an empty body"
            if answer.start:
                kind = self._safe(answer.headers.get("Content-Type", "no content type"), 60)
                start = self._safe(answer.start.decode("utf-8", "replace"), 60)
                kind += f" ({quoted(start)})"
            what = (
                f"{self.url} answered {status} with {kind}, where Infisical answers with a JSON"
                " object; check that url names an Infisical server."
            )
        return UnexpectedAnswerError(f"{could_not} {what}", http_status=status, read=call.read)

    def _safe(self, text: str, limit: int = 200) -> str:
        """Return what the server said, bounded, on one line, and without secrets.

        Ansible masks secrets too, but only whole ones, which a bound may cut.
        """
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, "********")
        return printable(text, limit)

    def _redirected(self, answer: Answer, call: _Call) -> UnexpectedAnswerError:
        try:
            location = urlsplit(urljoin(self.url + "/", answer.headers.get("Location", "")))
            # Neither a password nor a query, which may hold a token, is shown.
            place = f"{location.scheme}://{location.netloc.rpartition('@')[2]}"
        except ValueError:
            location, place = urlsplit(""), "an address that is none"
        there = place + location.path
        path = call.path.partition("?")[0]
        base = there[: -len(path)] if location.path.rstrip("/").endswith(path) else ""
        if base == self.url or not place.startswith("http"):
            advice = "check what stands in front of the server"
        elif base:
            advice = f"set url to '{self._safe(base)}' if that is your server"
        else:
            advice = (
                "something in front of the server wants a browser to sign in there, it seems; let"
                " requests to /api/ pass it, or set url to an address that does"
            )
        return UnexpectedAnswerError(
            f"Could not {call.purpose}: {self.url} answered {answer.status}, a redirect to"
            f" '{self._safe(there)}', and redirects are not followed, because they would carry the"
            f" token along; {advice}.",
            http_status=answer.status,
        )

    def _rate_limited(
        self, answer: Answer, refusal: InfisicalError, times: tuple[float, float], purpose: str
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


def _verify(asked: bool | str) -> bool | str:
    """Return what requests takes for `verify`. Raises OptionError."""
    bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    if asked is not True or not bundle:
        return asked
    if not os.path.exists(bundle):  # noqa: PTH110 start-up time
        raise OptionError(
            f"The CA bundle {quoted(bundle)}, which REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names,"
            " does not exist on the host that runs the module; name one that does, or set"
            " ca_path."
        )
    return bundle


def _proxy_for(url: str) -> str | None:
    """Return the proxy that the environment names for a URL. Raises OptionError."""
    proxy = requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url))
    if not proxy:
        return None
    scheme = urlsplit(url).scheme
    names = [
        name
        for name, value in os.environ.items()
        if value == proxy and name.lower() in (f"{scheme}_proxy", "all_proxy")
    ]
    source = names[0] if names else "The proxy of the environment"
    instead = f"or add {urlsplit(url).hostname} to NO_PROXY"
    try:
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        usable = parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.scheme not in ("http", "https", *_SOCKS):
        # It is not shown: there may be a password in it.
        raise OptionError(
            f"{source} is not the URL of a proxy; write one such as"
            f" 'http://proxy.example.com:3128', {instead}."
        )
    if parts.scheme in _SOCKS and not _can("socks"):
        raise OptionError(
            f"{source} names a SOCKS proxy, which takes the Python library PySocks; install it"
            f" on the host that runs the module, {instead}."
        )
    return proxy


def _can(library: str) -> bool:
    """Return whether a library is to be had."""
    try:
        importlib.import_module(library)
    except ImportError:
        return False
    return True


def _adapter(connections: int) -> requests.adapters.HTTPAdapter:
    """Return an adapter that keeps as many connections, and bounds answers, through proxies too.

    What it returns are urllib3's responses: requests' would cost more than all else together.
    """

    class BoundedAdapter(requests.adapters.HTTPAdapter):
        def init_poolmanager(self, *arguments: t.Any, **options: t.Any) -> None:
            super().init_poolmanager(*arguments, **options)
            bound(self.poolmanager)

        def proxy_manager_for(self, *arguments: t.Any, **options: t.Any) -> t.Any:
            manager = super().proxy_manager_for(*arguments, **options)
            bound(manager)
            return manager

        def build_response(self, _request: t.Any, response: t.Any) -> t.Any:
            return response

    return BoundedAdapter(pool_maxsize=connections)


def _refuse_length(text: str, most: int) -> None:
    """Raise TooLargeError for the length of an answer that is too large, before it is read."""
    if text.isascii() and text.isdecimal() and (len(text) > 15 or int(text) > most):
        raise TooLargeError


def _backoff(failures: int) -> float:
    """Return how long to wait after the nth failure, in seconds: exponential, with jitter.

    The first three, which is the default, are more than two seconds together: as long as a database
    takes to change over, or a server to start again.
    """
    return min(2.0 ** (failures - 2), _LONGEST_BACKOFF) * random.uniform(0.7, 1)
