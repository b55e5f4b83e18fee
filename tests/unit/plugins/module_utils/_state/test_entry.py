# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An identity with its auth methods, as one unit of work."""

from __future__ import annotations

import types
import typing as t

import pytest

from ansible_collections.community.infisical.plugins.module_utils._errors import (
    ApiError,
    InfisicalError,
    InterruptError,
    OptionError,
)
from ansible_collections.community.infisical.plugins.module_utils._state.auth_methods import (
    AUTH_METHODS,
)
from ansible_collections.community.infisical.plugins.module_utils._state.azure_auth import (
    AZURE_AUTH,
)
from ansible_collections.community.infisical.plugins.module_utils._state.creations import Creations
from ansible_collections.community.infisical.plugins.module_utils._state.entry import (
    Desired,
    EntryReconciler,
)
from ansible_collections.community.infisical.plugins.module_utils._state.identities import (
    Identity,
    Reference,
)
from ansible_collections.community.infisical.plugins.module_utils._state.warnings import Warnings

ID = "6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b"
ORGANIZATION = "0f8d7c6b-5a49-4382-b716-0514f3e2d1c0"
LIST, SEARCH, CREATE = (
    "GET /api/v1/identities",
    "POST /api/v1/identities/search",
    "POST /api/v1/identities",
)
AZURE = f"/api/v1/auth/azure-auth/identities/{ID}"
BY_ID = f"GET /api/v1/identities/{ID}"
DENIED = ApiError("Not allowed.", http_status=403, error="PermissionDenied")
NOT_ATTACHED = ApiError("It is not.", http_status=400, error="BadRequest")
OPTIONS = {"tenant_id": ID, "resource": "r", "allowed_service_principal_ids": [ID]}
SETTINGS = AZURE_AUTH.from_options(OPTIONS, Warnings())
REVOKED = Desired({}, {"azure_auth": None})
ATTACHED = Desired({}, {"azure_auth": SETTINGS})


def page(*names: str) -> dict[str, t.Any]:
    items = [
        {
            "orgId": ORGANIZATION,
            "role": "member",
            "identity": {"id": ID, "name": name, "authMethods": []},
        }
        for name in names
    ]
    return {"identities": items, "totalCount": len(items)}


def azure_auth() -> dict[str, t.Any]:
    values = {**AZURE_AUTH.defaults(), **SETTINGS}
    return {"identityAzureAuth": {"identityId": ID, **AZURE_AUTH.to_api(values)}}


def of(server: t.Any, desired: Desired, *, check: bool = False, **others: t.Any) -> EntryReconciler:
    api = server.api()
    login = types.SimpleNamespace(identity_id=None, maybe_through=lambda _method: False)
    return EntryReconciler(
        api,
        t.cast(t.Any, login),
        AUTH_METHODS,
        others.pop("reference", Reference(None, "billing")),
        desired,
        Creations(api, Warnings()),
        others.pop("identity", None),
        check=check,
        **others,
    )


def created(server: t.Any) -> None:
    """What a server answers that creates the identity."""
    item = {"identity": {"id": ID, "name": "billing"}}
    server.answers.update({LIST: page(), CREATE: item})
    server.answers[SEARCH] = [page(), page("billing")]


@pytest.mark.parametrize("check", [True, False])
def test_an_entry_that_only_revokes_creates_nothing(server: t.Any, check: bool) -> None:
    server.answers.update({SEARCH: page(), LIST: page()})
    work = of(server, REVOKED, check=check)
    assert not work.creates
    work.run()
    assert (work.changed, work.created, work.works) == (False, False, [])
    assert {*server.asked} == {SEARCH}


@pytest.mark.parametrize(
    ("desired", "creates"),
    [(ATTACHED, True), (Desired({}, {}), True), (Desired(None, {}), False), (REVOKED, False)],
)
def test_what_creates_is_known_before(server: t.Any, desired: Desired, creates: bool) -> None:
    assert of(server, desired).creates is creates
    known = Identity(ID, "billing", ORGANIZATION, methods=())
    assert not of(server, desired, identity=known).creates
    assert not of(server, desired, reference=Reference(ID, None)).creates


def test_an_identity_is_created_and_its_method_attached(server: t.Any) -> None:
    created(server)
    server.answers[f"POST {AZURE}"] = azure_auth()
    work = of(server, ATTACHED)
    work.run()
    assert server.asked == [SEARCH, LIST, CREATE, SEARCH, f"POST {AZURE}"]
    assert (work.changed, work.created, work.deleted, work.failed_at) == (True, True, False, None)
    assert t.cast(Identity, work.identity).id == ID


def test_check_mode_writes_nothing_of_it(server: t.Any) -> None:
    created(server)
    work = of(server, ATTACHED, check=True)
    work.run()
    assert server.asked == [SEARCH, LIST]
    assert (work.changed, work.created) == (True, True)
    result = work.method_work["azure_auth"].result
    assert result is not None
    assert result.values["tenant_id"] == ID


def test_what_would_be_created_is_known_by_its_name(server: t.Any) -> None:
    server.answers[LIST] = page()
    work = of(server, ATTACHED, check=True)
    work.run()
    assert work.identity == Identity("", "billing", None, methods=())
    assert work.created


def test_what_could_not_be_attached_creates_nothing(server: t.Any) -> None:
    created(server)
    work = of(server, Desired({}, {"azure_auth": {"resource": "r"}}))
    with pytest.raises(OptionError) as raised:
        work.run()
    assert str(raised.value) == (
        "Azure Auth is not attached to the identity, and attaching it requires tenant_id,"
        " allowed_service_principal_ids (or allow_all_service_principals); set them too."
    )
    assert CREATE not in server.asked
    assert not work.changed


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (
            DENIED,
            (
                "Not allowed. The identity was created, but Azure Auth is not attached yet; run the"
                " task again with a login that may attach it; on servers released since summer"
                " 2026, the login needs the permission edit-auth on identities."
            ),
        ),
        (
            NOT_ATTACHED,
            (
                "It is not. The identity was created, but Azure Auth is not attached yet; run the"
                " task again."
            ),
        ),
    ],
)
def test_a_new_identity_that_stays_without_its_method_is_told_of(
    server: t.Any, failure: InfisicalError, message: str
) -> None:
    created(server)
    server.answers[f"POST {AZURE}"] = ApiError(
        str(failure), http_status=failure.http_status or 0, error=failure.error or ""
    )
    server.answers[BY_ID] = {"identity": page("billing")["identities"][0]}
    server.answers[f"GET {AZURE}"] = NOT_ATTACHED
    work = of(server, ATTACHED)
    with pytest.raises(ApiError) as raised:
        work.run()
    assert str(raised.value) == message
    assert (work.changed, work.created, work.failed_at) == (True, True, "azure_auth")


def test_an_identity_by_its_id_is_not_read_where_only_its_method_is_asked_for(
    server: t.Any,
) -> None:
    server.answers[f"GET {AZURE}"] = azure_auth()
    work = of(server, ATTACHED, reference=Reference(ID, None))
    work.run()
    assert server.asked == [f"GET {AZURE}"]
    assert (work.changed, work.identity_work) == (False, None)


def test_a_cut_off_write_counts_as_changed(server: t.Any) -> None:
    server.answers[f"GET {AZURE}"] = azure_auth()
    for writing in (True, False):
        work = of(server, ATTACHED, reference=Reference(ID, None))
        work.run()
        work.method_work["azure_auth"].writing = writing
        stop = InterruptError("Stopped.")
        work.note_interrupt(stop)
        assert (work.changed, work.failure) == (writing, stop)


def test_the_rest_of_an_identity_of_another_organization_is_not_read(server: t.Any) -> None:
    known = Identity(ID, "billing", ORGANIZATION, home_id=ID, methods=("azure-auth",))
    of(server, Desired({}, {}), identity=known, whole=True).run()
    assert server.asked == []


@pytest.mark.parametrize("stop", [InterruptError("Stopped."), DENIED], ids=["signal", "refusal"])
def test_only_a_signal_while_the_rest_is_read_keeps_the_work_from_being_done(
    server: t.Any, stop: InfisicalError
) -> None:
    server.answers.update(
        {
            f"GET {AZURE}": stop,
            BY_ID: {"identity": page("billing")["identities"][0]},
            f"{BY_ID}/identity-memberships": {"identityMemberships": []},
            f"DELETE /api/v1/identities/{ID}": {"identity": {"id": ID, "name": "billing"}},
        }
    )
    known = Identity(ID, "billing", ORGANIZATION, methods=("azure-auth",))
    work = of(server, Desired(None, {}), identity=known, whole=True)
    with pytest.raises(type(stop)) as raised:
        work.run()
    assert raised.value is stop
    assert work.deleted is (stop is DENIED)
    if not work.deleted:
        assert server.asked == [f"GET {AZURE}"]
