# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server's answers: whether they are Infisical's, and what its refusals ask for."""

from __future__ import annotations

import re
import typing as t

from .._errors import LOGIN_REFUSED
from .json_reader import TooMuchError, parse
from .pacing import seconds

Json = dict[str, t.Any]

# What to do about a 403: the first whose words are in its name or its message.
_FORBIDDEN = {
    "IP address": (
        "The trusted IPs of the login's own auth method leave out the host that runs the module;"
        " add its address there, or delegate the task to another host."
    ),
    "ProjectMembershipNotFound|not a member of (the specified|this) project": (
        "The identity belongs to a project that the login's identity is no member of; let somebody"
        " who is add it, with a role that may edit identities."
    ),
    "instance admin": (
        "The identity is an instance admin's, which other identities may not change; change it in"
        " Infisical's admin console."
    ),
    "(a?part of this|different|sub|selected) organization": (
        "The identity belongs to another organization than the login; log in to that one, with"
        " organization_slug where it is a sub-organization."
    ),
    "PermissionBoundaryError|more privileged": (
        "The login may not do this to an identity with these privileges; give its role at least as"
        " many, and the permission that the message names, or use another login."
    ),
    "PermissionDenied": (
        "Give the role of the login's identity that permission, or use another login."
    ),
    "": "The login's identity may not do this; give its role what is needed, or use another.",
}


class Answer:
    """An answer, read whole: status, headers, and its JSON object if it is one.

    `start` is the beginning of its body, `encoding` what the body is packed with.
    """

    def __init__(
        self, status: int, headers: t.Mapping[str, str], content: bytes, memory: int
    ) -> None:
        """Raises TooMuchError for what does not fit into so many bytes of memory."""
        self.status = status
        self.headers = headers
        self.start = content[:4000]
        self.json: Json | None = None
        encoding = headers.get("Content-Encoding", "").strip()
        self.encoding = "" if encoding.lower() == "identity" else encoding
        if self.encoding:
            return
        try:
            parsed = parse(content, memory)
        except TooMuchError:
            raise
        except ValueError:
            return
        if isinstance(parsed, dict):
            self.json = parsed

    @property
    def over_rate(self) -> bool:
        """Whether it is Infisical's rate limit that refused the request."""
        error = self.json.get("error") if self.json else None
        return self.status == 429 or (
            self.status >= 400 and error in ("RateLimitError", "RateLimitExceeded")
        )

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


def text_of(message: t.Any) -> str:
    """Return the server's message as a text: for validation failures it is a list of issues."""
    if isinstance(message, list):
        issues = [item for item in message[:5] if isinstance(item, dict)]
        return "; ".join(
            f"{_path_of(issue.get('path'))}: {issue.get('message')}" for issue in issues
        )
    return str(message)


def _path_of(path: t.Any) -> str:
    return ".".join(map(str, path)) if isinstance(path, list) and path else "request"


def sentence(text: str) -> str:
    """Return a text as a sentence: with one mark at its end."""
    text = text.rstrip(" .,:;")
    return text if text.endswith(("?", "!")) else f"{text}."


def advice_on(status: int, error: str, says: str) -> str:
    """Return what to do about an error, with a blank in front, where that is known."""
    if status == 404 and error == "Not Found":
        return " The server does not know this API; check that url names an Infisical server."
    if error in LOGIN_REFUSED:
        return " The login is not, or no longer, accepted; check its credentials or its token."
    if status != 403:
        return ""
    for words, advice in _FORBIDDEN.items():
        if re.search(words, f"{error}: {says}", re.IGNORECASE):
            return f" {advice}"
    return ""
