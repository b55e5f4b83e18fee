# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules on access tokens, whose settings every auth method has."""

from __future__ import annotations

import re
import typing as t

from ...module_utils._state.fields import MAX_SECONDS
from ...module_utils._state.lifetimes import MAX_TTL, TTL
from ...module_utils._state.networks import Network, opens_ipv4, parse
from .rules import (
    HIGH,
    INFISICAL,
    LOW,
    MEDIUM,
    Rule,
    Shape,
    Subject,
    Thresholds,
    are_texts,
    duration,
    each,
    is_number,
    shortened,
)

_TRUSTED_IPS = "access_token_trusted_ips"
_USES = "access_token_num_uses_limit"
# Not an option: only the server reports it. If it is above 0, it replaces the TTL, and tokens have
# no maximum.
PERIOD = "access_token_period"

# The page that explains the settings of tokens, and renewal.
_SETTINGS = INFISICAL + "documentation/platform/identities/azure-auth"
_LIFETIMES = INFISICAL + "documentation/platform/identities/universal-auth"

# In seconds, how long a token lives on servers of 2026 unless it is renewed, or unless their
# MAX_MACHINE_IDENTITY_TOKEN_AGE sets another limit.
_SERVER_CAP = 7776000

# A prefix that Infisical reads as 0 because it takes only the first digits. Nobody means 0 by it.
_ZERO = re.compile(r"0+(?![0-9])", re.ASCII)

# First and last address of IPv4, and of the part of IPv6 that the internet uses, 2000::/3.
_EVERYWHERE = {4: (0, 2**32 - 1), 6: (1 << 125, (1 << 126) - 1)}


def _ipv4_opened(subject: Subject, _thresholds: Thresholds) -> list[str] | None:
    """Return the IPv6 networks that admit all of IPv4 although IPv4 looks limited.

    IPv4 does not look limited by a lone `::/0`, nor with `0.0.0.0/0` beside it. If no single
    network admits all of IPv4, several may do so together, or with the IPv4 networks of the list.
    Then all IPv6 networks that admit a part of IPv4 are returned.
    """
    listed = [network for network in subject.networks if network.version == 4]
    mapped = [network for network in map(_as_ipv4, subject.networks) if network]
    if _covers(listed, 4) or not _covers(listed + mapped, 4):
        return None
    if not listed and _covers(subject.networks, 6):
        return None
    return [network.text for network in mapped if not network.prefix] or [
        network.text for network in mapped
    ]


def _as_ipv4(network: Network) -> Network | None:
    """Return the part of IPv4 that an IPv6 network admits, with its own text, or None."""
    if opens_ipv4(network):
        return Network(4, 0, 0, network.text)
    if network.version == 6 and network.value >> 32 == 0xFFFF:
        return Network(4, network.value & 0xFFFFFFFF, network.prefix - 96, network.text)
    return None


def _any_address(subject: Subject, thresholds: Thresholds) -> list[str] | None:
    everywhere = [version for version in _EVERYWHERE if _covers(subject.networks, version)]
    if not everywhere or _ipv4_opened(subject, thresholds):
        return None
    return [network.text for network in subject.networks if network.version in everywhere]


def _covers(networks: t.Iterable[Network], version: int) -> bool:
    """Return whether networks together admit every address of a version of IP.

    For example, 0.0.0.0/1 and 128.0.0.0/1 do.
    """
    reached, last = _EVERYWHERE[version]
    for network in sorted(network for network in networks if network.version == version):
        if network.value > reached:
            break
        reached = max(reached, _last(network) + 1)
    return reached > last


def _last(network: Network) -> int:
    """Return the last address of a network."""
    bits = 32 if network.version == 4 else 128
    return network.value + (1 << (bits - network.prefix)) - 1


def _is_periodic(subject: Subject) -> bool:
    """Return whether tokens have a period. The rules on lifetimes are not about such tokens."""
    return bool(subject.values[PERIOD] > 0)


def _periodic(subject: Subject, _thresholds: Thresholds) -> int | None:
    return subject.values[PERIOD] if _is_periodic(subject) else None


def _no_lifetime_limit(subject: Subject, _thresholds: Thresholds) -> int | None:
    max_ttl: int = subject.values[MAX_TTL]
    return max_ttl if max_ttl <= 0 and not _is_periodic(subject) else None


def _long_lifetime(subject: Subject, thresholds: Thresholds) -> int | None:
    """Return the lifetime that is too long. A server may hold a TTL above the maximum TTL."""
    max_ttl: int = subject.values[MAX_TTL]
    lifetime = max(max_ttl, subject.values[TTL])
    limited = max_ttl > 0 and not _is_periodic(subject)
    return lifetime if limited and lifetime > thresholds.max_lifetime else None


def _above_server_cap(subject: Subject, _thresholds: Thresholds) -> int | None:
    """Return how long a token should live without renewal, if the server ends it earlier.

    That is the smaller one of the TTL and the maximum TTL, where 0 means no limit. If both are 0,
    nobody relies on a lifetime.
    """
    if _is_periodic(subject):
        return None
    asked = [subject.values[key] for key in (TTL, MAX_TTL) if subject.values[key] > 0]
    lifetime: int = min(asked, default=0)
    return lifetime if lifetime > _SERVER_CAP else None


def _lifetime(_subject: Subject, seconds: int) -> dict[str, str]:
    return {"value": duration(seconds)}


def _limited(subject: Subject, _value: int, thresholds: Thresholds) -> dict[str, t.Any]:
    """Return lifetimes within the limit. A TTL that is within the limit stays."""
    limit = min(thresholds.max_lifetime, MAX_SECONDS)
    capped = _capped(subject, _value, thresholds) if subject.values[TTL] > limit else {}
    return {MAX_TTL: limit, **capped}


def _capped(_subject: Subject, _value: int, thresholds: Thresholds) -> dict[str, t.Any]:
    """Return a TTL within both limits, so that the fixes of several rules agree."""
    return {TTL: min(thresholds.max_lifetime, _SERVER_CAP)}


def _unlimited_uses(subject: Subject, _thresholds: Thresholds) -> int | None:
    uses: int = subject.values[_USES]
    return uses if uses <= 0 else None


def _not_a_network(subject: Subject, _thresholds: Thresholds) -> list[str] | None:
    return [text for text in subject.no_networks if not _is_read_as_all(text)] or None


def _opened_by_prefix(subject: Subject, _thresholds: Thresholds) -> list[str] | None:
    return [text for text in subject.no_networks if _is_read_as_all(text)] or None


def _is_read_as_all(text: str) -> bool:
    """Return whether Infisical reads a text that is not a network as all addresses."""
    address, _slash, prefix = text.partition("/")
    try:
        parse(address)
    except ValueError:
        return False
    return _ZERO.match(prefix) is not None


def _contained_networks(subject: Subject, _thresholds: Thresholds) -> list[str] | None:
    """Return each network that lies in another, with the widest that it lies in.

    Of two networks, either one contains the other or they share no address. They are sorted by
    their first addresses, wider ones first, so only the last one that was not contained can contain
    the next.
    """
    found = []
    outer: Network | None = None
    for network in sorted(set(subject.networks)):
        if outer and network.version == outer.version and network.value <= _last(outer):
            found.append(f"{network.text} in {outer.text}")
        else:
            outer = network
    return found or None


def _is_number_or_none(value: t.Any) -> bool:
    return value is None or is_number(value)


SHAPE: Shape = {
    _TRUSTED_IPS: (are_texts, "a list of strings"),
    TTL: (is_number, "a whole number"),
    MAX_TTL: (is_number, "a whole number"),
    _USES: (is_number, "a whole number"),
}
# In the details of an auth method. Servers of 2024 do not report it.
DETAILS: Shape = {PERIOD: (_is_number_or_none, "a whole number, or null")}

# The sources for the server's behaviour are the API reference and requests to servers.
RULES = (
    Rule(
        name="ipv4_opened_by_ipv6",
        severity=HIGH,
        title="IPv4 limit without effect",
        option=_TRUSTED_IPS,
        check=each(_ipv4_opened),
        many="{who} restrict IPv4 without effect: they also trust IPv6 networks that admit every"
        " IPv4 address.",
        one="Tokens of {name} work from every IPv4 address because of {value}, although its"
        " trusted IPs seem to restrict IPv4.",
        why="Infisical also reads the IPv4 address a.b.c.d as ::ffff:a.b.c.d. An IPv6 network that"
        " covers ::ffff:0:0/96, such as ::/0, therefore admits every IPv4 address.",
        fix="Remove these networks from access_token_trusted_ips, and list the IPv6 networks that"
        " the program runs in. 2000::/3 contains every public IPv6 address and no IPv4 address.",
        link=_SETTINGS,
    ),
    Rule(
        name="opened_by_prefix",
        severity=HIGH,
        title="Network that is read as every address",
        option=_TRUSTED_IPS,
        check=each(_opened_by_prefix),
        many="{who} trust a network that Infisical reads as every address.",
        one="Tokens of {name} work from everywhere, because Infisical reads {value} as every"
        " address.",
        why="What follows the slash is not a decimal number, and Infisical reads it as 0. Whoever"
        " steals a token can use it from anywhere.",
        fix="Set access_token_trusted_ips to networks with a decimal number after the slash:"
        " 10.0.0.0/16 instead of 10.0.0.0/0x10 or 10.0.0.0/0.0.255.255.",
        link=_SETTINGS,
    ),
    Rule(
        name="no_lifetime_limit",
        severity=HIGH,
        title="No limit on token lifetime",
        option=MAX_TTL,
        check=each(_no_lifetime_limit),
        many="{who} issue tokens that can be renewed forever.",
        one="A token of {name} can be renewed forever.",
        why="Whoever steals a token can keep it alive by renewing it. Without renewal it ends after"
        " access_token_ttl; if that is 0 too, it ends after 90 days on a server released in"
        " 2026, and never on an older one.",
        fix="Set access_token_max_ttl to the longest time that the program runs before it can log"
        " in again, such as 86400 (1 day).",
        link=_LIFETIMES,
        cure=_limited,
    ),
    Rule(
        name="periodic_tokens",
        severity=HIGH,
        title="Periodic tokens without an end",
        option=f"details.{PERIOD}",
        check=each(_periodic),
        many="{who} issue periodic tokens, which can be renewed forever.",
        one="A token of {name} can be renewed forever, because it has a period of {value}.",
        why="Infisical ignores access_token_ttl and access_token_max_ttl where there is a period: a"
        " token lives for one period, and each renewal starts another one. Whoever steals a token"
        " can keep it alive by renewing it.",
        fix="Set the period to 0. Where Infisical's API has no option for it, revoke the auth"
        " method and attach it again.",
        link=_LIFETIMES,
        words=_lifetime,
    ),
    Rule(
        name="any_address",
        severity=MEDIUM,
        title="Tokens work from any address",
        option=_TRUSTED_IPS,
        check=each(_any_address),
        many="{who} issue tokens that work from any address.",
        one="Tokens of {name} work from any address, because it trusts {value}.",
        why="Whoever steals a token can use it from anywhere on the internet.",
        fix="Set access_token_trusted_ips to the networks that the program runs in. Infisical needs"
        " a license with IP allowlisting for this; if you have none, skip this rule.",
        link=_SETTINGS,
    ),
    Rule(
        name="long_lifetime",
        severity=MEDIUM,
        title="Tokens live too long",
        option=MAX_TTL,
        check=each(_long_lifetime),
        many="{who} issue tokens that can live longer than {limit}.",
        one="A token of {name} can live for {value}, which is longer than {limit}.",
        why="Whoever steals a token can use it until it ends.",
        fix="Lower access_token_max_ttl, and access_token_ttl with it. The program logs in again"
        " when its token ends.",
        link=_LIFETIMES,
        words=_lifetime,
        cure=_limited,
    ),
    Rule(
        name="not_a_network",
        severity=MEDIUM,
        title="Trusted IP that is not a network",
        option=_TRUSTED_IPS,
        check=each(_not_a_network),
        many="{who} trust something that is neither an address nor a network.",
        one="{name} trusts {value}, which is neither an address nor a network.",
        why="Infisical has stored it anyway. Nobody knows which addresses it admits.",
        fix="Set access_token_trusted_ips to addresses and networks in CIDR notation.",
        link=_SETTINGS,
    ),
    Rule(
        name="above_server_cap",
        severity=LOW,
        title="Lifetime above the server's limit",
        option=TTL,
        check=each(_above_server_cap),
        many="{who} are set to issue tokens that live longer than 90 days without renewal.",
        one="{name} is set to issue tokens that live for {value}, but a server released in 2026 or"
        " later ends them after 90 days.",
        why="On a server released in 2026 or later, a token ends 90 days after it was issued or"
        " last renewed, unless the server's administrator has set another limit. A program that"
        " relies on a longer life fails then. An older server has no such limit: there, a stolen"
        " token is useful for all that time.",
        fix="Set access_token_ttl to what the program needs, at most 7776000 (90 days).",
        link=_LIFETIMES,
        words=_lifetime,
        cure=_capped,
    ),
    Rule(
        name="contained_networks",
        severity=LOW,
        title="Network inside another one",
        option=_TRUSTED_IPS,
        check=each(_contained_networks),
        many="{who} trust a network that lies inside another trusted network.",
        one="One of the networks that {name} trusts lies inside another: {value}.",
        why="The wider network already admits every address of the narrower one. Often somebody"
        " meant to replace the wider network and forgot to remove it.",
        fix="Remove one of the two from access_token_trusted_ips.",
        link=_SETTINGS,
        words=lambda _subject, pairs: {"value": shortened(pairs)},
    ),
    Rule(
        name="unlimited_uses",
        severity=LOW,
        title="Unlimited uses",
        option=_USES,
        check=each(_unlimited_uses),
        many="{who} issue tokens that can be used any number of times.",
        one="A token of {name} can be used any number of times.",
        why="Whoever steals a token can make any number of requests with it until it ends.",
        fix="If you know how many requests a program makes, as with a job, set"
        " access_token_num_uses_limit. Otherwise skip this rule.",
        link=_SETTINGS,
    ),
)
