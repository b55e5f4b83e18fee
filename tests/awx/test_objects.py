# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The objects for AWX fit together, AWX takes them, and the playbook loads all there is of them."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import pytest
import yaml
from tools.paths import ROOT
from tools.playbooks import run_playbook

from awx.controller import (
    credential_faults,
    playbooks,
    rrule_faults,
    survey_faults,
)
from awx.jobs import clean_environment
from awx.modules import recorded, write_stand_ins
from awx.objects import CREDENTIAL_TYPE, EXTENSION, INPUTS, OBJECTS, PROJECT, WRITTEN

# Which variable of infra.aap_configuration has what a module of awx.awx makes.
VARIABLES = {
    "credential_type": "controller_credential_types",
    "credential": "controller_credentials",
    "notification_template": "controller_notifications",
    "execution_environment": "controller_execution_environments",
    "inventory": "controller_inventories",
    "host": "controller_hosts",
    "project": "controller_projects",
    "job_template": "controller_templates",
    "workflow_job_template": "controller_workflows",
    "schedule": "controller_schedules",
}
SECRETS = {
    "INFISICAL_URL": "https://infisical.example.com",
    "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID": "the-client",
    "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET": "S3cretOfTheClient",
    "INFISICAL_AUDIT_UNIVERSAL_AUTH_CLIENT_ID": "the-reader",
    "INFISICAL_AUDIT_UNIVERSAL_AUTH_CLIENT_SECRET": "S3cretOfTheReader",
}
GUIDE = (ROOT / "docs/docsite/rst/guide_awx.rst").read_text(encoding="utf-8")
SURVEYS = [item["survey_spec"] for item in OBJECTS["controller_templates"] if "survey_spec" in item]


def _variables(role: str) -> list[str]:
    """Return the variables of a role."""
    return list(
        yaml.safe_load((ROOT / "roles" / role / "defaults" / "main.yml").read_text("utf-8"))
    )


APPLY_VARIABLES = _variables("identities_apply")
VARIABLES_OF_PLAYBOOKS = {*APPLY_VARIABLES, *_variables("identities_audit")}

Loaded = list[tuple[str, dict[str, t.Any]]]


def load(
    folder: Path,
    environment: t.Mapping[str, str],
    variables: t.Mapping[str, t.Any],
    status: int = 0,
) -> tuple[Loaded, str]:
    """Run load.yml; return what it gives to the modules, and what it prints."""
    record = folder / "record.jsonl"
    record.touch()
    write_stand_ins(folder, record)
    done = run_playbook(
        [str(EXTENSION / "load.yml"), "-vvv", "-e", json.dumps(variables)],
        folder,
        {
            **clean_environment(),
            **environment,
            "ANSIBLE_COLLECTIONS_PATH": str(folder),
            "ANSIBLE_HOME": str(folder / "home"),
            "ANSIBLE_PIPELINING": "1",
        },
    )
    assert done.returncode == status, done.output
    return recorded(record), done.output


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Loaded, str]:
    """What is loaded for an organization of this name."""
    organization = {"infisical_awx_organization": "Platform"}
    return load(tmp_path_factory.mktemp("load"), SECRETS, organization)


@pytest.fixture(scope="module")
def loaded_elsewhere(tmp_path_factory: pytest.TempPathFactory) -> tuple[Loaded, str]:
    """What is loaded for another one, by somebody without the secrets, with keys of their own."""
    (project,) = WRITTEN["controller_projects"]
    apply, *others = WRITTEN["controller_templates"]
    variables = {
        "infisical_awx_organization": "Second",
        "infisical_awx_name": "Infisical of Second",
        "infisical_awx_update_secrets": False,
        "infisical_awx_notifications": ["On call"],
        "controller_notifications": [
            {"name": "On call", "organization": "Second", "notification_type": "webhook"}
        ],
        "controller_projects": [{**project, "credential": "Deploy key", "timeout": 60}],
        "controller_templates": [
            {**apply, "labels": ["infisical"], "instance_groups": ["near"]},
            *others,
        ],
    }
    only = {name: SECRETS[name] for name in SECRETS if "AUDIT" in name or name == "INFISICAL_URL"}
    return load(tmp_path_factory.mktemp("elsewhere"), only, variables)


def given_to(module: str, loads: Loaded) -> list[dict[str, t.Any]]:
    """Return what the tasks of a module were given, in order."""
    return [given for name, given in loads if name == module]


def test_every_object_is_loaded_with_every_setting(loaded: tuple[Loaded, str]) -> None:
    expected = [
        (module, {*item, *(["update_secrets"] if module == "credential" else [])})
        for module, variable in VARIABLES.items()
        for item in OBJECTS[variable]
    ]
    assert [(module, set(given)) for module, given in loaded[0]] == expected
    assert set(OBJECTS) == {
        *VARIABLES.values(),
        *(name for name in OBJECTS if name.startswith("infisical_awx_")),
    }


def test_a_blank_overwrites_no_credential(loaded_elsewhere: tuple[Loaded, str]) -> None:
    loads, output = loaded_elsewhere
    (credential,) = given_to("credential", loads)
    assert credential["name"] == "Infisical of Second - read only"
    assert credential["inputs"]["universal_auth_client_secret"] == "S3cretOfTheReader"
    assert credential["update_secrets"] is False
    assert (
        "The credential Infisical of Second in AWX stays as it is, because these inputs are blank:"
        " universal_auth_client_id, universal_auth_client_secret."
    ) in " ".join(output.split())


def test_a_url_that_is_not_set_overwrites_none_either(tmp_path: Path) -> None:
    """With the default in its place, the next job would send its secret there."""
    secrets = {name: value for name, value in SECRETS.items() if name != "INFISICAL_URL"}
    loads, output = load(tmp_path, secrets, {})
    assert given_to("credential", loads) == []
    assert output.count("because these inputs are blank: url.") >= 2


def test_keys_that_somebody_adds_are_passed_on(loaded_elsewhere: tuple[Loaded, str]) -> None:
    loads, _output = loaded_elsewhere
    (project,) = given_to("project", loads)
    assert (project["credential"], project["timeout"]) == ("Deploy key", 60)
    # Else a project without a first update could not be loaded again.
    assert project["update_project"] is True
    apply, audit, _drift = given_to("job_template", loads)
    assert (apply["labels"], apply["instance_groups"]) == (["infisical"], ["near"])
    assert audit["notification_templates_error"] == ["On call"]
    (workflow,) = given_to("workflow_job_template", loads)
    assert workflow["notification_templates_approvals"] == ["On call"]


def test_keys_that_awx_does_not_know_are_refused(tmp_path: Path) -> None:
    (project,) = OBJECTS["controller_projects"]
    variables = {"controller_projects": [{**project, "scm_key": "x"}]}
    _loads, output = load(tmp_path, {}, variables, status=2)
    assert "Unsupported parameters for (awx.awx.project) module: scm_key." in output


def test_a_second_organization_has_names_of_its_own(
    loaded: tuple[Loaded, str], loaded_elsewhere: tuple[Loaded, str]
) -> None:
    """The modules find most objects by their name alone, and AWX has a name of an image once."""
    names, others = (
        {(module, given["name"]) for module, given in loads}
        for loads in (loaded[0], loaded_elsewhere[0])
    )
    shared = {("credential_type", "Infisical machine identity"), ("host", "localhost")}
    assert names & others == shared


def test_what_differs_from_awx_to_awx_can_be_set(loaded: tuple[Loaded, str]) -> None:
    organizations = {item.get("organization", "Platform") for _module, item in loaded[0]}
    assert organizations == {"Platform"}


def test_templates_reach_awx_as_they_are_written(loaded: tuple[Loaded, str]) -> None:
    given = dict(loaded[0])
    assert given["credential_type"] == CREDENTIAL_TYPE
    (host,) = OBJECTS["controller_hosts"]
    assert given["host"]["variables"] == host["variables"]


def test_the_credential_takes_its_secrets_from_the_environment(loaded: tuple[Loaded, str]) -> None:
    loads, output = loaded
    inputs = [given["inputs"] for given in given_to("credential", loads)]
    assert set(SECRETS.values()) <= {value for given in inputs for value in given.values()}
    assert [fault for given in inputs for fault in credential_faults(INPUTS, given)] == []
    assert [name for name in SECRETS if "SECRET" in name and SECRETS[name] in output] == []


def test_objects_name_objects_that_are_there() -> None:
    names = {
        module: {item["name"] for item in OBJECTS[variable]}
        for module, variable in VARIABLES.items()
    }
    for credential in OBJECTS["controller_credentials"]:
        assert credential["credential_type"] in names["credential_type"]
    for template in OBJECTS["controller_templates"]:
        assert set(template.get("credentials", [])) <= names["credential"]
        for kind in ("inventory", "project", "execution_environment"):
            assert template[kind] in names[kind]
    for schedule in OBJECTS["controller_schedules"]:
        assert schedule["unified_job_template"] in names["job_template"]
    for host in OBJECTS["controller_hosts"]:
        assert host["inventory"] in names["inventory"]


def test_nodes_of_the_workflow_lead_to_nodes_and_templates() -> None:
    templates = {item["name"] for item in OBJECTS["controller_templates"]}
    (workflow,) = OBJECTS["controller_workflows"]
    nodes = {node["identifier"]: node for node in workflow["workflow_nodes"]}
    followed: set[str] = set()
    for node in nodes.values():
        job = node["unified_job_template"]
        assert job["type"] in ("job_template", "workflow_approval")
        assert job["type"] == "workflow_approval" or job["name"] in templates
        for followers in node.get("related", {}).values():
            followed.update(follower["identifier"] for follower in followers)
    assert followed == set(nodes) - {"audit"}
    # What is given to a node is an answer to a question: anything else AWX leaves out unread.
    questions = {
        item["name"]: {question["variable"] for question in item["survey_spec"]["spec"]}
        for item in OBJECTS["controller_templates"]
        if "survey_spec" in item
    }
    for node in nodes.values():
        assert set(node.get("extra_data", {})) <= questions.get(
            node["unified_job_template"]["name"], set()
        )


def test_job_templates_run_playbooks_of_the_project() -> None:
    found = playbooks(PROJECT)
    assert sorted(item["playbook"] for item in OBJECTS["controller_templates"]) == found


def test_playbooks_of_the_project_import_those_of_the_collection() -> None:
    for name in ("identities_apply", "identities_audit"):
        (play,) = yaml.safe_load((PROJECT / f"{name}.yml").read_text(encoding="utf-8"))
        assert play["ansible.builtin.import_playbook"] == f"community.infisical.{name}"
        assert play["vars"]
        assert set(play["vars"]) <= VARIABLES_OF_PLAYBOOKS


@pytest.mark.parametrize("survey", SURVEYS, ids=[survey["name"] for survey in SURVEYS])
def test_awx_takes_the_survey(survey: dict[str, t.Any]) -> None:
    assert list(survey_faults(survey)) == []
    # Nobody answers in a workflow.
    assert not any(item["required"] for item in survey["spec"])
    assert all("default" in item for item in survey["spec"])
    # What is typed into a survey is shown in the job.
    assert "password" not in {item["type"] for item in survey["spec"]}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        pytest.param({"type": "boolean"}, "of the type", id="a type that surveys have not"),
        pytest.param({"default": "100"}, "default of another type", id="a number in quotes"),
        pytest.param({"min": "1"}, "no integer", id="a limit in quotes"),
        pytest.param({"required": "no"}, "no boolean", id="required as a word"),
        pytest.param({"question_name": None}, "no string", id="no question"),
        pytest.param({"variable": "identities_apply_purge"}, "twice", id="a variable twice"),
        pytest.param(
            {"type": "multiplechoice", "choices": ["yes"], "default": "no"},
            "cannot be chosen",
            id="a default that is no choice",
        ),
    ],
)
def test_the_rules_for_surveys_refuse(change: dict[str, t.Any], fault: str) -> None:
    survey = SURVEYS[0]
    changed = [
        {**item, **(change if item["type"] == "integer" and item["max"] == 64 else {})}
        for item in survey["spec"]
    ]
    (found,) = survey_faults({**survey, "spec": changed})
    assert fault in found


def test_survey_variables_and_extra_variables_are_those_of_the_playbooks() -> None:
    for template in OBJECTS["controller_templates"]:
        questions = template.get("survey_spec", {}).get("spec", [])
        names = {item["variable"] for item in questions} | set(template.get("extra_vars", {}))
        assert names <= VARIABLES_OF_PLAYBOOKS


def test_awx_takes_the_schedule_and_it_is_nightly() -> None:
    (schedule,) = OBJECTS["controller_schedules"]
    assert list(rrule_faults(schedule["rrule"])) == []
    assert "FREQ=DAILY;INTERVAL=1" in schedule["rrule"]


@pytest.mark.parametrize(
    ("rrule", "fault"),
    [
        pytest.param("RRULE:FREQ=DAILY;INTERVAL=1", "start", id="no start"),
        pytest.param("DTSTART:20260101T021500 RRULE:FREQ=DAILY;INTERVAL=1", "start", id="no zone"),
        pytest.param("DTSTART:20260101T021500Z RRULE:FREQ=DAILY", "interval", id="no interval"),
        pytest.param("DTSTART:20260101T021500Z", "no rule", id="no rule"),
        pytest.param(
            "DTSTART:20260101T021500Z RRULE:FREQ=SECONDLY;INTERVAL=1", "frequency", id="seconds"
        ),
    ],
)
def test_the_rules_for_schedules_refuse(rrule: str, fault: str) -> None:
    (found,) = rrule_faults(rrule)
    assert fault in found


def test_the_audit_writes_nothing_and_shows_differences() -> None:
    audit = {item["name"]: item for item in OBJECTS["controller_templates"]}["Infisical - audit"]
    assert audit["job_type"] == "check"
    assert audit["diff_mode"] is True
    assert "ask_job_type_on_launch" not in audit


def test_the_audit_logs_in_as_somebody_else(loaded: tuple[Loaded, str]) -> None:
    templates = {item["name"]: item for item in OBJECTS["controller_templates"]}
    used = [templates[f"Infisical - {name}"]["credentials"] for name in ("apply", "audit")]
    assert used == [["Infisical"], ["Infisical - read only"]]
    one, other = (given["inputs"] for given in given_to("credential", loaded[0]))
    assert one["universal_auth_client_id"] != other["universal_auth_client_id"]


def test_what_is_loaded_holds_no_secret() -> None:
    secrets = {field["id"] for field in INPUTS["fields"] if field.get("secret")}
    for credential in OBJECTS["controller_credentials"]:
        given = {name: value for name, value in credential["inputs"].items() if name in secrets}
        assert given
        assert all("lookup('ansible.builtin.env'" in value for value in given.values())


def test_the_guide_lists_the_variables_of_the_playbook() -> None:
    listed = re.findall(r"^  \* - ``(identities_apply_\w+)``$", GUIDE, re.MULTILINE)
    assert listed == APPLY_VARIABLES


def test_the_guide_lists_what_differs_from_awx_to_awx() -> None:
    listed = re.findall(r"^  \* - ``(infisical_awx_\w+)``$", GUIDE, re.MULTILINE)
    assert listed == [name for name in OBJECTS if name.startswith("infisical_awx_")]


def test_the_guide_lists_the_login_methods() -> None:
    (method,) = (field for field in INPUTS["fields"] if field["id"] == "auth_method")
    rows = re.findall(r"^  \* - (``\w+_auth``(?:, ``\w+_auth``)*)$", GUIDE, re.MULTILINE)
    listed = {name for row in rows for name in re.findall(r"\w+_auth", row)}
    assert listed == set(method["choices"])


def test_the_guide_names_the_templates_the_workflow_and_the_numbers() -> None:
    named = {item["name"] for item in OBJECTS["controller_templates"]}
    named |= {item["name"] for item in OBJECTS["controller_workflows"]}
    assert [name for name in sorted(named) if f'"{name}"' not in GUIDE] == []
