# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings as the report has them: by rule, so that what they have in common is there once. Pure."""

from __future__ import annotations

import typing as t

from ...module_utils._state.fields import Values
from .identities import Item

_COMMON = ("rule", "severity", "title", "why", "fix", "link", "field")
_OWN = ("value", "sentence", "set", "waived")


def grouped(findings: t.Iterable[Values], keys: t.Mapping[t.Any, str]) -> list[Item]:
    """Return findings by rule, in their order. `keys` are those of identities, by id."""
    rules: dict[str, Item] = {}
    for finding in findings:
        rule = rules.setdefault(
            finding["rule"], {**{key: finding[key] for key in _COMMON}, "identities": []}
        )
        own = {key: finding[key] for key in _OWN}
        rule["identities"].append({"key": keys[finding["id"]], **own})
    return [
        {
            **{key: rule[key] for key in ("rule", "severity", "title")},
            "sentence": rule["title"],
            **{key: rule[key] for key in ("why", "fix", "link", "field", "identities")},
        }
        for rule in rules.values()
    ]


def by_key(rules: t.Iterable[Item]) -> dict[str, list[tuple[str, Values]]]:
    """Return the findings of identities, each with the name of its rule, by their keys."""
    found: dict[str, list[tuple[str, Values]]] = {}
    for rule in rules:
        for item in rule["identities"]:
            found.setdefault(item["key"], []).append((rule["rule"], item))
    return found
