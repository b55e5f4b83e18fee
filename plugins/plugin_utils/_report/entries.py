# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Entries of the list: which identity each is about, and what messages call them. Pure."""

from __future__ import annotations

import re
import typing as t

from ...module_utils._state.fields import Values
from ...module_utils._text import printable, trim, uuid_or_none
from .._identities import labels_of

# What the module calls an entry: its place in the list that the module got.
_PLACE = re.compile(r"\bidentities\[([0-9]+)\]")

# The places in the list, counted from 0, of the entries of a task.
Places = t.Sequence[int]
# The result of a task that compared entries, and the places of these entries.
Check = tuple[Values, Places]


class Name(t.NamedTuple):
    """The name of an identity, within a project or within the organization."""

    name: str
    project_id: str | None


class Meant(t.NamedTuple):
    """The identity that an entry is about: its ID, or its name if the entry has no ID.

    Both are None if the entry has neither. A name beside an ID is the name that the identity is to
    get, so it does not identify anything.
    """

    id: str | None
    name: Name | None


def meant_by(entry: t.Any) -> Meant:
    """Return which identity an entry of the list is about."""
    labels = {key: trim(str(value or "")) for key, value in labels_in(entry).items()}
    if labels["id"]:
        return Meant(uuid_or_none(labels["id"]), None)
    name = Name(labels["name"], uuid_or_none(labels["project_id"]))
    return Meant(None, name if name.name else None)


def labels_in(entry: t.Any) -> dict[str, t.Any]:
    """Return the ID, name and project of an entry, None for those that it leaves out."""
    return labels_of(entry if isinstance(entry, dict) else {})


def name_of(identity: Values) -> Name:
    """Return the name of an identity, which is as modules return it."""
    labels = labels_of(identity)
    return Name(labels["name"] or "", labels["project_id"])


def source_of(entry: t.Any) -> str | None:
    """Return the file and line of an entry, if they are known."""
    source = entry.get("source") if isinstance(entry, dict) else None
    return source if isinstance(source, str) else None


def place_of(result: Values, places: Places) -> int | None:
    """Return the place in the list of the entry of a result, None if it has no entry."""
    index = result.get("index")
    return places[index] if index is not None and index < len(places) else None


def located(text: str, places: Places) -> str:
    """Return a message of the module in which entries are numbered as in the list, from 1."""

    def entry(match: re.Match[str]) -> str:
        index = int(match[1])
        beginning = "Entry" if match.start() == 0 else "entry"
        number = f" {places[index] + 1}" if index < len(places) else ""
        return f"{beginning}{number} of the list"

    return _PLACE.sub(entry, text)


def reason_of(result: Values, places: Places, source: str | None) -> str:
    """Return why an identity failed, without its name and file, which the report has beside it."""
    text: str = result["msg"]
    origins = [f"identities[{result.get('index')}]"]
    origins += [printable(source, 120)] if source else []
    names = [result[key] for key in ("name", "id") if result.get(key)]
    for origin in origins:
        for label in ("", *(f" ({printable(name, 80)})" for name in names)):
            text = text.replace(f"{origin}{label}: ", "")
    return located(text, places)
