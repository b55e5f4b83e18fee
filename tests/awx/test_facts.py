# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""With fact caching on, later plays and jobs see what is true, also after a preview."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible.release import __version__

from awx.jobs import Job, Template, launch
from emulator import Emulator

PROJECT = Path(__file__).with_name("project")

ansible_version = tuple(int(part) for part in __version__.split(".")[:2])

Jobs = t.Mapping[str, Job]


@pytest.fixture(scope="module")
def jobs(
    emulator: Emulator, credential: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Jobs:
    """Three jobs, each with the facts of the one before: a preview, the real thing, a preview."""
    folder = tmp_path_factory.mktemp("facts")
    emulator.create_identity("remembered")
    done: dict[str, Job] = {}
    before: Job | None = None
    for name, check, ttl in (("first", True, 3600), ("second", False, 3600), ("third", True, 60)):
        template = Template(
            "facts.yml",
            credential,
            check=check,
            extra_vars={"identity": "remembered", "ttl": ttl},
            project=PROJECT,
            fact_cache=True,
            facts_of=before,
        )
        before = done[name] = launch(template, folder / name)
        assert before.status == "successful"
    return done


# So ansible-core calls the file with localhost's facts from 2.19 on. AWX looks for localhost.
RENAMED = "s1_localhost"


def cached(job: Job) -> t.Any:
    """Return the fact that a job left in the cache, by whatever name."""
    (path,) = (path for path in (job.artifacts / "fact_cache").iterdir() if path.is_file())
    stored = json.loads(path.read_text(encoding="utf-8"))
    # ansible-core 2.19 and newer wrap it.
    facts = json.loads(stored["__payload__"]) if "__payload__" in stored else stored
    return facts["infisical_azure_auth"]


def test_the_fact_is_there_in_the_next_play(jobs: Jobs) -> None:
    assert jobs["second"].stats["fact"]["access_token_ttl"] == 3600
    assert jobs["second"].stats["fact"] == jobs["second"].stats["result"]


def test_whether_the_fact_is_there_in_the_next_job_depends_on_ansible_core(jobs: Jobs) -> None:
    """The guide says so. If this fails, ansible-core and AWX understand each other again."""
    assert jobs["first"].stats["cached"] == "nothing"
    left = {path.name for path in (jobs["second"].artifacts / "fact_cache").iterdir()}
    if ansible_version < (2, 19):
        assert left == {"localhost"}
        assert jobs["third"].stats["cached"] == jobs["second"].stats["fact"]
    else:
        assert RENAMED in left
        assert jobs["second"].facts == {}
        assert jobs["third"].stats["cached"] == "nothing"


def test_a_preview_caches_what_is_true_and_not_what_it_announces(jobs: Jobs) -> None:
    announced = jobs["first"].stats["result"]
    assert (announced["state"], announced["access_token_ttl"]) == ("present", 3600)
    assert jobs["first"].stats["fact"]["state"] == "absent"
    assert cached(jobs["first"])["state"] == "absent"
    assert cached(jobs["second"]) == jobs["second"].stats["fact"]
    assert jobs["third"].stats["result"]["access_token_ttl"] == 60
    assert cached(jobs["third"])["access_token_ttl"] == 3600
