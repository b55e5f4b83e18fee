# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Infisical that is measured against: an emulator in its own process, or a real one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import requests
from contract.api import Api
from tools.infisical import VARIABLES, opted_for
from tools.paths import ROOT

PATH = "/api/v1/auth/azure-auth/identities"
IDENTITIES = "/api/v1/identities"
# The Azure Auth of every identity, as the API and as the modules' options spell it.
TENANT = "33333333-3333-4333-8333-333333333333"
RESOURCE = "https://management.azure.com/"
PRINCIPAL = "44444444-4444-4444-8444-444444444444"
TTL = 3600
ANYWHERE = ["0.0.0.0/0", "::/0"]
API_FIELDS: dict[str, Any] = {
    "tenantId": TENANT,
    "resource": RESOURCE,
    "allowedServicePrincipalIds": PRINCIPAL,
    "accessTokenTrustedIps": [{"ipAddress": address} for address in ANYWHERE],
    "accessTokenTTL": TTL,
    "accessTokenMaxTTL": 2 * TTL,
    "accessTokenNumUsesLimit": 0,
}
OPTIONS: dict[str, Any] = {
    "state": "present",
    "tenant_id": TENANT,
    "resource": RESOURCE,
    "allowed_service_principal_ids": [PRINCIPAL],
    "access_token_trusted_ips": ANYWHERE,
    "access_token_ttl": TTL,
    "access_token_max_ttl": 2 * TTL,
    "access_token_num_uses_limit": 0,
}

_START_SECONDS = 30
# How often an instance is asked for something to learn its latency.
_LOOKS = 5


class Server(ABC):
    """A server, a token of an admin, and identities with the Azure Auth of API_FIELDS."""

    what: str
    url: str
    token: str

    @abstractmethod
    def identities(self, count: int) -> list[str]:
        """The ids of so many identities, the same ones first in every call."""

    @abstractmethod
    def set_latency(self, wanted: float) -> float:
        """Set the latency, in seconds; returns what it is now, for an instance has its own."""

    def wait_for_room(  # noqa: B027 an emulator has no limit
        self, requests_to_come: int, verb: str = "GET"
    ) -> None:
        """Wait until the limits allow so many requests, or as many as they ever do."""

    def forget_requests(self) -> None:  # noqa: B027 an instance keeps no log
        """Empty the log of an emulator, which grows with every request."""

    def processor_seconds(self) -> float:
        """What an emulator has cost so far, in seconds of one core; 0 if it cannot be told."""
        return 0

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables that point the modules at the server."""
        return {"INFISICAL_URL": self.url, "INFISICAL_TOKEN": self.token}

    def address(self, identity_id: str) -> str:
        """The URL of an identity's Azure Auth."""
        return f"{self.url}{PATH}/{identity_id}"


class EmulatorServer(Server):
    """An emulator in a process of its own. Its limits and its latency can be set."""

    what = "the emulator"

    def __init__(self, url: str, pid: int) -> None:
        self.url = url
        self._pid = pid
        self._session = requests.Session()
        self._session.trust_env = False
        self.token = self._control("GET", "/")["token"]
        self._ids: list[str] = []

    def _control(self, verb: str, path: str, body: Any = None) -> Any:
        answer = self._session.request(verb, f"{self.url}/_emulator{path}", json=body)
        answer.raise_for_status()
        return answer.json()

    def identities(self, count: int) -> list[str]:
        missing = range(len(self._ids), count)
        if missing:
            # The emulator reads addresses only where they are strings.
            fields = {**API_FIELDS, "accessTokenTrustedIps": ANYWHERE}
            body = {"names": [f"fleet {number}" for number in missing], "azure_auth": fields}
            self._ids += self._control("POST", "/identities", body)["ids"]
        return self._ids[:count]

    def set_latency(self, wanted: float) -> float:
        self.settings(latency=wanted)
        return wanted

    def settings(self, **changes: Any) -> None:
        """Change settings of the emulator, see its README."""
        self._control("PATCH", "/settings", changes)

    def requests(self) -> list[dict[str, Any]]:
        """The log of requests since the last time it was cleared."""
        records: list[dict[str, Any]] = self._control("GET", "/requests")["requests"]
        return records

    def forget_requests(self) -> None:
        self._control("DELETE", "/requests")

    def processor_seconds(self) -> float:
        status = Path(f"/proc/{self._pid}/stat")
        if not status.is_file():
            return 0
        # The fields after the program's name, which is in parentheses; see proc(5).
        fields = status.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class InstanceServer(Server):
    """A real instance. What is made there is removed by the API client that made it."""

    what = "an instance of Infisical"

    def __init__(self, api: Api) -> None:
        self.url = api.url
        self.token = api.token
        self._api = api
        self._ids: list[str] = []

    def identities(self, count: int) -> list[str]:
        while len(self._ids) < count:
            identity_id = self._api.create_identity(f"fleet {len(self._ids)}")
            self._api.attach(identity_id, **API_FIELDS)
            self._ids.append(identity_id)
        return self._ids[:count]

    def set_latency(self, wanted: float) -> float:
        del wanted
        return round(
            median(self._probe("GET").elapsed.total_seconds() for _time in range(_LOOKS)), 3
        )

    def _probe(self, verb: str) -> requests.Response:
        body = {"accessTokenTTL": TTL} if verb == "PATCH" else None
        return self._api.call(verb, self._api.azure_auth(self.identities(1)[0]), json=body)

    def wait_for_room(self, requests_to_come: int, verb: str = "GET") -> None:
        headers = self._probe(verb).headers
        limit = int(headers.get("x-ratelimit-limit", 0))
        if int(headers.get("x-ratelimit-remaining", 0)) < min(requests_to_come, limit - 1):
            time.sleep(int(headers["x-ratelimit-reset"]))


@contextmanager
def emulated(folder: Path) -> Iterator[EmulatorServer]:
    """Run an emulator in a process of its own, for the time of a with block."""
    folder.mkdir(parents=True, exist_ok=True)
    ready = folder / "emulator.env"
    ready.unlink(missing_ok=True)
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    command = [sys.executable, "-m", "emulator", "--ready-file", str(ready)]
    with subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL) as process:
        try:
            _wait(ready, process)
            exported = dict(line.split("=", 1) for line in ready.read_text().splitlines())
            yield EmulatorServer(exported["export INFISICAL_URL"], process.pid)
        finally:
            process.terminate()


def _wait(ready: Path, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _START_SECONDS
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError("The emulator did not start.")
        time.sleep(0.05)


@contextmanager
def instance() -> Iterator[InstanceServer]:
    """Log in to the server that the caller opted for, and clean up there in the end."""
    given = opted_for() or {}
    url, client_id, client_secret, organization_id = (given[name] for name in VARIABLES)
    api = Api(url, organization_id, {"clientId": client_id, "clientSecret": client_secret})
    try:
        yield InstanceServer(api)
    finally:
        api.clean_up()


def is_given() -> bool:
    """Whether the caller opted for a real server. Raises IncompleteError."""
    return opted_for() is not None


def entries(ids: Sequence[str], **changes: Any) -> list[dict[str, Any]]:
    """What `infisical_identities` takes for the Azure Auth of identities."""
    return [{"id": identity_id, "azure_auth": {**OPTIONS, **changes}} for identity_id in ids]
