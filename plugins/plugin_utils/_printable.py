# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Texts of others, at any depth of a value, made fit to be shown."""

from __future__ import annotations

import typing as t

from ..module_utils._text import visible


def shown(value: t.Any) -> t.Any:
    """Return a value with every text in it, keys included, fit to be shown."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, t.Mapping):
        return {shown(key): shown(item) for key, item in value.items()}
    # What map() and the like yield is a list too.
    if isinstance(value, (list, tuple, t.Iterator)):
        return [shown(item) for item in value]
    return value
