# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The jobs of the extension do what they say, as AWX sees it: by events, stats and what is left.

A job takes seconds, so each test here looks at the same few jobs, which run one after the other on
one fleet.
"""

from __future__ import annotations

import json
import ssl
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
import trustme
from functional.forwarder import Forwarder, serving

from awx.jobs import (
    MAX_EVENT_RES,
    NOTHING,
    Job,
    Template,
    launch,
    launch_elsewhere,
    project_of,
    texts,
)
from emulator import Emulator

TENANT = "3f6c1b52-9d0e-4a87-8c21-5b7e0f4d9a16"
# 120 identities with as many principals as Infisical stores, and many networks, are more than an
# event holds; 50, which is the default, are not, even if all of that becomes something else.
SIZE = 120
BATCHES = [50, 50, 20]
PRINCIPALS = [f"c9a1e7d4-02b8-4f35-9e6a-{number:012x}" for number in range(53)]
NETWORKS = [f"2001:db8:{number:x}::/48" for number in range(0x1000, 0x1018)]
OTHER_PRINCIPALS = [f"5e8d2c17-a4f9-4b60-8d33-{number:012x}" for number in range(53)]
OTHER_NETWORKS = [f"2001:db8:{number:x}::/48" for number in range(0x2000, 0x2018)]
NAMES = [f"service {number}" for number in range(SIZE)]


def desired() -> list[dict[str, t.Any]]:
    """Return the list that is applied."""
    return [
        {
            "name": name,
            "azure_auth": {
                "tenant_id": TENANT,
                "resource": "https://management.azure.com/",
                "allowed_service_principal_ids": PRINCIPALS,
                "access_token_trusted_ips": NETWORKS,
                "access_token_ttl": 3600,
            },
        }
        for name in NAMES
    ]


@dataclass
class Jobs:
    """The jobs, in the order in which they ran, and what the server was told to write in each."""

    preview: Job
    unbatched: Job
    applied: Job
    applied_streams: tuple[bytes, bytes]
    again: Job
    replacing: Job
    failing: Job
    audit: Job
    writes: dict[str, list[str]]

    def all(self) -> list[Job]:
        """Every job."""
        return [item for item in vars(self).values() if isinstance(item, Job)]


def writes(emulator: Emulator) -> list[str]:
    """Return how Azure Auth was written since the last call."""
    methods = [record.method for record in emulator.requests(path="azure-auth/identities")]
    emulator.clear_requests()
    return [method for method in methods if method != "GET"]


def store(
    emulator: Emulator, ids: t.Iterable[str], principals: list[str], networks: list[str]
) -> None:
    """Give all identities these principals and networks, past the API."""
    for identity_id in ids:
        emulator.put_azure_auth(
            identity_id,
            allowedServicePrincipalIds=",".join(principals),
            accessTokenTrustedIps=networks,
        )


@pytest.fixture(scope="module")
def front(emulator: Emulator) -> t.Iterator[tuple[str, str]]:
    """The same server with TLS: its URL, and the certificate of its authority."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with serving(Forwarder(emulator.url, tls=context)) as forwarder:
        yield forwarder.url, authority.cert_pem.bytes().decode()


@pytest.fixture(scope="module")
def jobs(
    emulator: Emulator,
    credential: dict[str, str],
    front: tuple[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Jobs:
    """Run the jobs: a preview, the real thing on another node, and so on."""
    folder = tmp_path_factory.mktemp("jobs")
    project = project_of(folder, desired())
    ids = emulator.create_identities(NAMES)
    made: dict[str, t.Any] = {}
    written: dict[str, list[str]] = {}

    def template(playbook: str = "identities_apply.yml", **given: t.Any) -> Template:
        return Template(playbook, **{"credential": credential, "project": project, **given})

    def run(name: str, job: Template) -> None:
        made[name] = launch(job, folder / name)
        written[name] = writes(emulator)

    writes(emulator)
    run("preview", template(check=True))
    run("unbatched", template(check=True, extra_vars={"identities_apply_batch_size": SIZE}))
    url, certificate = front
    private = {**credential, "url": url, "ca_bundle": certificate}
    made["applied"], *streams = launch_elsewhere(
        template(credential=private),
        folder / "applied",
        folder / "node",
    )
    written["applied"] = writes(emulator)
    token = {"url": emulator.url, "auth_method": "token_auth", "token": emulator.token}
    run("again", template(credential=token))
    store(emulator, ids, OTHER_PRINCIPALS, OTHER_NETWORKS)
    run("replacing", template(check=True))
    store(emulator, ids, PRINCIPALS, NETWORKS)
    for identity_id in ids[:40]:
        emulator.put_azure_auth(identity_id, accessTokenTTL=60)
    run("audit", template("identities_audit.yml", check=True))
    emulator.fault("error", method="PATCH", identity_id=[ids[3], ids[25]], status=400, message="no")
    survey = {"identities_apply_batch_size": 20, "identities_apply_only": ",".join(NAMES[:30])}
    # In a workflow, what the audit handed on is among the variables.
    run("failing", template(extra_vars={**made["audit"].stats, **survey}, verbosity=4))
    emulator.clear_faults()
    return Jobs(applied_streams=(streams[0], streams[1]), writes=written, **made)


def identities_of(job: Job) -> dict[str, dict[str, t.Any]]:
    """Return what the job's events say of single identities, by name."""
    results = job.results("infisical_identities")
    return {item["name"]: item for result in results for item in result["results"]}


def differences_of(job: Job) -> list[dict[str, t.Any]]:
    """Return the differences that the job's events show; the task that checks entries has none."""
    results = job.results("infisical_identities")
    return [item for result in results for item in result.get("diff", [])]


def test_a_preview_changes_nothing_and_shows_everything(jobs: Jobs) -> None:
    assert jobs.preview.status == "successful"
    assert jobs.writes["preview"] == []
    assert list(identities_of(jobs.preview)) == NAMES
    headers = [item["after_header"] for item in differences_of(jobs.preview)]
    assert [header.split()[:3] for header in headers] == [
        ["Identity", *name.split()] for name in NAMES
    ]
    assert f"+++ after: Identity {NAMES[-1]} " in jobs.preview.output


def test_a_real_run_does_what_the_preview_said(jobs: Jobs) -> None:
    assert jobs.applied.status == "successful"
    assert jobs.writes["applied"] == ["POST"] * SIZE
    assert jobs.applied.stats == jobs.preview.stats
    assert differences_of(jobs.applied) == differences_of(jobs.preview)


def test_a_second_run_changes_nothing(jobs: Jobs) -> None:
    assert jobs.again.status == "successful"
    assert jobs.writes["again"] == []
    assert (jobs.again.changed, jobs.applied.changed) == (0, len(BATCHES))
    assert identities_of(jobs.again) == {}


def test_stats_are_handed_on(jobs: Jobs) -> None:
    nothing = {**NOTHING, "checked": SIZE}
    assert jobs.applied.stats == {"infisical_apply_counts": {**nothing, "changed": SIZE}}
    assert jobs.again.stats == {"infisical_apply_counts": {**nothing, "as_desired": SIZE}}
    assert jobs.failing.stats["infisical_apply_counts"] == {
        **nothing,
        "checked": 30,
        "changed": 28,
        "failed": 2,
    }


def test_names_of_tasks_tell_how_far_the_job_is(jobs: Jobs) -> None:
    titles = [
        event["event_data"]["name"].removeprefix("community.infisical.identities_apply : ")
        for event in jobs.failing.events
        if event["event"] == "playbook_on_task_start"
    ]
    assert [title for title in titles if title.startswith("Apply entr")] == [
        "Apply entries 1 to 20 of 30 (0 changed, 0 failed so far)",
        "Apply entries 21 to 30 of 30 (19 changed, 1 failed so far)",
    ]


def test_identities_that_failed_are_named_and_the_others_are_done(jobs: Jobs) -> None:
    assert jobs.failing.status == "failed"
    failed = [name for name, item in identities_of(jobs.failing).items() if item["failed"]]
    assert failed == [NAMES[3], NAMES[25]]
    assert set(jobs.writes["failing"]) == {"PATCH"}
    (event,) = (event for event in jobs.failing.events if event["event"] == "runner_on_failed")
    assert event["event_data"]["res"]["msg"].startswith("2 of 30 identities failed. ")
    (listed,) = (
        event["event_data"]["res"]["msg"]
        for event in jobs.failing.events
        if event["event"] == "runner_on_ok"
        and event["event_data"]["task"] == "List the identities that failed"
    )
    assert all("Infisical answered 400" in line for line in listed)
    assert [line.rpartition(" (/")[0][:-37] for line in listed] == [NAMES[3], NAMES[25]]
    # A batch with failures still shows what it changed.
    assert len(differences_of(jobs.failing)) == 28


def test_events_of_batches_are_small_enough_for_awx(
    jobs: Jobs, record_property: t.Callable[[str, object], None]
) -> None:
    results = [item for item in jobs.replacing.results("infisical_identities") if item["checked"]]
    assert [item["changed_count"] for item in results] == BATCHES
    sizes = [len(str(item)) for item in results]
    record_property("largest result of a batch of 50", f"{max(sizes)} characters")
    # Twice as many would be too many.
    assert MAX_EVENT_RES / 2 < max(sizes) < MAX_EVENT_RES
    for job in jobs.all():
        if job is not jobs.unbatched:
            dropped = [
                event["event_data"]["task"]
                for event in job.events
                if event["event"] == "runner_on_ok" and not event["event_data"]["res"]
            ]
            assert dropped == []


def test_without_batches_awx_drops_what_a_task_says(jobs: Jobs) -> None:
    """What the batches are for. The numbers get through even so."""
    assert jobs.unbatched.results("infisical_identities")[1:] == [{}]
    assert jobs.unbatched.stats == jobs.preview.stats


def test_the_audit_fails_for_drift_and_hands_on_how_much(jobs: Jobs) -> None:
    assert jobs.audit.status == "failed"
    assert jobs.writes["audit"] == []
    counts = jobs.audit.stats["infisical_audit_counts"]
    assert (counts["listed"], counts["drifted"]) == (SIZE, 40)
    assert "40 identities have drifted" in jobs.audit.output


def test_no_secret_is_in_an_event_or_an_artifact(jobs: Jobs, emulator: Emulator) -> None:
    """But where ansible-runner itself keeps what it was started with: one file, one line."""
    secrets = {*emulator.state.labels, emulator.client_secret, emulator.token}
    assert len(secrets) > len(jobs.all())
    searched = 0
    for job in jobs.all():
        left = texts(job.folder)
        started = left.pop(str((job.artifacts / "command").relative_to(job.folder)))
        assert any(secret in started for secret in secrets)
        left["events"] = json.dumps(job.events)
        searched += len(left)
        found = [name for name, text in left.items() for secret in secrets if secret in text]
        assert found == []
    assert searched > 100
    assert (jobs.audit.folder / "project" / "identities_audit.html").exists()
    _there, back = jobs.applied_streams
    lines = [line for line in back.splitlines() if emulator.client_secret.encode() in line]
    assert [json.loads(line)["status"] for line in lines] == ["starting"]


def test_jobs_leave_no_token_behind_but_the_one_that_was_given(
    jobs: Jobs, emulator: Emulator
) -> None:
    """The credential of one job holds a token, which the next job needs as well."""
    assert jobs.again.status == "successful"
    assert emulator.live_tokens() == 1
    emulator.clear_requests()
    answer = requests.get(
        f"{emulator.url}/api/v1/auth/azure-auth/identities/{emulator.identities['attached']}",
        headers={"Authorization": f"Bearer {emulator.token}"},
        timeout=10,
    )
    assert answer.status_code == 200


def test_a_private_authority_comes_with_the_credential(jobs: Jobs, front: tuple[str, str]) -> None:
    url, certificate = front
    started = json.loads((jobs.applied.artifacts / "command").read_text(encoding="utf-8"))
    bundle = Path(started["env"]["REQUESTS_CA_BUNDLE"])
    assert started["env"]["INFISICAL_URL"] == url
    assert bundle.parent.parent == jobs.applied.folder.with_name("node")
    assert bundle.read_text(encoding="utf-8").strip() == certificate.strip()
