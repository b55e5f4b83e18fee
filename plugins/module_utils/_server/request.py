# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked of the server, as one value."""

from __future__ import annotations

import json
import typing as t
from urllib.parse import quote, urlencode

Json = dict[str, t.Any]


class Request(t.NamedTuple):
    """A request, without what may differ between two tries.

    `route` is the path with a `{}` for each of `ids`, which cannot add to the path. `purpose`
    completes the sentence "Could not ...". `many` says that a list is read, which may be large.
    `repeatable` says that the server may be asked twice when it is unclear whether it did what the
    first asked for; what it cannot have done is tried again in any case. `authorize` sends the
    token along. Without `patient` nothing is tried again, nothing waited for longer than a few
    seconds, and nothing ended by a signal. `on_turn()` is called when the request may go, after the
    rate limit was waited for; what it raises ends the request.
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
        """What the server counts it under."""
        return self.verb, self.route

    @property
    def reads(self) -> bool:
        """Whether nothing is written: a search is a POST, and reads a list."""
        return self.many or self.verb == "GET"

    @property
    def path(self) -> str:
        """The path, the ids in it quoted."""
        return self.route.format(*(quote(item, safe="") for item in self.ids))

    @property
    def target(self) -> str:
        """The path with the query: the rest of the URL."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path

    @property
    def content(self) -> bytes | None:
        """The body as it is sent."""
        return None if self.body is None else json.dumps(self.body).encode()
