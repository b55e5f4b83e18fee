# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Identities as modules return them."""

from __future__ import annotations

import typing as t

from ..module_utils._state.fields import Values

# What tells identities apart.
LABELS = ("id", "name", "project_id")


def held(settings: Values, key: str) -> t.Any:
    """Return a setting as the server holds it.

    What no option takes is not among the settings, which have null for it, but in the details.
    """
    value = settings.get(key)
    if value is None:
        stored = (settings.get("details") or {}).get("stored") or {}
        value = stored.get(key)
    return value


def labels_of(identity: Values) -> dict[str, t.Any]:
    """Return what tells an identity from others, as far as it is known; a name can be blank."""
    return {key: held(identity, key) or None for key in LABELS}
