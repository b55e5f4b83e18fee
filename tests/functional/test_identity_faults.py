# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changing and deleting identities when answers are lost, races are, and rights are missing."""

from __future__ import annotations

import os
import re
import typing as t
from dataclasses import dataclass

import pytest
from functional.cases import ATTACHED, REQUIRED
from functional.harness import Result, run_in_process, warning_texts

from ansible_collections.community.infisical.plugins.modules import (
    infisical_identities,
    infisical_identity,
)
from emulator import Emulator, running

EVERY = ("2026", "2025-06", "2024-10")
GENERATIONS = EVERY if os.environ.get("THOROUGH") else EVERY[:1]
MODULES = ("one", "many")


@pytest.fixture(scope="module")
def servers() -> t.Iterator[dict[str, Emulator]]:
    found = {}
    with running(EVERY[0]) as new, running(EVERY[1]) as old, running(EVERY[2]) as oldest:
        found = dict(zip(EVERY, (new, old, oldest)))
        yield found


@pytest.fixture(params=GENERATIONS)
def server(request: pytest.FixtureRequest, servers: dict[str, Emulator]) -> Emulator:
    """A server as it was started."""
    emulator = servers[request.param]
    emulator.reset()
    return emulator


def run(
    module: str,
    server: Emulator,
    entry: t.Mapping[str, t.Any],
    *,
    check: bool = False,
    token: str = "",
) -> Result:
    """Run a module on one identity; of that for many return what it tells of the one."""
    server.clear_requests()
    common = {"url": server.url, "token": token or server.token, "retries": 1}
    if module == "one":
        return run_in_process(infisical_identity.main, {**common, **entry}, check=check)
    many = run_in_process(infisical_identities.main, {**common, "identities": [entry]}, check=check)
    told = many["results"][0] if many["results"] else {}
    return {**many, "identity": told, **told}


def token_for(server: Emulator, *actions: str) -> str:
    """Return a token of an identity whose role allows just these actions."""
    server.create_role("limited", actions)
    return server.issue_token(
        server.create_identity("limited", role="limited", methods=["universal-auth"])
    )


@dataclass(frozen=True)
class Change:
    """A write to an identity: its method, what is asked for, and whether that is so in the end."""

    verb: str
    entry: t.Mapping[str, t.Any]

    def done(self, server: Emulator, identity_id: str) -> bool:
        held = server.identity(identity_id)
        if self.verb == "DELETE":
            return held is None
        assert held is not None
        return (held["identity"]["name"], held["role"]) == (self.entry["name"], "member")


CHANGES = {
    "change": Change("PATCH", {"name": "changed", "role": "member"}),
    "delete": Change("DELETE", {"state": "absent"}),
}
LOST: dict[str, tuple[str, dict[str, t.Any]]] = {
    "500": ("error", {"status": 500}),
    "502 of a proxy": ("error", {"status": 502, "html": True}),
    "closed": ("drop", {}),
    "reset": ("drop", {"reset": True}),
    "cut off": ("truncate", {"keep": 20}),
    "HTML": ("body", {"text": "<html>"}),
    "null": ("body", {}),
}


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("lost", LOST)
def test_an_answer_that_is_lost_after_the_work(
    lost: str, change: str, module: str, server: Emulator
) -> None:
    what = CHANGES[change]
    identity_id = server.create_identity("target")
    action, options = LOST[lost]
    if action != "truncate":
        options = {**options, "when": "after"}
    server.fault(action, method=what.verb, identity_id=identity_id, times=1, **options)
    result = run(module, server, {"id": identity_id, **what.entry})
    assert not result["failed"], result["msg"]
    assert result["changed"]
    assert what.done(server, identity_id)
    # What can be asked for again at no risk is, if it may not have got through.
    assert len(server.requests(identity_id=identity_id, method=what.verb)) <= 2


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("how", [("error", {"status": 503}), ("drop", {})])
def test_a_write_that_was_not_done_is_made_again(
    how: tuple[str, dict[str, t.Any]], change: str, module: str, server: Emulator
) -> None:
    what = CHANGES[change]
    identity_id = server.create_identity("target")
    server.fault(how[0], method=what.verb, identity_id=identity_id, times=1, **how[1])
    result = run(module, server, {"id": identity_id, **what.entry})
    assert not result["failed"], result["msg"]
    assert result["changed"]
    assert what.done(server, identity_id)


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("change", CHANGES)
def test_a_failure_that_lasts_is_told(change: str, module: str, server: Emulator) -> None:
    what = CHANGES[change]
    identity_id = server.create_identity("target")
    server.fault("error", method=what.verb, identity_id=identity_id, status=500, error="FindOne")
    result = run(module, server, {"id": identity_id, **what.entry})
    assert result["failed"]
    assert (result["http_status"], result["error"]) == (500, "FindOne")
    verb = {"PATCH": "update", "DELETE": "delete"}[what.verb]
    assert f"Could not {verb} the identity {identity_id}: Infisical answered 500" in result["msg"]
    assert not what.done(server, identity_id)


@pytest.mark.parametrize("module", MODULES)
def test_another_deletes_it_first(module: str, server: Emulator) -> None:
    for entry, fails in (({"state": "absent"}, False), ({"name": "changed"}, True)):
        identity_id = server.create_identity("target")
        verb = "PATCH" if fails else "DELETE"
        server.fault("race", change="delete", method=verb, identity_id=identity_id, times=1)
        result = run(module, server, {"id": identity_id, **entry})
        assert result["failed"] == fails
        assert not result["changed"]
        if fails:
            assert "is not the ID of any identity that this login can see" in result["msg"]


@pytest.mark.parametrize("module", MODULES)
def test_another_makes_the_same_change_first(module: str, server: Emulator) -> None:
    identity_id = server.create_identity("target")
    where: dict[str, t.Any] = {"method": "PATCH", "identity_id": identity_id, "times": 1}
    server.fault("race", change="edit", fields={"name": "changed"}, **where)
    server.fault("error", status=500, error="Update by id", **where)
    result = run(module, server, {"id": identity_id, "name": "changed"})
    assert not result["failed"], result["msg"]
    assert not result["changed"]


@pytest.mark.parametrize("module", MODULES)
def test_protection_that_was_lifted_in_vain_is_told(module: str, servers: t.Any) -> None:
    server = servers["2026"]
    server.reset()
    token = token_for(server, "read", "edit")
    identity_id = server.create_identity("target", delete_protection=True)
    entry = {"id": identity_id, "state": "absent", "delete_protection": False}
    result = run(module, server, entry, token=token)
    assert result["failed"]
    assert result["changed"]
    assert "You are not allowed to delete on identity" in result["msg"]
    assert result["msg"].endswith("The task had already removed its delete protection.")
    assert result["identity"]["delete_protection"] is False
    assert result["identity"]["state"] == "present"
    assert server.identity(identity_id)["identity"]["hasDeleteProtection"] is False


@pytest.mark.parametrize("module", MODULES)
def test_protection_that_was_not_there_was_not_lifted(module: str, servers: t.Any) -> None:
    server = servers["2026"]
    server.reset()
    identity_id = server.create_identity("target")
    entry = {"id": identity_id, "state": "absent", "delete_protection": False}
    result = run(module, server, entry, token=token_for(server, "read", "edit"))
    assert result["failed"]
    assert not result["changed"]
    assert "lifted" not in result["msg"]


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("check", [True, False])
def test_the_projects_that_a_deletion_takes_it_out_of_are_named(
    check: bool, module: str, servers: t.Any
) -> None:
    for generation in ("2026", "2025-06"):
        server = servers[generation]
        server.reset()
        identity_id = server.create_identity("target")
        for name in ("shop", "bank\n"):
            project = server.create_project(name)
            server.add_member(identity_id, "viewer", project_id=project)
        result = run(module, server, {"name": "target", "state": "absent"}, check=check)
        assert not result["failed"], result["msg"]
        assert sorted(result["identity"]["details"]["projects"]) == ["bank\n", "shop"]
        (diff,) = [result["diff"]] if module == "one" else result["diff"]
        assert diff["before"]["projects"] == ["bank\\n", "shop"]
        assert diff["after"]["projects"] == []
        assert (server.identity(identity_id) is None) != check


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("stored", [True, False])
def test_a_role_beyond_the_login_is_one_sentence(
    stored: bool, module: str, server: Emulator
) -> None:
    token = token_for(server, "read", "create", "edit")
    if stored:
        server.create_identity("target", role="no-access")
    entry = {"name": "target", "role": "admin", "azure_auth": REQUIRED}
    # What check mode cannot know.
    predicted = run(module, server, entry, token=token, check=True)
    assert not predicted["failed"], predicted["msg"]
    result = run(module, server, entry, token=token)
    assert result["failed"]
    assert not result["changed"]
    assert result["http_status"] == (400 if server.generation == "2024-10" else 403)
    assert "Could not " + ("update" if stored else "create") in result["msg"]
    held = [item for item in server.state.identities.values() if item.name == "target"]
    assert len(held) == int(stored)
    assert [item for item in held if server.azure_auth(item.id)] == []


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("stored", [True, False])
def test_an_unknown_role_that_cannot_be_known_fails_at_the_first_write(
    stored: bool, module: str, servers: t.Any
) -> None:
    server = servers["2025-06"]
    server.reset()
    if stored:
        server.create_identity("target")
    entry = {"name": "target", "role": "nobody", "azure_auth": REQUIRED}
    assert not run(module, server, entry, check=True)["failed"]
    result = run(module, server, entry)
    assert result["failed"]
    assert not result["changed"]
    assert (result["http_status"], result["error"]) == (404, "NotFound")
    assert "Specified role 'nobody' was not found" in result["msg"]
    writes = [item for item in server.requests() if item.method in ("POST", "PATCH")]
    done = {item.status for item in writes if not item.path.endswith("/search")}
    assert done == {404}
    made = [item for item in server.state.identities.values() if item.name == "target"]
    assert len(made) == int(stored)


@pytest.mark.parametrize("module", MODULES)
def test_a_custom_role_without_the_licence(module: str, servers: t.Any) -> None:
    server = servers["2026"]
    server.reset()
    server.settings(rbac=False)
    result = run(module, server, {"name": "target", "role": "auditor"})
    assert result["failed"]
    assert not result["changed"]
    assert result["http_status"] == 400
    assert "RBAC" in result["msg"]


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("check", [True, False])
def test_who_may_not_look_creates_nothing(check: bool, module: str, server: Emulator) -> None:
    token = token_for(server, "create", "edit", "grant-privileges", "edit-auth")
    result = run(module, server, {"name": "target", "role": None}, token=token, check=check)
    assert result["failed"]
    assert (result["http_status"], result["error"]) == (403, "PermissionDenied")
    assert "You are not allowed to read on identity" in result["msg"]
    assert [item for item in server.state.identities.values() if item.name == "target"] == []


@pytest.mark.parametrize("module", MODULES)
def test_a_failure_in_between_says_what_was_done(module: str, server: Emulator) -> None:
    identity_id = server.create_identity("target")
    server.put_azure_auth(identity_id, **ATTACHED)
    server.fault("error", method="PATCH", path="/azure-auth/", status=500, error="Update by id")
    entry = {"id": identity_id, "role": "member", "azure_auth": {"resource": "other"}}
    result = run(module, server, entry)
    assert result["failed"]
    assert result["changed"]
    assert result["identity"]["role"] == "member"
    assert result["identity"]["azure_auth"]["resource"] == ATTACHED["resource"]
    (diff,) = [result["diff"]] if module == "one" else result["diff"]
    assert diff["after"]["role"] == "member"
    assert diff["before"]["azure_auth"] == diff["after"]["azure_auth"]
    server.clear_faults()
    result = run(module, server, entry)
    assert not result["failed"], result["msg"]
    assert result["identity"]["azure_auth"]["resource"] == "other"


@pytest.mark.parametrize("module", MODULES)
def test_a_foreign_name_is_no_control_sequence(module: str, server: Emulator) -> None:
    name = "app\nok: [forged]\x1b[2J"
    identity_id = server.create_identity(name)
    result = run(module, server, {"id": identity_id, "role": "member"})
    assert not result["failed"], result["msg"]
    (diff,) = [result["diff"]] if module == "one" else result["diff"]
    assert diff["before_header"].isprintable()
    assert diff["before"]["name"].isprintable()
    assert result["identity"]["name"] == name


@pytest.mark.parametrize("module", MODULES)
def test_a_foreign_name_is_no_control_sequence_in_a_warning(module: str, servers: t.Any) -> None:
    server = servers["2026"]
    server.reset()
    server.settings(lacks=["/v2/identities/search"])
    identity_id = server.create_identity("evil\x1b[31mred")
    result = run(module, server, {"id": identity_id, "role": "member"}, check=True)
    (warning,) = [text for text in warning_texts(result) if "may have others" in text]
    assert warning.endswith("evil [31mred")
    assert warning.isprintable()


READ_BACK: dict[str, tuple[dict[str, t.Any], dict[str, t.Any]]] = {
    "role": ({"role": "member"}, {"path": "/v2/identities/search"}),
    "metadata": ({"metadata": {}}, {"method": "GET", "path": "/v1/identities/[^/]+$"}),
}
UNREADABLE: dict[str, tuple[str, dict[str, t.Any]]] = {
    "a refusal": ("error", {"status": 403, "error": "PermissionDenied"}),
    "the end of the login": ("error", {"status": 401, "error": "UnauthorizedError"}),
    "a long rate limit": ("rate_limit", {"retry_after": 400}),
}


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("value", READ_BACK)
@pytest.mark.parametrize("how", UNREADABLE)
def test_what_was_written_and_cannot_be_read_back_counts_as_changed(
    how: str, value: str, module: str, servers: t.Any
) -> None:
    server = servers["2026"]
    server.reset()
    entry, look = READ_BACK[value]
    identity_id = server.create_identity("target", metadata={"a": "b"})
    action, options = UNREADABLE[how]
    # As often it is read before the write.
    run(module, server, {"id": identity_id, **entry}, check=True)
    reads = [
        item
        for item in server.requests(method=look.get("method"))
        if re.search(look["path"], item.path)
    ]
    server.fault(action, nth=len(reads) + 1, **look, **options)
    result = run(module, server, {"id": identity_id, **entry})
    assert result["failed"]
    assert result["changed"]
    done = f"The update of identity {identity_id} succeeded, but its result cannot be read: "
    assert done in result["msg"]
    assert len(server.requests(identity_id=identity_id, method="PATCH")) == 1


@pytest.mark.parametrize("wanted", [{"state": "absent"}, {"role": "member"}, {"name": "new"}])
@pytest.mark.parametrize("module", MODULES)
def test_the_answer_about_another_identity_changes_nobody(
    module: str, wanted: dict[str, t.Any], server: Emulator
) -> None:
    target, other = server.create_identities(["target", "other"])
    answer = {"identity": server.identity(other)}
    server.fault("body", method="GET", path=f"/v1/identities/{target}$", json=answer)
    result = run(module, server, {"id": target, **wanted})
    assert result["failed"]
    assert not result["changed"]
    assert "JSON that Infisical does not send (another identity)" in result["msg"]
    assert [item for item in server.requests() if item.method in ("PATCH", "DELETE")] == []


def renamed_before_it_is_read(server: Emulator, identity_id: str) -> None:
    """Somebody renames it after it was found by its name."""
    server.fault(
        "race",
        change="edit",
        fields={"name": "precious"},
        method="GET",
        path="/v1/identities/[^/]+$",
        identity_id=identity_id,
        times=1,
    )


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("check", [True, False])
def test_what_was_renamed_meanwhile_is_not_deleted(
    check: bool, module: str, server: Emulator
) -> None:
    identity_id = server.create_identity("old")
    renamed_before_it_is_read(server, identity_id)
    result = run(module, server, {"name": "old", "state": "absent"}, check=check)
    assert result["failed"]
    assert not result["changed"]
    assert f"The identity {identity_id} is named 'precious', not 'old'" in result["msg"]
    assert server.identity(identity_id) is not None


@pytest.mark.parametrize("module", MODULES)
def test_lifting_the_protection_undoes_no_renaming(module: str, servers: t.Any) -> None:
    server = servers["2026"]
    server.reset()
    identity_id = server.create_identity("old", delete_protection=True)
    renamed_before_it_is_read(server, identity_id)
    result = run(module, server, {"name": "old", "delete_protection": False})
    assert not result["failed"], result["msg"]
    held = server.identity(identity_id)["identity"]
    assert (held["name"], held["hasDeleteProtection"]) == ("precious", False)
    assert result["identity"]["name"] == "precious"
