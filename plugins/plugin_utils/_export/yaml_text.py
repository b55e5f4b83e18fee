# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists of identities as YAML for people to read and edit, with comments. Pure."""

from __future__ import annotations

import functools
import json
import textwrap
import typing as t

import yaml

from ...module_utils._text import uuid_or_none, visible

WIDTH = 100
# PyYAML cannot read a longer key on one line.
MAX_KEY = 1000
_STEP = "  "

Path = tuple[str, ...]


class Comments(t.NamedTuple):
    """The comments of a mapping.

    `left` has the values that are commented out, by their paths, each with the sentence above it.
    `beside` has the comment at the end of a line, by the scalar on that line.
    """

    left: t.Mapping[Path, tuple[t.Any, str]]
    beside: t.Mapping[str, str]


def document(header: t.Iterable[str], parts: t.Iterable[t.Iterable[str]]) -> str:
    """Return a YAML file: a comment, then the parts, separated by blank lines."""
    blocks = ["\n".join(part) for part in parts]
    return "\n".join(["---", *comment("", *header), "", "\n\n".join(blocks), ""])


def item(
    values: t.Mapping[str, t.Any], comments: Comments, order: t.Sequence[str], indent: str
) -> list[str]:
    """Return a mapping as an item of a list, whose dash is at this indentation."""
    # The item starts with this key, not with a comment.
    first_key = next(key for key in order if key in values)
    lines = mapping(values, comments, (first_key, *order), indent + _STEP)
    first = lines[0]
    return [f"{indent}- {first[len(indent) + len(_STEP):]}", *lines[1:]]


def mapping(
    values: t.Mapping[str, t.Any],
    comments: Comments,
    order: t.Sequence[str],
    indent: str = "",
    path: Path = (),
) -> list[str]:
    """Return the lines of a mapping: first the keys of `order`, then the other ones, sorted."""
    depth = len(path)
    inside = {left[depth] for left in comments.left if len(left) > depth and left[:depth] == path}
    keys = inside.union(values)
    lines = []
    for key in dict.fromkeys([*(key for key in order if key in keys), *sorted(keys)]):
        here = (*path, key)
        if here in comments.left:
            value, why = comments.left[here]
            lines += comment(indent, why)
            lines += [f"{indent}# {line}" for line in _pair(key, value, {}, "")]
        if isinstance(values.get(key), t.Mapping) and values[key]:
            lines.append(f"{indent}{scalar(key)}:")
        elif key in values:
            lines += _pair(key, values[key], comments.beside, indent)
            continue
        elif key in inside and here not in comments.left:
            # Everything in it is commented out.
            lines.append(f"{indent}# {scalar(key)}:")
        lines += mapping(values.get(key) or {}, comments, order, indent + _STEP, here)
    return lines


def comment(indent: str, *sentences: str) -> list[str]:
    """Return the lines of a comment. Each sentence starts on a new line."""
    beginning = f"{indent}# "
    return [
        line
        for sentence in sentences
        for line in textwrap.wrap(
            visible(sentence),
            WIDTH,
            initial_indent=beginning,
            subsequent_indent=beginning,
            break_long_words=False,
            break_on_hyphens=False,
        )
    ]


def _pair(key: str, value: t.Any, beside: t.Mapping[str, str], indent: str) -> list[str]:
    """Return the lines of a key with a scalar, a list of scalars, or an empty mapping."""
    start = f"{indent}{scalar(key)}:"
    if len(start) > MAX_KEY:
        return [f"{indent}? {scalar(key)}", f"{indent}: {scalar(value)}"]
    if isinstance(value, list) and value:
        return [start, *(f"{indent}{_STEP}- {scalar(each)}" for each in value)]
    remark = beside.get(value, "") if isinstance(value, str) else ""
    return [f"{start} {scalar(value)}" + (f"  # {visible(remark)}" if remark else "")]


def scalar(value: t.Any) -> str:
    """Return a value on one line. Anything that is not a string is written as JSON."""
    # Before ansible-core 2.19, strings from modules have a type of their own, which PyYAML refuses.
    return _text(str.__str__(value)) if isinstance(value, str) else json.dumps(value)


# Many identities share most of their values, except IDs.
@functools.lru_cache(maxsize=4096)
def _text(text: str) -> str:
    """Return a string, without quotes if both YAML 1.1 and YAML 1.2 read that as the string."""
    if uuid_or_none(text) == text:
        return text
    if text.isprintable() and not _like_number(text):
        plain: str = yaml.safe_dump(text, allow_unicode=True, width=float("inf"))
        if plain.endswith("\n...\n"):
            return plain[: -len("\n...\n")]
    quoted: str = yaml.safe_dump(
        text, allow_unicode=text.isprintable(), default_style='"', width=float("inf")
    )
    return quoted.rstrip("\n")


def _like_number(text: str) -> bool:
    """Return whether a reader may take a string for a number, as YAML 1.2 does with 1e3."""
    for read in (float, lambda digits: int(digits, 0)):
        try:
            read(text)
        except ValueError:
            continue
        return True
    return False
