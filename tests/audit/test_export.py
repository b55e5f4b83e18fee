# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The export: the role as playbooks run it, and that applying what it writes changes nothing."""

from __future__ import annotations

import json
import stat
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from tools.paths import ROOT

from audit.harness import Case, by_secret, by_token, play, play_cases, role, writes
from audit.worlds import HOSTILE, PRINCIPAL, STORED, TENANT
from emulator import Emulator, running

EXPORT = "community.infisical.identities_export"
ROLE = ROOT / "roles" / "identities_export"
MARK = "# Written by the role community.infisical.identities_export"

Variables = dict[str, t.Any]


@dataclass
class Export(Case):
    """What the tasks of a case did; its folder is the one that the export wrote into."""

    @property
    def told(self) -> str:
        """What the last task of the last export says."""
        return "\n".join(self.named("Show the summary")[-1].result["msg"])

    @property
    def files(self) -> dict[str, str]:
        """The texts of the files, by their paths in the folder."""
        return {
            str(path.relative_to(self.folder)): path.read_text(encoding="utf-8")
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
        }


def run(
    login: t.Mapping[str, str], folder: Path, cases: t.Mapping[str, t.Sequence[Variables]]
) -> dict[str, Export]:
    """Run the tasks of each case in one run of ansible-playbook; one that fails ends its case."""
    return play_cases(login, folder, cases, Export)


def grown_by_hand(emulator: Emulator) -> None:
    """Make an organization as nobody would plan it, with all that its generation of servers has."""
    new = emulator.generation > "2025"
    put, create = emulator.put_azure_auth, emulator.create_identity
    emulator.create_role("deployers", ["read"])
    put(create("custom", role="deployers"), **STORED)
    for name in ("twice", "twice", " blanks ", " ", "010", "yes", "12:30", "x" * 300, *HOSTILE):
        put(create(name), **STORED)
    odd: dict[str, Variables] = {
        "any audience": {"resource": "/"},
        "scope": {"resource": "https://management.azure.com/.default"},
        "capitals": {"tenantId": TENANT.upper(), "allowedServicePrincipalIds": PRINCIPAL.upper()},
        "no tenant": {"tenantId": "common"},
        "nobody": {"allowedServicePrincipalIds": ", "},
        "everybody": {"allowedServicePrincipalIds": ""},
        "repeated": {"allowedServicePrincipalIds": f"{PRINCIPAL}, , {PRINCIPAL}"},
        "no network": {"accessTokenTrustedIps": ["fe80::1%eth0", "10.0.0.0/8"]},
        "host bits": {"accessTokenTrustedIps": ["10.1.2.3/8", "2001:DB8::1"]},
        "longer than its maximum": {"accessTokenTTL": 7200, "accessTokenMaxTTL": 3600},
        "forever": {"accessTokenTTL": 0, "accessTokenMaxTTL": 0},
        "huge": {"accessTokenNumUsesLimit": 2**60},
    }
    for name, values in odd.items():
        put(create(name), **{**STORED, **values})
    if new:
        create("described", metadata={"team": "payments", "yes": "010", "a: b": "\u202e"})
        create("a key twice", metadata=[("team", "a"), ("team", "b")], delete_protection=True)
        create("odd metadata", metadata={" blanks ": "x", "template": "{{ 1 }}"})
    if emulator.generation == "2026":
        emulator.set_roles(create("several"), ["member", "deployers"])
        emulator.set_roles(create("for a time"), [{"role": "admin", "lasts": "1h"}])
        first, second = emulator.project_id, emulator.create_project("Zahlungen & Co.")
        for project_id in (first, second):
            emulator.add_member(emulator.identities["admin"], "admin", project_id=project_id)
            for name in ("twice", "owned", "owned"):
                put(create(name, role="viewer", project_id=project_id), **STORED)
    emulator.create_identities([f"shop-{n:03}" for n in range(300)], azure_auth=STORED)


# Servers, and how the list is split on each. "2025-10" is what was between.
GENERATIONS: dict[str, tuple[str, Variables, tuple[str, ...]]] = {
    "2026": ("2026", {}, ("none", "project", "prefix")),
    "2025-10": ("2026", {"lacks": ["/v2/identities/search"]}, ("project",)),
    "2025-06": ("2025-06", {}, ("prefix",)),
    "2024-10": ("2024-10", {}, ("none",)),
}


class Trip(t.NamedTuple):
    """What became of exports, and of applying what they wrote, by how the list was split."""

    emulator: Emulator
    cases: dict[str, Export]


@pytest.fixture(scope="module", params=GENERATIONS)
def trip(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> t.Iterator[Trip]:
    """Export twice, and apply what was written, for real."""
    generation, settings, splits = GENERATIONS[request.param]
    folder = tmp_path_factory.mktemp("trip")
    with running(generation) as emulator:
        emulator.settings(**settings)
        grown_by_hand(emulator)
        emulator.clear_requests()
        cases = {}
        for split_by in splits:
            path = str(folder / split_by)
            export = role(
                EXPORT,
                identities_export_folder=path,
                identities_export_split_by=split_by,
                # Some have defaults, and some have not.
                identities_export_defaults=split_by != "project",
            )
            query = f"query('community.infisical.identity_files', '{path}', strict=true)"
            apply = {
                "name": "Apply",
                "community.infisical.infisical_identities": {"identities": f"{{{{ {query} }}}}"},
            }
            cases[split_by] = [export, *([export] if split_by == splits[0] else []), apply]
        yield Trip(emulator, run(by_secret(emulator), folder, cases))


def test_applying_an_export_changes_nothing(trip: Trip) -> None:
    for case in trip.cases.values():
        assert case.failure is None
        (applied,) = case.named("Apply")
        assert applied.result["checked"] > 300
        assert (applied.status, applied.result["changed_count"]) == ("ok", 0)
    assert writes(trip.emulator) == []


def test_a_second_export_changes_nothing(trip: Trip) -> None:
    first, *_others = trip.cases.values()
    assert [record.status for record in first.named("Write the files")] == ["changed", "ok"]


def test_every_identity_is_exported_once(trip: Trip) -> None:
    counts = set()
    for case in trip.cases.values():
        lists = [yaml.safe_load(text) for text in case.files.values()]
        entries = [entry for content in lists for entry in content["identities"]]
        counts.add(len(entries))
        assert all(text.splitlines()[1].startswith(MARK) for text in case.files.values())
        assert case.told.startswith(f"Exported {len(entries)} identities into {len(lists)} file")
        assert trip.emulator.client_secret not in "".join(case.files.values())
    assert len(counts) == 1


def test_what_a_list_cannot_say_is_told(trip: Trip) -> None:
    for case in trip.cases.values():
        text = "".join(case.files.values())
        assert "A list cannot express all settings of " in case.told
        for name, setting in (("any audience", "resource"), ("no tenant", "tenant_id")):
            assert f"- name: {name}\n" in text
            assert f"# {setting}: " in text
        assert "any audience (azure_auth.resource)" in case.told
        assert not {"\x1b", "\u202e"} & {*case.told, *text}


def documented() -> dict[str, Variables]:
    text = (ROLE / "meta" / "argument_specs.yml").read_text(encoding="utf-8")
    options: dict[str, Variables] = yaml.safe_load(text)["argument_specs"]["main"]["options"]
    return options


def test_every_variable_is_documented_with_its_default() -> None:
    defaults = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text(encoding="utf-8"))
    assert {name: option["default"] for name, option in documented().items()} == defaults


REFUSED: dict[str, tuple[Variables, str]] = {
    "nowhere": (
        {},
        "There is no place to write to. Set identities_export_folder or identities_exp",
    ),
    "two places": (
        {"identities_export_folder": "a", "identities_export_file": "a.yml"},
        "identities_export_folder and identities_export_file are set; set one of them.",
    ),
    "a file for a folder": (
        {"identities_export_folder": __file__},
        f"identities_export_folder is {__file__}, which is a file; write the path of",
    ),
    "a folder for a file": (
        {"identities_export_file": "/"},
        "identities_export_file is /, which is a folder; write the path of",
    ),
    "another ending": (
        {"identities_export_file": "identities.txt"},
        "identities_export_file is identities.txt; write the path of a file whose",
    ),
    "one file, split": (
        {"identities_export_file": "a.yml", "identities_export_split_by": "prefix"},
        "identities_export_file is a.yml, which is one file; leave out identities_export_spli",
    ),
    "another way to split": (
        {"identities_export_split_by": "team"},
        "identities_export_split_by is team; write none, project or prefix.",
    ),
    "no boolean": (
        {"identities_export_metadata": "maybe", "identities_export_remove_stale": 2},
        (
            "identities_export_metadata is maybe; write true or false."
            " identities_export_remove_stale is 2; write true or false."
        ),
    ),
    "a number for a text": (
        {"identities_export_folder": 2026, "identities_export_mode": 420},
        (
            "identities_export_folder is 2026, which is not a string; put it in quotes."
            " identities_export_mode is 420, which is not a string; put it in quotes."
        ),
    ),
    "too many at once": (
        {"identities_export_concurrency": 65},
        "identities_export_concurrency is 65; write a whole number from 1 to 64.",
    ),
    "no login": (
        {"identities_export_login_data": "token"},
        "identities_export_login_data is not a dictionary; give the login_data that",
    ),
    "unknown": (
        {"identities_export_only": "mail-*", "IDENTITIES_EXPORT_FILE": "a"},
        (
            "There is no variable IDENTITIES_EXPORT_FILE, identities_export_only. The role has"
            f" {', '.join(documented())}."
        ),
    ),
}


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Export]:
    with running() as emulator:
        cases = {name: [role(EXPORT, **case[0])] for name, case in REFUSED.items()}
        done = run(by_secret(emulator), tmp_path_factory.mktemp("refused"), cases)
        assert emulator.requests() == []
        return done


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_with_variables_is_said_before_any_request(
    name: str, refused: dict[str, Export]
) -> None:
    assert str(refused[name].failure).startswith(REFUSED[name][1])


def test_on_several_hosts_the_role_writes_nothing(tmp_path: Path) -> None:
    content = [{"hosts": "all", "gather_facts": False, "roles": [{"role": EXPORT}]}]
    playbook = tmp_path / "several.yml"
    playbook.write_text(json.dumps(content), encoding="utf-8")
    with running() as emulator:
        played = play(by_secret(emulator), tmp_path, str(playbook), "-i", "one,two", "-c", "local")
        assert emulator.requests() == []
    (failure,) = {record.result["msg"] for record in played.records if record.status == "failed"}
    assert failure.startswith(
        "This role must run on one host. Each of the 2 hosts of this play would"
    )


LIST = "identities:\n  - name: {}\n"
EARLIER = f"---\n{MARK}.\n" + LIST
BLANKS = {"null": None, "blank": " "}
# Of each case: the files that are there before, and the variables of the export.
FOLDERS: dict[str, tuple[dict[str, str], Variables]] = {
    **{
        f"blanks: {name}": ({}, dict.fromkeys(documented(), value))
        for name, value in BLANKS.items()
    },
    "in the way": ({"identities.yml": LIST.format("mine")}, {}),
    "defaults": ({"projects/Defaults.yaml": "role: admin\n"}, {}),
    "beside": (
        {"team/mine.yml": LIST.format("billing"), "notes.txt": "x", ".hidden.yml": "{"},
        {},
    ),
    "earlier": (
        {
            "identities.yml": EARLIER.format("gone"),
            "projects/gone.yml": EARLIER.format("gone"),
            "broken.yml": "{",
        },
        {},
    ),
    "earlier, removed": (
        {
            "projects/gone.yml": EARLIER.format("gone"),
            "projects/mine.yml": LIST.format("mine"),
            "projects/edited.yml": EARLIER.format("edited").replace("# ", "# Not "),
        },
        {"identities_export_remove_stale": "yes"},
    ),
    "split": (
        {},
        {
            "identities_export_split_by": "project",
            "identities_export_mode": "0600",
            "identities_export_without_azure_auth": False,
            "identities_export_metadata": "no",
        },
    ),
    "below": ({}, {"identities_export_organization_slug": "acme-labs"}),
    "no such organization": ({}, {"identities_export_organization_slug": "nowhere"}),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Export]:
    folder = tmp_path_factory.mktemp("folders")
    with running() as emulator:
        emulator.add_member(emulator.identities["admin"], "admin", project_id=emulator.project_id)
        below = emulator.sub_organization_id
        emulator.add_member(emulator.identities["admin"], "admin", organization_id=below)
        emulator.put_azure_auth(emulator.create_identity("below", organization_id=below), **STORED)
        emulator.put_azure_auth(
            emulator.create_identity("owned", project_id=emulator.project_id), **STORED
        )
        emulator.put_azure_auth(emulator.identities["member"], **STORED)
        empty = emulator.create_sub_organization("Empty", "empty")
        emulator.add_member(emulator.identities["admin"], "admin", organization_id=empty)
        (folder / "nobody").mkdir()
        (folder / "nobody" / "all.yml").write_text(EARLIER.format("gone"), encoding="utf-8")
        emulator.clear_requests()
        cases = {
            "one file": [
                {"community.infisical.infisical_login": {}, "register": "login"},
                role(EXPORT, identities_export_file=str(folder / "one file" / "all.yml")),
            ],
            "nobody": [
                role(
                    EXPORT,
                    identities_export_file=str(folder / "nobody" / "all.yml"),
                    identities_export_organization_slug="empty",
                )
            ],
        }
        for name, (files, variables) in FOLDERS.items():
            for path, text in files.items():
                (folder / name / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / name / path).write_text(text, encoding="utf-8")
            there = {"identities_export_folder": str(folder / name)}
            if not variables:
                there["identities_export_login_data"] = "{{ login.login_data }}"
            cases[name] = [role(EXPORT, **{**variables, **there})]
        done = run(by_secret(emulator), folder, cases)
        assert writes(emulator) == []
        # Each login of a role was ended.
        assert emulator.live_tokens() == 2
        return done


@pytest.mark.parametrize("name", BLANKS)
def test_blank_stands_for_the_default(name: str, folders: dict[str, Export]) -> None:
    case = folders[f"blanks: {name}"]
    assert case.failure is None
    assert list(case.files) == ["identities.yml"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("in the way", "identities.yml, or somebody removed the comment of the export; move"),
        ("defaults", "Defaults.yaml would apply to the exported entries and change their meaning;"),
    ],
)
def test_files_of_others_are_never_touched(
    name: str, message: str, folders: dict[str, Export]
) -> None:
    case = folders[name]
    assert str(case.failure).startswith("Nothing was written. ")
    assert message in str(case.failure)
    assert case.files == FOLDERS[name][0]


def test_an_identity_that_somebody_lists_too_is_told(folders: dict[str, Export]) -> None:
    case = folders["beside"]
    assert case.failure is None
    assert f"{case.folder}/team/mine.yml:2 also lists billing." in case.told
    assert case.files.keys() == {*FOLDERS["beside"][0], "identities.yml"}


def test_files_of_an_earlier_export_are_overwritten_and_told(folders: dict[str, Export]) -> None:
    case = folders["earlier"]
    assert "gone" not in case.files["identities.yml"]
    assert "name: billing" in case.files["identities.yml"]
    assert f"apply would still read them: {case.folder}/projects/gone.yml." in case.told
    assert "projects/gone.yml" in case.files


def test_files_that_apply_would_fail_on_are_told(folders: dict[str, Export]) -> None:
    told = folders["earlier"].told
    assert "Other files in the folder cannot be read as lists" in told


def test_only_what_an_export_wrote_is_removed(folders: dict[str, Export]) -> None:
    case = folders["earlier, removed"]
    assert case.files.keys() == {"identities.yml", "projects/mine.yml", "projects/edited.yml"}
    assert "earlier export" not in case.told


def test_projects_have_files_of_their_own(folders: dict[str, Export]) -> None:
    case = folders["split"]
    owned, own = sorted(case.files, reverse=True)
    assert owned.startswith("projects/")
    assert own == "organization.yml"
    names = {
        path: [entry["name"] for entry in yaml.safe_load(text)["identities"]]
        for path, text in case.files.items()
    }
    # Only those with Azure Auth.
    assert names[owned] == ["owned"]
    assert "member" in names[own]
    assert "billing" not in names[own]
    assert "metadata" not in case.files[own]
    assert stat.S_IMODE((case.folder / owned).stat().st_mode) == 0o600


def test_an_organization_is_exported_alone(folders: dict[str, Export]) -> None:
    (text,) = folders["below"].files.values()
    assert "name: below" in text
    assert "organization acme-labs" in " ".join(text.replace("#", "").split())
    assert "nowhere" in str(folders["no such organization"].failure)
    assert folders["no such organization"].files == {}


def test_all_can_be_in_one_file(folders: dict[str, Export]) -> None:
    assert list(folders["one file"].files) == ["all.yml"]
    assert "1 file in " in folders["one file"].told


def test_a_file_that_nobody_is_left_for_is_told(folders: dict[str, Export]) -> None:
    """Applying it would bring back what is gone."""
    case = folders["nobody"]
    assert case.failure is None
    assert f"apply would still read them: {case.folder}/all.yml." in case.told


def test_check_mode_says_what_would_be_written(tmp_path: Path) -> None:
    """Here with a token of somebody's, which the playbook leaves alone."""
    arguments = [EXPORT, "-e", "identities_export_folder=new/identities", "--check", "--diff"]
    with running() as emulator:
        played = play(by_token(emulator), tmp_path, *arguments)
        assert played.returncode == 0, played.output[-4000:]
        assert "+  - name: billing\n" in played.output
        assert "Would export " in played.output
        assert not (tmp_path / "new").exists()
        arguments = [argument for argument in arguments if not argument.startswith("--")]
        assert play(by_token(emulator), tmp_path, *arguments).returncode == 0
        emulator.change_identity(emulator.identities["member"], name="invoices")
        played = play(by_token(emulator), tmp_path, *arguments, "--check", "--diff")
        assert "-  - name: member\n" in played.output
        assert "+  - name: invoices\n" in played.output
        assert emulator.live_tokens() == 1


def test_an_export_that_could_not_read_all_writes_nothing(tmp_path: Path) -> None:
    with running() as emulator:
        emulator.put_azure_auth(emulator.identities["member"], **STORED)
        emulator.fault("error", method="GET", path="/azure-auth/", status=403, message="no")
        cases = {
            "unreadable": [role(EXPORT, identities_export_folder=str(tmp_path / "unreadable"))],
            "own login": [
                {
                    "community.infisical.infisical_login": {},
                    "register": "login",
                },
                role(
                    EXPORT,
                    identities_export_folder=str(tmp_path / "own login"),
                    identities_export_login_data="{{ login.login_data }}",
                ),
            ],
        }
        done = run(by_secret(emulator), tmp_path, cases)
        for case in done.values():
            assert "identities failed: " in str(case.failure)
            assert not case.folder.exists()
        # The second is not the role's to end.
        assert emulator.live_tokens() == 2
