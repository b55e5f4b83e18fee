# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An auth method of an identity: what is refused before a write, and what failures say."""

from __future__ import annotations

import types
import typing as t

import pytest

from ansible_collections.community.infisical.plugins.module_utils._errors import (
    ApiError,
    OptionError,
    UnexpectedAnswerError,
)
from ansible_collections.community.infisical.plugins.module_utils._state.auth_method import (
    AuthMethodResource,
)
from ansible_collections.community.infisical.plugins.module_utils._state.azure_auth import (
    AZURE_AUTH,
)
from ansible_collections.community.infisical.plugins.module_utils._state.identities import Identity
from ansible_collections.community.infisical.plugins.module_utils._state.reconcile import Reconciler
from ansible_collections.community.infisical.plugins.module_utils._state.warnings import Warnings

ID = "6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b"
OTHER = "8a6d3f0e-5d0c-4c43-9a0e-0d6b5a1f7c21"
PROJECT = "0f0e0d0c-0b0a-4908-8706-050403020100"
ORGANIZATION = "0f8d7c6b-5a49-4382-b716-0514f3e2d1c0"
BY_ID = f"GET /api/v1/identities/{ID}"
OWNED = f"GET /api/v1/projects/{PROJECT}/identities/{ID}"
AZURE = f"/api/v1/auth/azure-auth/identities/{ID}"
OPTIONS = {"tenant_id": ID, "resource": "r", "allowed_service_principal_ids": [ID]}


def values(**options: t.Any) -> dict[str, t.Any]:
    return AZURE_AUTH.from_options({**OPTIONS, **options}, Warnings())


def work_on(
    server: t.Any, own: str | None, *, through: bool = True, project_id: str | None = None
) -> Reconciler:
    """The work on the Azure Auth of an identity, by a login as `own`, maybe through it."""
    login = types.SimpleNamespace(
        identity_id=own, maybe_through=lambda method: through and method == "azure-auth"
    )
    stored = AZURE_AUTH.to_api({**AZURE_AUTH.defaults(), **values()})
    answer = {"identityAzureAuth": {"identityId": ID, **stored}}
    for verb in ("GET", "PATCH", "DELETE"):
        server.answers.setdefault(f"{verb} {AZURE}", answer)
    resource = AuthMethodResource(
        server.api(), t.cast(t.Any, login), AZURE_AUTH, ID, project_id=project_id
    )
    return Reconciler(resource, check=False)


@pytest.mark.parametrize("wanted", [values(resource="other"), None], ids=["update", "revocation"])
def test_the_method_of_the_own_login_is_spared(
    server: t.Any, wanted: dict[str, t.Any] | None
) -> None:
    with pytest.raises(OptionError) as raised:
        work_on(server, ID).run(wanted)
    assert str(raised.value) == (
        f"This task is logged in as the identity {ID}, perhaps through the Azure Auth that it would"
        " change, and could lock itself out; use the credentials of another identity."
    )
    assert server.asked == [f"GET {AZURE}"]


@pytest.mark.parametrize(("own", "through"), [(OTHER, True), (None, True), (ID, False)])
def test_the_method_of_any_other_login_is_not(
    server: t.Any, own: str | None, through: bool
) -> None:
    work = work_on(server, own, through=through)
    work.run(None)
    assert work.changed
    assert server.asked[-1] == f"DELETE {AZURE}"


def test_what_changes_nothing_is_no_danger_to_the_own_login(server: t.Any) -> None:
    work = work_on(server, ID)
    work.run(values())
    assert not work.changed


@pytest.mark.parametrize(("count", "told"), [(6, False), (7, True)])
def test_a_server_that_breaks_down_over_many_ids_is_explained(
    server: t.Any, count: int, told: bool
) -> None:
    server.answers[f"PATCH {AZURE}"] = broken
    ids = [f"6f1a2b3c-4d5e-4f60-8a7b-{number:012x}" for number in range(count)]
    with pytest.raises(ApiError) as raised:
        work_on(server, OTHER).run(values(allowed_service_principal_ids=ids))
    assert str(raised.value) == "Broken." + told * (
        " allowed_service_principal_ids takes 264 characters, but servers released before March"
        " 2026 store at most 255, which is six UUIDs; shorten it, or upgrade the server."
    )


def broken(_request: t.Any) -> ApiError:
    return ApiError("Broken.", http_status=500, error="InternalServerError")


def test_a_new_identity_is_waited_for_at_a_replica(server: t.Any) -> None:
    missing = ApiError("No such identity.", http_status=404, error="NotFound")
    stored = AZURE_AUTH.to_api({**AZURE_AUTH.defaults(), **values()})
    answer = {"identityAzureAuth": {"identityId": ID, **stored}}
    for created, asked, paused in ((True, 3, [0.5, 1.0]), (False, 1, [])):
        server.answers[f"POST {AZURE}"] = [missing, missing, answer]
        server.asked.clear()
        server.paused.clear()
        identity = Identity(ID, "billing", ORGANIZATION, methods=())
        resource = AuthMethodResource(
            server.api(), t.cast(t.Any, None), AZURE_AUTH, ID, identity, created=created
        )
        (step,) = resource.plan(None, values()).steps
        if created:
            state = resource.perform(step)
            assert state is not None
            assert state.values["resource"] == "r"
        else:
            with pytest.raises(ApiError) as raised:
                resource.perform(step)
            assert raised.value is missing
        assert (server.asked, server.paused) == ([f"POST {AZURE}"] * asked, paused)


@pytest.mark.parametrize(
    ("refused", "status", "cautious"),
    [
        ({"access_token_ttl": 200}, 400, True),
        ({"access_token_max_ttl": 3000000}, 400, True),
        ({"resource": "other"}, 400, False),
        ({"access_token_ttl": 200}, 403, False),
    ],
)
def test_only_a_refused_lifetime_tells_of_another_rule_on_lifetimes(
    server: t.Any, refused: dict[str, t.Any], status: int, cautious: bool
) -> None:
    resource = work_on(server, OTHER).resource
    current = resource.read()
    assert current is not None
    failure = ApiError("Refused.", http_status=status, error="BadRequest")
    resource.learn_from(failure, resource.plan(current, values(**refused)))
    wanted = values(access_token_ttl=0, access_token_max_ttl=3000000)
    assert len(resource.plan(current, wanted).steps) == (2 if cautious else 1)


def test_the_details_of_a_method_have_the_period_of_its_tokens(server: t.Any) -> None:
    work = work_on(server, OTHER)
    server.answers[f"GET {AZURE}"]["identityAzureAuth"]["accessTokenPeriod"] = 60
    state = work.resource.read()
    assert state is not None
    assert state.details["access_token_period"] == 60


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        ({"accessTokenPeriod": "0"}, "accessTokenPeriod is not a number"),
        ({"updatedAt": 7}, "updatedAt is not a string"),
        ({"createdAt": 7}, "createdAt is not a string"),
        ({"tenantId": 7}, "a text is of another type"),
    ],
)
def test_odd_details_are_no_auth_method(server: t.Any, odd: dict[str, t.Any], why: str) -> None:
    work = work_on(server, OTHER)
    server.answers[f"GET {AZURE}"]["identityAzureAuth"].update(odd)
    with pytest.raises(UnexpectedAnswerError) as raised:
        work.run(values(resource="other"))
    assert str(raised.value) == (
        f"Could not read the Azure Auth of identity {ID}: the server answered with JSON that"
        f" Infisical does not send ({why}); check that url points to an Infisical server."
    )
    assert server.asked == [f"GET {AZURE}"]


def test_a_method_is_only_written_in_the_project_that_owns_its_identity(server: t.Any) -> None:
    inner = {"id": ID, "name": "billing", "orgId": ORGANIZATION, "authMethods": ["azure-auth"]}
    server.answers[OWNED] = {"identity": {**inner, "projectId": PROJECT}}
    work_on(server, OTHER, project_id=PROJECT).run(None)
    assert server.asked == [f"GET {AZURE}", OWNED, f"DELETE {AZURE}"]
    server.asked.clear()
    server.answers[OWNED] = ApiError("No such identity.", http_status=404, error="NotFound")
    server.answers[BY_ID] = {"identity": {"orgId": ORGANIZATION, "identity": inner}}
    with pytest.raises(OptionError) as refused:
        work_on(server, OTHER, project_id=PROJECT).run(None)
    assert str(refused.value) == (
        f"The owner of the identity {ID} is the organization, not the project {PROJECT}; correct"
        " project_id, or remove it."
    )
    assert server.asked == [f"GET {AZURE}", OWNED, BY_ID]
    server.answers[OWNED] = denied = ApiError("Not allowed.", http_status=403, error="Forbidden")
    with pytest.raises(ApiError) as raised:
        work_on(server, OTHER, project_id=PROJECT).run(None)
    assert raised.value is denied
