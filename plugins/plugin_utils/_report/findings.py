# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings as the report has them: grouped by rule, with the common parts once. Pure."""

from __future__ import annotations

import typing as t

from ...module_utils._state.fields import Values
from .._findings.findings import Found
from .identities import Item

_OF_RULE = ("rule", "severity", "title", "sentence", "why", "fix", "link", "field")
_OF_IDENTITY = ("value", "sentence", "set", "waived")


def grouped(found: Found, keys: t.Mapping[t.Any, str]) -> list[Item]:
    """Return findings by rule, in the same order. `keys` are the keys of identities, by ID."""
    identities: dict[str, list[Item]] = {}
    for finding in found.findings:
        own = {"key": keys[finding["id"]], **{key: finding[key] for key in _OF_IDENTITY}}
        identities.setdefault(finding["rule"], []).append(own)
    return [
        {**{key: rule[key] for key in _OF_RULE}, "identities": identities[rule["rule"]]}
        for rule in found.rules
    ]


def by_key(rules: t.Iterable[Item]) -> dict[str, list[tuple[str, Values]]]:
    """Return the findings of each identity by its key, each finding with the name of its rule."""
    found: dict[str, list[tuple[str, Values]]] = {}
    for rule in rules:
        for item in rule["identities"]:
            found.setdefault(item["key"], []).append((rule["rule"], item))
    return found
