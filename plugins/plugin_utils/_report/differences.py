# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The differences between an identity and its entry in the list. Pure."""

from __future__ import annotations

import typing as t

from ...module_utils._state.fields import Values
from .._findings.findings import METHODS
from .._findings.rules import are_texts
from .._identities import held

CREATE = "create"
UPDATE = "update"
DELETE = "delete"

Difference = dict[str, t.Any]

# The settings of an identity itself.
_OWN = ("state", "name", "role", "metadata", "delete_protection")


def action_of(result: Values) -> str:
    """Return what applying the list would do to a drifted identity."""
    return CREATE if result["created"] else DELETE if result["deleted"] else UPDATE


def differences(before: Values, result: Values) -> list[Difference]:
    """Return the differences between an identity as it is and as applying the list would leave it.

    An identity or auth method that does not exist has only a state; its other values are null.
    Lists are sorted, because their order has no meaning.
    """
    action = action_of(result)
    actual = _settings(before)
    # The result of deleting an identity still has its former settings.
    desired = {"state": "absent"} if action == DELETE else _settings(result)
    fields = dict.fromkeys([*actual, *desired])
    if action != UPDATE:
        # The report shows the name beside the differences.
        fields.pop("name", None)
    return [
        _difference(field, desired.get(field), actual.get(field))
        for field in fields
        if desired.get(field) != actual.get(field)
    ]


def _settings(identity: Values) -> dict[str, t.Any]:
    """Return the settings of an identity, and those of its auth methods with their full names."""
    settings = {key: _sorted(held(identity, key)) for key in _OWN if key in identity}
    if "role" in settings and settings["role"] is None:
        # The identity has several roles, or a temporary one.
        settings["role"] = _sorted((identity.get("details") or {}).get("roles"))
    for method in METHODS:
        values = identity.get(method) or {}
        for option in values:
            if option != "details":
                settings[f"{method}.{option}"] = _sorted(held(values, option))
    return settings


def _sorted(value: t.Any) -> t.Any:
    return sorted(set(value)) if are_texts(value) else value


def _difference(field: str, desired: t.Any, actual: t.Any) -> Difference:
    both = are_texts(desired) and are_texts(actual)
    return {
        "field": field,
        "desired": desired,
        "actual": actual,
        "added": [item for item in desired if item not in set(actual)] if both else None,
        "removed": [item for item in actual if item not in set(desired)] if both else None,
        "unchanged": len(set(desired) & set(actual)) if both else None,
    }
