# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Identities as the report has them, with everything about an identity in one place. Pure."""

from __future__ import annotations

import typing as t

from ...module_utils._state.fields import Values
from .._identities import held, labels_of

Item = dict[str, t.Any]

_ABSENT: Values = {"state": "absent"}


class AzureAuth(t.NamedTuple):
    """The Azure Auth of an identity: its settings, None if it is not attached or not known.

    `attached` is False only if Azure Auth is known not to be attached.
    """

    settings: Item | None
    known: bool
    attached: bool


def now(result: Values) -> Values:
    """Return the current state of an identity, from the result of a task in check mode."""
    before: Values = result.get("before", result)
    return before


def is_there(result: Values) -> bool:
    """Return whether a result is about an identity that exists.

    An identity without an entry was found among all identities, even if reading it failed
    afterwards.
    """
    state = now(result).get("state")
    listed = state is None and "index" in result and result["index"] is None
    return bool(result.get("id")) and (state == "present" or listed)


def found(results: t.Iterable[Values]) -> dict[str, Values]:
    """Return the results about existing identities by ID, preferably those that have Azure Auth."""
    best: dict[str, Values] = {}
    for result in filter(is_there, results):
        earlier = best.setdefault(result["id"], result)
        if not azure_auth_of(now(earlier)).known and azure_auth_of(now(result)).known:
            best[result["id"]] = result
    return best


def azure_auth_of(identity: Values) -> AzureAuth:
    """Return the current Azure Auth of an identity."""
    settings = _ABSENT if identity.get("state") == "absent" else identity.get("azure_auth")
    if settings is None:
        # It could not be read, but the list of auth methods may say whether it is attached.
        methods = (identity.get("details") or {}).get("auth_methods")
        attached = methods is None or "azure-auth" in methods
        return AzureAuth(None, not attached, attached)
    if settings.get("state") != "present":
        return AzureAuth(None, True, False)
    shown = {key: held(settings, key) for key in settings if key not in ("state", "details")}
    return AzureAuth(shown, True, True)


def described(result: Values) -> Item:
    """Return the current description of an identity, or the future one of an identity to create.

    Unknown values are None.
    """
    state = now(result)
    like = result if state.get("state") == "absent" else state
    details = (state.get("details") or {}).get
    return {
        **labels_of(like),
        "project_name": details("project_name"),
        "role": held(like, "role"),
        "roles": details("roles"),
        "delete_protection": held(like, "delete_protection"),
        "auth_methods": details("auth_methods"),
        "created_at": details("created_at"),
        "updated_at": details("updated_at"),
        "last_login_at": details("last_login_at"),
        "last_login_method": details("last_login_method"),
        "organization_id": details("organization_id"),
    }
