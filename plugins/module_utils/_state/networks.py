# Copyright (c) 2026, The community.infisical authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Networks: reading, canonical form, and which addresses they allow.

Infisical does not canonicalize: it stores host bits, letter case, order and duplicates as sent. So
the networks of the user and of the server are both parsed, and then compared.
"""

from __future__ import annotations

import functools
import re
import traceback
import typing as t

try:
    from netaddr import INET_PTON, AddrFormatError, IPAddress
except ImportError:
    NETADDR_IMPORT_ERROR: str | None = traceback.format_exc()
else:
    NETADDR_IMPORT_ERROR = None

_BITS = {4: 32, 6: 128}
# On some platforms, inet_pton accepts leading zeros in IPv4 addresses.
_IPV4 = re.compile(r"(?:(?:0|[1-9][0-9]{0,2})\.){3}(?:0|[1-9][0-9]{0,2})", re.ASCII)
_IPV6 = re.compile(r"[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*", re.ASCII)
_PREFIX = re.compile(r"0|[1-9][0-9]{0,2}", re.ASCII)
_IPV4_MAPPED = 0xFFFF << 32


class Network(t.NamedTuple):
    """A network, or a text that is not a network.

    `version` is 4 or 6, `value` the network address as an integer, `prefix` the prefix length in
    bits, `text` the canonical form. Equal networks are equal tuples, however they were written. A
    stored text that is not a network has version 0 and equals only the same text.
    """

    version: int
    value: int
    prefix: int
    text: str


# Many identities share a few networks.
@functools.lru_cache(maxsize=4096)
def parse(text: str) -> tuple[Network, bool]:
    """Read an address or a network in CIDR notation.

    Returns the network and whether host bits were dropped ("10.1.2.3/8" is 10.0.0.0/8).
    Raises ValueError with what is wrong, as a clause that follows "'10.0.0.0/33' ".
    """
    address, slash, prefix_text = text.partition("/")
    version: t.Literal[4, 6]
    if _IPV4.fullmatch(address):
        version = 4
    elif _IPV6.fullmatch(address):
        version = 6
    else:
        raise ValueError("is not an IPv4 or IPv6 address or network in CIDR notation")
    try:
        value = int(IPAddress(address, version, flags=INET_PTON))
    except (AddrFormatError, ValueError):
        raise ValueError(f"has no valid IPv{version} address") from None
    bits = _BITS[version]
    prefix = bits
    if slash:
        if not _PREFIX.fullmatch(prefix_text) or int(prefix_text) > bits:
            raise ValueError(f"has no valid prefix length (a decimal number from 0 to {bits})")
        prefix = int(prefix_text)
    return _network(version, value, prefix)


def stored(item: t.Mapping[str, t.Any]) -> Network:
    """Read a trusted IP from the API: `{"ipAddress": str, "type": str, "prefix"?: int}`.

    A text that is not a network is kept. Raises ValueError if the object has another shape.
    """
    address = item.get("ipAddress")
    prefix = item.get("prefix")
    if not isinstance(address, str):
        raise ValueError("a trusted IP without an ipAddress")
    text = address if prefix is None else f"{address}/{prefix}"
    try:
        return parse(text)[0]
    except ValueError:
        return Network(0, 0, 0, text)


def opens_ipv4(network: Network) -> bool:
    """Return whether an IPv6 network allows every IPv4 address.

    Infisical compares an IPv4 caller with IPv6 networks as `::ffff:a.b.c.d`. So a network that
    contains `::ffff:0:0/96`, such as `::/0`, allows all of IPv4.
    """
    if network.version != 6 or network.prefix > 96:
        return False
    shift = 128 - network.prefix
    return network.value >> shift == _IPV4_MAPPED >> shift


def _network(version: t.Literal[4, 6], value: int, prefix: int) -> tuple[Network, bool]:
    host_bits = _BITS[version] - prefix
    network = value >> host_bits << host_bits
    # Not netaddr's IPNetwork: 0.10 always takes an integer below 2**32 for IPv4.
    text = str(IPAddress(network, version))
    if host_bits:
        text += f"/{prefix}"
    return Network(version, network, prefix, text), network != value
