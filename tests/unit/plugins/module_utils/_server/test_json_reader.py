# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import tracemalloc

import pytest

from ansible_collections.community.infisical.plugins.module_utils._server.json_reader import (
    TooMuchError,
    parse,
)

MIB = 1024 * 1024


@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        "text",
        None,
        1.5,
        -7,
        {"a": [1, {"b": "\u00e4\ud83d\ude00"}]},
        ["[" * 100, "{" * 100],
        [[1]] * 100,
    ],
)
def test_what_is_json_is_read(value: object) -> None:
    assert parse(json.dumps(value).encode()) == json.loads(json.dumps(value))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"{'a': 1}",
        b"\xff\xfe{\x00}\x00",
        b"\x00",
        b"NaN",
        b"-Infinity",
        b"1e999",
        b"9" * 101,
        b"0." + b"1" * 101,
        b"[" * 33 + b"]" * 33,
        b'{"a":' * 700 + b"1" + b"}" * 700,
        b"[" * 100_000,
    ],
    ids=lambda content: repr(content[:12]),
)
def test_what_is_not_or_troubles_its_reader_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 json's own are of that kind
        parse(content)


@pytest.mark.parametrize(
    "item",
    [
        "{}",
        "[]",
        '{"a":1}',
        '{"ab":"cd"}',
        '"ab"',
        '"\u00e4"',
        '"\U0001f600"',
        r'"\u00e4\ud83d"',
        "1.5",
        "70000",
    ],
)
def test_what_is_read_takes_no_more_memory_than_it_may(item: str) -> None:
    """The most of it that is read, which is found by trying, is measured."""
    count = MIB
    while True:
        content = f"[{','.join([item] * count)}]".encode()
        tracemalloc.start()
        try:
            value = parse(content, 8 * MIB)
            _now, peak = tracemalloc.get_traced_memory()
        except TooMuchError:
            count //= 2
            continue
        finally:
            tracemalloc.stop()
        break
    assert len(value) == count > 1000
    assert peak < 8 * MIB
