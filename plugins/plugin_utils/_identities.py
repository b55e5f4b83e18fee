# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Identities as modules return them."""

from __future__ import annotations

import typing as t

from ..module_utils._state.fields import Values

# The keys that identify an identity.
LABELS = ("id", "name", "project_id")


def held(settings: Values, key: str) -> t.Any:
    """Return a setting as the server holds it.

    If no option takes the value, the setting is null, and the value is under `stored` in the
    details.
    """
    value = settings.get(key)
    if value is None:
        stored = (settings.get("details") or {}).get("stored") or {}
        value = stored.get(key)
    return value


def labels_of(identity: Values) -> dict[str, t.Any]:
    """Return the ID, name and project of an identity, None where they are unknown or blank."""
    return {key: held(identity, key) or None for key in LABELS}
