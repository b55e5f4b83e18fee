# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.community.infisical.plugins.module_utils._text import (
    BLANKS,
    masked,
    printable,
    quoted,
    trim,
)

# ECMAScript's WhiteSpace and LineTerminator, which String.prototype.trim() removes.
JAVASCRIPT_BLANKS = (
    "\t\v\f \xa0\ufeff\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u202f\u205f\u3000\n\r\u2028\u2029"
)


def test_blanks_are_exactly_those_of_python_and_javascript() -> None:
    every = map(chr, range(0x110000))
    assert set(BLANKS) == {char for char in every if not char.strip()} | set(JAVASCRIPT_BLANKS)


def test_trim_keeps_blanks_inside() -> None:
    assert trim("\ufeff \u3000a b\u2028\n") == "a b"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("two\nlines\x1b[31m and a bell\x07", "two lines [31m and a bell"),
        ("a" * 300, "a" * 197 + "..."),
        ("\x00" * 5000, "..."),
    ],
)
def test_printable_is_one_bounded_line(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("10.0.0.0/33", "'10.0.0.0/33'"),
        ("a\x00b", r"'a\x00b'"),
        ("x" * 100, "'" + "x" * 80 + "...'"),
        (True, "True"),
        (None, "None"),
        ({"ip": 1}, "{'ip': 1}"),
    ],
)
def test_quoted_shows_a_value_as_given(value: object, shown: str) -> None:
    assert quoted(value) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("the key is 0123456789abcdef.", "the key is ********."),
        ("the key is 0123456789a... and 01234567", "the key is ********... and ********"),
        ("0123456789abcdef0123456789abcdef", "****************"),
        ("0123456 is too short to tell", "0123456 is too short to tell"),
        ("nothing", "nothing"),
    ],
)
def test_masked_has_neither_a_secret_nor_its_beginning(text: str, shown: str) -> None:
    assert masked(text, ["0123456789abcdef", "short"]) == shown
