# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report as lines for the console: what matters most, and not more than fits a screen. Pure."""

from __future__ import annotations

import typing as t

from ....module_utils._state.fields import Values
from .texts import changes, cut, names, unseen, with_status

LINES = 40
_WIDTH = 400


def console(report: Values) -> list[str]:
    """Return at most 40 lines: the verdict, then drift, what was not judged, and high findings.

    Each part that does not fit ends with a count of what is left out.
    """
    called = names(report, 60)
    parts = {
        "Problems": report["problems"],
        "Not seen": unseen(report),
        "Drifted": [
            f"{called[item['key']]}: {', '.join(changes(item))}"
            for item in with_status(report, "drifted")
        ],
        "Not judged": [
            f"{called[item['key']]}: {item['msg']}" for item in with_status(report, "not_judged")
        ],
        "High findings": [
            item["sentence"]
            for rule in report["findings"]
            for item in rule["identities"]
            if rule["severity"] == "high" and not item["waived"]
        ],
    }
    return _fitted(report["verdict"]["sentence"], {k: v for k, v in parts.items() if v})


def _fitted(verdict: str, parts: t.Mapping[str, list[str]]) -> list[str]:
    """Return the verdict and the parts, each with a heading and a fair share of the lines."""
    lines = [verdict]
    left = LINES - 1
    shares = _shares([len(texts) for texts in parts.values()], left - len(parts))
    for (heading, texts), share in zip(parts.items(), shares):
        shown = texts if len(texts) <= share else texts[: share - 1]
        lines.append(f"{heading} ({len(texts):,}):")
        lines += [f"  {cut(text, _WIDTH)}" for text in shown]
        if len(shown) < len(texts):
            lines.append(f"  and {len(texts) - len(shown):,} more")
    return lines


def _shares(wanted: t.Sequence[int], total: int) -> list[int]:
    """Share out lines: what one part does not need, the others get."""
    shares = [0] * len(wanted)
    while total > 0 and any(share < want for share, want in zip(shares, wanted)):
        for index, want in enumerate(wanted):
            if shares[index] < want and total > 0:
                shares[index] += 1
                total -= 1
    return shares
