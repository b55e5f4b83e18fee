# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an audit reports, and how it runs."""

from __future__ import annotations

import json
import stat
import typing as t
from pathlib import Path

import pytest
import yaml
from tools.paths import ROOT

from audit.conftest import Messy
from audit.harness import Audit, audits, by_secret, names, writes
from audit.worlds import HOSTILE, PRINCIPAL, TENANT, enormous
from emulator import running

# Those who look at the same audit share a process.
# From where on a runner drops the result of an event.
EVENT_LIMIT = 700_000

Entry = dict[str, t.Any]


def test_counts_are_in_report_statistics_and_message(mess: Messy) -> None:
    counts = mess.audit.report["counts"]
    # HOSTILE has six in the list, whose resource differs, and seven that are not in it.
    assert counts == {
        "checked": 13,
        "as_desired": 1,
        "drifted": 9,
        "not_judged": 3,
        "unlisted": 8,
        **{key: counts[key] for key in counts if key.startswith("findings")},
    }
    severities = ("findings_high", "findings_medium", "findings_low")
    assert counts["findings"] == sum(counts[key] for key in severities) > 0
    (statistics,) = (record for record in mess.run.records if record.status == "stats")
    assert statistics.result == {"_run": {"infisical_audit_counts": counts}}
    assert mess.run.returncode == 2
    failure = " ".join(str(mess.audit.failure).split())
    assert failure.startswith(
        "Identities in the list: 13, of which 1 as desired, 9 drifted, 3 could not be judged."
        " With Azure Auth, but not in the list: 8."
    )
    assert f"The report is in {mess.audit.html} and {mess.audit.json}." in failure


def test_drift_is_told_by_setting_also_where_some_identities_fail(mess: Messy) -> None:
    drifted = {item["identity_name"]: item for item in mess.audit.report["drifted"]}
    assert list(drifted)[:3] == ["attach", "revoke", "lax"]
    fields = {field["field"]: field for field in drifted["lax"]["fields"]}
    assert fields == {
        "tenant_id": {"field": "tenant_id", "desired": TENANT, "actual": TENANT.upper()},
        "allow_all_service_principals": {
            "field": "allow_all_service_principals",
            "desired": False,
            "actual": True,
        },
        "allowed_service_principal_ids": {
            "field": "allowed_service_principal_ids",
            "desired": [PRINCIPAL],
            "actual": None,
        },
        "access_token_trusted_ips": {
            "field": "access_token_trusted_ips",
            "desired": ["10.0.0.0/8"],
            "actual": ["10.0.0.0/8", "::/0", "fe80::1%eth0"],
        },
        "access_token_ttl": {"field": "access_token_ttl", "desired": 3600, "actual": 0},
        "access_token_max_ttl": {"field": "access_token_max_ttl", "desired": 86400, "actual": 0},
        "access_token_num_uses_limit": {
            "field": "access_token_num_uses_limit",
            "desired": 100,
            "actual": 0,
        },
    }
    first = {name: drifted[name]["fields"][0] for name in ("attach", "revoke")}
    assert first == {
        "attach": {"field": "state", "desired": "present", "actual": "absent"},
        "revoke": {"field": "state", "desired": "absent", "actual": "present"},
    }
    assert drifted["attach"]["fields"][1] == {
        "field": "tenant_id",
        "desired": TENANT,
        "actual": None,
    }
    # The module's own diff is printed as well, where Ansible prints one.
    assert "+++ after: Azure Auth of attach " in mess.run.output


def test_what_could_not_be_judged_is_told_with_its_reason(mess: Messy) -> None:
    not_judged = {item["identity_name"]: item for item in mess.audit.report["not_judged"]}
    assert set(not_judged) == {"broken", "gone", "wrong"}
    assert not_judged["broken"]["http_status"] == 403
    assert not_judged["broken"]["error"] == "PermissionDenied"
    assert "You are not allowed to read on identity" in not_judged["broken"]["msg"]
    assert not_judged["gone"]["identity_id"] is None
    assert not_judged["gone"]["msg"].startswith("identity_name 'gone' is not the name of any")
    assert not_judged["wrong"]["msg"].startswith("access_token_ttl is -1; write a whole number")


def test_unlisted_are_those_that_neither_id_nor_name_lists(mess: Messy) -> None:
    """An id in capitals is the same, and a name beside it is a label."""
    assert set(names(mess.audit.report["unlisted"])) == {"forgotten", *HOSTILE[6:]}


def test_findings_are_of_the_whole_organization(mess: Messy) -> None:
    found = {rule["rule"]: rule for rule in mess.audit.report["findings"]}
    assert names(found["open_to_tenant"]["identities"]) == ["lax"]
    assert found["ipv4_opened_by_ipv6"]["identities"][0]["value"] == ["::/0"]
    assert found["not_a_network"]["identities"][0]["value"] == ["fe80::1%eth0"]
    assert {"no_lifetime_limit", "malformed_tenant_id", "unlimited_uses"} <= set(found)
    assert set(found["open_to_tenant"]) == {
        *("rule", "severity", "field", "why", "fix", "identities"),
    }


def test_a_report_that_is_not_complete_says_so(mess: Messy) -> None:
    report = mess.audit.report
    assert report["complete"] is False
    (problem,) = report["problems"]
    assert problem.startswith("Not all of the organization could be read. 1 of ")


def test_the_report_has_the_documented_shape(mess: Messy) -> None:
    path = ROOT / "plugins" / "filter" / "identity_audit_report.yml"
    documented = yaml.safe_load(path.read_text(encoding="utf-8"))["RETURN"]["_value"]
    report = mess.audit.report
    assert (report["format"], report["version"]) == ("community.infisical.identities_audit", 1)
    assert report["url"] == mess.emulator.url
    check_shape(report, documented)


def check_shape(value: t.Any, documented: t.Mapping[str, t.Any]) -> None:
    """Compare a value with its documentation in RETURN, with all that is in it."""
    types = {"dict": dict, "list": list, "str": str, "int": int, "bool": bool}
    if documented["type"] != "raw" and value is not None:
        assert isinstance(value, types[documented["type"]])
    contains = documented.get("contains")
    if not contains:
        return
    for item in value if isinstance(value, list) else [value]:
        required = {key for key, about in contains.items() if "returned" not in about}
        assert required <= set(item) <= set(contains)
        for key in item:
            check_shape(item[key], contains[key])


def test_nothing_is_written_and_no_token_is_left(mess: Messy) -> None:
    assert writes(mess.emulator) == []
    assert mess.emulator.live_tokens() == mess.live_tokens
    paths = [request.path for request in mess.emulator.requests()]
    assert sum(path.endswith("/universal-auth/login") for path in paths) == 1
    assert sum(path.endswith("/auth/token/revoke") for path in paths) == 1


def test_no_name_is_taken_for_a_template(mess: Messy) -> None:
    assert not list(mess.audit.folder.rglob("hit"))
    shown = names(mess.audit.report["drifted"]) + names(mess.audit.report["unlisted"])
    assert set(HOSTILE) <= set(shown)


def test_no_name_is_obeyed_by_a_terminal(mess: Messy) -> None:
    """The differences of the module are printed, and the role's own words."""
    lines = mess.run.output.split("\n")
    assert [line for line in lines if not line.isprintable()] == []
    assert "two\\nlines" in mess.audit.json.read_text(encoding="utf-8")
    assert mess.audit.json.read_text(encoding="utf-8").replace("\n", "").isprintable()


def test_only_the_reader_may_read_the_report(mess: Messy) -> None:
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (mess.audit.html, mess.audit.json)}
    assert modes == {0o640}


def test_no_event_has_what_a_runner_would_drop_or_show(mess: Messy) -> None:
    """The list, the login and the organization are in none, so their size does not matter."""
    for record in mess.audit.records:
        text = json.dumps(record.result)
        assert mess.emulator.client_secret not in text
        assert "forgotten" not in text
    assert max(record.size for record in mess.audit.records) < EVENT_LIMIT / 10


def test_no_event_is_too_long_whatever_has_drifted(tmp_path: Path) -> None:
    """With batches as they are by default, and as many principals as Infisical has room for."""
    with running() as emulator:
        case = {"identities_audit_desired": enormous(emulator, 120)}
        audit = audits(by_secret(emulator), tmp_path, {"enormous": case})["enormous"]
    assert audit.report["counts"]["drifted"] == 120
    sizes = [record.size for record in audit.named("Identities ")]
    # Not by accident: what makes it long is in what is measured.
    assert 400_000 < max(sizes) < EVENT_LIMIT


@pytest.fixture(scope="module")
def other(mess: Messy, tmp_path_factory: pytest.TempPathFactory) -> Audit:
    """An audit of the same by other means: for real, of files, in batches, with a login."""
    folder = tmp_path_factory.mktemp("other")
    mess.emulator.clear_requests()
    listed = folder / "listed"
    (listed / "below").mkdir(parents=True)
    (listed / "a.yml").write_text(yaml.safe_dump(mess.desired[:4]), encoding="utf-8")
    wrapped = {"azure_auths": mess.desired[9:]}
    (listed / "below" / "b.yaml").write_text(yaml.safe_dump(wrapped), encoding="utf-8")
    (listed / "b.json").write_text(json.dumps(mess.desired[4:9]), encoding="utf-8")
    (listed / ".hidden.yml").write_text("nonsense: [", encoding="utf-8")
    (listed / "readme.md").write_text("nonsense: [", encoding="utf-8")
    login = {"url": mess.emulator.url, "access_token": mess.emulator.token}
    case = {
        "identities_audit_folder": str(listed),
        "identities_audit_login_data": login,
        "identities_audit_batch_size": 5,
        "identities_audit_fail_on": "never",
        "identities_audit_html": "",
    }
    return audits(by_secret(mess.emulator), folder, {"other": case})["other"]


def test_a_real_run_says_and_writes_what_check_mode_does(mess: Messy, other: Audit) -> None:
    assert other.failure is None
    assert settled(other.report) == settled(mess.audit.report)
    assert writes(mess.emulator) == []
    assert not other.html.exists()


def settled(report: Entry) -> Entry:
    """Return a report without what differs from run to run, or with the size of batches."""
    not_judged = [{**item, "request_id": None} for item in report["not_judged"]]
    return {
        **report,
        "created_at": None,
        "not_judged": sorted(not_judged, key=lambda item: str(item["identity_name"])),
    }


def test_batches_are_announced_with_the_numbers_so_far(other: Audit) -> None:
    announced = [record.task for record in other.named("Identities ")]
    assert announced == [
        "Identities 1 to 5 of 13; so far 0 drifted, 0 could not be judged",
        # gone and wrong make the module refuse the rest of their batch.
        "Identities 6 to 10 of 13; so far 3 drifted, 1 could not be judged",
        "Identities 6 to 10 of 13; so far 3 drifted, 2 could not be judged",
        "Identities 6 to 10 of 13; so far 3 drifted, 3 could not be judged",
        "Identities 11 to 13 of 13; so far 6 drifted, 3 could not be judged",
    ]


@pytest.mark.usefixtures("other")
def test_a_login_that_is_given_is_used_and_not_ended(mess: Messy) -> None:
    paths = [request.path for request in mess.emulator.requests()]
    assert [path for path in paths if path.endswith(("/login", "/token/revoke"))] == []
    assert mess.emulator.live_tokens() == mess.live_tokens
