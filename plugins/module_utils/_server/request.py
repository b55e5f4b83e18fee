# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A request to the server, as a value."""

from __future__ import annotations

import json
import typing as t
from urllib.parse import quote, urlencode

Json = dict[str, t.Any]


class Request(t.NamedTuple):
    """A request, without anything that may differ between two tries.

    `route` is the path with a `{}` for each of `ids`, which are quoted. `purpose` completes the
    sentence "Could not ...". `many` says that it reads a list, which may be large. `repeatable`
    says that the request may be sent again if the outcome of the first try is unclear. A request
    that cannot have reached the server is always sent again. `authorize` sends the token. Without
    `patient`, nothing is repeated, nothing waits for more than a few seconds, and signals have no
    effect. `on_turn()` is called after the wait for the rate limit, right before the request is
    sent; an exception in it ends the request.
    """

    verb: str
    route: str
    ids: tuple[str, ...] = ()
    purpose: str = ""
    body: Json | None = None
    query: t.Mapping[str, str] | None = None
    many: bool = False
    repeatable: bool = True
    authorize: bool = True
    patient: bool = True
    on_turn: t.Callable[[], None] | None = None

    @property
    def bucket(self) -> tuple[str, str]:
        """The bucket of the rate limit in which the server counts the request."""
        return self.verb, self.route

    @property
    def reads(self) -> bool:
        """Whether the request only reads. A search is a POST that reads a list."""
        return self.many or self.verb == "GET"

    @property
    def path(self) -> str:
        """The path, with quoted IDs."""
        return self.route.format(*(quote(item, safe="") for item in self.ids))

    @property
    def target(self) -> str:
        """The path with the query: the rest of the URL."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path

    @property
    def content(self) -> bytes | None:
        """The body as it is sent."""
        return None if self.body is None else json.dumps(self.body).encode()
