# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook azure_auth_apply on good and bad days. What it is like as a job: test_jobs.py."""

from __future__ import annotations

import json
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
STORED = {"tenantId": SETTINGS["tenant_id"], "resource": "r", "allowedServicePrincipalIds": "x"}


def entries(*names: str) -> list[dict[str, t.Any]]:
    return [{"identity_name": name, **SETTINGS} for name in names]


def apply(emulator: Emulator, place: Path, **variables: t.Any) -> Told:
    """Run the playbook with these of its variables."""
    named = {f"azure_auth_apply_{name}": value for name, value in variables.items()}
    return ansible_playbook([PLAYBOOK, "-e", json.dumps(named)], emulator, place)


def writes(emulator: Emulator) -> list[str]:
    methods = [record.method for record in emulator.requests(path="azure-auth/identities")]
    return [method for method in methods if method != "GET"]


def counts(told: Told) -> dict[str, int]:
    """Return the numbers that the play ended with."""
    stats = [item for item in told.records if item.action == "ansible.builtin.set_stats"]
    numbers: dict[str, int] = stats[-1].result["ansible_stats"]["data"]["azure_auth_apply_counts"]
    return numbers


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


def test_what_is_chosen_by_name_and_by_id_is_applied_once(
    emulator: Emulator, tmp_path: Path
) -> None:
    (identity_id,) = emulator.create_identities(["chosen"], azure_auth=STORED)
    desired = [{"identity_id": identity_id, "identity_name": "chosen", **SETTINGS}]
    told = apply(emulator, tmp_path, desired=desired, only=f"chosen, {identity_id}")
    assert told.returncode == 0, told.output
    assert counts(told)["checked"] == 1


def test_a_batch_that_is_refused_stops_the_play_and_those_before_it_are_done(
    emulator: Emulator, tmp_path: Path
) -> None:
    names = ("first", "second", "third")
    ids = emulator.create_identities(names)
    desired = [*entries("first"), {"identity_name": "second", "tenantId": "t"}, *entries("third")]
    told = apply(emulator, tmp_path, desired=desired, batch_size=1)
    assert told.returncode != 0
    assert "'tenantId' is not an option of an entry" in told.output
    assert [bool(emulator.azure_auth(item)) for item in ids] == [True, False, False]
    expected = {"checked": 1, "changed": 1, "failed": 1, "purged": 0, "as_desired": 0}
    assert counts(told) == expected
    # The emulator's own; that of the play is revoked.
    assert emulator.live_tokens() == 1


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
        pytest.param({"folder": "nowhere"}, "is no folder, or has no entry", id="no folder"),
        pytest.param(
            {"desired": entries("a"), "only": "a, b"}, "is not in the list: b.", id="a stranger"
        ),
        pytest.param(
            {"desired": entries("a"), "batch_size": 0}, "are whole numbers", id="no batch size"
        ),
        pytest.param({"desired": entries("a"), "keep": "b"}, "is a list of", id="one to keep"),
        pytest.param(
            {"desired": entries("a", "b", "c", "b", "a"), "batch_size": 2},
            "more than one entry for a, b. List each",
            id="names in two batches",
        ),
        pytest.param(
            {
                "desired": [
                    {"identity_id": "6F1A2B3C4D5E4F608A7B9C0D1E2F3A4B", **SETTINGS},
                    {"identity_id": "{6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b}", **SETTINGS},
                ],
                "batch_size": 1,
            },
            "more than one entry for 6f1a2b3c4d5e4f608a7b9c0d1e2f3a4b.",
            id="an id in two spellings",
        ),
        pytest.param(
            {
                "desired": [
                    {"identity_id": "6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b", "identity_name": "a"},
                    *entries("a"),
                ],
                "batch_size": 1,
            },
            "more than one entry for a.",
            id="by id and by name",
        ),
    ],
)
def test_mistakes_are_told_before_any_request(
    variables: dict[str, t.Any], message: str, emulator: Emulator, tmp_path: Path
) -> None:
    told = apply(emulator, tmp_path, **variables)
    assert told.returncode != 0
    assert message in " ".join(told.output.split())
    assert not emulator.requests()
