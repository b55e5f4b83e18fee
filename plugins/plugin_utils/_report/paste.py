# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""YAML to paste into the list: an identity that is not in it, or what ends findings. Pure."""

from __future__ import annotations

import typing as t
from collections import Counter

import yaml

from ...module_utils._state.fields import Values
from .._identities import labels_of
from .entries import Name, name_of

_SETTINGS = ("role", "metadata", "delete_protection")


class Pastes:
    """Writes entries. `known` are all identities, which names have to tell apart."""

    def __init__(self, known: t.Iterable[Values]) -> None:
        self._bearers = Counter(map(name_of, known))

    def whole(self, identity: Values) -> str:
        """Return the entry that keeps an identity as it is."""
        values = {key: identity[key] for key in _SETTINGS if identity.get(key) is not None}
        method = identity.get("azure_auth")
        if method is not None:
            values["azure_auth"] = {
                key: value
                for key, value in method.items()
                if key != "details" and value is not None and value is not False
            }
        return self._written(identity, values)

    def ending(self, identity: Values, cures: t.Iterable[Values]) -> str | None:
        """Return the entry that ends findings; None where only a person knows what does."""
        values: dict[str, t.Any] = {}
        for cure in cures:
            for key, value in cure.items():
                both = isinstance(value, dict) and isinstance(values.get(key), dict)
                values[key] = {**values[key], **value} if both else value
        return self._written(identity, values) if values else None

    def _written(self, identity: Values, values: Values) -> str:
        labels = labels_of(identity)
        name = {key: labels[key] for key in ("name", "project_id") if labels[key]}
        who = name if self._bearers[name_of(identity)] == 1 else {"id": labels["id"]}
        text: str = yaml.safe_dump([{**who, **values}], sort_keys=False, allow_unicode=True)
        return text
