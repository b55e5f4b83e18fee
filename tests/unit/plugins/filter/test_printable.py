# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.community.infisical.plugins.filter.printable import FilterModule

printable = FilterModule().filters()["printable"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("billing", "billing"),
        ("Größe 😀 日本", "Größe 😀 日本"),
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("a\nok: [localhost]", "a\\nok: [localhost]"),
        ("a\r\tb\x9b\x7f\x00", "a\\r\\tb\\x9b\\x7f\\x00"),
        ("user\u202egnp.exe", "user\\u202egnp.exe"),
        ("\u2066a\u2069\u200f\u2028\ufeff", "\\u2066a\\u2069\\u200f\\u2028\\ufeff"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_a_terminal_would_obey_is_shown_instead(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_texts_are_found_wherever_they_are() -> None:
    given_ = {"a\n": ["b\n", ("c\n", 1, None, True, 1.5)], "d": {"e": "f\n"}}
    expected = {"a\\n": ["b\\n", ["c\\n", 1, None, True, 1.5]], "d": {"e": "f\\n"}}
    assert printable(given_) == expected
    assert printable(item for item in ["a\n"]) == ["a\\n"]


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_nothing_that_comes_out_does_anything(value: t.Any) -> None:
    assert all(text.isprintable() for text in _texts(printable(value)))


def _texts(value: t.Any) -> t.Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for pair in value.items() for item in pair for text in _texts(item))
    else:
        yield from (text for item in value for text in _texts(item))
