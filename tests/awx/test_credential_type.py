# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""AWX takes the custom credential type, and it logs in by every method that there is."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.community.infisical.plugins.module_utils._server.login import (
    METHODS,
    choose,
)
from awx.controller import credential_faults, inject, injector_faults, input_faults
from awx.objects import CREDENTIAL_TYPE, INJECTORS, INPUTS

FIELDS = {field["id"]: field for field in INPUTS["fields"]}
UUID = "0f6d8a4b-7c21-4e95-b3d8-1a5e9c7f2460"


def test_awx_takes_the_inputs_and_the_injectors() -> None:
    assert list(input_faults(INPUTS)) == []
    assert list(injector_faults(INPUTS, INJECTORS)) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        pytest.param({"id": "client-id"}, "cannot be a variable", id="an id with a hyphen"),
        pytest.param({"id": "tower"}, "cannot be a variable", id="a reserved id"),
        pytest.param({"id": "url"}, "twice", id="an id twice"),
        pytest.param({"label": None}, "no label", id="no label"),
        pytest.param({"type": "list"}, "of the type", id="a type that AWX has not"),
        pytest.param({"type": "boolean", "secret": True}, "with secret", id="a secret boolean"),
        pytest.param({"default": True}, "default of another type", id="another type of default"),
        pytest.param({"choices": []}, "no choices", id="nothing to choose"),
        pytest.param({"format": "pem"}, "format", id="a format that AWX has not"),
        pytest.param({"placeholder": "x"}, "unknown", id="a key that AWX has not"),
    ],
)
def test_the_rules_for_inputs_refuse(change: dict[str, t.Any], fault: str) -> None:
    field = {"id": "added", "label": "Added", **change}
    (found,) = input_faults({**INPUTS, "fields": [*INPUTS["fields"], field]})
    assert fault in found


@pytest.mark.parametrize(
    ("kind", "key", "template", "fault"),
    [
        pytest.param("env", "ADDED", "{{ nobody }}", "'nobody' is undefined", id="no such input"),
        pytest.param("env", "ADDED", "{{ url", "unexpected end", id="a template that is none"),
        pytest.param("env", "ADDED", "{{ tower.filename }}é", "no string", id="not ASCII"),
        pytest.param("env", "ANSIBLE_DEBUG", "1", "reserved", id="a setting of Ansible"),
        pytest.param("env", "MAX_EVENT_RES", "1", "reserved", id="a setting of AWX"),
        pytest.param("env", "ADDED-ONE", "1", "cannot be", id="no name of a variable"),
        pytest.param("file", "template", "x", "without a name", id="a file without a name"),
        pytest.param("file", "ca_bundle", "x", "neither", id="a file that is no template"),
        pytest.param("env", "ADDED", "{{ ''.__class__.mro() }}", "unsafe", id="unsafe code"),
    ],
)
def test_the_rules_for_injectors_refuse(kind: str, key: str, template: str, fault: str) -> None:
    changed = {**INJECTORS, kind: {**INJECTORS[kind], key: template}}
    (found,) = injector_faults(INPUTS, changed)
    assert fault in found


def test_every_login_method_can_be_chosen() -> None:
    assert set(FIELDS["auth_method"]["choices"]) == {method.name for method in METHODS}


def test_every_secret_of_a_login_is_a_secret_in_awx(tmp_path: Path) -> None:
    """An input is secret exactly if it comes out in a variable whose value is one."""
    (tmp_path / "env").mkdir()
    credentials = {item.variable: item for method in METHODS for item in method.credentials}
    for name, field in FIELDS.items():
        injected = inject(CREDENTIAL_TYPE, {name: "needle"}, tmp_path)
        carriers = [variable for variable, value in injected.env.items() if value == "needle"]
        is_secret = any(item.secret for key, item in credentials.items() if key in carriers)
        assert field.get("secret", False) is is_secret, name


# What each method's form is filled in with, and what the login is sent.
FILLED: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "universal_auth": (
        {"universal_auth_client_id": "id", "universal_auth_client_secret": "secret"},
        {"clientId": "id", "clientSecret": "secret"},
    ),
    "token_auth": ({"token": "t0ken"}, {"token": "t0ken"}),
    "azure_auth": ({"machine_identity_id": UUID}, {"identityId": UUID}),
    "gcp_auth": ({"machine_identity_id": UUID}, {"identityId": UUID}),
    "kubernetes_auth": (
        {"machine_identity_id": UUID, "kubernetes_token_path": "/projected/token"},
        {"identityId": UUID},
    ),
    "oidc_auth": (
        {"machine_identity_id": UUID, "jwt": "a.b.c"},
        {"identityId": UUID, "jwt": "a.b.c"},
    ),
    "jwt_auth": (
        {"machine_identity_id": UUID, "jwt": "a.b.c"},
        {"identityId": UUID, "jwt": "a.b.c"},
    ),
    "ldap_auth": (
        {"machine_identity_id": UUID, "ldap_username": "ci", "ldap_password": " pass "},
        {"identityId": UUID, "username": "ci", "password": " pass "},
    ),
}


@pytest.mark.parametrize("blanks", [True, False], ids=["the rest blank", "the rest left out"])
@pytest.mark.parametrize("method", METHODS, ids=[method.name for method in METHODS])
def test_a_credential_logs_in_by_its_method(method: t.Any, blanks: bool, tmp_path: Path) -> None:
    filled, sent = FILLED[method.name]
    given = {
        **(dict.fromkeys(FIELDS, "") if blanks else {}),
        "url": "https://infisical.example.com",
        "auth_method": method.name,
        **filled,
    }
    assert list(credential_faults(INPUTS, given)) == []
    (tmp_path / "env").mkdir()
    injected = inject(CREDENTIAL_TYPE, given, tmp_path)
    choice = choose({}, injected.env)
    assert (choice.url, choice.path) == ("https://infisical.example.com", method.path)
    assert dict(choice.values) == sent


def test_inputs_of_other_methods_do_not_get_in_the_way(tmp_path: Path) -> None:
    """A form in which somebody left what was used before: the method that is chosen decides."""
    (tmp_path / "env").mkdir()
    given = {"auth_method": "token_auth"}
    for filled, _sent in FILLED.values():
        given.update(filled)
    choice = choose({}, inject(CREDENTIAL_TYPE, given, tmp_path).env)
    assert dict(choice.values) == {"token": "t0ken"}
    assert choice.url == "https://app.infisical.com"


def test_a_ca_bundle_is_a_file_and_without_one_no_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "env").mkdir()
    with_one = inject(CREDENTIAL_TYPE, {"ca_bundle": "-----BEGIN\nx\n"}, tmp_path)
    path = Path(with_one.env["REQUESTS_CA_BUNDLE"])
    assert path.parent == tmp_path / "env"
    # Jinja drops a line end at the end, as in AWX.
    assert path.read_text(encoding="utf-8").rstrip("\n") == "-----BEGIN\nx"
    assert inject(CREDENTIAL_TYPE, {"ca_bundle": ""}, tmp_path).env["REQUESTS_CA_BUNDLE"] == ""


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        pytest.param({"auth_method": "ssh_auth"}, "is none of", id="a method that is none"),
        pytest.param({}, "auth_method is required", id="no method"),
        pytest.param({"auth_method": "token_auth", "tokken": "x"}, "unknown", id="a typing error"),
    ],
)
def test_awx_refuses_a_credential(given: dict[str, str], fault: str) -> None:
    (found,) = credential_faults(INPUTS, given)
    assert fault in found
