# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading an identity with its auth methods, and which refusals are no failures."""

from __future__ import annotations

import types
import typing as t

import pytest

from ansible_collections.community.infisical.plugins.module_utils._errors import (
    ApiError,
    OptionError,
)
from ansible_collections.community.infisical.plugins.module_utils._state.auth_methods import (
    AUTH_METHODS,
)
from ansible_collections.community.infisical.plugins.module_utils._state.azure_auth import (
    AZURE_AUTH,
)
from ansible_collections.community.infisical.plugins.module_utils._state.identities import (
    Identity,
    Reference,
    Role,
)
from ansible_collections.community.infisical.plugins.module_utils._state.reading import (
    Reading,
    listed_readings,
    not_read,
)
from ansible_collections.community.infisical.plugins.module_utils._state.warnings import Warnings

ID = "6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b"
OTHER = "8a6d3f0e-5d0c-4c43-9a0e-0d6b5a1f7c21"
PROJECT = "0f0e0d0c-0b0a-4908-8706-050403020100"
ORGANIZATION = "0f8d7c6b-5a49-4382-b716-0514f3e2d1c0"
PARENT = "1f8d7c6b-5a49-4382-b716-0514f3e2d1c0"
BY_ID = f"GET /api/v1/identities/{ID}"
AZURE = f"GET /api/v1/auth/azure-auth/identities/{ID}"
MEMBERSHIPS = f"{BY_ID}/identity-memberships"
SEARCH_2 = "POST /api/v2/identities/search"
MISSING = ApiError("No such identity.", http_status=404, error="NotFound")
DENIED = ApiError("Not allowed.", http_status=403, error="PermissionDenied")
FOREIGN = ApiError("Not yours.", http_status=403, error="ForbiddenError")
NO_MEMBER = ApiError("No member.", http_status=404, error="ProjectMembershipNotFound")
NOT_ATTACHED = ApiError("It is not.", http_status=400, error="BadRequest")
OPTIONS = {"tenant_id": ID, "resource": "r", "allowed_service_principal_ids": [ID]}
SETTINGS = {**AZURE_AUTH.defaults(), **AZURE_AUTH.from_options(OPTIONS, Warnings())}
LISTED = Identity(
    ID, "billing", ORGANIZATION, home_id=ORGANIZATION, methods=("azure-auth",), metadata=()
)
OWNED = LISTED._replace(project_id=PROJECT)


def stored(
    home: str = ORGANIZATION, methods: tuple[str, ...] = ("azure-auth",)
) -> dict[str, t.Any]:
    inner = {"id": ID, "name": "billing", "orgId": home, "authMethods": [*methods]}
    pairs = [{"key": "team", "value": "a"}]
    return {
        "identity": {"orgId": ORGANIZATION, "role": "member", "identity": inner, "metadata": pairs}
    }


def azure_auth() -> dict[str, t.Any]:
    return {"identityAzureAuth": {"identityId": ID, **AZURE_AUTH.to_api(SETTINGS)}}


def run(server: t.Any, reading: Reading) -> Reading:
    login = types.SimpleNamespace(identity_id=None, maybe_through=lambda _method: False)
    reading.run(server.api(), t.cast(t.Any, login))
    return reading


def listed(identity: Identity = LISTED) -> Reading:
    (reading,) = listed_readings([identity], AUTH_METHODS)
    return reading


@pytest.mark.parametrize("metadata", [True, False])
def test_an_id_is_read_with_roles_and_auth_methods(server: t.Any, metadata: bool) -> None:
    """And with metadata, if they are asked for."""
    found: dict[str, t.Any] = {
        "identityId": ID,
        "orgId": ORGANIZATION,
        "roles": [{"role": "admin"}],
    }
    found["identity"] = {"name": "billing", "orgId": ORGANIZATION, "authMethods": []}
    server.answers.update({BY_ID: stored(), AZURE: azure_auth(), SEARCH_2: {"identities": [found]}})
    reading = run(server, Reading(Reference(ID, None), None, AUTH_METHODS, metadata=metadata))
    assert reading.identity is not None
    assert reading.identity.metadata == ((("team", "a"),) if metadata else None)
    assert reading.identity.roles == (Role("admin"),)
    assert list(reading.states) == ["azure_auth"]
    state = reading.states["azure_auth"]
    assert state is not None
    assert state.values == SETTINGS
    assert (reading.gone, reading.elsewhere, reading.unreadable) == (False, False, False)
    assert reading.failure is None


def test_an_id_of_nobody_is_an_error(server: t.Any) -> None:
    server.answers.update({BY_ID: MISSING, MEMBERSHIPS: MISSING})
    with pytest.raises(OptionError) as raised:
        run(server, Reading(Reference(ID, None), None, AUTH_METHODS))
    assert str(raised.value) == f"id '{ID}' is not the ID of any identity that this login can see."
    assert (raised.value.http_status, raised.value.error) == (404, "NotFound")


def test_a_listed_one_is_not_read_again_but_its_auth_methods_are(server: t.Any) -> None:
    server.answers[AZURE] = azure_auth()
    reading = run(server, listed())
    assert server.asked == [AZURE]
    assert reading.identity == LISTED._replace(metadata=None)
    assert reading.reference.label == f"billing ({ID})"
    server.asked.clear()
    (reading,) = listed_readings([LISTED], AUTH_METHODS, metadata=True)
    assert run(server, reading).identity == LISTED


def test_methods_that_were_revoked_since_the_list_are_not_shown(server: t.Any) -> None:
    server.answers.update({AZURE: NOT_ATTACHED, BY_ID: stored(methods=())})
    reading = run(server, listed())
    assert (reading.states, t.cast(Identity, reading.identity).methods) == (
        {"azure_auth": None},
        (),
    )


@pytest.mark.parametrize(
    ("identity", "refusal", "outcome"),
    [
        (LISTED, MISSING, "gone"),
        (OWNED, MISSING, "gone"),
        (LISTED, NO_MEMBER, "unreadable"),
        (OWNED, NO_MEMBER, "unreadable"),
        (OWNED, DENIED, "unreadable"),
        (OWNED, FOREIGN, "unreadable"),
        (LISTED, DENIED, None),
        (LISTED, None, None),
    ],
)
def test_a_listed_one_that_cannot_be_read(
    server: t.Any, identity: Identity, refusal: ApiError | None, outcome: str | None
) -> None:
    server.answers.update({AZURE: refusal, BY_ID: stored()})
    reading = listed(identity)
    if outcome:
        run(server, reading)
    else:
        with pytest.raises(ApiError):
            run(server, reading)
    flags = {"gone": reading.gone, "unreadable": reading.unreadable, "elsewhere": reading.elsewhere}
    assert [name for name, set_ in flags.items() if set_] == ([outcome] if outcome else [])
    # One that was asked for by its id is a failure.
    if refusal:
        with pytest.raises(ApiError):
            run(server, Reading(identity_reference(identity), identity, AUTH_METHODS))


def identity_reference(identity: Identity) -> Reference:
    return Reference(identity.id, None, identity.project_id)


def test_one_of_another_organization_is_elsewhere(server: t.Any) -> None:
    server.answers.update({AZURE: FOREIGN, BY_ID: stored(PARENT)})
    reading = run(server, listed())
    assert (reading.gone, reading.elsewhere, reading.unreadable) == (True, True, False)
    server.answers[BY_ID] = stored()
    reading = listed()
    with pytest.raises(ApiError) as raised:
        run(server, reading)
    assert raised.value is FOREIGN
    assert (reading.gone, reading.elsewhere) == (False, False)


def test_listed_ones_are_sorted_by_name_and_then_by_id() -> None:
    names = [(OTHER, "b"), (OTHER, "a"), (ID, "b"), (ID, "a\n" + "x" * 90)]
    readings = listed_readings([LISTED._replace(id=i, name=n) for i, n in names], AUTH_METHODS)
    assert [reading.reference.label for reading in readings] == [
        f"a ({OTHER})",
        f"a {'x' * 75}... ({ID})",
        f"b ({ID})",
        f"b ({OTHER})",
    ]
    (reading,) = listed_readings([OWNED], AUTH_METHODS)
    assert reading.reference == Reference(ID, None, PROJECT, f"billing ({ID})")


def test_what_was_listed_and_not_read_is_told_with_its_number() -> None:
    readings = [listed() for _number in range(6)]
    assert not_read(readings[:1]) == []
    for reading in readings[1:3]:
        reading.elsewhere = True
    for reading in readings[3:]:
        reading.unreadable = True
    assert not_read(iter(readings)) == [
        (
            "Identities that belong to another organization, such as a parent or sub-organization,"
            " are left out (2); log in to that organization to read them."
        ),
        (
            "Some identities are listed without their auth methods, because this login may not read"
            " identities in their projects (3)."
        ),
    ]
