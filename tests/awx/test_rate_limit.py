# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several jobs at once share one rate limit: all get through, and none waits for the others."""

from __future__ import annotations

import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from awx.jobs import NOTHING, Template, launch, project_of
from emulator import Emulator
from emulator.control import RequestRecord

JOBS = 3
NAMES = [f"shared {number}" for number in range(30)]
# So many reads a second, for all of them: one job alone would need four seconds.
READ_LIMIT = 8
LOGIN = "universal-auth/login"
# So many seconds at most may a job be refused whatever it asks for.
PATIENCE = 10


def test_jobs_at_once_all_finish_and_each_makes_progress(
    emulator: Emulator,
    credential: dict[str, str],
    tmp_path: Path,
    record_property: t.Callable[[str, object], None],
) -> None:
    emulator.create_identities(NAMES, azure_auth={"tenantId": "t", "resource": "r"})
    desired = [{"name": name, "azure_auth": {"access_token_ttl": 3600}} for name in NAMES]
    project = project_of(tmp_path, desired)
    template = Template("identities_apply.yml", credential, check=True, project=project)
    emulator.settings(read_limit=1, window=1)
    emulator.clear_requests()
    with ThreadPoolExecutor(JOBS) as pool:
        started = [pool.submit(launch, template, tmp_path / str(number)) for number in range(JOBS)]
        # The first is held up until the last is there, however slow this machine is.
        while len(emulator.requests(path=LOGIN)) < JOBS and not started[0].done():
            time.sleep(0.1)
        emulator.settings(read_limit=READ_LIMIT)
        jobs = [job.result() for job in started]
    counts = {**NOTHING, "checked": 30, "changed": 30}
    assert [job.status for job in jobs] == ["successful"] * JOBS
    assert [job.stats["infisical_apply_counts"] for job in jobs] == [counts] * JOBS

    reads = emulator.requests(method="GET", path="azure-auth/identities")
    refused = [record for record in reads if record.status == 429]
    record_property("refused by the rate limit", f"{len(refused)} of {len(reads)} reads")
    assert refused
    by_job: dict[str | None, list[RequestRecord]] = {}
    for record in reads:
        by_job.setdefault(record.authorization, []).append(record)
    assert len(by_job) == JOBS
    start = max(records[0].time for records in by_job.values())
    for records in by_job.values():
        answered = [record.time for record in records if record.status == 200]
        # There is a new window every second, and who comes first gets most of it.
        moments = [start, *(moment for moment in answered if moment > start)]
        assert max(after - before for before, after in zip(moments, moments[1:])) < PATIENCE
