# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A project's list of roles with something else in it is no traceback."""

from __future__ import annotations

import typing as t

import pytest
from functional.harness import run_in_process

from ansible_collections.community.infisical.plugins.modules import infisical_identity
from emulator import running


@pytest.mark.parametrize("role", ["special", None, 1, ["special"], {}])
def test_roles_that_are_none_are_passed_over(role: t.Any) -> None:
    with running() as server:
        project = server.create_project("shop")
        server.add_member(server.identities["admin"], "admin", project_id=project)
        server.fault("body", path=f"/projects/{project}/roles", json={"roles": [role]})
        options = {"name": "new", "project_id": project, "role": "special"}
        given = {"url": server.url, "token": server.token, "retries": 0, **options}
        result = run_in_process(infisical_identity.main, given)
    assert (result["failed"], result["changed"]) == (True, False)
    assert "is not the slug of any role of the project" in result["msg"]
