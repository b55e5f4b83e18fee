# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is questionable about access tokens: settings that every auth method has."""

from __future__ import annotations

import re
import typing as t

from ..module_utils._state.networks import Network, opens_ipv4, parse
from ._rules import HIGH, LOW, MEDIUM, Rule, Shape, Subject, Thresholds, are_texts, each, is_number

# What Infisical reads as the prefix 0, and nobody means by it: it takes the digits that come first.
_ZERO = re.compile(r"0+(?![0-9])", re.ASCII)

# First and last address of all of IPv4, and of what of IPv6 is in use on the internet: 2000::/3.
_EVERYWHERE = {4: (0, 2**32 - 1), 6: (1 << 125, (1 << 126) - 1)}


def _ipv4_opened(subject: Subject, _thresholds: Thresholds) -> list[str] | None:
    """Return the IPv6 networks that admit all of IPv4 where IPv4 looks as if it were limited.

    A lone `::/0` does not look so, nor does `0.0.0.0/0` beside it. Where no single one admits all,
    several may, together or with what is listed of IPv4: then it is all that admit some.
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
    """Return what of IPv4 an IPv6 network admits, with its own text, or None if it is nothing."""
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

    0.0.0.0/1 and 128.0.0.0/1 do.
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


def _no_lifetime_limit(subject: Subject, _thresholds: Thresholds) -> int | None:
    max_ttl: int = subject.values["access_token_max_ttl"]
    return max_ttl if max_ttl <= 0 else None


def _long_lifetime(subject: Subject, thresholds: Thresholds) -> int | None:
    """Return the lifetime that is too long. A server may hold a TTL that is above the maximum."""
    max_ttl: int = subject.values["access_token_max_ttl"]
    lifetime = max(max_ttl, subject.values["access_token_ttl"])
    return lifetime if max_ttl > 0 and lifetime > thresholds.max_lifetime else None


def _unlimited_uses(subject: Subject, _thresholds: Thresholds) -> int | None:
    uses: int = subject.values["access_token_num_uses_limit"]
    return uses if uses <= 0 else None


def _not_a_network(subject: Subject, _thresholds: Thresholds) -> list[str] | None:
    return [text for text in subject.no_networks if not _is_read_as_all(text)] or None


def _opened_by_prefix(subject: Subject, _thresholds: Thresholds) -> list[str] | None:
    return [text for text in subject.no_networks if _is_read_as_all(text)] or None


def _is_read_as_all(text: str) -> bool:
    """Return whether Infisical takes for a network of all addresses what is no network."""
    address, _slash, prefix = text.partition("/")
    try:
        parse(address)
    except ValueError:
        return False
    return _ZERO.match(prefix) is not None


def _contained_networks(subject: Subject, _thresholds: Thresholds) -> list[str] | None:
    """Return each network that lies in another, with the widest that it lies in.

    Two networks are apart, or one lies in the other, so that in order of their first addresses,
    wider ones first, only the last that was not contained can contain the next.
    """
    found = []
    outer: Network | None = None
    for network in sorted(set(subject.networks)):
        if outer and network.version == outer.version and network.value <= _last(outer):
            found.append(f"{network.text} in {outer.text}")
        else:
            outer = network
    return found or None


SHAPE: Shape = {
    "access_token_trusted_ips": (are_texts, "a list of strings"),
    "access_token_ttl": (is_number, "a whole number"),
    "access_token_max_ttl": (is_number, "a whole number"),
    "access_token_num_uses_limit": (is_number, "a whole number"),
}

# Sources of the server's behaviour that they rest on: the API's reference, and requests to servers.
RULES = (
    Rule(
        "ipv4_opened_by_ipv6",
        HIGH,
        "access_token_trusted_ips",
        each(_ipv4_opened),
        "The list looks as if it limited IPv4, and does not. Infisical sees the IPv4 address"
        " a.b.c.d as ::ffff:a.b.c.d too, so that an IPv6 network which covers ::ffff:0:0/96 admits"
        " every IPv4 address.",
        "Leave these networks out of access_token_trusted_ips, and list the IPv6 networks that"
        " are meant; 2000::/3 is every public IPv6 address, and no IPv4 address.",
    ),
    Rule(
        "opened_by_prefix",
        HIGH,
        "access_token_trusted_ips",
        each(_opened_by_prefix),
        "A token that leaked can be used from anywhere: what follows the slash is no decimal"
        " number, and Infisical reads it as 0, so that the network has every address.",
        "Set access_token_trusted_ips to addresses and networks in CIDR notation, with a decimal"
        " number after the slash; 10.0.0.0/16 instead of 10.0.0.0/0x10 or 10.0.0.0/0.0.255.255.",
    ),
    Rule(
        "no_lifetime_limit",
        HIGH,
        "access_token_max_ttl",
        each(_no_lifetime_limit),
        "Nothing ends a token for good, also one that leaked: it can be renewed without end. What"
        " is not renewed ends with access_token_ttl; where that is 0 too, after the 90 days that a"
        " server of 2026 gives it, and never on an older one.",
        "Set access_token_max_ttl to the longest time in seconds that the program runs before it"
        " can log in anew, such as 86400.",
    ),
    Rule(
        "any_address",
        MEDIUM,
        "access_token_trusted_ips",
        each(_any_address),
        "A token that leaked can be used from anywhere on the internet.",
        "Set access_token_trusted_ips to the networks that the program runs in. This needs a"
        " licence for IP allow-listing.",
    ),
    Rule(
        "long_lifetime",
        MEDIUM,
        "access_token_max_ttl",
        each(_long_lifetime),
        "A token that leaked stays useful for longer than your threshold allows.",
        "Lower access_token_max_ttl, and access_token_ttl with it; the program logs in anew when"
        " its token ends.",
    ),
    Rule(
        "not_a_network",
        MEDIUM,
        "access_token_trusted_ips",
        each(_not_a_network),
        "Infisical took what is neither an address nor a network, and which callers it admits is"
        " not known.",
        "Set access_token_trusted_ips to addresses and networks in CIDR notation.",
    ),
    Rule(
        "contained_networks",
        LOW,
        "access_token_trusted_ips",
        each(_contained_networks),
        "The wider network admits all that the narrower one does, so one of the two is not meant:"
        " often the wider one, which was to be replaced.",
        "Leave one of them out of access_token_trusted_ips.",
    ),
    Rule(
        "unlimited_uses",
        LOW,
        "access_token_num_uses_limit",
        each(_unlimited_uses),
        "A token that leaked can be used for any number of requests until it ends.",
        "Set access_token_num_uses_limit where the number of requests of a program is known, as"
        " that of a job is.",
    ),
)
