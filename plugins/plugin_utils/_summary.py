# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A summary of applying a list of identities in one task or several. Pure."""

from __future__ import annotations

import typing as t

from ..module_utils._state.fields import Values
from ..module_utils._text import visible
from ._identities import held

# How many failures a summary lists.
TOLD = 40
# What a summary counts, with the key of each count in a result.
_COUNTED = {
    "checked": "checked",
    "changed": "changed_count",
    "created": "created_count",
    "deleted": "deleted_count",
    "failed": "failed_count",
    "purged": "purged_count",
}
# The longest parts of a line. A reason can contain a server's response.
_LONGEST_NAME = 80
_LONGEST_SOURCE = 120
_LONGEST_REASON = 1000

Summary = dict[str, t.Any]


class Run(t.NamedTuple):
    """What is known about a run besides its results.

    `total` is the number of entries to apply, None for those of this result and the earlier ones.
    `seconds` is how long the run took, None to leave that out.
    """

    total: int | None
    seconds: int | None
    check_mode: bool


def summarize(result: Values, earlier: Values, entries: t.Sequence[t.Any], run: Run) -> Summary:
    """Return the summary of a result of infisical_identities and of earlier results.

    `earlier` is the summary of these, or empty. `entries` are the entries of the task.
    """
    results = result.get("results") or []
    counts = {name: result.get(key) or 0 for name, key in _COUNTED.items()}
    counts["revoked"] = sum(bool(item.get("revoked")) for item in results)
    # If the module refused the whole list, entries have failed although none was tried. Their
    # messages begin with the name of the entry.
    refused = not counts["checked"]
    done = counts["changed"] + counts["failed"] + counts["purged"]
    counts["as_desired"] = max(counts["checked"] - done, 0)
    for name, count in (earlier.get("counts") or {}).items():
        counts[name] += count
    failed = [item for item in results if item["failed"]]
    failures = [
        _shown(item["msg"], _LONGEST_REASON) if refused else _failure(item, entries)
        for item in failed
    ]
    return {
        "counts": counts,
        "failures": [*(earlier.get("failures") or []), *failures][:TOLD],
        "sentence": _sentence(counts, run),
    }


def _failure(item: Values, entries: t.Sequence[t.Any]) -> str:
    """Return a line on an identity that failed: its name, its ID, its entry's place, and why."""
    index = item.get("index")
    entry = entries[index] if index is not None and index < len(entries) else {}
    source = entry.get("source") if isinstance(entry, dict) else None
    labels = [held(item, key) for key in ("name", "id")]
    parts = [_shown(label, _LONGEST_NAME) for label in labels if label]
    parts += [f"({_shown(source, _LONGEST_SOURCE)})"] if isinstance(source, str) else []
    return f"{' '.join(parts)}: {_shown(item['msg'], _LONGEST_REASON)}"


def _shown(text: str, limit: int) -> str:
    return visible(text[:limit]) + ("..." if len(text) > limit else "")


def _sentence(counts: t.Mapping[str, int], run: Run) -> str:
    """Return the counts as a sentence, in which each identity of the list counts once."""
    listed = counts["checked"] - counts["purged"]
    total = listed if run.total is None else run.total
    took = "" if run.seconds is None else f" in {_duration(run.seconds)}"
    if not counts["checked"]:
        return "Nothing was changed."
    by_entry = counts["revoked"] - counts["purged"]
    changed = counts["changed"] - counts["created"] - counts["deleted"] - by_entry
    numbers = [counts["created"], changed, counts["revoked"], counts["deleted"]]
    verbs = ("create", "change", "revoke", "delete")
    parts = [f"{verb}{'' if run.check_mode else 'd'} {n}" for verb, n in zip(verbs, numbers)]
    if counts["purged"]:
        parts[2] += f" ({counts['purged']} not in the list)"
    done = ", ".join(parts)
    untried = max(total - listed, 0)
    unchanged = counts["as_desired"]
    of_all = f"of {total} {'identity' if total == 1 else 'identities'}"
    if run.check_mode:
        not_tried = f", {untried} not tried" if untried else ""
        return (
            f"Would {done} and leave {unchanged} {of_all} unchanged; {counts['failed']} failed"
            f"{not_tried}.{f' Checked{took}.' if took else ''}"
        )
    not_tried = f", not tried {untried}" if untried else ""
    return (
        f"{done.capitalize()}, failed {counts['failed']}{not_tried}, unchanged {unchanged}"
        f" {of_all}{took}."
    )


def _duration(seconds: int) -> str:
    """Return a duration such as 1 h 2 min 3 s, without leading zero units."""
    minutes, rest = divmod(max(seconds, 0), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{hours} h"] if hours else []
    parts += [f"{minutes} min"] if hours or minutes else []
    return " ".join([*parts, f"{rest} s"])
