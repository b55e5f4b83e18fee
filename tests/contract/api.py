# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plain HTTP client for the contract tests: no knowledge of the API but its addresses."""

from __future__ import annotations

import time
import uuid
from typing import Any

import pytest
import requests

from emulator import Emulator

TIMEOUT = 30
# Long enough for a whole window of any documented limit.
PATIENCE = 300

AZURE_AUTH = "/api/v1/auth/azure-auth/identities"
IDENTITIES = "/api/v1/identities"
SEARCH = f"{IDENTITIES}/search"
SEARCH_V2 = "/api/v2/identities/search"
TENANT = "11111111-1111-4111-8111-111111111111"
RESOURCE = "https://management.azure.com/"
PRINCIPAL = "22222222-2222-4222-8222-222222222222"
ATTACH = {"tenantId": TENANT, "resource": RESOURCE, "allowedServicePrincipalIds": PRINCIPAL}

# What a test is about that is not about every server.
only_2024 = pytest.mark.generations("2024-10")
only_2025 = pytest.mark.generations("2025-06")
only_2026 = pytest.mark.generations("2026")
until_2025 = pytest.mark.generations("2024-10", "2025-06")
since_2025 = pytest.mark.generations("2025-06", "2026")


class Api:
    """A server, an admin's token for it, and the identities that the tests made on it.

    `emulator` is None for an instance that somebody else runs.
    """

    def __init__(
        self,
        url: str,
        organization_id: str,
        credentials: dict[str, str],
        emulator: Emulator | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self.organization_id = organization_id
        self.credentials = credentials
        self.emulator = emulator
        self.prefix = f"contract {uuid.uuid4().hex[:8]}"
        self._session = requests.Session()
        # Nothing from ~/.netrc, which would replace the Authorization header.
        self._session.auth = lambda request: request
        self._created: list[str] = []
        self.token = self.login(credentials)
        self.generation = self._generation()

    def _generation(self) -> str:
        """Which of the generations the server is of, or is nearest to."""
        if self.post("/api/v1/identities/search", {"search": {}, "limit": 1}).status_code == 404:
            return "2024-10"
        details = self.get("/api/v1/identities/details")
        return "2025-06" if details.status_code == 500 else "2026"

    def need(self, method: str, path: str) -> None:
        """Skip what needs a route, if the server says that it has none."""
        answer = self.call(method, path, json=None if method == "GET" else {})
        if answer.status_code == 404 and answer.json()["error"] == "Not Found":
            pytest.skip(f"the server does not know {method} {path}")

    # -- requests -------------------------------------------------------------------------------

    def call(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        data: bytes | None = None,
        headers: dict[str, str] | None = None,
        token: str | None = "",
        patient: bool = True,
    ) -> requests.Response:
        """Send a request. A `token` of "" is the admin's, None is none at all.

        An answer with ``retry-after`` is waited out, unless not `patient`.
        """
        headers = dict(headers or {})
        token = self.token if token == "" else token
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        until = time.monotonic() + PATIENCE
        while True:
            response = self._session.request(
                method,
                self.url + path,
                json=json,
                data=data,
                headers=headers,
                timeout=TIMEOUT,
                allow_redirects=False,
            )
            if not patient or "retry-after" not in response.headers or time.monotonic() > until:
                return response
            time.sleep(int(response.headers["retry-after"]))

    def get(self, path: str, **options: Any) -> requests.Response:
        """A GET."""
        return self.call("GET", path, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> requests.Response:
        """A POST."""
        return self.call("POST", path, json=json, **options)

    def patch(self, path: str, json: Any = None, **options: Any) -> requests.Response:
        """A PATCH."""
        return self.call("PATCH", path, json=json, **options)

    def delete(self, path: str, **options: Any) -> requests.Response:
        """A DELETE."""
        return self.call("DELETE", path, **options)

    # -- what tests need to be there ------------------------------------------------------------

    def login(self, credentials: dict[str, str]) -> str:
        """A token for Universal Auth credentials."""
        answer = self.post("/api/v1/auth/universal-auth/login", credentials, token=None)
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["accessToken"]
        return token

    def name(self, suffix: str) -> str:
        """A name that only this run uses."""
        return f"{self.prefix} {suffix}"

    def create_identity(
        self, suffix: str = "identity", role: str = "no-access", **fields: Any
    ) -> str:
        """A new identity, removed when the session ends."""
        body = {"name": self.name(suffix), "organizationId": self.organization_id, "role": role}
        answer = self.post(IDENTITIES, {**body, **fields})
        assert answer.status_code == 200, answer.text
        identity_id: str = answer.json()["identity"]["id"]
        self.keep(identity_id)
        return identity_id

    def keep(self, identity_id: str) -> None:
        """Remember an identity that a test made, to remove it when the session ends."""
        self._created.append(identity_id)

    def azure_auth(self, identity_id: str) -> str:
        """The path of an identity's Azure Auth."""
        return f"{AZURE_AUTH}/{identity_id}"

    def attach(self, identity_id: str, **fields: Any) -> dict[str, Any]:
        """Attach Azure Auth and return the object."""
        answer = self.post(self.azure_auth(identity_id), {**ATTACH, **fields})
        assert answer.status_code == 200, answer.text
        attached: dict[str, Any] = answer.json()["identityAzureAuth"]
        return attached

    def create_credentials(self, role: str) -> dict[str, str]:
        """Universal Auth credentials of a new identity with a role."""
        return self.credentials_of(self.create_identity(role, role))

    def credentials_of(self, identity_id: str) -> dict[str, str]:
        """Credentials of an identity that gets Universal Auth."""
        path = f"/api/v1/auth/universal-auth/identities/{identity_id}"
        attached = self.post(path, {})
        assert attached.status_code == 200, attached.text
        secret = self.post(f"{path}/client-secrets", {})
        assert secret.status_code == 200, secret.text
        return {
            "clientId": attached.json()["identityUniversalAuth"]["clientId"],
            "clientSecret": secret.json()["clientSecret"],
        }

    def create_token(self, role: str = "member", **fields: Any) -> str:
        """A Token Auth token of a new identity with a role; `fields` configure the method."""
        identity_id = self.create_identity(role, role)
        path = f"/api/v1/auth/token-auth/identities/{identity_id}"
        attached = self.post(path, fields)
        assert attached.status_code == 200, attached.text
        answer = self.post(f"{path}/tokens", {})
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["accessToken"]
        return token

    def clean_up(self) -> None:
        """Remove the identities that were made, and revoke the token."""
        for identity_id in self._created:
            self.delete(f"{IDENTITIES}/{identity_id}")
        self.post("/api/v1/auth/token/revoke", {"accessToken": self.token}, token=None)
        self._session.close()


def refusal(response: requests.Response) -> tuple[int, str]:
    """The status and the value of ``error``."""
    return response.status_code, response.json()["error"]


def fields_of(response: requests.Response) -> list[Any]:
    """The paths that a validation failure names."""
    return [".".join(map(str, issue["path"])) for issue in response.json()["message"]]
