# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Identities, values and differences of a report in words, each on one line. Pure.

Values come from strangers, so their control characters become escapes.
"""

from __future__ import annotations

import re
import typing as t
from collections import Counter

from ....module_utils._state.fields import Values
from ....module_utils._text import visible
from ..differences import CREATE, DELETE

# How many characters of a text are shown. The JSON has all of it.
_LIMIT = 80
# How many of the added or removed items of a list are shown.
_ITEMS = 3
_METHOD = "azure_auth."
_FATES = {
    CREATE: "does not exist and would be created",
    DELETE: "exists and would be deleted",
}
_SOURCE = re.compile(r"(.+):([1-9][0-9]{0,8})", re.DOTALL)


def cut(text: str, limit: int = _LIMIT) -> str:
    """Return the beginning of a text, printable."""
    shown = visible(text)
    return shown if len(shown) <= limit else f"{shown[: limit - 3]}..."


def names(report: Values, limit: int = _LIMIT) -> dict[str, str]:
    """Return a unique name for each identity, by its key."""
    texts = {item["key"]: _name(item, limit) for item in report["identities"]}
    bearers = Counter(texts.values())
    return {
        key: text if bearers[text] == 1 else f"{text} [{visible(key)}]"
        for key, text in texts.items()
    }


def _name(item: Values, limit: int) -> str:
    text = item["name"] or item["id"]
    if not text:
        return f"entry {item['entry']} of the list"
    project = item["project_name"] or item["project_id"]
    owner = f" (project {cut(str(project), limit)})" if project else ""
    return f"{cut(str(text), limit)}{owner}"


def value_text(value: t.Any) -> str:
    """Return the value of a setting as a list would have it, but shortened."""
    if isinstance(value, list):
        return items_text(value) if value else "an empty list"
    if isinstance(value, dict):
        pairs = [f"{cut(str(key), 40)}={cut(str(item), 40)}" for key, item in value.items()]
        return items_text(pairs) if pairs else "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "nothing" if value is None else cut(str(value))


def items_text(items: t.Sequence[t.Any], sign: str = "") -> str:
    """Return the first items of a list, and how many more there are."""
    shown = [f"{sign}{cut(str(item))}" for item in items[:_ITEMS]]
    rest = len(items) - _ITEMS
    return ", ".join([*shown, *([f"{sign}{rest:,} more"] if rest > 0 else [])])


def changes(item: Values) -> list[str]:
    """Return a text for each change that applying the list would make to an identity."""
    if item["action"] in _FATES:
        return [_FATES[item["action"]]]
    state = f"{_METHOD}state"
    fields = [difference["field"] for difference in item["differences"]]
    return [
        _change(difference)
        for difference in item["differences"]
        # If Azure Auth is attached or revoked, all of its settings differ.
        if difference["field"] == state
        or state not in fields
        or not difference["field"].startswith(_METHOD)
    ]


def _change(difference: Values) -> str:
    field = difference["field"].removeprefix(_METHOD)
    if difference["field"] == f"{_METHOD}state":
        field = _METHOD[:-1]
    if difference["added"] is None:
        return f"{field} {value_text(difference['actual'])} -> {value_text(difference['desired'])}"
    both = [items_text(difference["added"], "+"), items_text(difference["removed"], "-")]
    return f"{field} {', '.join(filter(None, both))}"


def file_and_line(item: Values) -> tuple[str, int] | None:
    """Return the file and line of the entry of an identity, if they are known."""
    match = _SOURCE.fullmatch(item["source"] or "")
    return (match[1], int(match[2])) if match else None


def unseen(report: Values) -> list[str]:
    """Return a sentence on each thing that the report does not cover."""
    rules = report["skipped"]
    told = [f"{len(rules)} rules were skipped: {', '.join(rules)}."] if rules else []
    if len(rules) == 1:
        told = [f"The rule {rules[0]} was skipped."]
    return [*report["not_visible"], *told]


def not_in_list(report: Values) -> list[Values]:
    """Return the identities that are not in the list; none if there was no list."""
    return [
        item for item in report["identities"] if report["has_list"] and item["status"] == "unlisted"
    ]


def with_status(report: Values, status: str) -> list[Values]:
    """Return the identities with a status."""
    return [item for item in report["identities"] if item["status"] == status]
