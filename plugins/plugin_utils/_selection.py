# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parts of a list of identities: entries that a user selects, batches, and who keeps Azure Auth.

Pure. An entry is a dictionary with the keys of an entry of infisical_identities. The module checks
the values, so values of other types count as left out here.
"""

from __future__ import annotations

import re
import typing as t
from difflib import get_close_matches
from fnmatch import fnmatchcase

from ..module_utils._state.fields import Values
from ..module_utils._text import quoted, trim, uuid_or_none
from ._lists.options import shown

# How many of the patterns that match nothing a message names.
TOLD = 20
_WILDCARDS = "*?["
_ABSENT = "absent"

Entry = dict[str, t.Any]


def select(
    entries: t.Sequence[Entry], only: t.Any, current: t.Iterable[Values] = (), where: str = "only"
) -> list[Entry]:
    """Return the entries that `only` selects, in the order of the list.

    `only` is None or blank for all entries; a string with names, IDs and patterns, separated by
    commas or line breaks; or a list of these. `current` are identities as infisical_identity_info
    returns them: an entry with the ID of one of them also matches its current name. `where` is what
    messages call `only`. Raises ValueError, with a sentence for each pattern that matches nothing.
    """
    patterns = _patterns(only, where)
    if patterns is None:
        return list(entries)
    names_now = {item.get("id"): _text(item, "name") for item in current}
    known = [_known_as(entry, names_now) for entry in entries]
    chosen: set[int] = set()
    strangers = []
    for pattern in dict.fromkeys(patterns):
        found = [place for place, (ids, names) in enumerate(known) if _matches(pattern, ids, names)]
        chosen.update(found)
        if not found:
            strangers.append(pattern)
    if strangers:
        names = sorted({name for _ids, its_names in known for name in its_names})
        raise ValueError(" ".join(_unmatched(strangers, names, where)))
    return [entries[place] for place in sorted(chosen)]


def batches(entries: t.Sequence[Entry], size: int) -> list[list[Entry]]:
    """Return the entries in batches of at most `size`.

    Entries that rename or delete an identity come first. In one task, two identities can swap their
    names, and one can take the name of another one that is deleted; in two tasks, they cannot.
    """
    ordered = sorted(entries, key=lambda entry: not _shifts_names(entry))
    return [ordered[start : start + size] for start in range(0, len(ordered), size)]


def keepers(entries: t.Iterable[Values], *, attached: bool = False) -> list[str]:
    """Return the IDs of the organization's identities that a list keeps, or the names without IDs.

    An entry with a project_id is about an identity of the project. With `attached`, identities
    whose Azure Auth the list revokes are left out.
    """
    kept = [
        entry
        for entry in entries
        if not _text(entry, "project_id")
        and _text(entry, "state") != _ABSENT
        and not (attached and _text(entry.get("azure_auth"), "state") == _ABSENT)
    ]
    return [label for entry in kept if (label := _text(entry, "id") or _text(entry, "name"))]


def _text(values: t.Any, key: str) -> str:
    value = values.get(key) if isinstance(values, dict) else None
    return trim(value) if isinstance(value, str) else ""


def _shifts_names(entry: Values) -> bool:
    renamed = _text(entry, "id") and _text(entry, "name")
    return bool(renamed) or _text(entry, "state") == _ABSENT


def _patterns(only: t.Any, where: str) -> list[str] | None:
    """Return the patterns, or None for everything. Raises ValueError."""
    if only is None or (isinstance(only, str) and not trim(only)):
        return None
    if isinstance(only, str):
        patterns = [*filter(None, map(trim, re.split(r"[,\r\n]", only)))]
    elif isinstance(only, (list, tuple)):
        patterns = [_pattern(item, where) for item in only]
    else:
        raise ValueError(f"{where} is {shown(only)}, which is not a string. {_QUOTE}")
    if not patterns:
        raise ValueError(
            f"{where} is empty; write names, IDs or patterns, or leave it out for the whole list."
        )
    return patterns


_QUOTE = (
    "YAML reads some names as a number, a date or a boolean. Put quotes around such a name; in a"
    " survey of AWX, where that is not possible, write the ID."
)


def _pattern(item: t.Any, where: str) -> str:
    if not isinstance(item, str):
        raise ValueError(f"{where} has {shown(item)}, which is not a string. {_QUOTE}")
    if not trim(item):
        raise ValueError(f"{where} has a blank item; write a name, an ID or a pattern.")
    return trim(item)


def _known_as(entry: Values, names_now: t.Mapping[t.Any, str]) -> tuple[str | None, set[str]]:
    """Return the canonical ID of an entry, and its old and new names."""
    identity_id = uuid_or_none(_text(entry, "id"))
    names = {_text(entry, "name"), names_now.get(identity_id, "") if identity_id else ""}
    return identity_id, names - {""}


def _matches(pattern: str, identity_id: str | None, names: t.Iterable[str]) -> bool:
    """Return whether a pattern is the ID, a name, or a glob that matches a name.

    A name can contain wildcards, so it also matches itself.
    """
    if identity_id and uuid_or_none(pattern) == identity_id:
        return True
    is_glob = any(char in pattern for char in _WILDCARDS)
    return any(name == pattern or (is_glob and fnmatchcase(name, pattern)) for name in names)


def _unmatched(patterns: t.Sequence[str], names: t.Sequence[str], where: str) -> t.Iterator[str]:
    for pattern in patterns[:TOLD]:
        close = get_close_matches(pattern, names, n=1)
        hint = f"; did you mean {quoted(close[0])}?" if close else "."
        yield f"{where} has {quoted(pattern)}, which matches no entry of the list{hint}"
    if len(patterns) > TOLD:
        rest = len(patterns) - TOLD
        yield f"{rest} more {'matches' if rest == 1 else 'match'} nothing."
