# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an audit reports, and how it runs."""

from __future__ import annotations

import csv
import io
import json
import stat
import typing as t
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
import yaml
from tools.paths import ROOT

from audit.conftest import Messy
from audit.harness import Audit, audits, by_secret, by_token, names, with_status, writes
from audit.worlds import HOSTILE, NOBODY, PRINCIPAL, STORED, TENANT, clean, enormous, entry
from emulator import running

# Those who look at the same audit share a process.
# From where on a runner drops the result of an event.
EVENT_LIMIT = 700_000
SCHEMA = ROOT / "roles" / "identities_audit" / "files" / "report.schema.json"

Entry = dict[str, t.Any]


def drifted_in(report: Entry) -> dict[str | None, Entry]:
    return {item["name"]: item for item in with_status(report, "drifted")}


def differences_of(item: Entry) -> dict[str, tuple[t.Any, t.Any]]:
    return {
        change["field"]: (change["desired"], change["actual"]) for change in item["differences"]
    }


def test_counts_are_in_report_statistics_and_on_the_console(mess: Messy) -> None:
    counts = mess.audit.report["counts"]
    # HOSTILE has six in the list, whose resource differs, and seven that are not in it.
    expected = {
        "listed": 17,
        "as_desired": 2,
        "drifted": 12,
        "unknown": 3,
        "to_create": 1,
        "to_delete": 1,
        "unlisted": 9,
    }
    assert {key: counts[key] for key in expected} == expected
    severities = ("findings_high", "findings_medium", "findings_low")
    assert counts["findings"] == sum(counts[key] for key in severities) > 0
    (statistics,) = (record for record in mess.run.records if record.status == "stats")
    assert statistics.result == {"_run": {"infisical_audit_counts": counts}}
    assert mess.run.returncode == 2
    lines = mess.audit.console
    assert lines[0] == mess.audit.report["verdict"]["sentence"]
    assert lines[0].startswith("The audit is incomplete: 3 of 17 identities could not be checked, ")
    assert "Drifted (12):" in lines
    assert "Could not be checked (3):" in lines
    assert f"High findings ({counts['findings_high']}):" in lines
    assert len(lines) <= 40
    assert all(f"  {sentence}" in lines for sentence in mess.audit.report["not_visible"])


def test_it_fails_with_the_reason_and_with_where_to_read_more(mess: Messy) -> None:
    assert mess.audit.failure == (
        "The audit fails because it is incomplete, and 12 identities have drifted."
        " identities_audit_fail_on is drift. The reports are in"
        f" {mess.audit.html}, {mess.audit.json}."
    )


def test_drift_is_told_by_setting_also_where_some_identities_fail(mess: Messy) -> None:
    drifted = drifted_in(mess.audit.report)
    assert list(drifted)[:6] == ["attach", "revoke", "lax", "new", "leave", "plain"]
    assert differences_of(drifted["lax"]) == {
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
    assert differences_of(drifted["attach"])["azure_auth.state"] == ("present", "absent")
    assert differences_of(drifted["attach"])["azure_auth.tenant_id"] == (TENANT, None)
    assert differences_of(drifted["revoke"])["azure_auth.state"] == ("absent", "present")


def test_drift_is_also_of_the_identity_itself(mess: Messy) -> None:
    plain = drifted_in(mess.audit.report)["plain"]
    assert plain["action"] == "update"
    assert differences_of(plain) == {
        "role": ("no-access", "member"),
        "metadata": ({"team": "payments"}, {}),
        "delete_protection": (True, False),
    }
    # What it is like is what there is, and not what is desired.
    assert (plain["role"], plain["delete_protection"]) == ("member", False)


def test_what_is_not_there_and_what_is_to_go_have_drifted(mess: Messy) -> None:
    drifted = drifted_in(mess.audit.report)
    actions = {name: item["action"] for name, item in drifted.items()}
    assert (actions.pop("new"), actions.pop("leave")) == ("create", "delete")
    assert set(actions.values()) == {"update"}
    assert (drifted["new"]["id"], drifted["new"]["entry"]) == (None, 6)
    # What is to go is told as it is.
    assert drifted["leave"]["azure_auth"]["tenant_id"] == TENANT


def test_what_could_not_be_checked_is_told_with_its_reason(mess: Messy) -> None:
    items = with_status(mess.audit.report, "unknown")
    unknown = {item["name"] or item["id"]: item for item in items}
    assert set(unknown) == {"broken", "wrong", NOBODY}
    assert unknown["broken"]["http_status"] == 403
    assert unknown["broken"]["error"] == "PermissionDenied"
    assert "You are not allowed to read on identity" in unknown["broken"]["msg"]
    assert unknown[NOBODY]["msg"]
    assert "access_token_ttl is -1; write a whole number" in unknown["wrong"]["msg"]
    assert [item["entry"] for item in unknown.values() if item["entry"] is None] == []


def test_unlisted_are_those_that_neither_id_nor_name_lists(mess: Messy) -> None:
    """An id in capitals is the same."""
    unlisted = [item for item in with_status(mess.audit.report, "unlisted") if item["azure_auth"]]
    by_name = {item["name"]: item for item in unlisted}
    assert {"forgotten", "unowned"} <= set(by_name)
    assert len(unlisted) == 2 + len(HOSTILE[6:])
    assert by_name["unowned"]["project_id"] == mess.emulator.project_id
    assert by_name["forgotten"]["role"] == "no-access"
    assert by_name["forgotten"]["paste"].startswith("- name: forgotten\n")


def test_each_identity_is_there_once(mess: Messy) -> None:
    report = mess.audit.report
    ids = [item["id"] for item in report["identities"] if item["id"]]
    assert len(ids) == len(set(ids))
    assert {*mess.emulator.identities.values()} - set(ids) <= {
        mess.emulator.identities[name] for name in ("foreign", "sub-organization")
    }
    # Those that are to be created, and the two that nobody knows, are no identities.
    assert len(report["identities"]) == report["counts"]["identities"] + 3


def test_findings_are_of_the_whole_organization(mess: Messy) -> None:
    found = {rule["rule"]: rule for rule in mess.audit.report["findings"]}
    keys = {item["key"]: item["name"] for item in mess.audit.report["identities"]}
    (open_one,) = found["open_to_tenant"]["identities"]
    assert keys[open_one["key"]] == "lax"
    assert found["ipv4_opened_by_ipv6"]["identities"][0]["value"] == ["::/0"]
    assert {"no_lifetime_limit", "not_a_network", "unlimited_uses"} <= set(found)


def test_the_report_is_as_its_schema_says(mess: Messy) -> None:
    report = mess.audit.report
    jsonschema.validate(report, json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert report["url"] == mess.emulator.url
    assert report["organization"] == mess.emulator.organization_id
    assert report["source"] == "identities_audit_desired"
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
    assert report["versions"]["collection"] == galaxy["version"]
    assert (report["complete"], report["baseline"]) == (False, None)


def test_nothing_is_written_and_no_token_is_left(mess: Messy) -> None:
    assert writes(mess.emulator) == []
    assert mess.emulator.live_tokens() == mess.live_tokens
    paths = [request.path for request in mess.emulator.requests()]
    assert sum(path.endswith("/universal-auth/login") for path in paths) == 1
    assert sum(path.endswith("/auth/token/revoke") for path in paths) == 1


def test_no_name_is_taken_for_a_template(mess: Messy) -> None:
    assert not list(mess.audit.folder.rglob("hit"))
    told = mess.audit.json.read_text(encoding="utf-8")
    assert "{{ lookup('ansible.builtin.pipe', 'touch hit') }}" in told


def test_no_name_is_obeyed_by_a_terminal(mess: Messy) -> None:
    lines = mess.run.output.split("\n")
    assert [line for line in lines if not line.isprintable()] == []
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
    """With as many principals as Infisical has room for."""
    with running() as emulator:
        case = {"identities_audit_desired": enormous(emulator, 120)}
        audit = audits(by_secret(emulator), tmp_path, {"enormous": case})["enormous"]
    assert audit.report["counts"]["drifted"] == 120
    assert max(record.size for record in audit.records) < EVENT_LIMIT / 10


@pytest.fixture(scope="module")
def other(mess: Messy, tmp_path_factory: pytest.TempPathFactory) -> Audit:
    """An audit of the same by other means: for real, of files, with a login, in every form."""
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
        "identities_audit_fail_on": "never",
        "identities_audit_html": "",
        "identities_audit_baseline": str(mess.audit.json),
        **{
            f"identities_audit_{form}": str(folder / "forms" / f"audit.{form}")
            for form in ("junit", "sarif", "markdown", "csv")
        },
    }
    return audits(by_secret(mess.emulator), folder, {"other": case})["other"]


def test_a_real_run_says_and_writes_what_check_mode_does(mess: Messy, other: Audit) -> None:
    assert other.failure is None
    assert settled(other.report) == settled(mess.audit.report)
    assert writes(mess.emulator) == []
    assert not other.html.exists()


def settled(report: Entry) -> Entry:
    """Return a report without what differs from run to run, or with where the list is from."""
    identities = [{**item, "request_id": None, "source": None} for item in report["identities"]]
    changing = dict.fromkeys(("created_at", "source", "baseline"))
    return {**report, **changing, "identities": identities}


def test_a_baseline_says_what_is_new_and_what_is_gone(mess: Messy, other: Audit) -> None:
    baseline = other.report["baseline"]
    assert baseline["created_at"] == mess.audit.report["created_at"]
    nothing: Entry = {"findings": [], "drifted": [], "unlisted": [], "identities": []}
    assert (baseline["new"], baseline["gone"]) == (nothing, nothing)


def test_every_form_is_written(other: Audit) -> None:
    folder = other.folder.parent / "forms"
    texts = {path.suffix: path.read_bytes().decode() for path in folder.iterdir()}
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o640}
    suites = ElementTree.fromstring(texts[".junit"])
    assert suites.get("name") == "identities_audit"
    assert json.loads(texts[".sarif"])["version"] == "2.1.0"
    assert other.report["verdict"]["sentence"][:20] in texts[".markdown"]
    rows = list(csv.reader(io.StringIO(texts[".csv"], newline="")))
    assert rows[0][0] == "kind"
    assert {len(row) for row in rows} == {len(rows[0])}
    assert "\r\r" not in texts[".csv"]


def test_what_comes_from_a_file_is_told_with_its_file_and_line(mess: Messy, other: Audit) -> None:
    items = [item for item in other.report["identities"] if item["entry"]]
    sources = {item["entry"]: str(item["source"]).rpartition("/")[2] for item in items}
    assert sources[2].startswith("a.yml:")
    assert (sources[5].partition(":")[0], sources[10].partition(":")[0]) == ("b.json", "b.yaml")
    assert {item["source"] for item in mess.audit.report["identities"]} == {None}


@pytest.mark.usefixtures("other")
def test_a_login_that_is_given_is_used_and_not_ended(mess: Messy) -> None:
    paths = [request.path for request in mess.emulator.requests()]
    assert [path for path in paths if path.endswith(("/login", "/token/revoke"))] == []
    assert mess.emulator.live_tokens() == mess.live_tokens


LISTS = {
    "2024-10": [],
    "2025-06": [],
    "2026": ["/api/v2/identities/search", "/api/v1/projects/search", "/api/v1/sub-organizations"],
}


@pytest.mark.parametrize("generation", LISTS)
def test_each_azure_auth_is_read_once_and_an_identity_only_for_its_metadata(
    generation: str, tmp_path: Path
) -> None:
    with running(generation=generation) as emulator:
        desired = clean(emulator)
        attached = emulator.create_identities(["a", "b", "c"], azure_auth=STORED)
        bare = emulator.create_identity("bare")
        with_metadata = [] if generation == "2024-10" else [attached[1], bare]
        case = {
            "identities_audit_desired": [
                *desired,
                {"id": attached[0], "role": "member", "azure_auth": {"access_token_ttl": 60}},
                {"name": "b", "role": "no-access"},
                {"name": "bare", "role": "no-access"},
                entry(name="new"),
            ]
        }
        for item in case["identities_audit_desired"][6:8]:
            item.update({"metadata": {"team": "a"}} if with_metadata else {})
        audit = audits(by_token(emulator), tmp_path, {generation: case})[generation]
        asked = Counter(item.path for item in emulator.requests())
    assert audit.report["counts"]["unknown"] == 0
    assert names(audit.report, "drifted")[0] == "a"
    own = f"/api/v1/identities/{emulator.identities['admin']}"
    azure_auth = "/api/v1/auth/azure-auth/identities/"
    read = [path.removeprefix(azure_auth) for path in asked if path.startswith(azure_auth)]
    assert len(read) == len(desired) + len(attached)
    assert bare not in read
    expected = Counter([f"{azure_auth}{identity_id}" for identity_id in read])
    expected.update(f"/api/v1/identities/{identity_id}" for identity_id in with_metadata)
    expected.update(["/api/v1/identities", *LISTS[generation]])
    # Older tokens do not tell their organization.
    expected.update([] if generation == "2026" else [own])
    assert asked == expected
