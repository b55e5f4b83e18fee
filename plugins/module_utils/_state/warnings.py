# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Warnings, collected so that a task gives each kind only once."""

from __future__ import annotations

SHOWN = 3


class Warnings:
    """Warnings by kind. A kind is a sentence that contains `{count}` and `{items}`."""

    def __init__(self) -> None:
        self._items: dict[str, dict[str, None]] = {}
        self._about = ""

    def about(self, subject: str) -> Warnings:
        """Return a view of these warnings that puts the subject in front of each item added."""
        warnings = Warnings()
        warnings._items, warnings._about = self._items, f"{subject}: "
        return warnings

    def add(self, kind: str, item: str) -> None:
        """Add an item of a kind. The same item counts once."""
        self._items.setdefault(kind, {})[self._about + item] = None

    def messages(self) -> list[str]:
        """Return one message for each kind, with the count and the first few items."""
        return [
            kind.format(
                count=len(items),
                items=", ".join([*items][:SHOWN]) + (", ..." if len(items) > SHOWN else ""),
            )
            for kind, items in self._items.items()
        ]
