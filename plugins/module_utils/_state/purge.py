# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The identities to purge: all identities of the organization except those to keep."""

from __future__ import annotations

import typing as t

from .._errors import OptionError, Problem
from .._text import printable, quoted
from .entry import Desired
from .identities import Identity, Reference, only_identity


def to_keep(
    option: str,
    kept: t.Sequence[Reference],
    members: t.Sequence[Identity],
    entries: t.Mapping[Reference, Identity | None],
    desired: t.Mapping[Reference, Desired],
) -> tuple[set[str], list[Problem]]:
    """Return the IDs of the identities that keep the auth method, and a problem for each mistake.

    An ID or name that is not in the organization and not the name of a present entry is a mistake,
    because purging would then revoke from the identity that was meant. Every present entry of the
    organization must be listed, even one that only revokes and whose identity no longer exists.
    """
    own = {
        item: identity
        for item, identity in entries.items()
        if not (item.project_id or (identity and identity.project_id))
    }
    new = {
        item.name
        for item, identity in own.items()
        if identity is None and not item.id and desired[item].identity is not None
    }
    keep, problems = _found(kept, members, new)
    names = {item.name for item in kept if item.name}
    for item, identity in own.items():
        identity_id = identity.id if identity else item.id
        # With an ID, the name is the new name, which another identity may have now.
        listed = identity_id in keep if identity_id else item.name in names
        if desired[item].identity is not None and not listed:
            problems.append(
                Problem(
                    f"{item.label} is not in {option}, so the task would purge an identity that it"
                    " manages; add it there.",
                    item.place,
                )
            )
    return keep, problems


def surplus(
    method: str, members: t.Iterable[Identity], keep: t.Collection[str]
) -> dict[Reference, Identity]:
    """Return the identities that have the auth method and are not among those to keep it."""
    return {
        Reference(
            identity.id, None, label=f"{printable(identity.name, 80)} ({identity.id})", option="id"
        ): identity
        for identity in sorted(members, key=lambda identity: (identity.name, identity.id))
        if identity.id not in keep and method in (identity.methods or ())
    }


def _found(
    kept: t.Sequence[Reference], members: t.Sequence[Identity], new: t.Collection[str | None]
) -> tuple[set[str], list[Problem]]:
    """Return the IDs of the identities to keep, and a problem for each that does not exist.

    Identities with the names in `new` need not exist yet.
    """
    by_name: dict[str, list[Identity]] = {}
    for identity in members:
        by_name.setdefault(identity.name, []).append(identity)
    ids = {identity.id for identity in members}
    keep: set[str] = set()
    problems: list[Problem] = []
    for item in kept:
        same = by_name.get(item.name or "", [])
        if item.id:
            keep.add(item.id)
            if item.id not in ids:
                problems.append(
                    Problem(
                        f"{item.option} {quoted(item.id)} is not the ID of any identity that this"
                        " login can see in its organization; correct it, or remove it."
                    )
                )
        elif same or item.name not in new:
            try:
                keep.add(only_identity(item.option, item.name or "", same).id)
            except OptionError as error:
                problems.append(Problem(str(error)))
    return keep, problems
