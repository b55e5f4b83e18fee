# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role identities_apply on good and bad days, by its playbook. As a job: test_jobs.py."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import pytest
import yaml
from docs.stories import Told, ansible_playbook
from tools.paths import ROOT

from awx.jobs import NOTHING
from emulator import Emulator

PLAYBOOK = "community.infisical.identities_apply"
SETTINGS = {
    "tenant_id": "3f6c1b52-9d0e-4a87-8c21-5b7e0f4d9a16",
    "resource": "https://management.azure.com/",
    "allowed_service_principal_ids": ["c9a1e7d4-02b8-4f35-9e6a-71d5b3f08c2e"],
}
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
UUID = "6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b"
# Those with Azure Auth that the emulator has of its own.
OWN = ("attached", "privileged", "twin-2")
BARE_ID = UUID.replace("-", "").upper()
STORED = {"tenantId": SETTINGS["tenant_id"], "resource": "r", "allowedServicePrincipalIds": "x"}


def entries(*names: str) -> list[dict[str, t.Any]]:
    return [{"name": name, "azure_auth": SETTINGS} for name in names]


def apply(emulator: Emulator, place: Path, **variables: t.Any) -> Told:
    """Run the playbook with these of its variables."""
    return run(emulator, place, {f"identities_apply_{name}": variables[name] for name in variables})


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
    """Return what was written, to identities and to their Azure Auth."""
    records = emulator.requests(path="identities")
    return [
        record.method
        for record in records
        if record.method != "GET" and not record.path.endswith("/search")
    ]


def own(emulator: Emulator) -> list[str]:
    """Return the ids of the identities with Azure Auth that are there from the start."""
    return [emulator.identities[key] for key in OWN]


def with_azure_auth(emulator: Emulator, ids: t.Mapping[str, str]) -> list[str]:
    """Return the names of those that have Azure Auth."""
    return [name for name in ids if emulator.azure_auth(ids[name])]


def counts(told: Told) -> dict[str, int]:
    """Return the numbers that the play ended with."""
    stats = [item for item in told.records if item.action == "ansible.builtin.set_stats"]
    numbers: dict[str, int] = stats[-1].result["ansible_stats"]["data"]["infisical_apply_counts"]
    return numbers


def summary(told: Told) -> str:
    """Return the sentence that the role ends with."""
    printed = [item for item in told.records if item.action == "ansible.builtin.debug"]
    return str(printed[-1].result["msg"])


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
        keep=["kept", *own(emulator)],
    )
    assert told.returncode == 0, told.output
    assert with_azure_auth(emulator, ids) == ["chosen", "listed", "kept"]
    assert emulator.azure_auth(ids["listed"])["resource"] == "r"  # type: ignore[index]
    assert counts(told) == {**NOTHING, "checked": 2, "changed": 1, "revoked": 1, "purged": 1}
    assert summary(told).startswith(
        "Created 0, changed 1, revoked 1 (1 not in the list), deleted 0, failed 0, unchanged 0 of 1"
        " identity in "
    )


def test_nothing_is_purged_if_something_failed(emulator: Emulator, tmp_path: Path) -> None:
    ids = emulator.create_identities(["failing", "surplus"], azure_auth=STORED)
    emulator.fault("error", method="PATCH", identity_id=ids[0], status=400, message="no")
    told = apply(emulator, tmp_path, desired=entries("failing"), purge=True)
    assert told.returncode != 0
    assert f'"failing {ids[0]}: Could not' in told.output
    assert "1 of 1 identity failed." in told.output
    assert "DELETE" not in writes(emulator)


def test_no_name_is_obeyed_by_a_terminal(emulator: Emulator, tmp_path: Path) -> None:
    name = "a\x1b[2Kok: [localhost]\r\n\x9b2J\u202e"
    changed, failing = emulator.create_identities([name, name + "2"], azure_auth=STORED)
    emulator.fault("error", method="PATCH", identity_id=failing, status=400, message=name)
    variables = {"identities_apply_desired": entries(name, name + "2")}
    told = run(emulator, tmp_path, variables, "--diff")
    assert told.returncode != 0
    assert [line for line in told.output.split("\n") if not line.isprintable()] == []
    shown = r"a\\x1b[2Kok: [localhost]\\r\\n\\x9b2J\\u202e2"
    assert f"{shown} {failing}: Could not" in told.output
    assert emulator.azure_auth(changed)["resource"] == SETTINGS["resource"]  # type: ignore[index]
    told = run(emulator, tmp_path, {**variables, "identities_apply_only": name + "3"})
    assert [line for line in told.output.split("\n") if not line.isprintable()] == []


def test_an_inventory_with_several_hosts_by_that_name_is_refused(
    emulator: Emulator, tmp_path: Path
) -> None:
    write(tmp_path, {"hosts.yml": {"localhost": {"hosts": {"one": None, "two": None}}}})
    variables = {"identities_apply_desired": entries("a")}
    told = run(emulator, tmp_path, variables, "-i", "hosts.yml")
    assert told.returncode != 0
    assert "This role must run on one host." in _unwrapped(told)
    assert not emulator.requests()


def test_outside_of_awx_an_inventory_may_have_other_hosts(
    emulator: Emulator, tmp_path: Path
) -> None:
    emulator.create_identities(["a"])
    told = run(emulator, tmp_path, {"identities_apply_desired": entries("a")}, "-i", "web,")
    assert told.returncode == 0, told.output


def test_identities_are_created_and_deleted(emulator: Emulator, tmp_path: Path) -> None:
    (gone,) = emulator.create_identities(["gone"], azure_auth=STORED)
    desired = [*entries("new"), {"name": "gone", "state": "absent"}]
    told = apply(emulator, tmp_path, desired=desired, batch_size=1)
    assert told.returncode == 0, told.output
    assert counts(told) == {**NOTHING, "checked": 2, "changed": 2, "created": 1, "deleted": 1}
    assert summary(told).startswith(
        "Created 1, changed 0, revoked 0, deleted 1, failed 0, unchanged 0 of 2 identities in "
    )
    assert emulator.identity(gone) is None
    told = apply(emulator, tmp_path, desired=desired)
    assert counts(told) == {**NOTHING, "checked": 2, "as_desired": 2}


def test_a_preview_with_a_purge_says_what_a_real_run_does(
    emulator: Emulator, tmp_path: Path
) -> None:
    """Under check mode who is created is not there yet, and who is deleted still is."""
    names = ("listed", "gone", "surplus")
    ids = dict(zip(names, emulator.create_identities(names, azure_auth=STORED)))
    desired = [*entries("new", "listed"), {"name": "gone", "state": "absent"}]
    variables = {
        "identities_apply_desired": desired,
        "identities_apply_purge": True,
        "identities_apply_keep": own(emulator),
        "identities_apply_batch_size": 1,
    }
    emulator.clear_requests()
    preview = run(emulator, tmp_path, variables, "--check")
    assert preview.returncode == 0, preview.output
    assert not writes(emulator)
    told = run(emulator, tmp_path, variables)
    assert told.returncode == 0, told.output
    assert with_azure_auth(emulator, ids) == ["listed"]
    assert counts(told)["purged"] == 1
    assert (counts(told)["created"], counts(told)["deleted"]) == (1, 1)
    assert counts(preview) == counts(told)
    assert summary(preview).startswith(
        "Would create 1, change 1, revoke 1 (1 not in the list), delete 1 and leave 0 of 3"
        " identities unchanged; 0 failed. Checked in "
    )


def test_a_preview_with_a_purge_can_be_of_a_list_of_which_nobody_is_there(
    emulator: Emulator, tmp_path: Path
) -> None:
    variables = {"identities_apply_desired": entries("new"), "identities_apply_purge": True}
    preview = run(emulator, tmp_path, variables, "--check")
    assert preview.returncode == 0, preview.output
    told = run(emulator, tmp_path, variables)
    assert told.returncode == 0, told.output
    assert counts(told)["purged"] == len(OWN)
    assert counts(preview) == counts(told)


def test_a_purge_needs_nobody_whose_azure_auth_the_list_revokes(
    emulator: Emulator, tmp_path: Path
) -> None:
    """They need not even be there."""
    names = ("listed", "revoked", "surplus")
    ids = dict(zip(names, emulator.create_identities(names, azure_auth=STORED)))
    revoked = [{"name": name, "azure_auth": {"state": "absent"}} for name in ("revoked", "nobody")]
    variables = {
        "identities_apply_desired": [*entries("listed"), *revoked],
        "identities_apply_purge": True,
        "identities_apply_keep": own(emulator),
    }
    preview = run(emulator, tmp_path, variables, "--check")
    assert preview.returncode == 0, preview.output
    told = run(emulator, tmp_path, variables)
    assert told.returncode == 0, told.output
    assert with_azure_auth(emulator, ids) == ["listed"]
    assert (counts(told)["changed"], counts(told)["revoked"], counts(told)["purged"]) == (2, 2, 1)
    assert "changed 1, revoked 2 (1 not in the list), deleted 0" in summary(told)
    assert counts(preview) == counts(told)


def test_entries_of_projects_are_not_listed_for_the_organization(
    emulator: Emulator, tmp_path: Path
) -> None:
    """An identity of the same name that the organization owns is another one."""
    names = ("shop", "surplus")
    ids = dict(zip(names, emulator.create_identities(names, azure_auth=STORED)))
    project = emulator.create_project("shop")
    of_project = emulator.create_identity("shop", project_id=project)
    emulator.put_azure_auth(of_project, **STORED)
    emulator.add_member(emulator.identities["admin"], "admin", project_id=project)
    desired = [{"name": "shop", "project_id": project, "azure_auth": {"access_token_ttl": 60}}]
    told = apply(emulator, tmp_path, desired=desired, purge=True, keep=own(emulator))
    assert told.returncode == 0, told.output
    assert with_azure_auth(emulator, ids) == []
    assert emulator.azure_auth(of_project)["accessTokenTTL"] == 60  # type: ignore[index]


@pytest.mark.parametrize("purge", [False, True])
def test_too_many_changes_are_refused_before_the_first_batch(
    purge: bool, emulator: Emulator, tmp_path: Path
) -> None:
    emulator.create_identities(["changed", "surplus"], azure_auth=STORED)
    desired = [*entries("changed"), *([] if purge else entries("new"))]
    variables = {
        "identities_apply_desired": desired,
        "identities_apply_purge": purge,
        "identities_apply_keep": own(emulator),
        "identities_apply_max_changes": 1,
        "identities_apply_batch_size": 1,
    }
    emulator.clear_requests()
    told = run(emulator, tmp_path, variables)
    assert told.returncode != 0
    refusal = (
        "2 identities would be changed, created, deleted or purged, but"
        " identities_apply_max_changes is 1."
    )
    names = f"These identities would change: changed, {'surplus' if purge else 'new'}."
    assert f"Nothing was changed. {refusal}" in _unwrapped(told)
    assert names in _unwrapped(told)
    assert not writes(emulator)
    assert counts(told) == NOTHING
    assert summary(told) == "Nothing was changed."
    # Under check mode the differences are shown all the same.
    told = run(emulator, tmp_path, variables, "--check", "--diff")
    assert told.returncode != 0
    assert f"A real run would fail before the first change. {refusal}" in _unwrapped(told)
    assert counts(told)["changed"] + counts(told)["purged"] == 2
    assert told.output.count("+++ after") == 2
    assert not writes(emulator)
    variables["identities_apply_max_changes"] = "2"
    told = run(emulator, tmp_path, variables)
    assert told.returncode == 0, told.output
    assert counts(told)["changed"] + counts(told)["purged"] == 2


def test_no_change_at_all_can_be_the_limit(emulator: Emulator, tmp_path: Path) -> None:
    emulator.create_identities(["same"], azure_auth=STORED)
    desired = [{"name": "same", "azure_auth": {"tenant_id": SETTINGS["tenant_id"]}}]
    told = apply(emulator, tmp_path, desired=desired, max_changes=0)
    assert told.returncode == 0, told.output
    told = apply(emulator, tmp_path, desired=entries("same"), max_changes=0)
    assert told.returncode != 0
    assert "identities_apply_max_changes is 0" in _unwrapped(told)


def test_what_became_different_since_it_was_counted_counts(
    emulator: Emulator, tmp_path: Path
) -> None:
    """The limit holds for the batches together, whatever somebody else does meanwhile."""
    ids = emulator.create_identities(["first", "second"], azure_auth=STORED)
    settings = {"resource": SETTINGS["resource"]}
    emulator.put_azure_auth(ids[1], **settings)
    desired = [{"name": name, "azure_auth": settings} for name in ("first", "second")]
    # The first read is that of the count.
    emulator.fault(
        "race",
        identity_id=ids[1],
        method="GET",
        path="azure-auth/identities",
        nth=2,
        change="update",
        fields={"resource": "r"},
    )
    told = apply(emulator, tmp_path, desired=desired, max_changes=1, batch_size=1)
    assert told.returncode != 0
    assert "Entry 2: " in _unwrapped(told)
    assert emulator.azure_auth(ids[1])["resource"] == "r"  # type: ignore[index]


def test_who_is_renamed_is_chosen_by_either_name(emulator: Emulator, tmp_path: Path) -> None:
    for only in ("ol*", ["new"]):
        emulator.reset()
        ids = emulator.create_identities(["old", "other"])
        desired = [{"id": ids[0], "name": "new"}, *entries("other")]
        told = apply(emulator, tmp_path, desired=desired, only=only)
        assert told.returncode == 0, told.output
        assert counts(told) == {**NOTHING, "checked": 1, "changed": 1}
        renamed = emulator.identity(ids[0])
        assert renamed is not None
        assert renamed["identity"]["name"] == "new"


def test_names_are_swapped_and_taken_over_wherever_the_entries_are(
    emulator: Emulator, tmp_path: Path
) -> None:
    names = ("one", "two", "gone", "heir", "other", "last")
    ids = dict(zip(names, emulator.create_identities(names)))
    desired = [
        *entries("other"),
        {"id": ids["one"], "name": "two"},
        {"id": ids["heir"], "name": "gone", "source": "x.yml:1"},
        *entries("last"),
        {"name": "gone", "state": "absent"},
        {"id": ids["two"], "name": "one"},
    ]
    told = apply(emulator, tmp_path, desired=desired, batch_size=4)
    assert told.returncode == 0, told.output
    assert counts(told) == {**NOTHING, "checked": 6, "changed": 6, "deleted": 1}
    held = {name: emulator.identity(identity_id) for name, identity_id in ids.items()}
    assert held["gone"] is None
    after = {name: item["identity"]["name"] for name, item in held.items() if item}
    assert after == {"one": "two", "two": "one", "heir": "gone", "other": "other", "last": "last"}
    # What is wrong is told by the place in the list.
    desired[5]["name"] = "other"
    told = apply(emulator, tmp_path, desired=desired, batch_size=4)
    assert "identities[5] (other): name 'other' is the name of another" in _unwrapped(told)


def test_the_organization_is_that_of_the_variable(emulator: Emulator, tmp_path: Path) -> None:
    slug = emulator.organization_slug
    emulator.create_identities(["a"])
    told = apply(emulator, tmp_path, desired=entries("a"), organization_slug=slug)
    assert told.returncode == 0, told.output
    logins = emulator.requests(path="universal-auth/login")
    assert [record.body["organizationSlug"] for record in logins] == [slug] * len(logins)


def test_the_role_can_be_used_twice_in_a_play(emulator: Emulator, tmp_path: Path) -> None:
    """What is left of the first time, the numbers and the login, is nothing to the second."""
    emulator.create_identities(["a", "b"])
    role = {"role": "community.infisical.identities_apply"}
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
        "roles": [
            {**role, "vars": {"identities_apply_desired": entries("a")}},
            {**role, "vars": {"identities_apply_desired": entries("b", "b")}},
        ],
    }
    write(tmp_path, {"twice.yml": [play]})
    told = ansible_playbook(["twice.yml"], emulator, tmp_path)
    assert told.returncode != 0
    assert "list it once" in _unwrapped(told)
    assert "Could not" not in _unwrapped(told)
    assert counts(told) == NOTHING
    assert emulator.live_tokens() == 1


def test_the_defaults_are_those_of_the_documentation() -> None:
    role = ROOT / "roles" / "identities_apply"
    spec = yaml.safe_load((role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    options = spec["argument_specs"]["main"]["options"]
    defaults = yaml.safe_load((role / "defaults" / "main.yml").read_text(encoding="utf-8"))
    assert {name: option["default"] for name, option in options.items()} == defaults


def test_what_is_chosen_by_name_and_by_id_is_applied_once(
    emulator: Emulator, tmp_path: Path
) -> None:
    (identity_id,) = emulator.create_identities(["chosen"], azure_auth=STORED)
    desired = [{"id": identity_id, **entries("chosen")[0]}]
    told = apply(emulator, tmp_path, desired=desired, only=f"chosen, {identity_id}")
    assert told.returncode == 0, told.output
    assert counts(told)["checked"] == 1


@pytest.mark.parametrize(
    ("desired", "message"),
    [
        pytest.param(
            [{"name": "second", "azure_auth": {"tenant_id": "t"}}],
            "identities[1] (second): azure_auth: tenant_id",
            id="an option",
        ),
        pytest.param(
            entries("seconde"),
            "identities[1] (seconde): name 'seconde' is not the name of any identity",
            id="a name",
        ),
    ],
)
def test_what_is_wrong_in_a_later_batch_is_told_before_the_first_write(
    desired: list[dict[str, t.Any]], message: str, emulator: Emulator, tmp_path: Path
) -> None:
    emulator.create_identities(["first", "second", "third"])
    emulator.clear_requests()
    desired = [*entries("first"), *desired, *entries("third")]
    told = apply(emulator, tmp_path, desired=desired, batch_size=1, create="no")
    assert told.returncode != 0
    assert message in " ".join(told.output.split())
    assert not writes(emulator)
    assert counts(told) == {**NOTHING, "failed": 1}
    # The emulator's own; that of the play is revoked.
    assert emulator.live_tokens() == 1


def test_an_identity_by_name_and_by_id_in_different_batches_is_refused(
    emulator: Emulator, tmp_path: Path
) -> None:
    """Each of the entries would undo, in every run, what the other did."""
    (identity_id,) = emulator.create_identities(["first"])
    emulator.clear_requests()
    desired = [*entries("first"), {"id": identity_id, "azure_auth": {"state": "absent"}}]
    told = apply(emulator, tmp_path, desired=desired, batch_size=1)
    assert told.returncode != 0
    twice = f"identities[1] ({identity_id}) is the same identity as identities[0] (first)"
    assert twice in " ".join(told.output.split())
    assert not writes(emulator)


def test_who_may_keep_it_is_checked_before_the_first_write(
    emulator: Emulator, tmp_path: Path
) -> None:
    emulator.create_identities(["listed"])
    emulator.clear_requests()
    told = apply(emulator, tmp_path, desired=entries("listed"), purge=True, keep=["nobody"])
    assert told.returncode != 0
    assert "purge_azure_auth_except[1] 'nobody' is not the name of any identity" in told.output
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
    assert "Entries 3 to 4: 1 of 2 identities failed: identities[0] (third): " in told.output
    assert [bool(emulator.azure_auth(item)) for item in ids] == [True, True, False, False]
    assert counts(told) == {**NOTHING, "checked": 3, "changed": 2, "failed": 1}
    assert "changed 2, revoked 0, deleted 0, failed 1, not tried 1, unchanged 0 of 4" in summary(
        told
    )


def test_what_failed_before_the_play_stops_is_told(emulator: Emulator, tmp_path: Path) -> None:
    names = ("first", "second", "third", "fourth")
    ids = emulator.create_identities(names)
    emulator.fault("error", identity_id=ids[0], status=403, error="PermissionDenied")
    emulator.fault("error", identity_id=ids[2], status=401, error="TokenError")
    told = apply(emulator, tmp_path, desired=entries(*names), batch_size=2, concurrency=1)
    assert told.returncode != 0
    failed = re.findall(r'"(\w+) [0-9a-f-]{36}: Could not', told.output)
    assert failed == ["first", "third"]


def test_numbers_of_an_earlier_job_of_a_workflow_are_not_taken_for_its_own(
    emulator: Emulator, tmp_path: Path
) -> None:
    """AWX hands on what a job passes to set_stats as variables, which go before what tasks set."""
    good, bad, other = emulator.create_identities(["good", "bad", "other"], azure_auth=STORED)
    emulator.fault("error", identity_id=bad, method="PATCH", status=403, error="PermissionDenied")
    earlier = {**NOTHING, "checked": 1, "changed": 1}
    variables = {
        "identities_apply_desired": entries("good", "bad"),
        "identities_apply_purge": True,
        "infisical_apply_counts": earlier,
        "infisical_audit_counts": {"listed": 1, "drifted": 1},
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
    by_id = {"id": ids[0].upper(), "azure_auth": SETTINGS}
    desired = [by_id, *entries(" by name ", "other")]
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
        "identities/a.yml": {"identities": entries("first")},
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
    assert "identities are not read as lists: '.git/d.yml', 'team/.old.yml'." in _unwrapped(told)
    (applied,) = (item for item in told.records if item.result.get("checked"))
    results = applied.result["results"]
    assert [item["name"] for item in results] == ["first", "third", "second"]


def test_nothing_is_purged_if_a_file_was_not_read(emulator: Emulator, tmp_path: Path) -> None:
    names = ("first", "second", "third")
    ids = emulator.create_identities(names, azure_auth=STORED)
    kept = own(emulator)
    files = {
        "identities/a.yml": entries("first"),
        "identities/B.YML": entries("second"),
        "identities/c.yml.bak": entries("third"),
    }
    write(tmp_path, files)
    told = apply(emulator, tmp_path, folder="identities", purge=True, keep=kept)
    assert told.returncode != 0
    assert "identities are not read as lists: 'c.yml.bak'." in _unwrapped(told)
    assert not emulator.requests()
    (tmp_path / "identities/c.yml.bak").unlink()
    told = apply(emulator, tmp_path, folder="identities", purge=True, keep=kept)
    assert told.returncode == 0, told.output
    assert [bool(emulator.azure_auth(item)) for item in ids] == [True, True, False]


def test_a_file_that_is_not_right_is_named(emulator: Emulator, tmp_path: Path) -> None:
    """What files can be is in the tests of the lookup that reads them."""
    write(tmp_path, {"identities/a.yml": entries("a"), "identities/b.yml": "identities: ]"})
    told = apply(emulator, tmp_path, folder="identities")
    assert told.returncode != 0
    assert f"{tmp_path / 'identities' / 'b.yml'}:1: this is not YAML" in _unwrapped(told)
    assert not emulator.requests()


def test_a_login_that_is_refused_is_told_why(emulator: Emulator, tmp_path: Path) -> None:
    emulator.fault("error", path="universal-auth/login", status=401, message="Invalid credentials")
    told = apply(emulator, tmp_path, desired=entries("billing"))
    assert told.returncode != 0
    assert "Infisical answered 401" in told.output
    assert not writes(emulator)


# What is wrong, by what the variables are, and a part of the message.
MISTAKES: list[tuple[dict[str, t.Any], str]] = [
    ({}, "There is no list to apply. Set identities_apply_folder"),
    (
        {"desired": entries("a"), "folder": "."},
        "identities_apply_desired and identities_apply_folder are set; set one of them.",
    ),
    (
        {"file": "a.yml", "folder": "."},
        "identities_apply_file and identities_apply_folder are set;",
    ),
    ({"folder": "nowhere"}, "identities_apply_folder is nowhere, which is not a folder."),
    ({"folder": ["a"]}, "identities_apply_folder is ['a'], which is not a folder."),
    ({"file": "."}, "identities_apply_file is ., which is not a file."),
    ({"desired": "a"}, "identities_apply_desired: it has no entries."),
    ({"desired": [*entries("a"), "b"]}, "identities_apply_desired: entry 2: it is 'b', which is"),
    (
        {"desired": entries("a", "b", "c", "b", "a"), "batch_size": 2},
        "entry 4 (b) is the same identity as identities_apply_desired: entry 2 (b); list it once.",
    ),
    (
        {"desired": [{"id": BARE_ID}, {"id": UUID}], "batch_size": 1},
        f"entry 2 ({UUID}) is the same identity as identities_apply_desired: entry 1 ({BARE_ID});",
    ),
    (
        {"desired": [{"name": "a", "azure_auth": {"tenantId": "t"}}]},
        "entry 1 (a): azure_auth: 'tenantId' is not an option of azure_auth; did you mean",
    ),
    (
        {"desired": entries("a billing"), "only": "a biling, x*"},
        "matches no entry of the list; did you mean 'a billing'? identities_apply_only has 'x*'",
    ),
    ({"desired": entries("a"), "only": " ,"}, "identities_apply_only is empty;"),
    ({"desired": entries("a"), "only": []}, "identities_apply_only is empty;"),
    ({"desired": entries("a"), "only": ["a", 5]}, "identities_apply_only has 5, which is not"),
    ({"desired": entries("a"), "batch_size": 0}, "identities_apply_batch_size is 0; write a"),
    ({"desired": entries("a"), "max_changes": -1}, "identities_apply_max_changes is -1; write a"),
    ({"desired": entries("a"), "max_changes": True}, "identities_apply_max_changes is True; write"),
    ({"desired": entries("a"), "concurrency": 65}, "identities_apply_concurrency is 65; write a"),
    ({"desired": entries("a"), "create": "new"}, "identities_apply_create is new; write true"),
    ({"desired": entries("a"), "template": 2}, "identities_apply_template is 2; write true"),
    ({"desired": entries("a"), "organization_slug": 8}, "identities_apply_organization_slug is 8,"),
    ({"desired": entries("a"), "keep": "b"}, "identities_apply_keep is b; write a list"),
    ({"desired": entries("a"), "keep": ["b", True]}, "identities_apply_keep is ['b', True]; write"),
    ({"desired": entries("a"), "onyl": "a"}, "There is no variable identities_apply_onyl. The"),
]


@pytest.mark.parametrize("mistakes", [MISTAKES[part::4] for part in range(4)])
def test_mistakes_are_told_before_any_request(
    mistakes: list[tuple[dict[str, t.Any], str]], emulator: Emulator, tmp_path: Path
) -> None:
    """And nothing of what was wrong is left for the next use of the role in the same play."""
    uses = [
        {
            "block": [
                {
                    "ansible.builtin.include_role": {
                        "name": "community.infisical.identities_apply"
                    },
                    "vars": {f"identities_apply_{name}": value for name, value in given.items()},
                }
            ],
            "rescue": [
                {"ansible.builtin.debug": {"msg": "Caught: {{ ansible_failed_result.msg }}"}}
            ],
        }
        for given, _message in mistakes
    ]
    write(tmp_path, {"play.yml": [{"hosts": "localhost", "gather_facts": False, "tasks": uses}]})
    told = ansible_playbook(["play.yml"], emulator, tmp_path)
    assert told.returncode == 0, told.output
    messages = [str(item.result.get("msg", "")) for item in told.records]
    caught = [message for message in messages if message.startswith("Caught: ")]
    assert len(caught) == len(mistakes)
    for message, (given, part) in zip(caught, mistakes):
        assert part in message, given
    assert not emulator.requests()


def test_failures_have_a_line_each_up_to_a_bound(emulator: Emulator, tmp_path: Path) -> None:
    names = [f"service {number:02}" for number in range(43)]
    ids = emulator.create_identities(names, azure_auth=STORED)
    emulator.fault("error", method="PATCH", identity_id=ids, status=400, message="no")
    write(tmp_path, {"identities.yml": entries(*names)})
    told = apply(emulator, tmp_path, file="identities.yml", batch_size=25)
    assert told.returncode != 0
    source = tmp_path / "identities.yml"
    lines = re.findall(rf'^ +"(service \d\d) {_UUID} \({source}:\d+\): Could', told.output, re.M)
    assert lines == names[:40]
    assert '"And 3 more."' in told.output
    (last,) = (item.result["msg"] for item in told.records if item.status == "failed")
    assert last.startswith("43 of 43 identities failed. ")
    assert len(last) < 200


def test_entries_that_are_wrong_have_a_line_each(emulator: Emulator, tmp_path: Path) -> None:
    desired = [{"name": name, "azure_auth": {"access_token_ttl": -1}} for name in ("a", "c")]
    write(tmp_path, {"identities.yml": desired})
    told = apply(emulator, tmp_path, file="identities.yml")
    assert told.returncode != 0
    assert "2 entries are wrong, and nothing was done." in _unwrapped(told)
    for name in ("a", "c"):
        assert re.search(
            rf'^ +"[^"]*yml:1 \({name}\): [^"]*access_token_ttl is -1;', told.output, re.M
        )
    assert summary(told) == "Nothing was changed."


def test_a_file_can_be_a_template(emulator: Emulator, tmp_path: Path) -> None:
    ids = emulator.create_identities(["dev-billing", "billing"])
    text = "- name: '{{ stage }}-billing'\n  role: member\n"
    write(tmp_path, {"identities.yml": text})
    variables = {"identities_apply_file": "identities.yml", "stage": "dev"}
    told = run(emulator, tmp_path, variables)
    assert told.returncode != 0
    assert f"{tmp_path / 'identities.yml'}" in _unwrapped(told)
    told = run(emulator, tmp_path, {**variables, "identities_apply_template": "yes"})
    assert told.returncode == 0, told.output
    assert counts(told) == {**NOTHING, "checked": 1, "changed": 1}
    changed = emulator.identity(ids[0])
    assert changed is not None
    assert changed["role"] == "member"


def test_the_variable_can_be_in_any_form_that_a_file_can(
    emulator: Emulator, tmp_path: Path
) -> None:
    desired = {
        "defaults": {"azure_auth": {**SETTINGS, "access_token_ttl": "1h"}},
        "identities": {"new-a": {}, "new-b": {"azure_auth": {"access_token_ttl": 60}}},
    }
    told = apply(emulator, tmp_path, desired=desired)
    assert told.returncode == 0, told.output
    assert counts(told) == {**NOTHING, "checked": 2, "changed": 2, "created": 2}
