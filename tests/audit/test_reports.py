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
from audit.worlds import HOSTILE, NOBODY, PRINCIPAL, TENANT, enormous
from emulator import running

# Those who look at the same audit share a process.
# From where on a runner drops the result of an event.
EVENT_LIMIT = 700_000

Entry = dict[str, t.Any]


def test_counts_are_in_report_statistics_and_message(mess: Messy) -> None:
    counts = mess.audit.report["counts"]
    # HOSTILE has six in the list, whose resource differs, and seven that are not in it.
    assert counts == {
        "checked": 17,
        "as_desired": 2,
        "drifted": 12,
        "not_judged": 3,
        "to_create": 1,
        "to_delete": 1,
        "identities": counts["identities"],
        "without_azure_auth": counts["without_azure_auth"],
        "unlisted": 9,
        "unlisted_without_azure_auth": counts["unlisted_without_azure_auth"],
        **{key: counts[key] for key in counts if key.startswith("findings")},
    }
    severities = ("findings_high", "findings_medium", "findings_low")
    assert counts["findings"] == sum(counts[key] for key in severities) > 0
    (statistics,) = (record for record in mess.run.records if record.status == "stats")
    assert statistics.result == {"_run": {"infisical_audit_counts": counts}}
    assert mess.run.returncode == 2
    failure = " ".join(str(mess.audit.failure).split())
    assert failure.startswith(
        "Identities in the list: 17, of which 2 as desired, 12 drifted, 3 could not be judged."
        " With Azure Auth, but not in the list: 9; without it: "
    )
    assert "Applying the list would create 1 and delete 1." in failure
    assert all(f"Not seen: {sentence}" in failure for sentence in mess.audit.report["not_visible"])
    assert f"The report is in {mess.audit.html} and {mess.audit.json}." in failure


def test_drift_is_told_by_setting_also_where_some_identities_fail(mess: Messy) -> None:
    drifted = {item["name"]: item for item in mess.audit.report["drifted"]}
    assert list(drifted)[:6] == ["attach", "revoke", "lax", "new", "leave", "plain"]
    fields = {field["field"]: (field["desired"], field["actual"]) for field in lax_fields(drifted)}
    assert fields == {
        "azure_auth.tenant_id": (TENANT, TENANT.upper()),
        "azure_auth.allow_all_service_principals": (False, True),
        "azure_auth.allowed_service_principal_ids": ([PRINCIPAL], None),
        "azure_auth.access_token_trusted_ips": (
            ["10.0.0.0/8"],
            ["10.0.0.0/8", "::/0", "fe80::1%eth0"],
        ),
        "azure_auth.access_token_ttl": (3600, 0),
        "azure_auth.access_token_max_ttl": (86400, 0),
        "azure_auth.access_token_num_uses_limit": (100, 0),
    }
    first = {name: drifted[name]["fields"][0] for name in ("attach", "revoke")}
    assert first == {
        "attach": {"field": "azure_auth.state", "desired": "present", "actual": "absent"},
        "revoke": {"field": "azure_auth.state", "desired": "absent", "actual": "present"},
    }
    assert drifted["attach"]["fields"][1] == {
        "field": "azure_auth.tenant_id",
        "desired": TENANT,
        "actual": None,
    }
    # The module's own diff is printed as well, where Ansible prints one.
    assert "+++ after: " in mess.run.output


def lax_fields(drifted: t.Mapping[str, Entry]) -> list[Entry]:
    fields: list[Entry] = drifted["lax"]["fields"]
    return fields


def test_drift_is_also_of_the_identity_itself(mess: Messy) -> None:
    drifted = {item["name"]: item for item in mess.audit.report["drifted"]}
    assert drifted["plain"]["action"] == "update"
    fields = {
        field["field"]: (field["desired"], field["actual"]) for field in drifted["plain"]["fields"]
    }
    assert fields == {
        "role": ("no-access", "member"),
        "metadata": ({"team": "payments"}, {}),
        "delete_protection": (True, False),
    }
    # What it is like is what there is, and not what is desired.
    assert (drifted["plain"]["role"], drifted["plain"]["delete_protection"]) == ("member", False)


def test_what_is_not_there_and_what_is_to_go_have_drifted(mess: Messy) -> None:
    drifted = {item["name"]: item for item in mess.audit.report["drifted"]}
    actions = {name: item["action"] for name, item in drifted.items()}
    assert (actions.pop("new"), actions.pop("leave")) == ("create", "delete")
    assert set(actions.values()) == {"update"}
    assert drifted["new"]["id"] is None
    assert drifted["new"]["entry"] == 6
    new = {field["field"]: field["desired"] for field in drifted["new"]["fields"]}
    assert (new["state"], new["role"], new["azure_auth.tenant_id"]) == (
        *("present", "member"),
        TENANT,
    )
    assert drifted["leave"]["fields"][0] == {
        "field": "state",
        "desired": "absent",
        "actual": "present",
    }


def test_what_could_not_be_judged_is_told_with_its_reason(mess: Messy) -> None:
    not_judged = {item["name"] or item["id"]: item for item in mess.audit.report["not_judged"]}
    assert set(not_judged) == {"broken", "wrong", NOBODY}
    assert not_judged["broken"]["http_status"] == 403
    assert not_judged["broken"]["error"] == "PermissionDenied"
    assert "You are not allowed to read on identity" in not_judged["broken"]["msg"]
    assert not_judged[NOBODY]["msg"]
    assert "access_token_ttl is -1; write a whole number" in not_judged["wrong"]["msg"]
    assert [item["entry"] for item in not_judged.values() if item["entry"] is None] == []


def test_unlisted_are_those_that_neither_id_nor_name_lists(mess: Messy) -> None:
    """An id in capitals is the same."""
    unlisted = {item["name"]: item for item in mess.audit.report["unlisted"]}
    assert set(unlisted) == {"forgotten", "unowned", *HOSTILE[6:]}
    assert unlisted["unowned"]["project_id"] == mess.emulator.project_id
    assert unlisted["forgotten"]["role"] == "no-access"


def test_who_has_no_azure_auth_is_told_apart(mess: Messy) -> None:
    report = mess.audit.report
    others = report["unlisted_without_azure_auth"]
    # What the audit is logged in as, for one.
    assert mess.emulator.identities["admin"] in [item["id"] for item in others]
    assert not set(names(others)) & {"plain", "attach", *names(report["unlisted"])}
    found = {item["id"] for rule in report["findings"] for item in rule["identities"]}
    assert not found & {item["id"] for item in others}
    counts = report["counts"]
    assert counts["unlisted_without_azure_auth"] == len(others)
    # "plain" and "attach" have none either, and are in the list.
    assert counts["without_azure_auth"] == len(others) + 2


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
    wrapped = {"identities": mess.desired[9:]}
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
    not_judged = [{**item, "request_id": None, "source": None} for item in report["not_judged"]]
    return {
        **report,
        "created_at": None,
        "drifted": [{**item, "source": None} for item in report["drifted"]],
        "not_judged": sorted(not_judged, key=lambda item: str(item["entry"])),
    }


def test_what_comes_from_a_file_is_told_with_its_file_and_line(mess: Messy, other: Audit) -> None:
    items = [*other.report["drifted"], *other.report["not_judged"]]
    sources = {item["entry"]: str(item["source"]).rpartition("/")[2] for item in items}
    assert sources[2].startswith("a.yml:")
    assert (sources[5].partition(":")[0], sources[10].partition(":")[0]) == ("b.json", "b.yaml")
    assert {item["source"] for item in mess.audit.report["drifted"]} == {None}


def test_batches_are_announced_with_the_numbers_so_far(other: Audit) -> None:
    announced = [record.task for record in other.named("Identities ")]
    assert announced == [
        "Identities 1 to 5 of 17; so far 0 drifted, 0 could not be judged",
        # What is wrong makes the module refuse the rest of its batch.
        "Identities 6 to 10 of 17; so far 3 drifted, 1 could not be judged",
        "Identities 6 to 10 of 17; so far 3 drifted, 2 could not be judged",
        "Identities 11 to 15 of 17; so far 6 drifted, 3 could not be judged",
        "Identities 16 to 17 of 17; so far 10 drifted, 3 could not be judged",
    ]


@pytest.mark.usefixtures("other")
def test_a_login_that_is_given_is_used_and_not_ended(mess: Messy) -> None:
    paths = [request.path for request in mess.emulator.requests()]
    assert [path for path in paths if path.endswith(("/login", "/token/revoke"))] == []
    assert mess.emulator.live_tokens() == mess.live_tokens
