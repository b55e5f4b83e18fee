# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to an Infisical server past the collection, which cannot test itself."""

from __future__ import annotations

import http.client
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

_TIMEOUT_SECONDS = 30
# How often a request is repeated where the server asks to wait, and how long that takes at most, or
# where it does not say so in seconds.
_REPEATS = 4
_WAIT_SECONDS = 60
_UNSAID_WAIT_SECONDS = 20


class RequestError(Exception):
    """A request without an answer, or with another one than the caller expects."""


class Answer(NamedTuple):
    """What the server answers. `json` is None where the answer is not JSON."""

    status: int
    reason: str
    headers: Mapping[str, str]
    json: Any

    def message(self) -> str:
        """What the server says about a failure."""
        said = self.json.get("message") if isinstance(self.json, dict) else None
        return str(said or self.reason)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Leaves a redirect as the answer that it is, so that the token goes to no other server."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


class Server:
    """A server. `url` may end in `/api`; `token` is empty for requests without a login."""

    def __init__(self, url: str, token: str) -> None:
        self._url = re.sub("(/api)?/*$", "", url)
        # Some servers refuse the name that urllib gives itself.
        self._headers = {"User-Agent": "ansible-test"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._opener = urllib.request.build_opener(_NoRedirects)

    def request(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        statuses: Sequence[int] = (200,),
    ) -> Answer:
        """Make a request, and return the answer. Raises RequestError."""
        answer = self._send(method, path, body)
        for _repeat in range(_REPEATS):
            # A server that limits the rate says how long to wait, with whatever status.
            asked = answer.headers.get("Retry-After")
            if asked is None:
                break
            time.sleep(min(int(asked), _WAIT_SECONDS) if asked.isdigit() else _UNSAID_WAIT_SECONDS)
            answer = self._send(method, path, body)
        if answer.status not in statuses:
            expected = " or ".join(map(str, statuses))
            raise RequestError(
                f"{method} {path} answered {answer.status} in place of {expected}:"
                f" {answer.message()}"
            )
        return answer

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None) -> Answer:
        headers = dict(self._headers)
        content = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, content, headers, method=method)
        try:
            with self._open(request) as response:
                text = response.read()
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise RequestError(f"{method} {path} got no answer: {reason}") from error
        try:
            answered = json.loads(text)
        except ValueError:
            answered = None
        return Answer(response.status, response.reason, response.headers, answered)

    def _open(self, request: urllib.request.Request) -> Any:
        try:
            return self._opener.open(request, timeout=_TIMEOUT_SECONDS)
        except urllib.error.HTTPError as error:
            return error
