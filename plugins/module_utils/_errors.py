# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can go wrong, as exceptions: their text is the sentence that the user reads."""

from __future__ import annotations

import typing as t

_GATEWAY_ERRORS = (502, 503, 504)
# How many of many failures a message tells.
TOLD = 20


def told(failures: t.Sequence[object]) -> str:
    """Return the sentences of many failures as one text: the first of them, and a count."""
    text = " ".join(map(str, failures[:TOLD]))
    more = len(failures) - TOLD
    return f"{text} And {more} more." if more > 0 else text


class InfisicalError(Exception):
    """A failure to report.

    The text is one sentence that a person can act on. It never holds a secret.
    `http_status`, `error` and `request_id` are what the server answered, where it did.
    `earlier_unsure` is set where the request had been tried before, without a clear outcome.
    """

    http_status: int | None = None
    error: str | None = None
    request_id: str | None = None
    earlier_unsure = False

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
        return self.http_status in _GATEWAY_ERRORS


class OptionError(InfisicalError):
    """An option, or the state that the options ask for, is not valid."""


class Problem(t.NamedTuple):
    """What is wrong with one of many: a sentence. `place` is that of the entry, where it is one."""

    sentence: str
    place: int | None = None

    def __str__(self) -> str:
        return self.sentence


class ManyProblemsError(OptionError):
    """Options that list many identities are not valid. Its text tells the first problems."""

    def __init__(self, problems: t.Sequence[Problem]) -> None:
        text = told(problems)
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

    def __init__(self, message: str, *, maybe_sent: bool = False) -> None:
        super().__init__(message)
        self.maybe_sent = maybe_sent


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
    """Something answered that is not Infisical, or not as Infisical does."""

    def __init__(self, message: str, *, http_status: int) -> None:
        super().__init__(message)
        self.http_status: int = http_status

    @property
    def unsure(self) -> bool:
        return self.earlier_unsure or not 300 <= self.http_status < 500


class ApiError(InfisicalError):
    """Infisical answered with an error.

    It is judged by `error` ("NotFound", "PermissionDenied", ...) before `http_status`: on servers
    of 2024 a 401 may be a validation failure.
    """

    def __init__(
        self,
        message: str,
        *,
        http_status: int,
        error: str,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.http_status: int = http_status
        self.error: str = error
        self.request_id = request_id

    @property
    def unsure(self) -> bool:
        return self.earlier_unsure or self.http_status >= 500

    @property
    def race(self) -> bool:
        # Losing a race against another attach, detach or deletion is any of these.
        return self.unsure or self.http_status in (400, 404)

    @property
    def login_refused(self) -> bool:
        """Whether the token is not, or no longer, one that the server accepts."""
        return self.error in ("UnauthorizedError", "TokenError")

    @property
    def unknown_route(self) -> bool:
        """Whether the server does not have the route; a missing thing says "NotFound" instead."""
        return self.http_status == 404 and self.error == "Not Found"


class UnknownStateError(InfisicalError):
    """What is attached to an identity cannot be known with this login's permissions."""

    def __init__(self, message: str, refusal: ApiError) -> None:
        super().__init__(message)
        self.http_status = refusal.http_status
        self.error = refusal.error
        self.request_id = refusal.request_id


class RateLimitedError(InfisicalError):
    """The server kept refusing for its rate limit longer than `rate_limit_timeout`."""

    def __init__(self, message: str, refusal: InfisicalError) -> None:
        super().__init__(message)
        self.http_status = refusal.http_status
        self.error = refusal.error
        self.request_id = refusal.request_id

    @property
    def transient(self) -> bool:
        return False
