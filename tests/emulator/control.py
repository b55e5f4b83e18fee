# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a test can see and change of an emulator, whatever the transport."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Credentials:
    """Universal Auth credentials of an identity."""

    client_id: str
    client_secret: str


@dataclass(frozen=True)
class RequestRecord:
    """One request as the server saw it, and what it answered (status None: nothing)."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    headers: tuple[str, ...]
    authorization: str | None
    status: int | None
    time: float


class Control:
    """The Python face. Everything is under one lock and takes effect with the next request."""

    generation: str
    organization_id: str
    organization_slug: str
    other_organization_id: str
    sub_organization_id: str
    client_id: str
    client_secret: str
    token: str
    identities: dict[str, str]

    def create_identity(
        self,
        name: str,
        *,
        role: str = "no-access",
        methods: Iterable[str] = (),
        organization_id: str | None = None,
    ) -> str: ...

    def create_identities(
        self, names: Iterable[str], *, azure_auth: dict[str, Any] | None = None
    ) -> list[str]: ...

    def delete_identity(self, identity_id: str) -> None: ...

    def identity(self, identity_id: str) -> dict[str, Any] | None: ...

    def put_azure_auth(self, identity_id: str, **api_fields: Any) -> dict[str, Any]: ...

    def azure_auth(self, identity_id: str) -> dict[str, Any] | None: ...

    def remove_azure_auth(self, identity_id: str) -> None: ...

    def credentials(self, identity_id: str) -> Credentials: ...

    def issue_token(
        self,
        identity_id: str,
        *,
        method: str = "universal-auth",
        ttl: int = 0,
        num_uses_limit: int = 0,
        trusted_ips: Sequence[str] = ("0.0.0.0/0", "::/0"),
    ) -> str: ...

    def live_tokens(self, identity_id: str | None = None) -> int: ...

    def requests(
        self, identity_id: str | None = None, method: str | None = None, path: str | None = None
    ) -> list[RequestRecord]: ...

    def clear_requests(self) -> None: ...

    def fault(
        self,
        action: str,
        *,
        method: str | None = None,
        path: str | None = None,
        identity_id: str | Sequence[str] | None = None,
        nth: int | None = None,
        times: int | None = None,
        **options: Any,
    ) -> int: ...

    def clear_faults(self) -> None: ...

    def settings(self, **changes: Any) -> dict[str, Any]: ...

    def advance(self, seconds: float) -> None: ...

    def reset(self) -> None: ...
