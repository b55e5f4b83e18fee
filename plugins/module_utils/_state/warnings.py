# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Warnings, gathered while options are read, so that each kind is given once a task."""

from __future__ import annotations

SHOWN = 3


class Warnings:
    """Warnings by kind. A kind is a sentence with `{count}` and `{items}` in it."""

    def __init__(self) -> None:
        self._items: dict[str, dict[str, None]] = {}
        self._about = ""

    def about(self, subject: str) -> Warnings:
        """Return the same warnings, to which items are added with the subject in front of them."""
        warnings = Warnings()
        warnings._items, warnings._about = self._items, f"{subject}: "
        return warnings

    def add(self, kind: str, item: str) -> None:
        """Remember an item of a kind; the same item counts once."""
        self._items.setdefault(kind, {})[self._about + item] = None

    def messages(self) -> list[str]:
        """Return one message a kind, with the count and the first few items."""
        return [
            kind.format(
                count=len(items),
                items=", ".join([*items][:SHOWN]) + (", ..." if len(items) > SHOWN else ""),
            )
            for kind, items in self._items.items()
        ]
