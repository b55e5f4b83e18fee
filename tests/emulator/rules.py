# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's rules as pure functions of plain values.

Tests import these to predict what the server says without asking it, so nothing here knows of
requests, state or the framework. ``generation`` is always one of `GENERATIONS`, which compare as
text: ``generation < "2026"`` is "before 2026".
"""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

GENERATIONS = ("2024-10", "2025-06", "2026")
NEWEST = GENERATIONS[-1]
TTL_RULES = ("as-probed", "mended", "mended-zero")

TTL_MAX = 315_360_000
TTL_DEFAULT = 2_592_000
# No token of a server of 2026 lives longer, whatever its settings.
TOKEN_AGE = 7_776_000
# Database columns: a longer string is a database error, not a validation one.
STRING_COLUMN = 255
METADATA_COLUMN = 1020
PRINCIPALS_COLUMN = {"2024-10": 255, "2025-06": 255, "2026": 2048}
BIGINT_MAX = 2**63 - 1
# What ``error`` says above the rate limit.
RATE_LIMITED = {
    "2024-10": "RateLimitError",
    "2025-06": "RateLimitExceeded",
    "2026": "RateLimitExceeded",
}

TTL_ABOVE_MAX_VALIDATION = "Access Token TTL cannot be greater than Access Token Max TTL."
TTL_ABOVE_MAX = "Access token TTL cannot be greater than max TTL"

# What String.prototype.trim removes: ECMAScript's WhiteSpace and LineTerminator.
JS_BLANKS = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)

_ZONE = re.compile(r"%[0-9A-Za-z.:-]+\Z")
_PARSE_INT = re.compile(r"[+-]?[0-9]+")


class Issue(NamedTuple):
    """One finding of validation; a field of None is the whole body."""

    field: str | None
    message: str


class Refusal(NamedTuple):
    """A refused request: HTTP status, the value of ``error``, and a message."""

    status: int
    error: str
    message: str


def validation_status(generation: str) -> int:
    """Status of a validation failure."""
    return 401 if generation == "2024-10" else 422


def js_trim(text: str) -> str:
    """Trim as JavaScript does, which is neither Python's set of blanks nor a part of it."""
    return text.strip(JS_BLANKS)


def normalise_principals(text: str) -> str:
    """The stored form of ``allowedServicePrincipalIds``. ``""`` is every service principal."""
    text = js_trim(text)
    return ", ".join(js_trim(part) for part in text.split(",")) if text else ""


def principals_admit(stored: str, oid: str) -> bool:
    """Whether a login with this ``oid`` claim passes. Compared letter by letter."""
    return stored == "" or oid in (js_trim(part) for part in stored.split(","))


def ttl_issues(generation: str, verb: str, ttl: int | None, max_ttl: int | None) -> list[Issue]:
    """What validation says of the two lifetimes on ``POST`` or ``PATCH``; None is "not given"."""
    issues = []
    if ttl is not None:
        least = 1 if generation == "2024-10" and verb == "POST" else 0
        issues += _range_issues("accessTokenTTL", ttl, least)
    if max_ttl is not None:
        # 2024-10 asks for "not zero", so that negative values pass.
        least_max = None if generation == "2024-10" else 0
        issues += _range_issues("accessTokenMaxTTL", max_ttl, least_max)
        if generation == "2024-10" and max_ttl == 0:
            issues.append(Issue("accessTokenMaxTTL", "Max TTL must have a non zero number"))
    if generation > "2024-10" and ttl is not None and max_ttl is not None:
        # On POST a max of 0 is a number like any other, on PATCH it counts as "not given".
        limited = max_ttl != 0 or verb == "POST"
        if limited and ttl > max_ttl:
            issues.append(Issue(None, TTL_ABOVE_MAX_VALIDATION))
    return issues


def _range_issues(field: str, value: int, least: int | None) -> list[Issue]:
    if least is not None and value < least:
        return [Issue(field, f"Number must be greater than or equal to {least}")]
    if value > TTL_MAX:
        return [Issue(field, f"Number must be less than or equal to {TTL_MAX}")]
    return []


def post_refusal(generation: str, ttl: int | None, max_ttl: int | None) -> Refusal | None:
    """Whether attaching with these lifetimes is refused; None takes the default."""
    ttl = TTL_DEFAULT if ttl is None else ttl
    max_ttl = TTL_DEFAULT if max_ttl is None else max_ttl
    issues = ttl_issues(generation, "POST", ttl, max_ttl)
    if issues:
        return Refusal(validation_status(generation), "ValidationFailure", issues[0].message)
    if ttl > max_ttl > 0:
        return Refusal(400, "BadRequest", TTL_ABOVE_MAX)
    return None


def patch_refusal(
    generation: str,
    stored_max: int,
    ttl: int | None,
    max_ttl: int | None,
    *,
    stored_ttl: int = 0,
    rule: str = "as-probed",
) -> Refusal | None:
    """Whether updating to these lifetimes is refused; None is "not given".

    `rule` is one of `TTL_RULES`; only the mended ones look at `stored_ttl`.
    """
    issues = ttl_issues(generation, "PATCH", ttl, max_ttl)
    if issues:
        return Refusal(validation_status(generation), "ValidationFailure", issues[0].message)
    if rule == "mended-zero":
        wanted_max = stored_max if max_ttl is None else max_ttl
        wanted_ttl = stored_ttl if ttl is None else ttl
    else:
        wanted_max = max_ttl or stored_max
        wanted_ttl = ttl or (stored_max if rule == "as-probed" else stored_ttl)
    if wanted_ttl > wanted_max > 0:
        return Refusal(400, "BadRequest", TTL_ABOVE_MAX)
    return None


def _version(text: str) -> int | None:
    """4, 6 or None, as Node's ``net.isIP`` says."""
    if ":" not in text:
        try:
            ipaddress.IPv4Address(text)
        except ValueError:
            return None
        return 4
    bare = _ZONE.sub("", text)
    try:
        ipaddress.IPv6Address(bare)
    except ValueError:
        return None
    # Python's own reading of zones is wider than Node's.
    return None if "%" in bare else 6


def parse_trusted_ip(text: str) -> dict[str, Any] | None:
    """The stored and returned shape of a trusted IP, or None where the server refuses it.

    Nothing is made canonical, and the prefix is read like JavaScript's ``parseInt``: the digits
    that it starts with.
    """
    version = _version(text)
    if version:
        return {"ipAddress": text, "type": f"ipv{version}"}
    address, *rest = text.split("/")
    version = _version(address)
    digits = _PARSE_INT.match(rest[0].lstrip(JS_BLANKS)) if rest else None
    if version is None or digits is None:
        return None
    prefix = int(digits.group())
    if not 0 <= prefix <= (32 if version == 4 else 128):
        return None
    return {"ipAddress": address, "type": f"ipv{version}", "prefix": prefix}


def address_admitted(trusted: Iterable[Mapping[str, Any]], caller: str) -> bool:
    """Whether a caller's address is in one of the stored networks.

    IPv4 callers are also looked for in IPv6 networks, as ``::ffff:a.b.c.d``, and such IPv6 callers
    in IPv4 networks. Entries that make no network admit nobody.
    """
    for entry in trusted:
        host = _ZONE.sub("", str(entry.get("ipAddress")))
        network = _network(f"{host}/{entry['prefix']}" if "prefix" in entry else host)
        if network and any(address in network for address in _readings(caller)):
            return True
    return False


# Both are asked the same few things with every request.
@functools.lru_cache
def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


@functools.lru_cache
def _readings(caller: str) -> tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, ...]:
    address = ipaddress.ip_address(caller)
    if isinstance(address, ipaddress.IPv4Address):
        return address, ipaddress.IPv6Address(f"::ffff:{address}")
    return (address, address.ipv4_mapped) if address.ipv4_mapped else (address,)
