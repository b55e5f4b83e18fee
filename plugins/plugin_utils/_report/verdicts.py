# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the identity of each entry of the list matches the entry. Pure."""

from __future__ import annotations

import typing as t

from ...module_utils._state.fields import Values
from ...module_utils._text import printable
from .entries import (
    Check,
    Meant,
    Name,
    meant_by,
    name_of,
    place_of,
    reason_of,
    source_of,
)
from .identities import now

AS_DESIRED = "as_desired"
DRIFTED = "drifted"
UNKNOWN = "unknown"
UNLISTED = "unlisted"

_UNTRIED = "It was not tried."

_Ids = t.Mapping[Name, t.AbstractSet[str]]


class Verdict(t.NamedTuple):
    """The verdict on an entry: its status, the result behind it, and why it could not be checked.

    `result` is empty if no task tried the entry. `id` is None if it is not known which identity the
    entry is about. `repeats` says whether an earlier entry is about the same identity.
    """

    status: str
    result: Values
    id: str | None
    reason: str | None = None
    repeats: bool = False

    @property
    def tried(self) -> bool:
        """Whether a task tried the entry."""
        return bool(self.result) or self.repeats


def entry_verdicts(
    desired: t.Sequence[t.Any], checks: t.Sequence[Check], known: t.Iterable[Values]
) -> list[Verdict]:
    """Return a verdict for each entry of the list. `known` are all results about identities."""
    meant = [meant_by(entry) for entry in desired]
    ids = _ids_by_name(known)
    outcomes = {
        place: (result, places)
        for check, places in checks
        for result in check.get("results", [])
        for place in [place_of(result, places)]
        if place is not None
    }
    refused = _refused(checks)
    repeated = _repeated(meant, ids, refused)
    verdicts = []
    for place, entry in enumerate(desired):
        result, places = outcomes.get(place, ({}, ()))
        found = None if place in refused else now(result).get("id")
        identity_id = found or _only_id(meant[place], ids)
        status, why = UNKNOWN, None
        if place in repeated:
            why = _same(place, repeated[place], meant)
        elif not result:
            why = _UNTRIED
        elif result["failed"]:
            why = reason_of(result, places, source_of(entry))
        else:
            status = DRIFTED if result["changed"] else AS_DESIRED
        verdicts.append(Verdict(status, result, identity_id, why, place in repeated))
    return verdicts


def _refused(checks: t.Sequence[Check]) -> set[int | None]:
    """Return the places of the entries that made the module refuse a whole list."""
    return {
        place_of(result, places)
        for check, places in checks
        if not check.get("checked")
        for result in check.get("results", [])
    }


def _ids_by_name(known: t.Iterable[Values]) -> dict[Name, set[str]]:
    """Return the IDs of the identities that have a name now, or will have it, by name."""
    ids: dict[Name, set[str]] = {}
    for result in known:
        for state in (now(result), result):
            if result.get("id"):
                ids.setdefault(name_of(state), set()).add(result["id"])
    return ids


def _only_id(meant: Meant, ids: _Ids) -> str | None:
    """Return the ID of the identity that an entry is about, if there is only one candidate."""
    found = {meant.id} if meant.id else ids.get(meant.name, set()) if meant.name else set()
    return next(iter(found)) if len(found) == 1 else None


def _repeated(
    meant: t.Sequence[Meant], ids: _Ids, refused: t.Collection[int | None]
) -> dict[int, int]:
    """Return the places of entries whose identity has an earlier entry, with the place of that one.

    The module refuses a list that has the same identity by its ID and by its name, but it does not
    know the entries of other tasks. Refused entries do not count, because no identity, or several,
    may have their names.
    """
    first: dict[str, int] = {}
    repeated = {}
    for place, identity in enumerate(meant):
        identity_id = None if place in refused else _only_id(identity, ids)
        if identity_id and first.setdefault(identity_id, place) != place:
            repeated[place] = first[identity_id]
    return repeated


def _same(place: int, earlier: int, meant: t.Sequence[Meant]) -> str:
    """Return the sentence on an entry that is about the identity of an earlier entry."""
    name = meant[earlier].name
    label = printable(name.name if name else meant[earlier].id or "", 80)
    return (
        f"Entry {place + 1} of the list is the same identity as entry {earlier + 1} of the list"
        f" ({label}); list it once."
    )
