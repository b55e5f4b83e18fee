# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Request bodies: JSON as JavaScript reads it, and validation as the server's library does it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import errors, rules

BODY_LIMIT = 1024 * 1024
ABSENT = object()

Issues = list[dict[str, Any]]
Reader = Callable[[Any, list[Any], Issues], Any]


def _number(text: str) -> int | float:
    """A JSON number as JavaScript has it: a double, shown as an integer where it is one."""
    value = float(text)
    if not math.isfinite(value):
        return value
    return int(value) if value == int(value) else value


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


_DECODER = json.JSONDecoder(parse_int=_number, parse_float=_number, parse_constant=_refuse_constant)


def parse_json(raw: bytes) -> Any:
    """Decode a JSON body, else ValueError. Lone surrogates end as U+FFFD, as in the server."""
    text = raw.decode("utf-8", "replace")
    try:
        value = _DECODER.decode(text)
    except RecursionError as exception:
        raise ValueError("nested too deeply") from exception
    if "\\u" in text:
        value = _without_surrogates(value)
    return value


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return value


def parse_body(generation: str, method: str, headers: Mapping[str, str], raw: bytes) -> Any:
    """What the handler sees of a body, or ABSENT. What cannot be parsed is a 500."""
    content_type = headers.get("content-type")
    if method in ("GET", "HEAD"):
        return ABSENT
    if method == "DELETE" and generation < "2026" and "content-length" not in headers:
        return ABSENT
    if len(raw) > BODY_LIMIT:
        raise errors.broken()
    if content_type is None:
        if raw and method != "DELETE":
            raise errors.broken()
        return ABSENT
    essence = content_type.partition(";")[0].strip().lower()
    if essence == "text/plain":
        return raw.decode("utf-8", "replace")
    if essence != "application/json":
        raise errors.broken()
    try:
        return parse_json(raw)
    except ValueError:
        raise errors.broken() from None


def kind(value: Any) -> str:
    """The name that the server's library has for the type of a value."""
    if value is ABSENT:
        return "undefined"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def wrong_type(expected: str, received: str, path: list[Any]) -> dict[str, Any]:
    """The issue for a value of another type, or for none."""
    message = "Required" if received == "undefined" else f"Expected {expected}, received {received}"
    return {
        "code": "invalid_type",
        "expected": expected,
        "received": received,
        "path": path,
        "message": message,
    }


def string(*, trim: bool = True, least: int = 0, most: int | None = None) -> Reader:
    """A string, its length in characters between two bounds once trimmed."""

    def read(value: Any, path: list[Any], issues: Issues) -> Any:
        if not isinstance(value, str):
            issues.append(wrong_type("string", kind(value), path))
            return ABSENT
        text = rules.js_trim(value) if trim else value
        if len(text) < least:
            message = f"String must contain at least {least} character(s)"
            issues.append({"code": "too_small", "minimum": least, "path": path, "message": message})
        if most is not None and len(text) > most:
            message = f"String must contain at most {most} character(s)"
            issues.append({"code": "too_big", "maximum": most, "path": path, "message": message})
        return text

    return read


def principals(value: Any, path: list[Any], issues: Issues) -> Any:
    """``allowedServicePrincipalIds``, brought to its stored form."""
    text = string()(value, path, issues)
    return ABSENT if text is ABSENT else rules.normalise_principals(text)


def number(*, integer: bool = True, least: int | None = None, most: int | None = None) -> Reader:
    """A number between two bounds."""

    def read(value: Any, path: list[Any], issues: Issues) -> Any:
        if kind(value) != "number":
            issues.append(wrong_type("number", kind(value), path))
            return ABSENT
        if integer and not isinstance(value, int):
            issues.append(wrong_type("integer", "float", path))
            return ABSENT
        if least is not None and value < least:
            message = f"Number must be greater than or equal to {least}"
            issues.append({"code": "too_small", "minimum": least, "path": path, "message": message})
        if most is not None and value > most:
            message = f"Number must be less than or equal to {most}"
            issues.append({"code": "too_big", "maximum": most, "path": path, "message": message})
        return value

    return read


def flag(value: Any, path: list[Any], issues: Issues) -> Any:
    """Strictly a boolean."""
    if not isinstance(value, bool):
        issues.append(wrong_type("boolean", kind(value), path))
        return ABSENT
    return value


def digits(*, least: int | None = 0, most: int | None = None) -> Reader:
    """A whole number in a query, where everything is text."""
    read_number = number(least=least, most=most)

    def read(value: Any, path: list[Any], issues: Issues) -> Any:
        # What is no number is one that is none, to JavaScript.
        whole = re.match(r"[+-]?[0-9]+\Z", value)
        return read_number(int(value) if whole else value, path, issues)

    return read


def choice(*options: str) -> Reader:
    """One of a few strings."""

    def read(value: Any, path: list[Any], issues: Issues) -> Any:
        if value not in options:
            message = f"Invalid enum value. Expected {' | '.join(map(repr, options))}"
            issues.append({"code": "invalid_enum_value", "path": path, "message": message})
            return ABSENT
        return value

    return read


def listing(read_item: Reader, *, least: int = 0, most: int | None = None) -> Reader:
    """An array, its length between two bounds."""

    def read(value: Any, path: list[Any], issues: Issues) -> Any:
        if not isinstance(value, list):
            issues.append(wrong_type("array", kind(value), path))
            return ABSENT
        if len(value) < least:
            message = f"Array must contain at least {least} element(s)"
            issues.append({"code": "too_small", "minimum": least, "path": path, "message": message})
        if most is not None and len(value) > most:
            message = f"Array must contain at most {most} element(s)"
            issues.append({"code": "too_big", "maximum": most, "path": path, "message": message})
        return [read_item(item, [*path, index], issues) for index, item in enumerate(value)]

    return read


@dataclass(frozen=True)
class Field:
    """A field of an object: how it is read, and what stands in for it when it is left out."""

    read: Reader
    required: bool = False
    default: Any = ABSENT


def record(fields: Mapping[str, Field]) -> Reader:
    """An object. Unknown fields are dropped, as the server does."""

    def read(value: Any, path: list[Any], issues: Issues) -> Any:
        if not isinstance(value, dict):
            issues.append(wrong_type("object", kind(value), path))
            return ABSENT
        result = {}
        for name, field in fields.items():
            given = value.get(name, ABSENT)
            if given is ABSENT and not field.required:
                if field.default is not ABSENT:
                    result[name] = field.default
                continue
            result[name] = field.read(given, [*path, name], issues)
        return result

    return read


def refuse_issues(generation: str, issues: Issues) -> None:
    """Raise the validation failure, if there is anything to it."""
    if issues:
        raise errors.ApiError(rules.validation_status(generation), "ValidationFailure", issues)


TRUSTED_IPS = listing(record({"ipAddress": Field(string(), required=True)}), least=1)
ANYWHERE = [{"ipAddress": "0.0.0.0/0"}, {"ipAddress": "::/0"}]

# Ranges of the lifetimes differ between generations and verbs: `rules.ttl_issues` has them.
LIFETIMES_ATTACH = {
    "accessTokenTrustedIps": Field(TRUSTED_IPS, default=ANYWHERE),
    "accessTokenTTL": Field(number(), default=rules.TTL_DEFAULT),
    "accessTokenMaxTTL": Field(number(), default=rules.TTL_DEFAULT),
    "accessTokenNumUsesLimit": Field(number(least=0), default=0),
}
LIFETIMES_UPDATE = {name: Field(field.read) for name, field in LIFETIMES_ATTACH.items()}
AZURE_ATTACH = {
    "tenantId": Field(string(), required=True),
    "resource": Field(string(), required=True),
    "allowedServicePrincipalIds": Field(principals, default=""),
    **LIFETIMES_ATTACH,
}
AZURE_UPDATE = {
    "tenantId": Field(string()),
    "resource": Field(string()),
    "allowedServicePrincipalIds": Field(principals),
    **LIFETIMES_UPDATE,
}


def read_body(generation: str, fields: Mapping[str, Field], body: Any) -> dict[str, Any]:
    """Validate a body against a table of fields."""
    issues: Issues = []
    # The server's framework has a null in the place of a body that was not sent.
    result: dict[str, Any] = record(fields)(None if body is ABSENT else body, [], issues)
    refuse_issues(generation, issues)
    return result


def read_method(
    generation: str, verb: str, fields: Mapping[str, Field], body: Any
) -> dict[str, Any]:
    """Validate the configuration of an auth method, its lifetimes by their own rules."""
    issues: Issues = []
    result: dict[str, Any] = record(fields)(body, [], issues)
    if not any(issue["code"] == "invalid_type" for issue in issues):
        ttl, max_ttl = result.get("accessTokenTTL"), result.get("accessTokenMaxTTL")
        issues += (
            {"code": "custom", "path": [field] if field else [], "message": message}
            for field, message in rules.ttl_issues(generation, verb, ttl, max_ttl)
        )
    refuse_issues(generation, issues)
    return result
