# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""YAML to paste into the list: an unlisted identity, or settings that resolve findings. Pure."""

from __future__ import annotations

import typing as t
from collections import Counter

from ...module_utils._state.fields import Values
from .._export.list_files import ORDER, Entry, entries_of
from .._export.yaml_text import Comments, item
from .._identities import LABELS
from .entries import name_of


class Pastes:
    """Writes entries. `known` are all identities; an entry has to identify one of them."""

    def __init__(self, known: t.Iterable[Values]) -> None:
        self._bearers = Counter(map(name_of, known))

    def whole(self, identity: Values) -> str:
        """Return the entry that keeps an identity as it is.

        A setting that an entry cannot express becomes a comment with the reason. The list leaves it
        alone.
        """
        entry = self._entry(identity)
        left = {path: (value, f"Left alone: {why}.") for path, (value, why) in entry.left.items()}
        project = {entry.project_id: entry.project_name or ""} if entry.project_id else {}
        return _written(entry.says, Comments(left, project))

    def ending(self, identity: Values, cures: t.Iterable[Values]) -> str | None:
        """Return the entry that resolves findings, None if no entry can."""
        values: dict[str, t.Any] = {}
        for cure in cures:
            for key, value in cure.items():
                both = isinstance(value, dict) and isinstance(values.get(key), dict)
                values[key] = {**values[key], **value} if both else value
        if not values:
            return None
        says = self._entry(identity).says
        return _written(
            {**{key: says[key] for key in LABELS if key in says}, **values}, Comments({}, {})
        )

    def _entry(self, identity: Values) -> Entry:
        (entry,) = entries_of([identity])
        if self._bearers[name_of(identity)] > 1:
            return entry._replace(says={**entry.says, "id": entry.id})
        return entry


def _written(values: Values, comments: Comments) -> str:
    return "\n".join([*item(values, comments, ORDER, ""), ""])
