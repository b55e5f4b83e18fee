# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Exceptions for everything that can go wrong. Their text is the sentence that users read."""

from __future__ import annotations

import typing as t

UNAUTHORIZED = "UnauthorizedError"
LOGIN_REFUSED = (UNAUTHORIZED, "TokenError")
# Database calls of lookups that the server makes before it changes anything. If one of them fails,
# the database is down. The lookup of the token comes first.
_TOKEN_LOOKUP = "IdAccessTokenFindOne"
_LOOKUPS = (_TOKEN_LOOKUP, "FindOne", "Find one")
# Statements that the database may refuse, for example because of a duplicate row. It then rolls
# back the whole transaction.
_UNDONE = ("Create", "Update", "Update by id", "Delete", "Delete by id")
# A server without the route to the token's own organization takes the route for an identity ID.
_LACKING = "FindByOrgId"
# How many failures a message lists.
TOLD = 20


def _may_pass(status: int, error: str | None, *, read: bool) -> bool:
    """Return whether a request that got this response may succeed a little later.

    The status of a gateway says so; 520 to 530 are Cloudflare's. After an internal error of the
    server only reads are worth another try: most writes fail again, for example if a text is too
    long for the database.
    """
    if status in (502, 503, 504) or 520 <= status <= 530:
        return True
    if status < 500 or status in (501, 505):
        return False
    return error in _LOOKUPS or (read and error != _LACKING)


def summarize(failures: t.Sequence[object]) -> str:
    """Return the sentences of many failures as one text: the first few, and how many more."""
    text = " ".join(map(str, failures[:TOLD]))
    more = len(failures) - TOLD
    return f"{text} And {more} more." if more > 0 else text


class InfisicalError(Exception):
    """A failure to report.

    The text is one sentence that a person can act on. It never holds a secret.
    `http_status`, `error` and `request_id` come from the server's response, if there was one.
    `tries` is how often the request was sent. `earlier_unsure` says that one of the earlier tries
    had no clear outcome.
    """

    http_status: int | None = None
    error: str | None = None
    request_id: str | None = None
    tries = 1
    earlier_unsure = False

    def take_answer_of(self, cause: InfisicalError) -> None:
        """Take over the server's response from the failure that this one replaces."""
        self.http_status = cause.http_status
        self.error = cause.error
        self.request_id = cause.request_id

    @property
    def unsure(self) -> bool:
        """Whether the server may have made the change in spite of the failure."""
        return self.earlier_unsure

    @property
    def race(self) -> bool:
        """Whether the state may differ from what was read before the request."""
        return self.unsure

    @property
    def transient(self) -> bool:
        """Whether the same request may succeed a little later."""
        return False


class OptionError(InfisicalError):
    """An option, or the state that the options ask for, is not valid.

    `answer` is the server's response that showed this, if there was one.
    """

    def __init__(self, message: str, answer: InfisicalError | None = None) -> None:
        super().__init__(message)
        if answer:
            self.http_status = answer.http_status
            self.error = answer.error
            self.request_id = answer.request_id


class Problem(t.NamedTuple):
    """A sentence about what is wrong. `place` is the index of the entry, if it is about one."""

    sentence: str
    place: int | None = None

    def __str__(self) -> str:
        return self.sentence


class ManyProblemsError(OptionError):
    """Options that list many identities are not valid. The text lists the first problems."""

    def __init__(self, problems: t.Sequence[Problem]) -> None:
        text = summarize(problems)
        if len(problems) > 1:
            text = f"{len(problems)} errors, and nothing was done: {text}"
        super().__init__(text)
        self.problems = problems


class PlatformError(InfisicalError):
    """The platform that the task runs on did not issue a token to log in with."""


class MismatchError(InfisicalError):
    """The server answered a write with another state than the requested one."""


class InterruptError(InfisicalError):
    """The task was asked to stop. `maybe_sent` says that a write may have been in progress."""

    maybe_sent = False


class TransportError(InfisicalError):
    """No complete response came. `unsent` says that the request cannot have reached the server."""

    def __init__(self, message: str, *, unsent: bool, transient: bool) -> None:
        super().__init__(message)
        self.unsent = unsent
        self._transient = transient

    @property
    def unsure(self) -> bool:
        return self.earlier_unsure or not self.unsent

    @property
    def transient(self) -> bool:
        return self._transient


class UnexpectedAnswerError(InfisicalError):
    """The response is not from Infisical, or not in the form that Infisical uses.

    `read` says that the request did not write anything.
    """

    def __init__(self, message: str, *, http_status: int, read: bool = False) -> None:
        super().__init__(message)
        self.http_status: int = http_status
        self._read = read

    @property
    def unsure(self) -> bool:
        return self.earlier_unsure or not 300 <= self.http_status < 500

    @property
    def transient(self) -> bool:
        return _may_pass(self.http_status, self.error, read=self._read)


class ApiError(InfisicalError):
    """Infisical answered with an error.

    Look at `error` ("NotFound", "PermissionDenied", ...) before `http_status`: on servers of 2024 a
    401 may be a validation failure. `read` says that the request did not write anything.
    """

    def __init__(
        self,
        message: str,
        *,
        http_status: int,
        error: str,
        request_id: str | None = None,
        read: bool = False,
    ) -> None:
        super().__init__(message)
        self.http_status: int = http_status
        self.error: str = error
        self.request_id = request_id
        self._read = read

    @property
    def unsure(self) -> bool:
        not_done = self.http_status == 500 and self.error in (_TOKEN_LOOKUP, *_UNDONE)
        return self.earlier_unsure or (self.http_status >= 500 and not not_done)

    @property
    def transient(self) -> bool:
        return _may_pass(self.http_status, self.error, read=self._read)

    @property
    def race(self) -> bool:
        # The loser of a race against another attach, revocation or deletion gets one of these.
        return self.unsure or self.http_status in (400, 404) or self.http_status >= 500

    @property
    def login_refused(self) -> bool:
        """Whether the server does not accept the token, or no longer does."""
        return self.error in LOGIN_REFUSED

    @property
    def unknown_route(self) -> bool:
        """Whether the server lacks the route. For a missing object, it says "NotFound" instead."""
        return self.http_status == 404 and self.error == "Not Found"


class ChangedMeanwhileError(InfisicalError):
    """The state has changed since the plan was made. Nothing was written; a new plan follows."""

    @property
    def race(self) -> bool:
        return True


class NotWrittenError(InfisicalError):
    """A write was not made, because something that it depends on could not be read."""

    def __init__(self, message: str, cause: InfisicalError) -> None:
        super().__init__(message)
        self.take_answer_of(cause)


class UnknownOutcomeError(InfisicalError):
    """A write was made, or may have been made, and its result is unknown or partly unknown.

    The same run never repeats it.
    """

    def __init__(self, message: str, cause: InfisicalError | None = None) -> None:
        super().__init__(message)
        if cause:
            self.take_answer_of(cause)

    @property
    def unsure(self) -> bool:
        return True

    @property
    def race(self) -> bool:
        return False


class UnknownStateError(InfisicalError):
    """This login's permissions are not enough to find out what is attached to an identity."""

    def __init__(self, message: str, refusal: InfisicalError) -> None:
        super().__init__(message)
        self.take_answer_of(refusal)


class RateLimitedError(InfisicalError):
    """The server refused because of its rate limit for longer than `rate_limit_timeout`."""

    def __init__(self, message: str, refusal: InfisicalError) -> None:
        super().__init__(message)
        self.take_answer_of(refusal)
