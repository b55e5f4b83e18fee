# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report as CSV for spreadsheets: a row for each finding, each difference, and so on. Pure."""

from __future__ import annotations

import csv
import io
import json
import re
import typing as t

from ....module_utils._state.fields import Values
from ....module_utils._text import visible
from .texts import not_in_list

COLUMNS = (
    "kind",
    "severity",
    "rule",
    "name",
    "id",
    "project_id",
    "project_name",
    "role",
    "action",
    "field",
    "actual",
    "desired",
    "text",
    "fix",
    "link",
    "waived_until",
    "waived_because",
    "source",
)
# If a cell begins with one of these, including full-width characters, some program takes it for a
# formula. In locales with a decimal comma, spreadsheets read a semicolon as the end of a cell.
_FORMULA = re.compile('(^|;[ "]*)(?=[=+@\t\r\uff1d\uff0b\uff0d\uff20-])')


def csv_table(report: Values) -> str:
    """Return CSV of RFC 4180. A text that would be a formula gets an apostrophe before it."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in _rows(report):
        writer.writerow([_cell(row.get(column)) for column in COLUMNS])
    return text.getvalue()


def _rows(report: Values) -> t.Iterator[Values]:
    identities = {item["key"]: item for item in report["identities"]}
    for rule in report["findings"]:
        for found in rule["identities"]:
            waived = found["waived"] or {}
            yield {
                **identities[found["key"]],
                **{key: rule[key] for key in ("severity", "rule", "field", "fix", "link")},
                "kind": "finding",
                "actual": found["value"],
                "text": found["sentence"],
                "waived_until": waived.get("until"),
                "waived_because": waived.get("reason"),
                "action": None,
            }
    for item in identities.values():
        for difference in item["differences"]:
            yield {**item, **difference, "kind": "drift"}
        if item["status"] == "unknown":
            yield {**item, "kind": "unknown", "text": item["msg"]}
    for item in not_in_list(report):
        yield {**item, "kind": "unlisted"}


def _cell(value: t.Any) -> str:
    """Return a value as a cell: a string as it is, and any other value as JSON."""
    if value is None:
        return ""
    text = visible(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    return _FORMULA.sub(r"\1'", text)
