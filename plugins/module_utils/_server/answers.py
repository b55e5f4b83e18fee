# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server's responses: whether they come from Infisical, and which errors they mean."""

from __future__ import annotations

import re
import typing as t
from urllib.parse import urljoin, urlsplit

from .._errors import (
    LOGIN_REFUSED,
    UNAUTHORIZED,
    ApiError,
    InfisicalError,
    RateLimitedError,
    UnexpectedAnswerError,
)
from .._text import MASK, printable, quoted
from .json_reader import TooMuchError, parse
from .pacing import seconds
from .reasons import https_needed
from .request import Json, Request

# How many bytes of memory a response may take for each byte of its maximum size.
_MEMORY = 4
# What a TLS server answers to plain HTTP.
_WANTS_TLS = re.compile(
    rb"HTTP request (was sent )?to (an )?(HTTPS|SSL|TLS)|plain HTTP (request was sent )?to an? "
    rb"(HTTPS|SSL|TLS)",
    re.IGNORECASE,
)
_USED_UP = (
    " The server accepted the token before and no longer does: it was revoked, or it has reached"
    " its limit on uses; raise access_token_num_uses_limit of the auth method that issued it, or"
    " set credentials instead of a token, so that the task can log in again."
)

# What to do about a 403: the first row that matches its name or message. The last always does.
_FORBIDDEN = {
    "IP address": (
        "The trusted IPs of the login's auth method do not include the host that runs the module;"
        " add its address there, or delegate the task to another host."
    ),
    "ProjectMembershipNotFound|not a member of (the specified|this) project": (
        "The identity belongs to a project of which this login is not a member; ask a member to"
        " add the login, with a role that may edit identities."
    ),
    "instance admin": (
        "The identity is an instance admin, which other identities may not change; change it in"
        " Infisical's admin console."
    ),
    "(a?part of this|different|sub|selected) organization": (
        "The identity and the login belong to different organizations; log in to the identity's"
        " organization, with organization_slug if it is a sub-organization."
    ),
    "PermissionBoundaryError|more privileged": (
        "The login may not do this to an identity with these privileges; give the login's role at"
        " least the same privileges and the permission that the message names, or use another"
        " login."
    ),
    "PermissionDenied": ("Give the login's role that permission, or use another login."),
    "": "The login may not do this; give its role the right to do it, or use another login.",
}


class Answer:
    """A complete response: status, headers, and its JSON object, if it is one.

    `start` is the beginning of its body, `encoding` the content encoding.
    """

    def __init__(
        self, status: int, headers: t.Mapping[str, str], content: bytes, largest: int
    ) -> None:
        """`largest` is the maximum number of bytes of a response.

        Raises TooMuchError if it takes far more memory than that.
        """
        self.status = status
        self.headers = headers
        self.start = content[:4000]
        self.json: Json | None = None
        encoding = headers.get("Content-Encoding", "").strip()
        self.encoding = "" if encoding.lower() == "identity" else encoding
        if self.encoding:
            return
        try:
            parsed = parse(content, largest * _MEMORY)
        except TooMuchError:
            raise
        except ValueError:
            return
        if isinstance(parsed, dict):
            self.json = parsed

    @property
    def over_rate(self) -> bool:
        """Whether Infisical's rate limit refused the request."""
        error = self.json.get("error") if self.json else None
        return self.status == 429 or (
            self.status >= 400 and error in ("RateLimitError", "RateLimitExceeded")
        )

    @property
    def login_refused(self) -> bool:
        """Whether the server does not accept the token or the login."""
        error = self.json.get("error") if self.json else None
        return self.status >= 400 and error in LOGIN_REFUSED

    @property
    def limited(self) -> bool:
        """Whether the response means "come back later", whatever its status."""
        asks_to_wait = seconds(self.headers.get("retry-after")) is not None
        return self.over_rate or (self.status >= 400 and asks_to_wait)


class AnswerErrors:
    """Turns a server's responses into errors whose sentences contain no secrets."""

    def __init__(
        self, url: str, secrets: t.Collection[str], headers: t.Collection[str] = ()
    ) -> None:
        """`secrets` may grow. A proxy in front of the server may repeat the values in `headers`."""
        self._url = url
        self._secrets = secrets
        self._headers = headers

    def error_of(
        self, answer: Answer, request: Request, *, last_token: bool
    ) -> InfisicalError | None:
        """Return the error that a response means; None on success.

        `last_token` says that the token was accepted before and cannot be renewed.
        """
        status = answer.status
        if 300 <= status < 400:
            return self._redirected(answer, request)
        if answer.json is None:
            return self._not_infisical(answer, request)
        if 200 <= status < 300:
            return None
        message, error = answer.json.get("message"), answer.json.get("error")
        if status < 400 or not isinstance(error, str) or message is None:
            return self._not_infisical(answer, request)
        name, says = self._safe(error, 120), self._safe(_text_of(message), 300)
        advice = _USED_UP if last_token and error == UNAUTHORIZED else _advice(status, error, says)
        shown = _sentence(f"{name}: {says}" if says else name)
        request_id = answer.json.get("reqId")
        return ApiError(
            f"Could not {request.purpose}: Infisical answered {status} {shown}{advice}",
            http_status=status,
            error=name,
            request_id=self._safe(request_id, 60) if isinstance(request_id, str) else None,
            read=request.reads,
        )

    def too_large(self, status: int, largest: int, request: Request) -> UnexpectedAnswerError:
        """Return the error for a response that is too large to be read or parsed."""
        return UnexpectedAnswerError(
            f"Could not {request.purpose}: the response from {self._url} is larger than"
            f" {largest >> 20} MiB, or takes more than {largest * _MEMORY >> 20} MiB of memory,"
            " which is too much for a response from Infisical; check that url points to an"
            " Infisical server.",
            http_status=status,
            read=request.reads,
        )

    def rate_limited(
        self,
        answer: Answer,
        refusal: InfisicalError,
        request: Request,
        times: tuple[float, float],
        limit: float,
    ) -> RateLimitedError:
        """Return the error for a rate limit that asks to wait too long.

        `times` has how long the server has refused requests, and how much longer it asks to wait;
        `limit` is the maximum of both together.
        """
        waited, wait = times
        window = answer.headers.get("x-ratelimit-limit")
        if not answer.over_rate:
            what = f"{self._url}, which answers {answer.status},"
        elif window:
            what = f"Infisical's rate limit of {self._safe(window, 20)} requests a window"
        else:
            what = "Infisical's rate limit"
        so_far = f" for {waited:.0f} seconds" if waited >= 1 else ""
        return RateLimitedError(
            f"Could not {request.purpose}: {what} refused it{so_far} and asked the module to wait"
            f" {wait:.0f} more seconds, which exceeds rate_limit_timeout ({limit:g} seconds); run"
            " the task later, or raise rate_limit_timeout.",
            refusal,
        )

    def _not_infisical(self, answer: Answer, request: Request) -> UnexpectedAnswerError:
        status = answer.status
        if status == 400 and self._url.startswith("http:") and _WANTS_TLS.search(answer.start):
            what = f"{https_needed(self._url)}."
        elif answer.encoding:
            what = (
                f"{self._url} answered {status} with a body in the encoding"
                f" {quoted(self._safe(answer.encoding, 20))}, which the module did not ask for and"
                " does not decode; check that url points to an Infisical server, and check any"
                " proxy in front of it."
            )
        else:
            kind = "an empty body"
            if answer.start:
                kind = self._safe(answer.headers.get("Content-Type", "no content type"), 60)
                start = self._safe(answer.start.decode("utf-8", "replace"), 60)
                kind += f" ({quoted(start)})"
            what = (
                f"{self._url} answered {status} with {kind}, but Infisical answers with a JSON"
                " object; check that url points to an Infisical server."
            )
        return UnexpectedAnswerError(
            f"Could not {request.purpose}: {what}", http_status=status, read=request.reads
        )

    def _redirected(self, answer: Answer, request: Request) -> UnexpectedAnswerError:
        try:
            location = urlsplit(urljoin(self._url + "/", answer.headers.get("Location", "")))
            # Do not show passwords, or queries, which may contain a token.
            place = f"{location.scheme}://{location.netloc.rpartition('@')[2]}"
        except ValueError:
            location, place = urlsplit(""), "an invalid address"
        there = place + location.path
        path = request.path
        base = there[: -len(path)] if location.path.rstrip("/").endswith(path) else ""
        if base == self._url or not place.startswith("http"):
            advice = "check what is in front of the server"
        elif base:
            advice = f"set url to '{self._safe(base)}' if that is your server"
        else:
            advice = (
                "something in front of the server seems to ask for a sign-in with a browser; let"
                " requests to /api/ through without one, or set url to an address that needs none"
            )
        return UnexpectedAnswerError(
            f"Could not {request.purpose}: {self._url} answered {answer.status}, a redirect to"
            f" '{self._safe(there)}', which the module does not follow, because that would send the"
            f" token there; {advice}.",
            http_status=answer.status,
        )

    def _safe(self, text: str, limit: int = 200) -> str:
        """Return the server's text on one line, with limited length, and without secrets.

        Ansible masks secrets too, but only complete ones, and the limit may cut them.
        """
        for secret in sorted((*self._secrets, *self._headers), key=len, reverse=True):
            text = text.replace(secret, MASK)
        return printable(text, limit)


def _text_of(message: t.Any) -> str:
    """Return the server's message as text. For a validation failure it is a list of issues."""
    if isinstance(message, list):
        issues = [item for item in message[:5] if isinstance(item, dict)]
        return "; ".join(
            f"{_path_of(issue.get('path'))}: {issue.get('message')}" for issue in issues
        )
    return str(message)


def _path_of(path: t.Any) -> str:
    return ".".join(map(str, path)) if isinstance(path, list) and path else "request"


def _sentence(text: str) -> str:
    """Return a text as a sentence, with one punctuation mark at its end."""
    text = text.rstrip(" .,:;")
    return text if text.endswith(("?", "!")) else f"{text}."


def _advice(status: int, error: str, says: str) -> str:
    """Return what to do about an error, with a blank in front; blank if that is unknown."""
    if status == 404 and error == "Not Found":
        return " The server does not know this API; check that url points to an Infisical server."
    if error in LOGIN_REFUSED:
        return " The server does not accept the login, or no longer does; check the credentials."
    if status != 403:
        return ""
    text = f"{error}: {says}"
    rows = _FORBIDDEN.items()
    return " " + next(advice for words, advice in rows if re.search(words, text, re.IGNORECASE))
