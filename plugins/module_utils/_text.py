# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text: blanks, placeholders that are not values, and how messages show text from elsewhere."""

from __future__ import annotations

import re
import typing as t

from ._errors import OptionError

# What Python's str.strip() or JavaScript's String.trim() removes. Infisical uses the latter, so to
# it a lone U+FEFF is an empty string.
BLANKS = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680"
    "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)

MASK = "********"
# What Ansible prints in place of a secret, or of a text that contains one.
_MASKS = (MASK, "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER", "$REDACTED$")
OMITTED = "__omit_place_holder__"
_TEMPLATES = ("{{", "{%", "{#")

# If a secret was cut off, this many of its characters count as the secret.
_TELLING = 8

_TOKEN = re.compile(r"[\x21-\x7e]+", re.ASCII)
_UUID = re.compile(
    r"(\{)?([0-9a-f]{8})(-)?([0-9a-f]{4})(?(3)-)([0-9a-f]{4})(?(3)-)([0-9a-f]{4})(?(3)-)([0-9a-f]{12})"
    r"(?(1)\})",
    re.ASCII | re.IGNORECASE,
)


def is_token(text: str) -> bool:
    """Return whether a text can be a token, which goes into a header: ASCII without blanks."""
    return _TOKEN.fullmatch(text) is not None


def trim(text: str) -> str:
    """Return the text without the blanks of Python and JavaScript at its ends."""
    return text.strip(BLANKS)


def printable(text: str, limit: int = 200) -> str:
    """Return the text on one line, without control characters, at most `limit` characters."""
    # Cut first, so that a huge response is not processed character by character.
    cut = text[: 4 * limit]
    line = " ".join("".join(char if char.isprintable() else " " for char in cut).split())
    if len(line) > limit or len(cut) < len(text):
        return line[: limit - 3] + "..."
    return line


def quoted(value: t.Any, limit: int = 80) -> str:
    """Return a value from an option as a message shows it: quoted and bounded."""
    text = value if isinstance(value, str) else repr(value)
    shown = visible(text[:limit])
    if len(text) > limit:
        shown += "..."
    return f"'{shown}'" if isinstance(value, str) else shown


def visible(text: str) -> str:
    """Return the text with control and other non-printable characters escaped, for a terminal."""
    return text if text.isprintable() else ascii(text)[1:-1]


def is_mask(text: str) -> bool:
    """Return whether the whole text is Ansible's placeholder for a secret or for omit."""
    return trim(text) in _MASKS or trim(text).startswith(OMITTED)


def uuid_or_none(text: str) -> str | None:
    """Return a UUID in lower case with hyphens, or None if the text is not a UUID.

    Accepts 32 hexadecimal digits with all hyphens or none, with or without braces.
    """
    match = _UUID.fullmatch(text)
    if not match:
        return None
    return "-".join(match.group(2, 4, 5, 6, 7)).lower()


def refuse_nul(option: str, text: str, *, secret: bool = False) -> None:
    """Refuse a text that contains NUL, to which the server answers 500. Raises OptionError."""
    if "\0" in text:
        shown = "" if secret else f" {quoted(text)}"
        raise OptionError(f"{option}{shown} contains a NUL character; remove it.")


def refuse_scope(option: str, text: str) -> None:
    """Refuse a scope where the audience of Entra tokens belongs. Raises OptionError."""
    audience, scope, rest = text.rpartition("/.")
    if scope and rest.rstrip("/").lower() == "default":
        audience += "/"
        raise OptionError(
            f"{option} {quoted(text)} is a scope, which is never the audience of a token; write"
            f" {quoted(audience)}."
        )


def has_template(value: t.Any) -> bool:
    """Return whether a text, or a text in a list, contains a template."""
    if isinstance(value, list):
        return any(map(has_template, value))
    return isinstance(value, str) and any(mark in value for mark in _TEMPLATES)


def texts_in(value: t.Any) -> t.Iterator[str]:
    """Yield the texts in a value: itself, or those in a list or in a dictionary's values."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts_in(item)


def no_value(text: str) -> str | None:
    """Return why a text is a placeholder and not a value, as a clause that follows it; or None."""
    if any(mask in text for mask in _MASKS):
        return "is masked text, which Ansible prints in place of a secret; write the value"
    if OMITTED in text:
        return "is the placeholder that omit leaves in a list; remove the item"
    if has_template(text):
        return "is a template that was not rendered; write the value"
    return None


def masked(text: str, secrets: t.Iterable[str]) -> str:
    """Return the text with secrets masked, including a secret that was cut at the end.

    Every character of a secret is removed, even if secrets overlap or start alike.
    """
    spans = sorted(span for secret in filter(None, secrets) for span in _spans(text, secret))
    parts = []
    end = 0
    for first, last in spans:
        if first >= end:
            parts += [text[end:first], MASK]
        end = max(end, last)
    return "".join([*parts, text[end:]])


def _spans(text: str, secret: str) -> t.Iterator[tuple[int, int]]:
    """Yield the spans of a text that contain a secret, or the part that quoted() kept of it."""
    beginning = secret[:_TELLING]
    first = text.find(beginning)
    while first >= 0:
        last = first + len(beginning)
        while last < len(text) and text[last] == secret[last - first : last - first + 1]:
            last += 1
        whole = last - first == len(secret)
        if whole or last == len(text) or text.startswith("...", last):
            yield first, last
        first = text.find(beginning, first + 1)
