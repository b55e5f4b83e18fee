# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks that no two identities of one owner end up with the same or similar names."""

from __future__ import annotations

import typing as t

from .._errors import Problem
from .._server.api import Api
from .._text import quoted
from .creations import folded
from .entry import Desired
from .identities import Identity, Reference, find_identities

_Key = tuple[t.Optional[str], str]


def names_afterwards(
    found: t.Mapping[Reference, Identity | None], desired: t.Mapping[Reference, Desired]
) -> dict[str, str]:
    """Return the new names of identities by ID; blank for those that are deleted."""
    names = {}
    for item, wanted in desired.items():
        identity = found.get(item)
        identity_id = identity.id if identity else item.id
        if identity_id and wanted.identity is None:
            names[identity_id] = ""
        elif identity_id and item.id and item.name:
            names[identity_id] = item.name
    return names


def name_problems(
    api: Api,
    found: t.Mapping[Reference, Identity | None],
    desired: t.Mapping[Reference, Desired],
) -> list[Problem]:
    """Return a problem for each name that two identities of one owner would have.

    Only the final names count, so two identities may swap names.
    """
    renamed = _renamed(found, desired)
    problems = _given_twice(renamed)
    problems += _given_and_named(renamed, found)
    problems += _taken(api, renamed, names_afterwards(found, desired))
    return problems + _alike(found, desired)


def _renamed(
    found: t.Mapping[Reference, Identity | None], desired: t.Mapping[Reference, Desired]
) -> dict[Reference, _Key]:
    """Return the new name and the owner of each identity that is renamed."""
    return {
        item: (identity.project_id, item.name)
        for item, identity in found.items()
        if identity
        and item.id
        and item.name
        and item.name != identity.name
        and desired[item].identity is not None
    }


def _given_twice(renamed: t.Mapping[Reference, _Key]) -> list[Problem]:
    first: dict[_Key, Reference] = {}
    return [
        Problem(
            f"{item.label} gets the same name as {first[key].label}; choose another name for one of"
            " them.",
            item.place,
        )
        for item, key in renamed.items()
        if first.setdefault(key, item) is not item
    ]


def _given_and_named(
    renamed: t.Mapping[Reference, _Key], found: t.Mapping[Reference, Identity | None]
) -> list[Problem]:
    """Return a problem for each entry with an unused name that another entry gets."""
    given = {key: item for item, key in renamed.items()}
    return [
        Problem(
            f"{item.label} has the name that {given[key].label} gets in this task; list that"
            " identity once, by its ID.",
            item.place,
        )
        for item, identity in found.items()
        for key in [(item.project_id, item.name or "")]
        if identity is None and not item.id and key in given
    ]


def _taken(
    api: Api, renamed: t.Mapping[Reference, _Key], afterwards: t.Mapping[str, str]
) -> list[Problem]:
    """Return a problem for each new name that another identity has and keeps."""
    wanted: dict[str | None, list[str]] = {}
    for project_id, name in renamed.values():
        wanted.setdefault(project_id, []).append(name)
    has = {owner: find_identities(api, names, owner) for owner, names in wanted.items()}
    problems = []
    for item, (project_id, name) in renamed.items():
        others = [
            other.id
            for other in has[project_id][name]
            if other.id != item.id and afterwards.get(other.id, name) == name
        ]
        if others:
            problems.append(
                Problem(
                    f"{item.label}: name {quoted(name)} is the name of another identity"
                    f" ({', '.join(others[:5])}); choose another name for {item.id}.",
                    item.place,
                )
            )
    return problems


def _alike(
    found: t.Mapping[Reference, Identity | None], desired: t.Mapping[Reference, Desired]
) -> list[Problem]:
    """Return a problem for each new name that differs from another one only in spelling."""
    first: dict[_Key, Reference] = {}
    problems = []
    for item, identity in found.items():
        if identity or item.id or not desired[item].creates:
            continue
        other = first.setdefault((item.project_id, folded(item.name or "")), item)
        if other is not item:
            problems.append(
                Problem(
                    f"{item.label} and {other.label} are new, but their names differ only in letter"
                    " case, Unicode form or spaces; list one of them, or use clearly different"
                    " names.",
                    item.place,
                )
            )
    return problems
