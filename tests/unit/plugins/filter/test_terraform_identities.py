# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import json
import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.community.infisical.plugins.filter import terraform_identities as plugin

take = plugin.FilterModule().filters()["terraform_identities"]

Object = dict[str, t.Any]

ID = "6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b"
OTHER = "7d3b0f92-4e1c-4a65-9b87-c2f5d8e60a13"
PROJECT = "7b0e94d6-13c5-4f82-a8b2-69e4c07d1f35"
TENANT = "3f6c1b52-9d0e-4a87-8c21-5b7e0f4d9a16"
PRINCIPAL = "c9a1e7d4-02b8-4f35-9e6a-71d5b3f08c2e"
SECRET = "do not tell"

IDENTITY: Object = {
    "id": ID,
    "name": "billing",
    "role": "no-access",
    "org_id": OTHER,
    "has_delete_protection": True,
    "auth_modes": ["azure-auth"],
    "metadata": [{"key": "team", "value": "payments"}],
}
AZURE_AUTH: Object = {
    "id": OTHER,
    "identity_id": ID,
    "tenant_id": TENANT,
    "resource_url": "https://management.azure.com",
    "allowed_service_principal_ids": [PRINCIPAL],
    "access_token_trusted_ips": [{"ip_address": "10.0.0.0/8"}, {"ip_address": "::/0"}],
    "access_token_ttl": 3600,
    "access_token_max_ttl": 86400,
    "access_token_num_uses_limit": 0,
}
SETTINGS: Object = {
    "tenant_id": TENANT,
    "resource": "https://management.azure.com",
    "allowed_service_principal_ids": [PRINCIPAL],
    "access_token_trusted_ips": ["10.0.0.0/8", "::/0"],
    "access_token_ttl": 3600,
    "access_token_max_ttl": 86400,
    "access_token_num_uses_limit": 0,
}
ENTRY: Object = {
    "id": ID,
    "name": "billing",
    "role": "no-access",
    "delete_protection": True,
    "metadata": {"team": "payments"},
}


def resource(kind: str, values: Object, **more: t.Any) -> Object:
    """Return a resource as Terraform shows it."""
    return {
        "address": f"infisical_{kind}.this",
        "mode": "managed",
        "type": f"infisical_{kind}",
        "name": "this",
        "provider_name": "registry.terraform.io/infisical/infisical",
        "schema_version": 0,
        "values": values,
        "sensitive_values": {},
        **more,
    }


def state(*resources: Object, **root: t.Any) -> Object:
    module = {"resources": list(resources), **root}
    return {
        "format_version": "1.0",
        "terraform_version": "1.9.8",
        "values": {"root_module": module},
    }


def reasons(taken: Object) -> dict[str, str]:
    return {item["address"]: item["reason"] for item in taken["left_out"]}


def test_an_identity_and_its_azure_auth_are_one_entry() -> None:
    taken = take(state(resource("identity_azure_auth", AZURE_AUTH), resource("identity", IDENTITY)))
    assert taken == {"identities": [{**ENTRY, "azure_auth": SETTINGS}], "left_out": []}


def test_the_project_that_owns_an_identity_is_taken() -> None:
    role = {"role_slug": "viewer", "is_temporary": False, "id": OTHER}
    values: Object = {
        "id": ID,
        "name": "billing",
        "project_id": PROJECT,
        "has_delete_protection": False,
        "auth_methods": [],
        "metadata": None,
        "roles": [role],
    }
    (entry,) = take(state(resource("project_scoped_identity", values)))["identities"]
    assert entry == {
        "id": ID,
        "name": "billing",
        "project_id": PROJECT,
        "role": "viewer",
        "delete_protection": False,
    }
    for roles in ([{**role, "is_temporary": True}], [role, role]):
        taken = take(state(resource("project_scoped_identity", {**values, "roles": roles})))
        assert "role" not in taken["identities"][0]
        assert "several roles" in reasons(taken)["infisical_project_scoped_identity.this"]


def test_modules_within_modules_and_instances_are_read() -> None:
    one = resource("identity", IDENTITY, index="billing")
    two = resource("identity", {**IDENTITY, "id": OTHER, "name": "mail"}, index=0)
    deepest = {"address": "module.a.module.b", "resources": [two]}
    taken = take(state(one, child_modules=[{"address": "module.a", "child_modules": [deepest]}]))
    assert [entry["name"] for entry in taken["identities"]] == ["billing", "mail"]


def test_data_sources_and_other_resources_are_not_read() -> None:
    taken = take(
        state(
            resource("identity", IDENTITY, mode="data"),
            resource("project", {"name": "shop"}),
            resource("secret", {"value": SECRET}),
        )
    )
    assert taken == {"identities": [], "left_out": []}


def test_an_identity_that_is_managed_elsewhere_is_listed_by_its_id() -> None:
    taken = take(state(resource("identity_azure_auth", AZURE_AUTH)))
    assert taken["identities"] == [{"id": ID, "azure_auth": SETTINGS}]


OTHERS = {
    "identity_universal_auth": "A list can only set Azure Auth",
    "identity_kubernetes_auth": "A list can only set Azure Auth",
    "identity_token_auth": "A list can only set Azure Auth",
    "identity_universal_auth_client_secret": "cannot contain such resources",
    "identity_token_auth_token": "cannot contain such resources",
    "project_identity": "cannot contain such resources",
    "project_identity_specific_privilege": "cannot contain such resources",
    "cert_manager_identity": "cannot contain such resources",
    "cert_manager_application_identity": "cannot contain such resources",
    "group_machine_identity": "cannot contain such resources",
}


@pytest.mark.parametrize("kind", OTHERS)
def test_what_a_list_does_not_have_is_told(kind: str) -> None:
    values = {"identity_id": ID, "token": SECRET, "client_secret": SECRET}
    taken = take(state(resource(kind, values)))
    assert taken["identities"] == []
    assert OTHERS[kind] in reasons(taken)[f"infisical_{kind}.this"]
    assert SECRET not in json.dumps(taken)


@pytest.mark.parametrize("listed", [[], [""], "", None])
def test_no_list_opens_an_identity_to_its_tenant(listed: t.Any) -> None:
    values = {**AZURE_AUTH, "allowed_service_principal_ids": listed}
    taken = take(state(resource("identity_azure_auth", values)))
    settings = taken["identities"][0]["azure_auth"]
    assert not {"allowed_service_principal_ids", "allow_all_service_principals"} & set(settings)
    assert (
        "Its allowed_service_principal_ids is empty, which lets every service principal of the"
        " tenant log in. The entry does not change that. To keep it in the list, add"
        " allow_all_service_principals: true to the entry."
    ) in reasons(taken)["infisical_identity_azure_auth.this"]


def test_the_provider_before_september_2024_has_a_text_of_principals() -> None:
    values = {**AZURE_AUTH, "allowed_service_principal_ids": f"{PRINCIPAL}, {TENANT}"}
    (entry,) = take(state(resource("identity_azure_auth", values)))["identities"]
    assert entry["azure_auth"]["allowed_service_principal_ids"] == [PRINCIPAL, TENANT]


@pytest.mark.parametrize("marks", [{"name": True}, {"metadata": [{"value": True}]}])
def test_what_is_sensitive_is_not_taken(marks: Object) -> None:
    values = copy.deepcopy(IDENTITY)
    values["name"] = SECRET
    values["metadata"][0]["value"] = SECRET
    (hidden,) = marks
    taken = take(state(resource("identity", values, sensitive_values=marks)))
    assert hidden not in taken["identities"][0]
    assert f"{hidden} is sensitive" in reasons(taken)["infisical_identity.this"]
    # An empty mark is none.
    unmarked = {"metadata": [{}], "auth_modes": [False]}
    assert take(state(resource("identity", values, sensitive_values=unmarked)))["left_out"] == []


def test_sensitive_settings_are_not_told_as_empty() -> None:
    """Whether a hidden list of principals is empty, nobody can tell from the state."""
    marks = {"allowed_service_principal_ids": [True]}
    values = {**AZURE_AUTH, "access_token_trusted_ips": None}
    taken = take(state(resource("identity_azure_auth", values, sensitive_values=marks)))
    left = {"allowed_service_principal_ids", "access_token_trusted_ips"}
    settings = {key: SETTINGS[key] for key in SETTINGS if key not in left}
    assert taken["identities"] == [{"id": ID, "azure_auth": settings}]
    assert [item["reason"] for item in taken["left_out"]] == [
        "allowed_service_principal_ids is sensitive, so the entry does not have it."
    ]


def test_an_azure_auth_of_which_nothing_is_taken_is_no_entry() -> None:
    marks = dict.fromkeys(AZURE_AUTH.keys() - {"id", "identity_id"}, True)
    method = resource("identity_azure_auth", AZURE_AUTH, sensitive_values=marks)
    taken = take(state(method))
    assert taken["identities"] == []
    assert len(taken["left_out"]) == len(marks)
    assert take(state(resource("identity", IDENTITY), method))["identities"] == [ENTRY]


def test_what_is_no_resource_and_no_module_is_not_read() -> None:
    given = state(resource("identity", IDENTITY), child_modules=[None, "module.a"])
    given["values"]["root_module"]["resources"] += [None, "infisical_identity.that"]
    assert take(given) == {"identities": [ENTRY], "left_out": []}


def test_what_is_half_there_is_told() -> None:
    twice = 2 * IDENTITY["metadata"]
    taken = take(
        state(
            resource("identity", {**IDENTITY, "metadata": twice}, address="twice"),
            resource("identity", {**IDENTITY, "id": None}, address="new"),
            resource("identity", IDENTITY, address="deposed", deposed_key="b2f1c3d4"),
            resource("identity_azure_auth", {**AZURE_AUTH, "identity_id": None}, address="whose"),
        )
    )
    assert "metadata" not in taken["identities"][0]
    assert list(reasons(taken)) == ["deposed", "twice", "new", "whose"]
    assert reasons(taken)["whose"] == "It does not say which identity it belongs to."


WRONG: dict[str, tuple[t.Any, str]] = {
    "text": ("{}", "the state is '{}', which is not a dictionary"),
    "plan": ({"format_version": "1.2", "planned_values": {}}, "this is a plan and not a state"),
    "state file": ({"version": 4, "lineage": ID, "resources": []}, "this is a state file"),
    "something else": ({"identities": []}, "this is not a state"),
    "newer": (
        {"format_version": "2.0"},
        (
            "format_version is '2.0', but this filter reads 0.1 to 1.x; use the Terraform or"
            " OpenTofu that manages the state."
        ),
    ),
    "no module": ({"format_version": "1.0", "values": {"root_module": 1}}, "root_module is 1"),
    "no values": (
        state({**resource("identity", {}), "values": None}),
        "infisical_identity.this has no values",
    ),
    "another type": (
        state(resource("identity", {**IDENTITY, "metadata": "team"})),
        "infisical_identity.this has 'team' for metadata",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_state_is_said_in_a_sentence(case: str) -> None:
    given, message = WRONG[case]
    with pytest.raises(AnsibleFilterError) as error:
        take(given)
    assert message in str(error.value)
    assert str(error.value).endswith(".")


@pytest.mark.parametrize("version", ["0.1", "0.2", "1.0", "1.10"])
def test_a_state_may_be_empty(version: str) -> None:
    assert take({"format_version": version}) == {"identities": [], "left_out": []}
