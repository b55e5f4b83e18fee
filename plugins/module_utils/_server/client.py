# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP with one server: requests as values, responses as JSON objects, errors as exceptions.

The client decides when to send a request, with which token, and whether to repeat it. It knows the
form of Infisical's responses, but not their meaning.
"""

from __future__ import annotations

import random
import time
import typing as t

from .._errors import InfisicalError, InterruptError
from . import signals
from .answers import Answer, AnswerErrors
from .connection import Connection, transport_to
from .json_reader import TooMuchError
from .pacing import Pace
from .reasons import broken_off, causes_of, not_answered
from .request import Json, Request
from .response_limits import TooLargeError
from .tokens import Token, Tokens
from .transport import FAILURES, body_of, normalized

# The maximum size of a response about one object, and of a list, in bytes.
_OBJECT_BYTES = 1024 * 1024
_LIST_BYTES = 32 * _OBJECT_BYTES
# The maximum timeout of a request that is not patient, in seconds.
_SHORT_TIMEOUT = 10.0
_LONGEST_BACKOFF = 30.0
# A hint for failures that may come from the default URL.
_BY_DEFAULT = (
    "No URL is set, so the task used the default one; set url, or the environment variable"
    " INFISICAL_URL, if your server is another one."
)


class Client:
    """Sends requests to a server. Proxies and CA bundles come from the environment, as usual.

    It never uses ~/.netrc, never follows redirects, and repeats a request only if that is safe. Up
    to `workers` threads can use it at the same time.
    """

    def __init__(
        self, connection: Connection, secrets: t.Collection[str] = (), workers: int = 1
    ) -> None:
        """Messages mask `secrets`, which may grow, in the server's responses.

        Raises OptionError for an invalid proxy or CA bundle in the environment.
        """
        self._connection = connection
        self._base = normalized(connection.url)
        self._transport = transport_to(self._base, connection.verify, workers)
        self._errors = AnswerErrors(connection.url, secrets, connection.headers.values())
        self._headers = {
            **connection.headers,
            "User-Agent": "community.infisical (Ansible collection)",
            "Accept": "application/json",
            # A small compressed response could be huge after decompression.
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
        """How often to repeat a request that failed temporarily."""
        return self._connection.retries

    def use_token(self, token: str, log_in_again: t.Callable[[], None] | None = None) -> None:
        """Send the token with every request from now on.

        If the server no longer accepts the token, the client calls `log_in_again()`, which must
        call this method with a new token, and must not make requests with a token.
        """
        self._tokens.use(token, log_in_again)

    def stop(self) -> None:
        """Refuse all further requests, except those that are not patient."""
        self._pace.stop()
        self._tokens.stop()

    def pause(self, seconds: float) -> None:
        """Sleep. Raises InterruptError after stop() or a signal."""
        self._pace.pause(seconds)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def request(self, request: Request) -> Json:
        """Make a request and return the JSON object of the response.

        Raises ApiError, TransportError, UnexpectedAnswerError, RateLimitedError, or InterruptError
        after stop() or a signal.
        """
        if not request.patient:
            return self._request(request)
        return signals.interruptible(
            lambda: self._request(request),
            self.stop,
            # After a signal, nothing needs what the request would read.
            0 if request.reads else signals.GRACE_SECONDS,
        )

    def _request(self, request: Request) -> Json:
        """Make a request, and repeat it until it succeeds or no retry is left."""
        tries = _Tries(request, self.retries)
        try:
            while True:
                outcome = self._try(request, tries)
                if isinstance(outcome, InfisicalError):
                    if not tries.again(outcome):
                        raise self._final(outcome, tries)
                    self._pace.pause(_backoff(tries.failures))
                elif outcome is not None:
                    self._answered = True
                    return outcome
        except InterruptError as stop:
            stop.maybe_sent = stop.maybe_sent or tries.unsure
            raise

    def _try(self, request: Request, tries: _Tries) -> Json | InfisicalError | None:
        """Make a request once. Return the response, the failure, or None to make it again.

        Raises errors that end the request despite its retries: a signal, or a failed login.
        """
        try:
            answer, token = self._paced(request) if request.patient else self._unpaced(request)
        except InterruptError:
            raise
        except InfisicalError as failure:
            return failure
        last_token = token is not None and token.used > 0 and not self._tokens.renewable
        error = self._errors.error_of(answer, request, last_token=last_token)
        if error is None:
            return answer.json
        # A gateway may ask for another try although the server has done the work.
        maybe_done = error.unsure and not answer.over_rate
        if answer.limited and request.patient and (request.repeatable or not maybe_done):
            tries.unsure = tries.unsure or maybe_done
            times = self._pace.refused(request.bucket, answer.headers)
            if times is None:
                return None
            limit = self._connection.rate_limit_timeout
            return self._errors.rate_limited(answer, error, request, times, limit)
        if token and answer.login_refused and self._tokens.renew(token):
            # The server refused the token before it did anything, so even a POST may be repeated.
            return None
        return error

    def _final(self, error: InfisicalError, tries: _Tries) -> InfisicalError:
        """Return the error that ends a request, with its number of tries and a hint on the URL."""
        if tries.failures:
            count, spent = tries.failures + 1, time.monotonic() - tries.started
            text = str(error).rstrip(".")
            error.args = (f"{text} (tried {count} times in {spent:.0f} seconds).",)
        if self._connection.by_default and not self._answered:
            error.args = (f"{error} {_BY_DEFAULT}",)
        error.tries = tries.failures + 1
        error.earlier_unsure = tries.unsure
        return error

    def _paced(self, request: Request) -> tuple[Answer, Token | None]:
        """Make a request when the rate limit allows it. Return the response and the token used."""
        sent = self._pace.begin(request.bucket)
        token: Token | None = None
        answer: Answer | None = None
        try:
            if request.on_turn:
                request.on_turn()
            token = self._tokens.take() if request.authorize else None
            answer = self._send(request, token)
        finally:
            passed = answer is not None and not answer.limited
            if token:
                accepted = answer is not None and passed and not answer.login_refused
                self._tokens.give_back(token, accepted=accepted)
            headers = answer.headers if answer else None
            self._pace.end(request.bucket, sent, headers, passed=passed)
        return answer, token

    def _unpaced(self, request: Request) -> tuple[Answer, None]:
        return self._send(request, None), None

    def _send(self, request: Request, token: Token | None) -> Answer:
        """Send a request, and read the response."""
        content = request.content
        headers = dict(self._headers)
        if token:
            headers["Authorization"] = f"Bearer {token.text}"
        if content is not None:
            # Infisical answers 500 to a DELETE that has a content type but no body.
            headers["Content-Type"] = "application/json"
            headers["Content-Length"] = str(len(content))
        timeout = self._connection.timeout
        largest = _LIST_BYTES if request.many else _OBJECT_BYTES
        try:
            response = self._transport.open(
                request.verb,
                self._base + request.target,
                headers,
                content,
                timeout=timeout if request.patient else min(timeout, _SHORT_TIMEOUT),
                largest=largest,
            )
        except FAILURES as failure:
            socks = self._transport.socks
            raise not_answered(failure, self.url, request.purpose, socks=socks) from None
        try:
            return Answer(response.status, response.headers, body_of(response, largest), largest)
        except Exception as failure:
            causes = causes_of(failure)
            if any(isinstance(cause, (TooLargeError, TooMuchError)) for cause in causes):
                raise self._errors.too_large(response.status, largest, request) from None
            raise broken_off(causes, self.url, request.purpose) from None
        finally:
            response.close()


class _Tries:
    """The tries of a request. `started` is when the first one began.

    `failures` counts those that used up a retry. `unsure` says that a try had no clear outcome.
    """

    def __init__(self, request: Request, retries: int) -> None:
        self._request = request
        self._retries = retries
        self.started = time.monotonic()
        self.failures = 0
        self.unsure = False

    def again(self, error: InfisicalError) -> bool:
        """Return whether to try again after a failure. If so, count the failure."""
        harmless = self._request.repeatable or not error.unsure
        if not (self._request.patient and error.transient and harmless):
            return False
        if self.failures >= self._retries:
            return False
        self.failures += 1
        self.unsure = self.unsure or error.unsure
        return True


def _backoff(failures: int) -> float:
    """Return how long to wait after the nth failure, in seconds: exponential, with jitter.

    With the default of three retries, the waits add up to more than two seconds. That is enough for
    a database failover or a restart of the server.
    """
    return min(2.0 ** (failures - 2), _LONGEST_BACKOFF) * random.uniform(0.7, 1)
