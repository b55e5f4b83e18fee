# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.community.infisical.plugins.module_utils._text import (
    BLANKS,
    masked,
    no_value,
    printable,
    quoted,
    texts_in,
    trim,
    visible,
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
        ("0123456789 is the beginning of much", "0123456789 is the beginning of much"),
        ("0123456789abcdef0123456789abcdef", "****************"),
        ("0123456 is not enough to tell", "0123456 is not enough to tell"),
        ("a short one goes when it is whole: shor", "a ******** one goes when it is whole: shor"),
        ("nothing", "nothing"),
    ],
)
def test_masked_has_neither_a_secret_nor_its_beginning(text: str, shown: str) -> None:
    assert masked(text, ["0123456789abcdef", "short", ""]) == shown


@pytest.mark.parametrize(
    ("secrets", "text", "shown"),
    [
        (["header00.one", "header00.two"], "header00.two and header00.on", "******** and ********"),
        (["abcdefghabcdefghXYZ"], "abcdefghabcdefghXYZ, abcdefghabcd...", "********, ********..."),
        (
            ["password", "password-and-more"],
            "password-and-mo..., password",
            "********..., ********",
        ),
        (["abab"], "ababab", "********"),
        (["secret", "secret"], "secret", "********"),
    ],
)
def test_secrets_that_begin_alike_or_overlap_are_masked_whole(
    secrets: list[str], text: str, shown: str
) -> None:
    assert masked(text, secrets) == shown
    assert masked(text, secrets[::-1]) == shown


PIECES = st.text("ab", min_size=1, max_size=12)


@given(st.lists(PIECES, max_size=3), st.lists(PIECES, max_size=4), st.integers(0, 12))
def test_masked_never_shows_a_secret(secrets: list[str], pieces: list[str], cut: int) -> None:
    text = " ".join([*pieces, *secrets, *(f"{secret[:cut]}..." for secret in secrets)])
    shown = masked(text, secrets)
    assert not any(secret in shown for secret in secrets)
    assert not any(len(secret) >= 8 and f"{secret[:8]}..." in shown for secret in secrets)
    assert masked(text, []) == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("https://********.azure.com/", "masked text"),
        ("VALUE_SPECIFIED_IN_NO_LOG_PARAMETER", "masked text"),
        ("https://$REDACTED$/", "masked text"),
        ("{{ tenant }}", "a template"),
        ("{% if x %}", "a template"),
        ("{# x #}", "a template"),
        ("__omit_place_holder__5f", "the placeholder that omit"),
    ],
)
def test_what_only_stands_for_a_value(text: str, why: str) -> None:
    assert f"is {why}" in str(no_value(text))


@pytest.mark.parametrize("text", ["", "{x}", "a ******* b", "omit", "$x$", "100%"])
def test_what_is_a_value(text: str) -> None:
    assert no_value(text) is None


def test_texts_are_found_in_values_of_values() -> None:
    assert list(texts_in({"a": ["x", {"b": "y"}, 1, None, [["z"]]], "c": ""})) == [
        "x",
        "y",
        "z",
        "",
    ]


@given(st.text())
def test_what_is_visible_is_not_obeyed_by_a_terminal(text: str) -> None:
    assert visible(text).isprintable()
    assert visible("b\u00fcro \U0001f511") == "b\u00fcro \U0001f511"
