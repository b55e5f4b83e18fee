# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report as Markdown, for a comment on a merge request. Pure.

It is short, because GitHub takes 65,536 characters. Names and values are in code spans or escaped,
so they cannot make a link, mark-up or a mention.
"""

from __future__ import annotations

import re
import typing as t

from ....module_utils._state.fields import Values
from ....module_utils._text import visible
from .texts import changes, cut, names, not_in_list, unseen, with_status

# How many characters each of the six parts may take, and how many the sentences before them.
_PART = 9000
_TOLD = 3000

_SPECIAL = re.compile(r"[\\`*_{}\[\]<>#+!|~$&^]|www\.|://|@")
_BACKTICKS = re.compile("`+")
_COUNTS = (
    ("listed", "In the list"),
    ("as_desired", "As desired"),
    ("drifted", "Drifted"),
    ("unknown", "Could not be checked"),
    ("unlisted", "Not in the list, with Azure Auth"),
    ("identities", "Identities"),
    ("findings_high", "High"),
    ("findings_medium", "Medium"),
    ("findings_low", "Low"),
    ("waived", "Waived"),
)
# The counts that only an audit with a list has.
_OF_LIST = ("listed", "as_desired", "drifted", "unknown", "unlisted")

Called = t.Mapping[str, str]


def markdown(report: Values) -> str:
    """Return Markdown of less than 60,000 characters."""
    called = names(report)
    parts = [
        "## Audit of machine identities",
        f"**{escaped(report['verdict']['sentence'])}**",
        " · ".join(
            code(cut(report[key])) for key in ("organization", "url", "created_at") if report[key]
        ),
        _counts(report),
        _told(report),
        _high(report, called),
        _folded("Drifted", [_drifted(item, called) for item in with_status(report, "drifted")]),
        _folded(
            "Could not be checked",
            [
                f"- {code(called[item['key']])}: {escaped(cut(item['msg'], 400))}"
                for item in with_status(report, "unknown")
            ],
        ),
        _folded(
            "Not in the list", [f"- {code(called[item['key']])}" for item in not_in_list(report)]
        ),
        _folded("Other findings", _others(report)),
        _folded("Since the last audit", _since(report)),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def code(text: str) -> str:
    """Return a text on one line as a code span."""
    longest = max(map(len, _BACKTICKS.findall(text)), default=0)
    fence = "`" * (longest + 1)
    # One blank at either end is not part of it.
    blank = " " if longest or text.startswith(" ") or text.endswith(" ") else ""
    return f"{fence}{blank}{text}{blank}{fence}" if text.strip() else "(blank)"


def escaped(text: str) -> str:
    """Return a text on one line, without any meaning in Markdown."""
    return _SPECIAL.sub(lambda match: _ESCAPES.get(match[0], f"\\{match[0]}"), visible(text))


_ESCAPES = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    # GitHub and GitLab look for mentions in the rendered text, but not across elements.
    "@": "<span>@</span>",
    "www.": "www<span>.</span>",
    "://": ":<span>//</span>",
}


def _counts(report: Values) -> str:
    """Return the counts as a table. Those about the list are shown only if there is a list."""
    shown = [item for item in _COUNTS if report["has_list"] or item[0] not in _OF_LIST]
    return "\n".join(
        f"| {' | '.join(cells)} |"
        for cells in (
            [title for _key, title in shown],
            ["--:" for _item in shown],
            [f"{report['counts'][key]:,}" for key, _title in shown],
        )
    )


def _told(report: Values) -> str:
    """Return what the audit could not read or see."""
    texts = [*report["problems"], *(f"Not seen: {text}" for text in unseen(report))]
    return "\n".join(_fitting([f"- {escaped(cut(text, 300))}" for text in texts], _TOLD))


def _high(report: Values, called: Called) -> str:
    """Return the high findings that are not waived, by rule, with their identities."""
    lines = []
    for rule in report["findings"]:
        found = [item for item in rule["identities"] if not item["waived"]]
        if rule["severity"] == "high" and found:
            said = f"{escaped(rule['title'])}.** {escaped(cut(rule['sentence'], 400))}"
            lines.append(f"- **{said} {rule['fix']} [Why]({rule['link']})")
            lines += [f"  - {code(called[item['key']])}" for item in found]
    return "\n".join(["### High findings", "", *_fitting(lines)]) if lines else ""


def _drifted(item: Values, called: Called) -> str:
    texts = changes(item)
    return f"- {code(called[item['key']])}: {', '.join(map(code, texts))}"


def _others(report: Values) -> list[str]:
    """Return a line for each rule of lower severity, and for each rule with waived findings."""
    lines = []
    for rule in report["findings"]:
        waived = sum(item["waived"] is not None for item in rule["identities"])
        open_ = len(rule["identities"]) - waived
        if rule["severity"] != "high" and open_:
            lines.append(
                f"- {rule['severity'].capitalize()}: {escaped(cut(rule['sentence'], 400))}"
            )
        if waived:
            lines.append(f"- Waived: {escaped(rule['title'])} ({waived:,})")
    return lines


def _since(report: Values) -> list[str]:
    """Return what is new and what is gone since the baseline, if there is one."""
    baseline = report["baseline"] or {}
    lines = []
    for when in ("new", "gone"):
        for part, items in (baseline.get(when) or {}).items():
            for item in items:
                what = f"finding {code(item['rule'])}" if part == "findings" else _SINCE[part]
                name = code(cut(item["name"] or item["key"]))
                lines.append(f"- {when.capitalize()}: {what}, {name}")
    return lines


_SINCE = {"drifted": "drifted", "unlisted": "not in the list", "identities": "identity"}


def _folded(title: str, lines: t.Sequence[str]) -> str:
    """Return lines that a click unfolds, with their number; blank if there are none."""
    if not lines:
        return ""
    summary = f"<details>\n<summary>{title} ({len(lines):,})</summary>"
    return "\n".join([summary, "", *_fitting(lines), "", "</details>"])


def _fitting(lines: t.Sequence[str], room: int = _PART) -> list[str]:
    """Return as many of the lines as fit, and how many more there are."""
    shown: list[str] = []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            return [*shown, f"- and {len(lines) - len(shown):,} more in the other reports"]
        shown.append(line)
    return shown
