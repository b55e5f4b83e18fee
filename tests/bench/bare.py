# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m bench.bare`: the least that a fleet can cost, in a process that does nothing else.

A `requests` session and a thread pool. Reads a job (see Job) as JSON from stdin, and prints how
many seconds the loop took.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypedDict

import requests
from requests.adapters import HTTPAdapter


class Job(TypedDict):
    """The URLs to read, and what to send to each afterwards, if anything."""

    urls: list[str]
    token: str
    concurrency: int
    patch: dict[str, Any] | None


def main() -> None:
    """Do the job."""
    job: Job = json.load(sys.stdin)
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {job['token']}"
    adapter = HTTPAdapter(pool_connections=1, pool_maxsize=job["concurrency"])
    session.mount("http://", adapter)
    session.mount("https://", adapter)

    def call(verb: str, url: str, body: dict[str, Any] | None) -> Any:
        while True:
            answer = session.request(verb, url, json=body, timeout=60)
            if answer.status_code != 429:
                answer.raise_for_status()
                return answer.json()
            time.sleep(int(answer.headers["retry-after"]))

    def handle(url: str) -> None:
        call("GET", url, None)
        if job["patch"]:
            call("PATCH", url, job["patch"])

    started = time.monotonic()
    with ThreadPoolExecutor(job["concurrency"]) as pool:
        for _done in pool.map(handle, job["urls"]):
            pass
    print(json.dumps(time.monotonic() - started))


if __name__ == "__main__":
    main()
