# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can go wrong, as exceptions: their text is the sentence that the user reads."""

from __future__ import annotations

import typing as t

UNAUTHORIZED = "UnauthorizedError"
LOGIN_REFUSED = (UNAUTHORIZED, "TokenError")
# Calls of the database by which the server looks up what it needs before it does anything: where
# they fail, the database is away. The first of them is the lookup of the token, which comes first.
_TOKEN_LOOKUP = "IdAccessTokenFindOne"
_LOOKUPS = (_TOKEN_LOOKUP, "FindOne", "Find one")
# Statements that the database refuses, for a row that is there already for instance, and undoes
# together with all that belongs to them.
_UNDONE = ("Create", "Update", "Update by id", "Delete", "Delete by id")
# A server that lacks the route to the token's own organization takes it for an identity's id.
_LACKING = "FindByOrgId"
# How many of many failures a message tells.
TOLD = 20


def _may_pass(status: int, error: str | None, *, read: bool) -> bool:
    """Return whether a request that got this answer may pass a little later.

    A gateway says so by its status; 520 to 530 are Cloudflare's. An error in the server itself is
    worth another try where nothing is written: to a write it is most often the last word, as for a
    text that is too long for the database.
    """
    if status in (502, 503, 504) or 520 <= status <= 530:
        return True
    if status < 500 or status in (501, 505):
        return False
    return error in _LOOKUPS or (read and error != _LACKING)


def summarize(failures: t.Sequence[object]) -> str:
    """Return the sentences of many failures as one text: the first of them, and a count."""
    text = " ".join(map(str, failures[:TOLD]))
    more = len(failures) - TOLD
    return f"{text} And {more} more." if more > 0 else text


class InfisicalError(Exception):
    """A failure to report.

    The text is one sentence that a person can act on. It never holds a secret.
    `http_status`, `error` and `request_id` are what the server answered, where it did.
    `tries` is how often the request was made, and `earlier_unsure` is set where one before the
    last had no clear outcome.
    """

    http_status: int | None = None
    error: str | None = None
    request_id: str | None = None
    tries = 1
    earlier_unsure = False

    def take_answer_of(self, cause: InfisicalError) -> None:
        """Take over what the server answered, from the failure that this one is told for."""
        self.http_status = cause.http_status
        self.error = cause.error
        self.request_id = cause.request_id

    @property
    def unsure(self) -> bool:
        """Whether the server may have done the work in spite of the failure."""
        return self.earlier_unsure

    @property
    def race(self) -> bool:
        """Whether the state may not be, or no longer be, what was read before the request."""
        return self.unsure

    @property
    def transient(self) -> bool:
        """Whether the same request may pass a little later."""
        return False


class OptionError(InfisicalError):
    """An option, or the state that the options ask for, is not valid.

    `answer` is the server's from which that was learnt, where it was one.
    """

    def __init__(self, message: str, answer: InfisicalError | None = None) -> None:
        super().__init__(message)
        if answer:
            self.http_status = answer.http_status
            self.error = answer.error
            self.request_id = answer.request_id


class Problem(t.NamedTuple):
    """What is wrong with one of many: a sentence. `place` is that of the entry, where it is one."""

    sentence: str
    place: int | None = None

    def __str__(self) -> str:
        return self.sentence


class ManyProblemsError(OptionError):
    """Options that list many identities are not valid. Its text tells the first problems."""

    def __init__(self, problems: t.Sequence[Problem]) -> None:
        text = summarize(problems)
        if len(problems) > 1:
            text = f"{len(problems)} errors, and nothing was done: {text}"
        super().__init__(text)
        self.problems = problems


class PlatformError(InfisicalError):
    """The platform that the task runs on did not give a token to log in with."""


class MismatchError(InfisicalError):
    """The server answered a write with another state than the one it was asked for."""


class InterruptError(InfisicalError):
    """The task was asked to stop. `maybe_sent`: a write may have been under way."""

    maybe_sent = False


class TransportError(InfisicalError):
    """No whole answer came. `unsent`: the request cannot have reached the server."""

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
    """Something answered that is not Infisical, or not as Infisical does.

    `read` says that it was asked for something, and not to write.
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

    It is judged by `error` ("NotFound", "PermissionDenied", ...) before `http_status`: on servers
    of 2024 a 401 may be a validation failure. `read` says that it was not asked to write.
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
        # Losing a race against another attach, detach or deletion is any of these.
        return self.unsure or self.http_status in (400, 404) or self.http_status >= 500

    @property
    def login_refused(self) -> bool:
        """Whether the token is not, or no longer, one that the server accepts."""
        return self.error in LOGIN_REFUSED

    @property
    def unknown_route(self) -> bool:
        """Whether the server does not have the route; a missing thing says "NotFound" instead."""
        return self.http_status == 404 and self.error == "Not Found"


class ChangedMeanwhileError(InfisicalError):
    """What was planned for is not so any more: nothing was written, and it is planned anew."""

    @property
    def race(self) -> bool:
        return True


class NotWrittenError(InfisicalError):
    """A write was not made, because what has to be known before could not be read."""

    def __init__(self, message: str, cause: InfisicalError) -> None:
        super().__init__(message)
        self.take_answer_of(cause)


class UnknownOutcomeError(InfisicalError):
    """A write was made, or may have been made, and what came of it is not, or only half, known.

    It is never made again in the same run.
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
    """What is attached to an identity cannot be known with this login's permissions."""

    def __init__(self, message: str, refusal: InfisicalError) -> None:
        super().__init__(message)
        self.take_answer_of(refusal)


class RateLimitedError(InfisicalError):
    """The server kept refusing for its rate limit longer than `rate_limit_timeout`."""

    def __init__(self, message: str, refusal: InfisicalError) -> None:
        super().__init__(message)
        self.take_answer_of(refusal)
