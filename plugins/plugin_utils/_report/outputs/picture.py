# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The data of the picture on the page: who can log in, lifetimes of tokens, and ages. Pure."""

from __future__ import annotations

import math
import typing as t
from collections import Counter

from ....module_utils._state.fields import Values

# With fewer identities, there is no pattern to see.
LEAST = 20

_WIDTHS = ("1 principal", "2 to 9", "10 or more", "whole tenant")
_LIVES = ("1 hour", "1 day", "30 days", "longer", "no end")
_LIFE_SECONDS = (3600, 86400, 2592000)
_AGES = ("under 1 year", "1 to 2 years", "2 to 3 years", "over 3 years")
# The radius of the largest circle, in pixels.
_RADIUS = 22


def picture(report: Values) -> Values | None:
    """Return the two halves of the picture, None if there are too few identities.

    `wide` has a row for each range of numbers of service principals that can log in. A row has a
    cell for each range of maximum lifetimes of a token: `{title, count, radius, far}`. `old` has
    `{title, count, share}` for each range of ages.
    """
    attached = [item["azure_auth"] for item in report["identities"] if item["azure_auth"]]
    if len(attached) < LEAST:
        return None
    counts = Counter((_width(settings), _life(settings)) for settings in attached)
    most = max(counts.values())
    rows = [
        {
            "title": title,
            "cells": [
                {
                    "title": _LIVES[life],
                    "count": counts[width, life],
                    "radius": round(max(3, _RADIUS * math.sqrt(counts[width, life] / most)), 1),
                    "far": width == len(_WIDTHS) - 1 or life == len(_LIVES) - 1,
                }
                for life in range(len(_LIVES))
            ],
        }
        for width, title in enumerate(_WIDTHS)
    ]
    return {"lives": _LIVES, "wide": rows, "old": _old(report)}


def _width(settings: Values) -> int:
    principals = len(settings["allowed_service_principal_ids"] or ())
    if settings["allow_all_service_principals"]:
        return 3
    return 0 if principals < 2 else 1 if principals < 10 else 2


def _life(settings: Values) -> int:
    longest = settings["access_token_max_ttl"]
    if longest <= 0:
        return len(_LIVES) - 1
    return sum(longest > seconds for seconds in _LIFE_SECONDS)


def _old(report: Values) -> list[dict[str, t.Any]]:
    """Return the number of identities of each age, an empty list if ages are not known."""
    now = report["created_at"] or ""
    created = [item["created_at"] for item in report["identities"] if item["created_at"]]
    if not now[:4].isdecimal() or not created:
        return []
    # As strings, times of this form sort by time.
    birthdays = [f"{int(now[:4]) - years:04}{now[4:]}" for years in range(1, len(_AGES))]
    counts = Counter(sum(time < birthday for birthday in birthdays) for time in created)
    most = max(counts.values())
    return [
        {"title": title, "count": counts[age], "share": counts[age] / most}
        for age, title in enumerate(_AGES)
    ]
