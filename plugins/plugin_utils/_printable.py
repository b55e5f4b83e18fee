# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Untrusted strings, at any depth of a value, made printable."""

from __future__ import annotations

import typing as t

from ..module_utils._text import visible


def shown(value: t.Any) -> t.Any:
    """Return a value in which every string is printable, including the keys."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, t.Mapping):
        return {shown(key): shown(item) for key, item in value.items()}
    # Filters such as map() return iterators.
    if isinstance(value, (list, tuple, t.Iterator)):
        return [shown(item) for item in value]
    return value
