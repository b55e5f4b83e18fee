# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook azure_auth_apply on good and bad days. What it is like as a job: test_jobs.py."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import pytest
from docs.stories import Told, ansible_playbook

from emulator import Emulator

PLAYBOOK = "community.infisical.azure_auth_apply"
SETTINGS = {
    "tenant_id": "3f6c1b52-9d0e-4a87-8c21-5b7e0f4d9a16",
    "resource": "https://management.azure.com/",
    "allowed_service_principal_ids": ["c9a1e7d4-02b8-4f35-9e6a-71d5b3f08c2e"],
}
UUID = "6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b"
BARE_ID = UUID.replace("-", "").upper()
STORED = {"tenantId": SETTINGS["tenant_id"], "resource": "r", "allowedServicePrincipalIds": "x"}


def entries(*names: str) -> list[dict[str, t.Any]]:
    return [{"identity_name": name, **SETTINGS} for name in names]


def apply(emulator: Emulator, place: Path, **variables: t.Any) -> Told:
    """Run the playbook with these of its variables."""
    return run(emulator, place, {f"azure_auth_apply_{name}": variables[name] for name in variables})


def run(emulator: Emulator, place: Path, variables: t.Mapping[str, t.Any], *more: str) -> Told:
    """Run the playbook with these extra variables, and more arguments."""
    return ansible_playbook([PLAYBOOK, "-e", json.dumps(variables), *more], emulator, place)


def write(folder: Path, files: t.Mapping[str, t.Any]) -> None:
    """Write files, by their path: a text as it is, and everything else as JSON."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else json.dumps(content)
        path.write_text(text, encoding="utf-8")


def writes(emulator: Emulator) -> list[str]:
    methods = [record.method for record in emulator.requests(path="azure-auth/identities")]
    return [method for method in methods if method != "GET"]


def counts(told: Told) -> dict[str, int]:
    """Return the numbers that the play ended with."""
    stats = [item for item in told.records if item.action == "ansible.builtin.set_stats"]
    numbers: dict[str, int] = stats[-1].result["ansible_stats"]["data"]["infisical_apply_counts"]
    return numbers


def _unwrapped(told: Told) -> str:
    """Return the output without the breaks that a terminal's width makes."""
    return " ".join(told.output.split())


@pytest.fixture(autouse=True)
def _fresh(emulator: Emulator) -> None:
    emulator.reset()


def test_purging_spares_what_is_listed_chosen_or_not_and_what_is_kept(
    emulator: Emulator, tmp_path: Path
) -> None:
    names = ("chosen", "listed", "kept", "surplus")
    ids = dict(zip(names, emulator.create_identities(names, azure_auth=STORED)))
    told = apply(
        emulator,
        tmp_path,
        desired=entries("chosen", "listed"),
        only="chosen",
        purge="yes",
        # Those that the emulator has of its own.
        keep=["kept", *(emulator.identities[key] for key in ("attached", "privileged", "twin-2"))],
    )
    assert told.returncode == 0, told.output
    left = [name for name, identity_id in ids.items() if emulator.azure_auth(identity_id)]
    assert left == ["chosen", "listed", "kept"]
    assert emulator.azure_auth(ids["listed"])["resource"] == "r"  # type: ignore[index]
    assert (counts(told)["changed"], counts(told)["purged"]) == (1, 1)


def test_nothing_is_purged_if_something_failed(emulator: Emulator, tmp_path: Path) -> None:
    ids = emulator.create_identities(["failing", "surplus"], azure_auth=STORED)
    emulator.fault("error", method="PATCH", identity_id=ids[0], status=400, message="no")
    told = apply(emulator, tmp_path, desired=entries("failing"), purge=True)
    assert told.returncode != 0
    assert f"1 of 1 identities failed. failing {ids[0]}: Could not" in told.output
    assert "DELETE" not in writes(emulator)


def test_no_name_is_obeyed_by_a_terminal(emulator: Emulator, tmp_path: Path) -> None:
    name = "a\x1b[2Kok: [localhost]\r\n\x9b2J\u202e"
    changed, failing = emulator.create_identities([name, name + "2"], azure_auth=STORED)
    emulator.fault("error", method="PATCH", identity_id=failing, status=400, message=name)
    variables = {"azure_auth_apply_desired": entries(name, name + "2")}
    told = run(emulator, tmp_path, variables, "--diff")
    assert told.returncode != 0
    assert [line for line in told.output.split("\n") if not line.isprintable()] == []
    assert f"a\\x1b[2Kok: [localhost]\\r\\n\\x9b2J\\u202e2 {failing}: Could not" in told.output
    assert emulator.azure_auth(changed)["resource"] == SETTINGS["resource"]  # type: ignore[index]
    told = run(emulator, tmp_path, {**variables, "azure_auth_apply_only": name + "3"})
    assert [line for line in told.output.split("\n") if not line.isprintable()] == []


def test_an_inventory_with_several_hosts_by_that_name_is_refused(
    emulator: Emulator, tmp_path: Path
) -> None:
    write(tmp_path, {"hosts.yml": {"localhost": {"hosts": {"one": None, "two": None}}}})
    variables = {"azure_auth_apply_desired": entries("a")}
    told = run(emulator, tmp_path, variables, "-i", "hosts.yml")
    assert told.returncode != 0
    assert "This play is for one host, and each host, or each slice" in " ".join(
        told.output.split()
    )
    assert not emulator.requests()


def test_outside_of_awx_an_inventory_may_have_other_hosts(
    emulator: Emulator, tmp_path: Path
) -> None:
    emulator.create_identities(["a"])
    told = run(emulator, tmp_path, {"azure_auth_apply_desired": entries("a")}, "-i", "web,")
    assert told.returncode == 0, told.output


def test_what_is_chosen_by_name_and_by_id_is_applied_once(
    emulator: Emulator, tmp_path: Path
) -> None:
    (identity_id,) = emulator.create_identities(["chosen"], azure_auth=STORED)
    desired = [{"identity_id": identity_id, "identity_name": "chosen", **SETTINGS}]
    told = apply(emulator, tmp_path, desired=desired, only=f"chosen, {identity_id}")
    assert told.returncode == 0, told.output
    assert counts(told)["checked"] == 1


@pytest.mark.parametrize(
    ("desired", "message"),
    [
        pytest.param(
            [{"identity_name": "second", "tenantId": "t"}],
            "azure_auths[1] (second): 'tenantId' is not an option of an entry; write tenant_id.",
            id="an option",
        ),
        pytest.param(
            entries("seconde"),
            "azure_auths[1] (seconde): identity_name 'seconde' is not the name of any identity",
            id="a name",
        ),
        pytest.param(
            entries(" first "),
            "azure_auths[1] (first) is the same identity as azure_auths[0] (first); list it once.",
            id="a name twice",
        ),
    ],
)
def test_what_is_wrong_in_a_later_batch_is_told_before_the_first_write(
    desired: list[dict[str, t.Any]], message: str, emulator: Emulator, tmp_path: Path
) -> None:
    emulator.create_identities(["first", "second", "third"])
    emulator.clear_requests()
    desired = [*entries("first"), *desired, *entries("third")]
    told = apply(emulator, tmp_path, desired=desired, batch_size=1)
    assert told.returncode != 0
    assert message in " ".join(told.output.split())
    assert not writes(emulator)
    expected = {"checked": 0, "changed": 0, "failed": 1, "purged": 0, "as_desired": 0}
    assert counts(told) == expected
    # The emulator's own; that of the play is revoked.
    assert emulator.live_tokens() == 1


def test_an_identity_by_name_and_by_id_in_different_batches_is_refused(
    emulator: Emulator, tmp_path: Path
) -> None:
    """Each of the entries would undo, in every run, what the other did."""
    (identity_id,) = emulator.create_identities(["first"])
    emulator.clear_requests()
    desired = [*entries("first"), {"identity_id": identity_id, "state": "absent"}]
    told = apply(emulator, tmp_path, desired=desired, batch_size=1)
    assert told.returncode != 0
    twice = f"azure_auths[1] ({identity_id}) is the same identity as azure_auths[0] (first)"
    assert twice in " ".join(told.output.split())
    assert not writes(emulator)


def test_who_may_keep_it_is_checked_before_the_first_write(
    emulator: Emulator, tmp_path: Path
) -> None:
    emulator.create_identities(["listed"])
    emulator.clear_requests()
    told = apply(emulator, tmp_path, desired=entries("listed"), purge=True, keep=["nobody"])
    assert told.returncode != 0
    assert "purge_except[1] 'nobody' is not the name of any identity" in told.output
    assert not writes(emulator)


def test_checking_the_list_reads_no_azure_auth(emulator: Emulator, tmp_path: Path) -> None:
    names = ("first", "second", "third")
    emulator.create_identities(names, azure_auth=STORED)
    emulator.clear_requests()
    told = apply(emulator, tmp_path, desired=entries(*names), batch_size=2)
    assert told.returncode == 0, told.output
    reads = emulator.requests(path="azure-auth/identities", method="GET")
    assert len(reads) == len(names)


def test_the_end_of_the_login_stops_the_play_and_the_entries_are_named(
    emulator: Emulator, tmp_path: Path
) -> None:
    names = ("first", "second", "third", "fourth")
    ids = emulator.create_identities(names)
    emulator.fault("error", identity_id=ids[2], status=401, error="TokenError")
    told = apply(emulator, tmp_path, desired=entries(*names), batch_size=2, concurrency=1)
    assert told.returncode != 0
    assert "Entries 3 to 4: 1 of 2 identities failed: azure_auths[0] (third): " in told.output
    assert [bool(emulator.azure_auth(item)) for item in ids] == [True, True, False, False]
    expected = {"checked": 3, "changed": 2, "failed": 1, "purged": 0, "as_desired": 0}
    assert counts(told) == expected


def test_what_failed_before_the_play_stops_is_told(emulator: Emulator, tmp_path: Path) -> None:
    names = ("first", "second", "third", "fourth")
    ids = emulator.create_identities(names)
    emulator.fault("error", identity_id=ids[0], status=403, error="PermissionDenied")
    emulator.fault("error", identity_id=ids[2], status=401, error="TokenError")
    told = apply(emulator, tmp_path, desired=entries(*names), batch_size=2, concurrency=1)
    assert told.returncode != 0
    text = " ".join(told.output.split())
    assert re.search(r"Entries 3 to 4: .* Before that failed: first [0-9a-f-]{36}: Could not", text)


def test_numbers_of_an_earlier_job_of_a_workflow_are_not_taken_for_its_own(
    emulator: Emulator, tmp_path: Path
) -> None:
    """AWX hands on what a job passes to set_stats as variables, which go before what tasks set."""
    good, bad, other = emulator.create_identities(["good", "bad", "other"], azure_auth=STORED)
    emulator.fault("error", identity_id=bad, method="PATCH", status=403, error="PermissionDenied")
    earlier = {"checked": 1, "changed": 1, "failed": 0, "purged": 0, "as_desired": 0}
    variables = {
        "azure_auth_apply_desired": entries("good", "bad"),
        "azure_auth_apply_purge": True,
        "infisical_apply_counts": earlier,
        "infisical_audit_counts": {**earlier, "drifted": 1},
    }
    told = run(emulator, tmp_path, variables)
    assert told.returncode != 0
    assert "1 of 2 identities failed" in told.output
    assert emulator.azure_auth(good)["resource"] == SETTINGS["resource"]  # type: ignore[index]
    assert emulator.azure_auth(other)


def test_an_id_is_chosen_in_any_spelling_and_a_name_with_blanks_around_it(
    emulator: Emulator, tmp_path: Path
) -> None:
    ids = emulator.create_identities(["by id", "by name", "other"], azure_auth=STORED)
    desired = [{"identity_id": ids[0].upper(), **SETTINGS}, *entries(" by name ", "other")]
    bare = ids[0].replace("-", "")
    told = apply(emulator, tmp_path, desired=desired, only=f"by name,{{{ids[0]}}}, {bare}")
    assert told.returncode == 0, told.output
    assert counts(told)["changed"] == 2
    assert emulator.azure_auth(ids[2])["resource"] == "r"  # type: ignore[index]


def test_a_folder_has_lists_in_files_and_folders_but_not_in_hidden_ones(
    emulator: Emulator, tmp_path: Path
) -> None:
    names = ("first", "second", "third")
    ids = emulator.create_identities(names)
    files = {
        "identities/a.yml": {"azure_auths": entries("first")},
        "identities/team/b.yaml": entries("second"),
        "identities/c.json": entries("third"),
        "identities/.git/d.yml": "nothing of a list",
        "identities/team/.old.yml": "nothing of a list",
    }
    # What is hidden is what is so below the folder.
    home = tmp_path / ".home"
    write(home, files)
    told = apply(emulator, tmp_path, folder=str(home / "identities"))
    assert told.returncode == 0, told.output
    resources = [emulator.azure_auth(item)["resource"] for item in ids]  # type: ignore[index]
    assert resources == [SETTINGS["resource"]] * 3
    # The warning is printed over several lines.
    assert "identities is read as a list: '.git/d.yml', 'team/.old.yml'." in _unwrapped(told)
    (applied,) = (item for item in told.records if item.result.get("checked"))
    assert [item["identity_name"] for item in applied.result["results"]] == [
        *("first", "third", "second"),
    ]


def test_nothing_is_purged_if_a_file_was_not_read(emulator: Emulator, tmp_path: Path) -> None:
    names = ("first", "second", "third")
    ids = emulator.create_identities(names, azure_auth=STORED)
    own = [emulator.identities[key] for key in ("attached", "privileged", "twin-2")]
    files = {
        "identities/a.yml": entries("first"),
        "identities/B.YML": entries("second"),
        "identities/c.yml.bak": entries("third"),
    }
    write(tmp_path, files)
    told = apply(emulator, tmp_path, folder="identities", purge=True, keep=own)
    assert told.returncode != 0
    assert "identities is read as a list: 'c.yml.bak'." in _unwrapped(told)
    assert not emulator.requests()
    (tmp_path / "identities/c.yml.bak").unlink()
    told = apply(emulator, tmp_path, folder="identities", purge=True, keep=own)
    assert told.returncode == 0, told.output
    assert [bool(emulator.azure_auth(item)) for item in ids] == [True, True, False]


def test_a_file_that_is_not_right_is_named(emulator: Emulator, tmp_path: Path) -> None:
    """What files can be is in the tests of the lookup that reads them."""
    write(tmp_path, {"identities/a.yml": entries("a"), "identities/b.yml": "azure_auths: ["})
    told = apply(emulator, tmp_path, folder="identities")
    assert told.returncode != 0
    assert f"{tmp_path / 'identities' / 'b.yml'} is not YAML" in _unwrapped(told)
    assert not emulator.requests()


def test_a_login_that_is_refused_is_told_why(emulator: Emulator, tmp_path: Path) -> None:
    emulator.fault("error", path="universal-auth/login", status=401, message="Invalid credentials")
    told = apply(emulator, tmp_path, desired=entries("billing"))
    assert told.returncode != 0
    assert "Infisical answered 401" in told.output
    assert not writes(emulator)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        pytest.param({}, "There is no list to apply", id="no list"),
        pytest.param(
            {"desired": entries("a"), "folder": "identities"}, "are both given", id="two lists"
        ),
        pytest.param({"folder": "nowhere"}, "which is not a folder; name one", id="no folder"),
        pytest.param({"desired": "a"}, "azure_auth_apply_desired is not a list", id="a name"),
        pytest.param(
            {"desired": {"azure_auths": entries("a")}},
            "azure_auth_apply_desired is not a list",
            id="a dictionary",
        ),
        pytest.param(
            {"desired": [*entries("a"), "b"]},
            "azure_auth_apply_desired is not a list",
            id="a name among entries",
        ),
        pytest.param(
            {"desired": entries("a"), "only": "a, b"}, "is not in the list: b.", id="a stranger"
        ),
        pytest.param(
            {"desired": entries("a"), "only": " ,"}, "_only has commas and no name", id="nobody"
        ),
        pytest.param(
            {"desired": entries("a"), "only": ["a"]}, "_only is ['a'], which is not a", id="a list"
        ),
        pytest.param(
            {"desired": entries("a"), "batch_size": 0},
            "_batch_size is 0; write a",
            id="no batch size",
        ),
        pytest.param(
            {"desired": entries("a"), "keep": "b"}, "_keep is not a list", id="one to keep"
        ),
        pytest.param(
            {"desired": entries("a", "b", "c", "b", "a"), "batch_size": 2},
            "azure_auths[3] (b) is the same identity as azure_auths[1] (b); list it once.",
            id="names in two batches",
        ),
        pytest.param(
            {"desired": [{"identity_id": BARE_ID}, {"identity_id": UUID}], "batch_size": 1},
            f"azure_auths[1] ({UUID}) is the same identity as azure_auths[0] ({BARE_ID});",
            id="an id in two spellings",
        ),
    ],
)
def test_mistakes_are_told_before_any_request(
    variables: dict[str, t.Any], message: str, emulator: Emulator, tmp_path: Path
) -> None:
    told = apply(emulator, tmp_path, **variables)
    assert told.returncode != 0
    assert message in _unwrapped(told)
    assert not emulator.requests()
