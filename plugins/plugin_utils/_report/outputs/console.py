# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report as lines for the console: what matters most, in as many lines as fit a screen. Pure."""

from __future__ import annotations

import typing as t

from ....module_utils._state.fields import Values
from .texts import changes, cut, names, unseen, with_status

LINES = 40
_WIDTH = 400
# The kinds of changes since a baseline, in singular and plural.
_KINDS = {
    "findings": ("finding", "findings"),
    "drifted": ("drifted identity", "drifted identities"),
    "unlisted": ("identity not in the list", "identities not in the list"),
    "identities": ("identity", "identities"),
}


def console(report: Values) -> list[str]:
    """Return at most 40 lines: the verdict, what has changed since the baseline, and the details.

    Details are problems, drift, what could not be checked, and high findings. A part that does not
    fit ends with the number of items that it leaves out.
    """
    called = names(report, 60)
    parts = {
        "Problems": report["problems"],
        "Not seen": unseen(report),
        "Drifted": [
            f"{called[item['key']]}: {', '.join(changes(item))}"
            for item in with_status(report, "drifted")
        ],
        "Could not be checked": [
            f"{called[item['key']]}: {item['msg']}" for item in with_status(report, "unknown")
        ],
        "High findings": [
            item["sentence"]
            for rule in report["findings"]
            for item in rule["identities"]
            if rule["severity"] == "high" and not item["waived"]
        ],
    }
    head = [report["verdict"]["sentence"], *_since(report["baseline"])]
    return _fitted(head, {k: v for k, v in parts.items() if v})


def _since(baseline: Values | None) -> list[str]:
    """Return how much is new and how much is gone since the baseline, if there is one."""
    if not baseline:
        return []
    made = baseline["created_at"]
    earlier = f"the audit of {cut(made)}" if made else "the earlier audit"
    return [
        f"{title} since {earlier}: {_numbers(baseline[part])}."
        for part, title in (("new", "New"), ("gone", "Gone"))
    ]


def _numbers(items: t.Mapping[str, t.Sequence[Values]]) -> str:
    """Return the number of items of each kind, or "nothing"."""
    texts = [
        f"{len(items[kind]):,} {one if len(items[kind]) == 1 else many}"
        for kind, (one, many) in _KINDS.items()
        if items[kind]
    ]
    return ", ".join(texts) or "nothing"


def _fitted(head: t.Sequence[str], parts: t.Mapping[str, list[str]]) -> list[str]:
    """Return the head and the parts, each with a heading and a fair share of the lines."""
    lines = [*head]
    left = LINES - len(head)
    shares = _shares([len(texts) for texts in parts.values()], left - len(parts))
    for (heading, texts), share in zip(parts.items(), shares):
        shown = texts if len(texts) <= share else texts[: share - 1]
        lines.append(f"{heading} ({len(texts):,}):")
        lines += [f"  {cut(text, _WIDTH)}" for text in shown]
        if len(shown) < len(texts):
            lines.append(f"  and {len(texts) - len(shown):,} more")
    return lines


def _shares(wanted: t.Sequence[int], total: int) -> list[int]:
    """Distribute lines. Lines that one part does not need go to the others."""
    shares = [0] * len(wanted)
    while total > 0 and any(share < want for share, want in zip(shares, wanted)):
        for index, want in enumerate(wanted):
            if shares[index] < want and total > 0:
                shares[index] += 1
                total -= 1
    return shares
