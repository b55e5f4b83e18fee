# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server that answers what a test says, below the calls of the API."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.community.infisical.plugins.module_utils._errors import ApiError
from ansible_collections.community.infisical.plugins.module_utils._server.api import Api
from ansible_collections.community.infisical.plugins.module_utils._server.request import Request

ORGANIZATION = "0f8d7c6b-5a49-4382-b716-0514f3e2d1c0"


class Server:
    """In place of a Client: answers by verb and path, and remembers what it was asked.

    An answer is a dictionary, an error to raise, a list of answers, one after the other, of which
    the last stays, or a function of the request. What there is no answer for is an unknown route.
    """

    retries = 0

    def __init__(self) -> None:
        self.answers: dict[str, t.Any] = {}
        self.asked: list[str] = []
        self.bodies: list[t.Any] = []
        self.paused: list[float] = []

    def api(self, *, of_2026: bool = True, own: str | None = None) -> Api:
        """The calls, of a token that tells its organisation, or not."""
        return Api(t.cast(t.Any, self), own, ORGANIZATION if of_2026 else None)

    def request(self, request: Request) -> t.Any:
        if request.on_turn:
            request.on_turn()
        target = f"{request.verb} {request.path}"
        self.asked.append(target)
        self.bodies.append(request.body)
        answer = self.answers.get(target)
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if callable(answer):
            answer = answer(request)
        if answer is None:
            raise ApiError(f"No route {target}.", http_status=404, error="Not Found")
        if isinstance(answer, Exception):
            raise answer
        return answer

    def pause(self, seconds: float) -> None:
        self.paused.append(seconds)


@pytest.fixture
def server() -> Server:
    """A server that knows no route yet."""
    return Server()
