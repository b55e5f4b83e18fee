# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Argument specs made of tables, and options as they were written."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.community.infisical.plugins.module_utils._errors import OptionError
from ansible_collections.community.infisical.plugins.module_utils._module.options import (
    concurrency_of,
    identity_of,
    project_of,
    spec_of,
    unknown_option,
)
from ansible_collections.community.infisical.plugins.module_utils._state.azure_auth import (
    AZURE_AUTH,
)
from ansible_collections.community.infisical.plugins.module_utils._state.fields import (
    Field,
    Settings,
    text_from_api,
    text_option,
)

ID = "6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b"


def test_a_spec_says_what_the_fields_do() -> None:
    table = Settings(
        "thing",
        (
            Field("name", "name", "str", text_option, text_from_api),
            Field("bind_pass", "bindPass", "str", text_option, text_from_api, secret=True),
            Field("rules", "ruleList", "list", text_option, text_from_api, switch="any_rule"),
        ),
    )
    assert spec_of(table) == {
        "name": {"type": "str", "no_log": False},
        "bind_pass": {"type": "str", "no_log": True},
        "rules": {"type": "list", "elements": "raw", "no_log": False},
        "any_rule": {"type": "bool"},
    }
    aliases = {key: item.get("aliases") for key, item in spec_of(table, api_names=True).items()}
    assert aliases == {
        "name": [],
        "bind_pass": ["bindPass"],
        "rules": ["ruleList"],
        "any_rule": None,
    }


def test_no_option_of_azure_auth_is_taken_for_a_secret() -> None:
    spec = spec_of(AZURE_AUTH)
    assert {key for key, details in spec.items() if details.get("no_log") is not False} == {
        "allow_all_service_principals"
    }


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "Neither identity_id nor identity_name is set; set one of them."),
        ({"identity_id": ID, "identity_name": "x"}, "are both set; set only one of them."),
        ({"identity_id": "x"}, "identity_id 'x' is not a UUID; write one such as"),
        ({"identity_id": f"{ID}/.."}, "or set identity_name."),
        ({"identity_name": "a\0"}, "contains a NUL character"),
        ({"identity_name": "a", "project_id": "my-project"}, ", not the name or slug of the"),
    ],
)
def test_who_is_meant_is_said_once(options: dict[str, str], message: str) -> None:
    with pytest.raises(OptionError) as raised:
        identity_of(options)
    assert message in str(raised.value)


def test_spellings_of_who_is_meant() -> None:
    assert identity_of({"identity_id": f" {{{ID.upper()}}} "}) == (ID, None, None)
    named = {"identity_name": " a, b\ufeff", "project_id": ID.replace("-", "")}
    assert identity_of(named) == (None, "a, b", ID)
    assert project_of({}) is None


@pytest.mark.parametrize("concurrency", [0, -1, 65, True, False])
def test_a_concurrency_out_of_its_range_is_refused(concurrency: t.Any) -> None:
    with pytest.raises(OptionError, match="write a whole number from 1 to 64"):
        concurrency_of({"concurrency": concurrency})


def test_an_option_that_is_none_is_told_with_the_one_that_was_meant() -> None:
    spec: t.Any = {
        "tenant_id": {},
        "resource": {},
        "universal_auth_client_secret": {},
        "login_data": {"options": {"access_token": {}}},
    }
    sentences = {
        "tenantId": "'tenantId' is not an option of a task; did you mean tenant_id?",
        "client_secret": (
            "'client_secret' is not an option of a task; did you mean"
            " universal_auth_client_secret?"
        ),
        "q": (
            "'q' is not an option of a task; the options are login_data, resource, tenant_id,"
            " universal_auth_client_secret."
        ),
        "access_token": "'access_token' is not an option of a task; write it below login_data.",
    }
    for option, sentence in sentences.items():
        assert unknown_option(option, spec, "a task") == sentence
