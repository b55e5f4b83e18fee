# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Templates launched with their survey's answers, which ansible-core reads as YAML.

Of a text that AWX passes on, ansible-core from 2.19 on makes what YAML makes of it: of an empty one
null, of `no` false, of `0123` 83.
"""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from awx.controller import answered, dumped
from awx.jobs import Job, Template, launch, project_of
from awx.objects import OBJECTS
from emulator import Emulator

SETTINGS = {
    "tenant_id": "3f6c1b52-9d0e-4a87-8c21-5b7e0f4d9a16",
    "resource": "https://management.azure.com/",
    "allowed_service_principal_ids": ["c9a1e7d4-02b8-4f35-9e6a-71d5b3f08c2e"],
}
NAMES = ("svc billing", "0123")
TEMPLATES = {
    item["name"].removeprefix("Infisical - "): item for item in OBJECTS["controller_templates"]
}
ONLY = "identities_apply_only"


class Launcher:
    """Launches the templates of the extension, each job in a folder of its own."""

    def __init__(self, emulator: Emulator, credential: dict[str, str], folder: Path) -> None:
        self.emulator = emulator
        self._credential = credential
        self._folder = folder
        desired = [{"name": name, "azure_auth": SETTINGS} for name in NAMES]
        self._project = project_of(folder, desired)
        self.ids = dict(zip(NAMES, emulator.create_identities(NAMES)))
        self._count = 0

    def __call__(self, name: str, answers: t.Mapping[str, t.Any], **more: t.Any) -> Job:
        """Launch a template with these answers, and the defaults for the others."""
        item = TEMPLATES[name]
        template = Template(
            item["playbook"],
            self._credential,
            check=item["job_type"] == "check",
            extra_vars=answered(item, answers),
            own_vars=item.get("extra_vars", {}),
            project=self._project,
            **more,
        )
        self._count += 1
        return launch(template, self._folder / str(self._count))

    def applied(self) -> list[str]:
        """Return the names of those that have Azure Auth, and take it from them."""
        names = [name for name in NAMES if self.emulator.azure_auth(self.ids[name])]
        for identity_id in self.ids.values():
            self.emulator.remove_azure_auth(identity_id)
        return names


@pytest.fixture(scope="module")
def launcher(
    emulator: Emulator, credential: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Launcher:
    return Launcher(emulator, credential, tmp_path_factory.mktemp("launch"))


def test_variables_are_written_as_awx_writes_them() -> None:
    """What AWX 24 wrote for these, without the key's tag, which changes nothing in a text."""
    own = {"mine": "{{ x }}"}
    text = dumped({"only": "", "purge": "no", "size": 50, "list": ["~"], **own}, own)
    assert text.replace("!unsafe 'only'", "only").splitlines() == [
        "only: !unsafe ''",
        "!unsafe 'purge': !unsafe 'no'",
        "!unsafe 'size': 50",
        "!unsafe 'list':",
        "- !unsafe '~'",
        "mine: '{{ x }}'",
    ]


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param({}, id="the defaults"),
        pytest.param(dict.fromkeys(("identities_apply_batch_size", ONLY), ""), id="blanks"),
        pytest.param({ONLY: " ", "identities_apply_concurrency": ""}, id="a blank"),
        pytest.param({ONLY: "~"}, id="what YAML takes for null"),
        pytest.param(
            {"identities_apply_max_changes": 2, "identities_apply_create": ""}, id="a limit"
        ),
    ],
)
def test_apply_applies_everything(answers: dict[str, t.Any], launcher: Launcher) -> None:
    job = launcher("apply", answers)
    assert job.status == "successful", job.output
    assert launcher.applied() == list(NAMES)
    assert job.stats["infisical_apply_counts"]["changed"] == 2


@pytest.mark.parametrize(
    ("only", "chosen"),
    [
        pytest.param(" svc billing ", ["svc billing"], id="one"),
        pytest.param("svc b*\n0123\n", list(NAMES), id="lines"),
        pytest.param("012?", ["0123"], id="a pattern"),
    ],
)
def test_apply_applies_who_is_chosen(only: str, chosen: list[str], launcher: Launcher) -> None:
    job = launcher("apply", {ONLY: only})
    assert job.status == "successful", job.output
    assert launcher.applied() == chosen


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        pytest.param({ONLY: "no"}, "identities_apply_only is false, which is not", id="a truth"),
        pytest.param({ONLY: "0123"}, "identities_apply_only is 83, which is not", id="a number"),
        pytest.param({ONLY: "12:30"}, "identities_apply_only is 750, which is not", id="a time"),
        pytest.param({ONLY: "2026-01-01"}, "_only is 2026-01-01, which is not", id="a date"),
        pytest.param({"identities_apply_purge": "maybe"}, "is maybe; write true", id="no truth"),
        pytest.param(
            {"identities_apply_onyl": NAMES[0]},
            "There is no variable identities_apply_onyl. The role has identities_apply_desired,",
            id="a typing error",
        ),
    ],
)
def test_apply_refuses_what_is_no_name_and_changes_nothing(
    answers: dict[str, t.Any], message: str, launcher: Launcher
) -> None:
    job = launcher("apply", answers)
    assert job.status == "failed"
    assert message in " ".join(job.output.split())
    if ONLY in answers:
        assert "in a survey of AWX, where that is not possible, write the ID." in job.output
    assert launcher.applied() == []


def test_slices_do_not_each_apply_the_list(launcher: Launcher) -> None:
    """A slice has some of the hosts, and localhost is there even if it is not one of them."""
    job = launcher("apply", {}, hosts=["web"])
    assert job.status == "failed"
    assert "each slice of the AWX job, would apply the whole list" in job.output
    assert launcher.applied() == []


def test_the_workflow_asks_for_drift_and_for_nothing_else(launcher: Launcher) -> None:
    """AWX starts the nodes by success and failure, and hands on what jobs pass to set_stats."""
    (workflow,) = OBJECTS["controller_workflows"]
    nodes = {node["identifier"]: node for node in workflow["workflow_nodes"]}

    def run(identifier: str, handed: t.Mapping[str, t.Any]) -> tuple[list[str], dict[str, t.Any]]:
        name = nodes[identifier]["unified_job_template"]["name"].removeprefix("Infisical - ")
        job = launcher(name, {**nodes[identifier].get("extra_data", {}), **handed})
        related = nodes[identifier].get("related", {})
        branch = "success_nodes" if job.status == "successful" else "failure_nodes"
        return [node["identifier"] for node in related.get(branch, [])], job.stats

    # Nothing is attached: the audit succeeds, and what it found is drift.
    then, counts = run("audit", {})
    assert (then, counts["infisical_audit_counts"]["drifted"]) == (["drift"], 2)
    assert run("drift", counts)[0] == ["approve"]
    assert [item["identifier"] for item in nodes["approve"]["related"]["success_nodes"]] == [
        "apply"
    ]
    # The job that applies takes what was handed on for no variables of its own.
    then, _stats = run("apply", counts)
    assert (then, launcher.emulator.azure_auth(launcher.ids[NAMES[0]]) is None) == ([], False)
    # Everything is as it should be.
    then, counts = run("audit", {})
    assert (then, run("drift", counts)[0]) == (["drift"], [])
    # The audit cannot be made: nobody is asked to approve anything.
    launcher.emulator.fault("error", path="/login", status=401, message="Invalid credentials")
    assert run("audit", {})[0] == []
    launcher.emulator.clear_faults()
    # Or it cannot check an identity.
    launcher.emulator.fault(
        "error", method="GET", path="azure-auth", identity_id=launcher.ids[NAMES[0]], status=403
    )
    assert run("audit", {})[0] == []
    launcher.emulator.clear_faults()


def test_the_audit_of_the_night_fails_for_drift(launcher: Launcher) -> None:
    launcher.applied()
    job = launcher("audit", {})
    assert job.status == "failed"
    assert "2 identities have drifted" in job.output
