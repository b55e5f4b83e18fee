# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parses untrusted JSON, or refuses it with a ValueError."""

from __future__ import annotations

import json
import math
import typing as t

# No response from Infisical is nested nearly as deep, and recursive code can handle this depth.
_DEEPEST = 32
_MEMORY = 8 * 1024 * 1024
_LONGEST_NUMBER = 100
# The memory that a container and an item take besides their characters, in bytes.
_CONTAINER = 240
_ITEM = 64


class TooMuchError(ValueError):
    """A text would take more memory than is allowed."""


def parse(content: bytes, memory: int = _MEMORY) -> t.Any:
    """Return the value of a JSON text in UTF-8.

    Raises ValueError, also for infinity, NaN, deep nesting, and long numbers, which Pythons before
    3.11 parse slowly. Raises TooMuchError if the value would take more than `memory` bytes.
    """
    containers = content.count(b"{") + content.count(b"[")
    if _cost(content, containers) > memory:
        raise TooMuchError
    try:
        value = _DECODER.decode(content.decode("utf-8"))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if containers > _DEEPEST and isinstance(value, (dict, list)):
        _refuse_deep(value)
    return value


def _cost(content: bytes, containers: int) -> int:
    """Return the maximum memory that a text takes once parsed, in bytes."""
    # Python stores every character of a string with the width of the widest one. The text is in
    # memory twice: as a whole, and as the strings in it.
    width = 4 if not content.isascii() or b"\\u" in content else 1
    items = content.count(b",") + content.count(b":")
    return len(content) * width * 2 + containers * _CONTAINER + items * _ITEM


def _refuse_deep(value: t.Any) -> None:
    level = [value]
    for _depth in range(_DEEPEST):
        level = [
            item
            for outer in level
            for item in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(item, (dict, list))
        ]
        if not level:
            return
    raise ValueError("nested too deeply")


def _whole(text: str) -> int:
    return int(_short(text))


def _fraction(text: str) -> float:
    number = float(_short(text))
    if math.isinf(number):
        raise ValueError("a number that is too large")
    return number


def _short(text: str) -> str:
    if len(text) > _LONGEST_NUMBER:
        raise ValueError("a number that is too long")
    return text


def _no_number(text: str) -> t.NoReturn:
    raise ValueError(f"{text} is not JSON")


_DECODER = json.JSONDecoder(parse_int=_whole, parse_float=_fraction, parse_constant=_no_number)
